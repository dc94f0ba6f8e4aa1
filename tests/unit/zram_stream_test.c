/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_stream_test.c - saved devices as bytes: damage is named where it is; what is well sealed but makes no sense
 * loads nothing; reads and writes that do less than they were asked for, or fail at the Nth.
 */
#include "zram_shadow.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <stream_seal.h>

#include "device/device.h"
#include "zram/stream.h"

#define BLOCKS 32u
#define MOST ((size_t)4 << 20)

/* --- read() and write() of the library, one of them made to go wrong --- */

enum wrong { RIGHT, SHORT, INTERRUPTED, NOT_NOW, FAILS };

static struct {
	enum wrong how;
	int error;     /* of FAILS */
	unsigned call; /* counts down; 0: this one, and all that follow unless `once` */
	bool once;
	unsigned calls;
} wrong;

ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);

/* What this call does instead; *n is made smaller for SHORT. */
static bool goes_wrong(size_t *n)
{
	wrong.calls++;
	if (wrong.how == RIGHT)
		return false;
	if (wrong.call > 0) {
		wrong.call--;
		return false;
	}
	errno = wrong.how == INTERRUPTED ? EINTR : wrong.how == NOT_NOW ? EAGAIN : wrong.error;
	if (wrong.how == SHORT)
		*n = (*n + 2) / 3;
	bool fails = wrong.how != SHORT;

	if (wrong.once)
		wrong.how = RIGHT;
	return fails;
}

ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
	return goes_wrong(&n) ? -1 : __real_write(fd, buf, n);
}

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
	return goes_wrong(&n) ? -1 : __real_read(fd, buf, n);
}

/* --- streams --- */

static uint8_t stream[MOST], changed[MOST];
static size_t stream_bytes;

static int memory_file(const void *bytes, size_t n)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, 0), n);
	return fd;
}

static struct zram *load_bytes(const void *bytes, size_t n, const struct zram_options *o)
{
	int fd = memory_file(bytes, n);
	struct zram *z;

	errno = 0;
	z = zram_load(fd, o);
	int error = errno;

	close(fd);
	errno = error;
	return z;
}

/* Some of every kind: holes, text, one word, zeros, noise. */
static bool some_of_every_kind(uint8_t *to, uint64_t i, struct rng *r)
{
	memset(to, i % 5 == 2 ? 7 : 0, BS);
	shadow_noise(to, i % 5 == 1 ? 300 : i % 5 == 4 && i < 10 ? BS : 0, r);
	return i % 5 != 0;
}

static struct shadow shadow = { SHADOW_OF(BLOCKS), .make = some_of_every_kind };

static struct zram *device(unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = (uint64_t)BLOCKS * BS;
	o.recomp_algorithm[0] = "zstd";
	o.flags = flags;
	z = zram_create("bytes", &o);
	assert_non_null(z);
	return z;
}

/* A small device's stream in `stream`. */
static void make_stream(unsigned flags)
{
	struct zram *z = device(flags);
	int fd = memory_file("", 0);
	ssize_t n;

	shadow_fill(&shadow, z);
	assert_int_equal(zram_save(z, fd), 0);
	n = pread(fd, stream, sizeof(stream), 0);
	assert_in_range(n, 100, sizeof(stream) - 1);
	stream_bytes = (size_t)n;
	close(fd);
	zram_destroy(z);
}

/* Where the first frame of a type begins. */
static size_t frame_at(uint32_t type)
{
	size_t at = SEAL_MAGIC;

	while (at < stream_bytes && seal_u32(stream + at) != type)
		at = seal_next(stream, stream_bytes, at);
	assert_true(at < stream_bytes);
	return at;
}

/* The byte of the message, behind `words`. */
static unsigned long long byte_named(const char *words)
{
	const char *at = strstr(zram_strerror(), words);

	if (at == NULL)
		fail_msg("'%s' does not say '%s'", zram_strerror(), words);
	return strtoull(at + strlen(words), NULL, 10);
}

/* --- tests --- */

