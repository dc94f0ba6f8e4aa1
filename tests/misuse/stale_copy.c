/* SPDX-License-Identifier: BSD-3-Clause */
/* A part of an object is copied out after it was freed. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);
	char bytes[10];

	zs_free(pool, h);
	about_to(h);
	(void)zs_obj_read(pool, h, 20, bytes, sizeof(bytes));
	return 0;
}
