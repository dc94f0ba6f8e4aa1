/* SPDX-License-Identifier: BSD-3-Clause */
/* dir.c - see dir.h. Arrays are made anew where they grow or shrink; until then the old ones stay. */
#include "dir.h"

#include <string.h>
#include <xxhash.h>

enum { ROOM_MIN = 4 };

struct dir *dir_create(struct memory *memory)
{
	struct dir *d = memory_alloc(memory, sizeof(*d), MEMORY_NEW);
	if (d == NULL)
		return NULL;
	*d = (struct dir){ .next_cookie = DIR_FIRST_COOKIE };
	return d;
}

void dir_free(struct memory *memory, struct dir *d)
{
	if (d == NULL)
		return;
	for (uint32_t i = 0; i < d->used; i++)
		memory_free(memory, d->slots[i].name);
	memory_free(memory, d->slots);
	memory_free(memory, d->index);
	memory_free(memory, d);
}

uint32_t name_hash(const char *bytes, size_t len, uint64_t seed)
{
	return (uint32_t)XXH64(bytes, len, seed);
}

struct name *name_create(struct memory *memory, const char *bytes, size_t len, uint64_t seed, enum memory_for what)
{
	struct name *name = memory_alloc(memory, offsetof(struct name, bytes) + len, what);
	if (name == NULL)
		return NULL;
	name->node = NULL;
	name->hash = name_hash(bytes, len, seed);
	name->len = (uint8_t)len;
	memcpy(name->bytes, bytes, len);
	return name;
}

struct name *dir_find(const struct dir *d, const char *bytes, size_t len, uint32_t hash)
{
	if (d->live == 0)
		return NULL;
	for (uint32_t at = hash;; at++) {
		uint32_t n = d->index[at & (d->index_room - 1)];
		if (n == 0)
			return NULL;
		struct name *name = d->slots[n - 1].name;
		if (name != NULL && name->hash == hash && name->len == len && memcmp(name->bytes, bytes, len) == 0)
			return name;
	}
}

static void index_slot(struct dir *d, uint32_t n)
{
	uint32_t at = d->slots[n].name->hash;
	while (d->index[at & (d->index_room - 1)] != 0)
		at++;
	d->index[at & (d->index_room - 1)] = n + 1;
}

/* Arrays of that room, without the slots of removed names. */
static int rebuild(struct memory *memory, struct dir *d, uint32_t room, enum memory_for what)
{
	uint32_t index_room = ROOM_MIN;
	while (index_room / 3 * 2 < room)
		index_room *= 2;
	struct dir_slot *slots = memory_alloc(memory, room * sizeof(*slots), what);
	uint32_t *index = slots != NULL ? memory_alloc(memory, index_room * sizeof(*index), what) : NULL;
	if (index == NULL) {
		memory_free(memory, slots);
		return -1;
	}
	memset(index, 0, index_room * sizeof(*index));
	uint32_t used = 0;
	for (uint32_t i = 0; i < d->used; i++)
		if (d->slots[i].name != NULL)
			slots[used++] = d->slots[i];
	memory_free(memory, d->slots);
	memory_free(memory, d->index);
	d->slots = slots;
	d->index = index;
	d->used = used;
	d->room = room;
	d->index_room = index_room;
	for (uint32_t i = 0; i < used; i++)
		index_slot(d, i);
	return 0;
}

int dir_reserve(struct memory *memory, struct dir *d, enum memory_for what)
{
	if (d->used < d->room)
		return 0;
	/* Mostly full: larger by a quarter. Else the removed ones go, and as much room is won. */
	uint32_t room = d->live + d->live / 4 + 1;
	return rebuild(memory, d, room < ROOM_MIN ? ROOM_MIN : room, what);
}

void dir_add(struct dir *d, struct name *name)
{
	d->slots[d->used] = (struct dir_slot){ d->next_cookie++, name };
	index_slot(d, d->used++);
	d->live++;
}

static uint32_t slot_of(const struct dir *d, const struct name *name)
{
	for (uint32_t at = name->hash;; at++) {
		uint32_t n = d->index[at & (d->index_room - 1)];
		if (d->slots[n - 1].name == name)
			return n - 1;
	}
}

void dir_remove(struct memory *memory, struct dir *d, struct name *name)
{
	/* The index still leads to the slot, and from there on. */
	d->slots[slot_of(d, name)].name = NULL;
	d->live--;
	if (d->live == 0) {
		memory_free(memory, d->slots);
		memory_free(memory, d->index);
		d->slots = NULL;
		d->index = NULL;
		d->used = d->room = d->index_room = 0;
	} else if (d->live < d->room / 4 && d->room > 4 * ROOM_MIN) {
		(void)rebuild(memory, d, d->live * 2, MEMORY_EXCHANGE);
	}
}

const struct dir_slot *dir_next(const struct dir *d, uint64_t cookie)
{
	uint32_t low = 0, high = d->used;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (d->slots[middle].cookie <= cookie)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < d->used && d->slots[low].name == NULL)
		low++;
	return low < d->used ? &d->slots[low] : NULL;
}