static void damage_is_named_by_its_frame(void **state)
{
	(void)state;
	make_stream(0);
	for (size_t at = SEAL_MAGIC; at < stream_bytes; at = seal_next(stream, stream_bytes, at)) {
		size_t end = seal_next(stream, stream_bytes, at);
		const size_t bytes[] = { at, at + 4, at + SEAL_HEAD, end - 9, end - 8, end - 1 };

		for (unsigned i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
			stream[bytes[i]] ^= 0x10;
			assert_null(load_bytes(stream, stream_bytes, NULL));
			stream[bytes[i]] ^= 0x10;
			assert_int_equal(errno, EBADMSG);
			/* A length that became larger makes it end. */
			if (strstr(zram_strerror(), "ends at") == NULL)
				assert_int_equal(byte_named("damaged at byte "), at);
		}
	}
	for (size_t n = 0; n < stream_bytes; n += 1 + n / 50) {
		assert_null(load_bytes(stream, n, NULL));
		assert_int_equal(errno, EBADMSG);
		assert_int_equal(byte_named("ends at byte "), n);
	}
	/* What follows the end is not read. */
	memcpy(changed, stream, stream_bytes);
	memset(changed + stream_bytes, 0xee, 100);
	int fd = memory_file(changed, stream_bytes + 100);
	struct zram *z = zram_load(fd, NULL);

	assert_non_null(z);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), stream_bytes);
	close(fd);
	shadow_compare(&shadow, z);
	zram_destroy(z);
}

/* A frame that was lost, or is there twice, or changed places with another. */
static void frames_in_their_order(void **state)
{
	size_t at, end;

	(void)state;
	make_stream(0);
	for (at = SEAL_MAGIC; at < stream_bytes; at = end) {
		end = seal_next(stream, stream_bytes, at);
		memcpy(changed, stream, at);
		memcpy(changed + at, stream + end, stream_bytes - end);
		assert_null(load_bytes(changed, stream_bytes - (end - at), NULL));
		assert_int_equal(errno, EBADMSG);
		/* With right digests too: what is missing is noticed. Without blocks the number of them is wrong. */
		seal(changed, stream_bytes - (end - at));
		assert_null(load_bytes(changed, stream_bytes - (end - at), NULL));
		assert_int_equal(errno, EBADMSG);
		if (end == stream_bytes)
			continue;
		memcpy(changed, stream, end);
		memcpy(changed + end, stream + at, stream_bytes - at);
		seal(changed, stream_bytes + end - at);
		assert_null(load_bytes(changed, stream_bytes + end - at, NULL));
		assert_int_equal(errno, EBADMSG);
	}
}

/* The header's fields: version, block size, disksize, flags, current dictionary, the length of the name. */
static void headers_that_make_no_sense(void **state)
{
	static const struct {
		size_t at;
		unsigned bytes;
		uint64_t value;
		int error;
		const char *words;
	} wrongs[] = {
		{ 0, 4, 2, EINVAL, "format version 2" },
		{ 0, 4, 0, EINVAL, "format version 0" },
		{ 4, 4, 0, EBADMSG, "out of range" },
		{ 4, 4, 2048, EINVAL, "block_size 2048" },
		{ 4, 4, 1u << 31, EBADMSG, "out of range" },
		{ 8, 8, 0, EBADMSG, "out of range" },
		{ 8, 8, 4097, EBADMSG, "out of range" },
		{ 8, 8, 1ull << 63, ENOMEM, "" },
		{ 16, 4, 4, EBADMSG, "out of range" },
		{ 20, 4, 8, EBADMSG, "out of range" },
		{ 20, 4, 1, EBADMSG, "dictionary is missing" },
		{ 24, 4, 64, EBADMSG, "out of range" },
		{ 24, 4, UINT32_MAX, EBADMSG, "out of range" },
		{ 28, 1, 0, EBADMSG, "out of range" },
		/* "bytes" is the name, then there is the primary algorithm, "lz4", level 1, not given. */
		{ 33, 4, 0, EBADMSG, "name is too long" },
		{ 37, 3, 0x7a7a7a, EINVAL, "no algorithm 'zzz'" },
		{ 40, 4, 70000, 0, "" },
	};
	size_t at;

	(void)state;
	make_stream(0);
	at = frame_at(ZSI_FRAME_HEADER) + SEAL_HEAD;
	assert_memory_equal(stream + at + 37, "lz4", 3);
	for (unsigned i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		memcpy(changed, stream, stream_bytes);
		seal_put(changed + at + wrongs[i].at, wrongs[i].value, wrongs[i].bytes);
		seal(changed, stream_bytes);
		struct zram *z = load_bytes(changed, stream_bytes, NULL);

		/* A level that was not given is of no account. */
		if (z != NULL && wrongs[i].error != 0)
			fail_msg("number %u is loaded", i);
		if (z == NULL && (errno != wrongs[i].error || strstr(zram_strerror(), wrongs[i].words) == NULL))
			fail_msg("number %u: errno %d, %s", i, errno, zram_strerror());
		zram_destroy(z);
	}
	/* One that was given must be one of the algorithm's. */
	memcpy(changed, stream, stream_bytes);
	seal_put(changed + at + 40, 70000, 4);
	seal_put(changed + at + 44, 1, 4);
	seal(changed, stream_bytes);
	assert_null(load_bytes(changed, stream_bytes, NULL));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "level 70000"));
}

