/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * device.h - a zram device; the calls between the files of this folder.
 *
 * Who does what: device.c makes, initialises, resets; table.c keeps the block table; gate.c knows who is inside, streams.c
 * what they work with; block.c stores, loads and frees one block; io.c cuts ranges into blocks; memory.c holds the device to its limit; algs.c the
 * algorithms and their parameters; attr.c the attributes; stats.c counts, print.c prints; sum.c checksums;
 * train.c dictionaries; info.c says what is stored; idle.c, recompress.c and writeback.c what is done with blocks that nobody uses, backing.c the file
 * for that; save.c and load.c the saved form, stream.c its bytes; background.c the background thread.
 *
 * A device is initialised when it has a size: pool is not NULL then. What "fixed once initialised" fields are changes
 * only while it is not, with z->lock held; what initialising makes (pool, table, streams) comes and goes with z->lock
 * held and the gate closed, so that one who holds either z->lock or a stream may use it.
 *
 * Lock order: save_lock -> background.lock, train.lock -> z->lock -> gate (waits for streams) ; stream -> block bit -> that of a context -> table.lock -> memory.lock -> those of the
 * pool. Nobody waits for z->lock with a stream in hand.
 *
 * Equations, when no call is running:
 *
 *   STORED      = blocks USED = sum of the counts in table.chunks
 *   COMPR_BYTES = sum of the sizes of blocks that are USED and neither SAME nor WB
 *   memory.own  = device + buffers + contexts + table chunks + dictionaries, and what training or saving holds meanwhile
 *   memory.own + zs_get_total_bytes(pool) <= mem_limit, where that was not set below it
 */
#ifndef ZSI_ZRAM_DEVICE_H
#define ZSI_ZRAM_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

#include "base/lock.h"
#include "codec/codec.h"
#include "zram/background.h"
#include "device/backing.h"
#include "device/error.h"
#include "device/gate.h"
#include "zram/save.h"
#include "device/streams.h"
#include "device/table.h"
#include "zram/train.h"

#define ZSI_DEVICE_NAME_BYTES 64u

/* An algorithm of the device and how it is used. Fixed once initialised. */
struct zsi_alg {
	const struct zsi_codec *codec; /* NULL: none of this priority */
	int level;
	bool has_level; /* else the codec's default, which is then in level */
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
	bool unchecked;         /* initialising: the limit is looked at when it is known what is needed. Guarded by z->lock */
};

struct zram {
	char name[ZSI_DEVICE_NAME_BYTES];    /* immutable */
	unsigned flags;                      /* immutable */
	size_t block_size;                   /* immutable */
	unsigned block_shift;                /* immutable */
	struct zs_pool_options pool_options; /* immutable; pages points to the next, or is NULL */
	struct zs_page_source page_source;   /* immutable */

	_Alignas(ZSI_CACHE_LINE) _Atomic uint32_t gate; /* 1: closed */
	_Atomic uint32_t look_at;                       /* ticks; when to look for idle contexts */
	/* What initialising makes, see above. Read by every operation, written by none. */
	struct zs_pool *pool;
	_Atomic uint64_t disksize; /* bytes; may be read by anybody */
	size_t huge_size;          /* an object of so many bytes or more is stored as the whole block */
	struct zsi_table table;
	struct zsi_alg algs[ZSI_PRIORITIES];
	struct zsi_train train;
	struct zsi_backing backing;
	struct zsi_save *save; /* a save under way, or NULL; see save.h */
	_Atomic(struct zsi_stream *)
		streams[ZSI_STREAMS]; /* NULL until first used; stay until the device is destroyed */

	struct zsi_contexts contexts;

	_Alignas(ZSI_CACHE_LINE) struct zsi_lock save_lock; /* rank SAVE: saving, resetting */
	bool marks_left; /* a save that is over may have left blocks TOUCHED. Guarded by save_lock */
	struct zsi_lock pp_lock; /* rank TRAIN: one recompression or writeback at a time */
	struct zsi_background background;
	struct zsi_lock lock; /* rank DEVICE: configuring, initialising, resetting */
	struct zsi_memory memory;
	_Atomic uint64_t max_used_pages; /* of the pool, since mem_used_max was reset */
	_Atomic uint64_t max_bytes;      /* of everything the device holds, since then */
	struct zram *next;               /* of all devices; Guarded by fork.c's lock */
};

/* --- device.c --- */

