/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_background_test.c - memory comes back by itself; starting, stopping, and policies that make no sense. */
#include "unit.h"

#include <eventually.h>

#include "device/device.h"

#define BS 4096u
#define BLOCKS 4000u

static void write_all(struct zram *z)
{
	uint8_t buf[BS];

	for (uint64_t i = 0; i < BLOCKS; i++) {
		memset(buf, 0, sizeof(buf));
		for (size_t k = 0; k < 300 + i % 3000; k++)
			buf[k] = (uint8_t)(i * 131 + k * k);
		assert_int_equal(zram_pwrite(z, buf, BS, i * BS), 0);
	}
}

static void discard_most(struct zram *z)
{
	for (uint64_t i = 0; i < BLOCKS; i++)
		if (i % 4 != 0)
			assert_int_equal(zram_discard(z, i * BS, BS), 0);
}

static void wait_compacted(struct zram *z)
{
	EVENTUALLY(zs_shrinker_count(zram_get_pool(z)) * 20 <= zs_get_total_pages(zram_get_pool(z)));
}

static void memory_comes_back(void **state)
{
	struct zram_background policy = ZRAM_BACKGROUND_INIT;
	struct zram_options o = ZRAM_OPTIONS_INIT;

	(void)state;
	o.disksize = (uint64_t)BLOCKS * BS;
	struct zram *z = zram_create("background", &o);

	assert_non_null(z);
	policy.cpu_percent = 50;
	policy.interval_ms = 10;
	assert_int_equal(zram_background_start(z, &policy), 0);
	assert_int_equal(zram_background_start(z, &policy), -1);
	assert_int_equal(errno, EEXIST);
	write_all(z);
	discard_most(z);
	wait_compacted(z);
	/* A reset makes another pool, which is looked after as well. */
	assert_int_equal(zram_attr_set(z, "reset", "1"), 0);
	assert_int_equal(zram_attr_set(z, "disksize", "64M"), 0);
	write_all(z);
	discard_most(z);
	wait_compacted(z);
	zram_background_stop(z);
	zram_background_stop(z);
	assert_int_equal(zram_background_start(z, NULL), 0);
	zram_destroy(z);
}

static void policies(void **state)
{
	struct zram *z = zram_create("policies", NULL);

	(void)state;
	assert_non_null(z);
#define REFUSED(...)                                                   \
	do {                                                           \
		struct zram_background p = ZRAM_BACKGROUND_INIT;       \
		__VA_ARGS__;                                           \
		errno = 0;                                             \
		assert_int_equal(zram_background_start(z, &p), -1);    \
		assert_int_equal(errno, EINVAL);                       \
		assert_non_null(strstr(zram_strerror(), "background")); \
	} while (0)
	REFUSED(p.cpu_percent = 101);
	REFUSED(p.interval_ms = 60001);
	REFUSED(p.struct_size = 0);
	REFUSED(p.recompress = "type=idle");
	REFUSED(p.writeback = "type=idle");
	/* Not initialised yet: it waits for that. */
	assert_int_equal(zram_background_start(z, NULL), 0);
	zram_destroy(z);
}

/* As every struct that begins with its size: a longer one is of a newer header, which may say nothing new. */
static void of_a_newer_header(void **state)
{
	struct {
		struct zram_background known;
		uint64_t unknown;
	} newer = { .known = ZRAM_BACKGROUND_INIT };
	struct zram *z = zram_create("newer", NULL);

	(void)state;
	assert_non_null(z);
	newer.known.struct_size = sizeof(newer);
	newer.unknown = 1;
	errno = 0;
	assert_int_equal(zram_background_start(z, &newer.known), -1);
	assert_int_equal(errno, EINVAL);
	newer.unknown = 0;
	assert_int_equal(zram_background_start(z, &newer.known), 0);
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_comes_back),
		cmocka_unit_test(policies),
		cmocka_unit_test(of_a_newer_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
