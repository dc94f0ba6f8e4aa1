/* SPDX-License-Identifier: BSD-3-Clause */
/* fs_request.h - the requests of the control socket, for a directory. */
#ifndef ZS_FUSE_FS_REQUEST_H
#define ZS_FUSE_FS_REQUEST_H

#include "common/request.h"
#include "fs.h"

/* save: where "save" alone goes; NULL: nowhere. Both must stay. */
struct request fs_request(struct fs *fs, const char *save);

#endif
