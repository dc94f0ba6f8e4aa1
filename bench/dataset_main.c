/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset_main.c - bench_dataset: read real pages of this machine, compress each with LZ4, write the data set.
 *
 * Prints one line of JSON about what it is made of.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect.h"

#define MOST_SOURCES 32u
#define SEED 1 /* of the order, so that a machine gives the same set twice */

static const char usage[] =
	"usage: bench_dataset --out FILE [--contents N] SOURCE...\n"
	"  --libraries N FOLDER   up to N pages of the shared libraries below FOLDER\n"
	"  --files N FOLDER       up to N pages of all files below FOLDER\n"
	"  --process N COMMAND    up to N pages of the memory of COMMAND, once it has printed a line\n"
	"  --contents N           keep the bytes of N pages (4096)\n"
	"Sources may be repeated; pages of one repeated word are skipped.\n";

enum kind { LIBRARIES, FILES, PROCESS };

struct wanted {
	enum kind kind;
	const char *where;
	struct source got;
};

static bool same_filled(const uint8_t page[DATASET_PAGE])
{
	return memcmp(page, page + sizeof(uint64_t), DATASET_PAGE - sizeof(uint64_t)) == 0;
}

/* Compress a page and count it for s. */
static bool take_page(struct collection *c, struct source *s, const uint8_t page[DATASET_PAGE])
{
	char out[LZ4_COMPRESSBOUND(DATASET_PAGE)];

	if (s->counted == s->quota)
		return false;
	if (same_filled(page)) {
		s->same_filled++;
		return true;
	}
	int size = LZ4_compress_default((const char *)page, out, (int)DATASET_PAGE, (int)sizeof(out));

	if (size <= 0)
		fail(0, "LZ4 failed");
	if (size >= (int)DATASET_PAGE) {
		size = (int)DATASET_PAGE;
		s->incompressible++;
	}
	uint32_t place = c->total < c->contents_capacity ? c->total : rng_below(&c->rng, c->total + 1);

	if (place < c->contents_capacity)
		memcpy(c->content + (size_t)place * DATASET_PAGE, page, DATASET_PAGE);
	c->size[c->total++] = (uint16_t)size;
	s->counted++;
	s->compressed_bytes += (uint64_t)size;
	return s->counted < s->quota;
}

/* NAME.so, NAME.so.VERSION */
static bool is_library(const char *name)
{
	const char *so = strstr(name, ".so");

	return so != NULL && (so[3] == '\0' || so[3] == '.');
}

static void shuffle(struct collection *c)
{
	for (uint32_t i = c->total; i > 1; i--) {
		uint32_t j = rng_below(&c->rng, i);
		uint16_t size = c->size[i - 1];

		c->size[i - 1] = c->size[j];
		c->size[j] = size;
	}
}

/* Under another name first: whoever finds the file finds all of it. What is there and no file stays. */
static void write_out(const struct collection *c, const char *name)
{
	char real[PATH_MAX], part[PATH_MAX + 8];
	struct stat old;
	const char *path = realpath(name, real) != NULL ? real : name;
	struct dataset_header head = { .magic = DATASET_MAGIC, .sizes = c->total };

	head.contents = c->total < c->contents_capacity ? c->total : c->contents_capacity;
	if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
		fail(0, "%s is no regular file", name);
	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		fail(ENAMETOOLONG, "%s", path);
	FILE *out = fopen(part, "w");

	if (out == NULL)
		fail(errno, "%s", part);
	size_t written = fwrite(&head, sizeof(head), 1, out);

	written += fwrite(c->size, sizeof(*c->size), c->total, out);
	written += fwrite(c->content, DATASET_PAGE, head.contents, out);
	if (fclose(out) != 0 || written != 1 + (size_t)c->total + head.contents)
		fail(errno, "%s", part);
	if (rename(part, path) != 0)
		fail(errno, "%s", path);
}

static void print_source(const char *name, const struct source *s)
{
	printf("{\"source\":\"");
	for (; *name != '\0'; name++)
		if (*name >= ' ' && *name != '"' && *name != '\\')
			putchar(*name);
	printf("\",\"pages\":%" PRIu32 ",\"incompressible\":%" PRIu32 ",\"same_filled_skipped\":%" PRIu32
	       ",\"mean_bytes\":%.1f}",
	       s->counted, s->incompressible, s->same_filled,
	       s->counted == 0 ? 0.0 : (double)s->compressed_bytes / s->counted);
}

static void print_summary(const struct wanted *wanted, unsigned count)
{
	struct source all = { .name = "all" };

	printf("{\"bench\":\"dataset\",\"lz4\":\"%s\",\"sources\":[", LZ4_versionString());
	for (unsigned i = 0; i < count; i++) {
		const struct source *s = &wanted[i].got;

		if (i > 0)
			putchar(',');
		print_source(s->name, s);
		all.counted += s->counted;
		all.same_filled += s->same_filled;
		all.incompressible += s->incompressible;
		all.compressed_bytes += s->compressed_bytes;
	}
	printf("],\"all\":");
	print_source(all.name, &all);
	printf("}\n");
}

static void add_wanted(struct wanted *w, enum kind kind, const char *quota, const char *where)
{
	static const char *const option[] = { "--libraries", "--files", "--process" };

	if (where == NULL)
		fail(0, "%s needs a number and what to read", option[kind]);
	*w = (struct wanted){ .kind = kind, .where = where };
	w->got.name = where;
	w->got.quota = (uint32_t)number(option[kind], quota, 1, 100000000);
}

static void collect(struct collection *c, struct wanted *w)
{
	switch (w->kind) {
	case LIBRARIES:
		collect_files(c, &w->got, w->where, is_library);
		break;
	case FILES:
		collect_files(c, &w->got, w->where, NULL);
		break;
	case PROCESS:
		(void)collect_process(c, &w->got, w->where);
		break;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "libraries", required_argument, NULL, LIBRARIES },
		{ "files", required_argument, NULL, FILES },
		{ "process", required_argument, NULL, PROCESS },
		{ "contents", required_argument, NULL, 'c' },
		{ "out", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct wanted wanted[MOST_SOURCES];
	struct collection c = { .contents_capacity = 4096, .rng = { SEED }, .take = take_page };
	unsigned count = 0;
	const char *out = NULL;

	/* "+": the second word of a source is taken here, and getopt must not move it away. */
	for (int o; (o = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
		if (o == 'o') {
			out = optarg;
		} else if (o == 'c') {
			c.contents_capacity = (uint32_t)number("--contents", optarg, 1, 1000000);
		} else if (o <= (int)PROCESS && count < MOST_SOURCES) {
			add_wanted(&wanted[count], (enum kind)o, optarg, optind < argc ? argv[optind] : NULL);
			c.capacity += wanted[count++].got.quota;
			optind++;
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (out == NULL || count == 0 || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	c.size = pages(c.capacity * sizeof(*c.size));
	c.content = pages((size_t)c.contents_capacity * DATASET_PAGE);
	for (unsigned i = 0; i < count; i++)
		collect(&c, &wanted[i]);
	if (c.total == 0)
		fail(0, "no page found");
	shuffle(&c);
	write_out(&c, out);
	print_summary(wanted, count);
	return fflush(stdout) == 0 ? 0 : 1;
}
