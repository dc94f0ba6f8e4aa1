/* SPDX-License-Identifier: BSD-3-Clause */
/* data_range.c - what is done to ranges of a file without bytes: cut, punch, reserve, look for holes. See data.h. */
#include <errno.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "data.h"
#include "turn.h"

/* The whole blocks [first, end) go. Both locks are held, exclusive. */
static void drop_blocks_locked(struct fs *fs, struct node *n, uint64_t first, uint64_t end)
{
	struct map *map = n->map;
	if (map->blocks << fs->block_shift >= TURN_BYTES)
		turn_pass();
	for (uint64_t block = first; (block = map_next(map, block, end, true)) < end;) {
		struct map_run run = map_find(map, block, end - block);
		uint64_t gone = *run.present & map_mask(&run);
		uint64_t count = (uint64_t)__builtin_popcountll(gone);
		(void)zram_discard(fs->z, (uint64_t)run.at << fs->block_shift, (uint64_t)run.count << fs->block_shift);
		*run.present &= ~map_mask(&run);
		map->blocks -= count;
		memory_give_blocks(&fs->memory, count);
		map_release(map, &fs->memory, &fs->space, run.block);
		block += run.count;
	}
	if (map->blocks == 0) {
		map_free(map, &fs->memory, &fs->space, fs->block_shift);
		n->map = NULL;
	}
}

/* Bytes within one block become zeros, if it is present. */
static int zero_part_locked(struct fs *fs, struct node *n, uint64_t offset, uint64_t len)
{
	struct map_run run = map_find(n->map, offset >> fs->block_shift, 1);
	if (len == 0 || run.present == NULL || (*run.present & map_mask(&run)) == 0)
		return 0;
	uint64_t address = ((uint64_t)run.at << fs->block_shift) + (offset & (fs->block_size - 1));
	if (zram_zero(fs->z, address, len) == 0)
		return 0;
	if (errno == ENOMEM)
		errno = ENOSPC;
	return -1;
}

/* The range reads as zeros; its whole blocks go. */
static int punch_locked(struct fs *fs, struct node *n, uint64_t offset, uint64_t end)
{
	uint64_t mask = fs->block_size - 1;
	uint64_t first = (offset + mask) & ~mask, last = end & ~mask;
	if (n->map == NULL || offset >= end)
		return 0;
	if (first > last)
		return zero_part_locked(fs, n, offset, end - offset);
	if (zero_part_locked(fs, n, offset, first - offset) != 0 || zero_part_locked(fs, n, last, end - last) != 0)
		return -1;
	drop_blocks_locked(fs, n, first >> fs->block_shift, last >> fs->block_shift);
	return 0;
}

/* Nothing behind the size, and zeros to the end of its block. */
static int cut_locked(struct fs *fs, struct node *n, uint64_t size)
{
	uint64_t mask = fs->block_size - 1;
	uint64_t first = (size >> fs->block_shift) + ((size & mask) != 0);
	if (n->map == NULL)
		return 0;
	if (zero_part_locked(fs, n, size, -size & mask) != 0)
		return -1;
	drop_blocks_locked(fs, n, first, UINT64_MAX >> fs->block_shift);
	return 0;
}

int data_resize(struct fs *fs, struct node *n, uint64_t size)
{
	int result = 0;
	lock_exclusive(&n->io);
	lock_exclusive(&n->lock);
	if (size < n->size)
		result = cut_locked(fs, n, size);
	if (result == 0) {
		n->size = size;
		node_modified_locked(n);
	}
	unlock_exclusive(&n->lock);
	unlock_exclusive(&n->io);
	return result;
}

/* --- fallocate --- */

/* Blocks of the range that are not present. */
static uint64_t missing_locked(const struct map *map, uint64_t block, uint64_t end)
{
	uint64_t missing = end - block;
	while (block < end) {
		struct map_run run = map_find(map, block, end - block);
		if (run.present != NULL)
			missing -= (uint64_t)__builtin_popcountll(*run.present & map_mask(&run));
		block += run.count;
	}
	return missing;
}

/* They become so. Those that can't be, for memory, are counted no more. */
static int reserve_blocks_locked(struct fs *fs, struct map *map, uint64_t block, uint64_t end, uint64_t missing)
{
	while (block < end) {
		struct map_run run;
		if (!map_make(map, &fs->memory, &fs->space, block, end - block, &run)) {
			memory_give_blocks(&fs->memory, missing);
			return -1;
		}
		uint64_t fresh = (uint64_t)__builtin_popcountll(map_mask(&run) & ~*run.present);
		*run.present |= map_mask(&run);
		map->blocks += fresh;
		missing -= fresh;
		block += run.count;
	}
	return 0;
}

static int reserve_locked(struct fs *fs, struct node *n, uint64_t offset, uint64_t len)
{
	uint64_t block = offset >> fs->block_shift, end = ((offset + len - 1) >> fs->block_shift) + 1;
	if (end - block > fs->memory.blocks) {
		errno = ENOSPC;
		return -1;
	}
	if (n->map == NULL && (n->map = map_create(&fs->memory)) == NULL)
		return -1;
	uint64_t missing = missing_locked(n->map, block, end);
	if (!memory_take_blocks(&fs->memory, missing))
		return -1;
	return reserve_blocks_locked(fs, n->map, block, end, missing);
}

static int allocate_locked(struct fs *fs, struct node *n, int mode, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	bool keep = (mode & FALLOC_FL_KEEP_SIZE) != 0;
	if ((mode & FALLOC_FL_PUNCH_HOLE) != 0)
		return punch_locked(fs, n, offset, end);
	if ((mode & FALLOC_FL_ZERO_RANGE) != 0 && punch_locked(fs, n, offset, end) != 0)
		return -1;
	if (reserve_locked(fs, n, offset, len) != 0)
		return -1;
	if (!keep && end > n->size)
		n->size = end;
	return 0;
}

static bool is_known_mode(int mode)
{
	int kind = mode & ~FALLOC_FL_KEEP_SIZE;
	return kind == 0 || kind == FALLOC_FL_ZERO_RANGE || mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

int data_allocate(struct fs *fs, struct node *n, int mode, uint64_t offset, uint64_t len)
{
	if (!is_known_mode(mode)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	lock_exclusive(&n->io);
	lock_exclusive(&n->lock);
	turn_pass();
	int result = allocate_locked(fs, n, mode, offset, len);
	if (result == 0)
		node_modified_locked(n);
	unlock_exclusive(&n->lock);
	unlock_exclusive(&n->io);
	return result;
}

/* --- holes --- */

off_t data_seek(struct fs *fs, struct node *n, uint64_t offset, int whence)
{
	static const struct map empty;
	off_t result = -1;
	lock_shared(&n->lock);
	const struct map *map = n->map != NULL ? n->map : &empty;
	if (offset < n->size) {
		uint64_t end = ((n->size - 1) >> fs->block_shift) + 1, block = offset >> fs->block_shift;
		uint64_t found = map_next(map, block, end, whence == SEEK_DATA);
		uint64_t at = found == block ? offset : found << fs->block_shift;
		if (whence == SEEK_HOLE)
			result = (off_t)(at < n->size ? at : n->size);
		else if (found < end)
			result = (off_t)at;
	}
	unlock_shared(&n->lock);
	if (result < 0)
		errno = ENXIO;
	return result;
}
