/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.c - a thread listens, one more answers each client.
 *
 * Connections: a fixed table of file descriptors, -1 where free. A connection's thread is detached and frees its slot
 * as the last thing it does; control_close() shuts the descriptors down and waits until no slot is in use.
 */
#include "common/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/named_socket.h"

enum {
	CONNECTIONS = 64,
	SEND_SECONDS = 5, /* who takes so long to read an answer gets no more */
};

struct control {
	struct named_socket socket;
	int stop_fd; /* readable once the acceptor shall end */
	const struct request *request;
	pthread_t acceptor;
	bool accepting;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	bool stopping;            /* Guarded by lock */
	unsigned used;            /* Guarded by lock: slots that are in use */
	int clients[CONNECTIONS]; /* Guarded by lock */
};

/* What a connection's thread gets. */
struct connection {
	struct control *control;
	size_t slot;
	int fd;
};

struct control *control_open(const char *path, char *why, size_t why_bytes)
{
	struct control *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		snprintf(why, why_bytes, "out of memory");
		errno = ENOMEM;
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->freed, NULL);
	for (size_t i = 0; i < CONNECTIONS; i++)
		c->clients[i] = -1;
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (c->stop_fd < 0)
		snprintf(why, why_bytes, "eventfd: %s", strerror(errno));
	else if (named_socket_open(&c->socket, path, 0600, why, why_bytes) == 0)
		return c;
	int saved = errno;
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	free(c);
	errno = saved;
	return NULL;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* False: the connection is of no more use. */
static bool send_error(int fd, const char *text)
{
	char *answer;
	size_t bytes;
	if (!request_error(text, &answer, &bytes))
		return false;
	bool good = send_all(fd, answer, bytes);
	free(answer);
	return good;
}

static bool answer_line(const struct request *request, int fd, char *line, size_t len)
{
	char *answer;
	size_t bytes;
	if (!request_run(request, line, len, &answer, &bytes))
		return send_all(fd, "error out of memory\n", 20);
	bool good = send_all(fd, answer, bytes);
	free(answer);
	return good;
}

/* All lines that come, until the other end closes, or sends a line that is none. */
static void serve(const struct request *request, int fd)
{
	char buf[REQUEST_BYTES];
	size_t have = 0;
	for (;;) {
		ssize_t n = recv(fd, buf + have, sizeof(buf) - have, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		have += (size_t)n;
		char *line = buf;
		for (char *end; (end = memchr(line, '\n', have)) != NULL;) {
			size_t len = (size_t)(end - line);
			if (!answer_line(request, fd, line, len))
				return;
			line = end + 1;
			have -= len + 1;
		}
		if (have == sizeof(buf)) {
			send_error(fd, "the request is too long");
			return;
		}
		memmove(buf, line, have);
	}
}

static void *connection_main(void *arg)
{
	struct connection *connection = arg;
	struct control *c = connection->control;
	size_t slot = connection->slot;
	int fd = connection->fd;
	free(connection);
	serve(c->request, fd);
	pthread_mutex_lock(&c->lock);
	c->clients[slot] = -1;
	close(fd); /* with the lock: nobody may shut down a descriptor that is already another's */
	c->used--;
	pthread_cond_signal(&c->freed);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* A thread that no signal of the server's goes to. 0 or an error number. */
static int start_thread(pthread_t *thread, const pthread_attr_t *attr, void *(*main)(void *), void *arg)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(thread, attr, main, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error;
}

/* A slot for fd. False where there is none left, or the end has come. */
static bool take_slot(struct control *c, int fd, size_t *slot)
{
	bool found = false;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < CONNECTIONS && !c->stopping && !found; i++) {
		if (c->clients[i] >= 0)
			continue;
		c->clients[i] = fd;
		c->used++;
		*slot = i;
		found = true;
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void give_up_slot(struct control *c, size_t slot)
{
	pthread_mutex_lock(&c->lock);
	c->clients[slot] = -1;
	c->used--;
	pthread_cond_signal(&c->freed);
	pthread_mutex_unlock(&c->lock);
}

static void start_connection(struct control *c, int fd)
{
	struct timeval patience = { .tv_sec = SEND_SECONDS };
	struct connection *connection = malloc(sizeof(*connection));
	pthread_attr_t attr;
	pthread_t thread;
	size_t slot;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connection == NULL || !take_slot(c, fd, &slot)) {
		send_error(fd, connection != NULL ? "too many connections" : "out of memory");
		free(connection);
		close(fd);
		return;
	}
	*connection = (struct connection){ c, slot, fd };
	int error = pthread_attr_init(&attr);
	if (!error) {
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		error = start_thread(&thread, &attr, connection_main, connection);
		pthread_attr_destroy(&attr);
	}
	if (error) {
		send_error(fd, "can't start a thread");
		give_up_slot(c, slot);
		free(connection);
		close(fd);
	}
}

static void *acceptor_main(void *arg)
{
	struct control *c = arg;
	struct pollfd fds[] = { { c->stop_fd, POLLIN, 0 }, { c->socket.fd, POLLIN, 0 } };
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			return NULL;
		int fd = accept4(c->socket.fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			start_connection(c, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			poll(fds, 1, 100); /* wait a little: the connection stays in the queue */
	}
}

int control_start(struct control *c, const struct request *request)
{
	c->request = request;
	int error = start_thread(&c->acceptor, NULL, acceptor_main, c);
	c->accepting = error == 0;
	errno = error;
	return error ? -1 : 0;
}

void control_close(struct control *c)
{
	if (c == NULL)
		return;
	named_socket_unlink(&c->socket);
	if (c->accepting) {
		uint64_t one = 1;
		while (write(c->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
		pthread_join(c->acceptor, NULL);
	}
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (c->clients[i] >= 0)
			shutdown(c->clients[i], SHUT_RD);
	while (c->used > 0)
		pthread_cond_wait(&c->freed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	close(c->socket.fd);
	close(c->stop_fd);
	pthread_cond_destroy(&c->freed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