/* The flags of a block in a stream. */
enum {
	FLAG_USED = 1,
	FLAG_SAME = 2,
	FLAG_ZERO = 4,
	FLAG_HUGE = 8,
	FLAG_WRITTEN_BACK = 16,
	FLAG_PRIORITY2 = 2 << 8,
	FLAG_DICT1 = 1 << 10
};

/* Where the first blocks that are stored begin: 1 compressed, 2 one word, 3 zeros, 4 huge. */
static void find_blocks(size_t at[5])
{
	at[1] = frame_at(ZSI_FRAME_BLOCKS) + SEAL_HEAD;
	for (unsigned i = 1; i < 5; i++) {
		assert_int_equal(seal_u32(stream + at[i]), i);
		if (i < 4)
			at[i + 1] = at[i] + 16 + seal_u32(stream + at[i] + 12);
	}
	assert_int_equal(seal_u32(stream + at[1] + 8), FLAG_USED);
	assert_int_equal(seal_u32(stream + at[2] + 8), FLAG_USED | FLAG_SAME);
	assert_int_equal(seal_u32(stream + at[3] + 8), FLAG_USED | FLAG_SAME | FLAG_ZERO);
	assert_int_equal(seal_u32(stream + at[4] + 8), FLAG_USED | FLAG_HUGE);
}

static struct zram *load_with_word(size_t at, uint32_t value)
{
	memcpy(changed, stream, stream_bytes);
	seal_put(changed + at, value, 4);
	seal(changed, stream_bytes);
	return load_bytes(changed, stream_bytes, NULL);
}

static void blocks_that_make_no_sense(void **state)
{
	size_t at[5];

	(void)state;
	make_stream(0);
	find_blocks(at);
	const struct {
		size_t at;
		uint32_t value;
	} wrongs[] = {
		{ at[1], BLOCKS },
		{ at[1], 2 },
		{ at[1] + 4, 1 },
		{ at[1] + 8, 0 },
		{ at[1] + 8, FLAG_USED | FLAG_ZERO },
		{ at[1] + 8, FLAG_USED | FLAG_HUGE },
		{ at[1] + 8, FLAG_USED | FLAG_WRITTEN_BACK },
		{ at[1] + 8, FLAG_USED | FLAG_PRIORITY2 },
		{ at[1] + 8, FLAG_USED | FLAG_DICT1 },
		{ at[1] + 8, FLAG_USED | 1u << 13 },
		{ at[1] + 8, FLAG_USED | 1u << 31 },
		{ at[1] + 8, FLAG_USED | FLAG_SAME },
		{ at[1] + 12, 0 },
		{ at[1] + 12, UINT32_MAX },
		{ at[2] + 8, FLAG_USED | FLAG_SAME | FLAG_ZERO },
		{ at[2] + 8, FLAG_USED | FLAG_SAME | FLAG_HUGE },
		{ at[2] + 8, FLAG_USED | FLAG_SAME | FLAG_DICT1 },
		{ at[2] + 12, 7 },
		{ at[3] + 8, FLAG_USED | FLAG_SAME },
		{ at[4] + 8, FLAG_USED | FLAG_HUGE | FLAG_PRIORITY2 },
		{ at[4] + 8, FLAG_USED | FLAG_HUGE | FLAG_DICT1 },
		{ at[4] + 12, 4095 },
		{ at[4] + 12, 1u << 20 },
	};
	for (unsigned i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		if (load_with_word(wrongs[i].at, wrongs[i].value) != NULL)
			fail_msg("number %u is loaded", i);
		assert_int_equal(errno, EBADMSG);
	}
}

/* Eight bytes that are said to be compressed and are not: only who reads them can tell. */
static void a_word_that_is_no_compressed_block(void **state)
{
	struct zram *z;
	uint8_t buf[BS];
	size_t at[5];

	(void)state;
	make_stream(0);
	find_blocks(at);
	z = load_with_word(at[2] + 8, FLAG_USED);
	assert_non_null(z);
	assert_int_equal(zram_pread(z, buf, BS, 2 * BS), -1);
	assert_int_equal(errno, EIO);
	zram_destroy(z);
}

