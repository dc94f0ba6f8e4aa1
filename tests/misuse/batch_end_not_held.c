/* SPDX-License-Identifier: BSD-3-Clause */
/* The reading of a batch is ended that was never begun. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);

	about_to(0);
	zs_obj_read_end_batch(pool);
	return 0;
}
