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
#include "pool/entry.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/misuse.h"
#include "pool/pool.h"
#include "pool/zspage.h"
#include "zsmalloc/map.h"

/* Where the object is and how long its slot is. In a read section, or with the entry locked. */
static const struct zsi_size_class *class_at(const struct zs_pool *pool, uint64_t offset)
{
	return zsi_size_class(pool, zsi_zspage_at(&pool->space, offset));
}

size_t zs_usable_size(struct zs_pool *pool, zs_handle handle)
{
	size_t size = 0;

	zsi_rcu_read_lock();
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (zsi_likely(entry != 0))
		size = class_at(pool, zsi_entry_offset(entry))->size;
	zsi_rcu_read_unlock();
	if (zsi_unlikely(entry == 0))
		zsi_misuse_handle(pool, handle, "zs_usable_size");
	return size;
}

/* An object whose pages may lie apart: in place if it is in one piece, else copied. In a read section. */
static const void *read_scattered(struct zs_pool *pool, uint64_t offset, void *local_copy)
{
	uint8_t *pieces[2];
	size_t split;
	size_t size = class_at(pool, offset)->size;

	if (zsi_space_pieces(&pool->space, offset, size, pieces, &split) == 1)
		return pieces[0];
	if (local_copy == NULL) {
		errno = EINVAL;
		return NULL;
	}
	memcpy(local_copy, pieces[0], split);
	memcpy((uint8_t *)local_copy + split, pieces[1], size - split);
	return local_copy;
}

/* Every case. Not inlined, so that the usual one below needs no stack. */
__attribute__((noinline)) static const void *read_begin(struct zs_pool *pool, zs_handle handle, void *local_copy)
{
	const void *mem;

	zsi_rcu_read_lock();
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (entry == 0) {
		zsi_rcu_read_unlock();
		zsi_misuse_handle(pool, handle, "zs_obj_read_begin");
		return NULL;
	}
	mem = read_scattered(pool, zsi_entry_offset(entry), local_copy);
	if (mem == NULL)
		zsi_rcu_read_unlock();
	return mem;
}

const void *zs_obj_read_begin(struct zs_pool *pool, zs_handle handle, void *local_copy)
{
	if (zsi_unlikely(!zsi_rcu_registered() || pool->space.base == NULL))
		return read_begin(pool, handle, local_copy);
	zsi_rcu_read_lock();
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (zsi_likely(entry != 0))
		return pool->space.base + zsi_entry_offset(entry);
	zsi_rcu_read_unlock();
	return read_begin(pool, handle, local_copy);
}

/* End a read section. One that was never begun would make every later grace period wait forever. */
static inline void read_end(struct zs_pool *pool, zs_handle handle, const char *call)
{
	if (zsi_unlikely(!zsi_rcu_read_ongoing())) {
		zsi_misuse(pool, handle, call, ZS_MISUSE_NOT_HELD);
		return;
	}
	zsi_rcu_read_unlock();
}

void zs_obj_read_end(struct zs_pool *pool, zs_handle handle, const void *mem)
{
	(void)mem;
	read_end(pool, handle, "zs_obj_read_end");
}

int zs_obj_read_iov_begin(struct zs_pool *pool, zs_handle handle, size_t len, struct iovec iov[2])
{
	uint8_t *pieces[2];
	size_t split;

	zsi_rcu_read_lock();
	uint64_t entry = zsi_entry_look_up(pool, handle);

	if (entry == 0) {
		zsi_rcu_read_unlock();
		zsi_misuse_handle(pool, handle, "zs_obj_read_iov_begin");
		return -1;
	}
	uint64_t offset = zsi_entry_offset(entry);

	if (len == 0 || len > class_at(pool, offset)->size) {
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
	read_end(pool, handle, "zs_obj_read_iov_end");
}

int zs_obj_write(struct zs_pool *pool, zs_handle handle, const void *src, size_t len)
{
	uint8_t *pieces[2];
	size_t split;
	int result = -1;

	if (zsi_unlikely(zsi_mapped_here(pool, handle, true))) {
		zsi_misuse(pool, handle, "zs_obj_write", ZS_MISUSE_MAPPED);
		return -1;
	}
	uint64_t entry = zsi_entry_lock(pool, handle, "zs_obj_write");

	if (entry == 0)
		return -1;
	uint64_t offset = zsi_entry_offset(entry);

	if (len > class_at(pool, offset)->size) {
		errno = EINVAL;
	} else {
		if (len > 0 && zsi_space_pieces(&pool->space, offset, len, pieces, &split) == 2)
			memcpy(pieces[1], (const uint8_t *)src + split, len - split);
		if (len > 0)
			memcpy(pieces[0], src, split);
		result = 0;
	}
	zsi_entry_unlock(&pool->handles.entries[zsi_handle_index(handle)], entry);
	return result;
}
