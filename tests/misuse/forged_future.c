/* SPDX-License-Identifier: BSD-3-Clause */
/* A handle of a life that its table entry has not lived yet. */
#include "misuse.h"

int main(void)
{
	struct zs_pool *pool = make_pool(POOL_NAME);
	zs_handle h = make_object(pool, 100), next;

	/* How two lives of one entry differ, added to the second. */
	for (int i = 0; i < 1000; i++) {
		zs_free(pool, h);
		next = make_object(pool, 100);
		if ((uint32_t)next == (uint32_t)h)
			break;
		h = next;
	}
	about_to(next + (next - h));
	(void)zs_usable_size(pool, next + (next - h));
	return 0;
}
