/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hugepage.c - a pool with and without ZS_POOL_HUGEPAGE, and with ZS_POOL_MLOCK: one line of JSON, medians over rounds
 * of the ratios to the pool without either, taken within a round; the options are measured in turn.
 *
 *   bench_hugepage --dataset FILE
 *
 *   fill        time of malloc and write of OBJECTS objects
 *   worst_fill  the longest single one
 *   read        time of reading random objects in full
 *   rss         resident memory after the fill, and after_free after freeing 70 % at random and zs_compact()
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

#include "common.h"
#include "dataset.h"

#define OBJECTS 150000u
#define READS 300000u
#define ROUNDS 5u

enum { PLAIN, HUGE_PAGES, LOCKED, OPTIONS };

struct measured {
	double fill, worst_fill, read, rss, after_free;
};

static struct dataset data;
static zs_handle *handles;
static uint32_t *sizes;

static void fill(struct zs_pool *pool, struct rng *r, struct measured *m)
{
	uint64_t worst = 0, start = now_ns(), last = start;

	for (uint32_t i = 0; i < OBJECTS; i++) {
		sizes[i] = data.size[rng_below(r, data.sizes)];
		handles[i] = zs_malloc(pool, sizes[i], 0);
		if (handles[i] == 0)
			fail(errno, "zs_malloc");
		(void)zs_obj_write(pool, handles[i], dataset_content(&data, i), sizes[i]);
		uint64_t now = now_ns();

		worst = now - last > worst ? now - last : worst;
		last = now;
	}
	m->fill = (double)(last - start);
	m->worst_fill = (double)worst;
}

static void read_all(struct zs_pool *pool, struct rng *r, struct measured *m)
{
	uint64_t sum = 0, start = now_ns();

	for (uint32_t i = 0; i < READS; i++) {
		uint32_t k = rng_below(r, OBJECTS);
		const uint8_t *mem = zs_obj_read_begin(pool, handles[k], NULL);

		for (uint32_t at = 0; at < sizes[k]; at += 64)
			sum += mem[at];
		zs_obj_read_end(pool, handles[k], mem);
	}
	m->read = (double)(now_ns() - start) + (double)(sum == 1);
}

static struct measured measure(unsigned option, uint64_t seed)
{
	static const unsigned flags[OPTIONS] = { 0, ZS_POOL_HUGEPAGE, ZS_POOL_MLOCK };
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct measured m = { 0 };
	struct rng r = { seed };
	uint64_t before = rss_bytes();

	o.flags = flags[option];
	struct zs_pool *pool = zs_create_pool_with("hugepage", &o);

	if (pool == NULL)
		fail(errno, "zs_create_pool_with");
	fill(pool, &r, &m);
	m.rss = (double)(rss_bytes() - before);
	read_all(pool, &r, &m);
	for (uint32_t i = 0; i < OBJECTS; i++)
		if (rng_below(&r, 100) < 70)
			zs_free(pool, handles[i]);
	(void)zs_compact(pool);
	m.after_free = (double)(rss_bytes() - before);
	zs_destroy_pool(pool);
	return m;
}

static void print_ratios(const char *name, struct measured m[ROUNDS][OPTIONS], unsigned option)
{
	double ratio[5][ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		const struct measured *a = &m[round][option], *b = &m[round][PLAIN];

		ratio[0][round] = a->fill / b->fill;
		ratio[1][round] = a->worst_fill / b->worst_fill;
		ratio[2][round] = a->read / b->read;
		ratio[3][round] = a->rss / b->rss;
		ratio[4][round] = a->after_free / b->after_free;
	}
	printf("\"%s\":{\"fill\":%.3f,\"worst_fill\":%.2f,\"read\":%.3f,\"rss\":%.4f,\"after_free\":%.4f}", name,
	       median(ratio[0], ROUNDS), median(ratio[1], ROUNDS), median(ratio[2], ROUNDS), median(ratio[3], ROUNDS),
	       median(ratio[4], ROUNDS));
}

int main(int argc, char **argv)
{
	static struct measured m[ROUNDS][OPTIONS];

	if (argc != 3 || strcmp(argv[1], "--dataset") != 0)
		fail(0, "usage: bench_hugepage --dataset FILE");
	data = dataset_load(argv[2]);
	handles = pages(OBJECTS * sizeof(*handles));
	sizes = pages(OBJECTS * sizeof(*sizes));
	touch_program();
	(void)measure(PLAIN, 99);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned option = 0; option < OPTIONS; option++)
			m[round][option] = measure(option, round + 1);
	printf("{\"bench\":\"hugepage\",");
	print_ratios("hugepage", m, HUGE_PAGES);
	printf(",");
	print_ratios("mlock", m, LOCKED);
	printf("}\n");
	return 0;
}
