/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server_end.h - how a server ends that was asked to, and what an impatient user can do. Part of server.h.
 *
 * Where a disk is saved that takes its time. So after a moment, or at once where there is another signal, it is said
 * how far that is and that more signals would lose it. Only signals after that count: the first one says it again, the
 * second one ends the server by force. One that comes before anybody can have read the line says it again as well, and
 * does not count.
 */
#ifndef ZS_SERVER_END_H
#define ZS_SERVER_END_H

#include <stdbool.h>
#include <stdint.h>

#include "serving.h"

/* Zero at first, then only server_end.c's. */
struct server_end {
	bool begun;
	uint64_t begun_ns;
	bool shown;
	uint64_t shown_ns;
	unsigned counted; /* signals, since it was shown */
	bool known;       /* how far it is */
	uint64_t done_bytes, all_bytes;
};

/* A signal came. */
void server_end_signal(struct server_end *e, const struct server *s);

/* Nothing came for a while; the server is being ended. */
void server_end_tick(struct server_end *e, const struct server *s);

/* The server has ended: the terminal is as it was. */
void server_end_over(void);

#endif
