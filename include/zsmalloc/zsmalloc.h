/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zsmalloc.h - a dense, compactable allocator for objects of up to one page.
 *
 * The words, which are those of the Linux kernel's zsmalloc:
 *
 *   pool        everything that one user allocates from
 *   page        page_size bytes (4096 to 65536); the unit in which memory is taken and given back
 *   zspage      a chain of 1 to chain_size pages, filled with objects of one size; an object may span two pages
 *   size class  the zspages whose objects have one size
 *   fullness    how many of a zspage's slots are in use, in steps of a tenth
 *   handle      what the caller holds instead of an address, so that objects can be moved
 *   huge class  the class whose objects take a whole page
 *
 * Errors, everywhere: a function that fails returns 0 (a handle, a count), NULL (a pointer) or -1 (an int) and sets
 * errno. A result that is undefined on failure is not written. Nothing prints, exits or aborts, with one exception:
 * memory-safety misuse, see zs_set_misuse_handler().
 *
 * Threads: every function may be called from any thread at any time without registration, except where it says
 * otherwise. Two calls on the same object are the caller's to order, as with plain memory: freeing an object that
 * another thread is reading, or writing one that another thread is reading, is an error of the caller's. Nothing here
 * is async-signal-safe. After fork() the child has a working copy of every pool; a thread must not fork while it holds
 * an object for reading, since fork waits for readers' grace periods to end. The library calls urcu_bp_before_fork()
 * and its counterparts from handlers of its own: a program that uses liburcu-bp too must not call them a second time.
 *
 * Readers run under userspace RCU and never wait. A thread that is between a read_begin and its read_end must not
 * wait for a compaction that runs in another thread: that compaction may be waiting for the reader.
 *
 * Since: 0.1, where nothing else is said.
 */
#ifndef ZSMALLOC_ZSMALLOC_H
#define ZSMALLOC_ZSMALLOC_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The one place where the version is written down for the build; docs, maps and change log are compared with it. */
#define ZS_VERSION_MAJOR 0
#define ZS_VERSION_MINOR 2
#define ZS_VERSION_PATCH 0

/* Every exported function carries this; everything else in the library is hidden. */
#define ZS_API __attribute__((visibility("default")))

/*
 * A handle names an object of one pool. It is opaque; 0 is never valid. It stays the same while the object moves, and
 * it carries a generation, so that a handle used after its object was freed is noticed.
 */
typedef uint64_t zs_handle;

struct zs_pool;

/* How sizes are turned into size classes and zspages. See docs/geometry.md. */
enum zs_geometry {
	ZS_GEOMETRY_DENSE, /* what packs best */
	ZS_GEOMETRY_LINUX, /* the kernel's arithmetic: zs_get_total_pages() is what the kernel would report */
};

/*
 * Where a pool's pages come from, if not from the built-in arena.
 *
 * alloc_page returns ONE page, aligned to the pool's page size, or NULL when there is none: the allocation that needed
 * it then fails with ENOMEM and the pool stays as it was. free_page takes one page back. The pages may lie anywhere.
 * The pool calls both one at a time, from whichever thread allocates, frees or compacts, with a lock of the pool held:
 * they must not call into the same pool. The struct is copied; ctx must live as long as the pool.
 */
struct zs_page_source {
	size_t struct_size; /* sizeof(struct zs_page_source) */
	void *(*alloc_page)(void *ctx);
	void (*free_page)(void *ctx, void *page);
	void *ctx;
};

#define ZS_PAGE_SOURCE_INIT { sizeof(struct zs_page_source), NULL, NULL, NULL }

/* Pool flags, for zs_pool_options.flags. */
#define ZS_POOL_NO_THREAD_CACHE (1u << 0) /* keep no per-thread caches in front of the classes */
#define ZS_POOL_NO_HUGEPAGE (1u << 1)     /* never let the arena use transparent huge pages, whatever the default is */
#define ZS_POOL_MLOCK (1u << 2)           /* lock the arena's pages as they are touched; needs RLIMIT_MEMLOCK */
#define ZS_POOL_HUGEPAGE (1u << 3)        /* ask for transparent huge pages: memory comes in 2 MiB units, so no limit */

