/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arena.c - the built-in backing: address space reserved once, made accessible a few chunks at a time, given memory by
 * the kernel a page at a time when it is touched.
 */
#include <errno.h>

#include "base/os.h"
#include "pages/arena.h"
#include "pages/layout.h"

int zsi_arena_open_chunks(struct zsi_space *s, uint32_t chunk, unsigned chunks)
{
	uint64_t bytes = (uint64_t)ZSI_CHUNK_PAGES << s->page_shift;

	if (zsi_os.commit(s->base + chunk * bytes, chunks * bytes, s->hints) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}

void zsi_arena_decommit(const struct zsi_space *s, const struct zsi_cuts *cuts)
{
	struct iovec ranges[ZSI_CUTS];

	for (unsigned i = 0; i < cuts->n; i++)
		ranges[i] = (struct iovec){
			.iov_base = s->base + ((uint64_t)cuts->cut[i].page << s->page_shift),
			.iov_len = (size_t)cuts->cut[i].pages << s->page_shift,
		};
	if (cuts->n > 0)
		zsi_os.decommit(ranges, cuts->n, s->hints);
}
