/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_test.c - the plugin's control socket without nbdkit, so that the sanitizers see all of it: requests of any
 * bytes, many connections beside writers of the disk, the end in the middle of it all, and whose a name is.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "check.h"
#include "common/control.h"
#include "disk_request.h"
#include "rng.h"
#include "snapshot.h"

enum { DISK = 4 << 20, CLIENTS = 8 };

static char folder[] = "/tmp/zs-control-XXXXXX";
static char path[64], snapshot[64];
static struct disk disk;
static struct request request;

static int setup(void **state)
{
	struct zram_options options = ZRAM_OPTIONS_INIT;
	(void)state;
	options.disksize = DISK;
	disk = (struct disk){ zram_create("test", &options), DISK };
	request = disk_request(&disk, NULL);
	return disk.z ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	zram_destroy(disk.z);
	unlink(path);
	unlink(snapshot);
	return 0;
}

/* The answer to a line of any bytes; free() it. */
static char *ask(const void *bytes, size_t len)
{
	char line[REQUEST_BYTES + 1], *answer;
	size_t answer_bytes;
	memcpy(line, bytes, len);
	assert_true(request_run(&request, line, len, &answer, &answer_bytes));
	char *text = malloc(answer_bytes + 1);
	assert_non_null(text);
	memcpy(text, answer, answer_bytes);
	text[answer_bytes] = '\0';
	free(answer);
	return text;
}

static void expect(const char *line, const char *start)
{
	char *answer = ask(line, strlen(line));
	if (strncmp(answer, start, strlen(start)) != 0)
		fail_msg("'%s' is answered with '%s', not '%s'", line, answer, start);
	free(answer);
}

static void requests(void **state)
{
	(void)state;
	expect("get disksize", "ok ");
	expect("get mm_stat", "ok ");
	expect("stats json", "ok ");
	expect("stats prometheus", "ok ");
	expect("stats classes", "ok ");
	expect("set compact 1", "ok 0\n");
	expect("get", "ok ");
	expect("get  disksize", "error usage: get [ATTR]\n");
	expect("get a b", "error usage: get [ATTR]\n");
	expect("get nonsense", "error ");
	expect("set", "error usage: set ATTR [VALUE]\n");
	expect("set compact", "ok 0\n");
	expect("set compact ", "ok 0\n");
	expect("set mem-limit 100M", "ok 0\n");
	expect("get mem-limit", "ok 10\n104857600\n");
	expect("set mem_limit", "error ");
	expect("progress", "ok ");
	expect("progress 1", "error usage: progress\n");
	expect("set disksize 8M", "error disksize: the disk is in use");
	expect("set reset 1", "error reset: the disk is in use");
	expect("stats", "error usage: stats ");
	expect("stats yaml", "error usage: stats ");
	expect("save", "error usage: save FILE");
	expect("save relative", "error save: the file's name must begin with '/'\n");
	expect("save /no/such/folder/file", "error can't make a file in /no/such/folder");
	expect("", "error unknown request ''");
	expect("frobnicate\x1b[2J", "error unknown request 'frobnicate?[2J'");
	assert_int_equal(zram_disksize(disk.z), DISK);
}

/* Whatever comes is answered by one line or by a body of the length that is said, and the disk is what it was. */
static void random_requests(void **state)
{
	static const char *const starts[] = { "get ",        "set ", "set compact ", "set recompress ", "stats ",
					      "get mm_stat", "" };
	static uint8_t before[DISK], after[DISK];
	struct rng rng = { 5 };
	(void)state;
	for (size_t i = 0; i < DISK; i++)
		before[i] = (uint8_t)(i / 97);
	assert_int_equal(zram_pwrite(disk.z, before, DISK, 0), 0);
	for (uint64_t i = check_scale(20000); i > 0; i--) {
		char line[REQUEST_BYTES];
		size_t len = (size_t)snprintf(line, sizeof(line), "%s",
					      starts[rng_below(&rng, sizeof(starts) / sizeof(starts[0]))]);
		for (size_t more = (size_t)rng_below(&rng, 60); more > 0; more--)
			line[len++] = (char)(rng_one_in(&rng, 4) ? rng_next(&rng) : rng_range(&rng, ' ', '~'));
		char *answer = ask(line, len);
		assert_true(strncmp(answer, "ok ", 3) == 0 || strncmp(answer, "error ", 6) == 0);
		if (answer[0] == 'e')
			assert_ptr_equal(strchr(answer, '\n'), answer + strlen(answer) - 1);
		free(answer);
	}
	assert_int_equal(zram_pread(disk.z, after, DISK, 0), 0);
	assert_memory_equal(before, after, DISK);
}