/*
 * What zs_create_pool_with() takes. Start from ZS_POOL_OPTIONS_INIT, change what you need: fields added later default
 * to zero.
 */
struct zs_pool_options {
	size_t struct_size;                 /* filled by ZS_POOL_OPTIONS_INIT */
	enum zs_geometry geometry;          /* default ZS_GEOMETRY_DENSE */
	size_t page_size;                   /* bytes, a power of two from 4096 to 65536; 0 = 4096 */
	unsigned chain_size;                /* most pages in one zspage: 1..16 linux, 1..64 dense; 0 = the default */
	uint64_t limit_bytes;               /* hard limit on all the pool holds, metadata included; 0 = none */
	const struct zs_page_source *pages; /* NULL = the built-in arena */
	unsigned flags;                     /* ZS_POOL_* */
	uint64_t numa_nodes;                /* bit n: node n. One bit: prefer that node for the arena's pages; several:
	                                       spread them over these; 0 = as the thread's policy says. Since: 0.2 */
	uint64_t reserve_bytes;             /* most address space to reserve, bytes: zs_least_reserve() or more. 0 =
	                                       four times the machine's memory, or what a lower limit_bytes needs, and no
	                                       more than an eighth of RLIMIT_AS. Since: 0.2 */
};

#define ZS_POOL_OPTIONS_INIT { sizeof(struct zs_pool_options), ZS_GEOMETRY_DENSE, 0, 0, 0, NULL, 0, 0, 0 }

/*
 * Make a pool. name is copied (its first 63 bytes, control characters as '?') and appears in statistics and messages;
 * NULL means "zsmalloc". options NULL means all defaults. With a page source ZS_POOL_MLOCK, ZS_POOL_HUGEPAGE and
 * numa_nodes are out of range: how those pages are held is the source's business. Errors: EINVAL an option is out of
 * range, unknown or contradicts another, or one of numa_nodes is not there; ENOSYS numa_nodes, and the kernel knows no
 * NUMA; ENOMEM no memory, less address space than reserve_bytes (where that is 0, than zs_least_reserve()), or
 * limit_bytes is less than an empty pool needs; EMFILE 16383 pools exist already.
 */
ZS_API struct zs_pool *zs_create_pool(const char *name);
ZS_API struct zs_pool *zs_create_pool_with(const char *name, const struct zs_pool_options *options);

/*
 * Bytes of address space without which no pool of these options (NULL: all defaults) is made: the least reserve_bytes.
 * What reserve_bytes is does not matter. 0 with EINVAL: the options are no pool's. Safe from any thread. Since: 0.2
 */
ZS_API uint64_t zs_least_reserve(const struct zs_pool_options *options);

/*
 * Free the pool and everything in it, live objects too. NULL is a no-op. No other call on the pool may be running and
 * no object may be held for reading or mapped.
 */
ZS_API void zs_destroy_pool(struct zs_pool *pool);

/*
 * Flags of zs_malloc() and zs_malloc_batch(). ZS_NO_COMPACT is for those who would rather evict something than wait: it
 * takes any slot that is large enough, and new memory below the limit, but moves nothing and waits for no reader.
 * ZS_LIMIT_EDQUOT tells the two reasons for a failure apart: EDQUOT, the pool's limit; ENOMEM, the system or the page
 * source has no memory.
 */
#define ZS_NOWAIT (1u << 0) /* only from memory that the pool holds already; else fail at once with ENOMEM */
#define ZS_NO_COMPACT (1u << 1) /* never compact to make room. Since: 0.2 */
#define ZS_LIMIT_EDQUOT (1u << 2) /* errno is EDQUOT, not ENOMEM, where the limit is the reason. Since: 0.2 */
#define ZS_HEADROOM (1u << 3) /* what zs_set_headroom() keeps may be used. Since: 0.2 */

/*
 * Allocate size bytes, 1 to page_size. The contents are undefined; an address read through the handle is a multiple of
 * 8 (but where it is a copy in the caller's buffer). When memory is refused, a free slot of a larger size will do;
 * else, with neither ZS_NOWAIT nor ZS_NO_COMPACT, a bounded compaction is tried where it is worth it, which waits for
 * readers: it is not worth it where there is little to win, or little was freed since the last one. A thread that
 * holds an object for reading gets ENOMEM instead. A cache that is full evicts a value then and tries again; see
 * zsmalloc(3), "A cache at its limit". Errors: EINVAL size is 0 or a flag is unknown; ENOSPC size is above the page
 * size; ENOMEM; EDQUOT with ZS_LIMIT_EDQUOT.
 */
