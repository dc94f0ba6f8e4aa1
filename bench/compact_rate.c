/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compact_rate.c - how fast zs_compact() moves objects, against a loop of memcpy() that has nothing to decide.
 *
 * A pool is filled, 70 % of its objects are freed at random, zs_compact() is timed: all of it, the grace periods and
 * giving the pages back too. Which objects it moved, and from where, is seen in their addresses before and after.
 *
 * The loop then copies as many objects of the same sizes from the same places: of every 2 MiB of the pool that one lay
 * in there is an equal piece, in the same order, written before, and the objects lie in it as they lay in the pool. It
 * copies in the order in which compaction filled its destinations, as far as that can be seen: the classes from the
 * largest, and in a class by the new address. The copies go one after the other into memory that is resident. Before
 * the loop as before zs_compact() the objects have not been touched for longer than a cache keeps them.
 *
 * What as many pages cost that are given back to the system in a single call is measured beside it: that is in the
 * time of zs_compact() and not in the loop.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "compact.h"
#include "crowd.h"

#define REGION_BITS 21u
#define REGION (UINT64_C(1) << REGION_BITS)
#define EVICT_BYTES (UINT64_C(128) << 20)

struct move {
	uint64_t from;
	uint64_t to;
	uint32_t size;
	uint32_t class;
};

static uint64_t address(struct zs_pool *pool, object_ref ref)
{
	const void *mem = ref_begin(pool, ref);

	ref_end(pool, ref, mem);
	return (uint64_t)(uintptr_t)mem;
}

static int by_order(const void *a, const void *b)
{
	const struct move *x = a;
	const struct move *y = b;

	if (x->class != y->class)
		return x->class > y->class ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The regions that the objects lay in, in order, each once. Returns how many. */
static size_t find_regions(const struct move *move, size_t count, uint64_t *region)
{
	size_t regions = 0;

	for (size_t i = 0; i < count; i++) {
		region[2 * i] = move[i].from >> REGION_BITS;
		region[2 * i + 1] = (move[i].from + move[i].size - 1) >> REGION_BITS;
	}
	qsort(region, 2 * count, sizeof(*region), by_value);
	for (size_t i = 0; i < 2 * count; i++)
		if (regions == 0 || region[regions - 1] != region[i])
			region[regions++] = region[i];
	return regions;
}

/* Make each "from" the place in a copy of the regions; bytes of it are written. Returns the copy. */
static uint8_t *mirror(struct move *move, size_t count, uint64_t *bytes)
{
	uint64_t *region = pages(2 * count * sizeof(*region));
	size_t regions = find_regions(move, count, region);
	uint8_t *copy;

	*bytes = regions * REGION;
	copy = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (copy == MAP_FAILED)
		fail(errno, "%" PRIu64 " bytes of memory", *bytes);
	for (size_t i = 0; i < count; i++) {
		uint64_t key = move[i].from >> REGION_BITS;
		const uint64_t *found = bsearch(&key, region, regions, sizeof(*region), by_value);

		move[i].from = (uint64_t)(found - region) * REGION + move[i].from % REGION;
		memset(copy + move[i].from, (int)i, move[i].size);
	}
	release_pages(region, 2 * count * sizeof(*region));
	return copy;
}

/* Have other things in the caches than what was touched before. */
static void evict(void)
{
	uint8_t *memory = pages(EVICT_BYTES);

	memset(memory, 1, EVICT_BYTES);
	use(memory);
	release_pages(memory, EVICT_BYTES);
}

static uint64_t time_copies(struct move *move, size_t count, uint64_t bytes)
{
	uint64_t copy_bytes;
	uint8_t *copy = mirror(move, count, &copy_bytes);
	uint8_t *to = pages(bytes);
	uint64_t at = 0;

	evict();

	uint64_t start = now_ns();

	for (size_t i = 0; i < count; i++) {
		memcpy(to + at, copy + move[i].from, move[i].size);
		at += move[i].size;
	}
	use(to);

	uint64_t spent = now_ns() - start;

	release_pages(copy, copy_bytes);
	release_pages(to, bytes);
	return spent;
}

static uint64_t time_release(uint64_t bytes)
{
	void *memory = pages(bytes);
	uint64_t start = now_ns();

	if (madvise(memory, bytes, MADV_DONTNEED) != 0)
		fail(errno, "madvise");

	uint64_t spent = now_ns() - start;

	release_pages(memory, bytes);
	return spent;
}

/* Compact, and note what moved. */
static struct move *time_compaction(struct crowd *c, struct compact_rate *r)
{
	struct move *move = pages(c->live * sizeof(*move));

	for (uint32_t i = 0; i < c->live; i++)
		move[i].from = address(c->pool, c->object[i].ref);
	evict();

	uint64_t start = now_ns();

	r->pages = zs_compact(c->pool);
	r->compact_ns = now_ns() - start;
	for (uint32_t i = 0; i < c->live; i++) {
		const struct object *o = &c->object[i];
		struct move m = { move[i].from, address(c->pool, o->ref), o->size,
				  zs_lookup_class_index(c->pool, o->size) };

		if (m.from == m.to)
			continue;
		move[r->moved++] = m;
		r->moved_bytes += m.size;
	}
	return move;
}

struct compact_rate compact_rate(const struct supply *s, uint32_t objects)
{
	struct crowd c = { .pool = pool_new(), .object = pages(objects * sizeof(struct object)), .supply = *s };
	struct compact_rate r = { .live = objects - (uint32_t)(objects * UINT64_C(7) / 10) };

	while (c.live < objects)
		crowd_add(&c);
	while (c.live > r.live)
		crowd_remove_random(&c);

	struct move *move = time_compaction(&c, &r);

	crowd_end(&c);
	if (r.moved == 0 || r.pages == 0)
		fail(0, "zs_compact() moved nothing in a pool of which 70 %% was freed");
	qsort(move, r.moved, sizeof(*move), by_order);
	r.memcpy_ns = time_copies(move, r.moved, r.moved_bytes);
	r.release_ns = time_release(r.pages * DATASET_PAGE);
	release_pages(move, r.live * sizeof(*move));
	release_pages(c.object, objects * sizeof(struct object));
	return r;
}
