/* SPDX-License-Identifier: BSD-3-Clause */
/* stats_test.c - the numbers, and the tables to the character. */
#include "unit.h"

#include <system_page.h>
#include <zsmalloc/zsmalloc.h>

static struct zs_pool *linux_pool(const char *name)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_pool *pool;

	o.geometry = ZS_GEOMETRY_LINUX;
	pool = zs_create_pool_with(name, &o);
	assert_non_null(pool);
	return pool;
}

static char *printed(struct zs_pool *pool, enum zs_stats_format format)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(zs_stats_print(pool, out, format), 0);
	fclose(out);
	return text;
}

/* The line of the table whose first column is `first`. */
static void find_line(const char *text, const char *first, char *line, size_t size)
{
	for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
		size_t blank = strspn(at, " ");

		if (strncmp(at + blank, first, strlen(first)) == 0 && at[blank + strlen(first)] == ' ') {
			snprintf(line, size, "%.*s", (int)strcspn(at, "\n"), at);
			return;
		}
	}
	fail_msg("no line '%s'", first);
}

/* 23 objects of 1000 bytes, less one. */
static void kernel_table(void **state)
{
	struct zs_pool *pool = linux_pool("table");
	zs_handle h[100];
	char line[400], want[400];
	char *text;

	(void)state;
	for (unsigned i = 0; i < 23; i++)
		h[i] = zs_malloc(pool, 1000, 0);
	zs_free(pool, h[3]);
	struct zs_class_info info = ZS_CLASS_INFO_INIT;

	assert_int_equal(zs_get_class_info(pool, zs_lookup_class_index(pool, 1000), &info), 0);
	/* 1008 = 32 + 61 * 16; one page holds four; merged with its equals up to 1024. */
	assert_int_equal(info.size, 1024);
	assert_int_equal(info.index, 62);
	assert_int_equal(info.objs_per_zspage, 4);
	assert_int_equal(info.obj_used, 22);
	assert_int_equal(info.zspages, 6);
	assert_int_equal(info.bytes_requested, 22000);

	text = printed(pool, ZS_STATS_CLASSES);
	find_line(text, "class", line, sizeof(line));
	assert_string_equal(
		line, " class  size       10%       20%       30%       40%       50%       60%       70%       80%"
		      "       90%       99%      100% obj_allocated   obj_used pages_used pages_per_zspage freeable");
	find_line(text, "62", line, sizeof(line));
	/* Three of the last four slots used, and three of the first four: 75 % is group 8, "80%". */
	assert_string_equal(
		line, "    62  1024         0         0         0         0         0         0         0         2"
		      "         0         0         4            24         22          6                1        0");
	find_line(text, "Total", line, sizeof(line));
	assert_string_equal(
		line, " Total               0         0         0         0         0         0         0         2"
		      "         0         0         4            24         22          6                         0");
	/* A line for each class, a title, a blank one and the total. */
	unsigned lines = 0;

	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 119 + 3);
	free(text);

	text = printed(pool, ZS_STATS_CLASSES_LEGACY);
	find_line(text, "class", line, sizeof(line));
	assert_string_equal(
		line, " class  size almost_full almost_empty obj_allocated   obj_used pages_used pages_per_zspage");
	find_line(text, "62", line, sizeof(line));
	snprintf(want, sizeof(want), " %5u %5u %11u %12u %13u %10u %10u %16u", 62u, 1024u, 2u, 0u, 24u, 22u, 6u, 1u);
	assert_string_equal(line, want);
	free(text);
	zs_destroy_pool(pool);
}

