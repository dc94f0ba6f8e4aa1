/* SPDX-License-Identifier: BSD-3-Clause */
/* chunk.h - what space.c and space_validate.c know of a chunk, and nobody else. */
#ifndef ZSI_PAGES_CHUNK_H
#define ZSI_PAGES_CHUNK_H

#include "pages/space.h"

/* What the space notes in the record of a free run. */
struct zsi_free_run {
	uint32_t resident; /* pages; not 0 only where the dirty bit is set */
};

static inline struct zsi_free_run *zsi_chunk_note(const struct zsi_space *s, const struct zsi_chunk *c, uint32_t run)
{
	return zsi_chunk_record(s, c, run);
}

static inline bool zsi_map_get(const uint64_t *map, uint32_t i)
{
	return map[i / 64] >> (i % 64) & 1;
}

static inline bool zsi_chunk_has_room(const struct zsi_chunk *c)
{
	return c->nfree > 0 || c->fresh < c->runs;
}

#endif
