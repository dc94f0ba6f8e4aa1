/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_save_test.c - what was saved is what is loaded: every kind of block, every algorithm, through files and pipes,
 * while the device is written to. What is damaged or cut short loads nothing, wherever that is.
 */
#include "zram_shadow.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <eventually.h>

#include "codec/codec.h"
#include "device/device.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/streams.h"

#define BLOCKS 600u

/* Block `i` of `kind`: text-like, a word, noise, zeros; kind 4: nothing is written. */
static void make_block(uint8_t *to, uint64_t i, unsigned kind)
{
	struct rng r = { i * 977 + kind };

	switch (kind) {
	case 0:
		for (size_t k = 0; k < BS; k++)
			to[k] = (uint8_t)("the quick brown fox "[(k + i) % 20] + (rng_one_in(&r, 30) ? 1 : 0));
		break;
	case 1:
		for (size_t k = 0; k < BS; k += 8)
			memcpy(to + k, &i, 8);
		break;
	case 2:
		for (size_t k = 0; k < BS; k += 8) {
			uint64_t x = rng_next(&r);

			memcpy(to + k, &x, 8);
		}
		break;
	default:
		memset(to, 0, BS);
	}
}

static bool of_each_kind(uint8_t *to, uint64_t i, struct rng *r)
{
	(void)r;
	make_block(to, i, (unsigned)(i % 5));
	return i % 5 != 4;
}

static struct shadow shadow = { SHADOW_OF(BLOCKS), .make = of_each_kind };

static struct zram *device(const char *algorithm, unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.disksize = (uint64_t)BLOCKS * BS;
	o.comp_algorithm = algorithm;
	o.flags = flags;
	struct zram *z = zram_create("saved", &o);

	assert_non_null(z);
	return z;
}

static int memory_file(void)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct zram *load_again(int fd, const struct zram_options *o)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return zram_load(fd, o);
}

static void mm_stat(struct zram *z, uint64_t n[9])
{
	char text[256], *at = text;

	assert_true(zram_attr_get(z, "mm_stat", text, sizeof(text)) > 0);
	for (unsigned i = 0; i < 9; i++)
		n[i] = strtoull(at, &at, 10);
}

static void every_kind_and_algorithm(void **state)
{
	(void)state;
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++) {
		struct zram *z = device(zsi_codec_name(zsi_codec_at(i)), i % 2 == 0 ? ZRAM_CHECKSUM : 0);
		uint64_t before[9], after[9];
		int fd = memory_file();

		shadow_fill(&shadow, z);
		assert_int_equal(zram_save(z, fd), 0);
		struct zram *l = load_again(fd, NULL);

		assert_non_null(l);
		shadow_compare(&shadow, l);
		shadow_compare(&shadow, z);
		mm_stat(z, before);
		mm_stat(l, after);
		assert_int_equal(before[0], after[0]);
		assert_int_equal(before[1], after[1]);
		assert_int_equal(before[5], after[5]);
		assert_int_equal(before[7], after[7]);
		/* And once more, from what was loaded. */
		int again = memory_file();

		assert_int_equal(zram_save(l, again), 0);
		assert_int_equal(lseek(again, 0, SEEK_END), lseek(fd, 0, SEEK_END));
		close(again);
		zram_destroy(l);
		zram_destroy(z);
		close(fd);
	}
}

static void levels_come_along(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	int fd = memory_file();

	(void)state;
	o.disksize = (uint64_t)BLOCKS * BS;
	o.comp_algorithm = "zstd";
	o.algorithm_params = "level=9";
	o.recomp_algorithm[1] = "deflate";
	struct zram *z = zram_create("levels", &o);

	assert_non_null(z);
	shadow_fill(&shadow, z);
	assert_int_equal(zram_save(z, fd), 0);
	struct zram *l = load_again(fd, NULL);

	assert_non_null(l);
	assert_string_equal(l->name, "levels");
	assert_int_equal(l->algs[0].level, 9);
	assert_null(l->algs[1].codec);
	assert_string_equal(zsi_codec_name(l->algs[2].codec), "deflate");
	shadow_compare(&shadow, l);
	zram_destroy(l);
	zram_destroy(z);
	close(fd);
}

