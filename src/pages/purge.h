/* SPDX-License-Identifier: BSD-3-Clause */
/* purge.h - giving back the pages of free runs. */
#ifndef ZSI_PAGES_PURGE_H
#define ZSI_PAGES_PURGE_H

#include <stdint.h>

struct zsi_cuts;
struct zsi_space;

/*
 * purge.c's: give back resident pages of free runs until no more than `keep` are left, at most about `most`. Returns
 * how many. The space's lock is held, and dropped for the system calls.
 */
uint64_t zsi_purge_dirty_locked(struct zsi_space *s, uint64_t keep, uint64_t most);

void zsi_purge_cuts(struct zsi_space *s, struct zsi_cuts *cuts);
void zsi_purge_settle(struct zsi_space *s, struct zsi_cuts *cuts);

/*
 * Take the space's lock, without its rank, when nobody is giving pages back: they would be lost to a child that is
 * forked. The caller holds nothing that those who do could wait for.
 */
void zsi_purge_lock_at_rest(struct zsi_space *s);

#endif
