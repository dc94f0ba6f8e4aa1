/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_attr_test.c - attributes: the kernel's formats and errors, and options, which say the same at creation. */
#include "unit.h"

#include <unistd.h>
#include <zsmalloc/zram.h>

static struct zram *fresh(void)
{
	struct zram *z = zram_create("attr", NULL);

	assert_non_null(z);
	return z;
}

static void expect(struct zram *z, const char *attr, const char *value)
{
	char text[512];
	ssize_t n = zram_attr_get(z, attr, text, sizeof(text));

	assert_true(n >= 0);
	assert_string_equal(text, value);
	assert_int_equal(n, strlen(value));
}

static void refuse(struct zram *z, const char *attr, const char *value, int error, const char *why)
{
	errno = 0;
	assert_int_equal(zram_attr_set(z, attr, value), -1);
	assert_int_equal(errno, error);
	if (strstr(zram_strerror(), why) == NULL)
		fail_msg("%s = '%s': '%s' does not say '%s'", attr, value, zram_strerror(), why);
}

static void accept_value(struct zram *z, const char *attr, const char *value)
{
	if (zram_attr_set(z, attr, value) != 0)
		fail_msg("%s = '%s': %s", attr, value, zram_strerror());
}

static void empty_formats(void **state)
{
	struct zram *z = fresh();

	(void)state;
	expect(z, "disksize", "0\n");
	expect(z, "initstate", "0\n");
	expect(z, "mem_limit", "0\n");
	expect(z, "mm_stat", "       0        0        0        0        0        0        0        0        0\n");
	expect(z, "io_stat", "       0        0 0        0\n");
	expect(z, "debug_stat", "version: 1\n0        0\n");
	expect(z, "comp_algorithm", "lzo-rle lzo [lz4] lz4hc zstd deflate \n");
	expect(z, "recomp_algorithm", "");
	zram_destroy(z);
}

/* As the same things are named elsewhere, and no further. */
static void names(void **state)
{
	struct zram *z = fresh();

	(void)state;
	accept_value(z, "mem-limit", "1M");
	expect(z, "mem_limit", "1048576\n");
	expect(z, "mem-limit", "1048576\n");
	expect(z, "mem-used_max", "0\n");
	refuse(z, "mem-limi", "1M", EINVAL, "no attribute 'mem-limi'");
	refuse(z, "mem-limit-", "1M", EINVAL, "no attribute 'mem-limit-'");
	refuse(z, "", "1M", EINVAL, "no attribute ''");
	zram_destroy(z);
}

static void sizes(void **state)
{
	struct zram *z = fresh();

	(void)state;
	refuse(z, "disksize", "0", EINVAL, "disksize");
	refuse(z, "disksize", "", EINVAL, "disksize");
	refuse(z, "disksize", "12Q", EINVAL, "12Q");
	refuse(z, "disksize", "-4096", EINVAL, "disksize");
	expect(z, "initstate", "0\n");
	accept_value(z, "disksize", "1025K\n");
	expect(z, "disksize", "1052672\n"); /* up to the next whole block */
	expect(z, "initstate", "1\n");
	assert_int_equal(zram_disksize(z), 1052672);
	assert_non_null(zram_get_pool(z));
	refuse(z, "disksize", "1M", EBUSY, "initialised");
	refuse(z, "reset", "0", EINVAL, "reset");
	refuse(z, "reset", "yes", EINVAL, "reset");
	accept_value(z, "reset", "1");
	expect(z, "disksize", "0\n");
	accept_value(z, "disksize", "8K");
	zram_destroy(z);
}

static void algorithms(void **state)
{
	struct zram *z = fresh();

	(void)state;
	refuse(z, "comp_algorithm", "lzma", EINVAL, "lz4hc zstd");
	refuse(z, "comp_algorithm", "842", EINVAL, "'842': there are lzo-rle lzo lz4 lz4hc zstd deflate");
	refuse(z, "comp_algorithm", "", EINVAL, "there are");
	refuse(z, "comp_algorithm", "lz4 zstd", EINVAL, "one algorithm");
	accept_value(z, "comp_algorithm", "zstd\n");
	expect(z, "comp_algorithm", "lzo-rle lzo lz4 lz4hc [zstd] deflate \n");
	accept_value(z, "recomp_algorithm", "algo=deflate priority=3");
	accept_value(z, "recomp_algorithm", "algo=lz4hc");
	expect(z, "recomp_algorithm", "#1: lzo-rle lzo lz4 [lz4hc] zstd deflate \n#3: lzo-rle lzo lz4 lz4hc zstd [deflate] \n");
	refuse(z, "recomp_algorithm", "zstd", EINVAL, "'zstd'");
	refuse(z, "recomp_algorithm", "priority=1", EINVAL, "algo=");
	refuse(z, "recomp_algorithm", "algo=zstd priority=0", EINVAL, "priority '0' is not 1 to 3");
	refuse(z, "recomp_algorithm", "algo=zstd priority=4", EINVAL, "priority '4' is not 1 to 3");
	refuse(z, "recomp_algorithm", "algo=nothing", EINVAL, "nothing");
	accept_value(z, "disksize", "1M");
	refuse(z, "comp_algorithm", "lz4", EBUSY, "comp_algorithm");
	refuse(z, "recomp_algorithm", "algo=lz4", EBUSY, "recomp_algorithm");
	refuse(z, "algorithm_params", "level=1", EBUSY, "algorithm_params");
	/* A reset forgets all of it, as the kernel's does. */
	accept_value(z, "reset", "1");
	expect(z, "comp_algorithm", "lzo-rle lzo [lz4] lz4hc zstd deflate \n");
	expect(z, "recomp_algorithm", "");
	zram_destroy(z);
}

