/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock.h - a lock of four bytes, shared or exclusive, for structs of which there are millions.
 *
 * pthread's take 40 and 56. Who waits sleeps in the kernel (futex). Nobody starves: once somebody waits, those who come
 * later wait too, readers as well. Not recursive. An unlock is a release, a lock an acquire: they pair with each other.
 *
 *   state = WRITER, or the number of readers; and WAITED where somebody sleeps
 *
 * The order of locks in this folder, the first is taken first:
 *
 *   gate > io of a file > lock of a directory > lock of one below it > lock of any other node > space, memory
 *
 * Of two directories the second one is only tried (tree.c).
 */
#ifndef ZS_FUSE_LOCK_H
#define ZS_FUSE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All zeros: free. */
struct lock {
	_Atomic uint32_t state;
};

void lock_shared(struct lock *l);
void lock_exclusive(struct lock *l);
bool lock_try_exclusive(struct lock *l);
void unlock_shared(struct lock *l);
void unlock_exclusive(struct lock *l);

#endif
