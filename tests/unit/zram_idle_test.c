/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_idle_test.c - blocks that nobody uses: marked, recompressed, written back, and read back as they were; files
 * that are none; and a backing file that fails at every operation it is asked for.
 */
#include "zram_blocks.h"
#include "zram_shadow.h"

#include <eventually.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device/backing.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/layout.h"
#include "device/streams.h"
#include "zram/turn.h"

#define BLOCKS 400u

static atomic_bool begun;
static char path[] = "/tmp/zram-backing-XXXXXX";

/* By i % 4: text that zstd makes smaller than lz4 does, noise, one word, noise with a tail that both can shrink. */
static bool text_noise_or_word(uint8_t *to, uint64_t i, struct rng *r)
{
	memset(to, (int)(i % 251), BS);
	if (i % 4 == 0)
		for (size_t k = 0; k < BS; k++)
			to[k] = (uint8_t)("etaoin shrdlu"[rng_below(r, 13)]);
	else if (i % 4 != 2)
		shadow_noise(to, i % 4 == 1 ? BS : BS / 2, r);
	return true;
}

static struct shadow shadow = { SHADOW_OF(BLOCKS), .make = text_noise_or_word };

static void make_file(off_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

static struct zram *device(const char *backing, unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.disksize = (uint64_t)BLOCKS * BS;
	o.backing_dev = backing;
	o.recomp_algorithm[0] = "zstd";
	o.flags = flags;
	struct zram *z = zram_create("idle", &o);

	assert_non_null(z);
	return z;
}

/* As if nobody had used the block for so long. */
static void age_by_hours(struct zram *z, uint64_t block, uint32_t hours)
{
	_Atomic uint64_t *word = &zsi_block_at(z, block)->meta;
	uint64_t low = atomic_load(word) & ((1ull << ZSI_TIME_SHIFT) - 1);
	uint32_t then = zsi_tick_now() - hours * 3600 * 8;

	atomic_store(word, low | (uint64_t)then << ZSI_TIME_SHIFT);
}

static void marked_by_hand_and_by_age(void **state)
{
	struct zram *z = device(NULL, 0);
	uint8_t buf[BS];

	(void)state;
	shadow_fill(&shadow, z);
	assert_string_equal(state_of(z, 0), "......");
	assert_int_equal(zram_attr_set(z, "idle", "all\n"), 0);
	assert_string_equal(state_of(z, 0), "...i..");
	assert_string_equal(state_of(z, 1), "..hi..");
	assert_string_equal(state_of(z, 2), "s.....");
	/* Whoever uses a block takes the mark away. */
	assert_int_equal(zram_pread(z, buf, BS, 0), 0);
	assert_string_equal(state_of(z, 0), "......");
	assert_int_equal(zram_attr_set(z, "idle", "3600"), 0);
	assert_string_equal(state_of(z, 1), "..h...");
	age_by_hours(z, 0, 2);
	age_by_hours(z, 4, 2);
	assert_int_equal(zram_pread(z, buf, BS, 4 * BS), 0);
	assert_int_equal(zram_attr_set(z, "idle", "3600"), 0);
	assert_string_equal(state_of(z, 0), "...i..");
	assert_string_equal(state_of(z, 4), "......");
	refused(z, "idle", "", EINVAL);
	refused(z, "idle", "allx", EINVAL);
	refused(z, "idle", "-1", EINVAL);
	refused(z, "idle", "99999999999", EINVAL);
	zram_destroy(z);
}

static struct zram *with_background(const char *backing, const char *writeback)
{
	struct zram_background p = ZRAM_BACKGROUND_INIT;
	struct zram *z = device(backing, 0);

	shadow_fill(&shadow, z);
	p.cpu_percent = 100;
	p.interval_ms = 1;
	p.idle_seconds = 3600;
	p.no_shrinker = true;
	p.recompress = writeback == NULL ? "type=idle" : NULL;
	p.writeback = writeback;
	assert_int_equal(zram_attr_set(z, "idle", "all"), 0);
	assert_int_equal(zram_background_start(z, &p), 0);
	return z;
}

/* The background goes over all blocks, in order, when it comes to this last one. */
#define LAST (BLOCKS - 4)

static void the_background_leaves_marks_alone(void **state)
{
	struct zram *z = with_background(NULL, NULL);
	uint8_t buf[BS];

	(void)state;
	age_by_hours(z, LAST, 2);
	EVENTUALLY(strcmp(state_of(z, LAST), "...ir.") == 0);
	/* Marked, and not old: whoever marked it may still want to do something with it. */
	assert_string_equal(state_of(z, 0), "...i..");
	assert_int_equal(zram_attr_set(z, "recompress", "type=idle"), 0);
	assert_string_equal(state_of(z, 0), "....r.");
	/* An access takes the mark, whoever made it. */
	assert_int_equal(zram_pread(z, buf, BS, LAST * BS), 0);
	assert_string_equal(state_of(z, LAST), "....r.");
	shadow_compare(&shadow, z);
	zram_destroy(z);

	make_file(BLOCKS * BS);
	z = with_background(path, "type=idle");
	age_by_hours(z, LAST, 2);
	EVENTUALLY(state_of(z, LAST)[1] == 'w');
	assert_string_equal(state_of(z, 0), "...i..");
	assert_string_equal(state_of(z, 1), "..hi..");
	assert_int_equal(zram_attr_set(z, "writeback", "type=idle"), 0);
	assert_int_equal(state_of(z, 0)[1], 'w');
	assert_int_equal(state_of(z, 1)[1], 'w');
	shadow_compare(&shadow, z);
	zram_destroy(z);
	unlink(path);
}

/* The background's recompression, as it looks to others: it ends when it should. */
static void *work_in_the_background(void *arg)
{
	const struct zsi_asker background = { .background = true, .ticks = 1 };
	struct zram *z = arg;

	CHECK(zsi_turn_begin(z, &background, "test") == 0);
	atomic_store(&begun, true);
	EVENTUALLY(zsi_turn_should_end(z, &background));
	zsi_turn_end(z, &background);
	return NULL;
}

static void *work_by_hand(void *arg)
{
	const struct zsi_asker by_hand = { .background = false };
	struct zram *z = arg;

	CHECK(zsi_turn_begin(z, &by_hand, "test") == 0);
	atomic_store(&begun, true);
	EVENTUALLY(!atomic_load(&begun));
	CHECK(!zsi_turn_should_end(z, &by_hand));
	zsi_turn_end(z, &by_hand);
	return NULL;
}

static void the_background_makes_way(void **state)
{
	struct zram *z = device(NULL, 0);
	pthread_t thread;

	(void)state;
	shadow_fill(&shadow, z);
	assert_int_equal(zram_attr_set(z, "idle", "all"), 0);
	atomic_store(&begun, false);
	assert_int_equal(pthread_create(&thread, NULL, work_in_the_background, z), 0);
	EVENTUALLY(atomic_load(&begun));
	assert_int_equal(zram_attr_set(z, "recompress", "type=idle"), 0);
	assert_string_equal(state_of(z, 0), "....r.");
	pthread_join(thread, NULL);
	/* Two by hand: the second is told. */
	atomic_store(&begun, false);
	assert_int_equal(pthread_create(&thread, NULL, work_by_hand, z), 0);
	EVENTUALLY(atomic_load(&begun));
	refused(z, "recompress", "type=idle", EAGAIN);
	atomic_store(&begun, false);
	pthread_join(thread, NULL);
	zram_destroy(z);
}

/* Ages are of a clock that other threads may have read later, and that may be older than half its range. */
static void ages_at_the_edges(void **state)
{
	static const struct {
		int32_t age;
		const char *value, *flags;
	} ages[] = {
		{ -1, "0", "......" },
		{ -1, "3600", "......" },
		{ -8, "1", "......" },
		{ 0, "0", "...i.." },
		{ 7, "1", "......" },
		{ 9, "1", "...i.." },
		{ 3600 * 8 - 9, "3600", "......" },
		{ 3600 * 8, "0xe10", "...i.." },
		{ INT32_MAX - 100, "268435400", "...i.." },
	};
	struct zram *z = device(NULL, 0);

	(void)state;
	assert_int_equal(zram_pwrite(z, "block", 5, 0), 0);
	for (unsigned i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		_Atomic uint64_t *word = &zsi_block_at(z, 0)->meta;
		uint64_t low = atomic_load(word) & ((1ull << ZSI_TIME_SHIFT) - 1);

		/* Only where the clock did not tick meanwhile. */
		for (uint32_t now = zsi_tick_now() - 1; now != zsi_tick_now();) {
			now = zsi_tick_now();
			atomic_store(word, low | (uint64_t)(now - (uint32_t)ages[i].age) << ZSI_TIME_SHIFT);
			set(z, "idle", ages[i].value);
		}
		if (strcmp(state_of(z, 0), ages[i].flags) != 0)
			fail_msg("age %d ticks, idle %s: %s", ages[i].age, ages[i].value, state_of(z, 0));
	}
	refused(z, "idle", "268435456", EINVAL);
	zram_destroy(z);
}

static void recompressed(void **state)
{
	uint64_t before[9], after[9];

	(void)state;
	for (unsigned flags = 0; flags <= ZRAM_CHECKSUM; flags += ZRAM_CHECKSUM) {
		struct zram *z = device(NULL, flags);

		shadow_fill(&shadow, z);
		numbers(z, "mm_stat", before, 9);
		/* Nothing is idle. */
		assert_int_equal(zram_attr_set(z, "recompress", "type=idle"), 0);
		numbers(z, "mm_stat", after, 9);
		assert_int_equal(before[1], after[1]);
		assert_int_equal(zram_attr_set(z, "idle", "all"), 0);
		assert_int_equal(zram_attr_set(z, "recompress", "type=idle max_pages=10"), 0);
		numbers(z, "mm_stat", after, 9);
		assert_true(after[1] <= before[1]);
		assert_int_equal(zram_attr_set(z, "recompress", "type=idle"), 0);
		numbers(z, "mm_stat", after, 9);
		assert_true(after[1] < before[1]);
		assert_int_equal(after[0], before[0]);
		assert_string_equal(state_of(z, 0), "....r.");
		/* Noise: no algorithm makes it smaller, and it is not tried again. */
		assert_string_equal(state_of(z, 1), "..h..n");
		shadow_compare(&shadow, z);
		/* What is written anew is the first algorithm's again. */
		shadow_write(&shadow, z, 0);
		shadow_write(&shadow, z, 1);
		assert_string_equal(state_of(z, 0), "......");
		assert_string_equal(state_of(z, 1), "..h...");
		assert_int_equal(zram_attr_set(z, "recompress", "algo=zstd threshold=1000"), 0);
		assert_string_equal(state_of(z, 0), "......");
		assert_int_equal(zram_attr_set(z, "recompress", "priority=1"), 0);
		assert_string_equal(state_of(z, 0), "....r.");
		shadow_compare(&shadow, z);
		zram_destroy(z);
	}
}

/* --- written back --- */

static struct zram *filled_with_file(unsigned flags)
{
	make_file(4 << 20);
	struct zram *z = device(path, flags);

	shadow_fill(&shadow, z);
	return z;
}

/* All blocks but those of one word are in the file. */
static struct zram *all_in_the_file(unsigned flags)
{
	struct zram *z = filled_with_file(flags);
	uint64_t mm[9];

	set(z, "writeback", "type=huge");
	set(z, "idle", "all");
	set(z, "writeback", "idle");
	numbers(z, "mm_stat", mm, 9);
	assert_int_equal(mm[1], 0);
	return z;
}

/* Which is noise, and in the file. */
static void write_part_of_block_5(struct zram *z)
{
	memcpy(shadow.at[5] + 100, "part", 4);
	shadow_write_part(&shadow, z, 5, 100, 4);
}

static void destroy_with_file(struct zram *z)
{
	zram_destroy(z);
	unlink(path);
}

static void huge_blocks_go_into_the_file(void **state)
{
	uint64_t mm[9], bd[3];

	(void)state;
	for (unsigned flags = 0; flags <= ZRAM_CHECKSUM; flags += ZRAM_CHECKSUM) {
		struct zram *z = filled_with_file(flags);

		numbers(z, "bd_stat", bd, 3);
		assert_int_equal(bd[0] + bd[1] + bd[2], 0);
		numbers(z, "mm_stat", mm, 9);
		uint64_t huge = mm[7];

		assert_true(huge >= BLOCKS / 4);
		assert_int_equal(zram_attr_set(z, "writeback", "type=huge"), 0);
		assert_string_equal(state_of(z, 1), ".wh...");
		assert_string_equal(state_of(z, 3), "......");
		numbers(z, "mm_stat", mm, 9);
		assert_int_equal(mm[7], 0);
		numbers(z, "bd_stat", bd, 3);
		assert_int_equal(bd[0], huge);
		assert_int_equal(bd[2], huge);
		destroy_with_file(z);
	}
}

static void blocks_in_the_file_take_no_memory_and_are_read_from_it(void **state)
{
	uint64_t mm[9], bd[3];

	(void)state;
	for (unsigned flags = 0; flags <= ZRAM_CHECKSUM; flags += ZRAM_CHECKSUM) {
		struct zram *z = all_in_the_file(flags);

		assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
		numbers(z, "mm_stat", mm, 9);
		assert_int_equal(mm[1], 0);
		assert_int_equal(mm[2], 0);
		assert_int_equal(mm[0], (uint64_t)BLOCKS * BS);
		shadow_compare(&shadow, z);
		numbers(z, "bd_stat", bd, 3);
		assert_true(bd[1] > BLOCKS / 4);
		assert_int_equal(zram_flush(z), 0);
		destroy_with_file(z);
	}
}

static void a_part_is_written_to_a_block_in_the_file(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= ZRAM_CHECKSUM; flags += ZRAM_CHECKSUM) {
		struct zram *z = all_in_the_file(flags);

		assert_int_equal(state_of(z, 5)[1], 'w');
		write_part_of_block_5(z);
		shadow_compare(&shadow, z);
		assert_string_equal(state_of(z, 5), "..h...");
		destroy_with_file(z);
	}
}

