/* SPDX-License-Identifier: BSD-3-Clause */
/* A handle is freed whose entry has been given to another object since. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100), other;

	/* The entry of the object freed last is the next one's; should that change, one of many will have it. */
	zs_free(pool, h);
	for (int i = 0; i < 1000; i++) {
		other = make_object(pool, 100);
		if (i % 2 == 0)
			zs_free(pool, other);
	}
	about_to(h);
	zs_free(pool, h);
	return 0;
}
