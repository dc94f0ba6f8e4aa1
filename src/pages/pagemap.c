/* SPDX-License-Identifier: BSD-3-Clause */
/* pagemap.c - the hash table of pagemap.h. */
#include "pages/pagemap.h"

#include <errno.h>

#include "base/account.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/os.h"

#define FIRST_CAPACITY 1024u

/* Fibonacci hashing: 2^64 divided by the golden ratio spreads page-aligned addresses over the high bits. */
static uint64_t home_of(const struct zsi_pagemap *map, const void *address)
{
	return ((uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15ull) >> (64 - zsi_log2_floor(map->capacity));
}

static uint64_t table_bytes(uint64_t capacity)
{
	return zsi_round_up(capacity * sizeof(uint32_t), zsi_os_page_bytes());
}

static int resize(struct zsi_pagemap *map, uint64_t capacity, zsi_pagemap_address address_of, const void *space)
{
	struct zsi_pagemap bigger = { .capacity = capacity, .account = map->account };
	uint64_t bytes = table_bytes(capacity);

	if (zsi_charge_metadata(map->account, bytes) != 0)
		return -1;
	bigger.slots = zsi_os.reserve(bytes, 1);
	if (bigger.slots == NULL || zsi_os.commit(bigger.slots, bytes, ZSI_OS_NO_HUGEPAGE) != 0) {
		if (bigger.slots != NULL)
			zsi_os.release(bigger.slots, bytes);
		zsi_uncharge_metadata(map->account, bytes);
		errno = ENOMEM;
		return -1;
	}
	for (uint64_t i = 0; i < map->capacity; i++)
		if (map->slots[i] != 0)
			zsi_pagemap_insert(&bigger, address_of(space, map->slots[i] - 1), map->slots[i] - 1);
	zsi_pagemap_fini(map);
	*map = bigger;
	return 0;
}

int zsi_pagemap_reserve(struct zsi_pagemap *map, zsi_pagemap_address address_of, const void *space)
{
	if (map->capacity == 0)
		return resize(map, FIRST_CAPACITY, address_of, space);
	if ((map->count + 1) * 4 > map->capacity * 3)
		return resize(map, map->capacity * 2, address_of, space);
	return 0;
}

void zsi_pagemap_insert(struct zsi_pagemap *map, const void *address, uint32_t page)
{
	uint64_t mask = map->capacity - 1;
	uint64_t i = home_of(map, address);

	while (map->slots[i] != 0)
		i = (i + 1) & mask;
	map->slots[i] = page + 1;
	map->count++;
}

static uint64_t slot_of(const struct zsi_pagemap *map, const void *address, zsi_pagemap_address address_of,
			const void *space)
{
	if (map->capacity == 0)
		return UINT64_MAX;
	uint64_t mask = map->capacity - 1;

	for (uint64_t i = home_of(map, address); map->slots[i] != 0; i = (i + 1) & mask)
		if (address_of(space, map->slots[i] - 1) == address)
			return i;
	return UINT64_MAX;
}

void zsi_pagemap_remove(struct zsi_pagemap *map, const void *address, zsi_pagemap_address address_of, const void *space)
{
	uint64_t mask = map->capacity - 1;
	uint64_t hole = slot_of(map, address, address_of, space);

	ZSI_ASSERT(hole != UINT64_MAX);
	map->slots[hole] = 0;
	map->count--;
	/* Close the hole: an entry may move back into it unless its home lies behind the hole. */
	for (uint64_t i = (hole + 1) & mask; map->slots[i] != 0; i = (i + 1) & mask) {
		uint64_t home = home_of(map, address_of(space, map->slots[i] - 1));

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			map->slots[hole] = map->slots[i];
			map->slots[i] = 0;
			hole = i;
		}
	}
}

uint32_t zsi_pagemap_find(const struct zsi_pagemap *map, const void *address, zsi_pagemap_address address_of,
			  const void *space)
{
	uint64_t i = slot_of(map, address, address_of, space);

	return i == UINT64_MAX ? UINT32_MAX : map->slots[i] - 1;
}

void zsi_pagemap_fini(struct zsi_pagemap *map)
{
	if (map->slots != NULL) {
		zsi_os.release(map->slots, table_bytes(map->capacity));
		zsi_uncharge_metadata(map->account, table_bytes(map->capacity));
	}
	map->slots = NULL;
	map->capacity = 0;
	map->count = 0;
}
