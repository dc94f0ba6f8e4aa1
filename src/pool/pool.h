/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h - a pool and its size classes: the structs of all that work on it, and the way from one to
 * another. docs/internals.md says which file does what.
 *
 * Counts of a class, all guarded by its lock:
 *
 *   counts[g] = zspages of fullness group g, listed or isolated, not yet released
 *   zspages   = sum of counts
 *   used      = sum of inuse: live objects, and those in caches
 *   requested = sum of the sizes the live objects were asked for with, but for what caches add (cache.h)
 *   pages     = sum of present          pool->pages = sum over classes of pages
 *
 * Lock order (base/lock.h has the ranks, docs/locking.md the matrix): compact -> entry bit -> class -> source -> meta.
 * Compaction never waits for an entry bit: it tries.
 */
#ifndef ZSI_POOL_POOL_H
#define ZSI_POOL_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "base/account.h"
#include "base/bits.h"
#include "base/lock.h"
#include "pages/layout.h"
#include "pages/meta.h"
#include "pages/words.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/room.h"
#include "pool/zspage.h"

struct zsi_cache;

#define ZSI_NAME_BYTES 64u

struct zsi_class {
	struct zsi_lock lock;
	uint32_t zspages;                /* Guarded by lock, as all that follows */
	uint32_t heads[ZSI_GROUPS - 1];  /* first zspage of group g at [g - 1]; metadata references */
	uint32_t counts[ZSI_GROUPS - 1]; /* of group g at [g - 1]; an empty zspage is released, so 0 has none */
	uint64_t used;
	uint64_t requested; /* bytes */
	uint64_t pages;
	uint16_t nonempty; /* bit g: heads[g - 1] is not 0 */
	uint8_t unused_[6];
};

_Static_assert(sizeof(struct zsi_class) == 128, "two cache lines");

/*
 * A compaction batch: zspages of several classes. Outlives a slice, and a fork that happens in the middle of one:
 * whoever compacts next ends it. The lists are threaded through zsi_zspage.next. Changed under pool->compact_lock and
 * the lock of the class of the zspage in question: so who has the first, or all of the others, may read it.
 */
struct zsi_compact_batch {
	unsigned position; /* of the class that dst and src belong to */
	uint32_t dst;      /* isolated, being filled; 0 = none */
	uint32_t src;      /* isolated, being emptied; 0 = none */
	uint32_t emptied;  /* isolated, nothing live left: released after the grace period */
	uint32_t passed;   /* isolated, with objects that a writer holds */
	uint32_t cut;      /* isolated, the pages behind their last objects are in cuts */
	unsigned src_done; /* slots of src that were looked at */
	uint64_t bytes;    /* moved since the last grace period */
	uint64_t trimmed;  /* pages given back from inside zspages, not reported yet */
	uint64_t grown;    /* pages that destinations took, not reported yet */
	struct zsi_cuts cuts;
};

/* Values of zsi_shrinker.watch. */
enum { ZSI_WATCH_OFF, ZSI_WATCH_STARTING, ZSI_WATCH_ARMED };

/* Values of zsi_shrinker.idle. Whoever frees makes it BUSY, and wakes an IDLE thread. */
enum {
	ZSI_SHRINKER_BUSY,
	ZSI_SHRINKER_IDLE, /* it sleeps without end */
	ZSI_SHRINKER_NAPS, /* it wants to know whether anybody frees */
};

/* The background threads. Guarded by lock, but for what is atomic. */
struct zsi_shrinker {
	struct zsi_lock lock;
	bool registered;
	bool running;  /* its thread exists in this process */
	bool watching; /* and the one that watches for pressure, which may have ended, but was not joined */
	struct zs_shrinker_policy policy; /* psi_path is ours: from malloc(), until unregistered */
	pthread_t thread;
	pthread_t watcher;
	_Atomic uint32_t bell;  /* a futex: ZSI_BELL_ bits; a thread sleeps while it has none that it waits for */
	_Atomic uint32_t watch; /* a futex: whether pressure is reported */
	_Atomic bool lost;      /* the threads did not survive a fork */
	_Atomic uint64_t runs;  /* slices of compaction, since the pool was made, as the following */
	_Atomic uint64_t pressure_events;
	_Atomic uint64_t wakeups;
	/* ZSI_SHRINKER_ what the thread does. On a line of its own: every malloc and free reads it. */
	_Alignas(ZSI_CACHE_LINE) _Atomic uint32_t idle;
};

