/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interrupt.h - ending early on SIGINT, SIGTERM or SIGHUP, with the terminal left as it was.
 *
 * The first such signal only sets a flag, which long loops look at; a second one ends the program at once. When the
 * work has stopped, interrupt_die() ends the program by the signal itself, so that a shell sees what happened.
 */
#ifndef ZS_INTERRUPT_H
#define ZS_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
bool interrupted(void);

/* Take an interrupt from the keyboard as the end of one step: false for other signals. The next one counts anew. */
bool interrupt_take(void);
_Noreturn void interrupt_die(void);

#endif
