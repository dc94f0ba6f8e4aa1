/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.h - the saved form of a device: bytes to and from a file descriptor, which may be a pipe.
 *
 *   "ZRAMSAVE"   8 bytes
 *   frames       | type 4 | payload bytes 4 | payload | digest 8 |   until one of type END
 *
 * All numbers are little-endian. The digest is the XXH64 of everything before it, from the first byte of the
 * stream on, with the digests of the frames before: so a frame that is changed, lost, repeated or out of its order is
 * noticed, and at which byte.
 *
 *   HEADER   format version 4, block size 4, disksize 8, flags 4, current dictionary version 4, name; then for each of
 *            four priorities: name of the algorithm (empty: none), level 4, flags 4 (ZSI_ALG_*)
 *   DICT     whose 4 (enum zsi_dict_kind), number 4 (priority, or trained version), its bytes in all 4, and some of
 *            them: one that is longer than a frame goes on in the next
 *   BLOCKS   any number of: index 8, flags 4, length 4, with ZRAM_CHECKSUM checksum 4, length bytes. The flags are
 *            those of layout.h without its size
 *   END      number of blocks 8
 *
 * Names are their length, 4 bytes, and their bytes. There is one HEADER, first, then the DICTs, those of algorithms
 * before trained ones, then BLOCKS, then END. No block is there twice.
 */
#ifndef ZSI_ZRAM_STREAM_H
#define ZSI_ZRAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZSI_STREAM_MAGIC "ZRAMSAVE"
#define ZSI_STREAM_VERSION 1u
#define ZSI_FRAME_HEAD 8u
#define ZSI_FRAME_MAX ((size_t)1 << 20) /* payload bytes */
#define ZSI_RECORD_HEAD 20u /* of a block, at most */

enum zsi_frame {
	ZSI_FRAME_HEADER = 1,
	ZSI_FRAME_DICT,
	ZSI_FRAME_BLOCKS,
	ZSI_FRAME_END,
};

/* How an algorithm is used. */
#define ZSI_ALG_HAS_LEVEL (1u << 0) /* its level was given */
#define ZSI_ALG_KERNEL (1u << 1)    /* kernel=1 */

enum zsi_dict_kind {
	ZSI_DICT_OF_ALGORITHM, /* given by dict= */
	ZSI_DICT_TRAINED,
};

struct XXH64_state_s;

/* Both ways. The payload of the frame being made, or of the one that was read. */
struct zsi_io {
	const char *name; /* of the device, for messages */
	int fd;
	uint64_t at;    /* writing: bytes written; reading: where the frame begins that was read last */
	uint64_t next;  /* reading: where the next one begins */
	uint8_t *frame; /* ZSI_FRAME_HEAD + ZSI_FRAME_MAX bytes */
	size_t len;     /* of the payload */
	size_t pos;     /* reading: how much of it was taken */
	bool failed;    /* reading: more was taken than there is */
	struct XXH64_state_s *hash;
};

/* 0, or -1 with ENOMEM. fini frees what init made, also after it failed. */
int zsi_io_init(struct zsi_io *io, const char *name, int fd);
void zsi_io_fini(struct zsi_io *io);

/* --- writing: what is put must fit, see zsi_io_room() --- */

static inline size_t zsi_io_room(const struct zsi_io *io)
{
	return ZSI_FRAME_MAX - io->len;
}

void zsi_put_u32(struct zsi_io *io, uint32_t value);
void zsi_put_u64(struct zsi_io *io, uint64_t value);
void zsi_put_bytes(struct zsi_io *io, const void *bytes, size_t n);
void *zsi_put_space(struct zsi_io *io, size_t n); /* n bytes for the caller to fill */
void zsi_put_counted(struct zsi_io *io, const void *bytes, size_t n);

/* Write the magic; write the payload as a frame and begin the next. -1: what write() says. */
int zsi_write_magic(struct zsi_io *io);
int zsi_write_frame(struct zsi_io *io, enum zsi_frame type);

/* --- reading: what is taken behind the payload's end is 0, and makes io->failed true --- */

uint32_t zsi_take_u32(struct zsi_io *io);
uint64_t zsi_take_u64(struct zsi_io *io);
const uint8_t *zsi_take_bytes(struct zsi_io *io, size_t n); /* NULL: not so many are left */

/* -1: EBADMSG, the stream is damaged or ends here; or what read() says. */
int zsi_read_magic(struct zsi_io *io);
int zsi_read_frame(struct zsi_io *io, enum zsi_frame *type);

/* Fail with EBADMSG, naming the byte at which the frame that was read last begins. */
int zsi_bad_frame(const struct zsi_io *io, const char *what);

#endif
