/* SPDX-License-Identifier: BSD-3-Clause */
/* ops.h - the parts of bench_ops. */
#ifndef BENCH_OPS_H
#define BENCH_OPS_H

#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

/* What a round of reading took, nanoseconds for one begin and end, or lock and unlock. */
enum read_what {
	READ_RCU_INLINE, /* liburcu's lock and unlock as it inlines them */
	READ_RCU_CALL,   /* the same as calls into liburcu */
	READ_SAME,       /* begin and end of one object */
	READ_64,         /* of 64 objects in turn */
	READ_WHATS
};

/* About count of each. handles has 64. */
void ops_read(struct zs_pool *pool, const zs_handle *handles, uint32_t count, double ns[READ_WHATS]);

#endif