static void options_of_another_size(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct {
		struct zram_options known;
		uint64_t unknown;
	} newer = { ZRAM_OPTIONS_INIT, 0 };
	struct zram *z;

	(void)state;
	make_stream(0);
	o.struct_size = 0;
	assert_null(load_bytes(stream, stream_bytes, &o));
	assert_int_equal(errno, EINVAL);
	/* As an older program has it: without what came later. */
	o.struct_size = offsetof(struct zram_options, pool);
	z = load_bytes(stream, stream_bytes, &o);
	assert_non_null(z);
	shadow_compare(&shadow, z);
	zram_destroy(z);
	newer.known.struct_size = sizeof(newer);
	z = load_bytes(stream, stream_bytes, &newer.known);
	assert_non_null(z);
	zram_destroy(z);
	newer.unknown = 1;
	assert_null(load_bytes(stream, stream_bytes, &newer.known));
	assert_int_equal(errno, EINVAL);
	/* Checksums may be wanted of a device that had none. */
	o = (struct zram_options)ZRAM_OPTIONS_INIT;
	o.flags = ZRAM_CHECKSUM;
	z = load_bytes(stream, stream_bytes, &o);
	assert_non_null(z);
	shadow_compare(&shadow, z);
	z->table.sums[1]++;
	assert_int_equal(zram_pread(z, shadow.at[1], BS, BS), -1);
	zram_destroy(z);
}

/* A block that was damaged in memory is no better after a save and a load; the others are as they were. */
static void damage_in_memory_comes_along(void **state)
{
	struct zram *z = device(ZRAM_CHECKSUM), *l;
	int fd = memory_file("", 0);
	uint8_t buf[BS];

	(void)state;
	shadow_fill(&shadow, z);
	z->table.sums[1] ^= 1;
	z->table.sums[2] ^= 1;
	assert_int_equal(zram_save(z, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	l = zram_load(fd, NULL);
	assert_non_null(l);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		errno = 0;
		assert_int_equal(zram_pread(l, buf, BS, i * BS), i == 1 || i == 2 ? -1 : 0);
		assert_int_equal(errno, i == 1 || i == 2 ? EIO : 0);
	}
	close(fd);
	zram_destroy(l);
	zram_destroy(z);
}

static uint8_t dict[ZSI_FRAME_MAX + ZSI_FRAME_MAX / 2];

/* The stream of a device whose algorithm has a dictionary that is longer than a frame. */
static void make_stream_with_dictionary(void)
{
	char path[] = "/tmp/zram-dict-XXXXXX", params[64];
	struct zram_options o = ZRAM_OPTIONS_INIT;
	int fd = mkstemp(path), out = memory_file("", 0);
	struct rng r = { 6 };
	struct zram *z;

	assert_true(fd >= 0);
	shadow_noise(dict, sizeof(dict), &r);
	assert_int_equal(pwrite(fd, dict, sizeof(dict), 0), sizeof(dict));
	close(fd);
	(void)snprintf(params, sizeof(params), "dict=%s", path);
	o.disksize = (uint64_t)BLOCKS * BS;
	o.comp_algorithm = "zstd";
	o.algorithm_params = params;
	z = zram_create("large", &o);
	assert_non_null(z);
	unlink(path);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		memcpy(shadow.at[i], dict + i * 9000, BS);
		shadow_write(&shadow, z, i);
	}
	assert_int_equal(zram_save(z, out), 0);
	stream_bytes = (size_t)pread(out, stream, sizeof(stream), 0);
	close(out);
	zram_destroy(z);
}

static void dictionaries_longer_than_a_frame(void **state)
{
	struct zram *l;

	(void)state;
	make_stream_with_dictionary();
	l = load_bytes(stream, stream_bytes, NULL);
	assert_non_null(l);
	assert_int_equal(l->algs[0].dict_data_bytes, sizeof(dict));
	assert_memory_equal(l->algs[0].dict_data, dict, sizeof(dict));
	shadow_compare(&shadow, l);
	zram_destroy(l);
}