static void a_save_has_what_is_in_the_file(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= ZRAM_CHECKSUM; flags += ZRAM_CHECKSUM) {
		struct zram *z = all_in_the_file(flags);
		int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

		/* And one that is not. */
		write_part_of_block_5(z);
		assert_true(fd >= 0);
		assert_int_equal(zram_save(z, fd), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		struct zram *l = zram_load(fd, NULL);

		assert_non_null(l);
		shadow_compare(&shadow, l);
		zram_destroy(l);
		close(fd);
		destroy_with_file(z);
	}
}

static void overwriting_and_discarding_give_the_space_back(void **state)
{
	uint64_t bd[3];
	uint8_t buf[BS];

	(void)state;
	for (unsigned flags = 0; flags <= ZRAM_CHECKSUM; flags += ZRAM_CHECKSUM) {
		struct zram *z = all_in_the_file(flags);

		numbers(z, "bd_stat", bd, 3);
		assert_true(bd[0] > BLOCKS / 4);
		for (uint64_t i = 0; i < BLOCKS; i++) {
			if (i % 2 == 0)
				assert_int_equal(zram_discard(z, i * BS, BS), 0);
			else
				shadow_write(&shadow, z, i);
		}
		numbers(z, "bd_stat", bd, 3);
		assert_int_equal(bd[0], 0);
		assert_int_equal(zram_pread(z, buf, BS, 0), 0);
		assert_int_equal(buf[0], 0);
		destroy_with_file(z);
	}
}

