/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel_view.c - the same sizes put into empty pools with the kernel's geometry. */
#include "kernel_view.h"

#include <errno.h>
#include <string.h>

#include "interrupt.h"
#include "message.h"
#include "options.h"

/* One page as zram would store it. False when there is no memory. */
static bool store_as_kernel(struct zs_pool *pool, const struct page_record *record, size_t page_size,
			    struct kernel_view *view)
{
	size_t size = record->stored_bytes;
	if (size >= zs_huge_class_size(pool)) {
		size = page_size;
		view->incompressible++;
	}
	view->compressed_bytes += size;
	return zs_malloc(pool, size, 0) != 0;
}

bool kernel_view_of(const struct packer *packer, struct kernel_view *view)
{
	const struct page_set *set = packer->set;
	const struct pool_settings settings = { ZS_GEOMETRY_LINUX, set->page_size, KERNEL_CHAIN_SIZE };
	memset(view, 0, sizeof(*view));
	struct zs_pool *pool = pool_settings_create(&settings, "kernel view", ZS_POOL_NO_THREAD_CACHE);
	if (pool == NULL)
		return false;
	bool stored = true;
	uint64_t pages = 0;
	for (uint64_t i = 0; i < set->pages && stored && !interrupted(); i++) {
		const struct page_record *record = &packer->records[i];
		if (record->state == PAGE_LOST)
			continue;
		pages++;
		if (record->state != PAGE_SAME_FILLED)
			stored = store_as_kernel(pool, record, set->page_size, view);
	}
	if (!stored)
		message("no memory to work out what the kernel would hold: %s", strerror(errno));
	view->held_bytes = (uint64_t)zs_get_total_pages(pool) * set->page_size;
	view->table_bytes = pages * KERNEL_ENTRY_BYTES;
	zs_destroy_pool(pool);
	return stored;
}