static void params(void **state)
{
	struct zram *z = fresh();
	char path[] = "/tmp/zram-dict-XXXXXX", text[128];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	refuse(z, "algorithm_params", "level=x", EINVAL, "level");
	refuse(z, "algorithm_params", "level=", EINVAL, "level");
	refuse(z, "algorithm_params", "speed=1", EINVAL, "speed");
	refuse(z, "algorithm_params", "level", EINVAL, "level");
	refuse(z, "algorithm_params", "priority=4 level=1", EINVAL, "priority");
	refuse(z, "algorithm_params", "priority=2 level=1", EINVAL, "no algorithm of priority 2");
	refuse(z, "algorithm_params", "algo=zstd level=1", EINVAL, "zstd");
	refuse(z, "algorithm_params", "algo=lz4 priority=1 level=1", EINVAL, "not that of priority 1");
	accept_value(z, "algorithm_params", "algo=lz4 priority=0 level=1");
	refuse(z, "algorithm_params", "level=0", EINVAL, "lz4");
	refuse(z, "algorithm_params", "dict=/nonexistent/dictionary", ENOENT, "/nonexistent/dictionary");
	refuse(z, "algorithm_params", "dict=/", EINVAL, "not a file");
	snprintf(text, sizeof(text), "dict=%s", path);
	refuse(z, "algorithm_params", text, EINVAL, path); /* empty */
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "a dictionary of words", 21), 21);
	close(fd);
	accept_value(z, "algorithm_params", text);
	accept_value(z, "disksize", "1M");
	assert_int_equal(zram_pwrite(z, "a dictionary of words", 21, 8000), 0);
	assert_int_equal(zram_pread(z, text, 21, 8000), 0);
	assert_memory_equal(text, "a dictionary of words", 21);
	accept_value(z, "reset", "1");
	accept_value(z, "comp_algorithm", "lzo");
	refuse(z, "algorithm_params", "level=1", EINVAL, "lzo has no levels");
	snprintf(text, sizeof(text), "dict=%s", path);
	refuse(z, "algorithm_params", text, EINVAL, "lzo takes no dictionary");
	accept_value(z, "comp_algorithm", "zstd");
	accept_value(z, "algorithm_params", "level=-3");
	accept_value(z, "disksize", "1M");
	unlink(path);
	zram_destroy(z);
}

/* The kernel's lengths are to be had where they are known, and alone. */
static void kernel_lengths(void **state)
{
	static const char *const known[] = { "lz4", "lzo", "lzo-rle" }, *const unknown[] = { "lz4hc", "zstd", "deflate" };
	struct zram *z = fresh();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		accept_value(z, "comp_algorithm", known[i]);
		accept_value(z, "algorithm_params", "kernel=1");
		accept_value(z, "algorithm_params", "kernel=0");
		refuse(z, "algorithm_params", "kernel=2", EINVAL, "0 or 1");
		refuse(z, "algorithm_params", "kernel=", EINVAL, "0 or 1");
		accept_value(z, "comp_algorithm", unknown[i]);
		refuse(z, "algorithm_params", "kernel=1", EINVAL, "lzo-rle, lzo and lz4 are");
	}
	accept_value(z, "comp_algorithm", "lz4");
	refuse(z, "algorithm_params", "kernel=1 dict=/proc/self/exe", EINVAL, "go together");
	/* Asked for, and then another algorithm. */
	accept_value(z, "algorithm_params", "kernel=1");
	accept_value(z, "comp_algorithm", "zstd");
	refuse(z, "disksize", "1M", EINVAL, "the kernel's zstd is not known");
	accept_value(z, "comp_algorithm", "lz4");
	accept_value(z, "disksize", "1M");
	zram_destroy(z);
}

