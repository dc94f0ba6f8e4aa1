/* SPDX-License-Identifier: BSD-3-Clause */
/* worker.c - chunks go to whichever thread is free, in order. */
#include "worker.h"

#include <stdlib.h>

#include "interrupt.h"

bool worker_next_chunk(struct worker *worker, struct chunk *chunk)
{
	struct pass *pass = worker->pass;
	const struct page_set *set = pass->packer->set;
	if (interrupted() || atomic_load_explicit(&pass->failed, memory_order_relaxed))
		return false;
	uint64_t i = atomic_fetch_add_explicit(&pass->next_chunk, 1, memory_order_relaxed);
	if (i >= set->chunk_count)
		return false;
	*chunk = page_set_chunk(set, i);
	return true;
}

void worker_chunk_done(struct worker *worker, const struct chunk *chunk)
{
	atomic_fetch_add_explicit(&worker->pass->done_bytes, chunk->bytes, memory_order_relaxed);
}

bool worker_init(struct worker *worker, const struct packer *packer)
{
	enum { ALIGN = 4096 }; /* so that direct reads and whole-page copies are at their best */
	size_t chunk_bytes = packer->set->chunk_bytes;
	worker->input = aligned_alloc(ALIGN, chunk_bytes);
	worker->output = aligned_alloc(ALIGN, chunk_bytes);
	worker->good = calloc(chunk_bytes / packer->set->page_size, sizeof(*worker->good));
	worker->restored = calloc(chunk_bytes / packer->set->page_size, sizeof(*worker->restored));
	return worker->input != NULL && worker->output != NULL && worker->good != NULL && worker->restored != NULL;
}

void worker_destroy(struct worker *worker)
{
	free(worker->input);
	free(worker->output);
	free(worker->good);
	free(worker->restored);
}
