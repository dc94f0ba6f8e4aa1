/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.c - nbdkit is started, waited for and asked to end; the names that it serves under are made before.
 *
 * The signals stay blocked and are waited for, together with SIGCHLD: no handler, no race between looking and sleeping.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "common/disk_name.h"
#include "common/why.h"
#include "message.h"
#include "paste.h"
#include "server_end.h"
#include "server_spawn.h"

enum {
	READY_MS = 10,
	IDLE_MS = 1000,
	END_MS = 100, /* between two looks at how far the end is */
	SIGNAL_STATUS = 128, /* and the number: what shells say of a command that a signal ended */
};

static sigset_t signals_before;

static void wanted_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
}

static void block_signals(void)
{
	sigset_t set;
	wanted_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &signals_before);
}

/* A signal that came within that time and asks to end, or 0. *typed: a terminal has sent it, to the command too. */
static int next_signal(unsigned milliseconds, bool *typed)
{
	const struct timespec time = { milliseconds / 1000, (long)(milliseconds % 1000) * 1000000 };
	sigset_t set;
	siginfo_t info = { 0 };
	wanted_signals(&set);
	int number = sigtimedwait(&set, &info, &time);
	*typed = number > 0 && info.si_code == SI_KERNEL;
	return number > 0 && number != SIGCHLD ? number : 0;
}

/* path as a value in a URI. NULL without memory. */
static char *uri_of_socket(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	static const char head[] = "nbd+unix:///?socket=";
	char *uri = malloc(sizeof(head) + 3 * strlen(path));
	if (uri == NULL)
		return NULL;
	char *to = stpcpy(uri, head);
	for (; *path; path++) {
		if (strchr(plain, *path) != NULL)
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
	for (; *parameters != NULL; parameters++)
		if (strncmp(*parameters, name, len) == 0 && (*parameters)[len] == '=')
			return *parameters + len + 1;
	return NULL;
}

/* Take the socket's name. False after a message. */
static bool listen_on_socket(struct server *s)
{
	enum { MODE = 0777 }; /* less the umask, as any server's that is not told otherwise */
	char why[WHY_BYTES];
	char *path = s->unix_path != NULL ? absolute_path(s->unix_path) : server_folder_file(&s->folder, "nbd");
	if (path == NULL) {
		message("%s", strerror(errno));
		return false;
	}
	bool good = named_socket_open(&s->listening, path, MODE, why, sizeof(why)) == 0;
	if (!good) {
		s->listening.path = NULL;
		message("%s", why);
	}
	free(path);
	return good;
}

/* As where it is served, which is the only one there; a socket in a folder is called as that. NULL without memory. */
static char *disk_name(const struct server *s)
{
	char *name;
	if (s->port)
		return asprintf(&name, "port-%u", s->port) < 0 ? NULL : name;
	return disk_name_of_path(s->unix_path != NULL ? s->unix_path : s->folder.path);
}

static bool choose_names(struct server *s)
{
	const char *control = parameter(s->parameters, "control");
	s->control = control != NULL ? absolute_path(control) : server_folder_file(&s->folder, "control");
	s->saves = parameter(s->parameters, "save") != NULL || parameter(s->parameters, "snapshot") != NULL;
	if (s->port) {
		if (asprintf(&s->uri, "nbd://localhost:%u", s->port) < 0)
			s->uri = NULL;
	} else {
		if (!listen_on_socket(s))
			return false;
		s->uri = uri_of_socket(s->listening.path);
	}
	bool named = parameter(s->parameters, "name") != NULL || parameter(s->parameters, "control") != NULL;
	if (!named)
		s->name = disk_name(s);
	if (s->control != NULL && s->uri != NULL && (named || s->name != NULL))
		return true;
	message("out of memory");
	return false;
}

static void clean_up(struct server *s)
{
	named_socket_unlink(&s->listening);
	server_folder_remove(&s->folder);
	free(s->control);
	free(s->uri);
	free(s->name);
	s->control = s->uri = s->name = NULL;
}

/* What has become of a process: its exit status, 128 and a signal's number, or -1 where it can't be known. */
static int reap(pid_t pid, bool *ended)
{
	int status;
	pid_t got = waitpid(pid, &status, WNOHANG);
	*ended = got == pid || (got < 0 && errno != EINTR);
	if (got != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNAL_STATUS + WTERMSIG(status);
}

/* nbdkit has ended with that status: clean up and say so. */
static bool ended_well(struct server *s, int status)
{
	server_end_over();
	clean_up(s);
	if (status < 0 || status >= SIGNAL_STATUS)
		message("nbdkit was killed: %s", s->saves ? "what was not saved is gone" : "the disk is gone");
	else if (status > 0)
		message("nbdkit ended with exit status %d", status);
	return status == 0;
}

/* end: zero, or the server is being ended already. */
static bool wait_for_end(struct server *s, struct server_end *end)
{
	bool ended = false, typed;
	int status = 0;
	while (!ended) {
		if (next_signal(end->begun ? END_MS : IDLE_MS, &typed) != 0)
			server_end_signal(end, s);
		status = reap(s->pid, &ended);
		if (!ended && end->begun)
			server_end_tick(end, s);
	}
	return ended_well(s, status);
}

bool server_wait(struct server *s)
{
	struct server_end end = { 0 };
	return wait_for_end(s, &end);
}

int server_run(struct server *s, const char *command)
{
	struct server_end end = { 0 };
	bool over = false, server_over = false, typed;
	int status = -1, server_status = -1;
	pid_t pid = server_spawn_command(s, command, &signals_before);
	while (pid > 0 && !over) {
		int number = next_signal(IDLE_MS, &typed);
		/*
		 * What a terminal sends the command has had itself: whether to end is for it to say, as with a shell.
		 */
		if (number != 0 && !typed)
			kill(pid, number);
		status = reap(pid, &over);
		if (!server_over) {
			server_status = reap(s->pid, &server_over);
			if (server_over && !over)
				kill(pid, SIGTERM);
		}
	}
	if (server_over)
		return ended_well(s, server_status) ? status : -1;
	server_end_signal(&end, s);
	return wait_for_end(s, &end) && pid > 0 ? status : -1;
}

/* nbdkit writes the file when it serves. False: it has ended before. */
static bool wait_until_ready(struct server *s, const char *pidfile)
{
	struct stat st;
	bool ended = false, typed;
	while (!ended && (stat(pidfile, &st) != 0 || st.st_size == 0)) {
		if (next_signal(READY_MS, &typed) != 0)
			kill(s->pid, SIGTERM);
		reap(s->pid, &ended);
	}
	return !ended;
}

bool server_start(struct server *s)
{
	block_signals();
	if (!server_folder_make(&s->folder))
		return false;
	char *pidfile = server_folder_file(&s->folder, "pid");
	bool good = pidfile != NULL && choose_names(s) && server_spawn(s, pidfile, &signals_before);
	/* The socket is nbdkit's from here on: when that ends, nobody listens. */
	if (s->listening.path != NULL)
		close(s->listening.fd);
	if (!good || !wait_until_ready(s, pidfile)) {
		clean_up(s);
		good = false;
	}
	free(pidfile);
	return good;
}
