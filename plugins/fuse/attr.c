/* SPDX-License-Identifier: BSD-3-Clause */
/* attr.c - nodes as struct stat, and what is free. */
#include "attr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data.h"
#include "dir.h"

enum {
	ENTRY_BYTES = 32,      /* of a directory, each: what a name takes, about */
	NODE_BYTES = 192,      /* what a file takes beside its data */
	SAMPLE_BYTES = 64 << 10, /* stored: from here on the ratio says something */
};

void attr_get_locked(const struct fs *fs, const struct node *n, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = n->ino;
	st->st_mode = n->mode;
	st->st_nlink = n->nlink;
	st->st_uid = n->uid;
	st->st_gid = n->gid;
	st->st_blksize = (blksize_t)fs->block_size;
	st->st_atim = node_time(n, TIME_ACCESS);
	st->st_mtim = node_time(n, TIME_MODIFY);
	st->st_ctim = node_time(n, TIME_CHANGE);
	switch (node_kind(n)) {
	case NODE_FILE:
		st->st_size = (off_t)n->size;
		st->st_blocks = (blkcnt_t)data_sectors_locked(fs, n);
		break;
	case NODE_DIRECTORY:
		st->st_size = (off_t)n->dir->live * ENTRY_BYTES;
		break;
	case NODE_LINK:
		st->st_size = (off_t)n->size;
		break;
	default:
		st->st_rdev = n->rdev;
		break;
	}
}

void attr_get(const struct fs *fs, struct node *n, struct stat *st)
{
	lock_shared(&n->lock);
	attr_get_locked(fs, n, st);
	unlock_shared(&n->lock);
}

/* How many bytes of files fit into so much memory. */
static uint64_t bytes_that_fit(struct fs *fs, uint64_t left)
{
	char text[256];
	uint64_t orig = 0, stored = 0, used = 0;
	if (zram_attr_get(fs->z, "mm_stat", text, sizeof(text)) > 0)
		sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &orig, &stored, &used);
	if (used < SAMPLE_BYTES)
		return left;
	double bytes = (double)left * ((double)orig / (double)used);
	return bytes < (double)UINT64_MAX / 2 ? (uint64_t)bytes : UINT64_MAX / 2;
}

void attr_statvfs(struct fs *fs, struct statvfs *st)
{
	const struct memory *m = &fs->memory;
	uint64_t used = atomic_load_explicit(&m->used, memory_order_relaxed);
	uint64_t free_blocks = used < m->blocks ? m->blocks - used : 0;
	uint64_t left = memory_left(&fs->memory), available = free_blocks, files = 0;
	if (left != UINT64_MAX) {
		uint64_t fit = bytes_that_fit(fs, left) >> fs->block_shift;
		available = fit < free_blocks ? fit : free_blocks;
	}
	for (unsigned kind = 0; kind < NODE_KINDS; kind++)
		files += atomic_load_explicit(&fs->nodes[kind], memory_order_relaxed);
	memset(st, 0, sizeof(*st));
	st->f_bsize = st->f_frsize = fs->block_size;
	st->f_blocks = m->blocks;
	st->f_bfree = free_blocks;
	st->f_bavail = available;
	st->f_ffree = st->f_favail = (left != UINT64_MAX ? left : available << fs->block_shift) / NODE_BYTES;
	st->f_files = files + st->f_ffree;
	st->f_namemax = NAME_MAX_BYTES;
}
