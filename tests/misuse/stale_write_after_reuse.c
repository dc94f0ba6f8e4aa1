/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is written after its place was given to another, which would lose its contents. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	zs_free(pool, h);
	for (int i = 0; i < 1000; i++)
		(void)make_object(pool, 100);
	about_to(h);
	(void)zs_obj_write(pool, h, "x", 1);
	return 0;
}
