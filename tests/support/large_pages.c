/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * large_pages.c - plays a kernel whose pages are larger than this machine's, for a program started with it in LD_PRELOAD.
 *
 *   ZS_TEST_SYSTEM_PAGE=16384      bytes of a page: a power of two, larger than the machine's
 *
 * Such a kernel differs in three ways, and so does what is put in front of libc here:
 *
 *   - asked for its page size, it says so, and counts memory in such pages: sysconf(), getpagesize(), getauxval(),
 *     /proc/PID/pagemap
 *   - mappings begin at a page and are whole pages long: mmap()
 *   - what works on a range refuses a start inside a page, and goes on to the end of the last page, whatever is there:
 *     madvise(), munmap(), mprotect(), mincore(), mremap(), mbind(), process_madvise(). mlock() and munlock() begin at the
 *     page's start.
 *
 * What it can't play is that touching a byte brings the whole page in. libc's own calls to itself don't come through here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST_RANGES = 1024 }; /* of one process_madvise(): the kernel's UIO_MAXIOV */

/* Calls that a kernel with such pages would treat otherwise, so far. */
__attribute__((visibility("default"))) _Atomic unsigned long zs_large_pages_calls;

/* The next function of that name, of the same type as this one's. */
#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

static size_t real_page(void)
{
	return (size_t)REAL(sysconf)(_SC_PAGESIZE);
}

static size_t page(void)
{
	const char *text = getenv("ZS_TEST_SYSTEM_PAGE");
	size_t bytes = text != NULL ? strtoul(text, NULL, 10) : 0;

	return bytes > real_page() && (bytes & (bytes - 1)) == 0 ? bytes : real_page();
}

static size_t up(size_t bytes)
{
	zs_large_pages_calls++;
	return (bytes + page() - 1) & ~(page() - 1);
}

static int aligned(const void *start)
{
	if (((uintptr_t)start & (page() - 1)) == 0)
		return 1;
	errno = EINVAL;
	return 0;
}

long sysconf(int name)
{
	long value = REAL(sysconf)(name);

	if (name == _SC_PAGESIZE)
		return (long)page();
	if (name == _SC_PHYS_PAGES || name == _SC_AVPHYS_PAGES)
		return value / (long)(page() / real_page());
	return value;
}

int getpagesize(void)
{
	return (int)page();
}

unsigned long getauxval(unsigned long type)
{
	return type == AT_PAGESZ ? page() : REAL(getauxval)(type);
}