/* A device that compresses as the kernel does goes on doing so. */
static void kernel_comes_along(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	int fd = memory_file();

	(void)state;
	o.disksize = (uint64_t)BLOCKS * BS;
	o.algorithm_params = "kernel=1";
	o.recomp_algorithm[0] = "zstd";
	struct zram *z = zram_create("kernel", &o);

	assert_non_null(z);
	shadow_fill(&shadow, z);
	assert_int_equal(zram_save(z, fd), 0);
	struct zram *l = load_again(fd, NULL);

	assert_non_null(l);
	assert_true(l->algs[0].kernel && !l->algs[0].has_level && !l->algs[1].kernel);
	shadow_compare(&shadow, l);
	zram_destroy(l);
	zram_destroy(z);
	close(fd);
}

static void options_are_checked(void **state)
{
	struct zram *z = device("lz4", 0);
	int fd = memory_file();

	(void)state;
	shadow_fill(&shadow, z);
	assert_int_equal(zram_save(z, fd), 0);
#define REFUSED(...)                                            \
	do {                                                    \
		struct zram_options o = ZRAM_OPTIONS_INIT;      \
		__VA_ARGS__;                                    \
		errno = 0;                                      \
		assert_null(load_again(fd, &o));                \
		assert_int_equal(errno, EINVAL);                \
		assert_true(strlen(zram_strerror()) > 20);      \
	} while (0)
	REFUSED(o.disksize = 4096);
	REFUSED(o.block_size = 8192);
	REFUSED(o.comp_algorithm = "zstd");
	REFUSED(o.recomp_algorithm[0] = "zstd");
	REFUSED(o.algorithm_params = "level=3");
	struct zram_options same = ZRAM_OPTIONS_INIT;

	same.disksize = (uint64_t)BLOCKS * BS;
	same.block_size = BS;
	same.comp_algorithm = "lz4";
	same.pool.geometry = ZS_GEOMETRY_LINUX;
	struct zram *l = load_again(fd, &same);

	assert_non_null(l);
	shadow_compare(&shadow, l);
	zram_destroy(l);
	/* One that has no room for it. */
	struct zram_options small = ZRAM_OPTIONS_INIT;

	small.mem_limit = 400 << 10;
	assert_null(load_again(fd, &small));
	assert_int_equal(errno, ENOMEM);
	zram_destroy(z);
	z = zram_create("empty", NULL);
	assert_int_equal(zram_save(z, fd), -1);
	assert_int_equal(errno, EINVAL);
	zram_destroy(z);
	close(fd);
}

/* Every byte changed, and every length: nothing is loaded, and the message says where. */
static void damage_loads_nothing(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	uint8_t data[4096], buf[BS];
	int fd = memory_file();

	(void)state;
	o.disksize = 8 * BS;
	struct zram *z = zram_create("small", &o);

	assert_non_null(z);
	make_block(buf, 1, 0);
	assert_int_equal(zram_pwrite(z, buf, BS, BS), 0);
	make_block(buf, 7, 1);
	assert_int_equal(zram_pwrite(z, buf, BS, 3 * BS), 0);
	assert_int_equal(zram_save(z, fd), 0);
	zram_destroy(z);
	off_t n = lseek(fd, 0, SEEK_END);

	assert_in_range(n, 100, sizeof(data));
	assert_int_equal(pread(fd, data, (size_t)n, 0), n);
	for (off_t i = 0; i < n; i++) {
		int damaged = memory_file();
		uint8_t was = data[i];

		data[i] ^= (uint8_t)(1u << (i % 8));
		assert_int_equal(write(damaged, data, (size_t)n), n);
		data[i] = was;
		errno = 0;
		assert_null(load_again(damaged, NULL));
		assert_int_equal(errno, EBADMSG);
		assert_non_null(strstr(zram_strerror(), "byte"));
		assert_int_equal(ftruncate(damaged, i), 0);
		assert_int_equal(pwrite(damaged, data, (size_t)i, 0), i);
		errno = 0;
		assert_null(load_again(damaged, NULL));
		assert_int_equal(errno, EBADMSG);
		assert_non_null(strstr(zram_strerror(), "ends at byte"));
		close(damaged);
	}
	z = load_again(fd, NULL);
	assert_non_null(z);
	assert_int_equal(zram_pread(z, buf, BS, 3 * BS), 0);
	assert_int_equal(buf[0], 7);
	zram_destroy(z);
	close(fd);
}

