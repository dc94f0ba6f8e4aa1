/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is freed twice in a row. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	zs_free(pool, h);
	about_to(h);
	zs_free(pool, h);
	return 0;
}
