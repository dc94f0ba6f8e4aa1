/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_source.c - a pool on the caller's own pages, and how the caller gets one of its choice back.
 *
 * The caller owns a fixed region of pages and hands them out singly in a random order, as a hypervisor's balloon or a
 * reserve of locked memory would. So the pages of a zspage lie apart, and an object may begin in one page and end in
 * another that is somewhere else:
 *
 *   zs_obj_read_begin()      gives a plain pointer in every case, copying such an object into local_copy
 *   zs_obj_read_iov_begin()  gives the one or two pieces in place, without a copy
 *
 * Then the caller wants the lower quarter of its region for something else while the pool is full of live objects:
 * zs_page_migrate() takes the pages out one at a time. No handle changes.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zsmalloc/zsmalloc.h>

#define PAGE_SIZE 4096u
#define NPAGES 1024u
#define MAX_OBJECTS (NPAGES * 8)

/*
 * The region. owner[i] says who has page i; free_stack holds the free ones in the order in which they go out:
 * nfree + pages of the pool + pages kept by the caller == NPAGES.
 */
enum owner { FREE, POOL, CALLER };

struct region {
	unsigned char *base;
	enum owner owner[NPAGES];
	uint32_t free_stack[NPAGES];
	uint32_t nfree;
	bool broken; /* the pool gave back what it did not have */
};

struct object {
	zs_handle handle;
	uint32_t len;
};

static void *region_alloc_page(void *ctx)
{
	struct region *region = ctx;

	if (!region->nfree)
		return NULL; /* zs_malloc() fails with ENOMEM and the pool stays as it was */
	uint32_t index = region->free_stack[--region->nfree];
	region->owner[index] = POOL;
	return region->base + (size_t)index * PAGE_SIZE;
}

/* The pool calls both functions one at a time, so the region needs no lock for them. */
static void region_free_page(void *ctx, void *page)
{
	struct region *region = ctx;
	uint32_t index = (uint32_t)((size_t)((unsigned char *)page - region->base) / PAGE_SIZE);

	if (index >= NPAGES || region->owner[index] != POOL) {
		region->broken = true;
		return;
	}
	region->owner[index] = FREE;
	region->free_stack[region->nfree++] = index;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static int region_init(struct region *region)
{
	uint32_t seed = 1;

	memset(region, 0, sizeof(*region));
	region->base = aligned_alloc(PAGE_SIZE, (size_t)NPAGES * PAGE_SIZE);
	if (!region->base)
		return -1;
	for (uint32_t i = 0; i < NPAGES; i++) {
		uint32_t j = next_random(&seed) % (i + 1);

		region->free_stack[i] = region->free_stack[j];
		region->free_stack[j] = i;
	}
	region->nfree = NPAGES;
	return 0;
}

static unsigned char byte_at(uint32_t object, uint32_t offset)
{
	return (unsigned char)(object * 31 + offset * 7 + (offset >> 8));
}

/* Store objects until the region has keep_free pages left. Their number, or 0 on failure. */
static uint32_t fill(struct zs_pool *pool, struct region *region, struct object *objects, uint32_t keep_free)
{
	unsigned char bytes[PAGE_SIZE];
	uint32_t seed = 2, n = 0;

	while (region->nfree > keep_free && n < MAX_OBJECTS) {
		struct object *object = &objects[n];

		object->len = 200 + next_random(&seed) % 3400;
		for (uint32_t i = 0; i < object->len; i++)
			bytes[i] = byte_at(n, i);
		object->handle = zs_malloc(pool, object->len, 0);
		if (!object->handle || zs_obj_write(pool, object->handle, bytes, object->len)) {
			perror("store an object");
			return 0;
		}
		n++;
	}
	return n;
}

static bool same(const unsigned char *bytes, uint32_t object, uint32_t offset, size_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (bytes[i] != byte_at(object, offset + i))
			return false;
	}
	return true;
}

/* Read every object both ways and compare every byte. *spanning: how many lie on two separate pages. */
static int check_all(struct zs_pool *pool, const struct object *objects, uint32_t n, uint32_t *spanning)
{
	unsigned char local_copy[PAGE_SIZE];

	*spanning = 0;
	for (uint32_t o = 0; o < n; o++) {
		zs_handle handle = objects[o].handle;
		uint32_t len = objects[o].len;
		struct iovec iov[2];

		const void *mem = zs_obj_read_begin(pool, handle, local_copy);
		if (!mem)
			return -1;
		bool copied = mem == (const void *)local_copy;
		bool good = same(mem, o, 0, len);
		zs_obj_read_end(pool, handle, mem);

		int pieces = zs_obj_read_iov_begin(pool, handle, len, iov);
		if (pieces < 0)
			return -1;
		good = good && same(iov[0].iov_base, o, 0, iov[0].iov_len);
		size_t total = iov[0].iov_len;
		if (pieces == 2) {
			good = good && same(iov[1].iov_base, o, (uint32_t)total, iov[1].iov_len);
			total += iov[1].iov_len;
		}
		zs_obj_read_iov_end(pool, handle);

		/* The padding of a slot may cross into the next page where the bytes asked for do not. */
		if (!good || total != len || (pieces == 2 && !copied)) {
			fprintf(stderr, "object %u is not what was written\n", o);
			return -1;
		}
		*spanning += pieces == 2;
	}
	return 0;
}

