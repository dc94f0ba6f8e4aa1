/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is unmapped that is not mapped. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	about_to(h);
	zs_unmap_object(pool, h);
	return 0;
}
