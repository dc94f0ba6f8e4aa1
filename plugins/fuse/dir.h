/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dir.h - the names in one directory: found by name in constant time, and listed in the order in which they were made.
 *
 *   slots   cookie | name     in the order of their cookies, which only grow; a removed one has no name
 *   index   numbers of slots, by the hash of the name, probed linearly; 0: none, n: slot n - 1
 *
 * A reader of the directory says which cookie it had last, and goes on behind it. So what is there all the time is seen
 * exactly once, whatever is added and removed meanwhile. Slots of removed names go when the array is full or mostly
 * empty: cookies stay.
 *
 *   live <= used <= room        index_room: a power of two, at least 3/2 room
 *
 * A directory holds a reference of each node that it names. All need the lock of the directory's node: those that
 * change it exclusive, the others shared.
 */
#ifndef ZS_FUSE_DIR_H
#define ZS_FUSE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

struct node;

struct name {
	struct node *node;
	uint32_t hash;
	uint8_t len;
	char bytes[]; /* no 0 behind them */
};

enum {
	NAME_MAX_BYTES = 255,
	DIR_FIRST_COOKIE = 3, /* 1 and 2 are those of "." and ".." */
};

struct dir_slot {
	uint64_t cookie;
	struct name *name;
};

struct dir {
	struct dir_slot *slots;
	uint32_t *index;
	uint32_t used, live, room, index_room;
	uint64_t next_cookie;
	uint64_t up; /* the inode number of the directory that this one is in */
};

/* One that has no names. NULL with errno, here as below. */
struct dir *dir_create(struct memory *memory);

/* With what names it has; whose nodes they are is forgotten. NULL is a no-op. */
void dir_free(struct memory *memory, struct dir *d);

/* For a node; to be put into a directory, or freed. */
struct name *name_create(struct memory *memory, const char *bytes, size_t len, uint64_t seed, enum memory_for what);

uint32_t name_hash(const char *bytes, size_t len, uint64_t seed);

/* NULL: it is not there. */
struct name *dir_find(const struct dir *d, const char *bytes, size_t len, uint32_t hash);

/* Make room for one more name. 0, or -1 with errno; then dir_add() can't fail. */
int dir_reserve(struct memory *memory, struct dir *d, enum memory_for what);
void dir_add(struct dir *d, struct name *name);

/* Take a name out; it is the caller's then. */
void dir_remove(struct memory *memory, struct dir *d, struct name *name);

/* The first slot behind a cookie that has a name; NULL: there is none. */
const struct dir_slot *dir_next(const struct dir *d, uint64_t cookie);

#endif
