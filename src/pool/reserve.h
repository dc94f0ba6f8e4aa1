/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reserve.h - how much address space a pool reserves, and how much of it is for pages.
 *
 * Of a linear space of n bytes (source: of its page pointers) the rest follows:
 *
 *   reserved <= n, or n / page_size * 8 + n / 16 descriptors + n / 16 slot words and their map + n / 8 handle entries
 *               + n / 32 sizes + the table of chunks + what alignment takes
 *
 * An object of 8 bytes needs 20 with its entry and word, so memory runs out before any of these does.
 */
#ifndef ZSI_POOL_RESERVE_H
#define ZSI_POOL_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of linear space for one handle entry and for one byte of metadata. */
#define ZSI_SPACE_PER_HANDLE 64u
#define ZSI_SPACE_PER_META 16u

struct zsi_reserve {
	uint64_t page_size;
	uint64_t limit_bytes; /* of the pool; 0: none */
	bool source;          /* the pages are the caller's: only their addresses take address space */
};

/* What a pool with so much linear space reserves at most. */
uint64_t zsi_reserve_bytes(const struct zsi_reserve *r, uint64_t space_bytes);

/* The least linear space, and the most that `bytes` are enough for; 0: they are not enough for the least. */
uint64_t zsi_reserve_least_space(const struct zsi_reserve *r);
uint64_t zsi_reserve_space_in(const struct zsi_reserve *r, uint64_t bytes);

/* The linear space of a pool that is not told what to reserve, beside so many others. */
uint64_t zsi_reserve_default_space(const struct zsi_reserve *r, uint32_t others);

#endif
