/* SPDX-License-Identifier: BSD-3-Clause */
/* notify.h - the service manager is told how far the server is, where there is one: sd_notify(3), without its library. */
#ifndef ZS_FUSE_NOTIFY_H
#define ZS_FUSE_NOTIFY_H

/* state: "READY=1", "STOPPING=1". Nothing happens where $NOTIFY_SOCKET names nobody. */
void notify_manager(const char *state);

#endif
