/* SPDX-License-Identifier: BSD-3-Clause */
/* sample.c - see sample.h. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "message.h"
#include "progress.h"
#include "units.h"

/* SplitMix64: numbers that are the same in each run. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Which piece the next one is: one of each of `wanted` equal parts of `all`. */
struct picker {
	uint64_t all, wanted, part, pick, random;
};

static void pick_next(struct picker *p)
{
	if (p->part == p->wanted) {
		p->pick = UINT64_MAX;
		return;
	}
	uint64_t start = (uint64_t)((unsigned __int128)p->part * p->all / p->wanted);
	p->part++;
	uint64_t end = (uint64_t)((unsigned __int128)p->part * p->all / p->wanted);
	p->pick = start + next_random(&p->random) % (end - start);
}

static uint64_t chunk_pieces(const struct chunk *chunk)
{
	return (chunk->bytes + PIECE_BYTES - 1) / PIECE_BYTES;
}

/* Read one piece of a chunk to the sample's end; pages that can't be read are left out. */
static void take_piece(struct sample *sample, struct page_set *set, const struct chunk *chunk, uint64_t index)
{
	bool good[PIECE_PAGES];
	struct chunk piece = *chunk;
	piece.offset += index * PIECE_BYTES;
	piece.bytes = (uint32_t)(chunk->bytes - index * PIECE_BYTES);
	if (piece.bytes > PIECE_BYTES)
		piece.bytes = PIECE_BYTES;
	unsigned char *to = sample->data + sample->pages * SAMPLE_PAGE;
	page_set_read(set, &piece, to, good);
	size_t pages = chunk_pages(set, &piece), kept = 0;
	for (size_t i = 0; i < pages; i++) {
		if (!good[i])
			continue;
		if (kept != i)
			memmove(to + kept * SAMPLE_PAGE, to + i * SAMPLE_PAGE, SAMPLE_PAGE);
		kept++;
	}
	if (kept < pages)
		atomic_fetch_add(&set->inputs[chunk->input].lost_pages, pages - kept);
	sample->pages += kept;
	sample->pieces++;
}

bool sample_take(struct sample *sample, struct page_set *set, uint64_t limit_bytes)
{
	struct picker picker = { .wanted = limit_bytes / PIECE_BYTES, .random = 1 };
	memset(sample, 0, sizeof(*sample));
	sample->input_pages = set->pages;
	for (size_t i = 0; i < set->chunk_count; i++)
		picker.all += chunk_pieces(&set->chunks[i]);
	if (picker.wanted == 0)
		picker.wanted = 1;
	if (picker.wanted >= picker.all) {
		picker.wanted = picker.all;
		sample->whole = true;
	}
	sample->data = malloc(picker.wanted * PIECE_BYTES);
	if (!sample->data) {
		message("out of memory: a sample of %s is too much (see --sample)",
			format_bytes(picker.wanted * PIECE_BYTES).s);
		return false;
	}
	uint64_t first = 0;
	pick_next(&picker);
	for (size_t i = 0; i < set->chunk_count && !interrupted(); i++) {
		uint64_t pieces = chunk_pieces(&set->chunks[i]);
		for (; picker.pick < first + pieces; pick_next(&picker))
			take_piece(sample, set, &set->chunks[i], picker.pick - first);
		first += pieces;
		progress_draw("reading", picker.part * PIECE_BYTES, picker.wanted * PIECE_BYTES);
	}
	progress_clear();
	return true;
}

void sample_destroy(struct sample *sample)
{
	free(sample->data);
	memset(sample, 0, sizeof(*sample));
}
