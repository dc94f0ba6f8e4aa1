/* SPDX-License-Identifier: BSD-3-Clause */
/* A small integer is taken for a handle. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = 1;

	(void)make_object(pool, 100);
	about_to(h);
	zs_free(pool, h);
	return 0;
}
