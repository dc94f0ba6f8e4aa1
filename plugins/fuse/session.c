/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * session.c - libfuse's session, served by threads that take turns in waiting for requests: see turn.h.
 *
 * The main thread waits for signals, which all others have blocked, but for POKE: that has a handler which does nothing,
 * and interrupts a thread that waits for a request when the end has come. A thread that finds the directory unmounted
 * sends the main thread UNMOUNTED.
 */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ops_table.h"
#include "turn.h"

#define POKE SIGUSR2
#define UNMOUNTED SIGUSR1

enum {
	MANY_IN_A_ROW = 4, /* more requests were there each time that one was read: one thread is not enough */
	POKE_NANOSECONDS = 5000000,
};

enum { THREADS_MIN = 4, THREADS_A_PROCESSOR = 2, THREADS_MOST = 64 };

struct session {
	struct fuse_session *fuse;
	unsigned threads;
	pthread_t main;
	sigset_t signals; /* that end it; blocked from session_open() on */
	_Atomic unsigned alive;
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

static void do_nothing(int number)
{
	(void)number;
}

static void prepare_signals(struct session *s)
{
	const struct sigaction poke = { .sa_handler = do_nothing }; /* without SA_RESTART */
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigaction(POKE, &poke, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(&s->signals);
	sigaddset(&s->signals, SIGHUP);
	sigaddset(&s->signals, SIGINT);
	sigaddset(&s->signals, SIGTERM);
	sigaddset(&s->signals, UNMOUNTED);
	pthread_sigmask(SIG_BLOCK, &s->signals, NULL);
	s->main = pthread_self();
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
	prepare_signals(s);
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

/* Whether somebody else should read: there is more than one thread gets done. */
static bool is_crowded(struct session *s, unsigned *in_a_row)
{
	struct pollfd more = { fuse_session_fd(s->fuse), POLLIN, 0 };
	*in_a_row = poll(&more, 1, 0) > 0 ? *in_a_row + 1 : 0;
	return *in_a_row >= MANY_IN_A_ROW;
}

static void *thread_main(void *arg)
{
	struct session *s = arg;
	struct fuse_buf buf = { 0 };
	unsigned in_a_row = 0;
	while (turn_take()) {
		int got = fuse_session_receive_buf(s->fuse, &buf);
		if (got == -EINTR || got == -EAGAIN) {
			if (fuse_session_exited(s->fuse))
				break;
			continue;
		}
		if (got <= 0) {
			fuse_session_exit(s->fuse);
			pthread_kill(s->main, UNMOUNTED);
			break;
		}
		if (is_crowded(s, &in_a_row)) {
			in_a_row = 0;
			turn_pass();
		}
		fuse_session_process_buf(s->fuse, &buf);
	}
	turn_pass();
	free(buf.mem);
	atomic_fetch_sub_explicit(&s->alive, 1, memory_order_relaxed);
	return NULL;
}

/* As many as can be had, at least one. How many. */
static unsigned start_threads(struct session *s, pthread_t *threads)
{
	unsigned n = 0;
	turn_begin();
	while (n < s->threads) {
		atomic_fetch_add_explicit(&s->alive, 1, memory_order_relaxed);
		if (pthread_create(&threads[n], NULL, thread_main, s) != 0) {
			atomic_fetch_sub_explicit(&s->alive, 1, memory_order_relaxed);
			break;
		}
		n++;
	}
	return n;
}

/* A thread may be about to wait when it is poked, and wait then: so it is poked until it is gone. */
static void end_threads(struct session *s, pthread_t *threads, unsigned n)
{
	const struct timespec pause = { .tv_nsec = POKE_NANOSECONDS };
	fuse_session_exit(s->fuse);
	turn_end();
	while (atomic_load_explicit(&s->alive, memory_order_relaxed) > 0) {
		for (unsigned i = 0; i < n; i++)
			pthread_kill(threads[i], POKE);
		nanosleep(&pause, NULL);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

int session_run(struct session *s, char *why, size_t why_bytes)
{
	int number;
	pthread_t *threads = calloc(s->threads, sizeof(*threads));
	unsigned n = threads != NULL ? start_threads(s, threads) : 0;
	if (n > 0)
		sigwait(&s->signals, &number);
	else
		snprintf(why, why_bytes, "can't start a thread: %s", strerror(ENOMEM));
	end_threads(s, threads, n);
	free(threads);
	return n > 0 ? 0 : -1;
}

void session_close(struct session *s)
{
	if (s == NULL)
		return;
	fuse_session_unmount(s->fuse);
	fuse_session_destroy(s->fuse);
	free(s);
}
