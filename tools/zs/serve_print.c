/* SPDX-License-Identifier: BSD-3-Clause */
/* serve_print.c - each line is quoted and absolute, so that it works from any folder. */
#include "serve_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_client.h"
#include "json.h"
#include "message.h"
#include "paste.h"

/* Whether a shell finds this very program by its name. */
static bool found_by_name(const char *self)
{
	const char *path = getenv("PATH");
	char *all = path != NULL ? strdup(path) : NULL, *next = NULL, *file;
	bool found = false, first = false;
	for (char *folder = all != NULL ? strtok_r(all, ":", &next) : NULL; folder != NULL && !first; folder = strtok_r(NULL, ":", &next)) {
		if (asprintf(&file, "%s/zs", folder) < 0)
			break;
		first = access(file, X_OK) == 0;
		char *real = first ? realpath(file, NULL) : NULL;
		found = real != NULL && strcmp(real, self) == 0;
		free(real);
		free(file);
	}
	free(all);
	return found;
}

/* How this program is called from a shell. free() it; NULL without memory. */
static char *program_word(void)
{
	char *self = realpath("/proc/self/exe", NULL);
	char *word = self == NULL || found_by_name(self) ? strdup("zs") : shell_word(self);
	free(self);
	return word;
}

struct words {
	char *zs, *uri, *drive, *socket, *control;
};

static bool make_words(const struct server *s, struct words *w)
{
	char *drive;
	*w = (struct words){ .zs = program_word(), .uri = shell_word(s->uri), .control = shell_word(s->control) };
	if (asprintf(&drive, "file=%s,format=raw,if=virtio,discard=unmap", s->uri) >= 0) {
		w->drive = shell_word(drive);
		free(drive);
	}
	w->socket = shell_word(s->listening.path != NULL ? s->listening.path : "");
	return w->zs != NULL && w->uri != NULL && w->drive != NULL && w->socket != NULL && w->control != NULL;
}

/* What nbd-client shall take for a block: the kernel cuts off what is left over at the end. */
static unsigned client_block(const struct server *s)
{
	enum { PATIENCE_MS = 1000, PAGE = 4096, SECTOR = 512 };
	struct control_client client;
	unsigned block = PAGE;
	if (!control_connect_quietly(&client, s->control, PATIENCE_MS))
		return block;
	if (control_ask(&client, "get", "disksize") == CONTROL_DONE && strtoull(client.body, NULL, 10) % PAGE != 0)
		block = SECTOR;
	control_disconnect(&client);
	return block;
}

static void put_lines(const struct server *s, const struct words *w)
{
	printf("The disk is at\n\n  %s\n\n", s->uri);
	printf("  look at it     nbdinfo %s\n", w->uri);
	printf("  copy in, out   nbdcopy FILE %s; nbdcopy %s FILE\n", w->uri, w->uri);
	printf("  an image       qemu-img convert -n -O raw IMAGE %s\n", w->uri);
	printf("  in QEMU        -drive %s\n", w->drive);
	printf("  as a file      mkdir DIR && nbdfuse DIR %s\n", w->uri);
	if (s->listening.path != NULL)
		printf("  as /dev/nbd0   nbd-client -b %u -unix %s /dev/nbd0\n", client_block(s), w->socket);
	else
		printf("  as /dev/nbd0   nbd-client -b %u localhost %u /dev/nbd0\n", client_block(s), s->port);
	printf("  watch it       %s top %s\n", w->zs, w->control);
	printf("  change it      %s ctl %s get mm_stat\n", w->zs, w->control);
	printf("\nCtrl-C, or a signal to process %ld, stops it.\n", (long)getpid());
}

bool serve_print_text(const struct server *s)
{
	struct words w;
	bool good = make_words(s, &w);
	if (good)
		put_lines(s, &w);
	else
		message("out of memory");
	free(w.zs);
	free(w.uri);
	free(w.drive);
	free(w.socket);
	free(w.control);
	return good;
}

void serve_print_json(const struct server *s)
{
	struct json j = JSON_INIT(stdout);
	json_begin_object(&j, NULL);
	json_string(&j, "uri", s->uri);
	if (s->listening.path != NULL)
		json_string(&j, "socket", s->listening.path);
	json_string(&j, "control", s->control);
	json_uint(&j, "pid", (uint64_t)s->pid);
	json_end_object(&j);
}
