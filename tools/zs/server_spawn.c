/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server_spawn.c - processes with the right signals, descriptors, groups and environment.
 *
 * nbdkit gets the listening socket as systemd would give it (LISTEN_FDS, LISTEN_PID, descriptor 3). LISTEN_PID is the
 * process that nbdkit becomes, hence fork() and not posix_spawn(). There is one thread, so the child may do as it
 * likes.
 */
#include "server_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

enum {
	FIXED_ARGUMENTS = 16,
	LISTEN_FD = 3,   /* the first that is handed over, as sd_listen_fds(3) says */
	SPARE_FD = 10,   /* from here on nobody is in the way */
	CANT_EXEC = 127, /* as shells */
};

/* The plugin that was built or installed with this program; else its name, which nbdkit looks for in its own folder. */
static char *find_plugin(void)
{
	static const char *const places[] = { ZS_PLUGIN_FROM_BIN, "../../plugins/nbdkit" };
	char *self = realpath("/proc/self/exe", NULL);
	char *found = NULL;
	if (self != NULL)
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; self != NULL && found == NULL && i < sizeof(places) / sizeof(places[0]); i++) {
		if (asprintf(&found, "%s/%s/nbdkit-zram-plugin.so", self, places[i]) < 0)
			found = NULL;
		if (found != NULL && access(found, R_OK) != 0) {
			free(found);
			found = NULL;
		}
	}
	free(self);
	return found != NULL ? found : strdup("zram");
}

/* A descriptor of the same file that stays open over exec. */
static int inherited(int fd)
{
	return fcntl(fd, F_DUPFD, SPARE_FD);
}

/* In the child. Returns only where that fails, with errno. */
static void become_nbdkit(const struct server *s, char **arguments, const sigset_t *mask)
{
	char number[16];
	setpgid(0, 0);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (inherited(s->folder.lock) < 0)
		return;
	if (s->listening.path != NULL) {
		int fd = inherited(s->listening.fd);
		/* nbdkit waits in accept(). */
		if (fd < 0 || fcntl(fd, F_SETFL, 0) != 0 || dup2(fd, LISTEN_FD) < 0)
			return;
		close(fd);
		snprintf(number, sizeof(number), "%ld", (long)getpid());
		if (setenv("LISTEN_PID", number, 1) != 0 || setenv("LISTEN_FDS", "1", 1) != 0)
			return;
	} else {
		unsetenv("LISTEN_PID");
	}
	execvp(arguments[0], arguments);
}

/* 0, or the error that kept nbdkit from being started. */
static int fork_nbdkit(struct server *s, char **arguments, const sigset_t *mask)
{
	int told[2], error = 0;
	if (pipe2(told, O_CLOEXEC) != 0)
		return errno;
	s->pid = fork();
	if (s->pid == 0) {
		int tell = fcntl(told[1], F_DUPFD_CLOEXEC, SPARE_FD);
		become_nbdkit(s, arguments, mask);
		error = errno;
		ssize_t written = write(tell, &error, sizeof(error));
		(void)written; /* there is nobody else to tell */
		_exit(CANT_EXEC);
	}
	if (s->pid < 0)
		error = errno;
	close(told[1]);
	/* The pipe is closed by exec: then there is nothing to read. */
	if (s->pid > 0 && read(told[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(told[0]);
	return error;
}

static size_t put_arguments(const struct server *s, const char **to, const char *pidfile, char *port, char *threads)
{
	size_t n = 0;
	to[n++] = "nbdkit";
	to[n++] = "--foreground";
	to[n++] = "--exit-with-parent";
	to[n++] = "--pidfile";
	to[n++] = pidfile;
	if (s->port) {
		to[n++] = "--ipaddr";
		to[n++] = "localhost";
		to[n++] = "--port";
		to[n++] = port;
	}
	if (s->threads) {
		to[n++] = "--threads";
		to[n++] = threads;
	}
	return n;
}

bool server_spawn(struct server *s, const char *pidfile, const sigset_t *mask)
{
	char port[16], threads[16], *control = NULL, *name = NULL;
	size_t count = 0;
	while (s->parameters[count] != NULL)
		count++;
	char *plugin = s->plugin != NULL ? strdup(s->plugin) : find_plugin();
	const char **arguments = calloc(FIXED_ARGUMENTS + count, sizeof(*arguments));
	int error = ENOMEM;
	if (asprintf(&control, "control=%s", s->control) < 0)
		control = NULL;
	if (s->name != NULL && asprintf(&name, "name=%s", s->name) < 0)
		name = NULL;
	if (plugin != NULL && arguments != NULL && control != NULL && (name != NULL || s->name == NULL)) {
		snprintf(port, sizeof(port), "%u", s->port);
		snprintf(threads, sizeof(threads), "%u", s->threads);
		size_t n = put_arguments(s, arguments, pidfile, port, threads);
		arguments[n++] = plugin;
		for (size_t i = 0; i < count; i++)
			arguments[n++] = s->parameters[i];
		arguments[n++] = control;
		arguments[n] = name;
		error = fork_nbdkit(s, (char **)(uintptr_t)arguments, mask);
	}
	free(control);
	free(name);
	if (error == ENOENT)
		message("nbdkit is not installed");
	else if (error)
		message("can't start nbdkit: %s", strerror(error));
	free(arguments);
	free(plugin);
	return error == 0;
}

/* In the child: what nbdkit --run has as well, and the control socket. */
static bool put_names(const struct server *s)
{
	char port[16];
	snprintf(port, sizeof(port), "%u", s->port);
	return setenv("uri", s->uri, 1) == 0 && setenv("nbd", s->uri, 1) == 0 &&
	       setenv("unixsocket", s->listening.path != NULL ? s->listening.path : "", 1) == 0 &&
	       setenv("port", s->port ? port : "", 1) == 0 && setenv("control", s->control, 1) == 0;
}

pid_t server_spawn_command(const struct server *s, const char *command, const sigset_t *mask)
{
	pid_t pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		if (put_names(s))
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		message("can't run the command: %s", strerror(errno));
		_exit(CANT_EXEC);
	}
	if (pid < 0)
		message("can't run the command: %s", strerror(errno));
	return pid;
}
