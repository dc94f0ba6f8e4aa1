/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_geometry.c - pools that hold nothing are asked for their classes. */
#include "advise_geometry.h"

#include "options.h"

static bool make_view(struct geometry_view *view, enum zs_geometry geometry, size_t page_size, unsigned chain)
{
	const struct pool_settings settings = { geometry, page_size, chain };
	view->pool = pool_settings_create(&settings, "zs advise", ZS_POOL_NO_THREAD_CACHE);
	if (view->pool == NULL)
		return false;
	view->huge_size = zs_huge_class_size(view->pool);
	if (view->huge_size > page_size)
		view->huge_size = page_size;
	return true;
}

bool geometries_make(struct geometries *g)
{
	for (unsigned i = 0; i < BLOCK_SIZES; i++)
		if (!make_view(&g->kernel[i], ZS_GEOMETRY_LINUX, (size_t)SAMPLE_PAGE << i, KERNEL_CHAIN) ||
		    !make_view(&g->dense[i], ZS_GEOMETRY_DENSE, (size_t)SAMPLE_PAGE << i, 0))
			return false;
	return true;
}

void geometries_free(struct geometries *g)
{
	for (unsigned i = 0; i < BLOCK_SIZES; i++) {
		if (g->kernel[i].pool != NULL)
			zs_destroy_pool(g->kernel[i].pool);
		if (g->dense[i].pool != NULL)
			zs_destroy_pool(g->dense[i].pool);
	}
}

double object_bytes(const struct geometry_view *view, size_t size, size_t page_size)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	if (zs_get_class_info(view->pool, zs_lookup_class_index(view->pool, size), &info) != 0)
		return (double)page_size;
	return (double)(info.pages_per_zspage * page_size) / info.objs_per_zspage;
}

void tally_add(struct tally *tally, const struct geometries *g, const struct candidate *c, const uint32_t *sizes,
	       size_t blocks)
{
	size_t len = block_bytes(c);
	const struct geometry_view *kernel = &g->kernel[c->block_index], *dense = &g->dense[c->block_index];
	tally->blocks += blocks;
	for (size_t i = 0; i < blocks; i++) {
		if (sizes[i] == 0) {
			tally->same_filled++;
			continue;
		}
		bool huge = sizes[i] >= kernel->huge_size;
		tally->huge += huge;
		tally->compressed_bytes += huge ? len : sizes[i];
		tally->kernel_bytes += object_bytes(kernel, huge ? len : sizes[i], len);
		tally->dense_bytes += object_bytes(dense, sizes[i] >= dense->huge_size ? len : sizes[i], len);
	}
}
