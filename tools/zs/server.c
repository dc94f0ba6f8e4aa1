/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.c - see server.h.
 *
 * The signals stay blocked and are waited for, together with SIGCHLD: no handler, no race between looking and sleeping.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "paste.h"

extern char **environ;

enum {
	PATIENCE = 3, /* signals until the server is killed */
	READY_MS = 10,
	FIXED_ARGUMENTS = 12,
};

static sigset_t signals_before;

static void block_signals(void)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, &signals_before);
}

/* A signal that came within that time, or 0. */
static int next_signal(unsigned milliseconds)
{
	const struct timespec time = { milliseconds / 1000, (long)(milliseconds % 1000) * 1000000 };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	int number = sigtimedwait(&set, NULL, &time);
	return number > 0 ? number : 0;
}

static char *path_in(const char *folder, const char *name)
{
	char *path;
	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static bool make_folder(struct server *s)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	const char *tmp = getenv("TMPDIR");
	const char *parent = run && access(run, W_OK | X_OK) == 0 ? run : tmp && *tmp ? tmp : "/tmp";
	s->folder = path_in(parent, "zs-XXXXXX");
	if (s->folder && mkdtemp(s->folder))
		return true;
	message("can't make a folder in %s: %s", parent, strerror(errno));
	free(s->folder);
	s->folder = NULL;
	return false;
}

/* The plugin that was built or installed with this program; else its name, which nbdkit looks for in its own folder. */
static char *find_plugin(void)
{
	static const char *const places[] = { ZS_PLUGIN_FROM_BIN, "../../plugins/nbdkit" };
	char *self = realpath("/proc/self/exe", NULL);
	char *found = NULL;
	if (self)
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; self && !found && i < sizeof(places) / sizeof(places[0]); i++) {
		if (asprintf(&found, "%s/%s/nbdkit-zram-plugin.so", self, places[i]) < 0)
			found = NULL;
		if (found && access(found, R_OK) != 0) {
			free(found);
			found = NULL;
		}
	}
	free(self);
	return found ? found : strdup("zram");
}

/* path as a value in a URI. NULL without memory. */
static char *uri_of_socket(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	static const char head[] = "nbd+unix:///?socket=";
	char *uri = malloc(sizeof(head) + 3 * strlen(path));
	if (!uri)
		return NULL;
	char *to = stpcpy(uri, head);
	for (; *path; path++) {
		if (strchr(plain, *path))
			*to++ = *path;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*path);
	}
	*to = '\0';
	return uri;
}

static const char *parameter(char **parameters, const char *name)
{
	size_t len = strlen(name);
	for (; *parameters; parameters++)
		if (strncmp(*parameters, name, len) == 0 && (*parameters)[len] == '=')
			return *parameters + len + 1;
	return NULL;
}

/* A control socket in the folder would be found by nobody after a change of directory, hence absolute names. */
static bool choose_names(struct server *s)
{
	const char *control = parameter(s->parameters, "control");
	s->control = control ? absolute_path(control) : path_in(s->folder, "control");
	if (s->port) {
		if (asprintf(&s->uri, "nbd://localhost:%u", s->port) < 0)
			s->uri = NULL;
	} else {
		s->socket = s->unix_path ? absolute_path(s->unix_path) : path_in(s->folder, "nbd");
		s->uri = s->socket ? uri_of_socket(s->socket) : NULL;
	}
	if (s->control && s->uri)
		return true;
	message("out of memory");
	return false;
}

static int spawn_with(struct server *s, char **arguments)
{
	posix_spawnattr_t attr;
	int error = posix_spawnattr_init(&attr);
	if (error)
		return error;
	posix_spawnattr_setsigmask(&attr, &signals_before);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawnp(&s->pid, arguments[0], NULL, &attr, arguments, environ);
	posix_spawnattr_destroy(&attr);
	return error;
}

static bool spawn(struct server *s, const char *pidfile)
{
	char port[16], *control = NULL;
	size_t count = 0, n = 0;
	while (s->parameters[count])
		count++;
	char *plugin = s->plugin ? strdup(s->plugin) : find_plugin();
	const char **arguments = calloc(FIXED_ARGUMENTS + count + 2, sizeof(*arguments));
	int error = ENOMEM;
	if (plugin && arguments && asprintf(&control, "control=%s", s->control) >= 0) {
		snprintf(port, sizeof(port), "%u", s->port);
		arguments[n++] = "nbdkit";
		arguments[n++] = "--foreground";
		arguments[n++] = "--exit-with-parent";
		arguments[n++] = "--pidfile";
		arguments[n++] = pidfile;
		arguments[n++] = s->port ? "--ipaddr" : "--unix";
		arguments[n++] = s->port ? "localhost" : s->socket;
		if (s->port) {
			arguments[n++] = "--port";
			arguments[n++] = port;
		}
		arguments[n++] = plugin;
		for (size_t i = 0; i < count; i++)
			arguments[n++] = s->parameters[i];
		arguments[n++] = control;
		error = spawn_with(s, (char **)(uintptr_t)arguments);
		free(control);
	}
	if (error == ENOENT)
		message("nbdkit is not installed");
	else if (error)
		message("can't start nbdkit: %s", strerror(error));
	free(arguments);
	free(plugin);
	return error == 0;
}

static void clean_up(struct server *s)
{
	/* nbdkit leaves its socket behind; the control socket is removed by the plugin. */
	if (s->socket)
		unlink(s->socket);
	char *pidfile = s->folder ? path_in(s->folder, "pid") : NULL;
	if (pidfile)
		unlink(pidfile);
	free(pidfile);
	if (s->folder)
		rmdir(s->folder);
	free(s->folder);
	free(s->socket);
	free(s->control);
	free(s->uri);
	s->folder = s->socket = s->control = s->uri = NULL;
}

/* The server has ended: its exit status, or -1 where it was killed. */
static int reap(pid_t pid, bool *ended)
{
	int status;
	pid_t got = waitpid(pid, &status, WNOHANG);
	*ended = got == pid || (got < 0 && errno != EINTR);
	return got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool server_wait(struct server *s)
{
	bool ended = false;
	int status = 0;
	unsigned signals = 0;
	while (!ended) {
		int number = next_signal(1000);
		if (number != 0 && number != SIGCHLD)
			kill(s->pid, ++signals < PATIENCE ? SIGTERM : SIGKILL);
		status = reap(s->pid, &ended);
	}
	clean_up(s);
	if (status < 0)
		message("nbdkit was killed: the disk is gone");
	else if (status > 0)
		message("nbdkit ended with exit status %d", status);
	return status == 0;
}

bool server_start(struct server *s)
{
	struct stat st;
	block_signals();
	if (!make_folder(s))
		return false;
	char *pidfile = path_in(s->folder, "pid");
	/* A socket that is there already is somebody else's, and none of ours to remove at the end. */
	bool good = pidfile && choose_names(s);
	if (good && s->socket && lstat(s->socket, &st) == 0) {
		message("%s: exists already", s->socket);
		free(s->socket);
		s->socket = NULL;
		good = false;
	}
	if (!good || !spawn(s, pidfile)) {
		free(pidfile);
		clean_up(s);
		return false;
	}
	/* nbdkit writes the file when it serves. */
	bool ended = false;
	while (!ended && (stat(pidfile, &st) != 0 || st.st_size == 0)) {
		int number = next_signal(READY_MS);
		if (number != 0 && number != SIGCHLD)
			kill(s->pid, SIGTERM);
		reap(s->pid, &ended);
	}
	free(pidfile);
	if (!ended)
		return true;
	clean_up(s);
	return false;
}
