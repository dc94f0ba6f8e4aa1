/* SPDX-License-Identifier: BSD-3-Clause */
/* evict.c - one thread evicts at a time, twice the reserve; who waits for it tries again without evicting anything. */
#include "zram/evict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/lock.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/parse.h"
#include "device/streams.h"
#include "device/table.h"
#include "zram/batch.h"
#include "zram/oldest.h"
#include "zram/text.h"

struct zsi_evictor {
	struct zsi_oldest oldest;
	struct zsi_batch batch;
	uint64_t bytes; /* of this, charged */
};

/* The blocks noted, within a 128th of the limit; the batch has as much. */
#define LEAST_NOTED 64u
#define MOST_NOTED 65536u
#define SHARE_SHIFT 7
#define SHARE_UNLIMITED ((uint64_t)1 << 20)

/* So much goes at once, so that the next write finds memory too; without a limit, where memory itself was short. */
#define RESERVES 2u
#define UNLIMITED_BYTES ((uint64_t)1 << 20)

/* --- being ready --- */

static struct zsi_evictor *make(struct zram *z, unsigned noted, bool reserve)
{
	uint64_t bytes = sizeof(struct zsi_evictor) + noted * sizeof(struct zsi_old);
	struct zsi_evictor *e;

	if (reserve ? zsi_memory_charge_reserve(z, bytes) != 0 : !zsi_memory_try_charge(z, bytes))
		return NULL;
	e = malloc(bytes);
	if (e == NULL) {
		zsi_memory_uncharge(z, bytes);
		return NULL;
	}
	e->bytes = bytes;
	e->oldest.at = (struct zsi_old *)(e + 1);
	e->oldest.room = noted;
	zsi_oldest_begin(&e->oldest);
	return e;
}

int zsi_evict_start_locked(struct zram *z)
{
	uint64_t limit = zsi_memory_limit(z);
	uint64_t share = limit != 0 ? limit >> SHARE_SHIFT : SHARE_UNLIMITED;
	uint64_t noted = zsi_min(zsi_max(share / sizeof(struct zsi_old), LEAST_NOTED), MOST_NOTED);
	struct zsi_evictor *e = NULL;

	if (!atomic_load_explicit(&z->evict, memory_order_relaxed) || z->backing.fd < 0 || z->pool == NULL ||
	    atomic_load_explicit(&z->evictor, memory_order_relaxed) != NULL)
		return 0;
	for (; e == NULL && noted >= LEAST_NOTED; noted /= 2)
		e = make(z, (unsigned)noted, false);
	if (e == NULL)
		e = make(z, LEAST_NOTED, true);
	if (e == NULL)
		return zsi_fail(ENOMEM, "%s: evict: no memory to begin with: turn it on before the device is full",
				z->name);
	zsi_batch_open(z, &e->batch, share);
	/* release: pairs with the acquire of who uses it */
	atomic_store_explicit(&z->evictor, e, memory_order_release);
	return 0;
}

void zsi_evict_stop_frozen(struct zram *z)
{
	struct zsi_evictor *e = atomic_load_explicit(&z->evictor, memory_order_relaxed);

	if (e == NULL)
		return;
	atomic_store_explicit(&z->evictor, NULL, memory_order_relaxed);
	zsi_batch_close(z, &e->batch);
	zsi_memory_uncharge(z, e->bytes);
	free(e);
}

