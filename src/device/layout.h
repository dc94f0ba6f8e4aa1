/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layout.h - what a device is made of: the block table, streams and contexts, the limit, dictionaries, the backing
 * file. Each struct is explained at the head of the header whose functions work on it; device.h embeds them.
 */
#ifndef ZSI_DEVICE_LAYOUT_H
#define ZSI_DEVICE_LAYOUT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

#include "base/bits.h"
#include "base/lock.h"

struct zsi_codec;
struct zsi_codec_ctx;
struct zsi_codec_dict;

#define ZSI_SIZE_MASK 0x1ffffull
#define ZSI_LOCK (1ull << 17)
#define ZSI_USED (1ull << 18)           /* something is stored */
#define ZSI_SAME (1ull << 19)           /* one machine word over and over */
#define ZSI_ZERO (1ull << 20)           /* SAME, and the word is 0 */
#define ZSI_HUGE (1ull << 21)           /* stored as it is */
#define ZSI_WB (1ull << 22)             /* in the backing file */
#define ZSI_IDLE (1ull << 23)           /* not accessed since it was marked */
#define ZSI_INCOMPRESSIBLE (1ull << 24) /* no algorithm shrinks it */
#define ZSI_CHOSEN (1ull << 25)             /* chosen for recompression or writeback, not accessed since */
#define ZSI_PRIORITY_SHIFT 26           /* which of the device's algorithms compressed it */
#define ZSI_PRIORITY_MASK (3ull << ZSI_PRIORITY_SHIFT)
#define ZSI_DICT_SHIFT 28 /* which trained dictionary it needs; 0: none */
#define ZSI_DICT_MASK (7ull << ZSI_DICT_SHIFT)
#define ZSI_TOUCHED (1ull << 31) /* saved, or written since the moment of the save under way: see save.h */
#define ZSI_TIME_SHIFT 32        /* of the last access, in ticks of zsi_tick_now() */

struct zsi_block {
	uint64_t handle; /* Guarded by the lock bit */
	_Atomic uint64_t meta;
};

_Static_assert(sizeof(struct zsi_block) == 16, "16 bytes a block");

#define ZSI_CHUNK_PRESENT (1u << 31)
#define ZSI_CHUNKS_PENDING 64u

struct zsi_table {
	/* Immutable while the device is initialised. */
	struct zsi_block *blocks;
	_Atomic uint32_t *chunks;
	uint32_t *sums;            /* NULL: no checksums. An entry is guarded by its block's lock bit */
	_Atomic uint64_t *touched; /* bit: page of chunks[] was written, and is charged. Set under lock */
	uint64_t nr_blocks;
	uint64_t nr_chunks;
	unsigned chunk_shift;                          /* log2 of the blocks in a chunk */
	unsigned directory_shift;                      /* log2 of the chunks in a page of chunks[] */
	size_t chunk_bytes;                            /* of both arrays together */
	size_t blocks_bytes, chunks_bytes, sums_bytes; /* reserved */

	struct zsi_lock lock;                 /* rank TABLE */
	uint64_t granule;                     /* bytes of blocks[] that are made accessible at once; as above */
	uint64_t *accessible;                 /* bit: granule is. Guarded by lock, as all that follows */
	uint64_t pending[ZSI_CHUNKS_PENDING]; /* chunks that became empty; some may be in use again */
	_Atomic unsigned nr_pending;          /* ZSI_CHUNKS_PENDING + 1: there were more, look at all */
};

#define ZSI_BACKING_UNIT_SHIFT 9

struct zsi_backing {
	char *path;       /* NULL: none. Fixed once initialised, as fd, nr_units and bytes */
	int fd;           /* -1: none, or the parent's */
	uint64_t nr_units;
	uint64_t bytes;   /* of map, charged */
	_Atomic uint32_t batch_size; /* writeback_batch_size, blocks */
	bool raw;         /* blocks are there as they are read: not compressed_writeback. Fixed once initialised */
	struct zsi_lock lock; /* rank MEMORY */
	uint64_t *map;        /* bit: unit is in use. Guarded by lock, as all that follows */
	uint64_t used;        /* units */
	uint64_t cursor;      /* unit to look from */
	bool limited;         /* writeback_limit_enable */
	uint64_t limit_units; /* what may still be written */
};

#define ZSI_PRIORITIES 4u /* algorithms of a device: one primary, three for recompression */
#define ZSI_STREAMS 128u
#define ZSI_DICTS 8u /* trained dictionaries alive at once; number 0 is none */

#define ZSI_KINDS (2 * ZSI_PRIORITIES)
#define ZSI_COMPRESSOR(priority) (priority)
#define ZSI_DECOMPRESSOR(priority) (ZSI_PRIORITIES + (priority))

/* What threads have of their own and is not taken from them, each sort of it, is at most this part of mem_limit. */
#define ZSI_OTHERS_PER_LIMIT 64u
#define ZSI_OTHERS (ZSI_PRIORITIES + 2u) /* decompressors, buffers, and compressors where these are few */

#define ZSI_OWN_BYTES ((uint64_t)1 << 20)
#define ZSI_IDLE_SECONDS 60u

