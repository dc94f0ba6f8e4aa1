/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.h - what a device holds beside its pool, and the limit on both together. */
#ifndef ZSI_DEVICE_MEMORY_H
#define ZSI_DEVICE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct zram;

/*
 * 0, or -1 with ENOMEM and nothing charged. Where the limit refuses it, the pool is compacted first, which waits for
 * readers: the caller holds no lock that one of them may want, that is none of the table's, and not z->lock but for a
 * device that nobody else knows.
 */
int zsi_memory_charge(struct zram *z, uint64_t bytes);
/* The same for the table, which may use the reserve. */
int zsi_memory_charge_reserve(struct zram *z, uint64_t bytes);
/* The same without making room, for what can be done without: a refusal is none that counts. */
bool zsi_memory_try_charge(struct zram *z, uint64_t bytes);
/*
 * Between begin and end charges are not refused, so that it shows what a device needs. check compares: 0, or -1 with
 * ENOMEM where some blocks more would be over mem_limit. z->lock is held.
 */
void zsi_memory_begin_locked(struct zram *z);

void zsi_memory_end_locked(struct zram *z);
void zsi_memory_uncharge(struct zram *z, uint64_t bytes);
/* Change mem_limit: 0 or -1 with EINVAL. z->lock is held. */
int zsi_memory_set_limit_locked(struct zram *z, uint64_t bytes);
/* Whether there is a mem_limit, for messages. */
bool zsi_memory_limited(struct zram *z);
/* The lower one of mem_limit and the pool's own; 0: none. */
uint64_t zsi_memory_limit(struct zram *z);
/* What is kept below the limit for what is there: bytes; 0 where there is no limit. */
uint64_t zsi_memory_reserve(struct zram *z);
/*
 * Whether so much is left below the limit, after room was made for it. The caller holds a stream; readers are waited
 * for.
 */
bool zsi_memory_leaves(struct zram *z, uint64_t spare);

/* What the pool may hold now; 0 = no limit. memory.lock is held, or nobody else is there. */
uint64_t zsi_memory_pool_limit(struct zram *z);

/* What the device holds now goes into max_bytes, which is returned. */
uint64_t zsi_memory_note_most(struct zram *z);

/* The least limit that leaves so many bytes beside its reserve. */
uint64_t zsi_memory_with_reserve(const struct zram *z, uint64_t bytes);

#endif
