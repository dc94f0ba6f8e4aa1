/* SPDX-License-Identifier: BSD-3-Clause */
/* os_test.c - giving back many ranges at once, with a kernel that can and with one that can't. */
#include "unit.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <system_page.h>

#include "base/os.h"

#define PAGES 600u
#define PAGE system_page()

static bool resident(const uint8_t *page)
{
	unsigned char there = 0;

	return mincore((void *)(uintptr_t)page, PAGE, &there) == 0 && (there & 1) != 0;
}

/* Every third page of many, more than one call takes: those go, the others stay. Whether that is what happened. */
static bool every_third_goes(unsigned hints)
{
	uint8_t *base = zsi_os.reserve(PAGES * PAGE, PAGE);
	struct iovec ranges[PAGES / 3];
	bool ok = base != NULL && zsi_os.commit(base, PAGES * PAGE, hints) == 0;

	if (!ok)
		return false;
	memset(base, 7, PAGES * PAGE);
	for (unsigned i = 0; i < PAGES / 3; i++)
		ranges[i] = (struct iovec){ .iov_base = base + (size_t)i * 3 * PAGE, .iov_len = PAGE };
	errno = 4711;
	zsi_os.decommit(ranges, PAGES / 3, hints);
	ok = errno == 4711;
	for (unsigned i = 0; i < PAGES && ok; i++)
		ok = resident(base + (size_t)i * PAGE) == (i % 3 != 0);
	for (unsigned i = 0; i < PAGES && ok; i++)
		ok = base[(size_t)i * PAGE + 5] == (i % 3 != 0 ? 7 : 0);
	zsi_os.release(base, PAGES * PAGE);
	return ok;
}

static void many_ranges_at_once(void **state)
{
	(void)state;
	assert_true(every_third_goes(ZSI_OS_NO_HUGEPAGE));
}

static void locked_ones_too(void **state)
{
	(void)state;
	struct rlimit most;

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &most), 0);
	/* What may be locked is little on some machines: then there is nothing to test. */
	if (most.rlim_cur < PAGES * PAGE)
		skip();
	assert_true(every_third_goes(ZSI_OS_NO_HUGEPAGE | ZSI_OS_MLOCK));
}

/* From now on a system call of this process says what an old kernel, or a container, would. */
static bool refuse(unsigned call, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static void where_the_kernel_refuses(void **state)
{
	static const int errors[] = { ENOSYS, EPERM, EBADF, EINVAL };

	(void)state;
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			if (!refuse(SYS_process_madvise, errors[i]))
				_exit(2);
			_exit(every_third_goes(ZSI_OS_NO_HUGEPAGE) && every_third_goes(ZSI_OS_NO_HUGEPAGE) ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		/* No filters here: skipped, not passed. */
		if (WEXITSTATUS(status) == 2)
			skip();
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

/* Where the kernel does it, nothing else is called: without madvise() it works all the same. */
static void in_one_call_where_it_can(void **state)
{
	uint8_t page[1];
	struct iovec none = { .iov_base = page, .iov_len = 0 };
	int status;

	(void)state;
	if (syscall(SYS_process_madvise, -10001, &none, 1, MADV_DONTNEED, 0) != 0)
		skip();
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (!refuse(SYS_madvise, EPERM))
			_exit(2);
		_exit(every_third_goes(0) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_ranges_at_once),
		cmocka_unit_test(locked_ones_too),
		cmocka_unit_test(in_one_call_where_it_can),
		cmocka_unit_test(where_the_kernel_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
