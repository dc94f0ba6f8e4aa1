/* SPDX-License-Identifier: BSD-3-Clause */
/* mount_control.h - the control socket of a mounted directory, for those who know only the directory. */
#ifndef ZS_MOUNT_CONTROL_H
#define ZS_MOUNT_CONTROL_H

/* free() it; NULL: no server of this user has the directory, or there is no memory. */
char *mount_control_of(const char *directory);

#endif
