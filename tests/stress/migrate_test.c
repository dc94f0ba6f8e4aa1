/* SPDX-License-Identifier: BSD-3-Clause */
/* migrate_test.c - a caller that takes back pages of its choice while threads work on the objects in them. */
#include <errno.h>
#include <sched.h>

#include "stress.h"

#define THREADS 3u

static _Atomic uint64_t migrated;

static void *body_migrate(void *worker)
{
	struct worker *w = worker;
	struct arena *a = w->arena;

	while (!atomic_load_explicit(&a->stop, memory_order_relaxed)) {
		void *old_page = test_source_pick(a->source, rng_next(&w->rng));
		void *new_page = old_page == NULL ? NULL : test_source_take(a->source);

		if (new_page == NULL) {
			sched_yield();
			continue;
		}
		if (zs_page_migrate(a->pool, new_page, old_page) == 0) {
			test_source_migrated(a->source, new_page, old_page);
			atomic_fetch_add(&migrated, 1);
		} else {
			/* Another thread freed all that was on it, or a writer is on it. */
			CHECK(errno == EINVAL || errno == EBUSY);
			test_source_give(a->source, new_page);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct arena a;

	check_install();
	check_context("stress migrate");
	arena_options(&a, argc, argv);
	CHECK(a.source != NULL);
	arena_open(&a, 600, a.options.page_size);
	struct worker *compact = workers_start(&a, 1, 900, 0, body_compact);
	struct worker *observe = workers_start(&a, 1, 901, 0, body_observe);
	struct worker *migrate = workers_start(&a, 1, 902, 0, body_migrate);

	workers_join(workers_start(&a, THREADS, 1, check_scale(150000), body_steps), THREADS);
	atomic_store(&a.stop, true);
	workers_join(compact, 1);
	workers_join(observe, 1);
	workers_join(migrate, 1);
	CHECK_MSG(migrated > 0, "no page was migrated: the test has seen nothing");
	arena_close(&a);
	return 0;
}
