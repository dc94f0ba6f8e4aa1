/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * section.c - many reads for the price of one.
 *
 *   section    from zs_read_begin() to zs_read_end(): a read section of RCU, which nests
 *   address    where an object is for the time of a section: an entry, and the arena's base; nothing is written
 *   prefetch   asking for a line of memory without waiting for it. Of an entry first, then of the object it names
 *
 * What makes this faster than a begin and an end for each object is instructions. Touching one byte of a random object
 * is two misses, and a processor has as many of them under way as its window of instructions holds; so the usual paths
 * call nothing and need no stack. What is rare is in functions that are not inlined.
 */
#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/bits.h"
#include "base/rcu.h"
#include "pages/layout.h"
#include "pool/announce.h"
#include "pool/entry.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/misuse.h"
#include "pool/pool.h"
#include "zsmalloc/scattered.h"

/* How many objects ahead a batch asks for an entry: enough for a miss that goes to memory. */
#define ENTRIES_AHEAD 12u

/* Lines of an object that are asked for. The processor's own prefetcher goes on from there. */
#define OBJECT_LINES 2u

/* Of whatever handle: where nothing is, asking does no harm. */
static inline void prefetch_entry(const struct zs_pool *pool, zs_handle handle)
{
	__builtin_prefetch(&pool->handles.entries[zsi_handle_index(handle)]);
}

static inline void prefetch_object(const uint8_t *mem)
{
	for (unsigned i = 0; i < OBJECT_LINES; i++)
		__builtin_prefetch(mem + i * ZSI_CACHE_LINE);
}

/* --- sections --- */

__attribute__((noinline)) static void begin_first(void)
{
	zsi_rcu_read_lock();
}

void zs_read_begin(struct zs_pool *pool)
{
	(void)pool;
	/* Nothing that was read before is any sign from here on. */
	zsi_current.reading = 0;
	if (zsi_unlikely(!zsi_rcu_registered())) {
		begin_first();
		return;
	}
	zsi_rcu_read_lock();
}

/* One that was never begun would make every later grace period wait forever. */
static inline void end(struct zs_pool *pool, const char *call)
{
	if (zsi_unlikely(!zsi_rcu_read_ongoing())) {
		zsi_misuse(pool, 0, call, ZS_MISUSE_NOT_HELD);
		return;
	}
	zsi_rcu_read_unlock();
}

void zs_read_end(struct zs_pool *pool)
{
	end(pool, "zs_read_end");
}

/* --- addresses --- */

/* Whether the caller is in no section. Looked at with assertions on only: it would cost as much as the rest. */
static inline bool outside(void)
{
#if ZSI_ASSERT_LEVEL >= 1
	return !zsi_rcu_read_ongoing();
#else
	return false;
#endif
}

/* Every case. Not inlined, so that the usual one needs no stack. */
__attribute__((noinline)) static const void *address(struct zs_pool *pool, zs_handle handle)
{
	if (outside()) {
		zsi_misuse(pool, handle, "zs_obj_address", ZS_MISUSE_NOT_HELD);
		return NULL;
	}
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (entry == 0) {
		zsi_misuse_handle(pool, handle, "zs_obj_address");
		return NULL;
	}
	return zsi_read_scattered(pool, entry, NULL);
}

const void *zs_obj_address(struct zs_pool *pool, zs_handle handle)
{
	uint64_t entry = zsi_entry_look_up_flat(pool, handle);

	if (zsi_unlikely(entry == 0 || outside()))
		return address(pool, handle);
	return pool->space.base + zsi_entry_offset(entry);
}

__attribute__((noinline)) static const void *try_address(struct zs_pool *pool, zs_handle handle)
{
	if (outside()) {
		zsi_misuse(pool, handle, "zs_obj_try_address", ZS_MISUSE_NOT_HELD);
		return NULL;
	}
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (entry == 0) {
		errno = ESTALE;
		return NULL;
	}
	return zsi_read_scattered(pool, entry, NULL);
}

const void *zs_obj_try_address(struct zs_pool *pool, zs_handle handle)
{
	uint64_t entry = zsi_entry_look_up_flat(pool, handle);

	if (zsi_unlikely(entry == 0 || outside()))
		return try_address(pool, handle);
	return pool->space.base + zsi_entry_offset(entry);
}

/* How zs_view_address() takes a handle and an entry apart. */
#define VIEW_KEY_SHIFT 16

void zs_get_view(struct zs_pool *pool, unsigned version, struct zs_view *view)
{
	const struct zsi_handles *h = &pool->handles;
	const void *entries = h->entries;
	/* acquire: pairs with the release in grow_locked(), so that the entries are there */
	uint64_t reach = (uint64_t)atomic_load_explicit(&h->bound, memory_order_acquire) << VIEW_KEY_SHIFT;

	*view = (struct zs_view){
		.pool = pool,
		.tag = h->tag,
		.reach = version == ZS_VIEW_VERSION && pool->space.base != NULL ? reach : 0,
		.entries = entries,
		.base = pool->space.base,
	};
}

