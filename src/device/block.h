/* SPDX-License-Identifier: BSD-3-Clause */
/* block.h - what one block holds: made, installed, loaded, freed. The caller holds a stream. */
#ifndef ZSI_DEVICE_BLOCK_H
#define ZSI_DEVICE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

#include "device/device.h"

struct zsi_codec_dict;
struct zsi_stream;

/* What a block will be: made without any lock, put in place with the block's. */
struct zsi_stored {
	uint64_t handle;
	uint64_t meta; /* without lock and time */
	uint32_t sum;
	bool in_place;    /* handle is the block's own: its object has been given the new bytes */
	const void *data; /* bytes of an object that is still to be allocated, zsi_meta_size(meta) of them; else NULL */
};

/*
 * Put len bytes into the pool as they are: 0, or -1 with ENOMEM. For what was there already, here or in a saved form:
 * the reserve may be used.
 */
int zsi_block_store(struct zram *z, const void *data, size_t len, uint64_t *handle);
void zsi_block_drop(struct zram *z, const struct zsi_stored *stored);

/* What a block with these contents is stored as: one word, or the bytes of an object, in s->out or where they are. */
void zsi_block_shape(struct zram *z, struct zsi_stream *s, const void *data, struct zsi_stored *stored);

/*
 * Allocate the object of what a block will be, as long as there is memory: 0, or -1 with ENOMEM. No lock is needed,
 * that of the block is allowed. there: the block holds something, which will be replaced; then nothing is compacted
 * for it.
 */
int zsi_block_make(struct zram *z, struct zsi_stored *stored, bool there);

/*
 * After that failed, with the block locked, whose word is meta and USED: where its object lies, if the new bytes fit
 * there; or with the reserve. 0, or -1 with ENOMEM and nothing changed; else it is to be installed. As long as the
 * bytes are the same the block's readers are kept out by its lock, and everybody else by the object's.
 */
int zsi_block_fit(struct zram *z, uint64_t index, uint64_t meta, struct zsi_stored *stored);

/*
 * Replace what a locked block holds, whose word is meta. The word to unlock it with. install is for what was written
 * just now: it counts a HUGE block, and the block as accessed. replace is for the same contents in another form.
 */
uint64_t zsi_block_replace(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta,
			   const struct zsi_stored *stored);
uint64_t zsi_block_install(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta,
			   const struct zsi_stored *stored);

/* Free what a locked block holds: pool object, backing space, counts. The word of an unused block, 0. */
uint64_t zsi_block_free(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta);

/* The contents of a locked block into buf, block_size bytes. -1: EIO, ENOMEM. */
int zsi_block_load(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta, void *buf);

/* The dictionary for an algorithm: that of the trained version, or where that is 0 the one it was given. NULL: none. */
static inline const struct zsi_codec_dict *zsi_dict_of(const struct zram *z, unsigned priority, unsigned version)
{
	return version == 0 ? z->algs[priority].dict : z->train.versions[version]->digested[priority];
}

#endif
