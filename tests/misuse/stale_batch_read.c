/* SPDX-License-Identifier: BSD-3-Clause */
/* One of several objects that are to be read has been freed. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h[3] = { make_object(pool, 100), make_object(pool, 200), make_object(pool, 300) };
	const void *mem[3];

	zs_free(pool, h[1]);
	about_to(h[1]);
	(void)zs_obj_read_begin_batch(pool, h, 3, mem, NULL);
	return 0;
}