static int connect_to_server(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static atomic_bool stop;
static atomic_ulong answered;

static void *client_main(void *arg)
{
	static const char lines[] = "get mm_stat\nstats prometheus\nset compact 1\nget nonsense\n";
	char buf[4096];
	(void)arg;
	while (!atomic_load(&stop)) {
		int fd = connect_to_server();
		if (fd < 0)
			continue; /* the server has just ended */
		if (send(fd, lines, sizeof(lines) - 1, MSG_NOSIGNAL) > 0 && recv(fd, buf, sizeof(buf), 0) > 0)
			atomic_fetch_add(&answered, 1);
		close(fd);
	}
	return NULL;
}

static void *writer_main(void *arg)
{
	static uint8_t block[4096];
	struct rng rng = { 9 };
	(void)arg;
	while (!atomic_load(&stop))
		CHECK(zram_pwrite(disk.z, block, sizeof(block), rng_below(&rng, DISK / 4096) * 4096) == 0);
	return NULL;
}

/* Servers come and go under clients that never stop. */
static void clients(void **state)
{
	pthread_t threads[CLIENTS + 1];
	char why[256];
	(void)state;
	atomic_store(&stop, false);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, client_main, NULL), 0);
	assert_int_equal(pthread_create(&threads[CLIENTS], NULL, writer_main, NULL), 0);
	for (int round = 0; round < 10; round++) {
		struct control *c = control_open(path, why, sizeof(why));
		assert_non_null(c);
		assert_int_equal(control_start(c, &request), 0);
		unsigned long target = atomic_load(&answered) + 20;
		while (atomic_load(&answered) < target)
			usleep(1000);
		control_close(c);
		assert_int_equal(access(path, F_OK), -1);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i <= CLIENTS; i++)
		pthread_join(threads[i], NULL);
}

static void names(void **state)
{
	char why[256], long_path[256];
	struct stat st;
	(void)state;
	struct control *first = control_open(path, why, sizeof(why));
	assert_non_null(first);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_null(control_open(path, why, sizeof(why)));
	assert_int_equal(errno, EADDRINUSE);
	control_close(first); /* never started */
	assert_int_equal(access(path, F_OK), -1);

	/* What is left behind by a server that was killed is taken over. */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	struct control *second = control_open(path, why, sizeof(why));
	assert_non_null(second);

	/* A name that has become another's is not removed. */
	assert_int_equal(unlink(path), 0);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	control_close(second);
	assert_int_equal(access(path, F_OK), 0);
	assert_null(control_open(path, why, sizeof(why)));
	assert_int_equal(errno, EEXIST);

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_null(control_open(long_path, why, sizeof(why)));
	assert_int_equal(errno, ENAMETOOLONG);
}

/* The longest request, refused: its answer has all of it, and why at the end. */
static void long_messages(void **state)
{
	static char line[REQUEST_BYTES];
	char *answer;
	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "save /", 6);
	answer = ask(line, sizeof(line) - 1);
	assert_non_null(strstr(answer, line + 5));
	assert_non_null(strstr(answer, strerror(ENAMETOOLONG)));
	free(answer);
	memset(line, 'y', sizeof(line) - 1);
	answer = ask(line, sizeof(line) - 1);
	assert_non_null(strstr(answer, line));
	assert_non_null(strstr(answer, "there are get, set"));
	free(answer);
}

