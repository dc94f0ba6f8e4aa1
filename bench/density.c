/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * density.c - bench_density: how much memory an allocator needs for real sizes. One process, one allocator, one line of
 * JSON. Stages, in this order; after each the resident memory is read:
 *
 *   fill      N objects, each allocated and written
 *   churn     5 N times: free one at random, allocate and write one of another size
 *   freed     70 % of the objects, chosen at random, are freed
 *   released  the allocator was asked to give back what it does not need: zs_compact(), or what a malloc() offers
 *
 *   ratio = (RSS after the stage - RSS before the pool was made) / sum of the sizes of the live objects
 *
 * The RSS before is read when everything else is resident: code, arrays of this program, the data set; and after a pool
 * of a few objects was made and destroyed, so that what a library sets up once is there. What that leaves behind is
 * taken for free memory of the process: 64 objects, the same for all allocators.
 *
 * At the end every object is read and compared with what was written, and the pool is validated.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common.h"
#include "dataset.h"
#include "store.h"

enum stage { FILL, CHURN, FREED, RELEASED, STAGES };
static const char *const stage_name[STAGES] = { "fill", "churn", "freed", "released" };

struct object {
	zs_handle handle;
	uint32_t size;
	uint32_t content; /* which page of the data set its bytes are */
};

struct test {
	struct dataset data;
	struct store store;
	struct rng rng;
	struct object *object;
	uint32_t live;
	uint32_t written; /* objects so far: numbers their contents */
	uint64_t requested;
	uint64_t base_rss;
	uint64_t rss[STAGES];
	uint64_t asked[STAGES];
	uint64_t held[STAGES]; /* by the pool's own count */
	uint64_t metadata[STAGES];
	double ns[STAGES]; /* of one operation of the stage; of "released", for one object freed before */
	const char *released_with;
};

static void make_object(struct test *t, struct object *o, uint32_t size)
{
	o->size = size;
	o->content = t->written++;
	o->handle = zpool_malloc(t->store.front, size, 0);
	if (o->handle == 0 ||
	    zpool_obj_write(t->store.front, o->handle, dataset_content(&t->data, o->content), size) != 0)
		fail(errno, "object of %" PRIu32 " bytes", size);
	t->requested += size;
}

static void free_object(struct test *t, const struct object *o)
{
	zpool_free(t->store.front, o->handle);
	t->requested -= o->size;
}

static void check_object(struct test *t, const struct object *o)
{
	char copy[DATASET_PAGE];
	const void *mem = zpool_obj_read_begin(t->store.front, o->handle, copy);

	if (mem == NULL || memcmp(mem, dataset_content(&t->data, o->content), o->size) != 0)
		fail(0, "an object of %" PRIu32 " bytes is not what was written", o->size);
	zpool_obj_read_end(t->store.front, o->handle, mem);
}

static void warm_up(struct test *t, const char *type)
{
	t->store = store_create(type);
	for (uint32_t i = 0; i < 64; i++)
		make_object(t, &t->object[i], (i + 1) * 64);
	for (uint32_t i = 0; i < 64; i++) {
		check_object(t, &t->object[i]);
		free_object(t, &t->object[i]);
	}
	(void)store_release(&t->store);
	store_destroy(&t->store);
}

static void fill(struct test *t, uint32_t objects)
{
	uint32_t first = rng_below(&t->rng, t->data.sizes); /* few objects: other sizes with another seed */

	for (; t->live < objects; t->live++)
		make_object(t, &t->object[t->live], t->data.size[(first + t->live) % t->data.sizes]);
}

static void churn(struct test *t, uint64_t times)
{
	for (uint64_t i = 0; i < times; i++) {
		struct object *o = &t->object[rng_below(&t->rng, t->live)];

		free_object(t, o);
		make_object(t, o, t->data.size[rng_below(&t->rng, t->data.sizes)]);
	}
}

static void free_some(struct test *t, uint32_t keep)
{
	while (t->live > keep) {
		struct object *o = &t->object[rng_below(&t->rng, t->live)];

		free_object(t, o);
		*o = t->object[--t->live];
	}
}

static void end_stage(struct test *t, enum stage stage, uint64_t start_ns, uint64_t operations)
{
	t->ns[stage] = (double)(now_ns() - start_ns) / (double)operations;
	t->rss[stage] = rss_bytes();
	t->asked[stage] = t->requested;
	store_held_bytes(&t->store, &t->held[stage], &t->metadata[stage]);
}