ZS_API zs_handle zs_malloc(struct zs_pool *pool, size_t size, unsigned flags);

/* Free an object. handle 0 is a no-op. Never waits for readers. errno is preserved. */
ZS_API void zs_free(struct zs_pool *pool, zs_handle handle);

/*
 * Allocate n objects of the same size into out. Returns how many were allocated: those are the caller's, in out[0]
 * and following; the rest of out is not written. errno is set, as by zs_malloc(), when it is less than n.
 */
ZS_API size_t zs_malloc_batch(struct zs_pool *pool, size_t size, unsigned flags, zs_handle *out, size_t n);

/* Free n objects of any sizes; zeros among the handles are skipped. errno is preserved. */
ZS_API void zs_free_batch(struct zs_pool *pool, const zs_handle *handles, size_t n);

/*
 * Bytes the object can hold: at least the size it was allocated with, and from then on never less than this. Compaction
 * may make it more.
 */
ZS_API size_t zs_usable_size(struct zs_pool *pool, zs_handle handle);

/*
 * Reading. The pointer stays valid, and its bytes in place, until zs_obj_read_end() on the same thread; any number of
 * objects may be held at once, the same one more than once; compaction goes on meanwhile. A write to the object while
 * it is held may or may not show through the pointer.
 *
 * local_copy (page_size bytes, or NULL) is used only where the object spans two pages that don't lie side by side,
 * which never happens with the built-in arena; the pointer returned is then local_copy.
 * Errors: EINVAL such an object and no local_copy. mem is what read_begin returned.
 */
ZS_API const void *zs_obj_read_begin(struct zs_pool *pool, zs_handle handle, void *local_copy);
ZS_API void zs_obj_read_end(struct zs_pool *pool, zs_handle handle, const void *mem);

/*
 * Reading in place without a copy, in one or two pieces. Returns the number of pieces, 1 or 2, whose lengths add up
 * to len. Held as above until zs_obj_read_iov_end(). Errors: EINVAL len is 0 or above zs_usable_size().
 */
ZS_API int zs_obj_read_iov_begin(struct zs_pool *pool, zs_handle handle, size_t len, struct iovec iov[2]);
ZS_API void zs_obj_read_iov_end(struct zs_pool *pool, zs_handle handle);

/*
 * Copy len bytes from offset on out of the object. Errors: EINVAL they end behind zs_usable_size(): dst is not written.
 * len 0 copies nothing and succeeds. Since: 0.2
 */
ZS_API int zs_obj_read(struct zs_pool *pool, zs_handle handle, size_t offset, void *dst, size_t len);

/*
 * Sections: many reads for the price of one. Between zs_read_begin() and zs_read_end() on the same thread an address
 * stays valid and the object's bytes in place, as between a zs_obj_read_begin() and its end. Sections nest, also with
 * those, and never wait. The thread must not free what it has looked up. Compaction waits for long ones, as for any
 * reader, and calls that wait for readers fail in one (EDEADLK); an allocation in one doesn't compact. Since: 0.2
 */
ZS_API void zs_read_begin(struct zs_pool *pool);
ZS_API void zs_read_end(struct zs_pool *pool);

/*
 * Where an object is, in a section of this thread. Some twenty instructions; that there is a section is checked in
 * builds with assertions alone. NULL: the handle went to the misuse handler, which returned, or EINVAL: the object
 * spans two pages of a caller's source that don't lie side by side. zs_obj_try_address() is for tables that are read
 * without a lock, whose objects may have been freed meanwhile: a handle that is not one of a live object is NULL with
 * ESTALE, and no misuse. What it returns may still be freed by another thread, and its bytes then be another object's:
 * look the handle up again after reading them. Since: 0.2
 */
ZS_API const void *zs_obj_address(struct zs_pool *pool, zs_handle handle);
ZS_API const void *zs_obj_try_address(struct zs_pool *pool, zs_handle handle);

