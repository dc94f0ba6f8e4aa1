/* SPDX-License-Identifier: BSD-3-Clause */
/* idle.h - which blocks recompression and writeback are about. */
#ifndef ZSI_ZRAM_IDLE_H
#define ZSI_ZRAM_IDLE_H

#include <stdbool.h>
#include <stdint.h>

struct zram;
struct zsi_stream;

enum zsi_choice {
	ZSI_CHOOSE_ALL,
	ZSI_CHOOSE_IDLE,
	ZSI_CHOOSE_HUGE,
	ZSI_CHOOSE_HUGE_IDLE,
	ZSI_CHOOSE_INCOMPRESSIBLE,
};

/* By its name in the attributes' type=; false: it is none. */
bool zsi_parse_choice(const char *text, enum zsi_choice *choice);

/*
 * Who asks for a recompression or a writeback. To the background a block is idle by its age alone, so that what somebody
 * marks by hand is his; and it takes no marks away, since it may be his as well.
 */
struct zsi_asker {
	bool background;
	int32_t ticks; /* the background's age */
};

/*
 * Whether a block with this word is chosen at time `now`: it is stored in memory, not one word over and over, and of that
 * kind.
 */
bool zsi_chosen(const struct zsi_asker *asker, enum zsi_choice choice, uint64_t meta, uint32_t now);

/*
 * One recompression or writeback at a time. EAGAIN: somebody else's is under way. The background's makes way for one by
 * hand, which waits for that: between any two blocks it looks whether zsi_pp_should_end().
 */
int zsi_pp_begin(struct zram *z, const struct zsi_asker *asker, const char *what);
void zsi_pp_end(struct zram *z, const struct zsi_asker *asker);
bool zsi_pp_should_end(struct zram *z, const struct zsi_asker *asker);

/* The attributes' work, for either of them. */
int zsi_recompress(struct zram *z, const char *value, const struct zsi_asker *asker);
int zsi_writeback(struct zram *z, const char *value, const struct zsi_asker *asker);

/* Mark what is at least so old, and take no mark away. */
int zsi_mark_old(struct zram *z, int32_t ticks);

/* 0 to go on; else the walk ends with that result. No lock is held; the stream may be used. */
typedef int (*zsi_visit_fn)(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg);

/* Visit the blocks of [from, to) that may be used. -1: the device is not initialised, or no longer. */
int zsi_walk_blocks(struct zram *z, uint64_t from, uint64_t to, zsi_visit_fn visit, void *arg);

#endif
