/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mixed_test.c - threads that allocate, write, read, map and free while others compact, validate and look on. Threads
 * end and others take over, several times: what a thread leaves behind must not be lost.
 */
#include "stress.h"

#define THREADS 4u
#define ROUNDS 4u

int main(int argc, char **argv)
{
	static struct arena a;
	uint64_t operations = check_scale(150000) / ROUNDS;

	check_install();
	check_context("stress mixed");
	arena_options(&a, argc, argv);
	arena_open(&a, 1200, a.options.page_size);
	struct worker *compact = workers_start(&a, 1, 900, 0, body_compact);
	struct worker *observe = workers_start(&a, 1, 901, 0, body_observe);

	for (unsigned round = 0; round < ROUNDS; round++) {
		check_step(round);
		workers_join(workers_start(&a, THREADS, 10 * round, operations, body_steps), THREADS);
	}
	atomic_store(&a.stop, true);
	workers_join(compact, 1);
	workers_join(observe, 1);
	arena_close(&a);
	return 0;
}