/* deflate's window goes no further than zlib's, and with no other algorithm. */
static void winbits(void **state)
{
	static const char *const good[] = { "8", "15", "-8", "-15", "-12" }, *const bad[] = { "7", "16", "-16", "0", "-7" };
	struct zram *z = fresh();
	char text[64];

	(void)state;
	refuse(z, "algorithm_params", "deflate.winbits=-12", EINVAL, "lz4 has no deflate.winbits");
	accept_value(z, "recomp_algorithm", "algo=deflate");
	refuse(z, "algorithm_params", "algo=deflate deflate.winbits=x", EINVAL, "winbits 'x'");
	for (unsigned i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "priority=1 deflate.winbits=%s", bad[i]);
		refuse(z, "algorithm_params", text, EINVAL, "8 to 15");
		snprintf(text, sizeof(text), "algo=deflate level=3 deflate.winbits=%s", good[i]);
		accept_value(z, "algorithm_params", text);
	}
	accept_value(z, "disksize", "1M");
	refuse(z, "algorithm_params", "algo=deflate deflate.winbits=-12", EBUSY, "algorithm_params");
	zram_destroy(z);
}

/* One a processor, and any value is taken for it: as in Linux when it was there. */
static void streams_of_old(void **state)
{
	struct zram *z = fresh();
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	expect(z, "max_comp_streams", text);
	accept_value(z, "max_comp_streams", "99");
	expect(z, "max_comp_streams", text);
	accept_value(z, "disksize", "1M");
	accept_value(z, "max_comp_streams", "1\n");
	zram_destroy(z);
}

/* What was wrong: nothing is compressed with a level that the algorithm chosen later doesn't have. */
static void level_of_another_algorithm(void **state)
{
	struct zram *z = fresh();

	(void)state;
	accept_value(z, "algorithm_params", "level=1000");
	accept_value(z, "comp_algorithm", "zstd");
	refuse(z, "disksize", "1M", EINVAL, "level 1000");
	expect(z, "initstate", "0\n");
	accept_value(z, "algorithm_params", "level=3");
	accept_value(z, "disksize", "1M");
	zram_destroy(z);
}

static void access_rules(void **state)
{
	static const char *const read_only[] = { "initstate",  "mm_stat",     "io_stat",
						 "debug_stat", "block_state", "last_error" };
	static const char *const write_only[] = { "reset", "compact", "algorithm_params" };
	struct zram *z = fresh();
	char text[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		refuse(z, read_only[i], "1", EINVAL, "only be read");
	for (unsigned i = 0; i < sizeof(write_only) / sizeof(write_only[0]); i++) {
		errno = 0;
		assert_int_equal(zram_attr_get(z, write_only[i], text, sizeof(text)), -1);
		assert_int_equal(errno, EINVAL);
	}
	refuse(z, "disk_size", "1M", EINVAL, "disksize");
	assert_true(zram_attr_get(z, "last_error", text, sizeof(text)) > 0);
	assert_memory_equal(text, "attr: no attribute 'disk_size': ", 32);
	zram_destroy(z);
}

/* As snprintf(): cut to the buffer, the whole length returned, always terminated. */
static void short_buffers(void **state)
{
	struct zram *z = fresh();
	char text[64];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(zram_attr_get(z, "io_stat", text, 10), 29);
	assert_memory_equal(text, "       0 \0x", 11);
	assert_int_equal(zram_attr_get(z, "io_stat", text, 1), 29);
	assert_int_equal(text[0], '\0');
	assert_int_equal(zram_attr_get(z, "io_stat", NULL, 0), 29);
	assert_int_equal(zram_attr_get(z, "recomp_algorithm", text, sizeof(text)), 0);
	assert_int_equal(text[0], '\0');
	zram_destroy(z);
}

static void blocks_told(void **state)
{
	struct zram *z = fresh();
	char text[512];
	unsigned long index, seconds, micro;
	char flags[16];
	int used;

	(void)state;
	assert_int_equal(zram_attr_get(z, "block_state", text, sizeof(text)), -1);
	assert_int_equal(errno, EINVAL);
	accept_value(z, "disksize", "1G");
	assert_int_equal(zram_attr_get(z, "block_state", text, sizeof(text)), 0);
	memset(text, 7, sizeof(text));
	assert_int_equal(zram_pwrite(z, text, 500, 4096 * 3), 0);
	assert_true(zram_attr_get(z, "block_state", text, sizeof(text)) > 0);
	assert_int_equal(sscanf(text, "%lu %lu.%lu %15s\n%n", &index, &seconds, &micro, flags, &used), 4);
	assert_int_equal(index, 3);
	assert_string_equal(flags, "......");
	assert_int_equal(text[used], '\0');
	assert_int_equal(used, 12 + 1 + 12 + 1 + 6 + 1 + 6 + 1);
	accept_value(z, "compact", "anything");
	zram_destroy(z);
}

static void trains_or_kernel(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	(void)state;
	o.flags = ZRAM_TRAIN_DICT;
	o.algorithm_params = "kernel=1";
	o.disksize = 1 << 20;
	assert_null(zram_create("trains", &o));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "without dictionaries"));
}

