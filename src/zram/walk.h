/* SPDX-License-Identifier: BSD-3-Clause */
/* walk.h - a walk over the blocks of a device, and which of them recompression and writeback are about. */
#ifndef ZSI_ZRAM_WALK_H
#define ZSI_ZRAM_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct zram;
struct zsi_asker;
struct zsi_stream;

enum zsi_choice {
	ZSI_CHOOSE_ALL,
	ZSI_CHOOSE_IDLE,
	ZSI_CHOOSE_HUGE,
	ZSI_CHOOSE_HUGE_IDLE,
	ZSI_CHOOSE_INCOMPRESSIBLE,
};

/* 0 to go on; else the walk ends with that result. No lock is held; the stream may be used. */
typedef int (*zsi_visit_fn)(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg);

/* By its name in the attributes' type=; false: it is none. */
bool zsi_walk_parse_choice(const char *text, enum zsi_choice *choice);

/*
 * Whether a block with this word is chosen at time `now`: it is stored in memory, not one word over and over, and of
 * that kind.
 */
bool zsi_walk_chosen(const struct zsi_asker *asker, enum zsi_choice choice, uint64_t meta, uint32_t now);

/* Visit the blocks of [from, to) that may be used. -1: the device is not initialised, or no longer. */
int zsi_walk_blocks(struct zram *z, uint64_t from, uint64_t to, zsi_visit_fn visit, void *arg);

/*
 * The same with a stream in hand, for at most so many blocks and holes. *from: where to go on; UINT64_MAX: there is
 * nothing left.
 */
int zsi_walk_some(struct zram *z, struct zsi_stream *s, uint64_t *from, uint64_t to, unsigned most, zsi_visit_fn visit,
		  void *arg);

/*
 * Whether a block was last accessed so long ago. Signed: another thread may have accessed it after this one took its
 * stream.
 */
bool zsi_walk_is_old(uint64_t meta, uint32_t now, int32_t ticks);

#endif