static void by_number_and_within_the_limit(void **state)
{
	uint64_t bd[3];

	(void)state;
	make_file(4 << 20);
	struct zram *z = device(path, 0);

	shadow_fill(&shadow, z);
	assert_int_equal(zram_attr_set(z, "writeback", "page_index=1 page_indexes=4-9 page_index=13"), 0);
	assert_string_equal(state_of(z, 1), ".wh...");
	assert_string_equal(state_of(z, 4), ".w....");
	assert_string_equal(state_of(z, 6), "s.....");
	assert_string_equal(state_of(z, 9), ".wh...");
	assert_string_equal(state_of(z, 12), "......");
	assert_string_equal(state_of(z, 13), ".wh...");
	refused(z, "writeback", "page_index=400", EINVAL);
	refused(z, "writeback", "page_indexes=9-4", EINVAL);
	refused(z, "writeback", "page_index=12 page_index=x", EINVAL);
	assert_string_equal(state_of(z, 12), "......");
	refused(z, "writeback", "type=lazy", EINVAL);
	refused(z, "writeback", "speed=1", EINVAL);
	refused(z, "writeback", "", EINVAL);
	/* The budget is in pages. */
	assert_int_equal(zram_attr_set(z, "writeback_limit", "10"), 0);
	assert_int_equal(zram_attr_set(z, "writeback_limit_enable", "1"), 0);
	numbers(z, "bd_stat", bd, 3);
	uint64_t written = bd[2];

	refused(z, "writeback", "type=huge", EIO);
	assert_non_null(strstr(zram_strerror(), "writeback_limit"));
	numbers(z, "bd_stat", bd, 3);
	assert_in_range(bd[2] - written, 9, 10);
	char text[32];

	assert_int_equal(zram_attr_get(z, "writeback_limit", text, sizeof(text)), 2);
	assert_string_equal(text, "0\n");
	assert_int_equal(zram_attr_set(z, "writeback_limit_enable", "0"), 0);
	assert_int_equal(zram_attr_set(z, "writeback", "type=huge"), 0);
	refused(z, "writeback_limit", "many", EINVAL);
	refused(z, "writeback_limit_enable", "2", EINVAL);
	refused(z, "backing_dev", "none", EBUSY);
	shadow_compare(&shadow, z);
	zram_destroy(z);
	unlink(path);
}

