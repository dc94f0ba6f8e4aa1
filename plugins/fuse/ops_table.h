/* SPDX-License-Identifier: BSD-3-Clause */
/* ops_table.h - all requests that are answered, for libfuse. */
#ifndef ZS_FUSE_OPS_TABLE_H
#define ZS_FUSE_OPS_TABLE_H

#include "ops.h"

/* Its user data are a struct served. */
extern const struct fuse_lowlevel_ops ops_table;

#endif
