/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is written after it was freed. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	zs_free(pool, h);
	about_to(h);
	(void)zs_obj_write(pool, h, "x", 1);
	return 0;
}
