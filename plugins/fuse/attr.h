/* SPDX-License-Identifier: BSD-3-Clause */
/* attr.h - what stat() and statvfs() say. */
#ifndef ZS_FUSE_ATTR_H
#define ZS_FUSE_ATTR_H

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "node.h"

void attr_get_locked(const struct fs *fs, const struct node *n, struct stat *st);
void attr_get(const struct fs *fs, struct node *n, struct stat *st);

/*
 * Free is what the directory's size leaves for bytes of files. Available are of those as many as what is left of the
 * memory would hold, if they compress as what is there does.
 */
void attr_statvfs(struct fs *fs, struct statvfs *st);

#endif
