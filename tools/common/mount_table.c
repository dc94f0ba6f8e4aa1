/* SPDX-License-Identifier: BSD-3-Clause */
/* mount_table.c - this process's list of mounts is read: later ones on a directory hide those before. */
#include "common/mount_table.h"

#include <mntent.h>
#include <stdio.h>
#include <string.h>

bool mount_table_has(const char *directory)
{
	bool ours = false;
	FILE *in = setmntent("/proc/self/mounts", "r");
	for (const struct mntent *m; in != NULL && (m = getmntent(in)) != NULL;)
		if (strcmp(m->mnt_dir, directory) == 0)
			ours = strcmp(m->mnt_type, "fuse.zs") == 0;
	if (in != NULL)
		endmntent(in);
	return ours;
}
