/* SPDX-License-Identifier: BSD-3-Clause */
/* turn.h - whose turn it is: one recompression or writeback at a time, and one by hand before the background's. */
#ifndef ZSI_ZRAM_TURN_H
#define ZSI_ZRAM_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct zram;

/*
 * Who asks for a recompression or a writeback. To the background a block is idle by its age alone, so that what
 * somebody marks by hand is his; and it takes no marks away, since it may be his as well.
 */
struct zsi_asker {
	bool background;
	int32_t ticks; /* the background's age */
};

/*
 * One recompression or writeback at a time. EAGAIN: somebody else's is under way. The background's makes way for one by
 * hand, which waits for that: between any two blocks it looks whether zsi_turn_should_end().
 */
int zsi_turn_begin(struct zram *z, const struct zsi_asker *asker, const char *what);
void zsi_turn_end(struct zram *z, const struct zsi_asker *asker);
bool zsi_turn_should_end(struct zram *z, const struct zsi_asker *asker);

#endif