void *mmap(void *hint, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	__typeof__(&mmap) next = REAL(mmap);

	if (((uint64_t)offset & (page() - 1)) != 0 || ((flags & MAP_FIXED) != 0 && !aligned(hint))) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	bytes = up(bytes);
	if (bytes == 0 || (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0)
		return next(hint, bytes, protection, flags, fd, offset);
	/* Where it is to lie is found with room for the alignment. */
	size_t slack = page() - real_page();
	uint8_t *raw = next(NULL, bytes + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (raw == MAP_FAILED)
		return MAP_FAILED;
	size_t head = up((uintptr_t)raw) - (uintptr_t)raw;
	uint8_t *start = raw + head;

	if (head > 0)
		(void)REAL(munmap)(raw, head);
	if (slack > head)
		(void)REAL(munmap)(start + bytes, slack - head);
	void *result = next(start, bytes, protection, flags | MAP_FIXED, fd, offset);

	if (result == MAP_FAILED) {
		int error = errno;

		(void)REAL(munmap)(start, bytes);
		errno = error;
	}
	return result;
}

void *mmap64(void *hint, size_t bytes, int protection, int flags, int fd, off64_t offset)
{
	return mmap(hint, bytes, protection, flags, fd, offset);
}

int munmap(void *start, size_t bytes)
{
	return aligned(start) ? REAL(munmap)(start, up(bytes)) : -1;
}

void *mremap(void *start, size_t bytes, size_t new_bytes, int flags, ...)
{
	/* To a place of the caller's choice: nobody here does. */
	if (!aligned(start) || (flags & MREMAP_FIXED) != 0) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	if (up(new_bytes) <= up(bytes))
		return REAL(mremap)(start, up(bytes), up(new_bytes), flags);
	if ((flags & MREMAP_MAYMOVE) == 0)
		return REAL(mremap)(start, up(bytes), up(new_bytes), flags);
	void *to = mmap(NULL, new_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return to == MAP_FAILED ? to : REAL(mremap)(start, up(bytes), up(new_bytes), MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

int mprotect(void *start, size_t bytes, int protection)
{
	return aligned(start) ? REAL(mprotect)(start, up(bytes), protection) : -1;
}

int madvise(void *start, size_t bytes, int advice)
{
	return aligned(start) ? REAL(madvise)(start, up(bytes), advice) : -1;
}

/* The start of the page, and the length from there to the end of one. */
static void *widen(const void *start, size_t *bytes)
{
	size_t before = (uintptr_t)start & (page() - 1);

	*bytes = up(*bytes + before);
	return (void *)((uintptr_t)start - before);
}

int mlock(const void *start, size_t bytes)
{
	start = widen(start, &bytes);
	return REAL(mlock)(start, bytes);
}

int mlock2(const void *start, size_t bytes, unsigned flags)
{
	start = widen(start, &bytes);
	return REAL(mlock2)(start, bytes, flags);
}

int munlock(const void *start, size_t bytes)
{
	start = widen(start, &bytes);
	return REAL(munlock)(start, bytes);
}

/* A page is there when any part of it is. */
int mincore(void *start, size_t bytes, unsigned char *vec)
{
	size_t ratio = page() / real_page();
	size_t pages = up(bytes) / page();
	unsigned char parts[1024];

	if (!aligned(start))
		return -1;
	for (size_t i = 0; i < pages; i++) {
		if (ratio > sizeof(parts) || REAL(mincore)((uint8_t *)start + i * page(), page(), parts) != 0)
			return -1;
		vec[i] = 0;
		for (size_t part = 0; part < ratio; part++)
			vec[i] |= parts[part] & 1;
	}
	return 0;
}

static long process_madvise_of(long process, const struct iovec *ranges, size_t n, long advice, long flags)
{
	struct iovec whole[MOST_RANGES];
	size_t usable = 0;
	long bytes = 0;

	if (n > MOST_RANGES) {
		errno = EINVAL;
		return -1;
	}
	for (; usable < n && aligned(ranges[usable].iov_base); usable++) {
		whole[usable] = (struct iovec){ ranges[usable].iov_base, up(ranges[usable].iov_len) };
		bytes += (long)ranges[usable].iov_len;
	}
	if (usable < n && usable == 0)
		return -1;
	long done = REAL(syscall)(SYS_process_madvise, process, whole, usable, advice, flags);

	return done < 0 || done < bytes ? done : bytes;
}

long syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (unsigned i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (number) {
	case SYS_madvise:
		return madvise((void *)a[0], (size_t)a[1], (int)a[2]);
	case SYS_mprotect:
		return mprotect((void *)a[0], (size_t)a[1], (int)a[2]);
	case SYS_munmap:
		return munmap((void *)a[0], (size_t)a[1]);
	case SYS_mlock2:
		return mlock2((void *)a[0], (size_t)a[1], (unsigned)a[2]);
	case SYS_mincore:
		return mincore((void *)a[0], (size_t)a[1], (unsigned char *)a[2]);
	case SYS_process_madvise:
		return process_madvise_of(a[0], (const struct iovec *)a[1], (size_t)a[2], a[3], a[4]);
	case SYS_mbind:
		if (!aligned((void *)a[0]))
			return -1;
		a[1] = (long)up((size_t)a[1]);
		break;
	default:
		break;
	}
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int is_pagemap(int fd)
{
	char link[64], path[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n > 8 && memcmp(path + n - 8, "/pagemap", 8) == 0;
}

#define PRESENT (UINT64_C(1) << 63)
#define SWAPPED (UINT64_C(1) << 62)
#define FILE_OR_SHARED (UINT64_C(1) << 61)

static int is_own(uint64_t word)
{
	return (word & SWAPPED) != 0 || ((word & PRESENT) != 0 && (word & FILE_OR_SHARED) == 0);
}

/* A word of pagemap is about a page: what holds for any of its parts holds for it. */
static ssize_t pread_pagemap(int fd, uint64_t *to, size_t bytes, off64_t offset)
{
	size_t ratio = page() / real_page();
	size_t words = bytes / sizeof(*to), done = 0;

	for (; done < words; done++) {
		off64_t at = (offset + (off64_t)(done * sizeof(*to))) * (off64_t)ratio;

		to[done] = 0;
		for (size_t part = 0; part < ratio; part++) {
			uint64_t word;

			if (REAL(pread64)(fd, &word, sizeof(word), at + (off64_t)(part * sizeof(word))) !=
			    (ssize_t)sizeof(word))
				return (ssize_t)(done * sizeof(*to));
			/* Once one part was copied for being written, the whole page was. */
			if (is_own(word) || (!is_own(to[done]) && (word & PRESENT) != 0))
				to[done] = word;
		}
	}
	return (ssize_t)(done * sizeof(*to));
}

ssize_t pread64(int fd, void *to, size_t bytes, off64_t offset)
{
	if (bytes % sizeof(uint64_t) == 0 && ((uintptr_t)to & 7) == 0 && is_pagemap(fd))
		return pread_pagemap(fd, to, bytes, offset);
	return REAL(pread64)(fd, to, bytes, offset);
}

ssize_t pread(int fd, void *to, size_t bytes, off_t offset)
{
	return pread64(fd, to, bytes, offset);
}
