/* SPDX-License-Identifier: BSD-3-Clause */
/* packer.c - the two passes: threads are started, their times and counts added up. */
#include "packer.h"

#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "interrupt.h"
#include "message.h"
#include "packer_check.h"
#include "packer_store.h"
#include "progress.h"
#include "units.h"
#include "worker.h"

enum { TABLE_ENTRY_BYTES = 16 }; /* of zram's table, for each block */

_Static_assert(sizeof(struct page_record) + TABLE_ENTRY_BYTES <= PAGE_RECORD_BYTES, "what a page takes");

bool packer_init(struct packer *packer, struct page_set *set, struct zram *device, unsigned threads)
{
	memset(packer, 0, sizeof(*packer));
	packer->set = set;
	packer->device = device;
	/* More threads than chunks would have nothing to do. */
	packer->threads = threads > set->chunk_count ? (unsigned)set->chunk_count : threads;
	packer->records = calloc(set->pages, sizeof(*packer->records));
	packer->workers = calloc(packer->threads, sizeof(*packer->workers));
	bool good = packer->records != NULL && packer->workers != NULL;
	for (unsigned i = 0; good && i < packer->threads; i++)
		good = worker_init(&packer->workers[i], packer);
	if (!good)
		message("out of memory: %llu pages are too many", (unsigned long long)set->pages);
	return good;
}

void packer_destroy(struct packer *packer)
{
	for (unsigned i = 0; packer->workers != NULL && i < packer->threads; i++)
		worker_destroy(&packer->workers[i]);
	free(packer->workers);
	free(packer->records);
}

struct progress_of {
	const char *what;
	struct pass *pass;
};

static void show_progress(void *arg)
{
	struct progress_of *of = arg;
	const struct page_set *set = of->pass->packer->set;
	progress_draw(of->what, atomic_load(&of->pass->done_bytes), set->pages * set->page_size);
}

/* Run one pass; the busiest thread's time into *ns. False, after a message, when the device failed. */
static bool run_pass(struct packer *packer, struct pass *pass, const char *what, void (*work)(void *), uint64_t *ns)
{
	struct progress_of of = { what, pass };
	for (unsigned i = 0; i < packer->threads; i++) {
		packer->workers[i].pass = pass;
		packer->workers[i].busy_ns = 0;
	}
	struct crew crew = {
		.work = work,
		.workers = packer->workers,
		.worker_bytes = sizeof(*packer->workers),
		.count = packer->threads,
		.tick = show_progress,
		.arg = &of,
	};
	unsigned ran = crew_run(&crew);
	progress_clear();
	if (ran < packer->threads)
		message("only %u of %u threads could be started", ran, packer->threads);
	for (unsigned i = 0; i < packer->threads; i++)
		if (packer->workers[i].busy_ns > *ns)
			*ns = packer->workers[i].busy_ns;
	for (unsigned i = 0; i < packer->threads; i++) {
		if (packer->workers[i].why[0] != '\0') {
			if (packer->limit_bytes)
				message("no more pages can be stored: the store may take %s, so that the machine has memory "
					"left (%s)",
					format_bytes(packer->limit_bytes).s, packer->workers[i].why);
			else
				message("no more pages can be stored: %s", packer->workers[i].why);
			return false;
		}
	}
	return true;
}

bool packer_store(struct packer *packer)
{
	struct pass pass = { .packer = packer };
	bool stored = run_pass(packer, &pass, "storing", worker_store, &packer->store_ns);
	for (unsigned i = 0; i < packer->threads; i++) {
		const struct worker *worker = &packer->workers[i];
		packer->lost += worker->pages[PAGE_LOST];
		packer->same_filled += worker->pages[PAGE_SAME_FILLED];
		packer->incompressible += worker->pages[PAGE_INCOMPRESSIBLE];
		packer->compressed += worker->pages[PAGE_COMPRESSED];
		packer->compressed_bytes += worker->compressed_bytes;
	}
	return stored;
}

/* Name the first page that is not what it was, so that it can be looked at. */
static void report_broken(const struct packer *packer, uint64_t page)
{
	const struct input *input;
	unsigned long long offset = page_set_offset(packer->set, page, &input);
	message("%s not what was stored; the first is at offset %llu of %s",
		format_plural(packer->broken, "page read back is", "pages read back are").s, offset, input->name);
}

bool packer_check(struct packer *packer)
{
	struct pass pass = { .packer = packer, .first_broken = UINT64_MAX };
	bool ran = run_pass(packer, &pass, "reading", worker_check, &packer->read_ns);
	for (unsigned i = 0; i < packer->threads; i++) {
		packer->intact += packer->workers[i].intact;
		packer->broken += packer->workers[i].broken;
	}
	if (packer->broken)
		report_broken(packer, atomic_load(&pass.first_broken));
	return ran;
}