static void files_that_are_none(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	(void)state;
	o.disksize = 16 * BS;
	o.backing_dev = "/nonexistent/file";
	assert_null(zram_create("x", &o));
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(zram_strerror(), "/nonexistent/file"));
	o.backing_dev = "/dev/null";
	assert_null(zram_create("x", &o));
	assert_int_equal(errno, EINVAL);
	make_file(100);
	o.backing_dev = path;
	assert_null(zram_create("x", &o));
	assert_int_equal(errno, EINVAL);
	make_file(1 << 20);
	struct zram *z = zram_create("first", &o);

	assert_non_null(z);
	assert_null(zram_create("second", &o));
	assert_int_equal(errno, EBUSY);
	assert_non_null(strstr(zram_strerror(), "in use"));
	zram_destroy(z);
	z = zram_create("later", NULL);
	assert_int_equal(zram_attr_set(z, "backing_dev", path), 0);
	assert_int_equal(zram_attr_set(z, "disksize", "64K"), 0);
	refused(z, "backing_dev", path, EBUSY);
	char text[64];

	assert_true(zram_attr_get(z, "backing_dev", text, sizeof(text)) > 0);
	assert_memory_equal(text, path, strlen(path));
	assert_int_equal(zram_attr_set(z, "reset", "1"), 0);
	assert_int_equal(zram_attr_get(z, "backing_dev", text, sizeof(text)), 5);
	assert_string_equal(text, "none\n");
	assert_int_equal(zram_attr_set(z, "disksize", "64K"), 0);
	refused(z, "writeback", "type=huge", ENODEV);
	zram_destroy(z);
	unlink(path);
}

