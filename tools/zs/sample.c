/* SPDX-License-Identifier: BSD-3-Clause */
/* sample.c - evenly spread pieces of the inputs, as many as are asked for and fit. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "message.h"
#include "progress.h"
#include "random.h"
#include "spare_memory.h"
#include "units.h"

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
	p->pick = start + random_next(&p->random) % (end - start);
}

static uint64_t range_pieces(const struct range *range)
{
	return range->bytes / PIECE_BYTES + (range->bytes % PIECE_BYTES != 0);
}

/* Of the input that has this range. A stream's range is what was kept of it, and stands for all that went by. */
static uint64_t passed_pieces(const struct page_set *set, const struct range *range)
{
	uint64_t passed = set->inputs[range->input].passed_pages;
	return passed ? passed / PIECE_PAGES : range_pieces(range);
}

/* Read one piece of a range to the sample's end; pages that can't be read are left out. */
static void take_piece(struct sample *sample, struct page_set *set, const struct range *range, uint64_t index)
{
	bool good[PIECE_PAGES];
	uint64_t start = index * PIECE_BYTES, rest = range->bytes - start;
	const struct chunk piece = {
		.offset = range->offset + start,
		.input = range->input,
		.bytes = (uint32_t)(rest < PIECE_BYTES ? rest : PIECE_BYTES),
	};
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
		atomic_fetch_add(&set->inputs[range->input].lost_pages, pages - kept);
	sample->pages += kept;
	sample->pieces++;
}

/* Take the picks that fall into a range: there, or of a stream as many, evenly spread, of what was kept of it. */
static void take_range(struct sample *sample, struct page_set *set, const struct range *range, struct picker *picker,
		       uint64_t first)
{
	uint64_t end = first + passed_pieces(set, range), kept = range_pieces(range), picks = 0;
	if (!set->inputs[range->input].passed_pages) {
		for (; picker->pick < end && !interrupted(); pick_next(picker))
			take_piece(sample, set, range, picker->pick - first);
		return;
	}
	for (; picker->pick < end; pick_next(picker))
		picks++;
	picks = picks < kept ? picks : kept;
	for (uint64_t i = 0; i < picks && !interrupted(); i++)
		take_piece(sample, set, range, i * kept / picks);
}

enum { PART_OF_ALL = 64 << 20 }; /* where all is too much for memory */

/* Room for the pieces that are wanted. False after a message. */
static bool make_data(struct sample *sample, uint64_t pieces, uint64_t spare)
{
	sample->data = pieces <= spare / 2 / PIECE_BYTES ? malloc(pieces * PIECE_BYTES) : NULL;
	if (sample->data == NULL)
		message("out of memory: a sample of %s is too much where %s can be had (see --sample)",
			format_bytes(pieces * PIECE_BYTES).s, format_bytes(spare).s);
	return sample->data != NULL;
}

bool sample_take(struct sample *sample, struct page_set *set, uint64_t limit_bytes)
{
	struct picker picker = { .wanted = limit_bytes / PIECE_BYTES, .random = 1 };
	uint64_t spare = spare_memory(), there = 0;
	memset(sample, 0, sizeof(*sample));
	sample->whole = true;
	sample->input_pages = set->pages;
	for (size_t i = 0; i < set->range_count; i++) {
		const struct range *range = &set->ranges[i];
		uint64_t passed = set->inputs[range->input].passed_pages;
		picker.all += passed_pieces(set, range);
		there += range_pieces(range);
		if (passed) {
			sample->whole = false;
			sample->input_pages += passed - range_pieces(range) * PIECE_PAGES;
		}
	}
	/* A size is the most that is read, and less where there is little memory. */
	if (picker.wanted > spare / 2 / PIECE_BYTES && picker.all > spare / 2 / PIECE_BYTES)
		picker.wanted = limit_bytes == UINT64_MAX && spare / 2 > PART_OF_ALL ? PART_OF_ALL / PIECE_BYTES
										     : spare / 2 / PIECE_BYTES;
	if (picker.wanted == 0)
		picker.wanted = 1;
	if (picker.wanted >= picker.all)
		picker.wanted = picker.all;
	else
		sample->whole = false;
	sample->part = picker.wanted < there;
	if (!make_data(sample, picker.wanted < there ? picker.wanted : there, spare))
		return false;
	uint64_t first = 0;
	pick_next(&picker);
	for (size_t i = 0; i < set->range_count && !interrupted(); i++) {
		take_range(sample, set, &set->ranges[i], &picker, first);
		first += passed_pieces(set, &set->ranges[i]);
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
