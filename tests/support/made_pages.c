/* SPDX-License-Identifier: BSD-3-Clause */
/* made_pages.c - see made_pages.h. */
#include "made_pages.h"

#include <string.h>

#define PAGE 4096u

static void put_random(struct rng *rng, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)rng_next(rng);
}

/* Numbers of 4 or 8 bytes that go up, as in tables; most of their bytes are 0. */
static void put_table(struct rng *rng, uint8_t *to, size_t n)
{
	const size_t wide = rng_one_in(rng, 2) ? 4 : 8;
	uint64_t value = rng_below(rng, 100000), step = rng_range(rng, 1, 300);

	for (size_t i = 0; i < n; i++) {
		if (i % wide == 0)
			value += step;
		to[i] = i % wide < 3 ? (uint8_t)(value >> (i % wide * 8)) : 0;
	}
}

/* A few different bytes, in no order. */
static void put_letters(struct rng *rng, uint8_t *to, size_t n)
{
	const uint64_t letters = rng_range(rng, 2, 20);

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)('a' + rng_below(rng, letters));
}

/* What lies somewhere before, once or over and over. */
static void put_copy(struct rng *rng, uint8_t *to, size_t before, size_t n)
{
	const size_t distance = before == 0 ? 0 : (size_t)rng_range(rng, 1, rng_one_in(rng, 2) && before > 40 ? 40 : before);

	for (size_t i = 0; i < n; i++)
		to[i] = distance == 0 ? (uint8_t)i : *(to + i - distance);
}

static void put_word(struct rng *rng, uint8_t *to, size_t n)
{
	const uint64_t word = rng_next(rng) >> rng_below(rng, 56);

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(word >> (i % 8 * 8));
}

/* One piece of any sort. */
static void put_piece(struct rng *rng, uint8_t *page, size_t at, size_t n)
{
	uint8_t *to = page + at;

	switch (rng_below(rng, 7)) {
	case 0:
		put_random(rng, to, n);
		break;
	case 1:
		put_table(rng, to, n);
		break;
	case 2:
		put_letters(rng, to, n);
		break;
	case 3:
		put_word(rng, to, n);
		break;
	case 4:
		memset(to, (int)rng_below(rng, 256), n);
		break;
	case 5:
		memset(to, 0, n);
		break;
	default:
		put_copy(rng, to, at, n);
	}
}

void made_random(struct rng *rng, uint8_t page[4096], size_t n)
{
	put_random(rng, page, n);
	memset(page + n, 0, PAGE - n);
}

void made_run(struct rng *rng, uint8_t page[4096], size_t at, size_t n)
{
	put_piece(rng, page, 0, PAGE);
	memset(page + at, 0, n);
	/* So that the run is just as long. */
	if (at > 0 && page[at - 1] == 0)
		page[at - 1] = 1;
	if (at + n < PAGE && page[at + n] == 0)
		page[at + n] = 1;
}

void made_mixture(struct rng *rng, uint8_t page[4096])
{
	static const size_t longest[] = { 4, 12, 40, 300, 1500, PAGE };
	const size_t most = longest[rng_below(rng, sizeof(longest) / sizeof(longest[0]))];

	for (size_t at = 0; at < PAGE;) {
		size_t n = (size_t)rng_range(rng, 1, most);

		if (n > PAGE - at)
			n = PAGE - at;
		put_piece(rng, page, at, n);
		at += n;
	}
}

void made_any(struct rng *rng, uint8_t page[4096])
{
	size_t at = (size_t)rng_below(rng, PAGE);

	if (rng_one_in(rng, 20)) {
		const uint64_t word = rng_one_in(rng, 2) ? 0 : rng_next(rng);

		for (size_t i = 0; i < PAGE; i += sizeof(word))
			memcpy(page + i, &word, sizeof(word));
	} else if (rng_one_in(rng, 3)) {
		made_random(rng, page, (size_t)rng_range(rng, 1, PAGE));
	} else if (rng_one_in(rng, 3)) {
		made_run(rng, page, at, (size_t)rng_range(rng, 1, PAGE - at));
	} else {
		made_mixture(rng, page);
	}
}
