/* SPDX-License-Identifier: BSD-3-Clause */
/* An object is read in pieces after it was freed. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100);
	struct iovec iov[2];

	zs_free(pool, h);
	about_to(h);
	(void)zs_obj_read_iov_begin(pool, h, 10, iov);
	return 0;
}
