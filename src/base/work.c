/* SPDX-License-Identifier: BSD-3-Clause */
/* work.c - small pieces come from malloc, large ones are mappings of their own, which really go back. */
#include "base/work.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/os.h"

struct head {
	size_t bytes; /* of the piece, this head included */
	bool mapped;
};

_Static_assert(sizeof(struct head) <= ZSI_CACHE_LINE, "the head is one line");

static void *map(size_t bytes)
{
	void *p = zsi_os.reserve(bytes, (size_t)sysconf(_SC_PAGESIZE));

	if (p == NULL || zsi_os.commit(p, bytes, ZSI_OS_NO_HUGEPAGE) == 0)
		return p;
	zsi_os.release(p, bytes);
	return NULL;
}

void *zsi_work_alloc(size_t bytes)
{
	bool mapped = bytes >= ZSI_WORK_MAP_BYTES;
	size_t unit = mapped ? (size_t)sysconf(_SC_PAGESIZE) : ZSI_CACHE_LINE;
	struct head *h = NULL;

	if (bytes <= SIZE_MAX - ZSI_CACHE_LINE - unit) {
		bytes = zsi_round_up(bytes + ZSI_CACHE_LINE, unit);
		h = mapped ? map(bytes) : aligned_alloc(ZSI_CACHE_LINE, bytes);
	}
	if (h == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	h->bytes = bytes;
	h->mapped = mapped;
	return (uint8_t *)h + ZSI_CACHE_LINE;
}

static struct head *head_of(const void *p)
{
	return (struct head *)((uintptr_t)p - ZSI_CACHE_LINE);
}

void zsi_work_free(void *p)
{
	if (p == NULL)
		return;
	struct head *h = head_of(p);

	if (h->mapped)
		zsi_os.release(h, h->bytes);
	else
		free(h);
}

size_t zsi_work_bytes(const void *p)
{
	return p == NULL ? 0 : head_of(p)->bytes;
}
