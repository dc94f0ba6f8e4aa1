/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.h - numbers and bytes to and from a file, with a digest (XXH64) over all of them. Numbers are little-endian.
 *
 * What fails once stays failed: so only the end has to be asked.
 */
#ifndef ZS_FUSE_STREAM_H
#define ZS_FUSE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct XXH64_state_s;

struct stream {
	int fd;
	uint8_t *buf;
	size_t len, pos;  /* bytes in buf; reading: those that were taken */
	uint64_t at;      /* bytes that were written or taken */
	uint64_t end;     /* reading: where to stop */
	int error;        /* 0: none; EBADMSG: reading, it is shorter than it should be, or wrong */
	struct XXH64_state_s *hash;
};

/* From where fd stands. 0, or -1 with ENOMEM. end: bytes that may be read. */
int stream_open(struct stream *s, int fd, uint64_t end);
void stream_close(struct stream *s);

void stream_put(struct stream *s, const void *bytes, size_t len);
void stream_put_number(struct stream *s, uint64_t n, unsigned bytes);

/* The digest of all so far, and what is in the buffer. 0, or -1 with errno. */
int stream_finish(struct stream *s);

void stream_get(struct stream *s, void *bytes, size_t len);
uint64_t stream_get_number(struct stream *s, unsigned bytes);

/* What was read makes no sense. */
void stream_bad(struct stream *s);

/* Whether the digest follows, and nothing else. */
bool stream_ends(struct stream *s);

#endif
