/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h - a pool and its size classes; the calls between the files of this folder.
 *
 * Who does what: alloc.c and borrow.c give out slots and free.c takes them back, room.c makes room where there is none, cache.c keeps some for each thread, class.c keeps a
 * class's lists, access.c reads and writes, map.c is the classic pair, move.c, compact.c and batch.c move objects, migrate.c
 * moves pages, shrink.c compacts in the background and pressure.c tells it when memory is short, stats.c and print.c
 * count, validate.c checks, misuse.c diagnoses, fork.c and registry.c know all pools.
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
#ifndef ZSI_ZSMALLOC_POOL_H
#define ZSI_ZSMALLOC_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "base/account.h"
#include "base/lock.h"
#include "pages/meta.h"
#include "pages/space.h"
#include "pages/words.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/room.h"
#include "pool/zspage.h"

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
 * A compaction batch: zspages of several classes. Outlives a slice, and a fork that happens in the middle of one: whoever
 * compacts next ends it. The lists are threaded through zsi_zspage.next. Changed under pool->compact_lock and the lock of
 * the class of the zspage in question: so who has the first, or all of the others, may read it.
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

/* What happened since the background thread last looked: bits of zsi_shrinker.bell. */
#define ZSI_BELL_STOP 1u     /* both threads end; stays until they are started again */
#define ZSI_BELL_PRESSURE 2u /* the kernel reported memory pressure */
#define ZSI_BELL_FREED 4u    /* objects were freed while the thread was idle */

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
	/* Immutable after create; the first lines are all a reader needs. */
	struct zsi_space space;
	struct zsi_handles handles;
	char name[ZSI_NAME_BYTES];
	uint32_t cookie;
	unsigned flags;
	bool lazy_pages;     /* a zspage gets pages as its slots are used, not all at first */
	bool cached;         /* threads have caches */
	uint32_t most_slack; /* how much larger than asked for a borrowed slot may be, bytes; 0: nothing is borrowed */
	size_t self_bytes;   /* of the pool's own mapping */
	struct zsi_class *classes; /* nr_classes of them, as geometry.classes */
	uint16_t *lookup;          /* zsi_lookup_entries() of them */

	struct zsi_account account;
	struct zsi_meta meta;
	struct zsi_words words;
	_Alignas(ZSI_CACHE_LINE) _Atomic uint64_t pages; /* atomic, changed under class locks */
	_Atomic uint64_t pages_compacted;
	_Atomic uint64_t objs_moved;

	_Atomic uint64_t cache_granted; /* bytes that caches may hold now */
	_Atomic uint32_t cache_holders; /* caches that want to hold any */
	struct zsi_cache *caches;       /* through pool_next; Guarded by the caches' lock */

	/*
	 * Bit: the class had plenty of free slots when a zspage of it last changed its group. A hint, so that the others
	 * need not be locked to see that they have not.
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

/* --- class.c: lists and slots. The caller holds the class's lock. --- */

/* Put a zspage at the head of the list of its fullness group; take it out of its list. */
void zsi_class_list_locked(struct zs_pool *pool, struct zsi_zspage *z);
void zsi_class_unlist_locked(struct zs_pool *pool, struct zsi_zspage *z);

/* Count the zspage under the group of its inuse; move it between lists where it is listed. */
void zsi_class_regroup_locked(struct zs_pool *pool, struct zsi_zspage *z);

/* Whether the class has more free slots, on pages that it has, than its partly filled page explains. */
bool zsi_class_has_plenty_locked(const struct zs_pool *pool, unsigned position);

/* The first class from `position` on that seems to have; nr_classes: none. No lock is needed. */
unsigned zsi_next_lender(const struct zs_pool *pool, unsigned position);

/* First zspage of the highest (or lowest) group between 1 and 10 that has one; NULL: none. */
struct zsi_zspage *zsi_class_fullest_locked(struct zs_pool *pool, unsigned position);
struct zsi_zspage *zsi_class_sparsest_locked(struct zs_pool *pool, unsigned position);

/* A slot of z, its pages present; ZSI_NO_SLOT with ENOMEM. Its word is for the caller to set; inuse is counted. */
unsigned zsi_slot_take_locked(struct zs_pool *pool, struct zsi_zspage *z);

/* Back to the free list, out of use or out of limbo. inuse and limbo are the caller's to count. */
void zsi_slot_give_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned slot);

/* Make the free list anew from the slot words, the lowest slot first. */
void zsi_zspage_relist_slots_locked(struct zs_pool *pool, struct zsi_zspage *z);

/*
 * Make a zspage without limbo slots tidy, where pages come as slots are used: its free list is made anew, the
 * slots behind the last one in use count as never used, and the pages behind it are noted in cuts, which has room for one
 * more: until they were given back no slot of the zspage may be given out. Returns the pages.
 */
unsigned zsi_zspage_trim_locked(struct zs_pool *pool, struct zsi_zspage *z, struct zsi_cuts *cuts);

/*
 * Move the arrays of slot words of the class's zspages that lie at `target` or above to free memory below it. Some at a
 * time: true when there may be more to move.
 */
