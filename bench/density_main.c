/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * density_main.c - bench_density: how much memory an allocator needs for real sizes, through a history of allocating
 * and freeing. One process, one allocator, one line of JSON. density.h says what the stages are.
 */
#include "density.h"
#include "peer.h"

#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const stage_name[STAGES] = { "fill",     "churn",  "settled",       "freed",
						"released", "refill", "refill_settled" };

static double growth(const struct test *t, const struct stage_result *r)
{
	return (double)r->rss - (double)t->base_rss;
}

static double ratio(const struct test *t, const struct stage_result *r)
{
	return growth(t, r) / (double)r->requested;
}

static double requested(const struct test *t, const struct stage_result *r)
{
	(void)t;
	return (double)r->requested;
}

static double held(const struct test *t, const struct stage_result *r)
{
	(void)t;
	return (double)r->held;
}

static double metadata(const struct test *t, const struct stage_result *r)
{
	(void)t;
	return (double)r->metadata;
}

static double ns(const struct test *t, const struct stage_result *r)
{
	(void)t;
	return r->ns;
}

static double other_threads(const struct test *t, const struct stage_result *r)
{
	(void)t;
	return r->other_threads;
}

static void print_stages(const struct test *t, const char *key,
			 double (*value)(const struct test *t, const struct stage_result *r), int digits)
{
	const char *comma = "";

	printf(",\"%s\":{", key);
	for (int i = 0; i < STAGES; i++) {
		if (!t->result[i].done)
			continue;
		printf("%s\"%s\":%.*f", comma, stage_name[i], digits, value(t, &t->result[i]));
		comma = ",";
	}
	putchar('}');
}

static void print_samples(const struct test *t)
{
	printf(",\"samples\":[");
	for (uint32_t i = 0; i < t->samples; i++) {
		const struct sample *s = &t->sample[i];

		printf("%s[\"%s\",%.4f,%.0f,%" PRIu64 "]", i == 0 ? "" : ",", stage_name[s->stage], s->at,
		       (double)s->rss - (double)t->base_rss, s->requested);
	}
	putchar(']');
}

static void print(const struct test *t, const struct settings *set)
{
	bool other = strcmp(set->store, "malloc") == 0;

	printf("{\"bench\":\"density\",\"allocator\":\"%s\",\"version\":\"%s\",\"history\":\"%s\",\"shrinker\":%u"
	       ",\"objects\":%" PRIu32 ",\"churns\":%" PRIu32 ",\"seed\":%" PRIu64 ",\"released_with\":\"%s\"",
	       other ? peer_name() : set->store, other ? peer_version() : "", set->half ? "half" : "churn",
	       set->shrinker, set->objects, set->churns, set->seed, t->released_with);
	print_stages(t, "ratio", ratio, 5);
	print_stages(t, "requested_bytes", requested, 0);
	print_stages(t, "rss_growth_bytes", growth, 0);
	if (t->store.pool != NULL) {
		print_stages(t, "held_bytes", held, 0);
		print_stages(t, "metadata_bytes", metadata, 0);
	}
	print_stages(t, "ns_per_operation", ns, 1);
	if (set->shrinker != 0)
		print_stages(t, "shrinker_cpu", other_threads, 4);
	if (t->samples != 0)
		print_samples(t);
	printf("}\n");
}

static const char usage[] =
	"usage: bench_density --dataset FILE --store dense|linux|malloc [--history churn|half] [--shrinker PERCENT]\n"
	"                     [--objects N] [--churns N] [--seed N] [--samples N] [--rest SECONDS] [--no-refill]\n"
	"Defaults: history churn, no shrinker, 10000 objects, 5 churns, seed 1, no samples, no rest. Prints one line\n"
	"of JSON.\n";

static const char *parse(struct settings *set, int argc, char **argv)
{
	static const struct option options[] = {
		{ "dataset", required_argument, NULL, 'd' },
		{ "store", required_argument, NULL, 's' },
		{ "history", required_argument, NULL, 'h' },
		{ "shrinker", required_argument, NULL, 'k' },
		{ "objects", required_argument, NULL, 'n' },
		{ "churns", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 'r' },
		{ "samples", required_argument, NULL, 'm' },
		{ "no-refill", no_argument, NULL, 'e' },
		{ "rest", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dataset = NULL;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'd')
			dataset = optarg;
		else if (o == 's')
			set->store = optarg;
		else if (o == 'h' && (strcmp(optarg, "half") == 0 || strcmp(optarg, "churn") == 0))
			set->half = strcmp(optarg, "half") == 0;
		else if (o == 'k')
			set->shrinker = (unsigned)number("--shrinker", optarg, 1, 100);
		else if (o == 'n')
			set->objects = (uint32_t)number("--objects", optarg, 100, 100000000);
		else if (o == 'c')
			set->churns = (uint32_t)number("--churns", optarg, 0, 1000);
		else if (o == 'r')
			set->seed = number("--seed", optarg, 0, UINT64_MAX);
		else if (o == 't')
			set->rest = (unsigned)number("--rest", optarg, 0, 3600);
		else if (o == 'e')
			set->no_refill = true;
		else if (o == 'm')
			set->samples = (uint32_t)number("--samples", optarg, 0, MOST_SAMPLES);
		else
			return NULL;
	}
	return optind == argc && set->store != NULL ? dataset : NULL;
}

int main(int argc, char **argv)
{
	static struct test t;
	struct settings set = { .objects = 10000, .churns = 5, .seed = 1 };
	const char *dataset = parse(&set, argc, argv);

	if (dataset == NULL) {
		fputs(usage, stderr);
		return 2;
	}
	if (set.shrinker != 0 && strcmp(set.store, "malloc") == 0)
		fail(0, "--shrinker: a malloc() has none");
	t.data = dataset_load(dataset);
	t.rng.state = set.seed;
	/* A refill brings smaller objects, so more of them. */
	t.room = 2 * set.objects;
	t.object = pages(t.room * sizeof(*t.object));
	store_setup();
	density_run(&t, &set);
	print(&t, &set);
	return fflush(stdout) == 0 ? 0 : 1;
}
