/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packer_check.c - the second pass: read every page back and compare.
 *
 * Files are read again and compared byte for byte. Where the bytes differ, or can't be read again, the hash of what
 * was read the first time tells whether the file changed or the store lost something. Memory of a live process changes
 * all the time, so there it is the hash that is compared.
 */
#include "packer_check.h"

#include <string.h>
#include <xxhash.h>

#include "units.h"
#include "worker.h"

static void note_broken(struct worker *worker, uint64_t page)
{
	unsigned long long first = atomic_load(&worker->pass->first_broken);
	while (page < first && !atomic_compare_exchange_weak(&worker->pass->first_broken, &first, page))
		;
	worker->broken++;
}

/* Compare worker->output, where the pages came back to, with the input. */
static void compare_chunk(struct worker *worker, const struct chunk *chunk)
{
	struct page_set *set = worker->pass->packer->set;
	struct input *input = &set->inputs[chunk->input];
	const struct page_record *records = worker->pass->packer->records + chunk->first_page;
	size_t pages = chunk_pages(set, chunk), changed = 0;
	bool again = input->kind == INPUT_FILE;

	if (again)
		page_set_read(set, chunk, worker->input, worker->good);
	for (size_t i = 0; i < pages; i++) {
		const char *page = worker->output + i * set->page_size;
		if (records[i].state == PAGE_LOST)
			continue;
		bool equal = worker->restored[i] && again && worker->good[i] &&
			     memcmp(page, worker->input + i * set->page_size, set->page_size) == 0;
		if (!equal && (!worker->restored[i] || XXH3_64bits(page, set->page_size) != records[i].hash)) {
			note_broken(worker, chunk->first_page + i);
			continue;
		}
		worker->intact++;
		changed += again && !equal;
	}
	if (changed)
		atomic_fetch_add(&input->changed_pages, changed);
}

static void check_chunk(struct worker *worker, const struct chunk *chunk)
{
	struct packer *packer = worker->pass->packer;
	const struct page_record *records = packer->records + chunk->first_page;
	size_t pages = chunk_pages(packer->set, chunk), page_size = packer->set->page_size;

	uint64_t start = now_ns();
	for (size_t i = 0; i < pages; i++)
		if (records[i].state != PAGE_LOST)
			worker->restored[i] = zram_pread(packer->device, worker->output + i * page_size, page_size,
							 (chunk->first_page + i) * page_size) == 0;
	worker->busy_ns += now_ns() - start;
	compare_chunk(worker, chunk);
}

void worker_check(void *arg)
{
	struct worker *worker = arg;
	for (struct chunk chunk; worker_next_chunk(worker, &chunk);) {
		check_chunk(worker, &chunk);
		worker_chunk_done(worker, &chunk);
	}
}