static void full_file_loses_nothing(void **state)
{
	uint64_t bd[3];

	(void)state;
	make_file(50 * BS);
	struct zram *z = device(path, 0);

	shadow_fill(&shadow, z);
	refused(z, "writeback", "type=huge", ENOSPC);
	numbers(z, "bd_stat", bd, 3);
	assert_int_equal(bd[0], 50);
	shadow_compare(&shadow, z);
	zram_destroy(z);
	unlink(path);
}

/* --- a file that fails --- */

static unsigned countdown, failing_errno;
static bool cut_short;

static bool fails_now(void)
{
	return countdown > 0 && --countdown == 0;
}

static ssize_t failing_read(int fd, void *buf, size_t n, off_t at)
{
	if (fails_now()) {
		errno = (int)failing_errno;
		return -1;
	}
	return pread(fd, buf, cut_short && n > 700 ? 700 : n, at);
}

static ssize_t failing_write(int fd, const void *buf, size_t n, off_t at)
{
	if (fails_now()) {
		errno = (int)failing_errno;
		return -1;
	}
	return pwrite(fd, buf, cut_short && n > 700 ? 700 : n, at);
}

static void nth_operation_fails(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;

	(void)state;
	zsi_backing_io.read = failing_read;
	zsi_backing_io.write = failing_write;
	cut_short = true;
	for (unsigned n = 1; n < 60; n += n < 8 ? 1 : 13) {
		uint8_t buf[BS];
		unsigned bad = 0;

		make_file(4 << 20);
		struct zram *z = device(path, ZRAM_CHECKSUM);

		shadow_fill(&shadow, z);
		/* So that each operation is one block's. */
		assert_int_equal(zram_attr_set(z, "writeback_batch_size", "1"), 0);
		failing_errno = n % 2 == 0 ? EIO : ENOSPC;
		countdown = n;
		assert_int_equal(zram_attr_set(z, "writeback", "type=huge"), -1);
		assert_int_equal(errno, failing_errno);
		shadow_compare(&shadow, z);
		/* The rest goes on as if nothing had been. */
		assert_int_equal(zram_attr_set(z, "writeback", "type=huge"), 0);
		failing_errno = EIO;
		countdown = n;
		for (uint64_t i = 0; i < BLOCKS; i++) {
			if (zram_pread(z, buf, BS, i * BS) == 0) {
				assert_memory_equal(buf, shadow.at[i], BS);
				continue;
			}
			assert_int_equal(errno, EIO);
			assert_non_null(strstr(zram_strerror(), "backing file"));
			bad++;
		}
		assert_int_equal(bad, 1);
		shadow_compare(&shadow, z);
		zram_destroy(z);
		unlink(path);
	}
	cut_short = false;
	zsi_backing_io = was;
}

