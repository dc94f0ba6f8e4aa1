/* SPDX-License-Identifier: BSD-3-Clause */
/* account_test.c - charges are refused at the limit, exactly, and also by several threads at once. */
#include "unit.h"

#include <pthread.h>

#include "base/account.h"

static void exact(void **state)
{
	struct zsi_account a = { .limit = 100 };

	(void)state;
	assert_int_equal(zsi_charge(&a, 60), 0);
	assert_int_equal(zsi_charge_metadata(&a, 40), 0);
	errno = 0;
	assert_int_equal(zsi_charge(&a, 1), -1);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(zsi_charge_metadata(&a, UINT64_MAX), -1);
	assert_int_equal(a.used, 100);
	assert_int_equal(a.metadata, 40);
	assert_int_equal(a.hits, 2);
	zsi_uncharge_metadata(&a, 40);
	zsi_uncharge(&a, 60);
	assert_int_equal(a.used, 0);
	assert_int_equal(a.metadata, 0);
}

static void without_limit(void **state)
{
	struct zsi_account a = { 0 };

	(void)state;
	assert_int_equal(zsi_charge(&a, 1ull << 50), 0);
	assert_int_equal(zsi_charge(&a, 1ull << 50), 0);
	assert_int_equal(a.hits, 0);
}

static struct zsi_account shared = { .limit = 10 };

static void *hammer(void *over)
{
	for (int i = 0; i < 100000; i++) {
		if (zsi_charge(&shared, 3) != 0)
			continue;
		if (atomic_load(&shared.used) > shared.limit)
			*(int *)over = 1;
		zsi_uncharge(&shared, 3);
	}
	return NULL;
}

static void together(void **state)
{
	pthread_t t[4];
	int over[4] = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, &over[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(over[i], 0);
	}
	assert_int_equal(shared.used, 0);
}

/* The last bytes are for those only who may use them. */
static void headroom(void **state)
{
	struct zsi_account a = { .limit = 100, .headroom = 30 };

	(void)state;
	assert_int_equal(zsi_charge(&a, 70), 0);
	assert_int_equal(zsi_charge(&a, 1), -1);
	zsi_charge_headroom = true;
	assert_int_equal(zsi_charge(&a, 30), 0);
	assert_int_equal(zsi_charge(&a, 1), -1);
	zsi_charge_headroom = false;
	zsi_uncharge(&a, 40);
	assert_int_equal(zsi_charge(&a, 10), 0);
	assert_int_equal(zsi_charge(&a, 1), -1);
	/* More than the limit: nothing for the others. Without a limit it means nothing. */
	a.headroom = 1000;
	zsi_uncharge(&a, 70);
	assert_int_equal(zsi_charge(&a, 2), -1);
	a.limit = 0;
	assert_int_equal(zsi_charge(&a, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact),
		cmocka_unit_test(headroom),
		cmocka_unit_test(without_limit),
		cmocka_unit_test(together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