_Static_assert(VIEW_KEY_SHIFT == 63 - ZSI_GENERATION_SHIFT && ZSI_GENERATION_SHIFT == 47 && ZSI_LOCATION_BITS == 38 &&
		       ZSI_LOCATION_SHIFT == 64 - 17 - 38 && ZSI_LOCATION_UNIT_SHIFT == 3,
	       "zs_view_address() has these: another layout is another ZS_VIEW_VERSION");
_Static_assert(sizeof(_Atomic uint64_t) == sizeof(uint64_t), "a view reads what is atomic here");

/* An object may be freed meanwhile, and its page be another's or nobody's: asking for a line of it does no harm. */
__attribute__((noinline)) static void prefetch_scattered(const struct zs_pool *pool, uint64_t offset)
{
	const uint8_t *page = zsi_space_page(&pool->space, (uint32_t)(offset >> pool->space.page_shift));

	if (page != NULL)
		prefetch_object(page + (offset & (zsi_space_page_size(&pool->space) - 1)));
}

void zs_prefetch(struct zs_pool *pool, zs_handle handle)
{
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (zsi_unlikely(entry == 0))
		return;
	if (zsi_unlikely(pool->space.base == NULL)) {
		prefetch_scattered(pool, zsi_entry_offset(entry));
		return;
	}
	prefetch_object(pool->space.base + zsi_entry_offset(entry));
}

/* --- batches --- */

/* What came before the one that failed is nobody's either. */
__attribute__((cold, noinline)) static int fail_batch(const void **mem, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mem[i] = NULL;
	zsi_rcu_read_unlock();
	return -1;
}

__attribute__((noinline)) static int batch_scattered(struct zs_pool *pool, const zs_handle *handles, size_t n,
						     const void **mem, uint8_t *local_copies)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t entry = zsi_entry_look_up(pool, handles[i]);

		if (zsi_unlikely(entry == 0)) {
			int result = fail_batch(mem, n);

			zsi_misuse_handle(pool, handles[i], "zs_obj_read_begin_batch");
			return result;
		}
		mem[i] = zsi_read_scattered(
			pool, entry, local_copies != NULL ? local_copies + i * zsi_space_page_size(&pool->space) : NULL);
		if (mem[i] == NULL)
			return fail_batch(mem, n);
		prefetch_object(mem[i]);
	}
	return 0;
}

int zs_obj_read_begin_batch(struct zs_pool *pool, const zs_handle *handles, size_t n, const void **mem,
			    void *local_copies)
{
	const uint8_t *base = pool->space.base;

	zsi_current.reading = 0;
	zsi_rcu_read_lock();
	if (zsi_unlikely(base == NULL))
		return batch_scattered(pool, handles, n, mem, local_copies);
	for (size_t i = 0; i < n && i < ENTRIES_AHEAD; i++)
		prefetch_entry(pool, handles[i]);
	for (size_t i = 0; i < n; i++) {
		if (i + ENTRIES_AHEAD < n)
			prefetch_entry(pool, handles[i + ENTRIES_AHEAD]);
		uint64_t entry = zsi_entry_look_up(pool, handles[i]);

		if (zsi_unlikely(entry == 0)) {
			int result = fail_batch(mem, n);

			zsi_misuse_handle(pool, handles[i], "zs_obj_read_begin_batch");
			return result;
		}
		mem[i] = base + zsi_entry_offset(entry);
		prefetch_object(mem[i]);
	}
	return 0;
}

void zs_obj_read_end_batch(struct zs_pool *pool)
{
	end(pool, "zs_obj_read_end_batch");
}

/* --- copies --- */

int zs_obj_read(struct zs_pool *pool, zs_handle handle, size_t offset, void *dst, size_t len)
{
	uint8_t *pieces[2];
	size_t split;

	zsi_rcu_read_lock();
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (zsi_unlikely(entry == 0)) {
		zsi_rcu_read_unlock();
		zsi_misuse_handle(pool, handle, "zs_obj_read");
		return -1;
	}
	uint64_t at = zsi_entry_offset(entry);
	size_t size = zsi_entry_usable(pool, entry);

	if (zsi_unlikely(offset > size || len > size - offset)) {
		zsi_rcu_read_unlock();
		errno = EINVAL;
		return -1;
	}
	if (len > 0) {
		if (zsi_space_pieces(&pool->space, at + offset, len, pieces, &split) == 2)
			memcpy((uint8_t *)dst + split, pieces[1], len - split);
		memcpy(dst, pieces[0], split);
	}
	zsi_rcu_read_unlock();
	return 0;
}