static struct zram *piped;
static int pipe_end;

static void *save_into_pipe(void *arg)
{
	int result = zram_save(piped, pipe_end);

	(void)arg;
	close(pipe_end);
	return (void *)(intptr_t)result;
}

static void through_a_pipe(void **state)
{
	int fds[2];
	pthread_t t;
	void *result;

	(void)state;
	piped = device("lz4", 0);
	shadow_fill(&shadow, piped);
	assert_int_equal(pipe(fds), 0);
	pipe_end = fds[1];
	assert_int_equal(pthread_create(&t, NULL, save_into_pipe, NULL), 0);
	struct zram *l = zram_load(fds[0], NULL);

	assert_int_equal(pthread_join(t, &result), 0);
	assert_int_equal((intptr_t)result, 0);
	assert_non_null(l);
	shadow_compare(&shadow, l);
	zram_destroy(l);
	close(fds[0]);
	/* A reader that goes: the save fails, the device is as it was. */
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(zram_save(piped, fds[1]), -1);
	assert_int_equal(errno, EPIPE);
	close(fds[1]);
	shadow_compare(&shadow, piped);
	zram_destroy(piped);
}

/* A file that may not grow: at every size, the save fails and everything is as it was. */
static void no_room_to_save(void **state)
{
	struct zram *z = device("lz4", 0);
	struct rlimit was, small;
	char path[] = "/tmp/zram-save-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	shadow_fill(&shadow, z);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	for (rlim_t size = 0; size < 800000; size += 99991) {
		small.rlim_cur = size;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		int result = zram_save(z, fd);
		int error = errno;

		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		if (result == 0)
			break;
		assert_int_equal(error, EFBIG);
		assert_null(load_again(fd, NULL));
	}
	shadow_compare(&shadow, z);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(zram_save(z, fd), 0);
	struct zram *l = load_again(fd, NULL);

	assert_non_null(l);
	zram_destroy(l);
	zram_destroy(z);
	close(fd);
	unlink(path);
}

/* --- while it is in use --- */

static atomic_bool stop_writing;
static atomic_uint rounds;

