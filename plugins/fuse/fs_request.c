/* SPDX-License-Identifier: BSD-3-Clause */
/* fs_request.c - a directory's size, its snapshots, and what is in it. */
#include "fs_request.h"

#include "common/saving.h"
#include "snapshot.h"

static uint64_t size(void *owner)
{
	const struct fs *fs = owner;
	return fs->memory.blocks << fs->block_shift;
}

static int save(void *owner, const char *path, bool own, char *why, size_t why_bytes)
{
	struct fs *fs = owner;
	if (snapshot_save(fs, path, fs->directory, why, why_bytes) != 0)
		return -1;
	return own ? saving_own(path, why, why_bytes) : 0;
}

static void progress(void *owner, uint64_t *done, uint64_t *all)
{
	snapshot_progress(owner, done, all);
}

static uint64_t count(void *owner, enum node_kind kind)
{
	return atomic_load_explicit(&((struct fs *)owner)->nodes[kind], memory_order_relaxed);
}

static uint64_t files(void *owner)
{
	return count(owner, NODE_FILE);
}

static uint64_t directories(void *owner)
{
	return count(owner, NODE_DIRECTORY);
}

static uint64_t links(void *owner)
{
	return count(owner, NODE_LINK);
}

static uint64_t others(void *owner)
{
	return count(owner, NODE_OTHER);
}

static uint64_t file_bytes(void *owner)
{
	struct fs *fs = owner;
	return atomic_load_explicit(&fs->memory.used, memory_order_relaxed) << fs->block_shift;
}

static uint64_t names_bytes(void *owner)
{
	return atomic_load_explicit(&((struct fs *)owner)->memory.held, memory_order_relaxed);
}

static const struct request_number numbers[] = {
	{ "files", "Regular files", files },
	{ "directories", "Directories", directories },
	{ "symlinks", "Symbolic links", links },
	{ "special_files", "Fifos, sockets and devices", others },
	{ "file_bytes", "Bytes of files, in whole blocks, before compression", file_bytes },
	{ "names_bytes", "Memory of names, inodes and maps", names_bytes },
	{ NULL, NULL, NULL },
};

struct request fs_request(struct fs *fs, const char *save_path)
{
	static const struct request_host host = { size, save, progress, numbers };
	return (struct request){ fs->z, save_path, &host, fs };
}
