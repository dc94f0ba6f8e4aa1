/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_stream_fuzzer.c - bytes as a saved device. They load nothing, with an errno and a message of one line; or a device
 * of which every block can be read or says that it is damaged, that can be written, and that loads again from what it
 * saves, block by block the same.
 *
 * The first byte says how they are meant: bit 0 as they are; otherwise the digests are made right first, so that the
 * contents of frames are reached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "stream_seal.h"

#define MOST_BLOCKS 256u /* looked at, from both ends */
#define MOST_BLOCK_BYTES 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct zram *load(int fd)
{
	struct zram *z;

	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	errno = 0;
	z = zram_load(fd, NULL);
	CHECK_MSG(z != NULL || (errno != 0 && zram_strerror()[0] != '\0' && strpbrk(zram_strerror(), "\n\r") == NULL),
		  "errno %d: '%s'", errno, zram_strerror());
	return z;
}

/* Offset of the nth block that is looked at. */
static uint64_t place(struct zram *z, unsigned n)
{
	uint64_t blocks = zram_disksize(z) / zram_block_size(z);

	return (n % 2 == 0 ? n / 2 % blocks : blocks - 1 - n / 2 % blocks) * zram_block_size(z);
}

static void compare(struct zram *a, struct zram *b)
{
	static uint8_t in_a[MOST_BLOCK_BYTES], in_b[MOST_BLOCK_BYTES];
	size_t block = zram_block_size(a);

	CHECK(zram_disksize(a) == zram_disksize(b) && zram_block_size(b) == block);
	for (unsigned n = 0; n < MOST_BLOCKS; n++) {
		int from_a = zram_pread(a, in_a, block, place(a, n));
		int error = errno;
		int from_b = zram_pread(b, in_b, block, place(a, n));

		CHECK(from_a == from_b && (from_a == 0 || (error == EIO && errno == EIO)));
		CHECK(from_a != 0 || memcmp(in_a, in_b, block) == 0);
	}
}

static void save_and_load(struct zram *z)
{
	int fd = memfd_create("again", MFD_CLOEXEC);
	struct zram *again;

	CHECK(fd >= 0);
	CHECK_MSG(zram_save(z, fd) == 0, "%s", zram_strerror());
	again = load(fd);
	CHECK_MSG(again != NULL, "%s", zram_strerror());
	compare(z, again);
	zram_destroy(again);
	close(fd);
}

static void use(struct zram *z)
{
	uint64_t at = zram_disksize(z) - zram_block_size(z);
	uint8_t byte = 0;

	save_and_load(z);
	/* A part of a block that is damaged can't be written. */
	CHECK(zram_pwrite(z, "a", 1, at) == 0 || errno == EIO);
	CHECK(zram_discard(z, at, zram_block_size(z)) == 0);
	CHECK(zram_pwrite(z, "b", 1, at + 1) == 0 && zram_pread(z, &byte, 1, at + 1) == 0 && byte == 'b');
	CHECK(zs_pool_validate(zram_get_pool(z)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd;
	uint8_t *stream;
	struct zram *z;

	if (size < 1)
		return 0;
	stream = malloc(size);
	CHECK(stream != NULL);
	memcpy(stream, data + 1, size - 1);
	if ((data[0] & 1) == 0)
		seal(stream, size - 1);
	fd = memfd_create("stream", MFD_CLOEXEC);
	CHECK(fd >= 0 && pwrite(fd, stream, size - 1, 0) == (ssize_t)(size - 1));
	free(stream);
	z = load(fd);
	if (z != NULL) {
		use(z);
		zram_destroy(z);
	}
	close(fd);
	return 0;
}