/* All blocks of a pair of neighbours get the same number, first the one, then the other. */
static void *write_pairs(void *arg)
{
	struct zram *z = arg;
	uint8_t buf[BS];
	struct rng r = { 4 };

	for (uint64_t n = 1; !atomic_load(&stop_writing); n++) {
		uint64_t pair = rng_below(&r, BLOCKS / 2);

		if (rng_one_in(&r, 8)) {
			assert_int_equal(zram_discard(z, pair * 2 * BS, 2 * BS), 0);
		} else {
			make_block(buf, n, (unsigned)rng_below(&r, 3));
			memcpy(buf, &n, sizeof(n));
			assert_int_equal(zram_pwrite(z, buf, BS, pair * 2 * BS), 0);
			assert_int_equal(zram_pwrite(z, buf, BS, (pair * 2 + 1) * BS), 0);
		}
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

/*
 * The writer writes pair after pair, so at any one moment at most one pair is half written. A save that mixes moments
 * would have many.
 */
static void one_moment(void **state)
{
	struct zram *z = device("lz4", 0);
	pthread_t t;

	(void)state;
	atomic_store(&stop_writing, false);
	assert_int_equal(pthread_create(&t, NULL, write_pairs, z), 0);
	while (atomic_load(&rounds) < 2000)
		usleep(1000);
	for (unsigned round = 0; round < 20; round++) {
		uint8_t a[BS], b[BS];
		unsigned half = 0;
		int fd = memory_file();

		assert_int_equal(zram_save(z, fd), 0);
		struct zram *l = load_again(fd, NULL);

		assert_non_null(l);
		for (uint64_t pair = 0; pair < BLOCKS / 2; pair++) {
			assert_int_equal(zram_pread(l, a, BS, pair * 2 * BS), 0);
			assert_int_equal(zram_pread(l, b, BS, (pair * 2 + 1) * BS), 0);
			half += memcmp(a, b, BS) != 0;
		}
		assert_in_range(half, 0, 1);
		zram_destroy(l);
		close(fd);
	}
	atomic_store(&stop_writing, true);
	assert_int_equal(pthread_join(t, NULL), 0);
	/* What was kept for the saves is gone again. */
	assert_int_equal(zram_discard(z, 0, (uint64_t)BLOCKS * BS), 0);
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	assert_int_equal(zs_get_total_pages(zram_get_pool(z)), 0);
	zram_destroy(z);
}

/* Phrases that blocks share with each other, but that no block has twice. */
static void make_phrases(uint8_t *to, uint64_t i)
{
	for (size_t k = 0; k < BS / 64; k++) {
		struct rng r = { (i * 37 + k * 11) % 512 };

		for (size_t b = 0; b < 64; b++)
			to[k * 64 + b] = (uint8_t)rng_next(&r);
	}
}

static bool of_phrases(uint8_t *to, uint64_t i, struct rng *r)
{
	(void)r;
	make_phrases(to, i);
	memset(to + BS / 2, 0, BS / 4);
	return true;
}

static struct shadow phrases = { SHADOW_OF(4 * BLOCKS), .make = of_phrases };

/* Which dictionary is in use, 0 for none; with a stream in hand, since it changes only while nobody has one. */
static unsigned current_dict(struct zram *z)
{
	struct zsi_stream *s = zsi_gate_enter(z);
	unsigned current;

	assert_non_null(s);
	current = z->train.current;
	zsi_stream_leave(s);
	return current;
}

static bool training(struct zram *z)
{
	return atomic_load(&z->train.running);
}

static void trained_dictionaries_come_along(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	int fd = memory_file();

	(void)state;
	o.disksize = phrases.nr_blocks * BS;
	o.flags = ZRAM_TRAIN_DICT;
	struct zram *z = zram_create("trained", &o);

	assert_non_null(z);
	for (unsigned round = 0; round < 20 && current_dict(z) == 0; round++) {
		shadow_fill(&phrases, z);
		EVENTUALLY(!training(z));
	}
	assert_int_not_equal(current_dict(z), 0);
	for (uint64_t i = 0; i < phrases.nr_blocks / 2; i++)
		shadow_write(&phrases, z, i);
	assert_int_equal(zram_save(z, fd), 0);
	struct zram *l = load_again(fd, NULL);

	assert_non_null(l);
	assert_int_equal(current_dict(l), current_dict(z));
	shadow_compare(&phrases, l);
	zram_destroy(l);
	zram_destroy(z);
	close(fd);
}

/* A device that is loaded is called as it was, or as the options say. */
static void names(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	int fd = memfd_create("names", 0);

	(void)state;
	o.name = "other";
	for (unsigned given = 0; given <= 1; given++) {
		struct zram *z = zram_create("first", NULL);

		assert_int_equal(zram_attr_set(z, "disksize", "1M"), 0);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(zram_save(z, fd), 0);
		zram_destroy(z);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		z = zram_load(fd, given ? &o : NULL);
		assert_non_null(z);
		assert_string_equal(z->name, given ? "other" : "first");
		zram_destroy(z);
	}
	close(fd);
	struct zram *z = zram_create(NULL, &o);

	assert_string_equal(z->name, "other");
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_and_algorithm),
		cmocka_unit_test(levels_come_along),
		cmocka_unit_test(kernel_comes_along),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(damage_loads_nothing),
		cmocka_unit_test(through_a_pipe),
		cmocka_unit_test(no_room_to_save),
		cmocka_unit_test(one_moment),
		cmocka_unit_test(trained_dictionaries_come_along),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
