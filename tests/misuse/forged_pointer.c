/* SPDX-License-Identifier: BSD-3-Clause */
/* An address is taken for a handle. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = (uintptr_t)&pool;

	(void)make_object(pool, 100);
	about_to(h);
	(void)zs_obj_write(pool, h, "x", 1);
	return 0;
}