static void bad_options(void **state)
{
	const struct zram_options init = ZRAM_OPTIONS_INIT;
	struct zram_options o[12];

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		o[i] = init;
	o[0].struct_size = 4;
	o[1].block_size = 2048;
	o[2].block_size = 131072;
	o[3].block_size = 12288;
	o[4].disksize = 4097;
	o[5].flags = 1u << 30;
	o[6].comp_algorithm = "lz5";
	o[7].recomp_algorithm[1] = "lz5";
	o[8].algorithm_params = "level=none";
	o[9].block_size = 16384;
	o[9].pool.page_size = 8192;
	o[10].mem_limit = 1 << 20;
	o[10].pool.flags = ZS_POOL_HUGEPAGE;
	o[11].pool.chain_size = 1000;
	o[11].disksize = 1 << 20;
	for (unsigned i = 0; i < 12; i++) {
		errno = 0;
		if (zram_create("bad", &o[i]) != NULL)
			fail_msg("options %u made a device", i);
		assert_int_equal(errno, EINVAL);
		assert_memory_equal(zram_strerror(), "bad: ", 5);
	}
}

/* A struct of an earlier version, which ends sooner, and one of a later version. */
static void other_versions(void **state)
{
	struct {
		struct zram_options o;
		uint64_t more;
	} later = { ZRAM_OPTIONS_INIT, 0 };
	struct zram *z;

	(void)state;
	later.o.disksize = 1 << 20;
	later.o.struct_size = offsetof(struct zram_options, comp_algorithm);
	later.o.comp_algorithm = (const char *)1;
	z = zram_create(NULL, &later.o);
	assert_non_null(z);
	zram_destroy(z);
	later.o.comp_algorithm = NULL;
	later.o.struct_size = sizeof(later);
	z = zram_create(NULL, &later.o);
	assert_non_null(z);
	zram_destroy(z);
	later.more = 1;
	assert_null(zram_create(NULL, &later.o));
	assert_int_equal(errno, EINVAL);
}

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* What went wrong is said to the end; what has no end ends at a word, or at least at a character, and shows it. */
static void messages_are_whole(void **state)
{
	struct zram *z = zram_create("a device whose name is as long as the name of one can ever be", NULL);
	static char value[5000], path[3000];

	(void)state;
	assert_int_equal(zram_attr_set(z, "x", "1"), -1);
	assert_true(ends_with(zram_strerror(), " writeback_compressed writeback_limit writeback_limit_enable"));
	/* A value and a path as people have them are quoted whole. */
	assert_int_equal(zram_attr_set(z, "mem_limit", "as much as ever there is, and then some, please"), -1);
	assert_non_null(strstr(zram_strerror(), "'as much as ever there is, and then some, please' is not"));
	memset(path, 'p', 700);
	path[0] = '/';
	assert_int_equal(zram_attr_set(z, "backing_dev", path), -1);
	assert_non_null(strstr(zram_strerror(), path));
	assert_true(ends_with(zram_strerror(), strerror(ENAMETOOLONG)));
	/* Words, one long word, and characters of three bytes at each offset. */
	for (size_t i = 0; i + 1 < sizeof(value); i++)
		value[i] = i % 7 == 6 ? ' ' : 'v';
	assert_int_equal(zram_attr_set(z, "mem_limit", value), -1);
	assert_true(ends_with(zram_strerror(), " vvvvvv ..."));
	memset(value, 'v', sizeof(value) - 1);
	assert_int_equal(zram_attr_set(z, "mem_limit", value), -1);
	assert_true(ends_with(zram_strerror(), "vvvvvv..."));
	for (size_t offset = 0; offset < 3; offset++) {
		for (size_t i = 0; offset + i + 4 < sizeof(value); i += 3)
			memcpy(value + offset + i, "\xe2\x82\xac", 3);
		assert_int_equal(zram_attr_set(z, "mem_limit", value), -1);
		assert_true(ends_with(zram_strerror(), "\xe2\x82\xac..."));
	}
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_formats), cmocka_unit_test(names),
		cmocka_unit_test(sizes),
		cmocka_unit_test(algorithms),    cmocka_unit_test(params),
		cmocka_unit_test(winbits),       cmocka_unit_test(streams_of_old),
		cmocka_unit_test(kernel_lengths), cmocka_unit_test(trains_or_kernel),
		cmocka_unit_test(access_rules),  cmocka_unit_test(level_of_another_algorithm),
		cmocka_unit_test(short_buffers), cmocka_unit_test(blocks_told),
		cmocka_unit_test(bad_options),   cmocka_unit_test(other_versions),
		cmocka_unit_test(messages_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
