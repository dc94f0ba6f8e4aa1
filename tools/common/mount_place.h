/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mount_place.h - the folder that a mounted directory's server has: zs-mount-XXXXXX below $XDG_RUNTIME_DIR, /run,
 * $TMPDIR or /tmp, the first that it may write to and does not mount over.
 *
 *   lock      locked (flock) as long as the server lives; what went wrong at its end is written into it
 *   mount     its process, its control socket and its directory, a line each but for the last, which is the rest
 *   control   the control socket, where none was named
 *
 * So who looks for mounts asks nobody, and what a killed server left is known by its lock.
 */
#ifndef COMMON_MOUNT_PLACE_H
#define COMMON_MOUNT_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mount_place {
	char *path; /* of the folder, absolute; NULL: none */
	int lock;   /* -1: none */
};

/* Make one for a server of that directory, and remove those of servers that are gone. 0, or -1 with one line in why. */
int mount_place_make(struct mount_place *p, const char *directory, char *why, size_t why_bytes);

/* A file in it. free() it; NULL without memory. */
char *mount_place_file(const struct mount_place *p, const char *name);

/* Say who and where. 0, or -1 with errno. */
int mount_place_announce(const struct mount_place *p, pid_t pid, const char *control, const char *directory);

/* What went wrong at the end, for those who wait for it. */
void mount_place_fail(const struct mount_place *p, const char *text);

/* Remove it; the lock goes with the process. path NULL: no-op. */
void mount_place_remove(struct mount_place *p);

/* One that was found. Strings are the finder's. */
struct mount_found {
	const char *place; /* the folder */
	const char *directory, *control;
	pid_t pid;
	bool alive;
};

/* Call fn for each that this user may see, until it returns something else than 0, which is returned. */
typedef int (*mount_found_fn)(const struct mount_found *m, void *arg);
int mount_place_each(mount_found_fn fn, void *arg);

/*
 * Wait until the server of a place has ended: the descriptor of its lock, opened before it was asked to. What went
 * wrong is put into text, "" where nothing did. Closes the descriptor.
 */
int mount_place_watch(const char *place);
void mount_place_wait(int lock, char *text, size_t bytes);

/* Remove what a server that is gone has left. */
void mount_place_clean(const char *place);

#endif
