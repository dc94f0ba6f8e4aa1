/* SPDX-License-Identifier: BSD-3-Clause */
/* cuts.c - noting; purge.c gives back what was noted. */
#include "pages/cuts.h"

#include "base/assert.h"
#include "pages/layout.h"

bool zsi_cuts_add(struct zsi_cuts *cuts, uint32_t page, unsigned pages)
{
	struct zsi_cut *last = cuts->n > 0 ? &cuts->cut[cuts->n - 1] : NULL;

	ZSI_ASSERT(pages > 0);
	if (last != NULL && last->page + last->pages == page &&
	    last->page >> ZSI_CHUNK_SHIFT == page >> ZSI_CHUNK_SHIFT)
		last->pages += pages;
	else if (cuts->n < ZSI_CUTS)
		cuts->cut[cuts->n++] = (struct zsi_cut){ .page = page, .pages = pages };
	else
		return false;
	cuts->pages += pages;
	return true;
}