/* A child has the device, but the file is its parent's. */
static void child_leaves_the_file_alone(void **state)
{
	int status;

	(void)state;
	make_file(4 << 20);
	struct zram *z = device(path, 0);

	shadow_fill(&shadow, z);
	assert_int_equal(zram_attr_set(z, "writeback", "type=huge"), 0);
	pid_t child = fork();

	if (child == 0) {
		uint8_t buf[BS];
		bool ok = zram_pread(z, buf, BS, BS) == -1 && errno == EIO && zram_pread(z, buf, BS, 0) == 0 &&
			  memcmp(buf, shadow.at[0], BS) == 0 && zram_attr_set(z, "writeback", "idle") == -1 &&
			  zram_pwrite(z, shadow.at[1], BS, BS) == 0 && zram_pread(z, buf, BS, BS) == 0;

		zram_destroy(z);
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	shadow_compare(&shadow, z);
	zram_destroy(z);
	unlink(path);
}

static int name_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked_by_hand_and_by_age),
		cmocka_unit_test(the_background_leaves_marks_alone),
		cmocka_unit_test(the_background_makes_way),
		cmocka_unit_test(ages_at_the_edges),
		cmocka_unit_test(recompressed),
		cmocka_unit_test(huge_blocks_go_into_the_file),
		cmocka_unit_test(blocks_in_the_file_take_no_memory_and_are_read_from_it),
		cmocka_unit_test(a_part_is_written_to_a_block_in_the_file),
		cmocka_unit_test(a_save_has_what_is_in_the_file),
		cmocka_unit_test(overwriting_and_discarding_give_the_space_back),
		cmocka_unit_test(by_number_and_within_the_limit),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(full_file_loses_nothing),
		cmocka_unit_test(nth_operation_fails),
#if !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(child_leaves_the_file_alone),
#endif
	};

	return cmocka_run_group_tests(tests, name_file, NULL);
}
