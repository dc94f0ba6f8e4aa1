/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream_input.c - what comes only once, from a pipe or a terminal, and may never end.
 *
 * What is kept of it goes to a file in memory, so that it can be read again as any file:
 *
 *   all of it         for zs pack, as long as it is less than a third of the memory that is still to be had: what is made
 *                     of it takes as much again, and a third is left to everybody else
 *   a sample of it    for zs advise: set->sample_bytes, or that third where all is wanted and is more. A reservoir of
 *                     pieces in which each piece that went by is with the same chance. READ_AHEAD times the sample is
 *                     read, no more, so that an endless stream comes to an end
 *
 *   kept pieces == min(pieces that went by, room)
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "interrupt.h"
#include "message.h"
#include "pages.h"
#include "progress.h"
#include "random.h"
#include "sample.h"
#include "spare_memory.h"
#include "units.h"

enum {
	READ_AHEAD = 16,
	CHECK_PIECES = 64, /* memory is looked at after so many */
	KEPT_PART = 3,     /* of the memory that is to be had no more than this part is kept */
	NAP_MS = 200,      /* an interrupt between looking and sleeping is noticed after that */
};

enum stream_end { STREAM_WHOLE, STREAM_MEMORY, STREAM_READ_AHEAD, STREAM_FAILED };

struct stream {
	int from, to;
	unsigned char *buffer; /* a piece */
	uint64_t room;         /* pieces that are kept */
	bool sample;           /* room is less than all */
	bool may_sample;       /* what does not fit need not be refused */
	uint64_t pieces;       /* whole ones that went by */
	uint64_t tail_bytes;   /* behind them */
	uint64_t random;
	int error;
};

static uint64_t kept_bytes(const struct stream *s)
{
	return s->pieces < s->room ? s->pieces * PIECE_BYTES + s->tail_bytes : s->room * PIECE_BYTES;
}

static uint64_t passed_bytes(const struct stream *s)
{
	return s->pieces * PIECE_BYTES + s->tail_bytes;
}

/* A piece, less at the end and when interrupted. False with s->error. */
static bool read_piece(struct stream *s, size_t *bytes)
{
	struct pollfd wait = { .fd = s->from, .events = POLLIN };
	*bytes = 0;
	while (*bytes < PIECE_BYTES && !interrupted()) {
		if (poll(&wait, 1, NAP_MS) <= 0)
			continue;
		ssize_t n = read(s->from, s->buffer + *bytes, PIECE_BYTES - *bytes);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			s->error = errno;
		if (n <= 0)
			return n == 0;
		*bytes += (size_t)n;
	}
	return true;
}

static bool store(struct stream *s, uint64_t slot, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = pwrite(s->to, s->buffer + done, bytes - done, (off_t)(slot * PIECE_BYTES + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			s->error = errno;
			return false;
		}
		done += (size_t)n;
	}
	return true;
}

/* The piece in the buffer: to a free place, else with the chance that all before it had to one that is taken. */
static bool keep(struct stream *s, size_t bytes)
{
	uint64_t slot = s->pieces;
	if (slot >= s->room && bytes == PIECE_BYTES)
		slot = random_next(&s->random) % (s->pieces + 1);
	if (slot < s->room && !store(s, slot, bytes))
		return false;
	if (bytes == PIECE_BYTES)
		s->pieces++;
	else
		s->tail_bytes = bytes;
	return true;
}

/* Whether there is memory for more. A sample stays as large as it is then. */
static bool may_grow(struct stream *s)
{
	if (s->pieces >= s->room || s->pieces % CHECK_PIECES != 0 || kept_bytes(s) < spare_memory() / KEPT_PART)
		return true;
	if (!s->sample && !s->may_sample)
		return false;
	s->sample = true;
	s->room = s->pieces;
	return true;
}

static enum stream_end read_stream(struct stream *s)
{
	while (!interrupted()) {
		size_t bytes;
		bool good = read_piece(s, &bytes);
		if (bytes && s->sample && s->pieces / READ_AHEAD >= s->room)
			return STREAM_READ_AHEAD;
		if (bytes && !may_grow(s))
			return STREAM_MEMORY;
		if ((bytes && !keep(s, bytes)) || !good)
			return STREAM_FAILED;
		if (bytes < PIECE_BYTES)
			break;
		progress_draw("reading", passed_bytes(s), 0);
	}
	return STREAM_WHOLE;
}

static void tell_end(struct page_set *set, const char *name, const struct stream *s, enum stream_end end)
{
	const struct text passed = format_bytes(passed_bytes(s));
	switch (end) {
	case STREAM_WHOLE:
		/* Ctrl-C ends a sample with what there is; otherwise it ends everything. */
		if (interrupted() && set->sample_bytes && passed_bytes(s) && interrupt_take())
			message("%s: interrupted: the figures are of the %s until then", name, passed.s);
		else
			return;
		break;
	case STREAM_READ_AHEAD:
		message("%s: has more than %s, which is as far as a sample of %s reads (see --sample)", name, passed.s,
			format_bytes(s->room * PIECE_BYTES).s);
		break;
	case STREAM_MEMORY:
		message_problem(
			name,
			"has more than %s, and no more of a stream is kept, so that the machine has memory left; the "
			"rest is left out (put it into a file: files are not kept)",
			passed.s);
		break;
	case STREAM_FAILED:
		if (passed_bytes(s))
			message_problem(name, "%s after %s; the rest is left out", strerror(s->error), passed.s);
		else
			message_problem(name, "%s", strerror(s->error));
		break;
	}
	set->cut_streams++;
}

/* fd is the set's: what was kept of the stream. */
static bool add_kept(struct page_set *set, const char *name, int fd, const struct stream *s)
{
	size_t inputs = set->input_count;
	uint64_t kept = kept_bytes(s), passed = passed_bytes(s);
	if (kept == 0 && s->error) {
		close(fd); /* that was told */
		return true;
	}
	if (!page_set_add_span(set, name, fd, 0, kept))
		return false;
	if (passed > kept && set->input_count > inputs)
		set->inputs[inputs].passed_pages = passed / set->page_size;
	return true;
}

bool page_set_add_stream(struct page_set *set, const char *name, int from)
{
	struct stream s = { .from = from, .room = UINT64_MAX / PIECE_BYTES, .random = 1 };
	s.may_sample = set->sample_bytes != 0;
	if (set->sample_bytes && set->sample_bytes != UINT64_MAX) {
		s.room = set->sample_bytes / PIECE_BYTES;
		s.sample = true;
	}
	s.buffer = malloc(PIECE_BYTES);
	s.to = memfd_create("zs-input", MFD_CLOEXEC);
	if (s.buffer == NULL || s.to < 0) {
		message_problem(name, "%s", strerror(errno));
		if (s.to >= 0)
			close(s.to);
		free(s.buffer);
		return true;
	}
	enum stream_end end = read_stream(&s);
	progress_clear();
	free(s.buffer);
	tell_end(set, name, &s, end);
	return add_kept(set, name, s.to, &s);
}
