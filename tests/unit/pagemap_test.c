/* SPDX-License-Identifier: BSD-3-Clause */
/* pagemap_test.c - the map from addresses to page numbers, against a plain array. */
#include "unit.h"

#include <system_page.h>

#include "base/account.h"
#include "pages/pagemap.h"

#define PAGES 5000u

static void *addresses[PAGES]; /* by page number; NULL: not in the map */
static struct zsi_account account;

static void *address_of(const void *space, uint32_t page)
{
	assert_ptr_equal(space, addresses);
	return addresses[page];
}

static uint32_t find(const struct zsi_pagemap *map, const void *address)
{
	return zsi_pagemap_find(map, address, address_of, addresses);
}

static void insert(struct zsi_pagemap *map, uint32_t page, uintptr_t address)
{
	assert_int_equal(zsi_pagemap_reserve(map, address_of, addresses), 0);
	addresses[page] = (void *)address;
	zsi_pagemap_insert(map, addresses[page], page);
}

static void delete (struct zsi_pagemap *map, uint32_t page)
{
	zsi_pagemap_remove(map, addresses[page], address_of, addresses);
	addresses[page] = NULL;
}

/* Random inserts and removals; addresses close together, so that probes run long. */
static void random_operations(void **state)
{
	struct zsi_pagemap map = { .account = &account };
	uint64_t seed = 42;

	(void)state;
	assert_int_equal(find(&map, (void *)4096), UINT32_MAX);
	for (unsigned step = 0; step < 200000; step++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		uint32_t page = (uint32_t)(seed >> 33) % PAGES;

		if (addresses[page] == NULL)
			insert(&map, page, ((uintptr_t)page * 3 + 1) << 12);
		else
			delete (&map, page);
		if (step % 1000 == 0) {
			uint64_t count = 0;

			for (uint32_t p = 0; p < PAGES; p++) {
				uint32_t want = addresses[p] != NULL ? p : UINT32_MAX;

				assert_int_equal(find(&map, (void *)(((uintptr_t)p * 3 + 1) << 12)), want);
				count += addresses[p] != NULL;
			}
			assert_int_equal(map.count, count);
		}
	}
	zsi_pagemap_fini(&map);
	assert_int_equal(account.used, 0);
	memset(addresses, 0, sizeof(addresses));
}

static void growth_is_refused_cleanly(void **state)
{
	struct zsi_pagemap map = { .account = &account };
	uint32_t n = 0;

	(void)state;
	account.limit = in_system_pages(1024 * sizeof(uint32_t));
	while (zsi_pagemap_reserve(&map, address_of, addresses) == 0) {
		insert(&map, n, (uintptr_t)(n + 1) << 12);
		n++;
	}
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(n, 768);
	for (uint32_t p = 0; p < n; p++)
		assert_int_equal(find(&map, addresses[p]), p);
	zsi_pagemap_fini(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations),
		cmocka_unit_test(growth_is_refused_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
