/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is freed, others come and go in other entries, and it is freed again. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle others[100], h = make_object(pool, 3000);

	for (size_t i = 0; i < 100; i++)
		others[i] = make_object(pool, 10 + i);
	zs_free(pool, h);
	zs_free_batch(pool, others, 100);
	about_to(h);
	zs_free(pool, h);
	return 0;
}