/* The second part is missing; the kind, the number and the size of either are others. */
static void dictionaries_that_make_no_sense(void **state)
{
	(void)state;
	make_stream_with_dictionary();
	const size_t at = frame_at(ZSI_FRAME_DICT), next = seal_next(stream, stream_bytes, at);
	const size_t after = seal_next(stream, stream_bytes, next);

	assert_int_equal(seal_u32(stream + next), ZSI_FRAME_DICT);
	memcpy(changed, stream, next);
	memcpy(changed + next, stream + after, stream_bytes - after);
	seal(changed, stream_bytes - (after - next));
	assert_null(load_bytes(changed, stream_bytes - (after - next), NULL));
	assert_int_equal(errno, EBADMSG);
	assert_non_null(strstr(zram_strerror(), "missing"));
	for (unsigned field = 0; field < 3; field++) {
		for (unsigned part = 0; part < 2; part++) {
			size_t word = (part == 0 ? at : next) + SEAL_HEAD + 4 * field;

			assert_null(load_with_word(word, field == 2 ? 7 : 3));
			assert_int_equal(errno, EBADMSG);
			assert_non_null(strstr(zram_strerror(), "dictionary"));
		}
	}
}

/* Make the nth call from here on go wrong; what only needs to be called again, once. */
static void order(enum wrong how, int error, unsigned nth)
{
	wrong.how = how;
	wrong.error = error;
	wrong.call = nth;
	wrong.once = how == INTERRUPTED || how == NOT_NOW;
	wrong.calls = 0;
}

static const struct {
	enum wrong how;
	int error;
} kinds[] = { { SHORT, 0 }, { INTERRUPTED, 0 }, { NOT_NOW, 0 }, { FAILS, EIO }, { FAILS, ENOSPC } };

static void writes_that_go_wrong(void **state)
{
	struct zram *z = device(0), *l;

	(void)state;
	shadow_fill(&shadow, z);
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		unsigned failed = 0;

		for (unsigned nth = 0, calls = 1; nth < calls; nth++) {
			int fd = memory_file("", 0);
			int result;

			order(kinds[k].how, kinds[k].error, nth);
			errno = 0;
			result = zram_save(z, fd);
			calls = wrong.calls > calls ? wrong.calls : calls;
			wrong.how = RIGHT;
			if (result == 0) {
				assert_int_not_equal(kinds[k].how, FAILS);
			} else {
				assert_int_equal(kinds[k].how, FAILS);
				assert_int_equal(errno, kinds[k].error);
				assert_int_equal(byte_named("writing at byte "), lseek(fd, 0, SEEK_CUR));
				failed++;
				order(RIGHT, 0, 0);
				assert_int_equal(ftruncate(fd, 0), 0);
				assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
				assert_int_equal(zram_save(z, fd), 0);
				calls = wrong.calls;
			}
			assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
			l = zram_load(fd, NULL);
			assert_non_null(l);
			shadow_compare(&shadow, l);
			zram_destroy(l);
			close(fd);
		}
		/* The magic, and of three frames each the payload and the digest. */
		assert_int_equal(failed, kinds[k].how == FAILS ? 7 : 0);
	}
	shadow_compare(&shadow, z);
	zram_destroy(z);
}

static void reads_that_go_wrong(void **state)
{
	struct zram *l;

	(void)state;
	make_stream(0);
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		unsigned failed = 0, nth = 0;

		for (bool reached = true; reached; nth++) {
			int fd = memory_file(stream, stream_bytes);

			order(kinds[k].how, kinds[k].error, nth);
			l = zram_load(fd, NULL);
			reached = wrong.calls > nth;
			wrong.how = RIGHT;
			if (l == NULL) {
				assert_int_equal(kinds[k].how, FAILS);
				assert_int_equal(errno, kinds[k].error);
				assert_int_equal(byte_named("reading at byte "), lseek(fd, 0, SEEK_CUR));
				failed++;
			} else {
				shadow_compare(&shadow, l);
				zram_destroy(l);
			}
			close(fd);
		}
		/* The magic, and of three frames the head, the payload and the digest. */
		assert_int_equal(failed, kinds[k].how == FAILS ? 10 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_named_by_its_frame),
		cmocka_unit_test(frames_in_their_order),
		cmocka_unit_test(headers_that_make_no_sense),
		cmocka_unit_test(blocks_that_make_no_sense),
		cmocka_unit_test(a_word_that_is_no_compressed_block),
		cmocka_unit_test(options_of_another_size),
		cmocka_unit_test(damage_in_memory_comes_along),
		cmocka_unit_test(dictionaries_longer_than_a_frame),
		cmocka_unit_test(dictionaries_that_make_no_sense),
		cmocka_unit_test(writes_that_go_wrong),
		cmocka_unit_test(reads_that_go_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
