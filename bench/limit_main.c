/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limit_main.c - bench_limit: a cache that is full, in a pool with a limit and with malloc(), which may hold as many
 * bytes of values as the pool's cache had. In slices, in turn, round after round. One line of JSON:
 *
 *   ratio      of each round: sets a second with the pool by those with malloc()
 *   cpu_ratio  the same by the processor time of the threads
 *   payload    bytes of values by the limit, after each round
 *   longest    of each round, ns: set with the pool, set with malloc(), an empty operation (the clock read twice)
 *
 * A value is one object of a size of the data set, or (--mixed) 50 bytes to 64 KiB, all sizes equally often.
 */
#include "limit.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common.h"

#define MAX_THREADS 64u
#define MAX_ROUNDS 64u
#define MIN_VALUE 50u
#define PLAN 65536u /* a power of two: sizes chosen beforehand, used round and round */

static const char usage[] =
	"usage: bench_limit --dataset FILE [--seed N] [--rounds N] [--threads N] [--mebibytes N] [--slice-ms N] [--mixed]\n"
	"                   [--page-size N] [--shrinker] [--nowait | --no-compact]\n"
	"Defaults: seed 1, 5 rounds, 1 thread, 128 MiB, slices of 500 ms, pages of 4096. Prints one line of JSON.\n";

enum what { POOL, MALLOC, WHATS };

static struct {
	const char *dataset;
	struct dataset data;
	uint64_t seed, limit, slice_ns;
	unsigned rounds, threads, flags;
	uint32_t page_size;
	bool mixed, shrinker;
} o = { .seed = 1,
	.limit = UINT64_C(128) << 20,
	.slice_ns = 500000000,
	.rounds = 5,
	.threads = 1,
	.page_size = DATASET_PAGE };

struct worker {
	uint32_t size[PLAN];
	uint32_t next;
	uint64_t sets;
	double per_second, per_cpu_second;
	uint64_t longest, longest_empty; /* ns, in the last slice */
	pthread_t thread;
};

static struct fifo *cache[WHATS];

static struct {
	pthread_barrier_t begin, end;
	enum what what;
	uint64_t turnover; /* not 0: set values until this many bytes went in, instead of until the time is over */
	bool over;
} slice;

/* Processor time of this thread: on a machine that is busy with other things it says more. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void set_next(struct worker *w)
{
	uint32_t n = w->next++;
	uint32_t size = w->size[n % PLAN];
	uint32_t content = n % (o.data.contents - MAX_VALUE / DATASET_PAGE);

	fifo_set(cache[slice.what], dataset_content(&o.data, content), size);
	w->sets++;
}

static void work(struct worker *w)
{
	uint64_t start = now_ns(), before = start, done = w->sets, cpu = cpu_ns();

	w->longest = w->longest_empty = 0;
	for (;;) {
		uint64_t empty = now_ns();

		w->longest_empty = empty - before > w->longest_empty ? empty - before : w->longest_empty;
		if (empty - start >= o.slice_ns)
			break;
		set_next(w);
		before = now_ns();
		w->longest = before - empty > w->longest ? before - empty : w->longest;
	}
	w->per_second = (double)(w->sets - done) * 1e9 / (double)(now_ns() - start);
	w->per_cpu_second = (double)(w->sets - done) * 1e9 / (double)(cpu_ns() - cpu);
}

/* Until the cache is in the state in which it stays. */
static void turn_over(struct worker *w)
{
	for (uint64_t set = 0; set < slice.turnover;) {
		uint32_t size = w->size[w->next % PLAN];

		set_next(w);
		set += size;
	}
}

static void *worker(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		pthread_barrier_wait(&slice.begin);
		if (slice.over)
			return NULL;
		if (slice.turnover != 0)
			turn_over(w);
		else
			work(w);
		pthread_barrier_wait(&slice.end);
	}
}

