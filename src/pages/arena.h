/* SPDX-License-Identifier: BSD-3-Clause */
/* arena.h - the built-in backing, called by space.c. Opening makes `chunks` chunks from `chunk` on accessible. */
#ifndef ZSI_PAGES_ARENA_H
#define ZSI_PAGES_ARENA_H

#include <stdint.h>

struct zsi_cuts;
struct zsi_space;

/*
 * The backings' parts, called by space.c. Opening makes `chunks` chunks from `chunk` on accessible.
 */
int zsi_arena_open_chunks(struct zsi_space *s, uint32_t chunk, unsigned chunks);
void zsi_arena_decommit(const struct zsi_space *s, const struct zsi_cuts *cuts);

#endif
