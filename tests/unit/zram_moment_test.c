/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_moment_test.c - a save is of the moment of its call, whatever happens to the device until it is done.
 *
 * To know the moment, the save writes into a pipe that is full: it has begun, and nothing is written yet, until the
 * test begins to read. Everything that is done to the device meanwhile is after the moment.
 */
#include "zram_shadow.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <check.h>
#include <eventually.h>

#include "device/device.h"
#include "device/entry.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/streams.h"

#define BLOCKS 300u
#define WRITERS 3u

static struct shadow shadow = { SHADOW_OF(BLOCKS) };
static char path[] = "/tmp/zram-moment-XXXXXX";

/* --- the lock step --- */

static struct zram *saved;
static int pipe_ends[2], save_fd, save_result, save_errno;
static size_t in_the_pipe; /* before the save */
static pthread_t save_thread;

static void *save(void *arg)
{
	save_result = zram_save(saved, pipe_ends[1]);
	save_errno = errno;
	close(pipe_ends[1]);
	return arg;
}

static bool save_has_begun(struct zram *z)
{
	struct zsi_stream *s = zsi_gate_enter(z);
	bool begun;

	CHECK(s != NULL);
	begun = z->save != NULL;
	zsi_stream_leave(s);
	return begun;
}

static void begin_save(struct zram *z)
{
	uint8_t some[512] = { 0 };
	ssize_t n;

	saved = z;
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
	for (in_the_pipe = 0; (n = write(pipe_ends[1], some, sizeof(some))) > 0; in_the_pipe += (size_t)n)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(pipe_ends[0], F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&save_thread, NULL, save, NULL), 0);
	EVENTUALLY(save_has_begun(z));
}

/* What it writes goes to save_fd. */
static void end_save(void)
{
	static uint8_t buf[1 << 16];
	ssize_t n;

	save_fd = memfd_create("saved", MFD_CLOEXEC);
	assert_true(save_fd >= 0);
	while ((n = read(pipe_ends[0], buf, sizeof(buf))) > 0) {
		size_t skip = in_the_pipe < (size_t)n ? in_the_pipe : (size_t)n;

		in_the_pipe -= skip;
		assert_int_equal(write(save_fd, buf + skip, (size_t)n - skip), (size_t)n - skip);
	}
	assert_int_equal(n, 0);
	close(pipe_ends[0]);
	assert_int_equal(pthread_join(save_thread, NULL), 0);
}

static struct zram *load_saved(void)
{
	struct zram *l;

	assert_int_equal(lseek(save_fd, 0, SEEK_SET), 0);
	l = zram_load(save_fd, NULL);
	if (l == NULL)
		fail_msg("%s", zram_strerror());
	close(save_fd);
	return l;
}

/* --- contents --- */

static void make_block(uint8_t *to, struct rng *r)
{
	uint64_t kind = rng_below(r, 5), word = rng_next(r);
	size_t n = kind == 0 ? BS : kind < 3 ? 200 + (size_t)rng_below(r, 2000) : 0;

	for (size_t i = 0; i < BS; i += sizeof(word))
		memcpy(to + i, &word, sizeof(word));
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)rng_next(r);
	if (kind == 4)
		memset(to, 0, BS);
}

static bool most_blocks(uint8_t *to, uint64_t i, struct rng *r)
{
	(void)i;
	if (rng_one_in(r, 6))
		return false;
	make_block(to, r);
	return true;
}

static bool first_eight(uint8_t *to, uint64_t i, struct rng *r)
{
	make_block(to, r);
	return i < 8;
}

static bool half_noise(uint8_t *to, uint64_t i, struct rng *r)
{
	(void)i;
	make_block(to, r);
	shadow_noise(to, BS / 2, r);
	return true;
}

static bool half_noise_half_zeros(uint8_t *to, uint64_t i, struct rng *r)
{
	(void)i;
	shadow_noise(to, BS / 2, r);
	return true;
}

