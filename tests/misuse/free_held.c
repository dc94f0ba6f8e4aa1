/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is freed that this thread is reading. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	if (zs_obj_read_begin(pool, h, NULL) == NULL)
		return 2;
	about_to(h);
	zs_free(pool, h);
	return 0;
}
