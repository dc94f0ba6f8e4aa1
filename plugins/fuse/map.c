/* SPDX-License-Identifier: BSD-3-Clause */
/* map.c - from a block of a file to its chunk, its bit, and the run that goes with them. */
#include "map.h"

#include <string.h>

#include "turn.h"

struct map *map_create(struct memory *memory)
{
	struct map *m = memory_alloc(memory, sizeof(*m), MEMORY_NEW);
	if (m != NULL)
		*m = (struct map){ .blocks = 0 };
	return m;
}

/* Of the first blocks: which chunk, where it begins, and its order. */
static unsigned first_chunk(uint64_t block)
{
	return block == 0 ? 0 : 64 - (unsigned)__builtin_clzll(block);
}

static unsigned first_order(unsigned chunk)
{
	return chunk == 0 ? 0 : chunk - 1;
}

static unsigned first_begin(unsigned chunk)
{
	return chunk == 0 ? 0 : 1u << (chunk - 1);
}

/* Where a part of that index is, or would be. */
static uint32_t find_part(const struct map *m, uint64_t index)
{
	uint32_t low = 0, high = m->count;
	/* Most files are written from their beginning to their end. */
	if (high > 0 && m->parts[high - 1].index < index)
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (m->parts[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_part(const struct map *m, uint32_t n, uint64_t index)
{
	return n < m->count && m->parts[n].index == index;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct map_run find_first(const struct map *m, uint64_t block, uint64_t count)
{
	unsigned chunk = first_chunk(block);
	uint32_t at = m->first[chunk];
	uint64_t left = first_begin(chunk) + (1ull << first_order(chunk)) - block;
	uint64_t *word = (uint64_t *)(uintptr_t)&m->present; /* who changes it holds the lock for that */
	return (struct map_run){
		.block = block,
		.at = at != 0 ? at + (uint32_t)(block - first_begin(chunk)) : 0,
		.count = (uint32_t)least(count, left),
		.present = at != 0 ? word : NULL,
		.bit = (unsigned)block,
	};
}

struct map_run map_find(const struct map *m, uint64_t block, uint64_t count)
{
	if (block < MAP_FIRST_BLOCKS)
		return find_first(m, block, count);
	uint64_t index = block / SPACE_SEGMENT;
	uint32_t n = find_part(m, index);
	unsigned in = (unsigned)(block % SPACE_SEGMENT);
	bool have = has_part(m, n, index);
	return (struct map_run){
		.block = block,
		.at = have ? m->parts[n].at + in : 0,
		.count = (uint32_t)least(count, 64 - in % 64),
		.present = have ? &m->parts[n].present[in / 64] : NULL,
		.bit = in % 64,
	};
}

/* Room for one more part. */
static bool grow(struct map *m, struct memory *memory)
{
	if ((m->count & (m->count - 1)) != 0)
		return true;
	/* With a power of two, or none, the array is full. */
	struct map_part *parts = memory_alloc(memory, (m->count == 0 ? 1 : 2 * (size_t)m->count) * sizeof(*parts),
					      MEMORY_NEW);
	if (parts == NULL)
		return false;
	if (m->count > 0)
		memcpy(parts, m->parts, m->count * sizeof(*parts));
	memory_free(memory, m->parts);
	m->parts = parts;
	return true;
}

static bool make_part(struct map *m, struct memory *memory, struct space *space, uint64_t index)
{
	uint32_t n = find_part(m, index);
	if (has_part(m, n, index))
		return true;
	if (!grow(m, memory))
		return false;
	uint32_t at = space_take(space, SPACE_ORDERS - 1);
	if (at == 0)
		return false;
	memmove(&m->parts[n + 1], &m->parts[n], (m->count - n) * sizeof(*m->parts));
	m->parts[n] = (struct map_part){ .index = index, .at = at };
	m->count++;
	return true;
}

struct map_part *map_load_part(struct map *m, struct memory *memory, uint64_t index, uint32_t at)
{
	if (!grow(m, memory))
		return NULL;
	m->parts[m->count] = (struct map_part){ .index = index, .at = at };
	return &m->parts[m->count++];
}

bool map_make(struct map *m, struct memory *memory, struct space *space, uint64_t block, uint64_t count,
	      struct map_run *run)
{
	if (block < MAP_FIRST_BLOCKS) {
		unsigned chunk = first_chunk(block);
		if (m->first[chunk] == 0)
			m->first[chunk] = space_take(space, first_order(chunk));
		if (m->first[chunk] == 0)
			return false;
	} else if (!make_part(m, memory, space, block / SPACE_SEGMENT)) {
		return false;
	}
	*run = map_find(m, block, count);
	return true;
}

static void release_first(struct map *m, struct space *space, unsigned chunk)
{
	struct map_run all = { .count = 1u << first_order(chunk), .bit = first_begin(chunk) };
	if (m->first[chunk] == 0 || (m->present & map_mask(&all)) != 0)
		return;
	space_give(space, m->first[chunk], first_order(chunk));
	m->first[chunk] = 0;
}

void map_release(struct map *m, struct memory *memory, struct space *space, uint64_t block)
{
	if (block < MAP_FIRST_BLOCKS) {
		release_first(m, space, first_chunk(block));
		return;
	}
	uint32_t n = find_part(m, block / SPACE_SEGMENT);
	if (!has_part(m, n, block / SPACE_SEGMENT))
		return;
	for (unsigned w = 0; w < SPACE_SEGMENT / 64; w++)
		if (m->parts[n].present[w] != 0)
			return;
	space_give(space, m->parts[n].at, SPACE_ORDERS - 1);
	m->count--;
	memmove(&m->parts[n], &m->parts[n + 1], (m->count - n) * sizeof(*m->parts));
	/* A power of two has its array full: so one that comes to have as many gets one of that size, or keeps more. */
	if (m->count == 0) {
		memory_free(memory, m->parts);
		m->parts = NULL;
	} else if ((m->count & (m->count - 1)) == 0) {
		struct map_part *parts = memory_alloc(memory, m->count * sizeof(*parts), MEMORY_EXCHANGE);
		if (parts != NULL) {
			memcpy(parts, m->parts, m->count * sizeof(*parts));
			memory_free(memory, m->parts);
			m->parts = parts;
		}
	}
}

/* Discarding what a device has can't fail, but where a block of its backing file can't be given back: it stays then. */
static void free_chunk(struct memory *memory, struct space *space, uint32_t at, unsigned order, unsigned block_shift)
{
	(void)zram_discard(memory->z, (uint64_t)at << block_shift, 1ull << (order + block_shift));
	space_give(space, at, order);
}

void map_free(struct map *m, struct memory *memory, struct space *space, unsigned block_shift)
{
	if (m == NULL)
		return;
	if (m->count > 0)
		turn_pass();
	for (unsigned chunk = 0; chunk < MAP_FIRST; chunk++)
		if (m->first[chunk] != 0)
			free_chunk(memory, space, m->first[chunk], first_order(chunk), block_shift);
	for (uint32_t n = 0; n < m->count; n++)
		free_chunk(memory, space, m->parts[n].at, SPACE_ORDERS - 1, block_shift);
	memory_give_blocks(memory, m->blocks);
	memory_free(memory, m->parts);
	memory_free(memory, m);
}

/* Where the blocks go on that are in no part: the next part begins, or the file ends. */
static uint64_t gap_end(const struct map *m, uint64_t block, uint64_t end)
{
	uint32_t n = find_part(m, block / SPACE_SEGMENT);
	if (n == m->count)
		return end;
	uint64_t next = m->parts[n].index * SPACE_SEGMENT;
	/* The first blocks have bits of their own, and lie before the first part's. */
	return least(next < MAP_FIRST_BLOCKS ? MAP_FIRST_BLOCKS : next, end);
}

uint64_t map_next(const struct map *m, uint64_t block, uint64_t end, bool present)
{
	while (block < end) {
		struct map_run run = map_find(m, block, end - block);
		if (run.present == NULL && !present)
			return block;
		if (run.present != NULL) {
			uint64_t wanted = (present ? *run.present : ~*run.present) & map_mask(&run);
			if (wanted != 0)
				return block + (unsigned)__builtin_ctzll(wanted) - run.bit;
			block += run.count;
		} else {
			block = block < MAP_FIRST_BLOCKS ? block + run.count : gap_end(m, block, end);
		}
	}
	return end;
}
