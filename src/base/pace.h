/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pace.h - a background thread's share of a processor, kept by sleeping after each piece of work:
 *
 *   worked / (worked + waited + asleep) = percent / 100
 *
 * by the thread's own clock, so that who waits for readers or for a lock is not charged for it. Of its share, what it did
 * not use in the last ten seconds is saved up for a surge of work (cpu.max.burst does the same for a control group).
 */
#ifndef ZSI_BASE_PACE_H
#define ZSI_BASE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC. */
uint64_t zsi_now_ns(void);

/* Time as it passes, and what of it this thread had the processor for. */
struct zsi_spent {
	uint64_t wall_ns;
	uint64_t cpu_ns;
};

/* One thread's. */
struct zsi_pace {
	unsigned percent;       /* 1 to 100 */
	struct zsi_spent start; /* of the piece of work; of the processor what waking up for it took as well */
	struct zsi_spent at;    /* what the savings were last worked out for */
	int64_t saved_ns;       /* of the processor's time; negative: owed */
};

/* Of the thread that calls; no savings yet. */
void zsi_pace_init(struct zsi_pace *p, unsigned percent);

/* A piece of work begins. */
void zsi_pace_start(struct zsi_pace *p);

/* It has ended: how long to sleep, in ns. In a surge for no more than what is owed, so that savings are spent first. */
uint64_t zsi_pace_pause(struct zsi_pace *p, bool surge);

#endif
