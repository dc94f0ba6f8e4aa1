/* SPDX-License-Identifier: BSD-3-Clause */
/* An object of a pool that no longer exists is read through another. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	struct zs_pool *other = make_pool("other");
	zs_handle h = make_object(other, 100);

	(void)make_object(pool, 100);
	zs_destroy_pool(other);
	about_to(h);
	(void)zs_obj_read_begin(pool, h, NULL);
	return 0;
}
