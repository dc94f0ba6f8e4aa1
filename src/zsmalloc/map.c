/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * map.c - zs_map_object and zs_unmap_object.
 *
 * A read-only mapping is a read section; the others hold the entry's lock bit. Either way the thread remembers what it
 * has mapped, the newest first, with a buffer where the object lies in two pieces. One record is kept for the next
 * mapping, so that the usual map, unmap, map allocates once a thread.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/rcu.h"
#include "pages/layout.h"
#include "pool/cache.h"
#include "pool/entry.h"
#include "pool/handle.h"
#include "pool/misuse.h"
#include "pool/pool.h"
#include "pool/zspage.h"
#include "zsmalloc/map.h"

struct zsi_mapping {
	struct zsi_mapping *next;
	const struct zs_pool *pool;
	zs_handle handle;
	enum zs_mapmode mode;
	bool copied;     /* the caller has the buffer, not the object itself */
	void *mem;       /* what the caller has */
	unsigned again;  /* how often it was mapped once more: ZS_MM_RO, which of them is unmapped can't be told */
	uint64_t entry;  /* as locked; not for ZS_MM_RO */
	size_t size;     /* bytes of the slot */
	uint8_t *buffer; /* capacity bytes, or NULL */
	size_t capacity;
};

_Thread_local struct zsi_mapping *zsi_mappings;
static _Thread_local struct zsi_mapping *spare; /* kept for the next */

static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static int exit_key_error; /* an errno value; written once, under exit_once */

static void drop(struct zsi_mapping *m)
{
	if (m != NULL)
		free(m->buffer);
	free(m);
}

/*
 * A thread that ends: its spare record goes. What it still has mapped may be unmapped by a destructor that runs later,
 * so this one runs again then; what nobody unmaps stays locked, as with a mutex that was never unlocked.
 */
static void at_thread_exit(void *value)
{
	drop(spare);
	spare = NULL;
	if (zsi_mappings != NULL)
		(void)pthread_setspecific(exit_key, value);
}

static void make_exit_key(void)
{
	exit_key_error = pthread_key_create(&exit_key, at_thread_exit);
}

static struct zsi_mapping *find(const struct zs_pool *pool, zs_handle handle, bool as_writer,
				struct zsi_mapping ***link)
{
	struct zsi_mapping **at = &zsi_mappings;

	for (; *at != NULL; at = &(*at)->next) {
		struct zsi_mapping *m = *at;

		if (m->pool == pool && m->handle == handle && (!as_writer || m->mode != ZS_MM_RO)) {
			if (link != NULL)
				*link = at;
			return m;
		}
	}
	return NULL;
}

bool zsi_mapped_here(const struct zs_pool *pool, zs_handle handle, bool as_writer)
{
	return zsi_mappings != NULL && find(pool, handle, as_writer, NULL) != NULL;
}

bool zsi_mapped_index_here(const struct zs_pool *pool, uint32_t index)
{
	for (const struct zsi_mapping *m = zsi_mappings; m != NULL; m = m->next)
		if (m->pool == pool && m->mode != ZS_MM_RO && zsi_handle_index(m->handle) == index)
			return true;
	return false;
}

static struct zsi_mapping *new_mapping(size_t buffer_bytes)
{
	struct zsi_mapping *m = spare;

	if (pthread_once(&exit_once, make_exit_key) != 0 || exit_key_error != 0) {
		errno = ENOMEM;
		return NULL;
	}
	if (m == NULL) {
		m = calloc(1, sizeof(*m));
		if (m == NULL || pthread_setspecific(exit_key, &spare) != 0) {
			free(m);
			errno = ENOMEM;
			return NULL;
		}
	}
	spare = NULL;
	if (m->capacity < buffer_bytes) {
		uint8_t *buffer = realloc(m->buffer, buffer_bytes);

		if (buffer == NULL) {
			spare = m;
			errno = ENOMEM;
			return NULL;
		}
		m->buffer = buffer;
		m->capacity = buffer_bytes;
	}
	return m;
}

