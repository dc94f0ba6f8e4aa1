/* SPDX-License-Identifier: BSD-3-Clause */
/* config.c - see config.h. A table of names, each with the function that takes its value. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/disk_name.h"

enum {
	BLOCK_SIZE_MIN = 4096,
	BLOCK_SIZE_MAX = 65536,
	IDLE_SECONDS = 60, /* where idle blocks are wanted and nobody said what idle is */
	IDLE_SECONDS_MAX = 31536000,
	THREADS_MAX = 256,
};

/* What a value is taken into, and where it is said what is wrong with it. */
struct taking {
	struct config *c;
	const char *key, *value;
	char *why;
	size_t why_bytes;
};

static int refuse(const struct taking *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "KEY=VALUE: what would be right". */
static int refuse(const struct taking *t, const char *format, ...)
{
	va_list args;
	int n = snprintf(t->why, t->why_bytes, "%s=%s: ", t->key, t->value);
	va_start(args, format);
	if (n >= 0 && (size_t)n < t->why_bytes)
		vsnprintf(t->why + n, t->why_bytes - (size_t)n, format, args);
	va_end(args);
	errno = EINVAL;
	return -1;
}

static int take_bytes(const struct taking *t, uint64_t *bytes)
{
	static const char units[] = "KMGTPE";
	char *end;
	errno = 0;
	unsigned long long n = strtoull(t->value, &end, 10);
	const char *unit = *end != '\0' ? strchr(units, *end >= 'a' ? *end - ('a' - 'A') : *end) : NULL;
	unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
	end += unit != NULL;
	if (t->value[0] < '0' || t->value[0] > '9' || errno != 0 || *end != '\0' || n > UINT64_MAX >> shift || n == 0)
		return refuse(t, "must be a number of bytes, as 4G, 512M or 65536");
	*bytes = (uint64_t)n << shift;
	return 0;
}

static int take_number(const struct taking *t, unsigned low, unsigned high, unsigned *number)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(t->value, &end, 10);
	if (t->value[0] < '0' || t->value[0] > '9' || errno != 0 || *end != '\0' || n < low || n > high)
		return refuse(t, "must be a number from %u to %u", low, high);
	*number = (unsigned)n;
	return 0;
}

static int take_bool(const struct taking *t, bool *on)
{
	static const char *const yes[] = { "1", "true", "t", "yes", "y", "on" };
	static const char *const no[] = { "0", "false", "f", "no", "n", "off" };
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(t->value, yes[i]) == 0 || strcasecmp(t->value, no[i]) == 0) {
			*on = strcasecmp(t->value, yes[i]) == 0;
			return 0;
		}
	}
	return refuse(t, "must be true or false");
}

static int take_path(const struct taking *t, char **path)
{
	char *absolute = NULL, *here = t->value[0] == '/' ? strdup("") : getcwd(NULL, 0);
	if (*t->value == '\0')
		refuse(t, "must be a file's name");
	else if (here == NULL || asprintf(&absolute, "%s%s%s", here, *here != '\0' ? "/" : "", t->value) < 0)
		refuse(t, "%s", strerror(errno));
	free(here);
	if (absolute == NULL)
		return -1;
	free(*path);
	*path = absolute;
	return 0;
}

static int take_flag(const struct taking *t, unsigned flag)
{
	bool on = false;
	if (take_bool(t, &on) != 0)
		return -1;
	t->c->options.flags = on ? t->c->options.flags | flag : t->c->options.flags & ~flag;
	return 0;
}

static int take_size(const struct taking *t)
{
	return take_bytes(t, &t->c->size);
}

static int take_mem_limit(const struct taking *t)
{
	t->c->limit_given = true;
	return take_bytes(t, &t->c->options.mem_limit);
}

static int take_reserve(const struct taking *t)
{
	return take_bytes(t, &t->c->options.pool.reserve_bytes);
}

static int take_block_size(const struct taking *t)
{
	uint64_t n = 0;
	if (take_bytes(t, &n) != 0)
		return -1;
	if (n < BLOCK_SIZE_MIN || n > BLOCK_SIZE_MAX || (n & (n - 1)) != 0)
		return refuse(t, "must be a power of two from %d to %d", BLOCK_SIZE_MIN, BLOCK_SIZE_MAX);
	t->c->options.block_size = (size_t)n;
	return 0;
}

static int take_algorithm(const struct taking *t)
{
	t->c->options.comp_algorithm = t->value;
	return 0;
}

static int take_algorithm_params(const struct taking *t)
{
	t->c->options.algorithm_params = t->value;
	return 0;
}

