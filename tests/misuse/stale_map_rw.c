/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is mapped (ZS_MM_RW) after it was freed. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	zs_free(pool, h);
	about_to(h);
	(void)zs_map_object(pool, h, ZS_MM_RW);
	return 0;
}
