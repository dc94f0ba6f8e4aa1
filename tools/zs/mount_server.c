/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mount_server.c - the server is a child that outlives this process. It says in one line that the directory can be
 * used, or why not, and has left the terminal then.
 */
#include "mount_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "common/why.h"
#include "message.h"

enum { CANT_EXEC = 127, ARGUMENTS = 4 };

/* The one that was built or installed with this program. free() it; NULL: there is none. */
static char *find_server(void)
{
	static const char *const places[] = { ZS_FUSE_FROM_BIN, "../../plugins/fuse" };
	char *self = realpath("/proc/self/exe", NULL);
	char *found = NULL;
	if (self != NULL)
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; self != NULL && found == NULL && i < sizeof(places) / sizeof(places[0]); i++) {
		if (asprintf(&found, "%s/%s/zs-fuse", self, places[i]) < 0)
			found = NULL;
		if (found != NULL && access(found, X_OK) != 0) {
			free(found);
			found = NULL;
		}
	}
	free(self);
	if (found == NULL)
		message("the server, zs-fuse, is not there: this zs was built without libfuse3");
	return found;
}

/* zs-fuse [--ready FD] DIRECTORY PARAMETER... free() it; NULL without memory. */
static char **arguments_of(char *server, char *ready, const char *directory, char **parameters)
{
	static char option[] = "--ready";
	size_t count = 0, n = 0;
	while (parameters[count] != NULL)
		count++;
	char **arguments = calloc(ARGUMENTS + count + 1, sizeof(*arguments));
	if (arguments == NULL)
		return NULL;
	arguments[n++] = server;
	if (ready != NULL) {
		arguments[n++] = option;
		arguments[n++] = ready;
	}
	arguments[n++] = (char *)(size_t)directory;
	memcpy(arguments + n, parameters, count * sizeof(*arguments));
	return arguments;
}

void mount_server_become(const char *directory, char **parameters)
{
	char *server = find_server();
	char **arguments = server != NULL ? arguments_of(server, NULL, directory, parameters) : NULL;
	if (arguments != NULL) {
		execv(server, arguments);
		message("can't start %s: %s", server, strerror(errno));
	} else if (server != NULL) {
		message("out of memory");
	}
	free(arguments);
	free(server);
}

/* What the server says, until it has said all: one line. */
static void read_line(int fd, char *line, size_t room)
{
	size_t n = 0;
	for (ssize_t got; n < room - 1; n += (size_t)got) {
		got = read(fd, line + n, room - 1 - n);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got <= 0 || memchr(line + n, '\n', (size_t)got) != NULL) {
			n += got > 0 ? (size_t)got : 0;
			break;
		}
	}
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

/* EXIT_DONE, or after a message what the server ended with. */
static int take_answer(const char *line, pid_t pid, char **control)
{
	int status = 0;
	if (strncmp(line, "ok ", 3) == 0) {
		*control = strdup(line + 3);
		if (*control == NULL)
			message("out of memory");
		return *control != NULL ? EXIT_DONE : EXIT_BROKEN;
	}
	waitpid(pid, &status, 0);
	if (strncmp(line, "error ", 6) == 0)
		message("%s", line + 6);
	else
		message("the server ended before the directory could be used");
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE ? EXIT_USAGE : EXIT_BROKEN;
}

int mount_server_start(const char *directory, char **parameters, char **control)
{
	char line[WHY_BYTES + 8], ready[16];
	int told[2];
	char *server = find_server();
	if (server == NULL)
		return EXIT_BROKEN;
	if (pipe(told) != 0) {
		message("%s", strerror(errno));
		free(server);
		return EXIT_BROKEN;
	}
	fcntl(told[0], F_SETFD, FD_CLOEXEC);
	snprintf(ready, sizeof(ready), "%d", told[1]);
	char **arguments = arguments_of(server, ready, directory, parameters);
	pid_t pid = arguments != NULL ? fork() : -1;
	if (pid == 0) {
		execv(server, arguments);
		dprintf(told[1], "error can't start %s: %s\n", server, strerror(errno));
		_exit(CANT_EXEC);
	}
	close(told[1]);
	int result = EXIT_BROKEN;
	if (pid > 0) {
		read_line(told[0], line, sizeof(line));
		result = take_answer(line, pid, control);
	} else {
		message("can't start %s: %s", server, strerror(errno));
	}
	close(told[0]);
	free(arguments);
	free(server);
	return result;
}
