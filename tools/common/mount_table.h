/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mount_table.h - the kernel's list of mounts. It knows a mount whose server is gone, and whose folder (mount_place.h) is
 * gone as well or is another user's.
 */
#ifndef COMMON_MOUNT_TABLE_H
#define COMMON_MOUNT_TABLE_H

#include <stdbool.h>

/* Whether the last mount on a directory, absolute and without links, is one of zs mount. */
bool mount_table_has(const char *directory);

#endif
