/* SPDX-License-Identifier: BSD-3-Clause */
/* packer_store.c - the first pass: read pages, compress them, put them into the pool. */
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "units.h"
#include "worker.h"

/* Whether all machine words of a page are equal: then it equals itself moved by one word. */
static bool same_filled(const char *page, size_t page_size, uint64_t *word)
{
	const size_t step = sizeof(unsigned long);
	if (memcmp(page, page + step, page_size - step) != 0)
		return false;
	memcpy(word, page, sizeof(*word));
	return true;
}

/* Store one page and fill in its record. 0, or errno. */
static int store_page(struct worker *worker, const char *page, struct page_record *record)
{
	struct packer *packer = worker->pass->packer;
	size_t page_size = packer->set->page_size;
	if (same_filled(page, page_size, &record->word)) {
		record->state = PAGE_SAME_FILLED;
		return 0;
	}
	size_t len = packer->codec->compress(worker->codec, page, page_size, worker->scratch, worker->scratch_bytes);
	bool huge = len == 0 || len >= worker->pass->huge_size;
	size_t stored = huge ? page_size : len;
	zs_handle handle = zs_malloc(packer->pool, stored, 0);
	if (!handle)
		return errno;
	record->handle = handle;
	record->compressed_length = (uint32_t)(len ? len : page_size);
	record->state = huge ? PAGE_INCOMPRESSIBLE : PAGE_COMPRESSED;
	if (zs_obj_write(packer->pool, handle, huge ? page : worker->scratch, stored) != 0)
		return errno;
	worker->compressed_bytes += stored;
	return 0;
}

static void store_chunk(struct worker *worker, const struct chunk *chunk)
{
	struct packer *packer = worker->pass->packer;
	struct page_set *set = packer->set;
	struct page_record *records = packer->records + chunk->first_page;
	size_t pages = chunk_pages(set, chunk), lost = 0;
	int error = 0;

	page_set_read(set, chunk, worker->input, worker->good);
	for (size_t i = 0; i < pages; i++) {
		if (worker->good[i])
			records[i].hash = XXH3_64bits(worker->input + i * set->page_size, set->page_size);
		else
			lost++;
	}
	uint64_t start = now_ns();
	for (size_t i = 0; i < pages && error == 0; i++)
		if (worker->good[i])
			error = store_page(worker, worker->input + i * set->page_size, &records[i]);
	worker->busy_ns += now_ns() - start;

	for (size_t i = 0; i < pages; i++)
		worker->pages[records[i].state]++;
	if (lost)
		atomic_fetch_add(&set->inputs[chunk->input].lost_pages, lost);
	if (error)
		atomic_store(&worker->pass->error, error);
}

void worker_store(void *arg)
{
	struct worker *worker = arg;
	for (const struct chunk *chunk; (chunk = worker_next_chunk(worker)) != NULL;) {
		store_chunk(worker, chunk);
		worker_chunk_done(worker, chunk);
	}
}
