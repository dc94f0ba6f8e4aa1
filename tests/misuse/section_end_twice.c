/* SPDX-License-Identifier: BSD-3-Clause */
/* A read section is ended twice. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);

	zs_read_begin(pool);
	if (zs_obj_address(pool, h) == NULL)
		return 2;
	zs_read_end(pool);
	about_to(0);
	zs_read_end(pool);
	return 0;
}