enum { RECOMP = sizeof(((struct zram_options *)NULL)->recomp_algorithm) / sizeof(char *) };

static void free_recomp(struct config *c)
{
	for (size_t i = 0; i < RECOMP; i++) {
		free((char *)(uintptr_t)c->options.recomp_algorithm[i]);
		c->options.recomp_algorithm[i] = NULL;
	}
}

/* "zstd,deflate": priorities 1 and 2. */
static int take_recomp(const struct taking *t)
{
	size_t n = 0;
	free_recomp(t->c);
	for (const char *name = t->value; name != NULL;) {
		size_t len = strcspn(name, ",");
		if (len == 0 || n == RECOMP)
			return refuse(t, "must be one to %d names with commas between them", (int)RECOMP);
		t->c->options.recomp_algorithm[n] = strndup(name, len);
		if (t->c->options.recomp_algorithm[n++] == NULL)
			return refuse(t, "out of memory");
		name = name[len] != '\0' ? name + len + 1 : NULL;
	}
	return 0;
}

static int take_geometry(const struct taking *t)
{
	if (strcmp(t->value, "dense") == 0)
		t->c->options.pool.geometry = ZS_GEOMETRY_DENSE;
	else if (strcmp(t->value, "linux") == 0)
		t->c->options.pool.geometry = ZS_GEOMETRY_LINUX;
	else
		return refuse(t, "must be dense or linux");
	return 0;
}

static int take_checksum(const struct taking *t)
{
	return take_flag(t, ZRAM_CHECKSUM);
}

static int take_train_dict(const struct taking *t)
{
	return take_flag(t, ZRAM_TRAIN_DICT);
}

static int take_backing(const struct taking *t)
{
	char *path = (char *)(uintptr_t)t->c->options.backing_dev;
	int result = take_path(t, &path);
	t->c->options.backing_dev = path;
	return result;
}

static int take_load(const struct taking *t)
{
	t->c->load_optional = false;
	return take_path(t, &t->c->load);
}

static int take_save(const struct taking *t)
{
	return take_path(t, &t->c->save);
}

static int take_snapshot(const struct taking *t)
{
	t->c->load_optional = true;
	return take_path(t, &t->c->load) != 0 ? -1 : take_path(t, &t->c->save);
}

static int take_control(const struct taking *t)
{
	return take_path(t, &t->c->control);
}

/* It is a label for Prometheus, and stands in the list of mounts: what can't be shown is no name. */
static int take_name(const struct taking *t)
{
	size_t len = strlen(t->value);
	bool good = len > 0 && len <= DISK_NAME_MAX;
	for (const char *c = t->value; good && *c != '\0'; c++)
		good = (unsigned char)*c >= ' ' && *c != 0x7f;
	if (!good)
		return refuse(t, "must be 1 to %d bytes, none of them a control character", DISK_NAME_MAX);
	free(t->c->name);
	t->c->name = strdup(t->value);
	return t->c->name != NULL ? 0 : refuse(t, "out of memory");
}

static int take_shrinker(const struct taking *t)
{
	bool on = false;
	if (take_bool(t, &on) != 0)
		return -1;
	t->c->background.no_shrinker = !on;
	return 0;
}

static int take_idle(const struct taking *t)
{
	t->c->idle_given = true;
	return take_number(t, 1, IDLE_SECONDS_MAX, &t->c->background.idle_seconds);
}

static int take_cpu(const struct taking *t)
{
	return take_number(t, 1, 100, &t->c->background.cpu_percent);
}

static int take_recompress(const struct taking *t)
{
	t->c->recompress = t->value;
	return 0;
}

static int take_writeback(const struct taking *t)
{
	t->c->writeback = t->value;
	return 0;
}

static int take_threads(const struct taking *t)
{
	return take_number(t, 1, THREADS_MAX, &t->c->threads);
}

static int take_allow_other(const struct taking *t)
{
	return take_bool(t, &t->c->allow_other);
}

static int take_cache(const struct taking *t)
{
	if (strcmp(t->value, "through") == 0)
		t->c->cache = CACHE_THROUGH;
	else if (strcmp(t->value, "back") == 0)
		t->c->cache = CACHE_BACK;
	else
		return refuse(t, "must be through or back");
	return 0;
}

