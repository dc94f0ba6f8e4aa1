/* SPDX-License-Identifier: BSD-3-Clause */
/* completion.h - which commands zs completion writes of: main.c has the list, and this command is one of it. */
#ifndef ZS_COMPLETION_H
#define ZS_COMPLETION_H

#include <stddef.h>

#include "command.h"

/* Before the command runs. The list is kept. */
void completion_of(const struct command *const *commands, size_t count);

#endif
