/* SPDX-License-Identifier: BSD-3-Clause */
/* stats.h - the device's numbers at one moment, for the attributes and both machine-readable forms. */
#ifndef ZSI_ZRAM_STATS_H
#define ZSI_ZRAM_STATS_H

#include <stdint.h>

struct zram;

struct zsi_stats {
	/* mm_stat, in its order */
	uint64_t orig_data_size, compr_data_size, mem_used_total, mem_limit, mem_used_max, same_pages, pages_compacted,
		huge_pages, huge_pages_since;
	/* io_stat and debug_stat */
	uint64_t failed_reads, failed_writes, notify_free, miss_free;
	/* blocks in the backing file; bytes read from it and written to it */
	uint64_t bd_count, bd_reads, bd_writes;
	/* beyond the kernel's */
	uint64_t reads, writes; /* blocks */
	uint64_t bad_checksums;
	uint64_t memory_bytes;     /* all the device holds: the pool with its metadata, and own_bytes */
	uint64_t memory_max_bytes; /* the most that was since mem_used_max was set back */
	uint64_t metadata_bytes;   /* of it, what is not pages for objects: the pool's metadata, and own_bytes */
	uint64_t own_bytes;        /* of it, beside the pool: table, contexts, dictionaries, the device itself */
	uint64_t limit_hits;  /* of requests beside the pool */
	uint64_t blocks_stored;
	uint64_t disksize, block_size;
	uint64_t dictionaries, dictionary_bytes, dictionary_blocks; /* trained ones, and the blocks that need one */
	uint64_t dictionary_trainings; /* that came to an end, whether they brought one or not */
	const char *algorithms[4];     /* by priority; NULL: none */
};

/* All 0 but for the sizes while the device is not initialised. Takes z->lock. */
void zsi_stats_read(struct zram *z, struct zsi_stats *s);

#endif
