/* SPDX-License-Identifier: BSD-3-Clause */
/* os.c - mmap and friends behind struct zsi_os_ops. */
#include "base/os.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bits.h"

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24 /* Linux 5.18; older kernels answer EINVAL */
#endif

/*
 * process_madvise() of a process's own memory with this advice is Linux 6.13, the sentinel 6.14; older: EBADF, EINVAL.
 */
#ifndef PIDFD_SELF_THREAD_GROUP
#define PIDFD_SELF_THREAD_GROUP (-10001)
#endif

/* Of one process_madvise(): while it runs, nobody else of the process can change its address space. */
#define MOST_RANGES 64u

size_t zsi_os_page_bytes(void)
{
	static _Atomic size_t known;
	size_t bytes = atomic_load_explicit(&known, memory_order_relaxed);

	if (bytes == 0) {
		bytes = (size_t)sysconf(_SC_PAGESIZE);
		atomic_store_explicit(&known, bytes, memory_order_relaxed);
	}
	return bytes;
}

/* The kernel would round a range outwards, and destroy what is beside it. */
static bool whole_pages(const void *start, size_t bytes)
{
	return (((uintptr_t)start | bytes) & (zsi_os_page_bytes() - 1)) == 0;
}

static void *os_reserve(size_t bytes, size_t align)
{
	size_t page = zsi_os_page_bytes();
	size_t slack = align > page ? align - page : 0;

	if (bytes > SIZE_MAX - slack - page) {
		errno = ENOMEM;
		return NULL;
	}
	bytes = zsi_round_up(bytes, page);
	uint8_t *raw = mmap(NULL, bytes + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (raw == MAP_FAILED) {
		errno = ENOMEM;
		return NULL;
	}
	size_t head = (size_t)(zsi_round_up((uintptr_t)raw, align) - (uintptr_t)raw);

	if (head > 0)
		munmap(raw, head);
	if (slack > head)
		munmap(raw + head + bytes, slack - head);
	return raw + head;
}

static int os_commit(void *start, size_t bytes, unsigned hints)
{
	ZSI_ASSERT(whole_pages(start, 0));
	if (mprotect(start, bytes, PROT_READ | PROT_WRITE) != 0)
		return -1;
	/* Advice: a kernel built without huge pages refuses it, and nothing is lost. */
	if (hints & ZSI_OS_NO_HUGEPAGE)
		(void)madvise(start, bytes, MADV_NOHUGEPAGE);
	else if (hints & ZSI_OS_HUGEPAGE)
		(void)madvise(start, bytes, MADV_HUGEPAGE);
	if ((hints & ZSI_OS_MLOCK) && mlock2(start, bytes, MLOCK_ONFAULT) != 0) {
		/* Beyond RLIMIT_MEMLOCK this says ENOMEM, EAGAIN or EPERM: to the caller it is memory refused. */
		(void)mprotect(start, bytes, PROT_NONE);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

static void decommit_one(void *start, size_t bytes, unsigned hints)
{
	if (!(hints & ZSI_OS_MLOCK)) {
		(void)madvise(start, bytes, MADV_DONTNEED);
		return;
	}
	if (madvise(start, bytes, MADV_DONTNEED_LOCKED) == 0)
		return;
	(void)munlock(start, bytes);
	(void)madvise(start, bytes, MADV_DONTNEED);
	(void)mlock2(start, bytes, MLOCK_ONFAULT);
}

/* Whether the kernel does several ranges of this process in one call: known after it once didn't. */
static _Atomic bool no_vectors;

/* As many ranges as one call does, from the first; 0: none, the kernel can't. */
static unsigned decommit_vector(const struct iovec *ranges, unsigned n)
{
	/* A descriptor of this process would in a forked child still be the parent's; the sentinel never is. */
	long bytes = syscall(SYS_process_madvise, PIDFD_SELF_THREAD_GROUP, ranges, n, MADV_DONTNEED, 0);
	unsigned done = 0;

	if (bytes <= 0) {
		if (errno != EINTR && errno != EAGAIN)
			atomic_store_explicit(&no_vectors, true, memory_order_relaxed);
		return 0;
	}
	/* One that was cut short is done again, whole. */
	while (done < n && (size_t)bytes >= ranges[done].iov_len)
		bytes -= (long)ranges[done++].iov_len;
	return done;
}

static void os_decommit(const struct iovec *ranges, unsigned n, unsigned hints)
{
	int saved = errno;

	for (unsigned i = 0; i < n; i++)
		ZSI_ASSERT(whole_pages(ranges[i].iov_base, ranges[i].iov_len));
	while (n > 0) {
		unsigned done = 0;

		if (n > 1 && !(hints & ZSI_OS_MLOCK) && !atomic_load_explicit(&no_vectors, memory_order_relaxed))
			done = decommit_vector(ranges, n < MOST_RANGES ? n : MOST_RANGES);
		if (done == 0) {
			decommit_one(ranges->iov_base, ranges->iov_len, hints);
			done = 1;
		}
		ranges += done;
		n -= done;
	}
	errno = saved;
}

static void os_release(void *start, size_t bytes)
{
	(void)munmap(start, bytes);
}

const struct zsi_os_ops zsi_os_real = {
	.reserve = os_reserve,
	.commit = os_commit,
	.decommit = os_decommit,
	.release = os_release,
};

struct zsi_os_ops zsi_os = {
	.reserve = os_reserve,
	.commit = os_commit,
	.decommit = os_decommit,
	.release = os_release,
};

int zsi_os_bind(void *start, size_t bytes, uint64_t nodes)
{
	unsigned long mask = (unsigned long)nodes;
	int mode = zsi_is_pow2(nodes) ? MPOL_PREFERRED : MPOL_INTERLEAVE;

	/* The kernel takes one bit more than it is told to. */
	if (syscall(SYS_mbind, start, bytes, mode, &mask, sizeof(mask) * 8 + 1, 0) == 0)
		return 0;
	errno = errno == ENOSYS ? ENOSYS : EINVAL;
	return -1;
}

size_t zsi_os_ram_bytes(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);

	return pages > 0 ? (size_t)pages * zsi_os_page_bytes() : (size_t)1 << 30;
}