int zsi_attr_evict_set(struct zram *z, const char *value)
{
	int result = 0;
	bool on;

	if (zsi_parse_bool(value, &on) != 0)
		return zsi_fail(EINVAL, "%s: evict '%s' is neither 0 nor 1", z->name, value);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	atomic_store_explicit(&z->evict, on, memory_order_relaxed);
	if (on) {
		result = zsi_evict_start_locked(z);
		if (result != 0)
			atomic_store_explicit(&z->evict, false, memory_order_relaxed);
	} else if (atomic_load_explicit(&z->evictor, memory_order_relaxed) != NULL) {
		zsi_gate_close(z);
		zsi_evict_stop_frozen(z);
		zsi_gate_open(z);
	}
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

int zsi_attr_evict_get(struct zram *z, struct zsi_text *out)
{
	zsi_text_add(out, "%d\n", atomic_load_explicit(&z->evict, memory_order_relaxed) ? 1 : 0);
	return 0;
}

/* --- evicting --- */

/* The next of the oldest go into the batch, as many as fit. False: there are no more. */
static bool fill(struct zram *z, struct zsi_stream *s, struct zsi_evictor *e)
{
	const struct zsi_old *old;

	while (e->batch.n < e->batch.room && (old = zsi_oldest_take(&e->oldest)) != NULL) {
		/* It may be gone, or in use again. */
		if (!zsi_table_has(&z->table, old->index))
			continue;
		uint64_t meta = zsi_block_lock(z, old->index);

		if (zsi_oldest_counts(meta) && zsi_meta_time(meta) == old->time)
			meta = zsi_batch_take(z, s, &e->batch, old->index, meta);
		zsi_block_unlock(z, old->index, meta);
	}
	return e->batch.n > 0;
}

enum step { GOES_ON, NOTHING_LEFT, FAILED };

/* A batch, or a part of a scan, with the stream in hand. *scans: how many were begun. */
static enum step step(struct zram *z, struct zsi_stream *s, struct zsi_evictor *e, unsigned *scans)
{
	if (!zsi_oldest_scan(z, s, &e->oldest))
		return GOES_ON;
	if (fill(z, s, e)) {
		if (zsi_batch_write(z, s, &e->batch) != 0)
			return FAILED;
		/* Where no block of a batch can be written there is no sense in trying all. */
		errno = e->batch.error;
		return e->batch.error == 0 || e->batch.gone > 0 ? GOES_ON : FAILED;
	}
	/* Two scans in a row that find nothing of use: there is nothing. */
	zsi_oldest_begin(&e->oldest);
	return ++*scans < 2 ? GOES_ON : NOTHING_LEFT;
}

/* Bytes of objects that went. *error: why not more, an errno; 0: there is nothing left. */
static uint64_t evict(struct zram *z, int *error)
{
	uint64_t reserve = zsi_memory_reserve(z), gone = 0;
	uint64_t wanted = reserve != 0 ? RESERVES * reserve : UNLIMITED_BYTES;
	enum step result = GOES_ON;
	unsigned scans = 0;

	*error = 0;
	while (result == GOES_ON && gone < wanted) {
		struct zsi_stream *s = zsi_gate_enter(z);
		/* acquire: pairs with the release in zsi_evict_start_locked() */
		struct zsi_evictor *e =
			s != NULL ? atomic_load_explicit(&z->evictor, memory_order_acquire) : NULL;

		if (e != NULL) {
			e->batch.gone = 0;
			e->batch.error = 0;
			result = step(z, s, e, &scans);
			*error = result == FAILED ? errno : e->batch.error;
			gone += e->batch.gone;
			scans = e->batch.gone > 0 ? 0 : scans;
		} else {
			result = NOTHING_LEFT;
		}
		if (s != NULL)
			zsi_stream_leave(s);
	}
	return gone;
}

uint32_t zsi_evict_rounds(const struct zram *z)
{
	return atomic_load_explicit(&z->evict_rounds, memory_order_relaxed);
}

static bool fail_eviction(struct zram *z, int error)
{
	const char *why = error == ENOSPC ? "the backing file is full" :
			  error == EIO	  ? "the backing file can't be written, or writeback_limit is used up" :
			  error != 0	  ? strerror(error) :
					    "there is nothing left that could go to the backing file";

	(void)zsi_fail(ENOMEM, "%s: no memory, and no block can be evicted: %s", z->name, why);
	return false;
}

bool zsi_evict(struct zram *z, uint32_t rounds)
{
	bool again = true;
	int error = 0;

	/* A child's file is the parent's. */
	if (atomic_load_explicit(&z->evictor, memory_order_relaxed) == NULL || z->backing.fd < 0)
		return false;
	zsi_lock(&z->batch_lock, ZSI_RANK_BATCH);
	if (zsi_evict_rounds(z) == rounds) {
		again = evict(z, &error) > 0;
		if (again)
			atomic_fetch_add_explicit(&z->evict_rounds, 1, memory_order_relaxed);
	}
	zsi_unlock(&z->batch_lock, ZSI_RANK_BATCH);
	return again || fail_eviction(z, error);
}
