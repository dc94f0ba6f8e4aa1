/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is written that this thread has mapped for writing. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	if (zs_map_object(pool, h, ZS_MM_WO) == NULL)
		return 2;
	about_to(h);
	(void)zs_obj_write(pool, h, "x", 1);
	return 0;
}
