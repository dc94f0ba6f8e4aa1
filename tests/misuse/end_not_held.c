/* SPDX-License-Identifier: BSD-3-Clause */
/* The reading of an object is ended that was never begun. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	about_to(h);
	zs_obj_read_end(pool, h, pool);
	return 0;
}
