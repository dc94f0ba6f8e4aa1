/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pagemap.h - which linear page a caller's page is: from an address to a page number.
 *
 * Only pools with a page source of the caller's have one, for zs_page_migrate(). Open addressing with linear probing
 * over 32-bit page numbers; the address a number stands for is looked up in the space's page table, so that an entry
 * costs four bytes. Between a quarter and three quarters full. Guarded by the space's lock.
 */
#ifndef ZSI_PAGES_PAGEMAP_H
#define ZSI_PAGES_PAGEMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/account.h"

struct zsi_pagemap {
	uint32_t *slots;   /* page number + 1; 0: empty */
	uint64_t capacity; /* slots, a power of two; 0 before the first insert */
	uint64_t count;
	struct zsi_account *account;
};

/* Tells the address of a page that is in the map. */
typedef void *(*zsi_pagemap_address)(const void *space, uint32_t page);

/* Room for one more entry: 0, or -1 with ENOMEM and nothing changed. */
int zsi_pagemap_reserve(struct zsi_pagemap *map, zsi_pagemap_address address_of, const void *space);

/* address is not in the map, and there is room. */
void zsi_pagemap_insert(struct zsi_pagemap *map, const void *address, uint32_t page);

/* The entry of address is there; address_of still answers for every page in the map. */
void zsi_pagemap_remove(struct zsi_pagemap *map, const void *address, zsi_pagemap_address address_of,
			const void *space);

/* The page at address, or UINT32_MAX. */
uint32_t zsi_pagemap_find(const struct zsi_pagemap *map, const void *address, zsi_pagemap_address address_of,
			  const void *space);

void zsi_pagemap_fini(struct zsi_pagemap *map);

#endif
