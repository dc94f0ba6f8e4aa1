/* SPDX-License-Identifier: BSD-3-Clause */
/* chunk.h - what space.c, purge.c and space_validate.c know of a chunk, and nobody else. */
#ifndef ZSI_PAGES_CHUNK_H
#define ZSI_PAGES_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "pages/layout.h"

/* What the space notes in the record of a free run. */
struct zsi_free_run {
	uint32_t resident; /* pages; not 0 only where the dirty bit is set */
};

static inline struct zsi_free_run *zsi_chunk_note(const struct zsi_space *s, const struct zsi_chunk *c, uint32_t run)
{
	return zsi_chunk_record(s, c, run);
}

static inline uint32_t zsi_chunk_number(const struct zsi_space *s, const struct zsi_chunk *c)
{
	return (uint32_t)(c - s->chunks);
}

static inline uint32_t zsi_run_first_page(const struct zsi_space *s, const struct zsi_chunk *c, uint32_t run)
{
	return zsi_chunk_number(s, c) * ZSI_CHUNK_PAGES + run * c->run_pages;
}

/* The lists of chunks that have room for another run. The space's lock is held. */
static inline void zsi_roomy_push(struct zsi_space *s, struct zsi_chunk *c)
{
	uint32_t *head = &s->roomy[c->run_pages];
	uint32_t self = zsi_chunk_number(s, c) + 1;

	c->prev = 0;
	c->next = *head;
	if (*head != 0)
		s->chunks[*head - 1].prev = self;
	*head = self;
}

static inline void zsi_roomy_remove(struct zsi_space *s, struct zsi_chunk *c)
{
	if (c->prev != 0)
		s->chunks[c->prev - 1].next = c->next;
	else
		s->roomy[c->run_pages] = c->next;
	if (c->next != 0)
		s->chunks[c->next - 1].prev = c->prev;
	c->next = c->prev = 0;
}

static inline bool zsi_chunk_listed(const struct zsi_space *s, const struct zsi_chunk *c)
{
	return c->prev != 0 || s->roomy[c->run_pages] == zsi_chunk_number(s, c) + 1;
}

static inline bool zsi_chunk_has_room(const struct zsi_chunk *c)
{
	return c->nfree > 0 || c->fresh < c->runs;
}

#endif
