/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * geometry.h - from options to the table of size classes. Pure: no memory, no locks, no state.
 *
 * A class serves the requests min_request..max_request, gives each a slot of `size` bytes, and cuts a zspage of
 * `pages` pages into `objs` slots:
 *
 *   objs * size <= pages * page_size,   max_request <= size,   objs <= ZSI_MAX_OBJS
 *   min_request of a class = max_request of the next smaller one + 1;  the largest serves page_size
 *
 * Both geometries start from a list of candidate sizes, choose pages for each, and merge a candidate into the next
 * larger one when both have the same pages and objs: the larger slots cost nothing more. Class indices are those of the
 * candidates, as in the kernel, so there are gaps. docs/geometry.md says why each number is what it is.
 */
#ifndef ZSI_POOL_GEOMETRY_H
#define ZSI_POOL_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#define ZSI_MIN_PAGE_SIZE 4096u
#define ZSI_MAX_PAGE_SIZE 65536u

/* Slot numbers are 16 bits wide, and one value means none. */
#define ZSI_MAX_OBJS 65534u

/* Most candidates of any geometry, hence classes: the dense one with 64 KiB pages is the longest. */
#define ZSI_MAX_CLASSES 512u

/* Requests are looked up in steps of this many bytes; every class boundary is a multiple of it, see lookup[]. */
#define ZSI_LOOKUP_SHIFT 3
/* Positions in the table are shifted by so much; there are few enough of them. */
#define ZSI_LOOKUP_SCALE 6

#define ZSI_MAX_LOOKUP ((ZSI_MAX_PAGE_SIZE >> ZSI_LOOKUP_SHIFT) + 1)

struct zsi_size_class {
	uint64_t reciprocal;  /* of size, for zsi_reciprocal_divide() */
	uint32_t size;        /* bytes of a slot, a multiple of 8 */
	uint32_t min_request; /* bytes */
	uint32_t max_request; /* bytes */
	uint16_t pages;       /* pages of a zspage */
	uint16_t objs;        /* slots of a zspage */
	uint16_t index;       /* as zs_lookup_class_index() */
	uint16_t unused_;
};

struct zsi_geometry {
	enum zs_geometry kind;
	uint32_t page_size;
	uint32_t chain_size;
	uint32_t nr_classes;
	uint32_t huge_class_size; /* smallest request that takes a page of its own */
	uint32_t widest_class;    /* the largest max_request - min_request, or size - min_request */
	struct zsi_size_class classes[ZSI_MAX_CLASSES]; /* by size, ascending; nr_classes of them */
};

/* The geometry's default, and its largest, chain size. */
unsigned zsi_geometry_default_chain_size(enum zs_geometry kind);
unsigned zsi_geometry_max_chain_size(enum zs_geometry kind);

/* Whether the options are in range. chain_size is not 0 here. */
bool zsi_geometry_options_valid(enum zs_geometry kind, size_t page_size, unsigned chain_size);

/* Fill g. The options are valid. */
void zsi_geometry_build(struct zsi_geometry *g, enum zs_geometry kind, size_t page_size, unsigned chain_size);

/* Entries of the lookup table for this geometry. */
static inline uint32_t zsi_lookup_entries(const struct zsi_geometry *g)
{
	return (g->page_size >> ZSI_LOOKUP_SHIFT) + 1;
}

/*
 * Fill lookup[zsi_lookup_entries()]: the position in classes[] for requests of (i - 1) * 8 + 1 .. i * 8 bytes;
 * nr_classes for 0. Shifted, so that it is the offset of the class's bin in a cache.
 */
void zsi_geometry_lookup(const struct zsi_geometry *g, uint16_t *lookup);

/* The entry of a request of size bytes, 1..page_size. */
static inline size_t zsi_lookup_entry(size_t size)
{
	return (size + (1u << ZSI_LOOKUP_SHIFT) - 1) >> ZSI_LOOKUP_SHIFT;
}

/* The fullness group of a zspage with inuse of objs slots in use: 0 empty, 1..10 by tenths, 11 full. */
#define ZSI_GROUPS 12u
#define ZSI_GROUP_FULL 11u

static inline unsigned zsi_fullness_group(unsigned inuse, unsigned objs)
{
	if (inuse == 0)
		return 0;
	if (inuse == objs)
		return ZSI_GROUP_FULL;
	return 100 * inuse / objs / 10 + 1;
}

#endif
