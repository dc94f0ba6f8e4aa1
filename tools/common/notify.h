/* SPDX-License-Identifier: BSD-3-Clause */
/* notify.h - how far a service is, told to systemd as sd_notify(3) does, without its library. */
#ifndef ZS_NOTIFY_H
#define ZS_NOTIFY_H

/* state: "READY=1". Nothing happens where $NOTIFY_SOCKET names nobody: nobody wants to know. */
void notify_manager(const char *state);

#endif
