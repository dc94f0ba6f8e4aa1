/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.c - frames with a digest each: bytes put in and taken out, little-endian, over reads and writes that may be
 * short.
 */
/* The hash is inlined: nothing of it is linked or exported. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "zram/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/dict.h"
#include "device/error.h"

#define DIGEST_BYTES 8u

/* A call: inlined with a length that is known, the hash's reading of whole stripes makes gcc 12 warn of short buffers. */
__attribute__((noinline)) static void digest_more(struct zsi_io *io, const void *bytes, size_t len)
{
	(void)XXH64_update(io->hash, bytes, len);
}

static void encode(uint8_t *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t decode(const uint8_t *from, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)from[i] << (8 * i);
	return value;
}

int zsi_io_init(struct zsi_io *io, const char *name, int fd)
{
	*io = (struct zsi_io){ .name = name, .fd = fd };
	io->frame = malloc(ZSI_FRAME_HEAD + ZSI_FRAME_MAX);
	io->hash = malloc(sizeof(*io->hash));
	if (io->frame == NULL || io->hash == NULL)
		return zsi_fail(ENOMEM, "%s: no memory for a frame of a saved device", name);
	(void)XXH64_reset(io->hash, 0);
	return 0;
}

void zsi_io_fini(struct zsi_io *io)
{
	free(io->frame);
	free(io->hash);
	io->frame = NULL;
	io->hash = NULL;
}

/* After a call on the fd that failed: whether to call again, now that it can go on. */
static bool try_again(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return false;
	return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

/* --- writing --- */

void zsi_put_bytes(struct zsi_io *io, const void *bytes, size_t n)
{
	if (n > 0)
		memcpy(io->frame + ZSI_FRAME_HEAD + io->len, bytes, n);
	io->len += n;
}

void *zsi_put_space(struct zsi_io *io, size_t n)
{
	io->len += n;
	return io->frame + ZSI_FRAME_HEAD + io->len - n;
}

void zsi_put_u32(struct zsi_io *io, uint32_t value)
{
	encode(io->frame + ZSI_FRAME_HEAD + io->len, value, 4);
	io->len += 4;
}

void zsi_put_u64(struct zsi_io *io, uint64_t value)
{
	encode(io->frame + ZSI_FRAME_HEAD + io->len, value, 8);
	io->len += 8;
}

void zsi_put_counted(struct zsi_io *io, const void *bytes, size_t n)
{
	zsi_put_u32(io, (uint32_t)n);
	zsi_put_bytes(io, bytes, n);
}

static int write_all(struct zsi_io *io, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;

	while (n > 0) {
		ssize_t done = write(io->fd, from, n);

		if (done < 0 && try_again(io->fd, POLLOUT))
			continue;
		if (done <= 0) {
			int error = done < 0 ? errno : EIO;

			return zsi_fail(error, "%s: saving: writing at byte %" PRIu64 ": %s", io->name, io->at,
					strerror(error));
		}
		from += done;
		n -= (size_t)done;
		io->at += (uint64_t)done;
	}
	return 0;
}

int zsi_write_magic(struct zsi_io *io)
{
	digest_more(io, ZSI_STREAM_MAGIC, strlen(ZSI_STREAM_MAGIC));
	return write_all(io, ZSI_STREAM_MAGIC, strlen(ZSI_STREAM_MAGIC));
}

int zsi_write_frame(struct zsi_io *io, enum zsi_frame type)
{
	uint8_t zsi_dict_digest[DIGEST_BYTES];
	size_t n = ZSI_FRAME_HEAD + io->len;

	encode(io->frame, (uint64_t)type, 4);
	encode(io->frame + 4, io->len, 4);
	digest_more(io, io->frame, n);
	encode(zsi_dict_digest, XXH64_digest(io->hash), DIGEST_BYTES);
	digest_more(io, zsi_dict_digest, DIGEST_BYTES);
	io->len = 0;
	return write_all(io, io->frame, n) != 0 ? -1 : write_all(io, zsi_dict_digest, DIGEST_BYTES);
}

/* --- reading --- */

int zsi_bad_frame(const struct zsi_io *io, const char *what)
{
	return zsi_fail(EBADMSG, "%s: the saved device is damaged at byte %" PRIu64 ": %s", io->name, io->at, what);
}

static int read_all(struct zsi_io *io, uint8_t *to, size_t n, uint64_t *at)
{
	while (n > 0) {
		ssize_t done = read(io->fd, to, n);

		if (done < 0 && try_again(io->fd, POLLIN))
			continue;
		if (done < 0)
			return zsi_fail(errno, "%s: reading at byte %" PRIu64 ": %s", io->name, *at, strerror(errno));
		if (done == 0)
			return zsi_fail(EBADMSG, "%s: the saved device ends at byte %" PRIu64 ", in the middle",
					io->name, *at);
		to += done;
		n -= (size_t)done;
		*at += (uint64_t)done;
	}
	return 0;
}

int zsi_read_magic(struct zsi_io *io)
{
	uint8_t magic[sizeof(ZSI_STREAM_MAGIC) - 1];
	uint64_t at = 0;

	if (read_all(io, magic, sizeof(magic), &at) != 0)
		return -1;
	if (memcmp(magic, ZSI_STREAM_MAGIC, sizeof(magic)) != 0)
		return zsi_bad_frame(io, "it does not begin as one");
	digest_more(io, magic, sizeof(magic));
	io->next = at;
	return 0;
}

int zsi_read_frame(struct zsi_io *io, enum zsi_frame *type)
{
	uint8_t zsi_dict_digest[DIGEST_BYTES];
	uint64_t at = io->next;

	io->at = at;
	io->len = io->pos = 0;
	io->failed = false;
	if (read_all(io, io->frame, ZSI_FRAME_HEAD, &at) != 0)
		return -1;
	uint64_t kind = decode(io->frame, 4);
	size_t len = (size_t)decode(io->frame + 4, 4);

	/* Before so many bytes are waited for. */
	if (kind < ZSI_FRAME_HEADER || kind > ZSI_FRAME_END || len > ZSI_FRAME_MAX)
		return zsi_bad_frame(io, "no such frame");
	if (read_all(io, io->frame + ZSI_FRAME_HEAD, len, &at) != 0 ||
	    read_all(io, zsi_dict_digest, DIGEST_BYTES, &at) != 0)
		return -1;
	digest_more(io, io->frame, ZSI_FRAME_HEAD + len);
	if (XXH64_digest(io->hash) != decode(zsi_dict_digest, DIGEST_BYTES))
		return zsi_bad_frame(io, "its checksum is wrong");
	digest_more(io, zsi_dict_digest, DIGEST_BYTES);
	io->len = len;
	io->next = at;
	*type = (enum zsi_frame)kind;
	return 0;
}

const uint8_t *zsi_take_bytes(struct zsi_io *io, size_t n)
{
	const uint8_t *bytes = io->frame + ZSI_FRAME_HEAD + io->pos;

	if (n > io->len - io->pos) {
		io->failed = true;
		return NULL;
	}
	io->pos += n;
	return bytes;
}

uint32_t zsi_take_u32(struct zsi_io *io)
{
	const uint8_t *bytes = zsi_take_bytes(io, 4);

	return bytes != NULL ? (uint32_t)decode(bytes, 4) : 0;
}

uint64_t zsi_take_u64(struct zsi_io *io)
{
	const uint8_t *bytes = zsi_take_bytes(io, 8);

	return bytes != NULL ? decode(bytes, 8) : 0;
}
