/* SPDX-License-Identifier: BSD-3-Clause */
/* All bits set is taken for a handle. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = ~(zs_handle)0;

	(void)make_object(pool, 100);
	about_to(h);
	(void)zs_obj_read_begin(pool, h, NULL);
	return 0;
}