/*
 * Have the first bytes of an object brought near, without waiting for them: for an object that is to be read some
 * objects later. A hint; any handle may be given at any time, in a section or not. Since: 0.2
 */
ZS_API void zs_prefetch(struct zs_pool *pool, zs_handle handle);

/*
 * zs_obj_address() without the call. A program gets a view of a pool, once, and looks objects up in it by itself, in
 * sections of its own: some twelve instructions where the compiler keeps the view in registers. It is valid as long as
 * the pool, in any thread, and may be copied. Handles that were made since are looked up by a call: get a view for each
 * section. What the view can't tell, and every misuse, is a call of zs_obj_address().
 *
 *   handle ^ tag    without its upper 17 bits: the index of the handle's entry, if the handle is one of the pool's
 *   entry           the same upper 17 bits as in the handle while the object lives; below them, 38 bits, where it is,
 *                   in units of 8 bytes from base
 *
 * The layout is that of ZS_VIEW_VERSION, which the program was compiled with. A library that does not have it fills a
 * view in which nothing is within reach: the program works, with a call for each object. Since: 0.2
 */
#define ZS_VIEW_VERSION 1u

struct zs_view {
	struct zs_pool *pool;
	uint64_t tag;
	uint64_t reach;          /* entries that there were, shifted by 16 */
	const uint64_t *entries; /* change at any time */
	const unsigned char *base;
};

ZS_API void zs_get_view(struct zs_pool *pool, unsigned version, struct zs_view *view);

/* By value: a local variable whose address nobody has stays in registers. */
static inline struct zs_view zs_pool_view(struct zs_pool *pool)
{
	struct zs_view view;

	zs_get_view(pool, ZS_VIEW_VERSION, &view);
	return view;
}

static inline const void *zs_view_address(const struct zs_view *view, zs_handle handle)
{
	uint64_t key = (handle ^ view->tag) << 16;

	/* Else compilers make a mask of the two shifts, which takes more. */
	__asm__("" : "+r"(key));
	if (__builtin_expect(key < view->reach, 1)) {
		const uint64_t entry = __atomic_load_n(view->entries + (key >> 16), __ATOMIC_ACQUIRE);

		if (__builtin_expect((entry ^ handle) >> 47 == 0, 1))
			return view->base + (entry << 17 >> 26 << 3);
	}
	return zs_obj_address(view->pool, handle);
}

/*
 * Begin reading n objects, in a section of their own: mem[i] is where the object of handles[i] is, until
 * zs_obj_read_end_batch(). Each one's first bytes are on their way when it returns. local_copies is n * page_size
 * bytes, or NULL: used as local_copy of zs_obj_read_begin(), a page for each object that needs one. -1: nothing is
 * held, no end is due, mem is n times NULL. Errors: EINVAL an object needs a copy, and there are no local_copies.
 * Since: 0.2
 */
ZS_API int zs_obj_read_begin_batch(struct zs_pool *pool, const zs_handle *handles, size_t n, const void **mem,
				   void *local_copies);
ZS_API void zs_obj_read_end_batch(struct zs_pool *pool);

/*
 * Copy len bytes from src to the start of the object. Safe against compaction, which meanwhile leaves the object where
 * it is. Two threads that write to one object at once are the callers' to order, as with plain memory: each byte is
 * then one of the two. Errors: EINVAL len is above zs_usable_size(): nothing is written. len 0 writes nothing and
 * succeeds.
 */
ZS_API int zs_obj_write(struct zs_pool *pool, zs_handle handle, const void *src, size_t len);

/*
 * The same from byte `offset` of the object on. Errors: EINVAL offset + len is above zs_usable_size(): nothing is
 * written. Since: 0.2
 */
ZS_API int zs_obj_write_at(struct zs_pool *pool, zs_handle handle, size_t offset, const void *src, size_t len);

