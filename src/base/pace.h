/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pace.h - a background thread's share of a processor, kept by sleeping after each piece of work:
 *
 *   worked / (worked + waited + asleep) = percent / 100
 *
 * by the thread's own clock, so that who waits for readers or for a lock is not charged for it. Of its share, what it
 * did not use in the last ten seconds is saved up for a surge of work (cpu.max.burst does the same for a control
 * group).
 *
 * The share protects whoever else wants a processor. Where nobody does, sleeping helps nobody: the thread then goes
 * on, as one of idle priority would. It is not made one, since it holds locks while it works, and one who waits for a
 * lock that a thread of idle priority holds waits until all others rest; nor can a thread without privileges go back
 * to what it was. Whether somebody else wants the processor shows in the work itself: a thread that is the only one is
 * not taken off it. Who is not, is, at the scheduler's next tick. So sleeps are put off as long as that doesn't
 * happen. When it did not for several ticks nobody was kept waiting, and what was put off is owed no more; when it
 * does before, all of it is slept.
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
	uint64_t taken; /* times that the processor was taken away, by the kernel's count */
};

/* One thread's. */
struct zsi_pace {
	unsigned percent;       /* 1 to 100 */
	struct zsi_spent start; /* of the piece of work; of the processor what waking up for it took as well */
	struct zsi_spent at;    /* what the savings were last worked out for */
	int64_t saved_ns;       /* of the processor's time; negative: owed */
	uint64_t alone_ns;      /* worked since it was last taken away for more than moments */
	uint64_t put_off_ns;    /* of sleep */
};

/* Of the thread that calls; no savings yet. */
void zsi_pace_init(struct zsi_pace *p, unsigned percent);

/* A piece of work begins. */
void zsi_pace_start(struct zsi_pace *p);

/* It has ended: how long to sleep, in ns. In a surge for no more than what is owed, so that savings are spent first. */
uint64_t zsi_pace_pause(struct zsi_pace *p, bool surge);

/* Put that sleep off, since nobody else wants the processor. False: somebody did, sleep. */
bool zsi_pace_put_off(struct zsi_pace *p, uint64_t pause_ns);

#endif
