/* SPDX-License-Identifier: BSD-3-Clause */
/* The address of an object is asked for in another pool. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME), *other = make_pool("other");
	zs_handle h = make_object(other, 100);

	zs_read_begin(pool);
	about_to(h);
	(void)zs_obj_address(pool, h);
	zs_read_end(pool);
	return 0;
}
