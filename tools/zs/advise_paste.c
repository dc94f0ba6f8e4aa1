/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_paste.c - settings for zramctl, zram-generator, zs serve and programs. */
#include "advise_paste.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "advice.h"
#include "advise_figures.h"

static void add(struct settings_text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct settings_text *to, const char *format, ...)
{
	size_t used = strlen(to->s);
	va_list args;
	va_start(args, format);
	vsnprintf(to->s + used, sizeof(to->s) - used, format, args);
	va_end(args);
}

/* What would fill half of the machine's memory with such data, but no more than twice the memory; whole MiB. */
static uint64_t fitting_size(const struct advice *advice, const struct prediction *p, bool kernel)
{
	double ratio = p != NULL ? large_pool_ratio(p, kernel) : 1;
	double bytes = (double)advice->ram_bytes * (ratio > 4 ? 4 : ratio) / 2;
	return (uint64_t)(bytes / (1 << 20)) << 20;
}

uint64_t advised_disksize(const struct advice *advice)
{
	return fitting_size(advice, advice->kernel.prediction, true);
}

static bool usual_level(const struct candidate *c)
{
	return c->level == c->algorithm->usual;
}

struct settings_text zramctl_text(const struct advice *advice)
{
	struct settings_text out = { "" };
	const struct candidate *c = advice->kernel.candidate;
	unsigned long long mib = advised_disksize(advice) >> 20;
	if (c != NULL && usual_level(c))
		add(&out, "zramctl --find --size %lluMiB --algorithm %s\n", mib, c->algorithm->name);
	else if (c != NULL)
		/* The level must be set between the algorithm and the size, which zramctl does in one go. */
		add(&out,
		    "dev=$(zramctl --find)\n"
		    "echo %s >/sys/block/${dev#/dev/}/comp_algorithm\n"
		    "echo 'algo=%s level=%d' >/sys/block/${dev#/dev/}/algorithm_params\n"
		    "echo %lluM >/sys/block/${dev#/dev/}/disksize\n",
		    c->algorithm->name, c->algorithm->name, c->level, mib);
	return out;
}

struct settings_text zram_generator_text(const struct advice *advice)
{
	struct settings_text out = { "" };
	const struct candidate *c = advice->kernel.candidate;
	if (c == NULL)
		return out;
	double share = advice->ram_bytes ? (double)advised_disksize(advice) / (double)advice->ram_bytes : 1;
	add(&out,
	    "[zram0]\n"
	    "zram-size = ram * %.2f\n"
	    "compression-algorithm = %s",
	    share, c->algorithm->name);
	if (!usual_level(c))
		add(&out, "(level=%d)", c->level);
	add(&out, "\nswap-priority = 100\nfs-type = swap\n");
	return out;
}

struct settings_text libzram_text(const struct advice *advice)
{
	struct settings_text out = { "" };
	const struct candidate *c = advice->library.candidate;
	if (c == NULL)
		return out;
	add(&out,
	    "struct zram_options options = ZRAM_OPTIONS_INIT;\n"
	    "options.comp_algorithm = \"%s\";\n",
	    c->algorithm->name);
	if (!usual_level(c))
		add(&out, "options.algorithm_params = \"level=%d\";\n", c->level);
	add(&out, "options.block_size = %zu;\n", block_bytes(c));
	if (c->dictionary)
		add(&out, "options.flags |= ZRAM_TRAIN_DICT;\n");
	return out;
}

struct settings_text serve_text(const struct advice *advice)
{
	struct settings_text out = { "" };
	const struct pair *pair = &advice->library_pair;
	const struct candidate *c = pair->worth ? pair->primary->what : advice->library.candidate;
	if (c == NULL)
		return out;
	add(&out, "zs serve %lluM algorithm=%s",
	    (unsigned long long)fitting_size(advice, advice->library.prediction, false) >> 20, c->algorithm->name);
	if (!usual_level(c))
		add(&out, " algorithm-params=level=%d", c->level);
	if (c->block_index)
		add(&out, " block-size=%zuK", block_bytes(c) / 1024);
	if (c->dictionary)
		add(&out, " train-dict=true");
	if (pair->worth)
		add(&out, " recomp=%s", pair->secondary->what->algorithm->name);
	add(&out, "\n");
	return out;
}

/* The level, where it is not the usual one. */
static void add_level(struct settings_text *to, const struct candidate *c, unsigned priority)
{
	if (!usual_level(c))
		add(to, "echo 'algo=%s priority=%u level=%d' >/sys/block/zram0/algorithm_params\n", c->algorithm->name,
		    priority, c->level);
}

/* As zram-generator.conf(5) has them. */
static void add_generator_algorithm(struct settings_text *to, const struct candidate *c)
{
	add(to, " %s", c->algorithm->name);
	if (!usual_level(c))
		add(to, "(level=%d)", c->level);
}

struct settings_text recompress_text(const struct advice *advice)
{
	struct settings_text out = { "" };
	const struct pair *pair = &advice->kernel_pair;
	if (!pair->worth)
		return out;
	const struct candidate *first = pair->primary->what, *second = pair->secondary->what;
	add(&out,
	    "echo %s >/sys/block/zram0/comp_algorithm\n"
	    "echo 'algo=%s priority=1' >/sys/block/zram0/recomp_algorithm\n",
	    first->algorithm->name, second->algorithm->name);
	add_level(&out, first, 0);
	add_level(&out, second, 1);
	add(&out, "# then disksize; and once an hour, what was not accessed since the last time:\n"
		  "echo 'type=idle priority=1' >/sys/block/zram0/recompress\n"
		  "echo all >/sys/block/zram0/idle\n"
		  "# or in zram-generator.conf: compression-algorithm =");
	add_generator_algorithm(&out, first);
	add_generator_algorithm(&out, second);
	add(&out, " (type=idle)\n");
	return out;
}