/* Initialise with disksize bytes, a multiple of block_size, not 0. -1: EBUSY, ENOMEM, EINVAL. z->lock is held. */
int zsi_device_init_locked(struct zram *z, uint64_t disksize);

/* Back to how it was before it was initialised, with all settings at their defaults. Takes z->lock. */
void zsi_device_reset(struct zram *z);

/* -1 with EBUSY, and what can't be changed as the text, where the device is initialised. z->lock is held. */
int zsi_refuse_initialised_locked(struct zram *z, const char *what);

/* --- fork.c --- */

/* Make sure that the process's fork handlers are there; a pool must have been made. 0, or an errno value. */
int zsi_fork_handlers_for_devices(void);
void zsi_devices_add(struct zram *z);
void zsi_devices_remove(struct zram *z);

/* --- algs.c: z->lock is held, and the device is not initialised --- */

int zsi_alg_set_locked(struct zram *z, unsigned priority, const char *name);
/* The kernel's algorithm_params: "[priority=N|algo=NAME] [level=N] [dict=PATH]". */
int zsi_alg_params_set_locked(struct zram *z, const char *params);
/* "algo=NAME [priority=N]" */
int zsi_alg_recomp_set_locked(struct zram *z, const char *params);
void zsi_algs_reset_locked(struct zram *z);
/* Digest the dictionaries; charge them. */
int zsi_algs_start_locked(struct zram *z);
void zsi_algs_stop_locked(struct zram *z);

/* --- block.c: the caller holds a stream --- */

/* What a block will be: made without any lock, put in place with the block's. */
struct zsi_stored {
	uint64_t handle;
	uint64_t meta; /* without lock and time */
	uint32_t sum;
	bool in_place;    /* handle is the block's own: its object has been given the new bytes */
	const void *data; /* bytes of an object that is still to be allocated, zsi_meta_size(meta) of them; else NULL */
};

static inline struct zsi_block *zsi_block_at(const struct zram *z, uint64_t index)
{
	return &z->table.blocks[index];
}

/* Lock a block of a chunk that is there, waiting for whoever has it; its word without the lock bit. */
uint64_t zsi_block_lock(struct zram *z, uint64_t index);
/* The same without waiting; false: somebody has it. */
bool zsi_block_trylock(struct zram *z, uint64_t index, uint64_t *meta);
/* Release it with this word. */
void zsi_block_unlock(struct zram *z, uint64_t index, uint64_t meta);

/* meta as of a block that is accessed now: not idle, not chosen for anything. */
static inline uint64_t zsi_meta_accessed(const struct zsi_stream *s, uint64_t meta)
{
	return (meta & ((1ull << ZSI_TIME_SHIFT) - 1) & ~(ZSI_IDLE | ZSI_PP)) | (uint64_t)s->now << ZSI_TIME_SHIFT;
}

static inline size_t zsi_meta_size(uint64_t meta)
{
	return (size_t)(meta & ZSI_SIZE_MASK);
}

static inline unsigned zsi_meta_priority(uint64_t meta)
{
	return (unsigned)((meta & ZSI_PRIORITY_MASK) >> ZSI_PRIORITY_SHIFT);
}

static inline unsigned zsi_meta_dict(uint64_t meta)
{
	return (unsigned)((meta & ZSI_DICT_MASK) >> ZSI_DICT_SHIFT);
}

static inline uint32_t zsi_meta_time(uint64_t meta)
{
	return (uint32_t)(meta >> ZSI_TIME_SHIFT);
}

/*
 * Put len bytes into the pool as they are: 0, or -1 with ENOMEM. For what was there already, here or in a saved form: the
 * reserve may be used.
 */
int zsi_block_store(struct zram *z, const void *data, size_t len, uint64_t *handle);
void zsi_block_drop(struct zram *z, const struct zsi_stored *stored);

/* What a block with these contents is stored as: one word, or the bytes of an object, in s->out or where they are. */
void zsi_block_shape(struct zram *z, struct zsi_stream *s, const void *data, struct zsi_stored *stored);

/*
 * Allocate the object of what a block will be, as long as there is memory: 0, or -1 with ENOMEM. No lock is needed, that of
 * the block is allowed. there: the block holds something, which will be replaced; then nothing is compacted for it.
 */
int zsi_block_make(struct zram *z, struct zsi_stored *stored, bool there);

