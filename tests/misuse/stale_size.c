/* SPDX-License-Identifier: BSD-3-Clause */
/* The size of an object is asked for after it was freed. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	zs_free(pool, h);
	about_to(h);
	(void)zs_usable_size(pool, h);
	return 0;
}