static struct zram *device(unsigned flags, bool backed)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = (uint64_t)BLOCKS * BS;
	o.recomp_algorithm[0] = "zstd";
	o.flags = flags;
	o.backing_dev = backed ? path : NULL;
	z = zram_create("moment", &o);
	if (z == NULL)
		fail_msg("%s", zram_strerror());
	return z;
}

/* --- tests --- */

static atomic_bool holds, let_go;

static void *hold_first_block(void *arg)
{
	uint64_t meta = zsi_block_lock(arg, 0);

	atomic_store(&holds, true);
	while (!atomic_load(&let_go))
		usleep(200);
	zsi_block_unlock(arg, 0, meta);
	return NULL;
}

/* Blocks that change while the save is at the last ones that it looks at. */
static void at_the_last_look(void **state)
{
	struct rng r = { 1 };
	struct zram *z = device(0, false), *l;
	pthread_t holder;
	uint8_t buf[BS];

	(void)state;
	shadow_fill_from(&shadow, z, first_eight, &r);
	assert_int_equal(pthread_create(&holder, NULL, hold_first_block, z), 0);
	EVENTUALLY(atomic_load(&holds));
	saved = z;
	save_fd = memfd_create("saved", MFD_CLOEXEC);
	pipe_ends[1] = dup(save_fd);
	assert_true(pipe_ends[1] >= 0);
	assert_int_equal(pthread_create(&save_thread, NULL, save, NULL), 0);
	EVENTUALLY(save_has_begun(z));
	/* It comes to block 0, and waits there. */
	usleep(50000);
	for (uint64_t i = 1; i < 8; i++) {
		make_block(buf, &r);
		assert_int_equal(zram_pwrite(z, buf, BS, i * BS), 0);
	}
	atomic_store(&let_go, true);
	assert_int_equal(pthread_join(holder, NULL), 0);
	assert_int_equal(pthread_join(save_thread, NULL), 0);
	assert_int_equal(save_result, 0);
	l = load_saved();
	shadow_compare(&shadow, l);
	zram_destroy(l);
	zram_destroy(z);
}

static atomic_bool stop_writing;

static void change(struct zram *z, struct rng *r)
{
	uint64_t i = rng_below(r, BLOCKS), n = rng_range(r, 1, BLOCKS - i < 20 ? BLOCKS - i : 20);
	static const char *const work[][2] = { { "idle", "all" },
					       { "recompress", "type=idle" },
					       { "recompress", "type=huge" },
					       { "writeback", "page_indexes=0-299" },
					       { "compact", "1" } };
	uint8_t buf[BS];
	uint64_t w;

	switch (rng_below(r, 10)) {
	case 0:
		CHECK(zram_discard(z, i * BS, n * BS) == 0);
		break;
	case 1:
		CHECK(zram_zero(z, i * BS + 100, n * BS - 100) == 0);
		break;
	case 2:
		CHECK(zram_pread(z, buf, BS, i * BS) == 0);
		break;
	case 3:
		memset(buf, (int)n, BS);
		CHECK(zram_pwrite(z, buf, 1000, i * BS + 77) == 0);
		break;
	case 4:
		w = rng_below(r, 5);
		CHECK_MSG(zram_attr_set(z, work[w][0], work[w][1]) == 0 || errno == EAGAIN || errno == ENODEV ||
				  errno == ENOSPC,
			  "%s", zram_strerror());
		break;
	default:
		make_block(buf, r);
		CHECK(zram_pwrite(z, buf, BS, i * BS) == 0);
	}
}

static void *write_on(void *arg)
{
	struct rng r = { (uintptr_t)arg };

	while (!atomic_load(&stop_writing))
		change(saved, &r);
	return NULL;
}

