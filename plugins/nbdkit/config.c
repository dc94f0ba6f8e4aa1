/* SPDX-License-Identifier: BSD-3-Clause */
/* config.c - see config.h. A table of names, each with the function that takes its value. */
#include "config.h"

#include <dlfcn.h>
#include <nbdkit-plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/disk_name.h"

enum {
	BLOCK_SIZE_MIN = 4096,
	BLOCK_SIZE_MAX = 65536,
	IDLE_SECONDS = 60, /* where idle blocks are wanted and nobody said what idle is */
	IDLE_SECONDS_MAX = 31536000,
};

struct config config = {
	.size = CONFIG_NO_SIZE,
	.options = ZRAM_OPTIONS_INIT,
	.background = ZRAM_BACKGROUND_INIT,
};

/* What was said of recompress= and writeback=; NULL: nothing. */
static const char *recompress, *writeback;
static bool idle_given;

const char config_help[] = "[size=]SIZE          size of the disk\n"
			   "algorithm=NAME       lz4 (default), lz4hc, lzo, lzo-rle, zstd, deflate\n"
			   "algorithm-params=P   of the algorithm: \"level=8\", \"dict=/path\"\n"
			   "recomp=NAME[,...]    up to three algorithms to recompress idle blocks with\n"
			   "block-size=SIZE      what is compressed as one, 4K (default) to 64K\n"
			   "mem-limit=SIZE       most memory for data and metadata\n"
			   "reserve=SIZE         most address space for the pool\n"
			   "geometry=dense|linux size classes: densest (default), or the kernel's\n"
			   "checksum=BOOL        check each block's checksum when it is read (off)\n"
			   "train-dict=BOOL      train dictionaries on the disk's own blocks (off)\n"
			   "backing=FILE         file or block device for idle blocks\n"
			   "evict=BOOL           at mem-limit= the oldest blocks go to backing= (off)\n"
			   "load=FILE            start from this snapshot\n"
			   "save=FILE            write a snapshot at the end\n"
			   "snapshot=FILE        both: load it where it exists, save at the end\n"
			   "control=SOCKET       where zs ctl and zs top connect\n"
			   "name=NAME            of the disk, in statistics (as the control socket's)\n"
			   "shrinker=BOOL        compact memory in the background (on)\n"
			   "idle=SECONDS         a block not used for so long is idle (60)\n"
			   "recompress=WHAT|off  what to recompress (type=idle, with recomp=)\n"
			   "writeback=WHAT|off   what to write to backing= (type=idle)\n"
			   "cpu=PERCENT          most of one processor for the background (5)";

/* nbdkit says what is wrong; this what would be right. */
static int64_t parse_size(const char *key, const char *value)
{
	int64_t n = nbdkit_parse_size(value);
	if (n < 0)
		nbdkit_error("%s=%s: must be a number of bytes, as 4G or 512M", key, value);
	return n;
}

static int take_bytes(const char *key, const char *value, uint64_t *bytes)
{
	int64_t n = parse_size(key, value);
	if (n < 0)
		return -1;
	if (n == 0) {
		nbdkit_error("%s=%s: must be more than 0", key, value);
		return -1;
	}
	*bytes = (uint64_t)n;
	return 0;
}

/* Any number of bytes, 0 too, as nbdkit's own disks take. */
static int take_size(const char *value)
{
	int64_t n = parse_size("size", value);
	if (n < 0)
		return -1;
	config.size = (uint64_t)n;
	return 0;
}

static int take_mem_limit(const char *value)
{
	return take_bytes("mem-limit", value, &config.options.mem_limit);
}

static int take_reserve(const char *value)
{
	return take_bytes("reserve", value, &config.options.pool.reserve_bytes);
}

static int take_block_size(const char *value)
{
	uint64_t n;
	if (take_bytes("block-size", value, &n) != 0)
		return -1;
	if (n < BLOCK_SIZE_MIN || n > BLOCK_SIZE_MAX || (n & (n - 1)) != 0) {
		nbdkit_error("block-size=%s: must be a power of two from %d to %d", value, BLOCK_SIZE_MIN,
			     BLOCK_SIZE_MAX);
		return -1;
	}
	config.options.block_size = (size_t)n;
	return 0;
}

static int take_algorithm(const char *value)
{
	config.options.comp_algorithm = value;
	return 0;
}