/*
 * The classic pair: a plain address for the object until zs_unmap_object() on the same thread. ZS_MM_RO is a reader:
 * it never waits, and what is written through it is lost or worse. ZS_MM_RW and ZS_MM_WO hold the object as a writer:
 * others who would write, map for writing or free it wait, compaction passes it over. With ZS_MM_WO the contents are
 * undefined until written, all zs_usable_size() bytes of them. Where the object spans two separate pages it is copied
 * in (RO, RW) and out (RW, WO). A thread may have several mappings, but one that waits for a second writer's mapping
 * while holding a first can deadlock with a thread that does it the other way round.
 * Errors: ENOMEM no buffer for a spanning object. EINVAL unknown mode. EDEADLK this thread has it mapped as a writer
 * already, or maps as a writer what it has mapped.
 */
enum zs_mapmode { ZS_MM_RW, ZS_MM_RO, ZS_MM_WO };
ZS_API void *zs_map_object(struct zs_pool *pool, zs_handle handle, enum zs_mapmode mode);
ZS_API void zs_unmap_object(struct zs_pool *pool, zs_handle handle);

/*
 * Move objects out of sparse zspages and give free pages back. Returns the pages freed. Readers never wait and may
 * hold any object meanwhile; objects that are held by a writer are passed over. zs_compact() goes on to the end.
 * zs_compact_budget() stops after about max_bytes_moved bytes or max_ns nanoseconds (0: no such bound) and the next
 * call resumes where it left. Waits for the end of a grace period, so a thread that holds an object for reading can't
 * call it, nor one that is in a read section of its own of liburcu-bp: 0, EDEADLK.
 */
ZS_API unsigned long zs_compact(struct zs_pool *pool);
ZS_API unsigned long zs_compact_budget(struct zs_pool *pool, uint64_t max_bytes_moved, uint64_t max_ns);

/*
 * Give back one page of a caller's page source: the contents of old_page move to new_page (page_size bytes, aligned,
 * the pool's from then on) and old_page is the caller's after a return of 0. Handles and readers are not disturbed.
 * Errors: EINVAL old_page isn't a page of the pool, new_page is one already, is NULL or not aligned; EOPNOTSUPP the
 * pool uses the built-in arena; EBUSY an object on the page is held by a writer; ENOMEM; EDEADLK this thread holds an
 * object for reading.
 */
ZS_API int zs_page_migrate(struct zs_pool *pool, void *new_page, void *old_page);

/*
 * The shrinker. count: pages that compaction could free now. scan: compact until about nr_pages are freed; returns
 * the pages freed.
 */
ZS_API unsigned long zs_shrinker_count(struct zs_pool *pool);
ZS_API unsigned long zs_shrinker_scan(struct zs_pool *pool, unsigned long nr_pages);

/* Flags of zs_shrinker_policy.flags. */
#define ZS_SHRINKER_NO_PSI (1u << 0) /* don't watch for memory pressure */
#define ZS_SHRINKER_STRICT (1u << 1) /* no more than cpu_percent, also where nobody else wants the processor */

/* When and how hard a registered shrinker works. */
struct zs_shrinker_policy {
	size_t struct_size;     /* filled by ZS_SHRINKER_POLICY_INIT */
	unsigned waste_percent; /* of the pages, 1 to 100: work when zs_shrinker_count() is above; 0 = half a percent */
	unsigned cpu_percent;   /* at most this share of a processor others want, over ten seconds, 1 to 100; 0 = 5 */
	unsigned interval_ms;   /* after something was freed, wait this long and look, 1 to 60000; 0 = 100 */
	const char *psi_path;   /* copied; a cgroup's memory.pressure; NULL = "/proc/pressure/memory" */
	unsigned psi_stall_us;  /* memory pressure is when tasks stall for so long, 1 to psi_window_us; 0 = a tenth */
	unsigned psi_window_us; /* within this, 500000 to 10000000; 0 = 1000000 */
	unsigned flags;         /* ZS_SHRINKER_* */
};

#define ZS_SHRINKER_POLICY_INIT { sizeof(struct zs_shrinker_policy), 0, 0, 0, NULL, 0, 0, 0 }

