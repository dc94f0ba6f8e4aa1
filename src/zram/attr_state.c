/* SPDX-License-Identifier: BSD-3-Clause */
/* attr_state.c - the attributes that only tell, in the kernel's formats. */
#include <inttypes.h>

#include "device/device.h"
#include "device/entry.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/table.h"
#include "zram/attr_state.h"
#include "zram/stats.h"
#include "zram/text.h"

/* Blocks printed with a stream in hand. */
#define BATCH 256u

/* The version of the kernel's debug_stat format. */
#define DEBUG_STAT_VERSION 1

int zsi_attr_mm_stat(struct zram *z, struct zsi_text *out)
{
	struct zsi_stats s;

	zsi_stats_read(z, &s);
	zsi_text_add(out,
		     "%8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64
		     " %8" PRIu64 " %8" PRIu64 "\n",
		     s.orig_data_size, s.compr_data_size, s.mem_used_total, s.mem_limit, s.mem_used_max, s.same_pages,
		     s.pages_compacted, s.huge_pages, s.huge_pages_since);
	return 0;
}

/* The third number was the requests with a bad range, which later kernels don't let come so far: 0. */
int zsi_attr_io_stat(struct zram *z, struct zsi_text *out)
{
	struct zsi_stats s;

	zsi_stats_read(z, &s);
	zsi_text_add(out, "%8" PRIu64 " %8" PRIu64 " 0 %8" PRIu64 "\n", s.failed_reads, s.failed_writes, s.notify_free);
	return 0;
}

int zsi_attr_debug_stat(struct zram *z, struct zsi_text *out)
{
	struct zsi_stats s;

	zsi_stats_read(z, &s);
	zsi_text_add(out, "version: %d\n0 %8" PRIu64 "\n", DEBUG_STAT_VERSION, s.miss_free);
	return 0;
}

static void print_block(uint64_t index, uint64_t meta, struct zsi_text *out)
{
	uint32_t time = zsi_meta_time(meta);

	zsi_text_add(out, "%12" PRIu64 " %12" PRIu32 ".%06" PRIu32 " %c%c%c%c%c%c\n", index,
		     time / ZSI_TICKS_PER_SECOND, time % ZSI_TICKS_PER_SECOND * (1000000u / ZSI_TICKS_PER_SECOND),
		     (meta & ZSI_SAME) != 0 ? 's' : '.', (meta & ZSI_WB) != 0 ? 'w' : '.',
		     (meta & ZSI_HUGE) != 0 ? 'h' : '.', (meta & ZSI_IDLE) != 0 ? 'i' : '.',
		     zsi_meta_priority(meta) != 0 ? 'r' : '.', (meta & ZSI_INCOMPRESSIBLE) != 0 ? 'n' : '.');
}

int zsi_attr_block_state(struct zram *z, struct zsi_text *out)
{
	uint64_t index = 0, end;

	do {
		struct zsi_stream *s = zsi_gate_enter(z);
		const struct zsi_table *t = &z->table;

		if (s == NULL)
			return -1;
		end = t->nr_blocks;
		for (unsigned n = 0; n < BATCH && index < end; n++) {
			if (!zsi_table_has(t, index)) {
				index = zsi_table_hole_end(t, index);
				continue;
			}
			uint64_t meta = atomic_load_explicit(&zsi_block_at(z, index)->meta, memory_order_relaxed);

			if ((meta & ZSI_USED) != 0)
				print_block(index, meta, out);
			index++;
		}
		zsi_stream_leave(s);
	} while (index < end);
	return 0;
}