/* Almost empty up to a quarter of the slots, almost full above it, and neither when full. */
static void legacy_boundary(void **state)
{
	struct zs_pool *pool = linux_pool("legacy");
	zs_handle h[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		h[i] = zs_malloc(pool, 1000, 0);
	for (unsigned left = 4; left > 0; left--) {
		char line[200], want[200];
		char *text = printed(pool, ZS_STATS_CLASSES_LEGACY);

		find_line(text, "62", line, sizeof(line));
		snprintf(want, sizeof(want), " %5u %5u %11u %12u %13u %10u %10u %16u", 62u, 1024u,
			 left < 4 && left > 1 ? 1u : 0u, left == 1 ? 1u : 0u, 4u, left, 1u, 1u);
		assert_string_equal(line, want);
		free(text);
		zs_free(pool, h[left - 1]);
	}
	zs_destroy_pool(pool);
}

static void names_are_escaped(void **state)
{
	struct zs_pool *pool = linux_pool("a\"b\\c\nd\xc3\xa4\xff\xc3z");
	char *text = printed(pool, ZS_STATS_JSON);

	(void)state;
	assert_non_null(strstr(text, "{\"name\": \"a\\\"b\\\\c?d\xc3\xa4\?\?z\", \"geometry\": \"linux\""));
	free(text);
	text = printed(pool, ZS_STATS_PROMETHEUS);
	assert_non_null(strstr(text, "\nzsmalloc_objects{pool=\"a\\\"b\\\\c?d\xc3\xa4\?\?z\"} 0\n"));
	free(text);
	zs_destroy_pool(pool);
	/* 63 bytes, and no half of a character. */
	char name[80];

	memset(name, 'x', sizeof(name));
	memcpy(name + 62, "\xc3\xa4", 3);
	pool = linux_pool(name);
	text = printed(pool, ZS_STATS_JSON);
	name[62] = '\0';
	char want[100];

	snprintf(want, sizeof(want), "{\"name\": \"%s\", ", name);
	assert_memory_equal(text, want, strlen(want));
	free(text);
	zs_destroy_pool(pool);
}

static void pool_numbers(void **state)
{
	struct zs_pool *pool = linux_pool("numbers");
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;
	struct {
		struct zs_pool_stats s;
		char newer[64];
	} larger;
	zs_handle h = zs_malloc(pool, 4096, 0);

	(void)state;
	zs_pool_stats(pool, &s);
	assert_int_equal(s.obj_used, 1);
	assert_int_equal(s.obj_allocated, 1);
	assert_int_equal(s.pages_used, 1);
	assert_int_equal(s.zspages, 1);
	assert_int_equal(s.bytes_requested, 4096);
	assert_int_equal(s.bytes_total, s.bytes_metadata + system_page());
	assert_int_equal(s.struct_size, sizeof(s));
	/* A caller with a shorter or a longer struct gets what he has room for. */
	memset(&larger, 0x55, sizeof(larger));
	larger.s.struct_size = sizeof(larger);
	zs_pool_stats(pool, &larger.s);
	assert_int_equal(larger.s.obj_used, 1);
	assert_int_equal(larger.newer[0], 0x55);
	memset(&s, 0x55, sizeof(s));
	s.struct_size = offsetof(struct zs_pool_stats, obj_used);
	zs_pool_stats(pool, &s);
	assert_int_equal(s.obj_allocated, 1);
	assert_int_equal(s.obj_used, 0x5555555555555555);
	zs_free(pool, h);
	zs_destroy_pool(pool);
}

static void class_walk(void **state)
{
	struct zs_pool *pool = linux_pool("walk");
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	unsigned classes = 0, next = 1;

	(void)state;
	for (unsigned index = 0; zs_get_class_info(pool, index, &info) == 0; index = info.index + 1) {
		assert_int_equal(info.min_request, next);
		assert_int_equal(zs_lookup_class_index(pool, info.min_request), info.index);
		assert_int_equal(zs_lookup_class_index(pool, info.max_request), info.index);
		next = info.max_request + 1;
		classes++;
	}
	assert_int_equal(errno, ENOENT);
	assert_int_equal(classes, 119);
	assert_int_equal(next, 4097);
	assert_int_equal(zs_lookup_class_index(pool, 0), zs_lookup_class_index(pool, 1));
	assert_int_equal(zs_lookup_class_index(pool, 99999), zs_lookup_class_index(pool, 4096));
	info.struct_size = 0;
	assert_int_equal(zs_get_class_info(pool, 0, &info), -1);
	assert_int_equal(errno, EINVAL);
	zs_destroy_pool(pool);
}

static void a_full_stream_is_an_error(void **state)
{
	struct zs_pool *pool = linux_pool("full");
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	for (int format = ZS_STATS_CLASSES; format <= ZS_STATS_PROMETHEUS; format++) {
		errno = 0;
		assert_int_equal(zs_stats_print(pool, full, (enum zs_stats_format)format), -1);
		assert_int_equal(errno, ENOSPC);
		clearerr(full);
	}
	fclose(full);
	errno = 0;
	assert_int_equal(zs_stats_print(pool, stdout, (enum zs_stats_format)9), -1);
	assert_int_equal(errno, EINVAL);
	zs_destroy_pool(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_table), cmocka_unit_test(legacy_boundary),
		cmocka_unit_test(pool_numbers), cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(class_walk),   cmocka_unit_test(a_full_stream_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
