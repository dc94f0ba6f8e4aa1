/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.h - the allocator under test, always behind the zpool front so that all have the same callers:
 *
 *   dense    this library, default options
 *   linux    this library, the kernel's geometry
 *   malloc   the process's malloc(): glibc's, or that of a library that was preloaded
 *
 * The first two are drivers of this file's own, because the front has no call for compaction.
 */
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zpool.h>

struct store {
	struct zpool *front;
	struct zs_pool *pool; /* NULL with malloc */
};

/* Register the drivers; once. */
void store_setup(void);

/* The program ends with a message when the type is unknown or the pool can't be made. */
struct store store_create(const char *type);

/* The caller's objects must have been freed. */
void store_destroy(struct store *s);

/* Have the pool compact itself in the background, with at most that share of a processor. Not with malloc. */
void store_shrink(struct store *s, unsigned cpu_percent);

/*
 * Give back to the system what no object needs: zs_compact(), or what the malloc() in use offers for it. Returns the
 * name of what was called, "none" where there is nothing.
 */
const char *store_release(struct store *s);

/* What the pool says it holds, everything and of that the metadata; 0 with malloc. */
void store_held_bytes(const struct store *s, uint64_t *all, uint64_t *metadata);

#endif
