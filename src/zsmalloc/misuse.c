/* SPDX-License-Identifier: BSD-3-Clause */
/* misuse.c - the process's handler for memory-safety misuse. The messages are part of the contract. */
#include "zsmalloc/misuse.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zsmalloc/pool.h"

#define MESSAGE_BYTES 256

static pthread_mutex_t handler_lock = PTHREAD_MUTEX_INITIALIZER;
static zs_misuse_fn handler_fn; /* Guarded by handler_lock */
static void *handler_arg;       /* Guarded by handler_lock */

zs_misuse_fn zs_set_misuse_handler(zs_misuse_fn fn, void *arg)
{
	zs_misuse_fn previous;

	pthread_mutex_lock(&handler_lock);
	previous = handler_fn;
	handler_fn = fn;
	handler_arg = arg;
	pthread_mutex_unlock(&handler_lock);
	return previous;
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

	pthread_mutex_lock(&handler_lock);
	fn = handler_fn;
	arg = handler_arg;
	pthread_mutex_unlock(&handler_lock);
	if (fn == NULL) {
		/* One write, so that lines of several threads don't mix; stdio may be what was corrupted. */
		message[len] = '\n';
		if (write(STDERR_FILENO, message, (size_t)len + 1) < 0)
			abort();
		abort();
	}
	fn(&(struct zs_misuse){ .call = call,
				.reason = reason,
				.handle = handle,
				.pool_name = pool->name,
				.message = message },
	   arg);
	errno = EINVAL;
}

static enum zs_misuse_reason reason_of(const struct zs_pool *pool, zs_handle handle, const char *call)
{
	uint32_t index = zsi_handle_index(handle);
	uint32_t cookie = (uint32_t)(handle >> ZSI_INDEX_BITS) & ((1u << ZSI_COOKIE_BITS) - 1);

	if ((handle & ZSI_GENERATION_ONE) == 0)
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
