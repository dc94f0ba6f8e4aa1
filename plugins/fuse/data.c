/* SPDX-License-Identifier: BSD-3-Clause */
/* data.c - reading and writing: a request is cut into runs of blocks that lie side by side on the device. */
#include "data.h"

#include <errno.h>
#include <string.h>

#include "turn.h"

enum {
	RUNS = 24, /* of one request: those of the first blocks, and then one for each 64 blocks */
};

/* A part of a request, and the run that it is in. */
struct piece {
	uint64_t address; /* on the device, bytes */
	uint64_t block;   /* of the file, the first one */
	uint64_t fresh;   /* bit i: block + i was not present before */
	uint32_t len;     /* bytes */
	uint32_t at;      /* the first block on the device; 0: a hole */
};

/* The pieces of a range, as many as there is room for. */
struct pieces {
	struct piece list[RUNS];
	unsigned count;
	uint64_t len; /* bytes that they cover */
	uint64_t fresh;
};

/* Where the range goes on, and how many blocks there are to its end. */
static uint64_t blocks_left(const struct fs *fs, uint64_t offset, uint64_t len)
{
	return ((offset + len - 1) >> fs->block_shift) - (offset >> fs->block_shift) + 1;
}

static struct piece *add_piece(const struct fs *fs, struct pieces *p, const struct map_run *run, uint64_t offset,
			       uint64_t len)
{
	uint64_t in = offset & (fs->block_size - 1);
	uint64_t most = ((uint64_t)run->count << fs->block_shift) - in;
	struct piece *piece = &p->list[p->count++];
	*piece = (struct piece){
		.address = ((uint64_t)run->at << fs->block_shift) + in,
		.block = run->block,
		.len = (uint32_t)(len < most ? len : most),
		.at = run->at,
	};
	p->len += piece->len;
	return piece;
}

/* --- reading --- */

static void find_pieces_locked(const struct fs *fs, const struct node *n, struct pieces *p, uint64_t offset,
			       uint64_t len)
{
	static const struct map empty;
	const struct map *map = n->map != NULL ? n->map : &empty;
	*p = (struct pieces){ .count = 0 };
	while (p->len < len && p->count < RUNS) {
		uint64_t at = offset + p->len, left = len - p->len;
		struct map_run run = map_find(map, at >> fs->block_shift, blocks_left(fs, at, left));
		add_piece(fs, p, &run, at, left);
	}
}

static int read_pieces(struct fs *fs, const struct pieces *p, char *buf)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct piece *piece = &p->list[i];
		uint32_t len = piece->len;
		/* Neighbours are one request where they are neighbours on the device, too. */
		while (piece->at != 0 && i + 1 < p->count && p->list[i + 1].at != 0 &&
		       p->list[i + 1].address == piece->address + len)
			len += p->list[++i].len;
		if (piece->at == 0)
			memset(buf, 0, len);
		else if (zram_pread(fs->z, buf, len, piece->address) != 0)
			return -1;
		buf += len;
	}
	return 0;
}

/* As "relatime": where nobody has read since it was changed. */
static void touch(struct node *n)
{
	lock_exclusive(&n->lock);
	node_set_time(n, TIME_ACCESS, node_now());
	unlock_exclusive(&n->lock);
}

static bool is_stale(const struct node *n)
{
	for (enum node_time t = TIME_MODIFY; t <= TIME_CHANGE; t++)
		if (n->seconds[TIME_ACCESS] < n->seconds[t] ||
		    (n->seconds[TIME_ACCESS] == n->seconds[t] && n->nanoseconds[TIME_ACCESS] <= n->nanoseconds[t]))
			return true;
	return false;
}

/* Some of the range: at least a byte, where there is one. *stale: the time of access is to be set. */
static ssize_t read_some(struct fs *fs, struct node *n, char *buf, size_t len, uint64_t offset, bool *stale)
{
	struct pieces p;
	lock_shared(&n->lock);
	*stale = is_stale(n);
	if (offset >= n->size)
		len = 0;
	else if (len > n->size - offset)
		len = n->size - offset;
	find_pieces_locked(fs, n, &p, offset, len);
	unlock_shared(&n->lock);
	return read_pieces(fs, &p, buf) == 0 ? (ssize_t)p.len : -1;
}

ssize_t data_read(struct fs *fs, struct node *n, char *buf, size_t len, uint64_t offset)
{
	size_t done = 0;
	ssize_t got = 0;
	bool stale = false;
	if (len >= TURN_BYTES)
		turn_pass();
	lock_shared(&n->io);
	do {
		got = read_some(fs, n, buf + done, len - done, offset + done, &stale);
		done += got > 0 ? (size_t)got : 0;
	} while (got > 0 && done < len);
	unlock_shared(&n->io);
	if (stale)
		touch(n);
	return got < 0 && done == 0 ? -1 : (ssize_t)done;
}

/* --- writing --- */

/* Mark the blocks of a run as present. Those that were not are counted: *fresh. False with ENOSPC. */
static bool mark_locked(struct fs *fs, struct map *map, const struct map_run *run, uint64_t *fresh)
{
	uint64_t missing = map_mask(run) & ~*run->present;
	uint64_t n = (uint64_t)__builtin_popcountll(missing);
	*fresh = missing >> run->bit;
	if (n == 0)
		return true;
	if (!memory_take_blocks(&fs->memory, n))
		return false;
	*run->present |= missing;
	map->blocks += n;
	return true;
}

