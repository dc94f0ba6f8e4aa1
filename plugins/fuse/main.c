/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main.c - zs-fuse: the server of one directory in compressed memory. zs mount starts it.
 *
 *   zs-fuse [--ready FD] DIRECTORY SIZE [NAME=VALUE]...
 *
 * With --ready a line is written to that descriptor as soon as the directory can be used: "ok CONTROL", the control
 * socket's name, or "error TEXT"; the server then leaves the terminal. Without, it stays, and errors go to standard
 * error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/control.h"
#include "common/disk_name.h"
#include "common/mount_place.h"
#include "common/notify.h"
#include "common/saving.h"
#include "common/why.h"
#include "config.h"
#include "fs.h"
#include "fs_request.h"
#include "keeper.h"
#include "mountpoint.h"
#include "session.h"
#include "snapshot.h"

enum { EXIT_USE = 2, EXIT_BROKEN = 3 };

struct server {
	struct served served; /* first: what the session has is all of it */
	struct config config;
	struct mount_place place;
	struct session *session;
	struct keeper keeper;
	struct control *sockets;
	struct request request;
	char *directory, *control;
	int ready; /* -1: the server stays in the foreground */
};

/* To who waits for the start, or to who sees standard error. */
static void report(int ready, const char *text)
{
	if (ready >= 0)
		dprintf(ready, "error %s\n", text);
	else
		fprintf(stderr, "zs mount: %s\n", text);
}

/* Of nobody's terminal, and in nobody's way. */
static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	setsid();
	(void)!chdir("/");
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

static void begun(struct served *served)
{
	struct server *s = (struct server *)served;
	if (s->ready < 0) {
		notify_manager("READY=1");
		return;
	}
	dprintf(s->ready, "ok %s\n", s->control);
	close(s->ready);
	s->ready = -1;
	leave_terminal();
}

/* That it can be saved at the end is found out now. */
static int check_save(const struct server *s, char *why, size_t why_bytes)
{
	if (s->config.save == NULL)
		return 0;
	return saving_own(s->config.save, why, why_bytes) != 0 ? -1 : snapshot_try(s->config.save, why, why_bytes);
}

/* What is made now in the directory could not be reached later, and is in the way of the next mount. */
static int check_hidden(const struct server *s, char *why, size_t why_bytes)
{
	const char *hidden = mountpoint_hides(s->directory, s->config.save)	   ? s->config.save :
			     mountpoint_hides(s->directory, s->config.control) ? s->config.control :
										     NULL;
	if (hidden == NULL)
		return 0;
	snprintf(why, why_bytes, "%s: is in the directory that is to be mounted, which hides it", hidden);
	return -1;
}

static struct fs *load_or_create(struct server *s, char *why, size_t why_bytes)
{
	struct fs_options o = {
		.size = s->config.size, .device = &s->config.options, .mode = 0755, .uid = getuid(), .gid = getgid()
	};
	s->config.options.name = s->config.name;
	if (s->config.load != NULL) {
		struct fs *fs = snapshot_load(s->config.load, &o, why, why_bytes);
		if (fs != NULL || errno != ENOENT || !s->config.load_optional)
			return fs;
	}
	if (o.size != 0)
		return fs_create(&o, why, why_bytes);
	snprintf(why, why_bytes, "%s is not there, and no SIZE is given", s->config.load);
	return NULL;
}

static int make_fs(struct server *s, char *why, size_t why_bytes)
{
	s->served.fs = load_or_create(s, why, why_bytes);
	if (s->served.fs == NULL)
		return -1;
	s->served.write_back = s->config.cache == CACHE_BACK;
	s->served.begun = begun;
	if (zram_background_start(s->served.fs->z, &s->config.background) == 0)
		return 0;
	snprintf(why, why_bytes, "%s", zram_strerror());
	return -1;
}

