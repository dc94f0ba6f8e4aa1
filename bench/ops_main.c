/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops_main.c - bench_ops: time of zs_malloc() with zs_free() in a pool of many objects against one of few, and of
 * zs_obj_read_begin() with zs_obj_read_end() against liburcu's own lock and unlock. One process, one line of JSON.
 *
 * Sizes are those of the data set divided by 16, but at least 32, so that millions of objects need no more memory than
 * a small machine has; both pools use the same. Every object is written once.
 *
 *   pair     allocate an object, free it
 *   replace  free an object chosen at random among all of the pool, allocate another of another size. The choice is
 *            made before the clock starts, so what is measured is the allocator, its cache misses included.
 *
 * A round measures everything in short slices, what is compared in turn, and takes the median slice: a machine that
 * gets slower meanwhile does so for both, and a slice that was interrupted does not count. A ratio is always one of two
 * numbers of the same round.
 */
#include "ops.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"
#include "dataset.h"

#define BATCH 256u
#define MOST_ROUNDS 1000u
#define SLICES 9u

enum what { PAIR_SMALL, PAIR_LARGE, REPLACE_SMALL, REPLACE_LARGE, WHATS };
static const char *const what_name[WHATS] = { "pair_small", "pair_large", "replace_small", "replace_large" };
static const char *const read_name[READ_WHATS] = { "rcu_inline", "rcu_call", "read_same", "read_64" };

/* A pool and its live objects. */
struct crowd {
	struct zs_pool *pool;
	zs_handle *handle;
	uint32_t count;
};

struct settings {
	const char *dataset;
	enum zs_geometry geometry;
	uint32_t small;
	uint32_t large;
	uint32_t rounds;
	uint32_t pairs;
	uint32_t reads;
};

static struct dataset data;
static struct rng rng = { 1 };

static uint32_t random_size(void)
{
	uint32_t size = data.size[rng_below(&rng, data.sizes)] / 16u;

	return size < 32 ? 32 : size;
}

static zs_handle allocate(struct zs_pool *pool, uint32_t size)
{
	zs_handle handle = zs_malloc(pool, size, 0);

	if (handle == 0)
		fail(errno, "object of %" PRIu32 " bytes", size);
	return handle;
}

static struct crowd gather(const char *name, const struct settings *set, uint32_t count)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	struct crowd c = { .count = count };

	options.geometry = set->geometry;
	c.pool = zs_create_pool_with(name, &options);
	if (c.pool == NULL)
		fail(errno, "pool");
	c.handle = pages(count * sizeof(*c.handle));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t size = random_size();

		c.handle[i] = allocate(c.pool, size);
		if (zs_obj_write(c.pool, c.handle[i], dataset_content(&data, i), size) != 0)
			fail(errno, "write");
	}
	return c;
}

static double pairs(const struct crowd *c, uint32_t count)
{
	uint32_t size[BATCH];
	uint64_t spent = 0;

	for (uint32_t done = 0; done < count; done += BATCH) {
		for (uint32_t i = 0; i < BATCH; i++)
			size[i] = random_size();

		uint64_t start = now_ns();

		for (uint32_t i = 0; i < BATCH; i++)
			zs_free(c->pool, allocate(c->pool, size[i]));
		spent += now_ns() - start;
	}
	return (double)spent / ((count + BATCH - 1) / BATCH * BATCH);
}

/* Bring as many different objects, chosen at random, to the end of the crowd. */
static zs_handle *choose(struct crowd *c, uint32_t batch)
{
	for (uint32_t i = 0; i < batch; i++) {
		uint32_t last = c->count - 1 - i;
		uint32_t any = rng_below(&rng, last + 1);
		zs_handle handle = c->handle[any];

		c->handle[any] = c->handle[last];
		c->handle[last] = handle;
	}
	return c->handle + (c->count - batch);
}

static double replace(struct crowd *c, uint32_t count)
{
	uint32_t size[BATCH];
	uint64_t spent = 0;

	for (uint32_t done = 0; done < count; done += BATCH) {
		zs_handle *chosen = choose(c, BATCH);

		for (uint32_t i = 0; i < BATCH; i++)
			size[i] = random_size();

		uint64_t start = now_ns();

		for (uint32_t i = 0; i < BATCH; i++) {
			zs_free(c->pool, chosen[i]);
			chosen[i] = allocate(c->pool, size[i]);
		}
		spent += now_ns() - start;
	}
	return (double)spent / ((count + BATCH - 1) / BATCH * BATCH);
}

