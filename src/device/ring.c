/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring.c - io_uring through liburing. What was submitted is waited for whatever happens, since the kernel reads from
 * the caller's memory until then; what could not be submitted is -ECANCELED, and goes with the ring.
 */
#include "device/ring.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/lock.h"

#ifdef ZSI_HAVE_URING
#include <liburing.h>

struct zsi_ring {
	struct io_uring uring;
	unsigned entries;
};

struct zsi_ring *zsi_ring_open(unsigned entries)
{
	struct zsi_ring *r = malloc(sizeof(*r));

	if (r == NULL)
		return NULL;
	r->entries = entries;
	if (io_uring_queue_init(entries, &r->uring, 0) != 0) {
		free(r);
		return NULL;
	}
	return r;
}

void zsi_ring_close(struct zsi_ring *r)
{
	if (r == NULL)
		return;
	io_uring_queue_exit(&r->uring);
	free(r);
}

/* How many of them the kernel has taken. */
static unsigned submit(struct zsi_ring *r, int fd, struct zsi_run *runs, unsigned n)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

		/* There are as many as entries, and none is in use. */
		io_uring_prep_write(sqe, fd, runs[i].data, (unsigned)runs[i].bytes, (__u64)runs[i].at);
		io_uring_sqe_set_data(sqe, &runs[i]);
		runs[i].result = -ECANCELED;
	}
	while (taken < n) {
		int result = io_uring_submit(&r->uring);

		if (result == -EINTR)
			continue;
		if (result <= 0)
			break;
		taken += (unsigned)result;
	}
	return taken;
}

static void reap(struct zsi_ring *r, unsigned n)
{
	for (unsigned round = 0; n > 0;) {
		struct io_uring_cqe *cqe;

		/* Results come without a call too: even where somebody has closed the ring's descriptor. */
		if (io_uring_wait_cqe(&r->uring, &cqe) != 0) {
			zsi_backoff(round++);
			continue;
		}
		((struct zsi_run *)io_uring_cqe_get_data(cqe))->result = cqe->res;
		io_uring_cqe_seen(&r->uring, cqe);
		n--;
	}
}

bool zsi_ring_write(struct zsi_ring *r, int fd, struct zsi_run *runs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		runs[i].result = -ECANCELED;
	for (unsigned at = 0; at < n;) {
		unsigned some = (unsigned)zsi_min(n - at, r->entries);
		unsigned taken = submit(r, fd, runs + at, some);

		reap(r, taken);
		if (taken < some)
			return false;
		at += some;
	}
	return true;
}

#else

struct zsi_ring *zsi_ring_open(unsigned entries)
{
	(void)entries;
	return NULL;
}

void zsi_ring_close(struct zsi_ring *r)
{
	(void)r;
}

bool zsi_ring_write(struct zsi_ring *r, int fd, struct zsi_run *runs, unsigned n)
{
	(void)r;
	(void)fd;
	(void)runs;
	(void)n;
	return false;
}

#endif