/* Take the pages below limit out of the pool, each against a free page above it, and use them. Pages taken, or -1. */
static int evacuate(struct zs_pool *pool, struct region *region, uint32_t limit)
{
	int taken = 0;

	for (uint32_t index = 0; index < limit; index++) {
		unsigned char *old_page = region->base + (size_t)index * PAGE_SIZE;

		if (region->owner[index] != POOL)
			continue;
		uint32_t at = region->nfree;
		while (at > 0 && region->free_stack[at - 1] < limit)
			at--;
		if (!at) {
			fprintf(stderr, "no free page left above the quarter\n");
			return -1;
		}
		uint32_t target = region->free_stack[at - 1];

		if (zs_page_migrate(pool, region->base + (size_t)target * PAGE_SIZE, old_page)) {
			perror("zs_page_migrate");
			return -1;
		}
		/* From here on the target is the pool's and the old page is ours: nothing of the pool's is in it. */
		memmove(&region->free_stack[at - 1], &region->free_stack[at],
			(region->nfree - at) * sizeof(region->free_stack[0]));
		region->nfree--;
		region->owner[target] = POOL;
		region->owner[index] = CALLER;
		memset(old_page, 0xff, PAGE_SIZE);
		taken++;
	}
	return taken;
}

static int run(struct zs_pool *pool, struct region *region, struct object *objects)
{
	uint32_t spanning;
	uint32_t n = fill(pool, region, objects, NPAGES / 3);

	if (!n || check_all(pool, objects, n, &spanning))
		return -1;
	printf("stored %u objects of 200 to 3599 bytes in %lu pages; %u of them lie on two pages apart\n", n,
	       zs_get_total_pages(pool), spanning);
	if (!spanning) {
		fprintf(stderr, "no object spans two pages\n");
		return -1;
	}

	int taken = evacuate(pool, region, NPAGES / 4);
	if (taken <= 0 || check_all(pool, objects, n, &spanning) || zs_pool_validate(pool))
		return -1;
	printf("took %d pages of the lower quarter back and overwrote them; every object still reads as written\n",
	       taken);

	/* Use the region up: the allocation that finds no page fails, and what is stored stays as it is. */
	uint32_t more = 0;
	while (more < MAX_OBJECTS - n && (objects[n + more].handle = zs_malloc(pool, 3000, 0)) != 0)
		more++;
	if (more == MAX_OBJECTS - n || errno != ENOMEM || check_all(pool, objects, n, &spanning))
		return -1;
	printf("%u more objects used the region up, then zs_malloc() failed with ENOMEM and nothing else changed\n",
	       more);

	for (uint32_t o = 0; o < n + more; o++)
		zs_free(pool, objects[o].handle);
	return zs_pool_validate(pool);
}

int main(void)
{
	static struct region region;
	static struct object objects[MAX_OBJECTS];
	struct zs_page_source source = ZS_PAGE_SOURCE_INIT;
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;

	if (region_init(&region)) {
		perror("region");
		return 1;
	}
	source.alloc_page = region_alloc_page;
	source.free_page = region_free_page;
	source.ctx = &region;
	options.page_size = PAGE_SIZE;
	options.pages = &source; /* copied: only region must live as long as the pool */

	struct zs_pool *pool = zs_create_pool_with("page_source", &options);
	if (!pool) {
		perror("zs_create_pool_with");
		free(region.base);
		return 1;
	}
	int failed = run(pool, &region, objects);
	zs_destroy_pool(pool);

	uint32_t kept = 0;
	for (uint32_t i = 0; i < NPAGES; i++)
		kept += region.owner[i] == CALLER;
	printf("the pool is gone: %u pages are free again, %u are the caller's, none is missing\n", region.nfree, kept);
	if (region.broken || region.nfree + kept != NPAGES) {
		fprintf(stderr, "pages were lost or came back twice\n");
		failed = -1;
	}
	free(region.base);
	return failed ? 1 : 0;
}
