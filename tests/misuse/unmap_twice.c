/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is mapped once and unmapped twice. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	if (zs_map_object(pool, h, ZS_MM_RW) == NULL)
		return 2;
	zs_unmap_object(pool, h);
	about_to(h);
	zs_unmap_object(pool, h);
	return 0;
}