struct zs_pool {
	/*
	 * Immutable after create; the lines after the name are all a reader needs. First, probes take the pool for it.
	 */
	char name[ZSI_NAME_BYTES];
	struct zsi_space space;
	struct zsi_handles handles;
	uint32_t cookie;
	unsigned flags;
	uint64_t page_size;  /* as geometry.page_size */
	bool lazy_pages;     /* a zspage gets pages as its slots are used, not all at first */
	bool cached;         /* threads have caches */
	uint32_t most_slack; /* how much larger than asked for a borrowed slot may be, bytes; 0: nothing is borrowed */
	size_t self_bytes;   /* of the pool's own mapping */
	struct zsi_class *classes; /* nr_classes of them, as geometry.classes */
	uint16_t *lookup;          /* zsi_lookup_entries() of them: positions of classes, << ZSI_LOOKUP_SCALE */

	struct zsi_account account;
	struct zsi_meta meta;
	struct zsi_words words;
	_Alignas(ZSI_CACHE_LINE) _Atomic uint64_t pages; /* atomic, changed under class locks */
	_Atomic uint64_t pages_compacted;
	_Atomic uint64_t objs_moved;

	_Atomic uint64_t cache_granted; /* bytes that caches may hold now */
	_Atomic uint32_t cache_holders; /* caches that want to hold any */
	struct zsi_cache *caches;       /* through pool_next; Guarded by the caches' lock, and by announcers */
	struct zsi_lock announcers;     /* rank META */
	_Atomic uint32_t twice;         /* index + 1 of an object that was freed twice, as a cache found; 0: none */

	/*
	 * Bit: the class had plenty of free slots when a zspage of it last changed its group. A hint, so that the
	 * others need not be locked to see that they have not.
	 */
	_Atomic uint64_t lenders[ZSI_MAX_CLASSES / 64];

	struct zsi_lock compact_lock; /* rank COMPACT */
	struct zsi_compact_batch batch;
	unsigned compact_cursor; /* class to go on with; Guarded by compact_lock */
	struct zsi_shrinker shrinker;
	struct zsi_room room;

	struct zs_pool *registry_next; /* Guarded by the registry's lock */
	struct zsi_geometry geometry;  /* immutable after create */
};

/*
 * Where memory is short: the smallest slot that is large enough, and not too large to hold the object, of the thread's
 * own cache, if there is one, or of any class. 0: none. The caller holds no lock.
 */
struct zsi_cache;

static inline const struct zsi_size_class *zsi_size_class(const struct zs_pool *pool, const struct zsi_zspage *z)
{
	return &pool->geometry.classes[z->class_position];
}

/* The position of the class for requests of size bytes, 1..page_size. */
static inline unsigned zsi_position_for(const struct zs_pool *pool, size_t size)
{
	return pool->lookup[zsi_lookup_entry(size)] >> ZSI_LOOKUP_SCALE;
}

/* For probes, which take an array for its bytes. */
static inline const char *zsi_pool_name(const struct zs_pool *pool)
{
	return pool->name;
}

static inline struct zsi_class *zsi_class_of(const struct zs_pool *pool, const struct zsi_zspage *z)
{
	return &pool->classes[z->class_position];
}

static inline struct zsi_zspage *zsi_zspage_ptr(const struct zs_pool *pool, uint32_t ref)
{
	return ref == 0 ? NULL : zsi_meta_ptr(&pool->meta, ref);
}

static inline uint32_t zsi_zspage_ref(const struct zs_pool *pool, const struct zsi_zspage *z)
{
	return zsi_meta_ref(&pool->meta, z);
}

#endif
