/* SPDX-License-Identifier: BSD-3-Clause */
/* umount.c - zs umount: ends a directory in compressed memory, and waits until it is saved where it has a snapshot. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "common/mount_place.h"
#include "common/mount_table.h"
#include "common/why.h"
#include "message.h"
#include "options.h"
#include "paste.h"

extern char **environ;

static const struct option long_options[] = {
	HELP_OPTION,
	OPTIONS_END,
};

static const char help[] = "usage: zs umount DIRECTORY\n"
			   "\n"
			   "End a directory that zs mount has made. Where it has a snapshot, wait until that\n"
			   "is written.\n"
			   "\n"
			   "  -h, --help      show this\n"
			   "\n"
			   "exit status: 0 it is unmounted, and saved where that was asked for; 2 wrong\n"
			   "usage; 3 it is in use, is none of zs mount's, or could not be saved.\n"
			   "\n"
			   "example: zs umount build\n";

/* The place of a directory's server. */
struct search {
	const char *directory;
	char *place;
	bool alive;
};

static int look(const struct mount_found *m, void *arg)
{
	struct search *s = arg;
	if (strcmp(m->directory, s->directory) != 0)
		return 0;
	free(s->place);
	s->place = strdup(m->place);
	s->alive = m->alive;
	return m->alive;
}

/* The directory from the root on, its parent's links resolved: it may itself be one that can't be looked at. */
static char *full_path(const char *directory)
{
	char *path = realpath(directory, NULL);
	if (path != NULL)
		return path;
	path = absolute_path(directory);
	char *slash = path != NULL ? strrchr(path, '/') : NULL, *full = NULL;
	while (slash != NULL && slash > path && slash[1] == '\0') {
		*slash = '\0';
		slash = strrchr(path, '/');
	}
	if (slash == NULL || slash == path)
		return path;
	*slash = '\0';
	char *parent = realpath(path, NULL);
	if (parent != NULL && asprintf(&full, "%s/%s", parent, slash + 1) < 0)
		full = NULL;
	free(parent);
	free(path);
	return full;
}

/* False after a message. lazily: although it is in use, as nobody serves it any more. */
static bool unmount(const char *directory, bool lazily)
{
	if (umount2(directory, UMOUNT_NOFOLLOW | (lazily ? MNT_DETACH : 0)) == 0)
		return true;
	if (errno != EPERM) {
		message("%s: %s", directory, errno == EBUSY ? "is in use" : strerror(errno));
		return false;
	}
	char program[] = "fusermount3", plain[] = "-u", lazy[] = "-uz", dashes[] = "--";
	char *copy = strdup(directory);
	char *arguments[] = { program, lazily ? lazy : plain, dashes, copy, NULL };
	pid_t pid;
	int status = -1;
	int error = copy == NULL ? ENOMEM : posix_spawnp(&pid, program, NULL, NULL, arguments, environ);
	if (error == 0)
		waitpid(pid, &status, 0);
	else
		message("can't start fusermount3: %s", strerror(error));
	free(copy);
	return status == 0;
}

/* No server says that it has it: it is gone with all traces of it, or is another user's, or nothing of ours is there. */
static int end_unknown(const char *directory)
{
	struct stat st;
	if (!mount_table_has(directory)) {
		message("%s: is not mounted by zs mount", directory);
	} else if (stat(directory, &st) != 0 && errno == ENOTCONN) {
		return unmount(directory, true) ? EXIT_DONE : EXIT_BROKEN;
	} else {
		message("%s: its server can't be found, so it can't be waited for: fusermount3 -u or umount ends it",
			directory);
	}
	return EXIT_BROKEN;
}

static int end(const char *directory)
{
	char why[WHY_BYTES] = "";
	struct search s = { .directory = directory };
	mount_place_each(look, &s);
	if (s.place == NULL)
		return end_unknown(directory);
	int lock = mount_place_watch(s.place);
	bool good = unmount(directory, !s.alive);
	if (good)
		mount_place_wait(lock, why, sizeof(why));
	else if (lock >= 0)
		close(lock);
	if (*why != '\0')
		message("%s: %s", directory, why);
	if (good)
		mount_place_clean(s.place);
	free(s.place);
	return good && *why == '\0' ? EXIT_DONE : EXIT_BROKEN;
}

static int run(int argc, char **argv)
{
	for (int option; (option = option_next(argc, argv, ":h", long_options)) != -1;) {
		if (option != 'h')
			return EXIT_USAGE;
		fputs(help, stdout);
		return EXIT_DONE;
	}
	if (optind == argc)
		return message_usage("no DIRECTORY is given");
	if (optind + 1 < argc)
		return message_usage("unexpected argument '%s'", argv[optind + 1]);
	char *directory = full_path(argv[optind]);
	if (directory == NULL) {
		message("%s: %s", argv[optind], strerror(errno));
		return EXIT_BROKEN;
	}
	int status = end(directory);
	free(directory);
	return status;
}

const struct command umount_command = {
	"umount",
	"end such a directory",
	help,
	long_options,
	run,
};
