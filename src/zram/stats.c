/* SPDX-License-Identifier: BSD-3-Clause */
/* stats.c - sums over all streams, and the numbers of the pool and the backing file beside them. */
#include "zram/stats.h"

#include <string.h>

#include "base/bits.h"
#include "base/lock.h"
#include "codec/codec.h"
#include "device/device.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/streams.h"

/*
 * Streams are read one after the other, so a sum may miss one half of what another thread is just moving: never below
 * 0.
 */
static uint64_t counted(struct zram *z, enum zsi_counter which)
{
	int64_t n = zsi_streams_counted(z, which);

	return n > 0 ? (uint64_t)n : 0;
}

static void read_pool_locked(struct zram *z, struct zsi_stats *s)
{
	struct zs_pool_stats ps = ZS_POOL_STATS_INIT;

	if (z->pool == NULL)
		return;
	zs_pool_stats(z->pool, &ps);
	s->mem_used_total = (uint64_t)ps.pages_used * z->pool_options.page_size;
	s->pages_compacted = ps.pages_compacted;
	s->memory_bytes += ps.bytes_total;
	s->metadata_bytes += ps.bytes_metadata;
	s->limit_hits += ps.limit_hits;
}

static void read_algorithms_locked(struct zram *z, struct zsi_stats *s)
{
	for (unsigned p = 0; p < ZSI_PRIORITIES; p++)
		s->algorithms[p] = z->algs[p].codec != NULL ? zsi_codec_name(z->algs[p].codec) : NULL;
	s->dictionary_trainings = z->train.tried;
	for (unsigned v = 1; v < ZSI_DICTS; v++) {
		if (z->train.versions[v] == NULL)
			continue;
		s->dictionaries++;
		s->dictionary_bytes += z->train.versions[v]->bytes;
		s->dictionary_blocks += counted(z, (enum zsi_counter)(ZSI_N_DICT + v));
	}
}

void zsi_stats_read(struct zram *z, struct zsi_stats *s)
{
	memset(s, 0, sizeof(*s));
	/* Of a device that nobody uses, who asks what it holds is the first to come by. */
	zsi_streams_look(z);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	s->disksize = zram_disksize(z);
	s->block_size = z->block_size;
	s->own_bytes = atomic_load_explicit(&z->memory.own, memory_order_relaxed);
	s->memory_bytes = s->metadata_bytes = s->own_bytes;
	s->limit_hits = atomic_load_explicit(&z->memory.hits, memory_order_relaxed);
	s->mem_limit = atomic_load_explicit(&z->memory.limit, memory_order_relaxed);
	s->mem_used_max = atomic_load_explicit(&z->max_used_pages, memory_order_relaxed) * z->pool_options.page_size;
	read_pool_locked(z, s);
	/* What others take meanwhile is in one and not in the other. */
	s->memory_max_bytes = zsi_max(zsi_memory_note_most(z), s->memory_bytes);
	read_algorithms_locked(z, s);
	s->blocks_stored = counted(z, ZSI_N_STORED);
	s->orig_data_size = s->blocks_stored * z->block_size;
	s->compr_data_size = counted(z, ZSI_N_COMPR_BYTES);
	s->same_pages = counted(z, ZSI_N_SAME);
	s->huge_pages = counted(z, ZSI_N_HUGE);
	s->huge_pages_since = counted(z, ZSI_N_HUGE_TOTAL);
	s->failed_reads = counted(z, ZSI_N_FAILED_READS_TOTAL);
	s->failed_writes = counted(z, ZSI_N_FAILED_WRITES_TOTAL);
	s->notify_free = counted(z, ZSI_N_NOTIFY_FREE_TOTAL);
	s->bd_count = counted(z, ZSI_N_BACKED);
	s->bd_reads = counted(z, ZSI_N_BACKED_READS_TOTAL) << ZSI_BACKING_UNIT_SHIFT;
	s->bd_writes = counted(z, ZSI_N_BACKED_WRITES_TOTAL) << ZSI_BACKING_UNIT_SHIFT;
	s->reads = counted(z, ZSI_N_READS_TOTAL);
	s->writes = counted(z, ZSI_N_WRITES_TOTAL);
	s->bad_checksums = counted(z, ZSI_N_BAD_SUMS_TOTAL);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
}
