/* SPDX-License-Identifier: BSD-3-Clause */
/* The reading of an object in pieces is begun once and ended twice. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);
	struct iovec iov[2];

	if (zs_obj_read_iov_begin(pool, h, 10, iov) != 1)
		return 2;
	zs_obj_read_iov_end(pool, h);
	about_to(h);
	zs_obj_read_iov_end(pool, h);
	return 0;
}