/* The folder that others find the server by, and the control socket. */
static int open_places(struct server *s, char *why, size_t why_bytes)
{
	if (mount_place_make(&s->place, s->directory, why, why_bytes) != 0)
		return -1;
	s->control = s->config.control != NULL ? strdup(s->config.control) : mount_place_file(&s->place, "control");
	if (s->control == NULL || mount_place_announce(&s->place, getpid(), s->control, s->directory) != 0) {
		snprintf(why, why_bytes, "%s: %s", s->place.path, strerror(errno));
		return -1;
	}
	s->served.fs->directory = s->directory;
	s->request = fs_request(s->served.fs, s->config.save);
	s->sockets = control_open(s->control, why, why_bytes);
	if (s->sockets == NULL)
		return -1;
	if (control_start(s->sockets, &s->request) == 0)
		return 0;
	snprintf(why, why_bytes, "can't start a thread: %s", strerror(errno));
	return -1;
}

/* Everything up to the mount. 0, or -1 with one line in why. */
static int start(struct server *s, const char *directory, char *why, size_t why_bytes)
{
	bool stale;
	if (mountpoint_has_fuse(why, why_bytes) != 0)
		return -1;
	s->directory = mountpoint_find(directory, &stale, why, why_bytes);
	if (s->directory == NULL || (stale && mountpoint_clean(s->directory, why, why_bytes) != 0))
		return -1;
	if (s->config.name == NULL)
		s->config.name = disk_name_of_path(s->directory);
	if (s->config.name == NULL || check_hidden(s, why, why_bytes) != 0 || check_save(s, why, why_bytes) != 0 ||
	    make_fs(s, why, why_bytes) != 0 || open_places(s, why, why_bytes) != 0 ||
	    keeper_start(&s->keeper, s->served.fs, why, why_bytes) != 0)
		return -1;
	const struct session_options o = { s->directory, s->config.name, s->config.allow_other, s->config.threads };
	s->session = session_open(&s->served, &o, why, why_bytes);
	return s->session != NULL ? 0 : -1;
}

static void finish(struct server *s)
{
	keeper_stop(&s->keeper);
	control_close(s->sockets);
	mount_place_remove(&s->place);
	fs_destroy(s->served.fs);
	config_free(&s->config);
	free(s->directory);
	free(s->control);
}

/* Nothing is mounted any more; the control socket is open until all is saved, and tells how far that is. */
static int save(struct server *s, char *why, size_t why_bytes)
{
	char reason[WHY_BYTES - 64]; /* with what goes before it, a whole line */
	zram_background_stop(s->served.fs->z);
	if (s->config.save == NULL || snapshot_save(s->served.fs, s->config.save, NULL, reason, sizeof(reason)) == 0)
		return 0;
	snprintf(why, why_bytes, "the directory is not saved: %s", reason);
	return -1;
}

static int serve(struct server *s, const char *directory)
{
	char why[WHY_BYTES] = "";
	int result = start(s, directory, why, sizeof(why));
	if (result == 0)
		result = session_run(s->session, why, sizeof(why));
	if (result == 0)
		notify_manager("STOPPING=1");
	session_close(s->session);
	s->session = NULL;
	if (result == 0)
		result = save(s, why, sizeof(why));
	if (result != 0) {
		report(s->ready, why);
		mount_place_fail(&s->place, why);
	}
	finish(s);
	return result == 0 ? EXIT_SUCCESS : EXIT_BROKEN;
}

int main(int argc, char **argv)
{
	struct server s = { .config = CONFIG_INIT, .place = { NULL, -1 }, .ready = -1 };
	char why[WHY_BYTES];
	int at = 1;
	if (argc > 2 && strcmp(argv[1], "--ready") == 0) {
		s.ready = atoi(argv[2]);
		fcntl(s.ready, F_SETFD, FD_CLOEXEC);
		at = 3;
	}
	if (at >= argc) {
		report(s.ready, "usage: zs-fuse [--ready FD] DIRECTORY SIZE [NAME=VALUE]...");
		return EXIT_USE;
	}
	const char *directory = argv[at++];
	int result = 0;
	for (; at < argc && result == 0; at++)
		result = config_take(&s.config, argv[at], why, sizeof(why));
	if (result == 0)
		result = config_check(&s.config, why, sizeof(why));
	if (result != 0) {
		report(s.ready, why);
		config_free(&s.config);
		return EXIT_USE;
	}
	return serve(&s, directory);
}
