/* SPDX-License-Identifier: BSD-3-Clause */
/* geometry.c - the two class tables. */
#include "pool/geometry.h"

#include <string.h>

#include "base/assert.h"
#include "base/bits.h"

/* The kernel: an 8-byte handle precedes each object inside its slot, so requests are looked up as size + 8. */
#define LINUX_HANDLE_BYTES 8u
#define LINUX_MIN_SIZE 32u
#define LINUX_CLASSES 256u

/*
 * Dense: candidates in steps of 8 bytes where objects are so small that 16 would be a quarter of them, then of a 256th
 * of the page. Finer steps leave more partly filled pages than they save.
 */
#define DENSE_FINE_STEP 8u
#define DENSE_FINE_LIMIT 64u
#define DENSE_STEPS_A_PAGE 256u

/* Dense: what a zspage costs beside its pages: its descriptor, and half a unit of the array of slot words. */
#define DENSE_ZSPAGE_BYTES 40u

unsigned zsi_geometry_default_chain_size(enum zs_geometry kind)
{
	return kind == ZS_GEOMETRY_LINUX ? 8 : 64;
}

unsigned zsi_geometry_max_chain_size(enum zs_geometry kind)
{
	return kind == ZS_GEOMETRY_LINUX ? 16 : 64;
}

bool zsi_geometry_options_valid(enum zs_geometry kind, size_t page_size, unsigned chain_size)
{
	if (kind != ZS_GEOMETRY_DENSE && kind != ZS_GEOMETRY_LINUX)
		return false;
	if (!zsi_is_pow2(page_size) || page_size < ZSI_MIN_PAGE_SIZE || page_size > ZSI_MAX_PAGE_SIZE)
		return false;
	return chain_size >= 1 && chain_size <= zsi_geometry_max_chain_size(kind);
}

/* One for a power of two, else the first number of pages that leaves the fewest bytes over. */
static unsigned linux_pages(uint32_t page_size, unsigned chain_size, uint32_t size)
{
	unsigned best = 1;
	uint32_t least = UINT32_MAX;

	if (zsi_is_pow2(size))
		return 1;
	for (unsigned pages = 1; pages <= chain_size; pages++) {
		uint32_t waste = pages * page_size % size;

		if (waste < least) {
			least = waste;
			best = pages;
		}
	}
	return best;
}

/* The number of pages that costs least a page: what is left over at the end, and what a zspage costs anyway. */
static unsigned dense_pages(uint32_t page_size, unsigned chain_size, uint32_t size)
{
	unsigned best = 1;
	uint64_t best_cost = page_size % size + DENSE_ZSPAGE_BYTES;

	for (unsigned pages = 2; pages <= chain_size; pages++) {
		uint64_t bytes = (uint64_t)pages * page_size;
		uint64_t cost = bytes % size + DENSE_ZSPAGE_BYTES;

		if (bytes / size > ZSI_MAX_OBJS)
			break;
		/* cost / pages < best_cost / best, cleared of fractions */
		if (cost * best < best_cost * pages) {
			best = pages;
			best_cost = cost;
		}
	}
	/* As many objects as pages: a page each does the same. */
	return (uint64_t)best * page_size / size <= best ? 1 : best;
}

/* The candidate sizes in ascending order; returns how many. */
static unsigned candidates(enum zs_geometry kind, uint32_t page_size, uint32_t *sizes)
{
	unsigned n = 0;
	uint32_t size = kind == ZS_GEOMETRY_LINUX ? LINUX_MIN_SIZE : DENSE_FINE_STEP;

	while (size < page_size) {
		sizes[n++] = size;
		if (kind == ZS_GEOMETRY_LINUX)
			size += page_size / LINUX_CLASSES;
		else
			size += size < DENSE_FINE_LIMIT ? DENSE_FINE_STEP : page_size / DENSE_STEPS_A_PAGE;
	}
	sizes[n++] = page_size;
	ZSI_ASSERT(n <= ZSI_MAX_CLASSES);
	return n;
}

/*
 * Classes are built from the largest candidate down; what has the pages and objs of the last one built merges into
 * it.
 */
static void build_classes(struct zsi_geometry *g, const uint32_t *sizes, unsigned n)
{
	struct zsi_size_class *last = NULL;
	unsigned top = ZSI_MAX_CLASSES;

	for (unsigned i = n; i-- > 0;) {
		unsigned pages = g->kind == ZS_GEOMETRY_LINUX ? linux_pages(g->page_size, g->chain_size, sizes[i])
							      : dense_pages(g->page_size, g->chain_size, sizes[i]);
		unsigned objs = pages * g->page_size / sizes[i];

		if (last != NULL && last->pages == pages && last->objs == objs)
			continue;
		last = &g->classes[--top];
		*last = (struct zsi_size_class){
			.reciprocal = zsi_reciprocal(sizes[i]),
			.size = sizes[i],
			.pages = (uint16_t)pages,
			.objs = (uint16_t)objs,
			.index = (uint16_t)i,
		};
	}
	g->nr_classes = ZSI_MAX_CLASSES - top;
	memmove(g->classes, &g->classes[top], g->nr_classes * sizeof(g->classes[0]));
}

static void number_requests(struct zsi_geometry *g)
{
	uint32_t next = 1;

	for (unsigned i = 0; i < g->nr_classes; i++) {
		struct zsi_size_class *c = &g->classes[i];

		c->min_request = next;
		c->max_request = c->size;
		if (g->kind == ZS_GEOMETRY_LINUX && i + 1 < g->nr_classes)
			c->max_request -= LINUX_HANDLE_BYTES;
		next = c->max_request + 1;
		if (c->size - c->min_request > g->widest_class)
			g->widest_class = c->size - c->min_request;
	}
}

/* The kernel's rule where it finds a class; else, and for dense, the classes that hold more objects than pages. */
static uint32_t huge_class_size(const struct zsi_geometry *g)
{
	if (g->kind == ZS_GEOMETRY_LINUX)
		for (unsigned i = g->nr_classes; i-- > 0;)
			if (g->classes[i].pages != 1 && g->classes[i].objs != 1)
				return g->classes[i].max_request + 1;
	for (unsigned i = g->nr_classes; i-- > 0;)
		if (g->classes[i].objs > g->classes[i].pages)
			return g->classes[i].max_request + 1;
	return 1;
}

void zsi_geometry_build(struct zsi_geometry *g, enum zs_geometry kind, size_t page_size, unsigned chain_size)
{
	uint32_t sizes[ZSI_MAX_CLASSES];

	memset(g, 0, sizeof(*g));
	g->kind = kind;
	g->page_size = (uint32_t)page_size;
	g->chain_size = chain_size;
	build_classes(g, sizes, candidates(kind, g->page_size, sizes));
	number_requests(g);
	g->huge_class_size = huge_class_size(g);
}

void zsi_geometry_lookup(const struct zsi_geometry *g, uint16_t *lookup)
{
	uint32_t entries = zsi_lookup_entries(g);
	unsigned position = 0;

	lookup[0] = (uint16_t)(g->nr_classes << ZSI_LOOKUP_SCALE);
	for (uint32_t i = 1; i < entries; i++) {
		while (g->classes[position].max_request < i << ZSI_LOOKUP_SHIFT)
			position++;
		lookup[i] = (uint16_t)(position << ZSI_LOOKUP_SCALE);
	}
}
