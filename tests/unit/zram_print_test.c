/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_print_test.c - statistics by name say what the attributes say, as JSON and for Prometheus. */
#include "unit.h"

#include <inttypes.h>
#include <json_check.h>
#include <zsmalloc/zram.h>

static char *print(struct zram *z, enum zram_stats_format format)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(zram_stats_print(z, out, format), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* The number after a text. */
static uint64_t after(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	if (at == NULL)
		fail_msg("no '%s' in %s", what, text);
	return strtoull(at + strlen(what), NULL, 10);
}

static struct zram *device(const char *name, uint64_t disksize)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = disksize;
	o.recomp_algorithm[1] = "zstd";
	o.mem_limit = 100 << 20;
	z = zram_create(name, &o);
	assert_non_null(z);
	return z;
}

static void same_as_the_attributes(void **state)
{
	static const char *const names[] = { "orig_data_size",  "compr_data_size", "mem_used_total",
					     "mem_limit",       "mem_used_max",    "same_pages",
					     "pages_compacted", "huge_pages",      "huge_pages_since" };
	static const char *const metrics[] = { "orig_data_bytes",       "compr_data_bytes",   "mem_used_bytes",
					       "mem_limit_bytes",       "mem_used_max_bytes", "same_blocks",
					       "pages_compacted_total", "huge_blocks",        "huge_blocks_total" };
	struct zram *z = device("a \"name\" \\", 1 << 24);
	/* One quantity, one name, where the kernel has none. */
	static const char *const both[] = { "memory_bytes", "memory_max_bytes", "metadata_bytes", "own_bytes" };
	char text[256], key[128], *at = text, *json, *prometheus;
	uint8_t block[4096];

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		for (unsigned k = 0; k < sizeof(block); k++)
			block[k] = (uint8_t)(i % 3 == 0 ? 7 : i % 3 == 1 ? k * k % 251 * (k >> 8) : (unsigned)rand());
		assert_int_equal(zram_pwrite(z, block, sizeof(block), i * 4096ull), 0);
	}
	assert_int_equal(zram_discard(z, 0, 50 * 4096), 0);
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	json = print(z, ZRAM_STATS_JSON);
	prometheus = print(z, ZRAM_STATS_PROMETHEUS);
	assert_true(json_valid(json));
	assert_true(zram_attr_get(z, "mm_stat", text, sizeof(text)) > 0);
	for (unsigned i = 0; i < 9; i++) {
		uint64_t value = strtoull(at, &at, 10);

		snprintf(key, sizeof(key), "\"%s\": ", names[i]);
		assert_int_equal(after(json, key), value);
		snprintf(key, sizeof(key), "\nzram_%s{device=\"a \\\"name\\\" \\\\\"} ", metrics[i]);
		assert_int_equal(after(prometheus, key), value);
	}
	assert_int_equal(after(json, "\"writes\": "), 300);
	assert_int_equal(after(json, "\"notify_free\": "), 50);
	assert_int_equal(after(json, "\"blocks_stored\": "), 250);
	/* The whole is the pool and what is beside it. */
	assert_int_equal(after(json, "\"memory_bytes\": "),
			 zs_get_total_bytes(zram_get_pool(z)) + after(json, "\"own_bytes\": "));
	for (unsigned i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		snprintf(key, sizeof(key), "\"%s\": ", both[i]);
		uint64_t value = after(json, key);

		snprintf(key, sizeof(key), "\nzram_%s{device=\"a \\\"name\\\" \\\\\"} ", both[i]);
		assert_int_equal(after(prometheus, key), value);
	}
	assert_true(after(json, "\"metadata_bytes\": ") > after(json, "\"own_bytes\": "));
	assert_non_null(strstr(json, "{\"priority\": 0, \"name\": \"lz4\"}, {\"priority\": 2, \"name\": \"zstd\"}"));
	assert_non_null(strstr(prometheus, "\nzsmalloc_"));
	free(json);
	free(prometheus);
	zram_destroy(z);
}

/* The most is of the same sum as what there is now: never below it, and set back to it. */
static void the_most_memory_so_far(void **state)
{
	struct zram *z = device("most", 1 << 24);
	uint8_t block[4096];
	uint64_t full, most;
	char *json;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned k = 0; k < sizeof(block); k++)
			block[k] = (uint8_t)rand();
		assert_int_equal(zram_pwrite(z, block, sizeof(block), i * 4096ull), 0);
	}
	json = print(z, ZRAM_STATS_JSON);
	full = after(json, "\"memory_bytes\": ");
	assert_true(after(json, "\"memory_max_bytes\": ") >= full);
	free(json);
	assert_int_equal(zram_discard(z, 0, 1000 * 4096), 0);
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	json = print(z, ZRAM_STATS_JSON);
	assert_true(after(json, "\"memory_bytes\": ") < full / 2);
	most = after(json, "\"memory_max_bytes\": ");
	assert_in_range(most, full, full + full / 8);
	free(json);
	assert_int_equal(zram_attr_set(z, "mem_used_max", "0"), 0);
	json = print(z, ZRAM_STATS_JSON);
	assert_int_equal(after(json, "\"memory_max_bytes\": "), after(json, "\"memory_bytes\": "));
	free(json);
	zram_destroy(z);
}

static void not_initialised(void **state)
{
	struct zram *z = device(NULL, 0);
	char *json = print(z, ZRAM_STATS_JSON), *prometheus = print(z, ZRAM_STATS_PROMETHEUS);

	(void)state;
	assert_true(json_valid(json));
	assert_non_null(strstr(json, "\"pool\": null"));
	assert_null(strstr(prometheus, "zsmalloc_"));
	free(json);
	free(prometheus);
	zram_destroy(z);
}

static void refused(void **state)
{
	struct zram *z = device(NULL, 1 << 20);
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	errno = 0;
	assert_int_equal(zram_stats_print(z, stdout, (enum zram_stats_format)7), -1);
	assert_int_equal(errno, EINVAL);
	if (full != NULL) {
		assert_int_equal(zram_stats_print(z, full, ZRAM_STATS_JSON), -1);
		assert_int_equal(errno, ENOSPC);
		fclose(full);
	}
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_the_attributes),
		cmocka_unit_test(the_most_memory_so_far),
		cmocka_unit_test(not_initialised),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