static void run_slice(enum what what, uint64_t turnover)
{
	slice.what = what;
	slice.turnover = turnover;
	pthread_barrier_wait(&slice.begin);
	pthread_barrier_wait(&slice.end);
}

static struct zs_pool *make_pool(void)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;

	options.limit_bytes = o.limit;
	options.page_size = o.page_size;
	struct zs_pool *pool = zs_create_pool_with("limit", &options);

	if (pool == NULL)
		fail(errno, "pool");
	if (o.shrinker && zs_register_shrinker(pool, NULL) != 0)
		fail(errno, "shrinker");
	return pool;
}

static struct worker *start(struct zs_pool *pool)
{
	struct worker *w = pages(o.threads * sizeof(*w));
	struct rng rng = { o.seed };
	uint64_t most = o.mixed ? o.limit / 8192 : o.limit / 512;

	cache[POOL] = fifo_make(pool, o.page_size, o.flags, most);
	cache[MALLOC] = fifo_make(NULL, MAX_VALUE, 0, most);

	pthread_barrier_init(&slice.begin, NULL, o.threads + 1);
	pthread_barrier_init(&slice.end, NULL, o.threads + 1);
	for (unsigned i = 0; i < o.threads; i++) {
		for (uint32_t n = 0; n < PLAN; n++)
			w[i].size[n] = o.mixed ? MIN_VALUE + rng_below(&rng, MAX_VALUE - MIN_VALUE + 1)
					       : o.data.size[rng_below(&rng, o.data.sizes)];
		int error = pthread_create(&w[i].thread, NULL, worker, &w[i]);

		if (error != 0)
			fail(error, "thread");
	}
	return w;
}

struct speed {
	double per_second, per_cpu_second;
};

/* One slice; adds up what the threads did. */
static struct speed measure(struct worker *w, enum what what, uint64_t *longest, uint64_t *longest_empty)
{
	struct speed speed = { 0 };

	run_slice(what, 0);
	for (unsigned i = 0; i < o.threads; i++) {
		speed.per_second += w[i].per_second;
		speed.per_cpu_second += w[i].per_cpu_second / o.threads;
		*longest = w[i].longest > *longest ? w[i].longest : *longest;
		*longest_empty = w[i].longest_empty > *longest_empty ? w[i].longest_empty : *longest_empty;
	}
	return speed;
}

static void print_list(const char *name, const double *value, const char *format)
{
	printf(",\"%s\":[", name);
	for (unsigned i = 0; i < o.rounds; i++) {
		if (i > 0)
			putchar(',');
		if (format[0] == 'f')
			printf("%.4f", value[i]);
		else
			printf("%.0f", value[i]);
	}
	putchar(']');
}

