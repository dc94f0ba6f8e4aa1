/* SPDX-License-Identifier: BSD-3-Clause */
/* codec_data.c - see codec_data.h. */
#include "codec_data.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "rng.h"

enum { FILLER = 0xa5, LEAD_CHECKED = 4096 };

/* A vocabulary that is the same for all seeds, so that a dictionary has something to learn. */
static void fill_words(char *to, size_t n, struct rng *rng)
{
	for (size_t at = 0; at < n;) {
		struct rng word = { .state = rng_below(rng, 120) };
		char text[32];
		int len = snprintf(text, sizeof(text), "%08llx-", (unsigned long long)(uint32_t)rng_next(&word));

		for (int i = 0; i < len && at < n; i++)
			to[at++] = text[i];
	}
}

static void fill_records(char *to, size_t n, struct rng *rng)
{
	for (size_t at = 0; at < n; at += 32) {
		uint64_t record[4] = { 0x00007f3200000000u + rng_below(rng, 1u << 20), rng_below(rng, 100), 0,
				       rng_next(rng) };

		memcpy(to + at, record, n - at < sizeof(record) ? n - at : sizeof(record));
	}
}

void data_fill(void *to, size_t n, enum data_kind kind, uint64_t seed)
{
	struct rng rng = { .state = seed * DATA_KINDS + (uint64_t)kind };
	char *bytes = to;
	size_t random_bytes = kind == DATA_RANDOM ? n : kind == DATA_HALF_RANDOM ? n / 2 : 0;

	memset(to, 0, n);
	if (kind == DATA_WORDS)
		fill_words(to, n, &rng);
	else if (kind == DATA_RECORDS)
		fill_records(to, n, &rng);
	for (size_t i = 0; i < random_bytes; i++)
		bytes[i] = (char)rng_next(&rng);
}

struct edge edge_create(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = LEAD_CHECKED + (n + page - 1) / page * page;
	struct edge e = { .n = n, .map_bytes = (room + page - 1) / page * page + page };

	e.map = mmap(NULL, e.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(e.map != MAP_FAILED);
	CHECK(mprotect(e.map + e.map_bytes - page, page, PROT_NONE) == 0);
	e.start = e.map + e.map_bytes - page - n;
	memset(e.map, FILLER, e.map_bytes - page);
	return e;
}

void edge_check(const struct edge *e)
{
	for (size_t i = 1; i <= LEAD_CHECKED; i++)
		CHECK_MSG(e->start[-(ptrdiff_t)i] == FILLER, "%zu bytes before a buffer of %zu", i, e->n);
}

void edge_destroy(struct edge *e)
{
	edge_check(e);
	CHECK(munmap(e->map, e->map_bytes) == 0);
}