static void put_mapping(struct zsi_mapping *m)
{
	if (spare == NULL)
		spare = m;
	else
		drop(m);
}

/* Hold the object as the mode says. Returns its entry, or 0: misuse. */
static uint64_t hold(struct zs_pool *pool, zs_handle handle, enum zs_mapmode mode)
{
	uint64_t entry;

	if (mode != ZS_MM_RO)
		return zsi_entry_lock(pool, handle, "zs_map_object");
	if (!zsi_rcu_read_ongoing())
		zsi_current.reading = 0;
	zsi_rcu_read_lock();
	entry = zsi_entry_look_up(pool, handle);
	if (entry == 0) {
		zsi_rcu_read_unlock();
		zsi_misuse_handle(pool, handle, "zs_map_object");
	}
	return entry;
}

static void let_go(struct zs_pool *pool, zs_handle handle, enum zs_mapmode mode, uint64_t entry)
{
	if (mode == ZS_MM_RO)
		zsi_rcu_read_unlock();
	else /* where that fails, another thread freed the object at the same moment */
		(void)zsi_entry_unlock(&pool->handles.entries[zsi_handle_index(handle)], entry, ZSI_CLASS_HELD);
}

void *zs_map_object(struct zs_pool *pool, zs_handle handle, enum zs_mapmode mode)
{
	uint8_t *pieces[2];
	size_t split;

	if (mode != ZS_MM_RW && mode != ZS_MM_RO && mode != ZS_MM_WO) {
		errno = EINVAL;
		return NULL;
	}
	struct zsi_mapping *there = zsi_mappings != NULL ? find(pool, handle, false, NULL) : NULL;

	if (there != NULL && (mode != ZS_MM_RO || there->mode != ZS_MM_RO)) {
		errno = EDEADLK;
		return NULL;
	}
	if (there != NULL) {
		there->again++;
		return there->mem;
	}
	uint64_t entry = hold(pool, handle, mode);

	if (entry == 0)
		return NULL;
	uint64_t offset = zsi_entry_offset(entry);
	size_t size = zsi_entry_usable(pool, entry);
	bool apart = zsi_space_pieces(&pool->space, offset, size, pieces, &split) == 2;
	struct zsi_mapping *m = new_mapping(apart ? size : 0);

	if (m == NULL) {
		let_go(pool, handle, mode, entry);
		errno = ENOMEM;
		return NULL;
	}
	m->pool = pool;
	m->handle = handle;
	m->mode = mode;
	m->copied = apart;
	m->mem = apart ? m->buffer : pieces[0];
	m->again = 0;
	m->entry = entry;
	m->size = size;
	m->next = zsi_mappings;
	zsi_mappings = m;
	zsi_cache_hide();
	if (apart && mode != ZS_MM_WO) {
		memcpy(m->buffer, pieces[0], split);
		memcpy(m->buffer + split, pieces[1], size - split);
	}
	return m->mem;
}

void zs_unmap_object(struct zs_pool *pool, zs_handle handle)
{
	struct zsi_mapping **link = NULL;
	struct zsi_mapping *m = find(pool, handle, false, &link);

	if (m == NULL) {
		zsi_misuse(pool, handle, "zs_unmap_object", ZS_MISUSE_NOT_MAPPED);
		return;
	}
	if (m->again > 0) {
		m->again--;
		return;
	}
	*link = m->next;
	zsi_cache_unhide();
	if (m->copied && m->mode != ZS_MM_RO) {
		uint8_t *pieces[2] = { NULL, NULL };
		size_t split;

		(void)zsi_space_pieces(&pool->space, zsi_entry_offset(m->entry), m->size, pieces, &split);
		memcpy(pieces[0], m->buffer, split);
		if (split < m->size)
			memcpy(pieces[1], m->buffer + split, m->size - split);
	}
	let_go(pool, handle, m->mode, m->entry);
	put_mapping(m);
}