static int take_algorithm_params(const char *value)
{
	config.options.algorithm_params = value;
	return 0;
}

/* "zstd,deflate": priorities 1 and 2. */
static int take_recomp(const char *value)
{
	const size_t most = sizeof(config.options.recomp_algorithm) / sizeof(config.options.recomp_algorithm[0]);
	size_t n = 0;
	memset(config.options.recomp_algorithm, 0, sizeof(config.options.recomp_algorithm));
	for (const char *name = value; name != NULL;) {
		size_t len = strcspn(name, ",");
		if (len == 0 || n == most) {
			nbdkit_error("recomp=%s: must be one to %zu names with commas between them", value, most);
			return -1;
		}
		config.options.recomp_algorithm[n] = nbdkit_strndup_intern(name, len);
		if (config.options.recomp_algorithm[n++] == NULL)
			return -1;
		name = name[len] ? name + len + 1 : NULL;
	}
	return 0;
}

static int take_geometry(const char *value)
{
	if (strcmp(value, "dense") == 0)
		config.options.pool.geometry = ZS_GEOMETRY_DENSE;
	else if (strcmp(value, "linux") == 0)
		config.options.pool.geometry = ZS_GEOMETRY_LINUX;
	else {
		nbdkit_error("geometry=%s: must be dense or linux", value);
		return -1;
	}
	return 0;
}

static int take_flag(const char *value, unsigned flag)
{
	int on = nbdkit_parse_bool(value);
	if (on < 0)
		return -1;
	config.options.flags = on ? config.options.flags | flag : config.options.flags & ~flag;
	return 0;
}

static int take_checksum(const char *value)
{
	return take_flag(value, ZRAM_CHECKSUM);
}

static int take_train_dict(const char *value)
{
	return take_flag(value, ZRAM_TRAIN_DICT);
}

static int take_path(const char *value, char **path)
{
	char *absolute = nbdkit_absolute_path(value);
	if (absolute == NULL)
		return -1;
	free(*path);
	*path = absolute;
	return 0;
}

static char *backing;

static int take_backing(const char *value)
{
	if (take_path(value, &backing) != 0)
		return -1;
	config.options.backing_dev = backing;
	return 0;
}

static int take_evict(const char *value)
{
	int on = nbdkit_parse_bool(value);
	if (on < 0)
		return -1;
	config.evict = on;
	return 0;
}

static int take_load(const char *value)
{
	config.load_optional = false;
	return take_path(value, &config.load);
}

static int take_save(const char *value)
{
	return take_path(value, &config.save);
}

static int take_snapshot(const char *value)
{
	config.load_optional = true;
	return take_path(value, &config.load) != 0 || take_path(value, &config.save) != 0 ? -1 : 0;
}

static int take_control(const char *value)
{
	return take_path(value, &config.control);
}

/* It is a label for Prometheus: what can't be shown is no name. */
static int take_name(const char *value)
{
	size_t len = strlen(value);
	bool good = len > 0 && len <= DISK_NAME_MAX;
	for (const char *c = value; good && *c; c++)
		good = (unsigned char)*c >= ' ' && *c != 0x7f;
	if (!good) {
		nbdkit_error("name=%s: must be 1 to %d bytes, none of them a control character", value, DISK_NAME_MAX);
		return -1;
	}
	free(config.name);
	config.name = strdup(value);
	if (config.name == NULL)
		nbdkit_error("out of memory");
	return config.name != NULL ? 0 : -1;
}

static int take_shrinker(const char *value)
{
	int on = nbdkit_parse_bool(value);
	if (on < 0)
		return -1;
	config.background.no_shrinker = !on;
	return 0;
}

static int take_number(const char *key, const char *value, unsigned low, unsigned high, unsigned *number)
{
	unsigned n;
	if (nbdkit_parse_unsigned(key, value, &n) != 0)
		return -1;
	if (n < low || n > high) {
		nbdkit_error("%s=%s: must be a number from %u to %u", key, value, low, high);
		return -1;
	}
	*number = n;
	return 0;
}

static int take_idle(const char *value)
{
	idle_given = true;
	return take_number("idle", value, 1, IDLE_SECONDS_MAX, &config.background.idle_seconds);
}

static int take_cpu(const char *value)
{
	return take_number("cpu", value, 1, 100, &config.background.cpu_percent);
}

