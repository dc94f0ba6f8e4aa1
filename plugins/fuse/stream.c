/* SPDX-License-Identifier: BSD-3-Clause */
/* stream.c - a buffer between numbers and the file. */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { BUFFER = 64 << 10, DIGEST = 8 };

int stream_open(struct stream *s, int fd, uint64_t end)
{
	*s = (struct stream){ .fd = fd, .buf = malloc(BUFFER), .end = end, .hash = XXH64_createState() };
	if (s->buf != NULL && s->hash != NULL) {
		XXH64_reset(s->hash, 0);
		return 0;
	}
	stream_close(s);
	errno = ENOMEM;
	return -1;
}

void stream_close(struct stream *s)
{
	free(s->buf);
	XXH64_freeState(s->hash);
	s->buf = NULL;
	s->hash = NULL;
}

/* --- writing --- */

static void flush(struct stream *s)
{
	for (size_t done = 0; done < s->len && s->error == 0;) {
		ssize_t n = write(s->fd, s->buf + done, s->len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			s->error = n == 0 ? EIO : errno;
	}
	s->len = 0;
}

static void put_plain(struct stream *s, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t part = len < BUFFER - s->len ? len : BUFFER - s->len;
		memcpy(s->buf + s->len, bytes, part);
		s->len += part;
		bytes += part;
		len -= part;
		if (s->len == BUFFER)
			flush(s);
	}
}

void stream_put(struct stream *s, const void *bytes, size_t len)
{
	XXH64_update(s->hash, bytes, len);
	put_plain(s, bytes, len);
	s->at += len;
}

static void encode(uint8_t *to, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(n >> 8 * i);
}

void stream_put_number(struct stream *s, uint64_t n, unsigned bytes)
{
	uint8_t text[8] = { 0 };
	encode(text, n, bytes);
	stream_put(s, text, bytes);
}

int stream_finish(struct stream *s)
{
	uint8_t digest[DIGEST];
	encode(digest, XXH64_digest(s->hash), DIGEST);
	put_plain(s, digest, DIGEST);
	s->at += DIGEST;
	flush(s);
	errno = s->error;
	return s->error == 0 ? 0 : -1;
}

/* --- reading --- */

void stream_bad(struct stream *s)
{
	if (s->error == 0)
		s->error = EBADMSG;
}

/* More bytes into the empty buffer, as far as the end. */
static void fill(struct stream *s)
{
	uint64_t left = s->end - s->at;
	size_t want = left < BUFFER ? (size_t)left : BUFFER;
	ssize_t n;
	do
		n = want > 0 ? read(s->fd, s->buf, want) : 0;
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		s->error = n == 0 ? EBADMSG : errno;
	s->len = n > 0 ? (size_t)n : 0;
	s->pos = 0;
}

static void get_plain(struct stream *s, uint8_t *bytes, size_t len)
{
	memset(bytes, 0, len);
	while (len > 0 && s->error == 0) {
		if (s->pos == s->len) {
			fill(s);
			continue;
		}
		size_t part = len < s->len - s->pos ? len : s->len - s->pos;
		memcpy(bytes, s->buf + s->pos, part);
		s->pos += part;
		s->at += part;
		bytes += part;
		len -= part;
	}
}

void stream_get(struct stream *s, void *bytes, size_t len)
{
	get_plain(s, bytes, len);
	if (s->error == 0)
		XXH64_update(s->hash, bytes, len);
}

static uint64_t decode(const uint8_t *from, unsigned bytes)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < bytes; i++)
		n |= (uint64_t)from[i] << 8 * i;
	return n;
}

uint64_t stream_get_number(struct stream *s, unsigned bytes)
{
	uint8_t text[8] = { 0 };
	stream_get(s, text, bytes);
	return decode(text, bytes);
}

bool stream_ends(struct stream *s)
{
	uint8_t digest[DIGEST];
	uint64_t expected = XXH64_digest(s->hash);
	get_plain(s, digest, DIGEST);
	if (s->error == 0 && (decode(digest, DIGEST) != expected || s->at != s->end))
		s->error = EBADMSG;
	return s->error == 0;
}