static void save_and_load(void **state)
{
	static uint8_t in[65536], out[65536];
	struct zram_options options = ZRAM_OPTIONS_INIT;
	char why[256], line[256];
	(void)state;
	memset(in, 'a', sizeof(in));
	in[4000] = 'b';
	assert_int_equal(zram_pwrite(disk.z, in, sizeof(in), 12345), 0);
	snprintf(line, sizeof(line), "save %s", snapshot);
	expect(line, "ok 0\n");
	struct disk copy = { NULL, SNAPSHOT_ANY_SIZE };
	assert_int_equal(snapshot_load(&copy, snapshot, &options, why, sizeof(why)), 0);
	assert_int_equal(copy.size, DISK);
	assert_int_equal(zram_pread(copy.z, out, sizeof(out), 12345), 0);
	assert_memory_equal(in, out, sizeof(in));
	zram_destroy(copy.z);
	assert_int_equal(truncate(snapshot, 100), 0);
	copy = (struct disk){ NULL, SNAPSHOT_ANY_SIZE };
	assert_int_equal(snapshot_load(&copy, snapshot, &options, why, sizeof(why)), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(snapshot_load(&copy, "/no/such/file", &options, why, sizeof(why)), -1);
	assert_int_equal(errno, ENOENT);
}

/* A disk that ends within a block, against plain memory; what lies behind its end in the device stays zeros. */
static void ends_within_block(void **state)
{
	enum { BLOCK = 16384, SIZE = 3 * BLOCK + 777, DEVICE = 4 * BLOCK };
	static uint8_t shadow[DEVICE], got[DEVICE], bytes[DEVICE];
	struct zram_options options = ZRAM_OPTIONS_INIT;
	struct rng rng = { 13 };
	(void)state;
	assert_int_equal(disk_device_bytes(SIZE, BLOCK), DEVICE);
	assert_int_equal(disk_device_bytes(DEVICE, BLOCK), DEVICE);
	assert_int_equal(disk_device_bytes(0, BLOCK), BLOCK);
	assert_int_equal(disk_device_bytes(UINT64_MAX, BLOCK), UINT64_MAX);
	options.disksize = DEVICE;
	options.block_size = BLOCK;
	struct disk d = { zram_create("odd", &options), SIZE };
	assert_non_null(d.z);
	for (uint64_t i = check_scale(2000); i > 0; i--) {
		uint32_t count = (uint32_t)rng_range(&rng, 1, SIZE);
		uint64_t offset = rng_one_in(&rng, 2) ? SIZE - count : rng_below(&rng, SIZE - count + 1);
		uint64_t first = (offset + BLOCK - 1) / BLOCK * BLOCK;
		uint64_t end = offset + count == SIZE ? SIZE : (offset + count) / BLOCK * BLOCK;
		assert_int_equal(disk_has_whole_block(&d, count, offset), first < end);
		switch (rng_below(&rng, 4)) {
		case 0:
			assert_int_equal(disk_zero(&d, count, offset), 0);
			memset(shadow + offset, 0, count);
			break;
		case 1:
			assert_int_equal(disk_trim(&d, count, offset), 0);
			if (first < end)
				memset(shadow + first, 0, end - first);
			break;
		default:
			memset(bytes, (int)rng_range(&rng, 1, 255), count);
			bytes[count / 2] ^= 1;
			assert_int_equal(disk_write(&d, bytes, count, offset), 0);
			memcpy(shadow + offset, bytes, count);
		}
		assert_int_equal(zram_pread(d.z, got, DEVICE, 0), 0);
		assert_memory_equal(shadow, got, DEVICE);
	}
	zram_destroy(d.z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests, setup, teardown),
		cmocka_unit_test_setup_teardown(random_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(clients, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(long_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(save_and_load, setup, teardown),
		cmocka_unit_test(ends_within_block),
	};
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/control", folder);
	snprintf(snapshot, sizeof(snapshot), "%s/snapshot", folder);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
