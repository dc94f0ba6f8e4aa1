/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is read after its place was given to another. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	zs_free(pool, h);
	for (int i = 0; i < 1000; i++)
		(void)make_object(pool, 100);
	about_to(h);
	(void)zs_obj_read_begin(pool, h, NULL);
	return 0;
}