bool zsi_class_lower_words_locked(struct zs_pool *pool, unsigned position, uint32_t target);

/* Add a new zspage to, and remove an empty one from, the class's counts. */
void zsi_class_add_locked(struct zs_pool *pool, struct zsi_zspage *z);
void zsi_class_remove_locked(struct zs_pool *pool, struct zsi_zspage *z);

/* Pages that compacting the class could free, after it got back `cached` objects from caches. */
uint64_t zsi_class_freeable_locked(const struct zs_pool *pool, unsigned position, uint64_t cached);

/* A zspage with no slot in use, in no class yet; NULL with ENOMEM. No class lock is held. */
struct zsi_zspage *zsi_zspage_create(struct zs_pool *pool, unsigned position);

/*
 * Give a zspage's memory back. It is in no list and no count. The first leaves the pages with the space, which has to be
 * purged sooner or later; a caller's go back at once. No class lock is held, but where the pages are the arena's it may be.
 */
void zsi_zspage_free(struct zs_pool *pool, struct zsi_zspage *z);
void zsi_zspage_release(struct zs_pool *pool, struct zsi_zspage *z);

/* --- alloc.c and free.c --- */

/* A zspage of the class with a free slot that costs nothing: its page is there, and its slot word. NULL: none at hand. */
struct zsi_zspage *zsi_class_costless_locked(struct zs_pool *pool, unsigned position);

/* The zspage to allocate from: the fullest, but rather one that needs no new page. NULL: all are full. */
struct zsi_zspage *zsi_class_pick_locked(struct zs_pool *pool, unsigned position);

/* Whether the next slot of z would need a page that isn't there. */
bool zsi_needs_page(const struct zs_pool *pool, const struct zsi_zspage *z);

/* Turn a slot that was taken into the object of entry `index`. */
zs_handle zsi_slot_publish_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned slot, uint32_t index,
				  size_t size);

/* A slot of the class for a cache: its entry retired and locked. ZSI_NO_INDEX where one would cost anything. */
uint32_t zsi_slot_reserve_locked(struct zs_pool *pool, unsigned position);

/*
 * Take back the slot of a retired entry, and the entry. A zspage that is empty then is the caller's: it is pushed to
 * *released, which goes to zsi_zspages_release() once the class's lock is dropped.
 */
void zsi_slot_return_locked(struct zs_pool *pool, uint32_t index, struct zsi_zspage **released);
void zsi_zspages_release(struct zs_pool *pool, struct zsi_zspage *list);

/* --- borrow.c --- */

/*
 * A slot of a larger class that needs no new page and is worth taking, in the name of entry `index`; 0: none. The lock of
 * the object's own class is held.
 */
zs_handle zsi_borrow_locked(struct zs_pool *pool, unsigned position, uint32_t index, size_t size);

/*
 * Where memory is short: the smallest slot that is large enough, and not too large to hold the object, of the thread's own
 * cache, if there is one, or of any class. 0: none. The caller holds no lock.
 */
struct zsi_cache;
zs_handle zsi_borrow_any(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, size_t size);

/* --- access.c --- */

/* The entry of a handle if it is one of a live object of the pool, else 0 (a live entry's generation is odd). */
static inline uint64_t zsi_entry_look_up(const struct zs_pool *pool, zs_handle handle)
{
	const struct zsi_handles *h = &pool->handles;
	uint32_t index = zsi_handle_index(handle);

	/* acquire: pairs with the release in grow_locked(), so that the entry is there */
	if (((handle ^ h->tag) & ZSI_TAG_MASK) != 0 || index >= atomic_load_explicit(&h->bound, memory_order_acquire))
		return 0;
	/* acquire: pairs with zsi_handle_publish() and zsi_entry_unlock(), so that moved bytes are seen */
	uint64_t entry = atomic_load_explicit(&h->entries[index], memory_order_acquire);

	return ((entry ^ handle) & ZSI_GENERATION_MASK) == 0 ? entry : 0;
}

/*
 * Take the entry lock of a handle, waiting for whoever has it. Returns the entry without the lock bit, or 0 after the
 * misuse handler was called in the name of `call`.
 */
uint64_t zsi_entry_lock(struct zs_pool *pool, zs_handle handle, const char *call);

/* --- map.c --- */

/* What this thread has mapped, of all pools; NULL: nothing. */
extern _Thread_local struct zsi_mapping *zsi_mappings;

/* Whether this thread has the object mapped, in any mode or as a writer. */
bool zsi_mapped_here(const struct zs_pool *pool, zs_handle handle, bool as_writer);

/* --- move.c --- */

enum zsi_moved {
	ZSI_MOVED,
	ZSI_MOVE_HELD,      /* a writer or a cache holds the object, or its slack would not fit: it stays */
	ZSI_MOVE_NO_MEMORY, /* dst has no slot whose page is there, and no page was to be had */
};

