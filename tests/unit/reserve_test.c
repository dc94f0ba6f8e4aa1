/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reserve_test.c - address space: what a pool reserves, under a limit on it too (ulimit -v), and what is said where
 * that is not enough. Each question is put to a child, whose limit it is.
 */
#include "unit.h"

#include <check.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_page.h>
#include <zsmalloc/zram.h>

#include "base/bits.h"
#include "base/os.h"
#include "pool/pool.h"
#include "pool/reserve.h"

#define MIB ((uint64_t)1 << 20)

/* Bytes of address space that the process has. */
static uint64_t mapped(void)
{
	char line[256];
	unsigned long long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmSize: %llu", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib << 10;
}

/* Run in a child with that much address space more than it has (0: without a limit); what it returns is its status. */
static void in_child(uint64_t limit_bytes, int (*run)(uint64_t limit_bytes))
{
	int status;

	if (CHECK_TSAN || CHECK_ASAN)
		skip(); /* their shadows alone are larger */
	fflush(NULL);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit limit = { mapped() + limit_bytes, mapped() + limit_bytes };

		if (limit_bytes != 0 && setrlimit(RLIMIT_AS, &limit) != 0)
			_exit(77);
		_exit(run(limit_bytes == 0 ? 0 : (uint64_t)limit.rlim_cur));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What is reserved for a pool of these options, which can be used. 0: it can't be made, or not be used. */
static uint64_t reserved(const struct zs_pool_options *o)
{
	uint64_t before = mapped();
	struct zs_pool *pool = zs_create_pool_with("reserve", o);
	uint64_t bytes = mapped() - before;

	if (pool == NULL || zs_malloc(pool, 100, 0) == 0 || zs_pool_validate(pool) != 0)
		return 0;
	zs_destroy_pool(pool);
	return mapped() <= before + MIB ? bytes : 0;
}

static int an_eighth(uint64_t limit)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	uint64_t bytes = reserved(&o);

	/* And not much less, where there is that much. */
	if (bytes == 0 || bytes > limit / 8 || bytes < limit / 16)
		return 1;
	/* So that the program's own malloc finds some beside four of them. */
	for (unsigned i = 0; i < 4; i++)
		if (zs_create_pool("one of four") == NULL)
			return 2;
	return malloc(limit / 4) != NULL ? 0 : 3;
}

static void an_eighth_of_the_limit(void **state)
{
	(void)state;
	in_child(4096 * MIB, an_eighth);
	in_child(16384 * MIB, an_eighth);
}

/*
 * With exactly what is said, and 2 MiB for the library's other needs, it works; with a little less it doesn't, and
 * says ENOMEM.
 */
static int the_least(uint64_t limit)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	uint64_t bytes = reserved(&o);

	(void)limit;
	return bytes == 0 ? 1 : bytes > zs_least_reserve(NULL) ? 2 : 0;
}

static int too_little(uint64_t limit)
{
	(void)limit;
	errno = 0;
	return zs_create_pool("too little") == NULL && errno == ENOMEM ? 0 : 1;
}

static void the_least_limit_is_told(void **state)
{
	(void)state;
	in_child(zs_least_reserve(NULL) + 2 * MIB, the_least);
	in_child(zs_least_reserve(NULL) / 2, too_little);
}

static void as_much_as_is_said(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	const size_t page_sizes[] = { 4096, 16384, 65536 };

	(void)state;
	if (CHECK_TSAN || CHECK_ASAN)
		skip(); /* what they map is counted, too */
	for (unsigned i = 0; i < 3; i++) {
		for (int geometry = 0; geometry < 2; geometry++) {
			o.page_size = page_sizes[i];
			o.geometry = (enum zs_geometry)geometry;
			o.reserve_bytes = 0;
			uint64_t least = zs_least_reserve(&o);

			for (o.reserve_bytes = least; o.reserve_bytes < 64 * least; o.reserve_bytes *= 3)
				assert_in_range(reserved(&o), o.reserve_bytes / 2, o.reserve_bytes);
			o.reserve_bytes = least - 1;
			errno = 0;
			assert_null(zs_create_pool_with("less than the least", &o));
			assert_int_equal(errno, EINVAL);
			/* What is wrong with them doesn't matter to the question. */
			assert_int_equal(zs_least_reserve(&o), least);
		}
	}
	o.page_size = 5000;
	errno = 0;
	assert_int_equal(zs_least_reserve(&o), 0);
	assert_int_equal(errno, EINVAL);
}

/* Not more than the machine has several times over, and with a limit no more than that needs. */
static void by_default(void **state)
{
	struct zsi_reserve r = { .page_size = 4096 };

	(void)state;
	uint64_t most = zsi_max((uint64_t)zsi_os_ram_bytes() * 4, (uint64_t)16 << 30);

	assert_in_range(zsi_reserve_bytes(&r, zsi_reserve_default_space(&r, 0)), MIB, most);
	r.limit_bytes = 16 * MIB;
	assert_in_range(zsi_reserve_default_space(&r, 0), 16 * r.limit_bytes, 64 * r.limit_bytes);
	/* The more pools there are, the less each has. */
	r.limit_bytes = 0;
	assert_true(zsi_reserve_default_space(&r, 1000) < zsi_reserve_default_space(&r, 0));
}

static bool says(const char *what)
{
	return strstr(zram_strerror(), what) != NULL;
}

static int device_without_room(uint64_t limit)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	char number[32];

	o.disksize = 64 * MIB;
	if (zram_create("cramped", &o) != NULL || errno != ENOMEM)
		return 1;
	snprintf(number, sizeof(number), "%llu MiB", (unsigned long long)zsi_div_up(limit, MIB));
	if (!says("address space") || !says(number) || !says("ulimit -v"))
		return 2;
	o.pool.page_size = 4096;
	snprintf(number, sizeof(number), "%llu MiB", (unsigned long long)zsi_div_up(zs_least_reserve(&o.pool), MIB));
	return says(number) ? 0 : 3;
}

static void a_device_says_both_numbers(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	char number[32];

	(void)state;
	in_child(zs_least_reserve(NULL) / 2, device_without_room);
	/* It hands on what its pool may reserve. */
	o.disksize = 64 * MIB;
	o.pool.reserve_bytes = 1000000;
	errno = 0;
	assert_null(zram_create("small", &o));
	assert_int_equal(errno, EINVAL);
	o.pool.page_size = 4096;
	snprintf(number, sizeof(number), "%llu MiB", (unsigned long long)zsi_div_up(zs_least_reserve(&o.pool), MIB));
	assert_true(says("reserve_bytes is 1 MiB") && says(number));
	o.pool.reserve_bytes = zs_least_reserve(&o.pool);
	struct zram *z = zram_create("enough", &o);

	assert_non_null(z);
	assert_int_equal(zram_pwrite(z, "x", 1, 1000), 0);
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_eighth_of_the_limit),     cmocka_unit_test(the_least_limit_is_told),
		cmocka_unit_test(as_much_as_is_said),         cmocka_unit_test(by_default),
		cmocka_unit_test(a_device_says_both_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
