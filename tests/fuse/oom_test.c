/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * oom_test.c - the tree and the data with the Nth request to the heap refused, for N = 1, 2, ... until a run needs no
 * more. What is refused changes nothing, and succeeds when it is done again.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "fault.h"
#include "tree_model.h"

enum { STEPS = 120, MOST = 100000, SIZE = 16 << 20 };

static unsigned refusals;

static void memory_is_back(void)
{
	refusals++;
	(void)fault_cancel();
}

/* Whether the Nth request was reached. */
static bool run(uint64_t nth)
{
	struct tree_model m = { .refused = memory_is_back };
	struct fs *fs = model_fs(SIZE, 0);
	unsigned before = refusals;
	CHECK(fs != NULL);
	uint64_t held = atomic_load(&fs->memory.held);
	fault_order(FAULT_MALLOC, NULL, nth, false);
	model_init(&m, fs, 3, 'o');
	for (unsigned i = 0; i < STEPS; i++)
		model_step(&m);
	bool happened = fault_cancel() || refusals > before;
	model_check(&m);
	model_clear(&m);
	CHECK(atomic_load(&fs->memory.used) == 0);
	model_fini(&m);
	CHECK(atomic_load(&fs->memory.held) >= held);
	fs_destroy(fs);
	return happened;
}

int main(void)
{
	uint64_t nth = 1, runs = 0;
	check_install();
	fault_install();
	for (; nth < MOST; nth++, runs++) {
		check_context("request %llu", (unsigned long long)nth);
		if (!run(nth))
			break;
	}
	CHECK(nth > 100 && nth < MOST && refusals > 20);
	printf("%llu runs, %u refusals\n", (unsigned long long)runs, refusals);
	return 0;
}