static const struct {
	const char *key;
	int (*take)(const struct taking *t);
} parameters[] = {
	{ "size", take_size },
	{ "algorithm", take_algorithm },
	{ "algorithm-params", take_algorithm_params },
	{ "recomp", take_recomp },
	{ "block-size", take_block_size },
	{ "mem-limit", take_mem_limit },
	{ "reserve", take_reserve },
	{ "geometry", take_geometry },
	{ "checksum", take_checksum },
	{ "train-dict", take_train_dict },
	{ "backing", take_backing },
	{ "load", take_load },
	{ "save", take_save },
	{ "snapshot", take_snapshot },
	{ "control", take_control },
	{ "name", take_name },
	{ "shrinker", take_shrinker },
	{ "idle", take_idle },
	{ "recompress", take_recompress },
	{ "writeback", take_writeback },
	{ "cpu", take_cpu },
	{ "threads", take_threads },
	{ "allow-other", take_allow_other },
	{ "cache", take_cache },
};

enum { PARAMETERS = sizeof(parameters) / sizeof(parameters[0]) };

/* A '_' is taken for '-': the attributes of the same things are named so. */
static bool is_name(const char *known, const char *given, size_t len)
{
	for (; len > 0; len--, known++, given++)
		if (*known == '\0' || (*given != *known && !(*known == '-' && *given == '_')))
			return false;
	return *known == '\0';
}

static int refuse_unknown(const char *argument, size_t len, char *why, size_t why_bytes)
{
	size_t n = (size_t)snprintf(why, why_bytes, "unknown parameter '%.*s': there are ", (int)len, argument);
	for (size_t i = 0; i < PARAMETERS && n < why_bytes; i++)
		n += (size_t)snprintf(why + n, why_bytes - n, "%s%s",
				      i == 0		   ? "" :
				      i + 1 < PARAMETERS ? ", " :
							   " and ",
				      parameters[i].key);
	errno = EINVAL;
	return -1;
}

int config_take(struct config *c, const char *argument, char *why, size_t why_bytes)
{
	const char *equals = strchr(argument, '=');
	struct taking t = { c, "size", argument, why, why_bytes };
	if (equals == NULL && (c->size == 0 || (*argument >= '0' && *argument <= '9')))
		return take_size(&t);
	if (equals == NULL) {
		snprintf(why, why_bytes, "'%s' has no value: parameters are NAME=VALUE", argument);
		errno = EINVAL;
		return -1;
	}
	size_t len = (size_t)(equals - argument);
	for (size_t i = 0; i < PARAMETERS; i++) {
		if (!is_name(parameters[i].key, argument, len))
			continue;
		t.key = parameters[i].key;
		t.value = equals + 1;
		return parameters[i].take(&t);
	}
	return refuse_unknown(argument, len, why, why_bytes);
}

/*
 * What the background does with idle blocks: what was asked for, else dflt where the disk has what it needs, else
 * nothing. -1: asked for without what it needs.
 */
static int choose(const struct taking *t, const char *dflt, const char *needed, bool have, const char **out)
{
	*out = NULL;
	if (t->value != NULL && strcmp(t->value, "off") == 0)
		return 0;
	if (t->value != NULL && !have)
		return refuse(t, "goes with %s=", needed);
	if (have)
		*out = t->value != NULL ? t->value : dflt;
	return 0;
}

int config_check(struct config *c, char *why, size_t why_bytes)
{
	struct zram_background *b = &c->background;
	bool recomp = c->options.recomp_algorithm[0] != NULL, backing = c->options.backing_dev != NULL;
	struct taking recompress = { c, "recompress", c->recompress, why, why_bytes };
	struct taking writeback = { c, "writeback", c->writeback, why, why_bytes };
	/* One request is about one algorithm: with several, a chain. */
	const char *idle = c->options.recomp_algorithm[1] != NULL ? "type=idle chain=1" : "type=idle";
	if (choose(&recompress, idle, "recomp", recomp, &b->recompress) != 0 ||
	    choose(&writeback, "type=idle", "backing", backing, &b->writeback) != 0)
		return -1;
	if (c->idle_given && !recomp && !backing) {
		snprintf(why, why_bytes, "idle=: goes with recomp= or backing=");
		errno = EINVAL;
		return -1;
	}
	if ((b->recompress != NULL || b->writeback != NULL) && !c->idle_given)
		b->idle_seconds = IDLE_SECONDS;
	if (c->size == 0 && c->load == NULL) {
		snprintf(why, why_bytes, "no SIZE is given: 4G, for example");
		errno = EINVAL;
		return -1;
	}
	/* What doesn't compress must not take more than was asked for either. */
	if (!c->limit_given)
		c->options.mem_limit = c->size;
	return 0;
}

void config_free(struct config *c)
{
	free_recomp(c);
	free((char *)(uintptr_t)c->options.backing_dev);
	free(c->load);
	free(c->save);
	free(c->control);
	free(c->name);
	c->options.backing_dev = NULL;
	c->load = c->save = c->control = c->name = NULL;
}
