/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c - malloc with a count; the device's limit is changed where the count passes a step. */
#include "memory.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	HEAD = sizeof(size_t),       /* what malloc keeps of its own with each object */
	STEP_SHIFT = 11,             /* a step is this share of the limit, */
	STEP_MIN = 16 << 10,         /* and no less, */
	STEP_MAX = 1 << 20,          /* and no more */
	TRIM_BYTES = 256 << 10,      /* freed since: then it is worth looking */
	RESERVE_SHIFT = 8,           /* the device keeps this share for blocks that are there: it is not for names */
	TICKS = 100,                 /* a second: statistics are asked for no more often, as a full directory asks much */
	DEVICE_MIN = 64 << 10,       /* a limit of 0 would be none */
};

void memory_init(struct memory *m, struct zram *z, uint64_t limit, uint64_t blocks)
{
	memset(m, 0, sizeof(*m));
	m->z = z;
	m->limit = limit;
	m->blocks = blocks;
	sem_init(&m->much_freed, 0, 0);
}

static uint64_t step_of(const struct memory *m)
{
	uint64_t step = m->limit >> STEP_SHIFT;
	return step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
}

/* What the device holds beside its pool, by its statistics. */
static uint64_t own_of_device(struct zram *z)
{
	static const char key[] = "\"own_bytes\":";
	char *text = NULL;
	size_t bytes;
	uint64_t own = 0;
	FILE *out = open_memstream(&text, &bytes);
	if (out == NULL)
		return 0;
	zram_stats_print(z, out, ZRAM_STATS_JSON);
	if (fclose(out) == 0) {
		const char *at = strstr(text, key);
		if (at != NULL)
			own = strtoull(at + sizeof(key) - 1, NULL, 10);
	}
	free(text);
	return own;
}

uint64_t memory_of_device(struct memory *m)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	uint64_t tick = (uint64_t)now.tv_sec * TICKS + (uint64_t)now.tv_nsec / (1000000000 / TICKS) + 1;
	if (atomic_exchange_explicit(&m->own_tick, tick, memory_order_relaxed) != tick)
		atomic_store_explicit(&m->own, own_of_device(m->z), memory_order_relaxed);
	return atomic_load_explicit(&m->own, memory_order_relaxed) + zs_get_total_bytes(zram_get_pool(m->z));
}

static bool withhold_locked(struct memory *m, uint64_t bytes)
{
	char text[32];
	uint64_t left = m->limit > bytes ? m->limit - bytes : 0;
	snprintf(text, sizeof(text), "%" PRIu64, left < DEVICE_MIN ? (uint64_t)DEVICE_MIN : left);
	if (zram_attr_set(m->z, "mem_limit", text) != 0)
		return false;
	atomic_store_explicit(&m->withheld, bytes, memory_order_relaxed);
	return true;
}

/* So that withheld covers what is held. False: the device has that memory. */
static bool withhold(struct memory *m, enum memory_for what)
{
	uint64_t step = step_of(m);
	bool good = true;
	lock_exclusive(&m->lock);
	uint64_t held = atomic_load_explicit(&m->held, memory_order_relaxed);
	uint64_t withheld = atomic_load_explicit(&m->withheld, memory_order_relaxed);
	if (held > withheld) {
		uint64_t want = (held + step - 1) / step * step;
		uint64_t reserve = m->limit >> RESERVE_SHIFT;
		good = what == MEMORY_EXCHANGE ||
		       (want + reserve < m->limit && memory_of_device(m) <= m->limit - want - reserve);
		good = good && withhold_locked(m, want);
	}
	unlock_exclusive(&m->lock);
	return good || what == MEMORY_EXCHANGE;
}

static void give_back_steps(struct memory *m)
{
	uint64_t step = step_of(m);
	lock_exclusive(&m->lock);
	uint64_t held = atomic_load_explicit(&m->held, memory_order_relaxed);
	uint64_t want = (held + step - 1) / step * step;
	if (want + step < atomic_load_explicit(&m->withheld, memory_order_relaxed))
		(void)withhold_locked(m, want);
	unlock_exclusive(&m->lock);
}

static void uncharge(struct memory *m, uint64_t bytes)
{
	uint64_t held = atomic_fetch_sub_explicit(&m->held, bytes, memory_order_relaxed) - bytes;
	if (m->limit != 0 && held + 2 * step_of(m) < atomic_load_explicit(&m->withheld, memory_order_relaxed))
		give_back_steps(m);
}

void *memory_alloc(struct memory *m, size_t bytes, enum memory_for what)
{
	void *p = malloc(bytes);
	if (p == NULL)
		return NULL;
	uint64_t taken = malloc_usable_size(p) + HEAD;
	uint64_t held = atomic_fetch_add_explicit(&m->held, taken, memory_order_relaxed) + taken;
	if (m->limit == 0 || held <= atomic_load_explicit(&m->withheld, memory_order_relaxed) || withhold(m, what))
		return p;
	uncharge(m, taken);
	free(p);
	errno = ENOSPC;
	return NULL;
}

void memory_free(struct memory *m, void *p)
{
	int saved = errno; /* it stays, as with free(), whatever the device has to be told */
	if (p == NULL)
		return;
	uint64_t taken = malloc_usable_size(p) + HEAD;
	free(p);
	uint64_t freed = atomic_fetch_add_explicit(&m->freed, taken, memory_order_relaxed);
	if (freed < TRIM_BYTES && freed + taken >= TRIM_BYTES)
		sem_post(&m->much_freed);
	uncharge(m, taken);
	errno = saved;
}

bool memory_take_blocks(struct memory *m, uint64_t n)
{
	uint64_t used = atomic_load_explicit(&m->used, memory_order_relaxed);
	do {
		if (n > m->blocks || used > m->blocks - n) {
			errno = ENOSPC;
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(&m->used, &used, used + n, memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

void memory_give_blocks(struct memory *m, uint64_t n)
{
	if (n > 0)
		atomic_fetch_sub_explicit(&m->used, n, memory_order_relaxed);
}

uint64_t memory_left(struct memory *m)
{
	if (m->limit == 0)
		return UINT64_MAX;
	uint64_t taken = memory_of_device(m) + atomic_load_explicit(&m->held, memory_order_relaxed);
	taken += m->limit >> RESERVE_SHIFT;
	return taken < m->limit ? m->limit - taken : 0;
}

void memory_wait(struct memory *m)
{
	while (sem_wait(&m->much_freed) != 0 && errno == EINTR)
		;
}

void memory_wake(struct memory *m)
{
	sem_post(&m->much_freed);
}

void memory_trim(struct memory *m)
{
	atomic_store_explicit(&m->freed, 0, memory_order_relaxed);
	malloc_trim(0);
}
