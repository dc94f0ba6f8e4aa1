/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * speed_main.c - bench_speed, with this library's handles, and bench_speed_malloc, with plain pointers: the same
 * operations on the same objects. One process, one line of JSON.
 */
#include "speed.h"
#include "peer.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: bench_speed[_malloc] --dataset FILE [--seed N] [--live N] [--pairs N] [--objects N] [--slice-ms N]\n"
	"Defaults: seed 1, 20000 live objects, 200000 pairs, 300000 objects, slices of 20 ms. Prints one line\n"
	"of JSON.\n";

#ifdef BENCH_PLAIN
static const bool plain = true;
#else
static const bool plain = false;
#endif

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dataset", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 'r' },
		{ "live", required_argument, NULL, 'l' },
		{ "pairs", required_argument, NULL, 'p' },
		{ "objects", required_argument, NULL, 'n' },
		{ "slice-ms", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dataset = NULL;
	struct supply supply = { .rng = { 1 } };
	uint32_t live = 20000;
	uint32_t pairs = 200000;
	uint32_t objects = 300000;
	uint32_t slice_ms = 20;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'd')
			dataset = optarg;
		else if (o == 'r')
			supply.rng.state = number("--seed", optarg, 0, UINT64_MAX);
		else if (o == 'l')
			live = (uint32_t)number("--live", optarg, 1, 100000000);
		else if (o == 'p')
			pairs = (uint32_t)number("--pairs", optarg, 1, 1000000000);
		else if (o == 'n')
			objects = (uint32_t)number("--objects", optarg, 1, 100000000);
		else if (o == 'm')
			slice_ms = (uint32_t)number("--slice-ms", optarg, 1, 10000);
		else
			dataset = NULL, optind = argc + 1;
	}
	if (dataset == NULL || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	supply.data = dataset_load(dataset);

	struct speed_pairs p = speed_pairs(&supply, live, pairs);
	struct speed_threads t = speed_threads(&supply, live, slice_ms);
	struct speed_bulk b = speed_bulk(&supply, objects);

	printf("{\"bench\":\"speed\",\"allocator\":\"%s\",\"version\":\"%s\",\"live\":%" PRIu32 ",\"objects\":%" PRIu32
	       ",\"pair_ns\":{\"same\":%.2f,\"replace\":%.2f,\"replace_other\":%.2f}"
	       ",\"per_second\":{\"fill\":%.0f,\"churn\":%.0f,\"read\":%.0f}"
	       ",\"threads_per_second\":{\"replace\":[%.0f,%.0f],\"read\":[%.0f,%.0f]}}\n",
	       plain ? peer_name() : "dense", plain ? peer_version() : "", live, objects, p.same, p.replace,
	       p.replace_other, b.fill, b.churn, b.read, t.replace[0], t.replace[1], t.read[0], t.read[1]);
	return fflush(stdout) == 0 ? 0 : 1;
}
