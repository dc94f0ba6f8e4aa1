/* SPDX-License-Identifier: BSD-3-Clause */
/* fs.c - the parts are put together, and taken apart. */
#include "fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dir.h"

enum {
	SPREAD = 16,         /* address space for each byte of data */
	SEGMENTS_MIN = 1024, /* also where there is little: each thread has some that are partly used */
};

uint64_t fs_device_bytes(uint64_t size, size_t block_size)
{
	uint64_t segment = (uint64_t)SPACE_SEGMENT * block_size, most = SPACE_MAX_BLOCKS * block_size;
	if (size >= most / SPREAD)
		return most - segment;
	uint64_t segments = (size * SPREAD + segment - 1) / segment + SEGMENTS_MIN;
	return segments * segment < most ? segments * segment : most - segment;
}

static int say(char *why, size_t why_bytes, const char *text)
{
	int saved = errno;
	snprintf(why, why_bytes, "%s", text);
	errno = saved;
	return -1;
}

static int fill(struct fs *fs, const struct fs_options *o, char *why, size_t why_bytes)
{
	if (getrandom(&fs->hash_seed, sizeof(fs->hash_seed), 0) != sizeof(fs->hash_seed))
		return say(why, why_bytes, strerror(errno));
	if (space_init(&fs->space, zram_disksize(fs->z) >> fs->block_shift) != 0)
		return say(why, why_bytes, "no address space for the file system");
	fs->root = node_create(fs, S_IFDIR | (o->mode & 07777), o->uid, o->gid);
	if (fs->root == NULL)
		return say(why, why_bytes, "mem-limit is too small for a directory");
	fs->root->nlink = 2;
	fs->root->dir->up = fs->root->ino;
	return 0;
}

struct fs *fs_create_over(struct zram *z, const struct fs_options *o, char *why, size_t why_bytes)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	if (fs == NULL) {
		say(why, why_bytes, strerror(ENOMEM));
		zram_destroy(z);
		return NULL;
	}
	fs->z = z;
	fs->block_size = zram_block_size(z);
	fs->block_shift = (unsigned)__builtin_ctzll(fs->block_size);
	memory_init(&fs->memory, z, o->device->mem_limit, o->size >> fs->block_shift);
	if (fill(fs, o, why, why_bytes) == 0)
		return fs;
	int saved = errno;
	fs_destroy(fs);
	errno = saved;
	return NULL;
}

struct fs *fs_create(const struct fs_options *o, char *why, size_t why_bytes)
{
	struct zram_options device = *o->device;
	size_t block_size = device.block_size != 0 ? device.block_size : 4096;
	device.disksize = fs_device_bytes(o->size, block_size);
	struct zram *z = zram_create(device.name != NULL ? device.name : "mount", &device);
	if (z == NULL) {
		say(why, why_bytes, zram_strerror());
		return NULL;
	}
	return fs_create_over(z, o, why, why_bytes);
}

static int discard_data(uint64_t offset, uint64_t len, unsigned flags, void *arg)
{
	return (flags & ZRAM_EXTENT_HOLE) != 0 ? 0 : zram_discard(arg, offset, len);
}

static void discard_run(uint64_t at, uint64_t blocks, void *arg)
{
	struct fs *fs = arg;
	(void)zram_extents(fs->z, at << fs->block_shift, blocks << fs->block_shift, discard_data, fs->z);
}

void fs_discard_unowned(struct fs *fs)
{
	space_each_free(&fs->space, discard_run, fs);
}

/* Nodes whose names are gone, one after the other; directories' names first become nodes of this list. */
struct pile {
	struct node **nodes;
	size_t count, room;
};

static bool push(struct pile *p, struct node *n)
{
	if (p->count == p->room) {
		size_t room = p->room == 0 ? 64 : 2 * p->room;
		struct node **nodes = realloc(p->nodes, room * sizeof(struct node *));
		if (nodes == NULL)
			return false;
		p->nodes = nodes;
		p->room = room;
	}
	p->nodes[p->count++] = n;
	return true;
}

/* A node that the kernel still knows goes with its last name as well. Without memory for the pile some stay. */
static void free_tree(struct fs *fs)
{
	struct pile p = { 0 };
	if (fs->root != NULL)
		push(&p, fs->root);
	while (p.count > 0) {
		struct node *dir = p.nodes[--p.count];
		for (const struct dir_slot *slot = dir_next(dir->dir, 0); slot != NULL;
		     slot = dir_next(dir->dir, slot->cookie)) {
			struct node *n = slot->name->node;
			if (S_ISDIR(n->kind))
				push(&p, n);
			else if (--n->nlink == 0)
				node_put(fs, n, atomic_load_explicit(&n->refs, memory_order_relaxed));
		}
		node_put(fs, dir, atomic_load_explicit(&dir->refs, memory_order_relaxed));
	}
	free(p.nodes);
}

void fs_destroy(struct fs *fs)
{
	if (fs == NULL)
		return;
	free_tree(fs);
	space_destroy(&fs->space);
	zram_destroy(fs->z);
	free(fs);
}
