/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.h - what names and inodes take, counted against the limit that the data have too.
 *
 * The device holds itself to a mem_limit. What is allocated here is not the device's, so its limit is lowered by that,
 * a step at a time:
 *
 *   the device's mem_limit == limit - withheld        held <= withheld, but for what was taken in exchange
 *
 * Before a step is taken the device is asked what it holds: memory that it has can't be withheld from it. A step goes
 * back when two are not needed. Without a limit all of this is only counted.
 *
 * Blocks of files are counted here as well, against the size that the directory was given.
 */
#ifndef ZS_FUSE_MEMORY_H
#define ZS_FUSE_MEMORY_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

#include "lock.h"

struct memory {
	struct zram *z;          /* immutable, as limit and blocks */
	uint64_t limit;          /* bytes for everything; 0: none */
	uint64_t blocks;         /* that files may have in all */
	_Atomic uint64_t held;   /* bytes of names, inodes, maps, as malloc has them */
	_Atomic uint64_t freed;  /* bytes given to free() since the last memory_trim() */
	_Atomic uint64_t used;   /* blocks of files */
	struct lock lock;        /* of withheld, when it changes */
	_Atomic uint64_t withheld;
	_Atomic uint64_t own;      /* of the device, beside its pool, in that hundredth of a second */
	_Atomic uint64_t own_tick;
	sem_t much_freed; /* posted when freed passes what is worth a memory_trim() */
};

/* Who asks. */
enum memory_for {
	MEMORY_NEW,      /* refused at the limit */
	MEMORY_EXCHANGE, /* something as large is freed in a moment: the limit refuses nothing */
};

void memory_init(struct memory *m, struct zram *z, uint64_t limit, uint64_t blocks);

/* malloc() and free(), counted. NULL with ENOSPC: the limit is reached; ENOMEM: the system has no more. */
void *memory_alloc(struct memory *m, size_t bytes, enum memory_for what);
void memory_free(struct memory *m, void *p);

/* Count blocks of files. False with ENOSPC: the directory has its size. */
bool memory_take_blocks(struct memory *m, uint64_t n);
void memory_give_blocks(struct memory *m, uint64_t n);

/* Bytes that the device holds; what is beside its pool as it was a moment ago. */
uint64_t memory_of_device(struct memory *m);

/* Bytes that are left under the limit, for data as they are stored; UINT64_MAX: there is none. */
uint64_t memory_left(struct memory *m);

/* Wait until so much was freed that memory_trim() is worth it, or for memory_wake(). */
void memory_wait(struct memory *m);
void memory_wake(struct memory *m);

/* Give what malloc keeps of freed memory back to the system. */
void memory_trim(struct memory *m);

#endif
