/* SPDX-License-Identifier: BSD-3-Clause */
/* meta.c - the bookkeeping memory of meta.h. */
#include "pages/meta.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/bits.h"
#include "base/os.h"

/* Committing has the price of a system call, charging has none: commit in steps of this, charge page by page. */
#define COMMIT_STEP ((uint64_t)64 << 10)
#define CHARGE_STEP ((uint64_t)4096)

#define UNIT ((size_t)1 << ZSI_META_UNIT_SHIFT)
#define LINEAR_UNITS 64u

static unsigned bucket_of(size_t bytes)
{
	uint64_t units = zsi_div_up(bytes, UNIT);

	if (units <= LINEAR_UNITS)
		return (unsigned)units;
	/* Four a doubling: the two bits below the highest one, rounded up. */
	unsigned log = zsi_log2_floor(units - 1);

	return LINEAR_UNITS + (log - 6) * 4 + (unsigned)((units - 1) >> (log - 2) & 3) + 1;
}

static uint64_t bucket_bytes(unsigned bucket)
{
	if (bucket <= LINEAR_UNITS)
		return bucket * UNIT;
	unsigned step = bucket - LINEAR_UNITS;

	return ((uint64_t)(4 + (step - 1) % 4 + 1) << (6 + (step - 1) / 4 - 2)) * UNIT;
}

int zsi_meta_init(struct zsi_meta *m, struct zsi_account *account, uint64_t reserve_bytes)
{
	memset(m, 0, sizeof(*m));
	m->base = zsi_os.reserve(reserve_bytes, COMMIT_STEP);
	if (m->base == NULL)
		return -1;
	m->reserved = reserve_bytes;
	m->account = account;
	m->top = ZSI_CACHE_LINE; /* so that no block has reference 0 */
	return 0;
}

void zsi_meta_fini(struct zsi_meta *m)
{
	if (m->base != NULL)
		zsi_os.release(m->base, m->reserved);
	m->base = NULL;
}

/* Make [0, top) accessible and charged. */
static int grow_locked(struct zsi_meta *m, uint64_t top)
{
	if (top > m->reserved) {
		errno = ENOMEM;
		return -1;
	}
	uint64_t charged = m->committed == 0 ? 0 : zsi_round_up(m->top, CHARGE_STEP);
	uint64_t more = zsi_round_up(top, CHARGE_STEP) - charged;

	if (more > 0 && zsi_charge_metadata(m->account, more) != 0)
		return -1;
	if (top > m->committed) {
		uint64_t end = zsi_min(zsi_round_up(top, COMMIT_STEP), m->reserved);

		if (zsi_os.commit(m->base + m->committed, end - m->committed, ZSI_OS_NO_HUGEPAGE) != 0) {
			zsi_uncharge_metadata(m->account, more);
			errno = ENOMEM;
			return -1;
		}
		m->committed = end;
	}
	m->top = top;
	return 0;
}

uint32_t zsi_meta_alloc(struct zsi_meta *m, size_t bytes)
{
	ZSI_ASSERT(bytes > 0 && bytes <= ZSI_META_MAX_BYTES);
	unsigned bucket = bucket_of(bytes);
	uint64_t size = bucket_bytes(bucket);
	uint32_t ref;

	ZSI_ASSERT(bucket < ZSI_META_BUCKETS && size >= bytes);
	zsi_lock(&m->lock, ZSI_RANK_META);
	ref = m->free[bucket];
	if (ref != 0) {
		memcpy(&m->free[bucket], zsi_meta_ptr(m, ref), sizeof(ref));
		m->free_bytes -= size;
	} else {
		uint64_t start = m->top;

		if (grow_locked(m, start + size) == 0)
			ref = (uint32_t)(start >> ZSI_META_UNIT_SHIFT);
	}
	zsi_unlock(&m->lock, ZSI_RANK_META);
	return ref;
}

void zsi_meta_free(struct zsi_meta *m, uint32_t ref, size_t bytes)
{
	unsigned bucket = bucket_of(bytes);

	if (ref == 0)
		return;
	zsi_lock(&m->lock, ZSI_RANK_META);
	memcpy(zsi_meta_ptr(m, ref), &m->free[bucket], sizeof(ref));
	m->free[bucket] = ref;
	m->free_bytes += bucket_bytes(bucket);
	zsi_unlock(&m->lock, ZSI_RANK_META);
}
