/* SPDX-License-Identifier: BSD-3-Clause */
/* registry.c - all pools of the process, and the cookies that tell their handles apart. */
#include <errno.h>

#include "base/lock.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/registry.h"

#define COOKIES (1u << ZSI_COOKIE_BITS)

static struct zsi_lock registry_lock; /* rank REGISTRY */
static struct zs_pool *pools;         /* Guarded by registry_lock */
static uint64_t taken[COOKIES / 64] = {
	1
};                           /* bit c: a pool has cookie c; 0 is never given. Guarded by registry_lock */
static uint32_t last_cookie; /* Guarded by registry_lock */
static uint32_t nr_pools;    /* cookies taken; Guarded by registry_lock */

static bool is_taken(uint32_t cookie)
{
	return zsi_bit_get(taken, cookie);
}

/* The next free one, round and round, so that a destroyed pool's is not soon another's. */
int zsi_registry_cookie(uint32_t *cookie, uint32_t *others)
{
	zsi_registry_lock();
	for (uint32_t i = 0; i < COOKIES; i++) {
		last_cookie = (last_cookie + 1) % COOKIES;
		if (!is_taken(last_cookie)) {
			zsi_bit_set(taken, last_cookie);
			*cookie = last_cookie;
			*others = nr_pools++;
			zsi_registry_unlock();
			return 0;
		}
	}
	zsi_registry_unlock();
	errno = EMFILE;
	return -1;
}

void zsi_registry_cookie_release(uint32_t cookie)
{
	zsi_registry_lock();
	zsi_bit_clear(taken, cookie);
	nr_pools--;
	zsi_registry_unlock();
}

bool zsi_registry_has_cookie(uint32_t cookie)
{
	bool has;

	zsi_registry_lock();
	has = cookie != 0 && is_taken(cookie);
	zsi_registry_unlock();
	return has;
}

void zsi_registry_add(struct zs_pool *pool)
{
	zsi_registry_lock();
	pool->registry_next = pools;
	pools = pool;
	zsi_registry_unlock();
}

void zsi_registry_remove(struct zs_pool *pool)
{
	zsi_registry_lock();
	for (struct zs_pool **at = &pools; *at != NULL; at = &(*at)->registry_next) {
		if (*at == pool) {
			*at = pool->registry_next;
			break;
		}
	}
	zsi_registry_unlock();
}

void zsi_registry_lock(void)
{
	zsi_lock(&registry_lock, ZSI_RANK_REGISTRY);
}

void zsi_registry_unlock(void)
{
	zsi_unlock(&registry_lock, ZSI_RANK_REGISTRY);
}

struct zs_pool *zsi_registry_first(void)
{
	return pools;
}

void zsi_registry_reset_after_fork(void)
{
	zsi_rank_leave(ZSI_RANK_REGISTRY);
	zsi_lock_reset(&registry_lock);
}
