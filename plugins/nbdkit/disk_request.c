/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_request.c - a disk's size, and its snapshots. */
#include "disk_request.h"

#include "common/saving.h"
#include "snapshot.h"

static uint64_t size(void *owner)
{
	return ((const struct disk *)owner)->size;
}

static int save(void *owner, const char *path, bool own, char *why, size_t why_bytes)
{
	if (snapshot_save(owner, path, why, why_bytes) != 0)
		return -1;
	return own ? saving_own(path, why, why_bytes) : 0;
}

static void progress(void *owner, uint64_t *done, uint64_t *all)
{
	snapshot_progress(owner, done, all);
}

struct request disk_request(struct disk *disk, const char *save_path)
{
	static const struct request_host host = { size, save, progress, NULL };
	return (struct request){ disk->z, save_path, &host, disk };
}
