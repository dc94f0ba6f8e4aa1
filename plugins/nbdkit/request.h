/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.h - one line of the control protocol and its answer.
 *
 *   get ATTR                             the attribute's value
 *   get                                  "ATTR VALUE" for all that can be read in a line or some, a line for each
 *   set ATTR [VALUE]                     nothing; VALUE is the rest of the line, and may be empty
 *   stats json|prometheus|classes        statistics; classes is the kernel's table of size classes
 *   save FILE                            nothing; FILE is the rest of the line, absolute
 *   save                                 the same to the file of save=
 *   progress                             "DONE ALL", bytes of the save that began last, of about all that it will have;
 *                                        DONE is 0 where nothing is being saved
 *
 * An answer is "ok N", a line end and N bytes, or "error TEXT" and a line end. A request that is answered with an error
 * has changed nothing, but for what the attribute's own documentation says of it.
 */
#ifndef ZRAM_PLUGIN_REQUEST_H
#define ZRAM_PLUGIN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "disk.h"

/* Longest request, its line end included. */
enum { REQUEST_BYTES = 4096 };

struct request {
	const struct disk *disk;
	const char *save; /* where "save" alone goes; NULL: nowhere */
};

/*
 * Carry out one line of len bytes, line end not included, which is changed on the way, and make the answer: *answer
 * is to be freed, *answer_bytes its length. False without memory. Any thread.
 */
bool request_run(const struct request *request, char *line, size_t len, char **answer, size_t *answer_bytes);

/* "error TEXT" as an answer, whatever bytes the text has. */
bool request_error(const char *text, char **answer, size_t *answer_bytes);

#endif