/* Rounds on one device: what the last left is what the next saves. */
static void everything_changes(unsigned flags, bool backed)
{
	struct zram *z = device(flags, backed);
	struct rng r = { 5 + flags };

	shadow_fill_from(&shadow, z, most_blocks, &r);
	for (unsigned round = 0; round < 12; round++) {
		pthread_t writers[WRITERS];

		/* Blocks in every form: recompressed and written back ones are saved too. */
		assert_int_equal(zram_attr_set(z, "idle", "all"), 0);
		if (round % 3 == 1)
			assert_int_equal(zram_attr_set(z, "recompress", "type=idle"), 0);
		if (backed && round % 2 == 1)
			assert_int_equal(zram_attr_set(z, "writeback", "page_indexes=20-150"), 0);
		shadow_take(&shadow, z);
		begin_save(z);
		atomic_store(&stop_writing, false);
		for (uintptr_t w = 0; w < WRITERS; w++)
			assert_int_equal(pthread_create(&writers[w], NULL, write_on, (void *)(round * WRITERS + w)), 0);
		usleep(20000);
		end_save();
		atomic_store(&stop_writing, true);
		for (unsigned w = 0; w < WRITERS; w++)
			assert_int_equal(pthread_join(writers[w], NULL), 0);
		if (save_result != 0)
			fail_msg("round %u: errno %d", round, save_errno);
		struct zram *l = load_saved();

		shadow_compare(&shadow, l);
		zram_destroy(l);
	}
	/* Nothing that was kept is left. */
	assert_int_equal(zram_discard(z, 0, (uint64_t)BLOCKS * BS), 0);
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	assert_int_equal(zs_get_total_pages(zram_get_pool(z)), 0);
	char text[64];

	assert_true(zram_attr_get(z, "bd_stat", text, sizeof(text)) > 0);
	assert_int_equal(strtoull(text, NULL, 10), 0);
	zram_destroy(z);
}

static void blocks_change(void **state)
{
	(void)state;
	everything_changes(0, false);
	everything_changes(ZRAM_CHECKSUM, false);
}

static void written_back_blocks_change(void **state)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 2 * BLOCKS * BS), 0);
	close(fd);
	everything_changes(ZRAM_CHECKSUM, true);
	unlink(path);
}

/* At the memory limit a save gives up what it keeps, and no write fails for it. */
static void writes_go_first(void **state)
{
	struct rng r = { 3 };
	struct zram *z = device(0, false), *l;
	char text[32];

	(void)state;
	shadow_fill_from(&shadow, z, half_noise, &r);
	/* Threads need a stream each. */
	(void)snprintf(text, sizeof(text), "%llu",
		       (unsigned long long)(zs_get_total_bytes(zram_get_pool(z)) + z->memory.own + 130000));
	assert_int_equal(zram_attr_set(z, "mem_limit", text), 0);
	begin_save(z);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		shadow_noise(shadow.at[i], BS / 2, &r);
		shadow_write(&shadow, z, i);
	}
	end_save();
	assert_int_equal(save_result, -1);
	assert_int_equal(save_errno, ENOMEM);
	close(save_fd);
	shadow_compare(&shadow, z);
	/* Where nobody writes there is memory for one. */
	save_fd = memfd_create("saved", MFD_CLOEXEC);
	assert_int_equal(zram_save(z, save_fd), 0);
	l = load_saved();
	shadow_compare(&shadow, l);
	zram_destroy(l);
	zram_destroy(z);
}

static atomic_bool came_back;

/* On a full device contents of the same size are written where they lie: not into what a save under way still needs. */
static void in_place_at_the_limit(void **state)
{
	(void)state;
	for (unsigned kept = 0; kept < 2; kept++) {
		struct rng r = { 78 };
		struct zram *z = device(0, false);
		char text[32];

		shadow_fill_from(&shadow, z, half_noise_half_zeros, &r);
		begin_save(z);
		/* No memory is left, nor was any before the first of them is kept. */
		(void)snprintf(text, sizeof(text), "%llu",
			       (unsigned long long)(zs_get_total_bytes(z->pool) + atomic_load(&z->memory.own)) +
				       kept * 16 * BS);
		assert_int_equal(zram_attr_set(z, "mem_limit", text), 0);
		for (uint64_t i = 0; i < BLOCKS; i++) {
			shadow.at[i][77]++;
			shadow_write(&shadow, z, i);
		}
		end_save();
		assert_int_equal(save_result, -1);
		assert_int_equal(save_errno, ENOMEM);
		close(save_fd);
		shadow_compare(&shadow, z);
		zram_destroy(z);
	}
}

