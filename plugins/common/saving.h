/* SPDX-License-Identifier: BSD-3-Clause */
/* saving.h - what saves have in common, whatever is saved: whose a file is, and how far a save has come. */
#ifndef PLUGINS_COMMON_SAVING_H
#define PLUGINS_COMMON_SAVING_H

#include <stddef.h>
#include <stdint.h>

/*
 * Lock the snapshot that is there (flock) for as long as this process and its children live: two servers that end with
 * the same file would lose what one of them held. Again after each save, as a new file is there then. 0, or -1 with
 * errno and one line in why: EBUSY another server has it. No file is no error.
 */
int saving_own(const char *path, char *why, size_t why_bytes);

/*
 * A save to that file begins. Another descriptor of it, for saving_ends(), whose place in the file is the same; -1:
 * its progress is not known. saving_ends() leaves errno.
 */
int saving_begins(int fd);
void saving_ends(int mine);

/* Bytes that were written of the save that began last; 0: nothing is being saved. Any thread. */
uint64_t saving_done(void);

#endif