/*
 * Move the object in slot `from` of src to a slot of dst: to slot `to`, which is free, or to one that dst gives where
 * that is ZSI_NO_SLOT. Counts inuse and limbo of src, not what dst gains in the first case. dst may be of a larger class,
 * whose lock is held too; the object then counts as one of that class.
 */
enum zsi_moved zsi_object_move_locked(struct zs_pool *pool, struct zsi_zspage *src, unsigned from,
				      struct zsi_zspage *dst, unsigned to);

/* --- fold.c --- */

/*
 * Move the objects of the class's last, partly filled page into free slots of slightly larger classes, if all of them fit
 * there. Returns the zspage that was emptied of them, isolated, with its old places in limbo; NULL: none. The bytes moved
 * are added to *bytes.
 */
struct zsi_zspage *zsi_class_fold_locked(struct zs_pool *pool, unsigned position, uint64_t *bytes);

/* --- batch.c --- */

/* Put a zspage at the head of a list of the batch. */
void zsi_batch_push(struct zs_pool *pool, uint32_t *list, struct zsi_zspage *z);

/* The pair that is worked on waits for the batch's end. The lock of its class is held. */
void zsi_batch_set_aside_pair(struct zs_pool *pool);

/* End a batch, this process's or one that a fork cut short. The caller holds compact_lock and no class's lock. */
void zsi_compact_end_batch(struct zs_pool *pool);

/* --- compact.c --- */

struct zsi_compact_budget {
	uint64_t bytes;       /* still to move */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX: none */
	uint64_t pages;       /* still to free */
	bool skip_little;  /* classes that have less to free than the others are passed over */
	bool brief;        /* each class once, and nothing is folded: what there is no time for */
	bool keep_caches;  /* those of the threads are not emptied */
	bool keep_reserve; /* what the space keeps for reuse stays: more is to be done soon, or others go on allocating */
};

/* Empty the caches, take compact_lock, compact within the budget. Pages freed. */
unsigned long zsi_compact(struct zs_pool *pool, struct zsi_compact_budget *budget);

/* Compact within the budget. The caller holds compact_lock and is in no read section. Returns pages freed. */
uint64_t zsi_compact_locked(struct zs_pool *pool, struct zsi_compact_budget *budget);

/* What a whole compaction ends with: give back memory of slot words. False: the time was not enough, and more is to do. */
bool zsi_compact_words(struct zs_pool *pool, uint64_t deadline_ns);

/* --- shrink.c --- */

/* Set bits of the bell and wake who sleeps. */
void zsi_shrinker_ring(struct zs_pool *pool, uint32_t bits);

/* Sleep until one of the bits is set or ns have passed (UINT64_MAX: without end). Returns which of them are set. */
uint32_t zsi_shrinker_wait(struct zs_pool *pool, uint32_t bits, uint64_t ns);

/* Wake the thread out of its idle sleep, once a sleep. */
void zsi_shrinker_wake_idle(struct zs_pool *pool);

/* In a child after fork: the threads are gone. And: start them again, if they were lost. */
void zsi_shrinker_reset_after_fork(struct zs_pool *pool);
void zsi_shrinker_revive(struct zs_pool *pool);

/* Under the lock of a class in which slots became free, or may have: there may be waste to look for. */
static inline void zsi_shrinker_notice(struct zs_pool *pool)
{
	if (zsi_unlikely(atomic_load_explicit(&pool->shrinker.idle, memory_order_relaxed) != 0))
		zsi_shrinker_wake_idle(pool);
}

/* --- pressure.c: the thread that watches. The caller holds the shrinker's lock. --- */

/* Start it, where the policy wants it. And: wait until it is known whether pressure will be reported. */
void zsi_pressure_start_locked(struct zs_pool *pool);
void zsi_pressure_wait_locked(struct zs_pool *pool);

/* End it. ZSI_BELL_STOP has been rung. */
void zsi_pressure_stop_locked(struct zs_pool *pool);

/* --- registry.c --- */

/*
 * A cookie that no existing pool has, and how many pools there are besides: 0, or -1 with EMFILE. And back. Then: add a
 * pool to the list of all, or take it out.
 */
int zsi_registry_cookie(uint32_t *cookie, uint32_t *others);
void zsi_registry_cookie_release(uint32_t cookie);
void zsi_registry_add(struct zs_pool *pool);
void zsi_registry_remove(struct zs_pool *pool);
bool zsi_registry_has_cookie(uint32_t cookie);

/* fork.c's: all pools, with the list locked. */
void zsi_registry_lock(void);
void zsi_registry_unlock(void);
struct zs_pool *zsi_registry_first(void);
void zsi_registry_reset_after_fork(void);

/* --- fork.c --- */

/* Make sure the process's fork handlers are there. 0, or an errno value. */
int zsi_fork_handlers(void);

/* The child's only thread keeps what it had mapped: map.c tells whether an entry is locked by it. */
bool zsi_mapped_index_here(const struct zs_pool *pool, uint32_t index);

static inline const struct zsi_size_class *zsi_size_class(const struct zs_pool *pool, const struct zsi_zspage *z)
{
	return &pool->geometry.classes[z->class_position];
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
