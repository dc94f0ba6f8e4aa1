/* SPDX-License-Identifier: BSD-3-Clause */
/* An object of another pool is freed. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	struct zs_pool *other = make_pool("other");
	zs_handle h = make_object(other, 100);

	(void)make_object(pool, 100);
	about_to(h);
	zs_free(pool, h);
	return 0;
}
