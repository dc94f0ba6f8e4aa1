/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops_read.c - what it costs to hold an object for reading, against the least that it can cost: the read section of
 * liburcu that it stands on. The library is called as programs call it, through its shared object.
 */
#include <errno.h>
#include <urcu/urcu-bp.h>
/* The read-side functions, which liburcu lets any program inline. */
#include <urcu/static/urcu-bp.h>

#include "common.h"
#include "ops.h"

#define SLICES 41u

/* The compiler must not know what is done between begin and end, nor move it. */
static inline void use(const void *mem)
{
	__asm__ volatile("" : : "r"(mem) : "memory");
}

static uint64_t rcu_inline(const void *mem, uint32_t count)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i++) {
		_urcu_bp_read_lock();
		use(mem);
		_urcu_bp_read_unlock();
	}
	return now_ns() - start;
}

static uint64_t rcu_call(const void *mem, uint32_t count)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i++) {
		urcu_bp_read_lock();
		use(mem);
		urcu_bp_read_unlock();
	}
	return now_ns() - start;
}

/* mask: 0 for the same object every time, 63 for all of them. */
static uint64_t objects(struct zs_pool *pool, const zs_handle *handles, uint32_t mask, uint32_t count)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i++) {
		zs_handle handle = handles[i & mask];
		const void *mem = zs_obj_read_begin(pool, handle, NULL);

		if (mem == NULL)
			fail(errno, "read");
		use(mem);
		zs_obj_read_end(pool, handle, mem);
	}
	return now_ns() - start;
}

void ops_read(struct zs_pool *pool, const zs_handle *handles, uint32_t count, double ns[READ_WHATS])
{
	double slice_ns[READ_WHATS][SLICES];
	uint32_t slice = count / SLICES + 1;

	for (uint32_t i = 0; i < SLICES; i++) {
		slice_ns[READ_RCU_INLINE][i] = (double)rcu_inline(handles, slice) / slice;
		slice_ns[READ_SAME][i] = (double)objects(pool, handles, 0, slice) / slice;
		slice_ns[READ_RCU_CALL][i] = (double)rcu_call(handles, slice) / slice;
		slice_ns[READ_64][i] = (double)objects(pool, handles, 63, slice) / slice;
	}
	for (int i = 0; i < READ_WHATS; i++)
		ns[i] = median(slice_ns[i], SLICES);
}