static void *reset_it(void *arg)
{
	CHECK(zram_attr_set(arg, "reset", "1") == 0);
	atomic_store(&came_back, true);
	return NULL;
}

static void *save_again(void *arg)
{
	int fd = memfd_create("second", MFD_CLOEXEC);

	CHECK(fd >= 0 && zram_save(arg, fd) == 0 && close(fd) == 0);
	atomic_store(&came_back, true);
	return NULL;
}

static void others_wait(void **state)
{
	void *(*const who[])(void *) = { save_again, reset_it };
	struct rng r = { 8 };
	struct zram *z = device(0, false);

	(void)state;
	shadow_fill_from(&shadow, z, most_blocks, &r);
	for (unsigned i = 0; i < 2; i++) {
		pthread_t t;

		begin_save(z);
		atomic_store(&came_back, false);
		assert_int_equal(pthread_create(&t, NULL, who[i], z), 0);
		usleep(30000);
		assert_false(atomic_load(&came_back));
		end_save();
		assert_int_equal(pthread_join(t, NULL), 0);
		assert_int_equal(save_result, 0);
		struct zram *l = load_saved();

		shadow_compare(&shadow, l);
		zram_destroy(l);
	}
	assert_int_equal(zram_disksize(z), 0);
	zram_destroy(z);
}

/* In the child nobody saves: what was kept is free, blocks change as ever, and it can save on its own. */
static void in_a_child(struct zram *z)
{
	static uint8_t want[BLOCKS][BS], buf[BS];
	struct rng r = { 12 };
	struct zram *l;

	check_install();
	CHECK(z->save == NULL && zs_pool_validate(zram_get_pool(z)) == 0);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		make_block(want[i], &r);
		CHECK(zram_pwrite(z, want[i], BS, i * BS) == 0);
	}
	save_fd = memfd_create("child", MFD_CLOEXEC);
	CHECK(zram_save(z, save_fd) == 0 && lseek(save_fd, 0, SEEK_SET) == 0);
	l = zram_load(save_fd, NULL);
	CHECK_MSG(l != NULL, "%s", zram_strerror());
	for (uint64_t i = 0; i < BLOCKS; i++)
		CHECK(zram_pread(l, buf, BS, i * BS) == 0 && memcmp(buf, want[i], BS) == 0);
	zram_destroy(l);
	CHECK(zram_discard(z, 0, (uint64_t)BLOCKS * BS) == 0 && zram_attr_set(z, "compact", "1") == 0);
	CHECK(zs_get_total_pages(zram_get_pool(z)) == 0);
	_exit(0);
}

static void fork_meanwhile(void **state)
{
	struct rng r = { 10 };
	struct zram *z, *l;
	uint8_t buf[BS];
	int status;

	(void)state;
	if (CHECK_TSAN)
		skip(); /* it does not follow into a child of a process with threads */
	z = device(0, false);
	shadow_fill_from(&shadow, z, most_blocks, &r);
	begin_save(z);
	for (uint64_t i = 0; i < BLOCKS; i += 2) {
		make_block(buf, &r);
		assert_int_equal(zram_pwrite(z, buf, BS, i * BS), 0);
	}
	pid_t child = fork();

	if (child == 0)
		in_a_child(z);
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(zram_discard(z, 0, (uint64_t)BLOCKS * BS), 0);
	end_save();
	assert_int_equal(save_result, 0);
	l = load_saved();
	shadow_compare(&shadow, l);
	zram_destroy(l);
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_last_look),
		cmocka_unit_test(blocks_change),
		cmocka_unit_test(written_back_blocks_change),
		cmocka_unit_test(writes_go_first),
		cmocka_unit_test(in_place_at_the_limit),
		cmocka_unit_test(others_wait),
		cmocka_unit_test(fork_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
