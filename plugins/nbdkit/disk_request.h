/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_request.h - the requests of the control socket, for a disk. */
#ifndef ZRAM_PLUGIN_DISK_REQUEST_H
#define ZRAM_PLUGIN_DISK_REQUEST_H

#include "common/request.h"
#include "disk.h"

/* save: where "save" alone goes; NULL: nowhere. Both must stay. */
struct request disk_request(struct disk *disk, const char *save);

#endif