/* What a stream counts. Sums over all streams are the device's. Those that end in _TOTAL only grow. */
enum zsi_counter {
	ZSI_N_STORED,      /* blocks USED */
	ZSI_N_COMPR_BYTES, /* sizes of the objects in the pool, added up */
	ZSI_N_SAME,        /* blocks SAME */
	ZSI_N_HUGE,        /* blocks HUGE and in the pool */
	ZSI_N_HUGE_TOTAL,  /* blocks that were stored HUGE */
	ZSI_N_FAILED_READS_TOTAL,
	ZSI_N_FAILED_WRITES_TOTAL,
	ZSI_N_NOTIFY_FREE_TOTAL,   /* blocks discarded or zeroed, whether they were used or not */
	ZSI_N_READS_TOTAL,         /* blocks read */
	ZSI_N_WRITES_TOTAL,        /* blocks written */
	ZSI_N_BAD_SUMS_TOTAL,      /* reads of a block whose checksum was wrong */
	ZSI_N_BACKED,              /* blocks WB */
	ZSI_N_BACKED_READS_TOTAL,  /* units of the backing file */
	ZSI_N_BACKED_WRITES_TOTAL, /* the same */
	ZSI_N_DICT,                /* and the ZSI_DICTS - 1 after it: blocks that need dictionary i */
	ZSI_COUNTERS = ZSI_N_DICT + ZSI_DICTS,
};

struct zsi_stream {
	_Alignas(ZSI_CACHE_LINE) _Atomic uint32_t busy; /* 1: a thread is inside with it */
	unsigned number;
	/* The rest is of whoever made busy 1. Pointers are NULL, bytes 0, while the stream is empty. */
	uint8_t *out;                         /* what compressing makes: the bound of the device's algorithms */
	uint8_t *block;                       /* a block, for parts of blocks */
	uint8_t *copy;                        /* a page of the pool, for objects that span two */
	uint64_t bytes;                       /* of these, charged */
	uint32_t now;                         /* ticks; when it was taken */
	uint32_t used[ZSI_KINDS];             /* ticks; when the context was */
	struct zsi_codec_ctx *ctx[ZSI_KINDS]; /* its own ones */
	/* Written by the holder with plain stores; read by anybody, hence atomic. */
	_Alignas(ZSI_CACHE_LINE) _Atomic int64_t counters[ZSI_COUNTERS];
};

/* The common context of a kind. */
struct zsi_common {
	_Alignas(ZSI_CACHE_LINE) struct zsi_lock lock; /* rank CONTEXT: the context is in use, made or freed */
	uint32_t used;                                 /* ticks; Guarded by lock */
	/* Those that are always there, all but compressors of secondary algorithms, change only as the pool does. */
	struct zsi_codec_ctx *ctx;  /* else Guarded by lock; NULL: none of this kind is needed, or just now */
	bool needs_none;            /* it is of no memory: used without the lock, by any number of threads */
	bool stays;                 /* a secondary algorithm's is not freed while the device is initialised */
	uint64_t bytes;             /* of one, when it was made first */
	_Atomic uint64_t own_bytes; /* of the streams' own ones of this kind */
};

struct zsi_contexts {
	struct zsi_common common[ZSI_KINDS];
	unsigned processors;      /* set when the device is initialised */
	uint64_t buffer_bytes;    /* of all streams. Guarded by z->lock */
	_Atomic uint32_t refused; /* ticks; when memory was refused last, so that own compressors had to go */
};

/* Time in eighths of a second since some moment before the device was made; and a number of seconds in it. */
#define ZSI_TICKS_PER_SECOND 8u

#define ZSI_DEVICE_NAME_BYTES 64u

/* An algorithm of the device and how it is used. Fixed once initialised. */
struct zsi_alg {
	const struct zsi_codec *codec; /* NULL: none of this priority */
	int level;
	bool has_level; /* else the codec's default, which is then in level */
	bool kernel;    /* compress by zsi_codec_kernel() of the codec */
	uint8_t *dict_data;
	size_t dict_data_bytes;
	struct zsi_codec_dict *dict; /* of dict_data; made when the device is initialised */
};

/* A device's memory beside the pool, against the limit. */
struct zsi_memory {
	struct zsi_lock lock;   /* rank MEMORY */
	_Atomic uint64_t own;   /* bytes; changed under lock */
	_Atomic uint64_t limit; /* mem_limit, bytes; 0 = none. Changed under lock */
	_Atomic uint64_t hits;  /* what the limit refused beside the pool */
	bool unchecked; /* initialising: the limit is looked at when it is known what is needed. Guarded by z->lock */
};

struct zsi_dict {
	uint8_t *data;
	size_t data_bytes;
	struct zsi_codec_dict *digested[ZSI_PRIORITIES]; /* NULL where the algorithm takes none */
	uint64_t bytes;                                  /* of all that, charged */
};

struct zsi_train {
	struct zsi_dict *versions[ZSI_DICTS]; /* NULL: number not in use. Changed while the gate is closed */
	unsigned current;                     /* as above */
	struct zsi_lock lock;                 /* rank TRAIN: starting and stopping the thread; taken before z->lock */
	bool started;                         /* there is a thread to join. Guarded by lock */
	pthread_t thread;                     /* as above */
	_Atomic bool running;                 /* it has not come to its end yet */
	_Atomic bool stop;                    /* it should */
	_Atomic uint64_t next_stored;         /* train when so many bytes are stored, */
	_Atomic uint64_t next_written;        /* or so many blocks were written */
	uint64_t tried;                       /* trainings that came to an end. Guarded by z->lock */
};

struct zsi_background {
	struct zsi_lock lock;          /* rank TRAIN: starting and stopping; taken before z->lock */
	bool started;                  /* Guarded by lock */
	bool running;                  /* there is a thread to join. Guarded by lock */
	struct zram_background policy; /* its strings are copies. Changed while there is no thread */
	pthread_t thread;              /* Guarded by lock */
	_Atomic uint32_t stop;         /* a futex: 1 tells the thread to stop */
	_Atomic bool at_work;          /* its recompression or writeback is under way, or about to be */
	_Atomic uint32_t in_the_way;   /* of so many that wait for its end */
};

#endif
