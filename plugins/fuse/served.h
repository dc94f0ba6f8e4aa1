/* SPDX-License-Identifier: BSD-3-Clause */
/* served.h - what a session of requests has with it: see ops.h and session.h. */
#ifndef ZS_FUSE_SERVED_H
#define ZS_FUSE_SERVED_H

#include <stdbool.h>

#include "fs.h"

struct served {
	struct fs *fs;
	bool write_back;
	void (*begun)(struct served *served); /* called when the kernel has said hello: the directory can be used */
};

#endif
