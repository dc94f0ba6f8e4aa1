/* SPDX-License-Identifier: BSD-3-Clause */
/* server_end.c - how far a save is comes over the control socket; signals count once the line was shown. */
#include "server_end.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "control_client.h"
#include "message.h"
#include "progress.h"
#include "units.h"

enum {
	SHOW_MS = 300, /* an end that takes no longer needs no words */
	READ_MS = 500, /* nobody has read the line and made up their mind before */
	ASK_MS = 200,  /* a server that does not answer within that is busy with something else */
	ENOUGH = 2,    /* signals that count */
};

static bool passed(uint64_t since_ns, unsigned milliseconds)
{
	return now_ns() - since_ns >= (uint64_t)milliseconds * 1000000;
}

/* How far the save is. Where the server does not say, what it said last stays. */
static void ask(struct server_end *e, const struct server *s)
{
	struct control_client client;
	if (!s->saves || !control_connect_quietly(&client, s->control, ASK_MS))
		return;
	uint64_t done, all;
	if (control_ask(&client, "progress", NULL) == CONTROL_DONE &&
	    sscanf(client.body, "%" SCNu64 " %" SCNu64, &done, &all) == 2) {
		e->known = true;
		e->done_bytes = done;
		e->all_bytes = all;
	}
	control_disconnect(&client);
}

static uint64_t mib_up(uint64_t bytes)
{
	return (bytes + (1 << 20) - 1) >> 20;
}

static void show(struct server_end *e, const struct server *s)
{
	ask(e, s);
	if (s->saves && e->known)
		message("saving, %" PRIu64 " of %" PRIu64 " MiB; press again to lose what is not saved", e->done_bytes >> 20,
			mib_up(e->all_bytes));
	else if (s->saves)
		message("saving; press again to lose what is not saved");
	else
		message("waiting for nbdkit to end; press again to end it by force");
	e->shown = true;
	e->shown_ns = now_ns();
}

void server_end_signal(struct server_end *e, const struct server *s)
{
	if (!e->begun) {
		e->begun = true;
		e->begun_ns = now_ns();
		kill(s->pid, SIGTERM);
		return;
	}
	if (e->shown && passed(e->shown_ns, READ_MS) && ++e->counted == ENOUGH)
		kill(s->pid, SIGKILL);
	else
		show(e, s);
}

void server_end_tick(struct server_end *e, const struct server *s)
{
	if (!e->shown && passed(e->begun_ns, SHOW_MS)) {
		show(e, s);
	} else if (e->shown && isatty(STDERR_FILENO)) {
		/* The numbers go on below the line. */
		ask(e, s);
		if (s->saves && e->known)
			progress_draw("saving", e->done_bytes, e->all_bytes);
	}
}

void server_end_over(void)
{
	progress_clear();
}
