/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * psi_test.c - the kernel's own pressure files: a trigger is armed; its thread shares no descriptor with the program.
 *
 * A library that kept a descriptor in the program's table would, once the program has closed all of its own, poll or
 * write to whatever file got the number next.
 */
#include "unit.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zsmalloc/zsmalloc.h>

#include "base/psi.h"
#include "pool/pool.h"

#define PATH "/proc/pressure/memory"

static unsigned long armed(struct zs_pool *pool)
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;

	zs_pool_stats(pool, &s);
	return s.pressure_armed;
}

static int have_psi(void **state)
{
	struct zs_pool *pool = zs_create_pool("psi");

	assert_non_null(pool);
	*state = pool;
	return 0;
}

static int destroy(void **state)
{
	zs_destroy_pool(*state);
	return 0;
}

/* Which descriptors below 100 are open, as bits. */
static void open_descriptors(bool is_open[100])
{
	for (int fd = 0; fd < 100; fd++)
		is_open[fd] = fcntl(fd, F_GETFD) >= 0;
}

static void arms_and_stops(void **state)
{
	struct zs_pool *pool = *state;
	bool before[100], during[100];

	open_descriptors(before);
	alarm(100);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(zs_register_shrinker(pool, NULL), 0);
		assert_int_equal(armed(pool), 1);
		open_descriptors(during);
		assert_memory_equal(before, during, sizeof(before));
		zs_unregister_shrinker(pool);
		assert_int_equal(armed(pool), 0);
	}
	alarm(0);
}

/* What a process without CAP_SYS_RESOURCE asks for is rounded to what it may have; with it, it is taken as it is. */
static void takes_any_window(void **state)
{
	const unsigned windows[] = { 500000, 1000000, 2000000, 3000000, 9999999, 10000000 };
	struct zs_pool *pool = *state;

	for (unsigned i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;

		policy.psi_window_us = windows[i];
		policy.psi_stall_us = windows[i];
		assert_int_equal(zs_register_shrinker(pool, &policy), 0);
		assert_int_equal(armed(pool), 1);
		zs_unregister_shrinker(pool);
	}
}

static int arm_as_nobody(struct zs_pool *pool)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;

	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 77;
	if (access(PATH, W_OK) != 0)
		return 77; /* a kernel that lets only the privileged set triggers */
	if (zs_register_shrinker(pool, &policy) != 0)
		return 1;
	return armed(pool) == 1 ? 0 : 2;
}

/* The default window is none that the kernel gives to the unprivileged: they get the next that it does. */
static void without_privileges(void **state)
{
	int status;
	pid_t pid;

	if (CHECK_TSAN)
		skip(); /* no threads in a child */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(arm_as_nobody(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The program closes everything, and its next files get the numbers: the shrinker neither stops nor touches them. */
static void survives_a_program_that_closes_its_files(void **state)
{
	struct zs_pool *pool = *state;
	int kept[3], pipes[2][2];
	char byte;

	assert_int_equal(zs_register_shrinker(pool, NULL), 0);
	for (int fd = 0; fd < 3; fd++) {
		kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 200);
		assert_true(kept[fd] >= 0 || errno == EBADF);
	}
	for (int fd = 0; fd < 100; fd++)
		(void)close(fd);
	int first = pipe2(pipes[0], O_NONBLOCK), second = pipe2(pipes[1], O_NONBLOCK);
	uint64_t wakeups = atomic_load(&pool->shrinker.wakeups);

	usleep(100000);
	unsigned long still_armed = armed(pool);
	uint64_t later = atomic_load(&pool->shrinker.wakeups);

	zs_unregister_shrinker(pool);
	ssize_t n = read(pipes[0][0], &byte, 1), m = read(pipes[1][0], &byte, 1);
	int error = errno;

	for (int fd = 0; fd < 100; fd++)
		(void)close(fd);
	for (int fd = 0; fd < 3; fd++)
		if (kept[fd] >= 0)
			assert_int_equal(dup2(kept[fd], fd), fd);
	assert_int_equal(first, 0);
	assert_int_equal(second, 0);
	assert_int_equal(still_armed, 1);
	assert_true(later <= wakeups + 1);
	/* Both pipes are open and empty. */
	assert_int_equal(n, -1);
	assert_int_equal(m, -1);
	assert_int_equal(error, EAGAIN);
}

/* A pipe of the program's ends when the program closes it: the watching thread keeps no copy. */
static void keeps_nothing_of_the_programs_open(void **state)
{
	struct zs_pool *pool = *state;
	int fds[2];
	char byte;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(zs_register_shrinker(pool, NULL), 0);
	assert_int_equal(close(fds[1]), 0);
	alarm(100);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	alarm(0);
	close(fds[0]);
}

/* A file that is none of the kernel's is not written to. */
static void leaves_other_files_alone(void **state)
{
	static const char text[] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = *state;
	char path[] = "/tmp/zsmalloc-psi-XXXXXX", back[sizeof(text)];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	policy.psi_path = path;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	assert_int_equal(armed(pool), 0);
	zs_unregister_shrinker(pool);
	assert_int_equal(pread(fd, back, sizeof(back), 0), sizeof(text) - 1);
	assert_memory_equal(back, text, sizeof(text) - 1);
	policy.psi_path = "/proc/self/comm";
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	assert_int_equal(armed(pool), 0);
	zs_unregister_shrinker(pool);
	policy.psi_path = "/nowhere/memory.pressure";
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	assert_int_equal(armed(pool), 0);
	close(fd);
	unlink(path);
}

/* The signal that wakes the thread is sent to no other, and a program that uses it for itself is not disturbed. */
static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
	(void)signal;
	signals++;
}

static void signals_nobody_else(void **state)
{
	struct zs_pool *pool = *state;
	struct sigaction act = { .sa_handler = count_signal }, old;

	assert_int_equal(sigaction(SIGURG, &act, &old), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(zs_register_shrinker(pool, NULL), 0);
		zs_unregister_shrinker(pool);
	}
	assert_int_equal(signals, 0);
	assert_int_equal(kill(getpid(), SIGURG), 0);
	assert_int_equal(signals, 1);
	assert_int_equal(sigaction(SIGURG, &old, NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, have_psi, destroy)
	const struct CMUnitTest tests[] = {
		TEST(leaves_other_files_alone),
		TEST(arms_and_stops),
		TEST(takes_any_window),
		TEST(without_privileges),
		TEST(survives_a_program_that_closes_its_files),
		TEST(keeps_nothing_of_the_programs_open),
		TEST(signals_nobody_else),
	};
	struct zs_pool *pool = zs_create_pool("probe");

	/* Before Linux 6.4 the file is for the privileged, and before 5.9 a thread has no descriptors of its own. */
	if (access(PATH, R_OK | W_OK) != 0 || zs_register_shrinker(pool, NULL) != 0 || armed(pool) == 0) {
		printf("skipped: no trigger can be set in " PATH "\n");
		zs_destroy_pool(pool);
		return 77;
	}
	zs_destroy_pool(pool);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
