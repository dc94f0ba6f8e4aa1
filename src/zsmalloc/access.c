/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * access.c - reading and writing objects through their handles.
 *
 * A read section stands for "held": the mover publishes the object's new place and waits for a grace period before
 * it reuses the old one, and page migration does the same with pages. So what a reader found stays there until it
 * ends the section, and nothing shared is written.
 */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "base/rcu.h"
#include "pages/layout.h"
#include "pool/cache.h"
#include "pool/entry.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/misuse.h"
#include "pool/pool.h"
#include "pool/zspage.h"
#include "zsmalloc/map.h"
#include "zsmalloc/scattered.h"

size_t zs_usable_size(struct zs_pool *pool, zs_handle handle)
{
	size_t size = 0;

	zsi_rcu_read_lock();
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (zsi_likely(entry != 0))
		size = zsi_entry_usable(pool, entry);
	zsi_rcu_read_unlock();
	if (zsi_unlikely(entry == 0))
		zsi_misuse_handle(pool, handle, "zs_usable_size");
	return size;
}

/* Every case. Not inlined, so that the usual one below needs no stack. */
__attribute__((noinline)) static const void *read_begin(struct zs_pool *pool, zs_handle handle, void *local_copy)
{
	bool outermost = !zsi_rcu_read_ongoing();
	const void *mem;

	zsi_rcu_read_lock();
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (entry == 0) {
		zsi_rcu_read_unlock();
		zsi_misuse_handle(pool, handle, "zs_obj_read_begin");
		return NULL;
	}
	if (outermost)
		zsi_current.reading = handle;
	mem = zsi_read_scattered(pool, entry, local_copy);
	if (mem == NULL)
		zsi_rcu_read_unlock();
	else if (!zsi_rcu_readers_are_light())
		zsi_rcu_read_lock();
	return mem;
}

/*
 * The usual case: the pool's own pages, and no other section under way. Everything that differs fails one of the
 * tests.
 */
const void *zs_obj_read_begin(struct zs_pool *pool, zs_handle handle, void *local_copy)
{
	const struct zsi_handles *h = &pool->handles;
	uint64_t key = zsi_handle_key(h, handle);

	ZSI_OPAQUE(key);
	if (zsi_likely(key < atomic_load_explicit(&h->light_reach, memory_order_acquire) &&
		       zsi_rcu_read_lock_light())) {
		uint64_t entry = atomic_load_explicit(&h->entries[key >> ZSI_KEY_SHIFT], ZSI_ENTRY_LOAD);

		if (zsi_likely((entry ^ handle) >> ZSI_GENERATION_SHIFT == 0)) {
			zsi_current.reading = handle;
			return pool->space.base + zsi_entry_offset(entry);
		}
		zsi_rcu_read_unlock();
	}
	return read_begin(pool, handle, local_copy);
}

/* End a read section. One that was never begun would make every later grace period wait forever. */
__attribute__((noinline)) static void read_end(struct zs_pool *pool, zs_handle handle, const char *call, bool twice)
{
	if (zsi_unlikely(!zsi_rcu_read_ongoing())) {
		zsi_misuse(pool, handle, call, ZS_MISUSE_NOT_HELD);
		return;
	}
	/* Readings end in any order: of the others nothing is known. */
	if (zsi_current.reading == handle)
		zsi_current.reading = 0;
	zsi_rcu_read_unlock();
	if (twice)
		zsi_rcu_read_unlock();
}

void zs_obj_read_end(struct zs_pool *pool, zs_handle handle, const void *mem)
{
	(void)mem;
	if (zsi_unlikely(!zsi_rcu_read_unlock_light()))
		read_end(pool, handle, "zs_obj_read_end", !zsi_rcu_readers_are_light());
}

int zs_obj_read_iov_begin(struct zs_pool *pool, zs_handle handle, size_t len, struct iovec iov[2])
{
	uint8_t *pieces[2];
	size_t split;

	if (!zsi_rcu_read_ongoing())
		zsi_current.reading = handle;
	zsi_rcu_read_lock();
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (entry == 0) {
		zsi_rcu_read_unlock();
		zsi_misuse_handle(pool, handle, "zs_obj_read_iov_begin");
		return -1;
	}
	uint64_t offset = zsi_entry_offset(entry);

	if (len == 0 || len > zsi_entry_usable(pool, entry)) {
		zsi_rcu_read_unlock();
		errno = EINVAL;
		return -1;
	}
	int n = zsi_space_pieces(&pool->space, offset, len, pieces, &split);

	iov[0] = (struct iovec){ .iov_base = pieces[0], .iov_len = split };
	if (n == 2)
		iov[1] = (struct iovec){ .iov_base = pieces[1], .iov_len = len - split };
	return n;
}