/*
 * After that failed, with the block locked, whose word is meta and USED: where its object lies, if the new bytes fit there; or with
 * the reserve. 0, or -1 with ENOMEM and nothing changed; else it is to be installed. As long as the bytes are the same
 * the block's readers are kept out by its lock, and everybody else by the object's.
 */
int zsi_block_fit(struct zram *z, uint64_t index, uint64_t meta, struct zsi_stored *stored);

/*
 * Replace what a locked block holds, whose word is meta. The word to unlock it with. install is for what was written just
 * now: it counts a HUGE block, and the block as accessed. replace is for the same contents in another form.
 */
uint64_t zsi_block_replace(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta,
			   const struct zsi_stored *stored);
uint64_t zsi_block_install(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta,
			   const struct zsi_stored *stored);

/* Free what a locked block holds: pool object, backing space, counts. The word of an unused block, 0. */
uint64_t zsi_block_free(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta);

/* Free what a block's handle stands for, by its word: the object, or its place in the backing file. */
void zsi_handle_free(struct zram *z, uint64_t handle, uint64_t meta);

/* The stored bytes of a block that is WB into buf. -1: EIO. */
int zsi_block_read_backed(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t handle, uint64_t meta, void *buf);

/* The contents of a locked block into buf, block_size bytes. -1: EIO, ENOMEM. */
int zsi_block_load(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta, void *buf);

/* The dictionary for an algorithm: that of the trained version, or where that is 0 the one it was given. NULL: none. */
static inline const struct zsi_codec_dict *zsi_dict_of(const struct zram *z, unsigned priority, unsigned version)
{
	return version == 0 ? z->algs[priority].dict : z->train.versions[version]->digested[priority];
}

/* --- same.c --- */

/* Whether bytes, a multiple of 64, are one machine word over and over; then which. */
bool zsi_same_filled(const void *data, size_t bytes, uint64_t *word);
void zsi_fill_words(void *data, size_t bytes, uint64_t word);

/* --- memory.c --- */

/*
 * 0, or -1 with ENOMEM and nothing charged. Where the limit refuses it, the pool is compacted first, which waits for
 * readers: the caller holds no lock that one of them may want, that is none of the table's, and not z->lock but for a
 * device that nobody else knows.
 */
int zsi_memory_charge(struct zram *z, uint64_t bytes);
/* The same for the table, which may use the reserve. */
int zsi_memory_charge_reserve(struct zram *z, uint64_t bytes);
/* The same without making room, for what can be done without: a refusal is none that counts. */
bool zsi_memory_try_charge(struct zram *z, uint64_t bytes);
/*
 * Between begin and end charges are not refused, so that it shows what a device needs. check compares: 0, or -1 with
 * ENOMEM where some blocks more would be over mem_limit. z->lock is held.
 */
void zsi_memory_begin_locked(struct zram *z);
int zsi_memory_check_locked(struct zram *z);
void zsi_memory_end_locked(struct zram *z);
void zsi_memory_uncharge(struct zram *z, uint64_t bytes);
/* Change mem_limit: 0 or -1 with EINVAL. z->lock is held. */
int zsi_memory_set_limit_locked(struct zram *z, uint64_t bytes);
/* Whether there is a mem_limit, for messages. */
bool zsi_memory_limited(struct zram *z);
/* What is kept below the limit for what is there: bytes; 0 where there is no limit. */
uint64_t zsi_memory_reserve(struct zram *z);
/* Whether so much is left below the limit, after room was made for it. The caller holds a stream; readers are waited for. */
bool zsi_memory_leaves(struct zram *z, uint64_t spare);
/*
 * Before a write fails for memory: what others can do without goes, contexts of streams first, then a save under way.
 * Whether to try again; *step begins with 0. The caller holds a stream. wanted: as for zsi_save_give_up().
 */
bool zsi_memory_give_up(struct zram *z, unsigned *step, bool wanted);
/* What the pool may hold now; 0 = no limit. memory.lock is held, or nobody else is there. */
uint64_t zsi_memory_pool_limit(struct zram *z);

/* What the device holds now goes into max_bytes, which is returned. */
uint64_t zsi_memory_note_most(struct zram *z);

/* --- gate.c, on behalf of io.c: give empty chunks of the table back when that is worth it. No stream is held. --- */
void zsi_trim(struct zram *z, bool now);

static inline struct zsi_stream *zsi_stream_at(struct zram *z, unsigned i)
{
	/* acquire: pairs with the release that made it */
	return atomic_load_explicit(&z->streams[i], memory_order_acquire);
}

#endif
