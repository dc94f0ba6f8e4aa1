/* SPDX-License-Identifier: BSD-3-Clause */
/* sizes.c - see sizes.h. */
#include "sizes.h"

#include "check.h"
#include "rng.h"

static uint64_t below_rng(void *ctx, uint64_t n)
{
	return rng_below(ctx, n);
}

struct chooser chooser_of_rng(struct rng *rng)
{
	return (struct chooser){ below_rng, rng };
}

static size_t clamp(size_t size, size_t page_size)
{
	if (size < 1)
		return 1;
	return size > page_size ? page_size : size;
}

size_t choose_size(const struct chooser *c, struct zs_pool *pool, size_t page_size)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT;

	switch (choose(c, 8)) {
	case 0:
		return choose_range(c, 1, 64);
	case 1:
		return choose_range(c, 1, page_size / 16);
	case 2: /* one of a few classes, so that some have many objects */
		return page_size / 2 - choose(c, 4) * (page_size / 16);
	case 3:
		return clamp(zs_huge_class_size(pool) + choose(c, 3) - 1, page_size);
	case 4: /* either end of a class */
		CHECK(zs_get_class_info(pool, zs_lookup_class_index(pool, choose_range(c, 1, page_size)), &info) == 0);
		return choose(c, 2) == 0 ? info.min_request : info.max_request;
	case 5:
		return page_size - choose(c, 16);
	default:
		return choose_range(c, 1, page_size);
	}
}
