/* SPDX-License-Identifier: BSD-3-Clause */
/* packer_store.c - the first pass: read pages, write them to the device, ask it what it made of them. */
#include "packer_store.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "units.h"
#include "worker.h"

/* What the device has for a page that was written. */
static void fill_record(struct packer *packer, uint64_t page, struct page_record *record)
{
	struct zram_block_info info = ZRAM_BLOCK_INFO_INIT;
	/* Can't fail inside the device. */
	(void)zram_get_block_info(packer->device, page * packer->set->page_size, &info);
	record->stored_bytes = (uint32_t)info.stored_bytes;
	record->state = (info.flags & ZRAM_BLOCK_SAME) ? PAGE_SAME_FILLED
			: (info.flags & ZRAM_BLOCK_HUGE) ? PAGE_INCOMPRESSIBLE
							 : PAGE_COMPRESSED;
}

/*
 * Write the pages of a chunk that were read. How many pages of the chunk were done with: all, unless the device
 * failed.
 */
static size_t write_pages(struct worker *worker, const struct chunk *chunk, size_t pages)
{
	struct packer *packer = worker->pass->packer;
	size_t page_size = packer->set->page_size, i = 0;
	uint64_t start = now_ns();

	for (; i < pages; i++) {
		if (!worker->good[i])
			continue;
		if (zram_pwrite(packer->device, worker->input + i * page_size, page_size,
				(chunk->first_page + i) * page_size) != 0)
			break;
	}
	worker->busy_ns += now_ns() - start;
	if (i < pages) {
		snprintf(worker->why, sizeof(worker->why), "%s", zram_strerror());
		atomic_store(&worker->pass->failed, true);
	}
	return i;
}

static void store_chunk(struct worker *worker, const struct chunk *chunk)
{
	struct packer *packer = worker->pass->packer;
	struct page_set *set = packer->set;
	struct page_record *records = packer->records + chunk->first_page;
	size_t pages = chunk_pages(set, chunk), lost = 0;

	page_set_read(set, chunk, worker->input, worker->good);
	for (size_t i = 0; i < pages; i++) {
		if (worker->good[i])
			records[i].hash = XXH3_64bits(worker->input + i * set->page_size, set->page_size);
		else
			lost++;
	}
	size_t written = write_pages(worker, chunk, pages);

	for (size_t i = 0; i < written; i++) {
		if (worker->good[i])
			fill_record(packer, chunk->first_page + i, &records[i]);
		worker->pages[records[i].state]++;
		worker->compressed_bytes += records[i].stored_bytes;
	}
	if (lost)
		atomic_fetch_add(&set->inputs[chunk->input].lost_pages, lost);
}

void worker_store(void *arg)
{
	struct worker *worker = arg;
	for (struct chunk chunk; worker_next_chunk(worker, &chunk);) {
		store_chunk(worker, &chunk);
		worker_chunk_done(worker, &chunk);
	}
}