static void run(struct worker *w)
{
	double ratio[MAX_ROUNDS], cpu_ratio[MAX_ROUNDS], payload[MAX_ROUNDS], speed[WHATS][MAX_ROUNDS];
	double longest[WHATS][MAX_ROUNDS], empty[MAX_ROUNDS];
	uint64_t sets = 0, refusals = 0;

	/* What asks for no new memory can't fill a pool. */
	cache[POOL]->flags &= ~ZS_NOWAIT;
	run_slice(POOL, 3 * o.limit / o.threads);
	cache[POOL]->flags = o.flags;
	cache[MALLOC]->bound = cache[POOL]->live;
	sets -= cache[POOL]->head;
	refusals -= cache[POOL]->refusals;
	run_slice(MALLOC, 3 * o.limit / o.threads);
	for (unsigned i = 0; i < o.rounds; i++) {
		uint64_t most[WHATS] = { 0 }, none = 0;
		struct speed of[WHATS];

		for (enum what what = POOL; what < WHATS; what++)
			of[what] = measure(w, what, &most[what], &none);
		for (enum what what = POOL; what < WHATS; what++)
			speed[what][i] = of[what].per_second;
		ratio[i] = speed[POOL][i] / speed[MALLOC][i];
		cpu_ratio[i] = of[POOL].per_cpu_second / of[MALLOC].per_cpu_second;
		payload[i] = (double)cache[POOL]->live / (double)o.limit;
		longest[POOL][i] = (double)most[POOL];
		longest[MALLOC][i] = (double)most[MALLOC];
		empty[i] = (double)none;
	}
	sets += cache[POOL]->head;
	refusals += cache[POOL]->refusals;
	printf("{\"bench\":\"limit\",\"threads\":%u,\"mixed\":%s,\"page_size\":%" PRIu32 ",\"shrinker\":%s,\"flags\":%u"
	       ",\"refusals_per_set\":%.3f",
	       o.threads, o.mixed ? "true" : "false", o.page_size, o.shrinker ? "true" : "false", o.flags,
	       (double)refusals / (double)sets);
	print_list("ratio", ratio, "f");
	print_list("cpu_ratio", cpu_ratio, "f");
	print_list("payload", payload, "f");
	print_list("pool_per_second", speed[POOL], "0");
	print_list("malloc_per_second", speed[MALLOC], "0");
	print_list("longest_ns", longest[POOL], "0");
	print_list("malloc_longest_ns", longest[MALLOC], "0");
	print_list("empty_longest_ns", empty, "0");
	puts("}");
}

static bool read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dataset", required_argument, NULL, 'd' },   { "seed", required_argument, NULL, 'r' },
		{ "rounds", required_argument, NULL, 'n' },    { "threads", required_argument, NULL, 't' },
		{ "mebibytes", required_argument, NULL, 'l' }, { "slice-ms", required_argument, NULL, 'm' },
		{ "mixed", no_argument, NULL, 'x' },           { "page-size", required_argument, NULL, 'p' },
		{ "shrinker", no_argument, NULL, 's' },        { "nowait", no_argument, NULL, 'w' },
		{ "no-compact", no_argument, NULL, 'c' },      { NULL, 0, NULL, 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'd')
			o.dataset = optarg;
		else if (c == 'r')
			o.seed = number("--seed", optarg, 0, UINT64_MAX);
		else if (c == 'n')
			o.rounds = (unsigned)number("--rounds", optarg, 1, MAX_ROUNDS);
		else if (c == 't')
			o.threads = (unsigned)number("--threads", optarg, 1, MAX_THREADS);
		else if (c == 'l')
			o.limit = number("--mebibytes", optarg, 4, 65536) << 20;
		else if (c == 'm')
			o.slice_ns = number("--slice-ms", optarg, 1, 60000) * 1000000;
		else if (c == 'x')
			o.mixed = true;
		else if (c == 'p')
			o.page_size = (uint32_t)number("--page-size", optarg, 4096, 65536);
		else if (c == 's')
			o.shrinker = true;
		else if (c == 'w')
			o.flags = ZS_NOWAIT;
		else if (c == 'c')
			o.flags = ZS_NO_COMPACT;
		else
			return false;
	}
	return o.dataset != NULL && optind == argc;
}

int main(int argc, char **argv)
{
	if (!read_options(argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	o.data = dataset_load(o.dataset);
	if (o.data.contents <= MAX_VALUE / DATASET_PAGE)
		fail(0, "%s: more than %u pages of contents are needed", o.dataset, MAX_VALUE / DATASET_PAGE);

	struct zs_pool *pool = make_pool();
	struct worker *w = start(pool);

	run(w);
	slice.over = true;
	pthread_barrier_wait(&slice.begin);
	for (unsigned i = 0; i < o.threads; i++)
		pthread_join(w[i].thread, NULL);
	fifo_empty(cache[POOL]);
	fifo_empty(cache[MALLOC]);
	if (zs_pool_validate(pool) != 0)
		fail(errno, "the pool is not valid");
	zs_destroy_pool(pool);
	return fflush(stdout) == 0 ? 0 : 1;
}