static void measure(struct crowd *few, struct crowd *many, const struct settings *set, double ns[WHATS])
{
	double slice_ns[WHATS][SLICES];
	uint32_t slice = set->pairs / SLICES + 1;

	for (uint32_t i = 0; i < SLICES; i++) {
		slice_ns[PAIR_SMALL][i] = pairs(few, slice);
		slice_ns[PAIR_LARGE][i] = pairs(many, slice);
	}
	for (uint32_t i = 0; i < SLICES; i++) {
		slice_ns[REPLACE_SMALL][i] = replace(few, slice);
		slice_ns[REPLACE_LARGE][i] = replace(many, slice);
	}
	for (int i = 0; i < WHATS; i++)
		ns[i] = median(slice_ns[i], SLICES);
}

static void print_column(const char *name, const double *first, size_t stride, uint32_t rounds)
{
	printf("%s\"%s\":[", name == what_name[0] || name == read_name[0] ? "" : ",", name);
	for (uint32_t r = 0; r < rounds; r++)
		printf("%s%.3f", r == 0 ? "" : ",", first[r * stride]);
	putchar(']');
}

static void print(const struct settings *set, double (*ns)[WHATS], double (*read_ns)[READ_WHATS])
{
	printf("{\"bench\":\"ops\",\"geometry\":\"%s\",\"small\":%" PRIu32 ",\"large\":%" PRIu32 ",\"rounds\":%" PRIu32
	       ",\"pairs\":%" PRIu32 ",\"reads\":%" PRIu32 ",\"malloc_free_ns\":{",
	       set->geometry == ZS_GEOMETRY_LINUX ? "linux" : "dense", set->small, set->large, set->rounds, set->pairs,
	       set->reads);
	for (int i = 0; i < WHATS; i++)
		print_column(what_name[i], &ns[0][i], WHATS, set->rounds);
	printf("},\"read_ns\":{");
	for (int i = 0; i < READ_WHATS; i++)
		print_column(read_name[i], &read_ns[0][i], READ_WHATS, set->rounds);
	printf("}}\n");
}

static void run(const struct settings *set)
{
	static double ns[MOST_ROUNDS][WHATS];
	static double read_ns[MOST_ROUNDS][READ_WHATS];
	struct crowd few = gather("few", set, set->small);
	struct crowd many = gather("many", set, set->large);

	measure(&few, &many, set, ns[0]); /* not counted: caches, clock, branch predictors */
	ops_read(few.pool, few.handle, set->reads, read_ns[0]);
	for (uint32_t r = 0; r < set->rounds; r++) {
		measure(&few, &many, set, ns[r]);
		ops_read(few.pool, few.handle, set->reads, read_ns[r]);
	}
	if (zs_pool_validate(few.pool) != 0 || zs_pool_validate(many.pool) != 0)
		fail(errno, "a pool is not valid");
	zs_destroy_pool(few.pool);
	zs_destroy_pool(many.pool);
	print(set, ns, read_ns);
}

static const char usage[] =
	"usage: bench_ops --dataset FILE [--linux] [--small N] [--large N] [--rounds N] [--pairs N] [--reads N]\n"
	"Defaults: 40000 and 4000000 live objects, 9 rounds, 200000 pairs and 2000000 reads a round.\n"
	"Prints one line of JSON: nanoseconds of each round.\n";

static bool parse(struct settings *set, int argc, char **argv)
{
	static const struct option options[] = {
		{ "dataset", required_argument, NULL, 'd' }, { "linux", no_argument, NULL, 'k' },
		{ "small", required_argument, NULL, 's' },   { "large", required_argument, NULL, 'l' },
		{ "rounds", required_argument, NULL, 'r' },  { "pairs", required_argument, NULL, 'p' },
		{ "reads", required_argument, NULL, 'e' },   { NULL, 0, NULL, 0 },
	};

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'd')
			set->dataset = optarg;
		else if (o == 'k')
			set->geometry = ZS_GEOMETRY_LINUX;
		else if (o == 's')
			set->small = (uint32_t)number("--small", optarg, BATCH, 100000000);
		else if (o == 'l')
			set->large = (uint32_t)number("--large", optarg, BATCH, 100000000);
		else if (o == 'r')
			set->rounds = (uint32_t)number("--rounds", optarg, 1, MOST_ROUNDS);
		else if (o == 'p')
			set->pairs = (uint32_t)number("--pairs", optarg, 1, 1000000000);
		else if (o == 'e')
			set->reads = (uint32_t)number("--reads", optarg, 1, 1000000000);
		else
			return false;
	}
	return set->dataset != NULL && optind == argc;
}

int main(int argc, char **argv)
{
	struct settings set = { .small = 40000, .large = 4000000, .rounds = 9, .pairs = 200000, .reads = 2000000 };

	if (!parse(&set, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	data = dataset_load(set.dataset);
	run(&set);
	return fflush(stdout) == 0 ? 0 : 1;
}
