/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_name.h - what a disk is called in statistics where nobody says: as its socket. */
#ifndef COMMON_DISK_NAME_H
#define COMMON_DISK_NAME_H

/* The longest name of a disk. */
enum { DISK_NAME_MAX = 63 };

/* The last part of a path without its suffix: "disk" of "/run/disk.ctl". free() it; NULL without memory. */
char *disk_name_of_path(const char *path);

#endif
