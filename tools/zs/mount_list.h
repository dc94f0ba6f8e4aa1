/* SPDX-License-Identifier: BSD-3-Clause */
/* mount_list.h - zs mount --list: the directories that are mounted. */
#ifndef ZS_MOUNT_LIST_H
#define ZS_MOUNT_LIST_H

#include <stdbool.h>

/* Print one a line, or a JSON array. */
void mount_list_print(bool json);

#endif
