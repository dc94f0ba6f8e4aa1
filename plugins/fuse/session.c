/* SPDX-License-Identifier: BSD-3-Clause */
/* session.c - libfuse's session and its loop of threads. */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ops_table.h"

enum { THREADS_MIN = 4, THREADS_A_PROCESSOR = 2, THREADS_MOST = 64 };

struct session {
	struct fuse_session *fuse;
	unsigned threads;
};

/* What libfuse said last, which is the reason where something fails. */
static char said[512];

static void listen_to_fuse(enum fuse_log_level level, const char *format, va_list args)
{
	if (level > FUSE_LOG_ERR)
		return;
	vsnprintf(said, sizeof(said), format, args);
	said[strcspn(said, "\n")] = '\0';
}

/* A comma ends an option, so it is quoted. free() it; NULL without memory. */
static char *mount_options(const struct session_options *o)
{
	char *quoted = malloc(2 * strlen(o->name) + 1), *text = NULL;
	if (quoted == NULL)
		return NULL;
	char *to = quoted;
	for (const char *c = o->name; *c != '\0'; c++) {
		if (*c == ',' || *c == '\\')
			*to++ = '\\';
		*to++ = *c;
	}
	*to = '\0';
	if (asprintf(&text, "-ofsname=%s,subtype=zs,default_permissions%s", quoted,
		     o->allow_other ? ",allow_other" : "") < 0)
		text = NULL;
	free(quoted);
	return text;
}

static unsigned default_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned threads = n > 0 ? (unsigned)n * THREADS_A_PROCESSOR : THREADS_MIN;
	return threads < THREADS_MIN ? THREADS_MIN : threads > THREADS_MOST ? THREADS_MOST : threads;
}

static int say(char *why, size_t why_bytes, const char *what, const char *path)
{
	snprintf(why, why_bytes, "%s %s%s%s", what, path, *said != '\0' ? ": " : "", said);
	return -1;
}

struct session *session_open(struct served *served, const struct session_options *o, char *why, size_t why_bytes)
{
	char program[] = "zs-fuse";
	char *options = mount_options(o);
	char *arguments[] = { program, options, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, arguments);
	struct session *s = calloc(1, sizeof(*s));
	if (s == NULL || options == NULL) {
		snprintf(why, why_bytes, "out of memory");
		free(s);
		free(options);
		return NULL;
	}
	fuse_set_log_func(listen_to_fuse);
	s->threads = o->threads != 0 ? o->threads : default_threads();
	s->fuse = fuse_session_new(&args, &ops_table, sizeof(ops_table), served);
	fuse_opt_free_args(&args);
	free(options);
	if (s->fuse == NULL || fuse_session_mount(s->fuse, o->directory) != 0) {
		say(why, why_bytes, "can't mount", o->directory);
		if (s->fuse != NULL)
			fuse_session_destroy(s->fuse);
		free(s);
		return NULL;
	}
	return s;
}

int session_run(struct session *s, char *why, size_t why_bytes)
{
	struct fuse_loop_config *loop = fuse_loop_cfg_create();
	int result = -1;
	if (loop == NULL || fuse_set_signal_handlers(s->fuse) != 0) {
		snprintf(why, why_bytes, "out of memory");
	} else {
		fuse_loop_cfg_set_clone_fd(loop, 1);
		fuse_loop_cfg_set_max_threads(loop, s->threads);
		fuse_loop_cfg_set_idle_threads(loop, s->threads);
		*said = '\0';
		result = fuse_session_loop_mt(s->fuse, loop);
		/* A signal ended it: that is what signals are for. */
		result = result >= 0 ? 0 : say(why, why_bytes, "serving failed", strerror(-result));
		fuse_remove_signal_handlers(s->fuse);
	}
	fuse_loop_cfg_destroy(loop);
	return result;
}

void session_close(struct session *s)
{
	if (s == NULL)
		return;
	fuse_session_unmount(s->fuse);
	fuse_session_destroy(s->fuse);
	free(s);
}