/*
 * Start a thread that compacts in the background under policy (NULL: all defaults). One a pool. It sleeps until
 * something is freed, or until the kernel reports memory pressure: then it compacts whatever can be freed, the waste
 * threshold notwithstanding. A second thread watches for pressure; where the file can't be opened or is refused by the
 * kernel there is none, see pressure_armed in struct zs_pool_stats. A process without CAP_SYS_RESOURCE gets a window of
 * a multiple of 2 s, with a stall in proportion, where the kernel refuses the one asked for.
 *
 * The share is that of a processor which somebody else wants. Where nobody does, and objects are not freed all the
 * time, the thread goes on until the memory is back, unless ZS_SHRINKER_STRICT is set.
 *
 * The threads have all signals blocked, and a child after fork() has them too, started anew when it first frees. The
 * one that watches has no file descriptor in common with the program. Errors: EINVAL policy out of range; EEXIST one
 * is registered; ENOMEM; or what pthread_create() says. Unregistering stops and joins them; without one, a no-op. The
 * thread may be waiting for readers, so one who holds an object for reading can't unregister it or destroy the pool.
 */
ZS_API int zs_register_shrinker(struct zs_pool *pool, const struct zs_shrinker_policy *policy);
ZS_API void zs_unregister_shrinker(struct zs_pool *pool);

/* The smallest size that is stored in a page of its own: from here on compressing has saved nothing. */
ZS_API size_t zs_huge_class_size(struct zs_pool *pool);

/*
 * Index of the size class for an object of size bytes (clamped to 1..page_size): equal for sizes that share a class.
 * With ZS_GEOMETRY_DENSE a single object may lie in a slightly larger class, where that spares a page.
 */
ZS_API unsigned int zs_lookup_class_index(struct zs_pool *pool, size_t size);

/* Pages held for objects. ZS_GEOMETRY_LINUX: all pages of every zspage, as in the kernel; DENSE: the ones in use. */
ZS_API unsigned long zs_get_total_pages(struct zs_pool *pool);

/* Everything the pool holds, bytes: as bytes_total of zs_pool_stats(), without visiting the classes. */
ZS_API uint64_t zs_get_total_bytes(struct zs_pool *pool);

/*
 * Change limit_bytes; 0: none. Below what the pool holds now: nothing is taken away, and memory is refused until enough
 * was freed. Errors: EINVAL a limit on a pool with ZS_POOL_HUGEPAGE.
 */
ZS_API int zs_set_limit(struct zs_pool *pool, uint64_t limit_bytes);

/*
 * Keep so many bytes below limit_bytes for allocations with ZS_HEADROOM: memory is refused to all others when they are
 * all that is left. So one that replaces an object finds room where new objects do not. 0, as at first: none. Without
 * a limit it means nothing. Any thread, at any time. Since: 0.2
 */
ZS_API void zs_set_headroom(struct zs_pool *pool, uint64_t bytes);

/* One size class: what it is made of, and what is in it now. */
struct zs_class_info {
	size_t struct_size;        /* filled by ZS_CLASS_INFO_INIT */
	unsigned index;            /* as zs_lookup_class_index() */
	unsigned size;             /* bytes of one slot */
	unsigned min_request;      /* smallest and largest zs_malloc() size that the class serves, bytes */
	unsigned max_request;      /*                                                                    */
	unsigned pages_per_zspage; /* pages */
	unsigned objs_per_zspage;  /* slots */
	unsigned long zspages;     /* zspages now */
	unsigned long obj_allocated; /* slots in them */
	unsigned long obj_used;      /* slots in use */
	unsigned long pages_used;    /* pages held */
	unsigned long freeable_pages; /* pages compaction could free */
	uint64_t bytes_requested;     /* the sizes asked for, added up */
};

#define ZS_CLASS_INFO_INIT { sizeof(struct zs_class_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/*
 * The class with the smallest index that is at least index. To walk the table: start with 0, go on with info->index
 * + 1 until it fails with ENOENT. Errors: ENOENT no class that high; EINVAL struct_size.
 */
ZS_API int zs_get_class_info(struct zs_pool *pool, unsigned index, struct zs_class_info *info);

