/* SPDX-License-Identifier: BSD-3-Clause */
/* control_client.c - one request and its answer over the control socket, within a time. */
#include "control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "message.h"
#include "mount_control.h"

/* An answer is read in pieces that grow, so that a wrong length asks for no memory that never gets filled. */
enum { PIECE_BYTES = 65536 };

static const char *connect_reason(const char *path, int error)
{
	struct stat st;
	switch (error) {
	case ECONNREFUSED:
		/* Also said of what is no socket at all. */
		return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode) ? "not a socket"
								     : "no server listens there any more";
	case ENOENT:
		return "No such file or directory: no disk is served there";
	case EACCES:
		return "Permission denied: a disk is for the user who serves it, and for root";
	case ENOTSOCK:
		return "not a socket";
	default:
		return strerror(error);
	}
}

static void report(const struct control_client *c, const char *why)
{
	if (!c->quiet)
		message("%s: %s", c->path, why);
}

static bool connect_to(struct control_client *c, const struct timeval *patience)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (c->path[0] == '\0') {
		if (!c->quiet)
			message("'': must be the name of a control socket");
		return false;
	}
	if (strlen(c->path) >= sizeof(address.sun_path)) {
		if (!c->quiet)
			message("%s: a socket's name has at most %zu bytes", c->path, sizeof(address.sun_path) - 1);
		return false;
	}
	memcpy(address.sun_path, c->path, strlen(c->path) + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && patience != NULL) {
		setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, patience, sizeof(*patience)); /* of connect() too */
		setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, patience, sizeof(*patience));
	}
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		report(c, connect_reason(c->path, errno));
		control_disconnect(c);
		return false;
	}
	c->in = fdopen(c->fd, "r");
	if (c->in != NULL)
		return true;
	report(c, strerror(errno));
	control_disconnect(c);
	return false;
}

bool control_connect(struct control_client *c, const char *path)
{
	struct stat st;
	*c = (struct control_client){ .path = path, .fd = -1 };
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		c->found = mount_control_of(path);
		if (c->found == NULL) {
			report(c, "is a directory, and no server is found that has it: see zs mount --list");
			return false;
		}
		c->path = c->found;
	}
	return connect_to(c, NULL);
}

bool control_connect_quietly(struct control_client *c, const char *path, unsigned milliseconds)
{
	const struct timeval patience = { milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000 };
	*c = (struct control_client){ .path = path, .fd = -1, .quiet = true };
	return connect_to(c, &patience);
}

void control_disconnect(struct control_client *c)
{
	if (c->in != NULL)
		fclose(c->in);
	else if (c->fd >= 0)
		close(c->fd);
	free(c->body);
	free(c->found);
	*c = (struct control_client){ .fd = -1 };
}

static enum control_result lost(struct control_client *c, const char *why)
{
	report(c, why);
	return CONTROL_LOST;
}

/* False without memory. That the server is gone shows when its answer is waited for. */
static bool send_line(int fd, const char *word, const char *rest)
{
	char *line;
	int len = asprintf(&line, "%s%s%s\n", word, rest != NULL ? " " : "", rest != NULL ? rest : "");
	if (len < 0)
		return false;
	size_t left = (size_t)len;
	ssize_t n = 0;
	for (const char *at = line; left > 0; at += n, left -= (size_t)n) {
		n = send(fd, at, left, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			break;
	}
	free(line);
	return true;
}

static bool read_body(struct control_client *c, size_t bytes)
{
	c->bytes = 0;
	for (;;) {
		size_t piece = bytes - c->bytes < PIECE_BYTES ? bytes - c->bytes : PIECE_BYTES;
		char *grown = realloc(c->body, c->bytes + piece + 1);
		if (grown == NULL)
			return false;
		c->body = grown;
		size_t n = fread(c->body + c->bytes, 1, piece, c->in);
		c->bytes += n;
		c->body[c->bytes] = '\0';
		if (c->bytes == bytes || n < piece)
			return c->bytes == bytes;
	}
}

enum control_result control_ask(struct control_client *c, const char *word, const char *rest)
{
	size_t room = 0;
	char *head = NULL, *end;
	enum control_result result = CONTROL_DONE;
	/* Where sending fails the server may still have said why, such as that there are too many connections. */
	if (!send_line(c->fd, word, rest))
		return lost(c, "out of memory");
	ssize_t len = getline(&head, &room, c->in);
	if (len <= 0) {
		result = lost(c, "the server has closed the connection");
	} else if (strncmp(head, "error ", 6) == 0) {
		head[strcspn(head, "\n")] = '\0';
		free(c->body);
		c->body = strdup(head + 6);
		c->bytes = c->body != NULL ? strlen(c->body) : 0;
		result = c->body != NULL ? CONTROL_REFUSED : lost(c, "out of memory");
	} else if (strncmp(head, "ok ", 3) == 0) {
		errno = 0;
		unsigned long long bytes = strtoull(head + 3, &end, 10);
		if (errno || end == head + 3 || *end != '\n')
			result = lost(c, "the answer is not that of a disk");
		else if (!read_body(c, (size_t)bytes))
			result = lost(c, "the answer is cut short");
	} else {
		result = lost(c, "the answer is not that of a disk");
	}
	free(head);
	return result;
}