void zs_obj_read_iov_end(struct zs_pool *pool, zs_handle handle)
{
	read_end(pool, handle, "zs_obj_read_iov_end", false);
}

/* Both pieces of [offset, offset + len) of the linear space, from src. */
static void copy_in(const struct zs_pool *pool, uint64_t offset, const uint8_t *src, size_t len)
{
	uint8_t *pieces[2];
	size_t split;

	if (len == 0)
		return;
	if (zsi_space_pieces(&pool->space, offset, len, pieces, &split) == 2)
		memcpy(pieces[1], src + split, len - split);
	memcpy(pieces[0], src, split);
}

/* Every case: with the entry locked, so that the object stays where it is. */
__attribute__((noinline)) static int write_any(struct zs_pool *pool, zs_handle handle, size_t offset, const void *src,
					       size_t len, const char *call)
{
	int result = -1;

	if (zsi_unlikely(zsi_mapped_here(pool, handle, true))) {
		zsi_misuse(pool, handle, call, ZS_MISUSE_MAPPED);
		return -1;
	}
	/* The next one need not lock. */
	(void)zsi_cache_get(pool);
	uint64_t entry = zsi_entry_lock(pool, handle, call);

	if (entry == 0)
		return -1;
	size_t usable = pool->geometry.classes[zsi_entry_class(entry) - 1].size;

	if (offset > usable || len > usable - offset) {
		errno = EINVAL;
	} else {
		copy_in(pool, zsi_entry_offset(entry) + offset, src, len);
		result = 0;
	}
	/* Where that fails, another thread freed the object at the same moment: its mistake, and its entry. */
	(void)zsi_entry_unlock(&pool->handles.entries[zsi_handle_index(handle)], entry, ZSI_CLASS_HELD);
	return result;
}

/* What is copied without a call: for a field of an object that would be most of the work. */
#define FEW_BYTES 16u

static inline void copy_few(uint8_t *to, const uint8_t *from, size_t len)
{
	uint64_t first, last;

	if (len >= 8) {
		memcpy(&first, from, 8);
		memcpy(&last, from + len - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + len - 8, &last, 8);
	} else if (len >= 4) {
		memcpy(&first, from, 4);
		memcpy(&last, from + len - 4, 4);
		memcpy(to, &first, 4);
		memcpy(to + len - 4, &last, 4);
	} else if (len >= 2) {
		memcpy(&first, from, 2);
		memcpy(&last, from + len - 2, 2);
		memcpy(to, &first, 2);
		memcpy(to + len - 2, &last, 2);
	} else if (len == 1) {
		*to = *from;
	}
}

__attribute__((noinline)) static int copy_many(struct zsi_cache *cache, void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	zsi_announce_end(&cache->writing);
	return 0;
}

/* The usual case, announced: see zs_free(). Every way out of it is a tail call, so that it needs no stack. */
__attribute__((always_inline)) static inline int write_at(struct zs_pool *pool, zs_handle handle, size_t offset,
							  const void *src, size_t len, const char *call)
{
	const struct zsi_handles *h = &pool->handles;
	struct zsi_cache *cache = zsi_current.cache;
	uint64_t key = zsi_handle_key(h, handle);

	ZSI_OPAQUE(key);
	if (zsi_unlikely(zsi_current.pool != pool || key >= atomic_load_explicit(&h->flat_reach, memory_order_acquire)))
		return write_any(pool, handle, offset, src, len, call);
	zsi_announce(&cache->writing, handle);
	uint64_t entry = atomic_load_explicit(&h->entries[key >> ZSI_KEY_SHIFT], ZSI_ENTRY_LOAD);
	uint64_t class = entry & ZSI_CLASS_MASK;

	if (zsi_unlikely((entry ^ handle) >> ZSI_GENERATION_SHIFT != 0 || class >= ZSI_CLASS_HELD))
		goto unusual;
	size_t usable = (uint32_t)cache->bins[class - 1].size;

	if (zsi_unlikely(offset > usable || len > usable - offset))
		goto unusual;
	uint8_t *at = pool->space.base + zsi_entry_offset(entry) + offset;

	if (len > FEW_BYTES)
		return copy_many(cache, at, src, len);
	copy_few(at, src, len);
	zsi_announce_end(&cache->writing);
	return 0;
unusual:
	zsi_announce_end(&cache->writing);
	return write_any(pool, handle, offset, src, len, call);
}

int zs_obj_write(struct zs_pool *pool, zs_handle handle, const void *src, size_t len)
{
	return write_at(pool, handle, 0, src, len, "zs_obj_write");
}

int zs_obj_write_at(struct zs_pool *pool, zs_handle handle, size_t offset, const void *src, size_t len)
{
	return write_at(pool, handle, offset, src, len, "zs_obj_write_at");
}