static int take_recompress(const char *value)
{
	recompress = value;
	return 0;
}

static int take_writeback(const char *value)
{
	writeback = value;
	return 0;
}

static const struct {
	const char *key;
	int (*take)(const char *value);
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
	{ "evict", take_evict },
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
};

/* A '_' is taken for '-': the attributes of the same things are named so. */
static bool is_name(const char *known, const char *given)
{
	while (*known && (*given == *known || (*known == '-' && *given == '_'))) {
		known++;
		given++;
	}
	return !*known && !*given;
}

/*
 * How a shell calls the help of this very file, which nbdkit need not find by its name: "; nbdkit FILE --help says what
 * they are". free() it; NULL where the file is unknown, or has a name that no quotes are simple enough for.
 */
static char *help_hint(void)
{
	Dl_info self;
	char *path = NULL, *hint = NULL;
	if (dladdr(config_help, &self) != 0 && self.dli_fname != NULL)
		path = nbdkit_realpath(self.dli_fname);
	if (path != NULL && strpbrk(path, "'\n\r\033") == NULL &&
	    asprintf(&hint, "; nbdkit '%s' --help says what they are", path) < 0)
		hint = NULL;
	free(path);
	return hint;
}

static void refuse_unknown(const char *key)
{
	char *names = NULL, *hint = help_hint();
	size_t bytes;
	FILE *out = open_memstream(&names, &bytes);
	const size_t count = sizeof(parameters) / sizeof(parameters[0]);
	for (size_t i = 0; out != NULL && i < count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ", parameters[i].key);
	if (out != NULL && fclose(out) == 0)
		nbdkit_error("unknown parameter '%s': there are %s%s", key, names, hint != NULL ? hint : "");
	else
		nbdkit_error("unknown parameter '%s'", key);
	free(names);
	free(hint);
}

int config_take(const char *key, const char *value)
{
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		if (is_name(parameters[i].key, key))
			return parameters[i].take(value);
	refuse_unknown(key);
	return -1;
}

/*
 * What the background does with idle blocks: what was asked for, else dflt where the disk has what it needs, else
 * nothing. -1: asked for without what it needs.
 */
static int choose(const char *given, const char *dflt, const char *key, const char *needed, bool have, const char **out)
{
	*out = NULL;
	if (given != NULL && strcmp(given, "off") == 0)
		return 0;
	if (given != NULL && !have) {
		nbdkit_error("%s=%s: goes with %s=", key, given, needed);
		return -1;
	}
	if (have)
		*out = given != NULL ? given : dflt;
	return 0;
}

size_t config_block_size(void)
{
	return config.options.block_size ? config.options.block_size : BLOCK_SIZE_MIN;
}

int config_check(void)
{
	const struct zram_options *options = &config.options;
	struct zram_background *background = &config.background;
	if (config.size == CONFIG_NO_SIZE && config.load == NULL) {
		nbdkit_error("size= is needed: size=4G, or 4G alone as the first parameter");
		return -1;
	}
	if (config.name == NULL && config.control != NULL && (config.name = disk_name_of_path(config.control)) == NULL) {
		nbdkit_error("out of memory");
		return -1;
	}
	config.options.name = config.name;
	/* One request is about one algorithm: with several, a chain. */
	const char *idle = options->recomp_algorithm[1] != NULL ? "type=idle chain=1" : "type=idle";
	if (choose(recompress, idle, "recompress", "recomp", options->recomp_algorithm[0] != NULL,
		   &background->recompress) != 0 ||
	    choose(writeback, "type=idle", "writeback", "backing", options->backing_dev != NULL,
		   &background->writeback) != 0)
		return -1;
	if (config.evict && options->backing_dev == NULL) {
		nbdkit_error("evict=on: goes with backing=");
		return -1;
	}
	bool idle_wanted = background->recompress != NULL || background->writeback != NULL;
	if (idle_given && options->recomp_algorithm[0] == NULL && options->backing_dev == NULL) {
		nbdkit_error("idle=: goes with recomp= or backing=");
		return -1;
	}
	if (idle_wanted && !idle_given)
		background->idle_seconds = IDLE_SECONDS;
	return 0;
}

void config_free(void)
{
	free(backing);
	free(config.load);
	free(config.save);
	free(config.control);
	free(config.name);
	config.name = NULL;
	backing = config.load = config.save = config.control = NULL;
}