struct zs_pool_stats {
	size_t struct_size;            /* filled by ZS_POOL_STATS_INIT; later versions fill no more than it says */
	unsigned long pages_compacted; /* pages freed by compaction so far */
	unsigned long obj_allocated;   /* slots in all zspages */
	unsigned long obj_used;        /* live objects */
	unsigned long pages_used;      /* as zs_get_total_pages() */
	unsigned long freeable_pages;  /* as zs_shrinker_count() */
	uint64_t bytes_requested;      /* the sizes of the live objects, as asked for, added up */
	uint64_t bytes_total;          /* everything the pool holds, metadata and pages kept for reuse included */
	uint64_t bytes_metadata;       /* descriptors, slot words, handle table, the pool itself */
	uint64_t limit_bytes;          /* as set; 0 = none */
	unsigned long zspages;         /* zspages now */
	unsigned long objs_moved;      /* objects moved by compaction so far */
	unsigned long limit_hits;      /* requests for memory that the limit refused; one allocation may make several */
	unsigned long pressure_events; /* reports of memory pressure that the shrinker got so far */
	unsigned long shrinker_runs;   /* slices of compaction that the shrinker has done so far */
	unsigned long pressure_armed;  /* 1: a shrinker is registered and the kernel reports memory pressure to it */
	unsigned long limit_refusals;  /* allocations that failed because of the limit. Since: 0.2, as the next */
	unsigned long other_refusals;  /* allocations that failed because the system or the page source had no memory */
};

#define ZS_POOL_STATS_INIT { sizeof(struct zs_pool_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/*
 * Fill stats as far as stats->struct_size reaches; 0 counts as the struct of version 0.1. The numbers of one class
 * agree with each other.
 */
ZS_API void zs_pool_stats(struct zs_pool *pool, struct zs_pool_stats *stats);

enum zs_stats_format {
	ZS_STATS_CLASSES,        /* the kernel's table since 6.4: one column for each tenth of fullness */
	ZS_STATS_CLASSES_LEGACY, /* the kernel's table before that: almost_full, almost_empty */
	ZS_STATS_JSON,           /* one object: the pool's numbers and an array of classes */
	ZS_STATS_PROMETHEUS,     /* the text exposition format, version 0.0.4 */
};

/* Print statistics. Errors: EINVAL unknown format; what the stream says when writing fails. */
ZS_API int zs_stats_print(struct zs_pool *pool, FILE *out, enum zs_stats_format format);

/*
 * Walk every structure of the pool and compare all counts. 0, or -1 with EUCLEAN when something does not add up: the
 * pool's memory was overwritten. May run beside all other calls; it stops allocation while it walks.
 */
ZS_API int zs_pool_validate(struct zs_pool *pool);

/*
 * Memory-safety misuse: a call got a handle that is not one of a live object of its pool. It is detected, in every
 * build, as far as the handle's generation allows: a stale handle is mistaken for a live one only after its table
 * entry was reused 65,536 times.
 */
enum zs_misuse_reason {
	ZS_MISUSE_DOUBLE_FREE,  /* zs_free() of an object that was freed and whose handle was not reused since */
	ZS_MISUSE_STALE,        /* the object was freed earlier */
	ZS_MISUSE_FORGED,       /* no pool ever gave out such a handle */
	ZS_MISUSE_FOREIGN,      /* a handle of another pool that exists */
	ZS_MISUSE_MAPPED,       /* zs_free() of what this thread has mapped, zs_obj_write() of what it maps to write */
	ZS_MISUSE_NOT_MAPPED,   /* zs_unmap_object() of an object that this thread has not mapped */
	ZS_MISUSE_NOT_HELD,     /* zs_obj_read_end() in a thread that holds nothing for reading */
	ZS_MISUSE_HELD,         /* zs_free() of what this thread began to read outside of all else. Since: 0.2 */
};

struct zs_misuse {
	const char *call; /* the public function, "zs_free" */
	enum zs_misuse_reason reason;
	zs_handle handle;
	const char *pool_name;
	const char *message; /* one line without newline: "zsmalloc: zs_free: double free (handle 0x..., pool NAME)" */
};

typedef void (*zs_misuse_fn)(const struct zs_misuse *misuse, void *arg);

/*
 * Set the process-wide handler and its argument; NULL restores the default, which writes the message and a newline to
 * standard error and aborts. Returns the previous handler (NULL: the default). A handler that returns makes the call
 * fail without effect, with EINVAL where it returns a value. It may be called from several threads at once, and must
 * not call into the pool. Set it before threads start.
 */
ZS_API zs_misuse_fn zs_set_misuse_handler(zs_misuse_fn fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif
