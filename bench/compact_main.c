/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compact_main.c - bench_compact: what compaction achieves and what others notice of it. One process, one line of JSON.
 */
#include "compact.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

static void print_rate(const struct compact_rate *r)
{
	printf(",\"rate\":{\"live\":%" PRIu64 ",\"moved\":%" PRIu64 ",\"moved_bytes\":%" PRIu64 ",\"pages\":%" PRIu64
	       ",\"compact_ns\":%" PRIu64 ",\"memcpy_ns\":%" PRIu64 ",\"release_ns\":%" PRIu64 "}",
	       r->live, r->moved, r->moved_bytes, r->pages, r->compact_ns, r->memcpy_ns, r->release_ns);
}

static void print_beside(const struct compact_beside *b)
{
	printf(",\"beside\":{\"alone\":%.0f,\"compaction\":%.0f,\"copying\":%.0f,\"moved_per_second\":%.0f}",
	       b->per_second[BESIDE_NOTHING], b->per_second[BESIDE_COMPACTION], b->per_second[BESIDE_COPYING],
	       b->moved_per_second);
}

static void print_latency(const struct compact_latency *l)
{
	static const char *const mode[] = { "alone", "compaction" };
	static const char *const what[TIMEDS] = { "empty", "malloc", "free", "read" };

	printf(",\"latency\":{");
	for (int i = 0; i < 2; i++) {
		printf("%s\"%s\":{\"moved\":%" PRIu64 ",\"switches\":%" PRIu64, i == 0 ? "" : ",", mode[i], l->moved[i],
		       l->switches[i]);
		for (int j = 0; j < TIMEDS; j++) {
			printf(",\"%s\":", what[j]);
			histogram_print(&l->ns[i][j]);
		}
		putchar('}');
	}
	putchar('}');
}

static const char usage[] =
	"usage: bench_compact --dataset FILE [--seed N] [--objects N] [--beside N] [--slice-ms N] [--mebibytes N]\n"
	"Defaults: seed 1; 300000 objects for the rate, 100000 beside compaction in slices of 50 ms, 1024 MiB for the\n"
	"times of single operations. Prints one line of JSON.\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dataset", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 'r' },
		{ "objects", required_argument, NULL, 'n' },
		{ "beside", required_argument, NULL, 'b' },
		{ "slice-ms", required_argument, NULL, 'm' },
		{ "mebibytes", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	static struct compact_latency latency;
	const char *dataset = NULL;
	struct supply supply = { .rng = { 1 } };
	uint32_t objects = 300000;
	uint32_t beside = 100000;
	uint32_t slice_ms = 50;
	uint32_t mebibytes = 1024;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'd')
			dataset = optarg;
		else if (o == 'r')
			supply.rng.state = number("--seed", optarg, 0, UINT64_MAX);
		else if (o == 'n')
			objects = (uint32_t)number("--objects", optarg, 1000, 100000000);
		else if (o == 'b')
			beside = (uint32_t)number("--beside", optarg, 1000, 100000000);
		else if (o == 'm')
			slice_ms = (uint32_t)number("--slice-ms", optarg, 1, 10000);
		else if (o == 'l')
			mebibytes = (uint32_t)number("--mebibytes", optarg, 1, 1048576);
		else
			dataset = NULL, optind = argc + 1;
	}
	if (dataset == NULL || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	supply.data = dataset_load(dataset);

	struct compact_rate r = compact_rate(&supply, objects);
	struct compact_beside b = compact_beside(&supply, beside, slice_ms);

	compact_latency(&latency, &supply, mebibytes);
	printf("{\"bench\":\"compact\",\"objects\":%" PRIu32 ",\"beside_objects\":%" PRIu32 ",\"mebibytes\":%" PRIu32,
	       objects, beside, mebibytes);
	print_rate(&r);
	print_beside(&b);
	print_latency(&latency);
	printf("}\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
