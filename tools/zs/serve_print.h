/* SPDX-License-Identifier: BSD-3-Clause */
/* serve_print.h - where a disk is that is being served, for people or for programs. Both go to standard output. */
#ifndef ZS_SERVE_PRINT_H
#define ZS_SERVE_PRINT_H

#include <stdbool.h>

#include "server.h"

/* With lines to attach it that can be pasted into a shell anywhere. False after a message. */
bool serve_print_text(const struct server *s);
void serve_print_json(const struct server *s);

#endif
