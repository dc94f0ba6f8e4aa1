/* SPDX-License-Identifier: BSD-3-Clause */
/* A batch to be freed names the same object twice. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle batch[3] = { make_object(pool, 50), make_object(pool, 60) };

	batch[2] = batch[0];
	about_to(batch[0]);
	zs_free_batch(pool, batch, 3);
	return 0;
}
