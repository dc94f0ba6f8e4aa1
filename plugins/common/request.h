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
#ifndef PLUGINS_COMMON_REQUEST_H
#define PLUGINS_COMMON_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

/* Longest request, its line end included. */
enum { REQUEST_BYTES = 4096 };

/* A number that a server has beside the device's: it can be read, and is in all statistics. */
struct request_number {
	const char *name; /* as an attribute and in JSON; in front of it "zs_mount_" for Prometheus */
	const char *help;
	uint64_t (*value)(void *owner);
};

/* What a server does itself. Immutable; called by any thread. */
struct request_host {
	uint64_t (*size)(void *owner); /* bytes that its users see: disksize */
	/* To a file, of which it is the owner then if it is that of save=. 0, or -1 with one line in why. */
	int (*save)(void *owner, const char *path, bool own, char *why, size_t why_bytes);
	void (*progress)(void *owner, uint64_t *done, uint64_t *all);
	const struct request_number *numbers; /* up to one without a name; NULL: none */
};

struct request {
	struct zram *z;
	const char *save; /* where "save" alone goes; NULL: nowhere */
	const struct request_host *host;
	void *owner;
};

/*
 * Carry out one line of len bytes, line end not included, which is changed on the way, and make the answer: *answer
 * is to be freed, *answer_bytes its length. False without memory. Any thread.
 */
bool request_run(const struct request *request, char *line, size_t len, char **answer, size_t *answer_bytes);

/* "error TEXT" as an answer, whatever bytes the text has. */
bool request_error(const char *text, char **answer, size_t *answer_bytes);

#endif
