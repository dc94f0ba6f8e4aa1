/* SPDX-License-Identifier: BSD-3-Clause */
/* A batch to be freed has an object that was freed and whose entry lives again. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 50);

	zs_free(pool, h);
	for (int i = 0; i < 1000; i++)
		(void)make_object(pool, 50);
	about_to(h);
	zs_free_batch(pool, (zs_handle[]){ 0, h }, 2);
	return 0;
}
