/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * large_pages_test.c - that large_pages.c is in place, where the environment asks for it: that the library, linked
 * statically, calls it, and that it refuses and rounds as the kernel that it plays.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/os.h"
#include "system_page.h"

static size_t asked_for(void)
{
	const char *text = getenv("ZS_TEST_SYSTEM_PAGE");

	return text != NULL ? strtoul(text, NULL, 10) : 0;
}

static unsigned long calls(void)
{
	const _Atomic unsigned long *count = dlsym(RTLD_DEFAULT, "zs_large_pages_calls");

	assert_non_null(count);
	return *count;
}

static void it_says_so(void **state)
{
	(void)state;
	assert_int_equal(system_page(), asked_for());
	assert_int_equal(getpagesize(), asked_for());
	assert_int_equal(getauxval(AT_PAGESZ), asked_for());
	assert_int_equal(zsi_os_page_bytes(), asked_for());
}

static void the_library_goes_through_it(void **state)
{
	size_t page = asked_for();
	unsigned long before = calls();
	uint8_t *p = zsi_os.reserve(1, 1);

	(void)state;
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % page, 0);
	assert_true(calls() > before);
	before = calls();
	assert_int_equal(zsi_os.commit(p, page, ZSI_OS_NO_HUGEPAGE), 0);
	assert_true(calls() > before);
	for (unsigned n = 1; n <= 2; n++) {
		/* One range, and several in one call. */
		struct iovec ranges[2] = { { p, page }, { p, page } };

		memset(p, 1, page);
		before = calls();
		zsi_os.decommit(ranges, n, ZSI_OS_NO_HUGEPAGE);
		assert_true(calls() > before);
		assert_int_equal(p[page - 1], 0);
	}
	before = calls();
	zsi_os.release(p, page);
	assert_true(calls() > before);
}

static void a_start_inside_a_page_is_refused(void **state)
{
	size_t page = asked_for();
	uint8_t *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char there[2];

	(void)state;
	assert_int_equal((uintptr_t)p % page, 0);
	memset(p, 1, 2 * page);
	assert_int_equal(madvise(p + 4096, 4096, MADV_DONTNEED), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(mprotect(p + 4096, 4096, PROT_NONE), -1);
	assert_int_equal(mincore(p + 4096, 4096, there), -1);
	assert_int_equal(munmap(p + 4096, 4096), -1);
	assert_int_equal(syscall(SYS_mbind, p + 4096, 4096, 0, NULL, 0, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(mremap(p + 4096, 4096, 8192, 0), MAP_FAILED);
	assert_int_equal(p[4096], 1);
	munmap(p, 2 * page);
}

static void an_end_inside_a_page_is_the_pages(void **state)
{
	size_t page = asked_for();
	uint8_t *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char there[2];

	(void)state;
	memset(p, 1, 2 * page);
	assert_int_equal(mincore(p, page + 1, there), 0);
	assert_int_equal(there[0] & there[1], 1);
	assert_int_equal(madvise(p, 1, MADV_DONTNEED), 0);
	assert_int_equal(p[page - 1], 0);
	assert_int_equal(p[page], 1);
	assert_int_equal(munmap(p, page + 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_so),
		cmocka_unit_test(the_library_goes_through_it),
		cmocka_unit_test(a_start_inside_a_page_is_refused),
		cmocka_unit_test(an_end_inside_a_page_is_the_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