static void run(struct test *t, const char *type, uint32_t objects, uint32_t churns)
{
	uint32_t keep = (uint32_t)((uint64_t)objects * 3 / 10);

	touch_program();
	warm_up(t, type);
	t->base_rss = rss_bytes();
	t->store = store_create(type);

	uint64_t start = now_ns();

	fill(t, objects);
	end_stage(t, FILL, start, objects);
	start = now_ns();
	churn(t, (uint64_t)churns * objects);
	end_stage(t, CHURN, start, churns == 0 ? 1 : (uint64_t)churns * objects);
	start = now_ns();
	free_some(t, keep);
	end_stage(t, FREED, start, objects - keep);
	start = now_ns();
	t->released_with = store_release(&t->store);
	end_stage(t, RELEASED, start, objects - keep);

	if (t->store.pool != NULL && zs_pool_validate(t->store.pool) != 0)
		fail(errno, "the pool is not valid");
	for (uint32_t i = 0; i < t->live; i++) {
		check_object(t, &t->object[i]);
		free_object(t, &t->object[i]);
	}
	store_destroy(&t->store);
}

static double ratio(const struct test *t, enum stage stage)
{
	return ((double)t->rss[stage] - (double)t->base_rss) / (double)t->asked[stage];
}

static void print_stages(const char *key, const double value[STAGES], int digits)
{
	printf(",\"%s\":{", key);
	for (int i = 0; i < STAGES; i++)
		printf("%s\"%s\":%.*f", i == 0 ? "" : ",", stage_name[i], digits, value[i]);
	putchar('}');
}

static void print(const struct test *t, const char *type, uint32_t objects, uint32_t churns, uint64_t seed)
{
	const char *name = strcmp(type, "malloc") == 0 ? store_malloc_name() : type;
	double ratios[STAGES];
	double asked[STAGES];
	double grown[STAGES];
	double held[STAGES];
	double metadata[STAGES];

	for (int i = 0; i < STAGES; i++) {
		ratios[i] = ratio(t, (enum stage)i);
		asked[i] = (double)t->asked[i];
		grown[i] = (double)t->rss[i] - (double)t->base_rss;
		held[i] = (double)t->held[i];
		metadata[i] = (double)t->metadata[i];
	}
	printf("{\"bench\":\"density\",\"allocator\":\"%s\",\"objects\":%" PRIu32 ",\"churns\":%" PRIu32
	       ",\"seed\":%" PRIu64 ",\"released_with\":\"%s\"",
	       name, objects, churns, seed, t->released_with);
	print_stages("ratio", ratios, 5);
	print_stages("requested_bytes", asked, 0);
	print_stages("rss_growth_bytes", grown, 0);
	if (t->store.pool != NULL) {
		print_stages("held_bytes", held, 0);
		print_stages("metadata_bytes", metadata, 0);
	}
	print_stages("ns_per_operation", t->ns, 1);
	printf("}\n");
}

static const char usage[] =
	"usage: bench_density --dataset FILE --store dense|linux|malloc [--objects N] [--churns N] [--seed N]\n"
	"Defaults: 10000 objects, 5 churns, seed 1. Prints one line of JSON.\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dataset", required_argument, NULL, 'd' }, { "store", required_argument, NULL, 's' },
		{ "objects", required_argument, NULL, 'n' }, { "churns", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 'r' },    { NULL, 0, NULL, 0 },
	};
	struct test t = { .live = 0 };
	const char *dataset = NULL;
	const char *type = NULL;
	uint32_t objects = 10000;
	uint32_t churns = 5;
	uint64_t seed = 1;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (o) {
		case 'd':
			dataset = optarg;
			break;
		case 's':
			type = optarg;
			break;
		case 'n':
			objects = (uint32_t)number("--objects", optarg, 100, 100000000);
			break;
		case 'c':
			churns = (uint32_t)number("--churns", optarg, 0, 1000);
			break;
		case 'r':
			seed = number("--seed", optarg, 0, UINT64_MAX);
			break;
		default:
			dataset = NULL;
			optind = argc;
		}
	}
	if (dataset == NULL || type == NULL || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	t.data = dataset_load(dataset);
	t.rng.state = seed;
	t.object = pages(objects * sizeof(*t.object));
	store_setup();
	run(&t, type, objects, churns);
	print(&t, type, objects, churns, seed);
	return fflush(stdout) == 0 ? 0 : 1;
}
