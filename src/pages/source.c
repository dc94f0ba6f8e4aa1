/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source.c - the backing that asks the caller for single pages, which may lie anywhere.
 *
 * All functions are called with the space's lock held: the caller's callbacks run one at a time.
 */
#include <errno.h>

#include "base/account.h"
#include "base/lock.h"
#include "base/os.h"
#include "pages/layout.h"
#include "pages/pagemap.h"
#include "pages/source.h"

static void *address_of(const void *space, uint32_t page)
{
	const struct zsi_space *s = space;

	return atomic_load_explicit(&s->table[page], memory_order_relaxed);
}

int zsi_source_open_chunks(struct zsi_space *s, uint32_t chunk, unsigned chunks)
{
	size_t bytes = (size_t)chunks * ZSI_CHUNK_PAGES * sizeof(*s->table);

	if (zsi_charge_metadata(s->account, bytes) != 0)
		return -1;
	if (zsi_os.commit(&s->table[(size_t)chunk * ZSI_CHUNK_PAGES], bytes, ZSI_OS_NO_HUGEPAGE) == 0)
		return 0;
	zsi_uncharge_metadata(s->account, bytes);
	errno = ENOMEM;
	return -1;
}

static int commit_one(struct zsi_space *s, uint32_t page)
{
	size_t page_size = zsi_space_page_size(s);

	if (zsi_pagemap_reserve(&s->map, address_of, s) != 0 || zsi_charge(s->account, page_size) != 0)
		return -1;
	void *address = s->source.alloc_page(s->source.ctx);

	if (address != NULL && ((uintptr_t)address & (page_size - 1)) == 0) {
		/* release: pairs with the acquire in zsi_space_page() */
		atomic_store_explicit(&s->table[page], address, memory_order_release);
		zsi_pagemap_insert(&s->map, address, page);
		s->pages_in_runs++;
		return 0;
	}
	/* A page that is not aligned is no page: back with it. */
	if (address != NULL)
		s->source.free_page(s->source.ctx, address);
	zsi_uncharge(s->account, page_size);
	errno = ENOMEM;
	return -1;
}

int zsi_source_commit(struct zsi_space *s, uint32_t first, unsigned present, unsigned want)
{
	for (unsigned i = present; i < want; i++) {
		if (commit_one(s, first + i) != 0) {
			zsi_source_decommit(s, first + present, i - present);
			errno = ENOMEM;
			return -1;
		}
	}
	return 0;
}

void zsi_source_decommit(struct zsi_space *s, uint32_t first, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++) {
		void *address = address_of(s, first + i);

		zsi_pagemap_remove(&s->map, address, address_of, s);
		atomic_store_explicit(&s->table[first + i], NULL, memory_order_relaxed);
		s->source.free_page(s->source.ctx, address);
		s->pages_in_runs--;
		zsi_uncharge(s->account, zsi_space_page_size(s));
	}
}

uint32_t zsi_source_find(struct zsi_space *s, const void *address, void (*look)(const void *record, void *arg),
			void *arg)
{
	uint32_t page = ZSI_NO_PAGE;

	if (s->table == NULL)
		return ZSI_NO_PAGE;
	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	page = zsi_pagemap_find(&s->map, address, address_of, s);
	if (page != ZSI_NO_PAGE)
		look(zsi_space_record(s, page), arg);
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
	return page;
}

int zsi_source_replace(struct zsi_space *s, uint32_t page, void *new_page)
{
	int result = -1;

	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	if (zsi_pagemap_find(&s->map, new_page, address_of, s) != UINT32_MAX) {
		errno = EINVAL;
	} else {
		/* The map never grows here: one entry goes, one comes. */
		zsi_pagemap_remove(&s->map, address_of(s, page), address_of, s);
		/* release: pairs with the acquire in zsi_space_page() */
		atomic_store_explicit(&s->table[page], new_page, memory_order_release);
		zsi_pagemap_insert(&s->map, new_page, page);
		result = 0;
	}
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
	return result;
}
