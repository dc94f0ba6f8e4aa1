/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random_test.c - random operations on a pool and on a plain map, see support/model.h.
 *
 *   model_random [geometry=dense|linux] [source=arena|scattered|adjacent|reversed] [page=BYTES] [chain=N] [flags=N]
 *                [limit=BYTES] [seed=N] [steps=N] [objects=N]
 *
 * A failure prints these arguments and the step, so that the run can be repeated.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model.h"
#include "rng.h"

#define STEPS_A_BATCH 600u

struct run {
	struct model_config config;
	uint64_t seed;
	uint64_t steps;
};

static const char *const source_names[] = { "arena", "scattered", "adjacent", "reversed" };

static bool set(struct run *run, const char *name, const char *value)
{
	uint64_t number = strtoull(value, NULL, 0);

	if (strcmp(name, "geometry") == 0)
		run->config.geometry = strcmp(value, "linux") == 0 ? ZS_GEOMETRY_LINUX : ZS_GEOMETRY_DENSE;
	else if (strcmp(name, "page") == 0)
		run->config.page_size = number;
	else if (strcmp(name, "chain") == 0)
		run->config.chain_size = (unsigned)number;
	else if (strcmp(name, "flags") == 0)
		run->config.flags = (unsigned)number;
	else if (strcmp(name, "limit") == 0)
		run->config.limit_bytes = number;
	else if (strcmp(name, "objects") == 0)
		run->config.max_objects = number;
	else if (strcmp(name, "seed") == 0)
		run->seed = number;
	else if (strcmp(name, "steps") == 0)
		run->steps = number;
	else if (strcmp(name, "source") == 0)
		for (unsigned i = 0; i < sizeof(source_names) / sizeof(source_names[0]); i++)
			if (strcmp(value, source_names[i]) == 0)
				run->config.source = (enum model_source)i;
	return strcmp(name, "") != 0;
}

/* Larger pages are slower to fill and compare. */
static uint64_t by_page_size(size_t page_size, uint64_t small, uint64_t medium, uint64_t large)
{
	if (page_size >= 65536)
		return large;
	return page_size >= 16384 ? medium : small;
}

static void run_once(const struct run *run)
{
	const struct model_config *c = &run->config;
	struct rng rng = { run->seed };

	check_context("model_random geometry=%s source=%s page=%zu chain=%u flags=%u limit=%llu seed=%llu steps=%llu "
		      "objects=%zu",
		      c->geometry == ZS_GEOMETRY_LINUX ? "linux" : "dense", source_names[c->source], c->page_size,
		      c->chain_size, c->flags, (unsigned long long)c->limit_bytes, (unsigned long long)run->seed,
		      (unsigned long long)run->steps, c->max_objects);

	struct model *m = model_create(c, chooser_of_rng(&rng), run->seed);

	CHECK(m != NULL);
	model_verify(m);
	for (uint64_t step = 1; step <= run->steps; step++) {
		check_step(step);
		model_step(m);
		if (step % STEPS_A_BATCH == 0)
			model_verify(m);
	}
	model_verify(m);
	model_destroy(m);
}

int main(int argc, char **argv)
{
	struct run run = {
		.config = { .page_size = 4096, .max_pages = 1 << 14 },
		.seed = 1,
	};
	static char name[64];

	check_install();
	for (int i = 1; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');

		CHECK(equals != NULL && (size_t)(equals - argv[i]) < sizeof(name));
		snprintf(name, sizeof(name), "%.*s", (int)(equals - argv[i]), argv[i]);
		CHECK(set(&run, name, equals + 1));
	}
	if (run.config.max_objects == 0)
		run.config.max_objects = by_page_size(run.config.page_size, 1500, 600, 250);
	if (run.steps == 0) {
		uint64_t steps = by_page_size(run.config.page_size, 50000, 25000, 12000);

		/* Soaking takes more rounds, each with another seed, not longer ones. */
		run.steps = check_scale(steps) / check_soak_factor();
	}
	run.config.memory_is_short = run.config.limit_bytes != 0;
	for (uint64_t round = 0; round < check_soak_factor(); round++) {
		run_once(&run);
		run.seed = rng_mix(run.seed);
	}
	return 0;
}
