/* SPDX-License-Identifier: BSD-3-Clause */
/* misuse.c - the process's handler for memory-safety misuse. The messages are part of the contract. */
#include "pool/misuse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/registry.h"

#define MESSAGE_BYTES 256

static struct zsi_lock handler_lock; /* innermost: nothing is called while it is held */
static zs_misuse_fn handler_fn;      /* Guarded by handler_lock */
static void *handler_arg;            /* Guarded by handler_lock */

zs_misuse_fn zs_set_misuse_handler(zs_misuse_fn fn, void *arg)
{
	zs_misuse_fn previous;

	zsi_lock_unranked(&handler_lock);
	previous = handler_fn;
	handler_fn = fn;
	handler_arg = arg;
	zsi_unlock_unranked(&handler_lock);
	return previous;
}

void zsi_misuse_lock(void)
{
	zsi_lock_unranked(&handler_lock);
}

void zsi_misuse_unlock(void)
{
	zsi_unlock_unranked(&handler_lock);
}

static const char *reason_text(enum zs_misuse_reason reason)
{
	switch (reason) {
	case ZS_MISUSE_DOUBLE_FREE:
		return "double free";
	case ZS_MISUSE_STALE:
		return "stale handle";
	case ZS_MISUSE_FORGED:
		return "forged handle";
	case ZS_MISUSE_FOREIGN:
		return "handle of another pool";
	case ZS_MISUSE_MAPPED:
		return "object is mapped by this thread";
	case ZS_MISUSE_NOT_MAPPED:
		return "object is not mapped by this thread";
	case ZS_MISUSE_NOT_HELD:
		return "no object is held by this thread";
	case ZS_MISUSE_HELD:
		return "object is being read by this thread";
	}
	return "misuse";
}

void zsi_misuse(const struct zs_pool *pool, zs_handle handle, const char *call, enum zs_misuse_reason reason)
{
	char message[MESSAGE_BYTES];
	zs_misuse_fn fn;
	void *arg;

	int len = snprintf(message, sizeof(message) - 1, "zsmalloc: %s: %s (handle 0x%016" PRIx64 ", pool %s)", call,
			   reason_text(reason), handle, pool->name);

	zsi_lock_unranked(&handler_lock);
	fn = handler_fn;
	arg = handler_arg;
	zsi_unlock_unranked(&handler_lock);
	if (fn == NULL) {
		/* One write, so that lines of several threads don't mix; stdio may be what was corrupted. */
		message[len] = '\n';
		if (write(STDERR_FILENO, message, (size_t)len + 1) < 0)
			abort();
		abort();
	}
	fn(
		&(struct zs_misuse){
			.call = call, .reason = reason, .handle = handle, .pool_name = pool->name, .message = message },
		arg);
	errno = EINVAL;
}

static enum zs_misuse_reason reason_of(const struct zs_pool *pool, zs_handle handle, const char *call)
{
	uint32_t index = zsi_handle_index(handle);
	uint32_t cookie = (uint32_t)(handle >> ZSI_INDEX_BITS) & ((1u << ZSI_COOKIE_BITS) - 1);

	if (((handle ^ pool->handles.tag) & ZSI_TAG_MASK & ~ZSI_COOKIE_MASK) != 0)
		return ZS_MISUSE_FORGED;
	if (cookie != pool->cookie)
		return zsi_registry_has_cookie(cookie) ? ZS_MISUSE_FOREIGN : ZS_MISUSE_FORGED;
	if (index >= atomic_load_explicit(&pool->handles.bound, memory_order_acquire))
		return ZS_MISUSE_FORGED;

	uint64_t entry = atomic_load_explicit(&pool->handles.entries[index], memory_order_relaxed);
	uint64_t lives = (entry - (handle & ZSI_GENERATION_MASK)) >> ZSI_GENERATION_SHIFT;
	uint64_t range = (uint64_t)1 << (64 - ZSI_GENERATION_SHIFT);

	/* The counter goes round, so "ahead of the entry" is the far half of its range. */
	if (lives > range / 2)
		return ZS_MISUSE_FORGED;
	if (lives == 1 && strncmp(call, "zs_free", strlen("zs_free")) == 0)
		return ZS_MISUSE_DOUBLE_FREE;
	return ZS_MISUSE_STALE;
}

void zsi_misuse_handle(const struct zs_pool *pool, zs_handle handle, const char *call)
{
	zsi_misuse(pool, handle, call, reason_of(pool, handle, call));
}
