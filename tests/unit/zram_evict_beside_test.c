/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_evict_beside_test.c - eviction beside other things: several threads at the limit, with writeback, recompression
 * and saving at the same time; and after fork().
 */
#include "zram_evicting.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

/* In a child the file is the parent's. */
static void a_child_evicts_nothing(void **state)
{
	struct zram *z = device(&(struct made){ .file = 32 << 20 });
	int status;

	(void)state;
	nothing_before();
	assert_int_equal(fill(z), BLOCKS);
	pid_t child = fork();

	if (child == 0) {
		unsigned before = count_in_file(z), refused = 0;

		for (uint64_t i = 0; i < BLOCKS; i++)
			if ((word_of(z, i) & ZSI_WB) != 0 && zram_pwrite(z, shadow.at[i], BS, i * BS) != 0)
				refused += errno == ENOMEM ? 1 : 1000000;
		_exit(refused > 0 && refused < BLOCKS && count_in_file(z) <= before ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	shadow_compare(&shadow, z);
	done(z);
}

#define THREADS 4u

static struct zram *shared;
static atomic_bool over, disturbed;

/* Each has blocks of its own, and knows what is in them. */
static void *use(void *arg)
{
	uint64_t mine = (uint64_t)(uintptr_t)arg;
	struct rng r = { mine };
	uint8_t buf[BS];
	bool ok = true;

	for (unsigned n = 0; ok && n < 1500; n++) {
		uint64_t i = rng_below(&r, BLOCKS / THREADS) * THREADS + mine;

		if (rng_one_in(&r, 3)) {
			ok = zram_pread(shared, buf, BS, i * BS) == 0 && memcmp(buf, shadow.at[i], BS) == 0;
			continue;
		}
		(void)of_any_size(shadow.at[i], i, &r);
		ok = zram_pwrite(shared, shadow.at[i], BS, i * BS) == 0;
		/* Somebody may just have turned it off. Then the block is as it was. */
		if (!ok && errno == ENOMEM && atomic_load(&disturbed))
			ok = zram_pread(shared, shadow.at[i], BS, i * BS) == 0;
	}
	return ok ? NULL : (void *)1;
}

/* What else goes on: it may be refused, and does no harm. */
static void *disturb(void *arg)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)arg;
	for (unsigned n = 0; !atomic_load(&over); n++) {
		(void)zram_attr_set(shared, "writeback", n % 2 == 0 ? "page_indexes=100-300" : "type=huge");
		(void)zram_attr_set(shared, "recompress", "max_pages=50");
		(void)zram_attr_set(shared, "evict", n % 5 == 0 ? "0" : "1");
		(void)zram_attr_set(shared, "evict", "1");
		if (n % 4 == 0)
			(void)zram_save(shared, null);
		(void)zram_attr_set(shared, "compact", "1");
	}
	close(null);
	return NULL;
}

static void many_at_once(void **state)
{
	pthread_t thread[THREADS], other;
	void *failed = NULL, *result;
	char size[32];

	(void)state;
	struct zram *z = shared = device(&(struct made){ .file = 64 << 20, .flags = ZRAM_CHECKSUM });

	set(z, "reset", "1");
	set(z, "backing_dev", path);
	set(z, "mem_limit", LIMIT);
	set(z, "recomp_algorithm", "algo=zstd");
	set(z, "evict", "1");
	snprintf(size, sizeof(size), "%u", BLOCKS * BS);
	set(z, "disksize", size);
	nothing_before();
	atomic_store(&over, false);
	for (unsigned round = 0; round < 2; round++) {
		atomic_store(&disturbed, round == 1);
		if (round == 1)
			assert_int_equal(pthread_create(&other, NULL, disturb, NULL), 0);
		for (uintptr_t i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&thread[i], NULL, use, (void *)i), 0);
		for (unsigned i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(thread[i], &result), 0);
			failed = failed != NULL ? failed : result;
		}
		assert_ptr_equal(failed, NULL);
	}
	atomic_store(&over, true);
	assert_int_equal(pthread_join(other, NULL), 0);
	shadow_compare(&shadow, z);
	done(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_evicts_nothing),
		cmocka_unit_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, name_file, NULL);
}