/* The same for as many blocks of the run as there are left. False with ENOSPC where that is none. */
static bool mark_some_locked(struct fs *fs, struct map *map, struct map_run *run, uint64_t *fresh)
{
	while (!mark_locked(fs, map, run, fresh)) {
		if (run->count == 1)
			return false;
		run->count /= 2;
	}
	return true;
}

/* Pieces to write to, present from now on: as many as there is room for. -1 with errno where there is none. */
static int make_pieces_locked(struct fs *fs, struct node *n, struct pieces *p, uint64_t offset, uint64_t len)
{
	*p = (struct pieces){ .count = 0 };
	if (n->map == NULL && (n->map = map_create(&fs->memory)) == NULL)
		return -1;
	while (p->len < len && p->count < RUNS) {
		uint64_t at = offset + p->len, left = len - p->len, fresh;
		struct map_run run;
		if (!map_make(n->map, &fs->memory, &fs->space, at >> fs->block_shift, blocks_left(fs, at, left), &run))
			break;
		if (!mark_some_locked(fs, n->map, &run, &fresh)) {
			map_release(n->map, &fs->memory, &fs->space, run.block);
			break;
		}
		add_piece(fs, p, &run, at, left)->fresh = fresh;
		p->fresh |= fresh;
	}
	return p->count > 0 ? 0 : -1;
}

/* How many bytes of a piece could be written, from its beginning on: all, or less with errno. */
static uint32_t write_piece(struct fs *fs, const struct piece *piece, const char *buf)
{
	if (zram_pwrite(fs->z, buf, piece->len, piece->address) == 0)
		return piece->len;
	/* Which block it was is not told. Writing one again that is there does no harm. */
	uint32_t done = 0;
	while (done < piece->len) {
		uint64_t at = piece->address + done;
		uint32_t len = (uint32_t)(fs->block_size - (at & (fs->block_size - 1)));
		if (len > piece->len - done)
			len = piece->len - done;
		if (zram_pwrite(fs->z, buf + done, len, at) != 0)
			break;
		done += len;
	}
	return done;
}

/* Blocks that were made present for a write that failed are not, if the device has nothing for them. */
static void take_back_locked(struct fs *fs, struct node *n, const struct piece *piece)
{
	for (unsigned i = 0; i < 64; i++) {
		struct zram_block_info info = ZRAM_BLOCK_INFO_INIT;
		if ((piece->fresh >> i & 1) == 0)
			continue;
		struct map_run run = map_find(n->map, piece->block + i, 1);
		uint64_t address = (uint64_t)run.at << fs->block_shift;
		if (run.present == NULL || (*run.present & map_mask(&run)) == 0 ||
		    zram_get_block_info(fs->z, address, &info) != 0 || (info.flags & ZRAM_BLOCK_USED) != 0)
			continue;
		*run.present &= ~map_mask(&run);
		n->map->blocks--;
		memory_give_blocks(&fs->memory, 1);
		map_release(n->map, &fs->memory, &fs->space, run.block);
	}
}

/*
 * The end of a write of which not all could be written. Others may have written behind it meanwhile: then the size is
 * theirs.
 */
static void take_back(struct fs *fs, struct node *n, const struct pieces *p, uint64_t end, uint64_t size)
{
	int saved = errno;
	lock_exclusive(&n->io);
	lock_exclusive(&n->lock);
	for (unsigned i = 0; i < p->count && n->map != NULL; i++)
		take_back_locked(fs, n, &p->list[i]);
	if (n->size == end)
		n->size = size;
	unlock_exclusive(&n->lock);
	unlock_exclusive(&n->io);
	errno = saved;
}

/* Some of a write: at least a byte, or -1. */
static ssize_t write_some(struct fs *fs, struct node *n, const char *buf, size_t len, uint64_t offset)
{
	struct pieces p;
	uint64_t done = 0;
	lock_shared(&n->io);
	lock_exclusive(&n->lock);
	uint64_t size = n->size;
	int made = make_pieces_locked(fs, n, &p, offset, len);
	uint64_t end = offset + p.len;
	if (made == 0) {
		node_modified_locked(n);
		n->size = end > size ? end : size;
	}
	unlock_exclusive(&n->lock);
	for (unsigned i = 0; i < p.count; i++) {
		uint32_t wrote = write_piece(fs, &p.list[i], buf + done);
		done += wrote;
		if (wrote < p.list[i].len)
			break;
	}
	unlock_shared(&n->io);
	if (made == 0 && done < p.len)
		take_back(fs, n, &p, end, offset + done > size ? offset + done : size);
	return done > 0 ? (ssize_t)done : -1;
}

ssize_t data_write(struct fs *fs, struct node *n, const char *buf, size_t len, uint64_t offset)
{
	size_t done = 0;
	if (len >= TURN_BYTES)
		turn_pass();
	while (done < len) {
		ssize_t wrote = write_some(fs, n, buf + done, len - done, offset + done);
		if (wrote < 0 && errno == ENOMEM)
			errno = ENOSPC; /* the device's limit: to a program a full directory is a full disk */
		if (wrote < 0)
			return done > 0 ? (ssize_t)done : -1;
		done += (size_t)wrote;
	}
	return (ssize_t)done;
}

uint64_t data_sectors_locked(const struct fs *fs, const struct node *n)
{
	enum { SECTOR_SHIFT = 9 };
	return n->kind == S_IFREG && n->map != NULL ? n->map->blocks << (fs->block_shift - SECTOR_SHIFT) : 0;
}
