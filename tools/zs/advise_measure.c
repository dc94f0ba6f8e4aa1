/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_measure.c - one candidate's sizes and times. */
#include "advise_measure.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "advice.h"
#include "interrupt.h"

enum { TIMED_BYTES = 262144 }; /* four of the longest blocks: stays in a second-level cache, takes milliseconds */

static bool same_filled(const unsigned char *block, size_t len)
{
	const size_t step = sizeof(unsigned long);
	return memcmp(block, block + step, len - step) == 0;
}

bool measurer_open(struct measurer *m, const struct advice *advice, const struct candidate *c)
{
	if (m->candidate == c)
		return true;
	measurer_close(m);
	m->len = block_bytes(c);
	m->room = c->algorithm->bound(m->len);
	m->buffer = malloc(m->room + m->len);
	if (m->buffer != NULL)
		m->coder = coder_create(c->algorithm, c->level, m->len, c->dictionary ? &advice->dictionary : NULL);
	if (m->coder == NULL) {
		measurer_close(m);
		return false;
	}
	m->candidate = c;
	return true;
}

void measurer_close(struct measurer *m)
{
	coder_destroy(m->coder);
	free(m->buffer);
	*m = (struct measurer){ .candidate = NULL };
}

static uint32_t size_of(struct measurer *m, const unsigned char *block)
{
	if (same_filled(block, m->len))
		return 0;
	size_t n = coder_compress(m->coder, block, m->len, m->buffer, m->room);
	return (uint32_t)(n ? n : m->len);
}

void measure_sizes(struct measurer *m, const unsigned char *data, size_t pages, uint32_t *sizes)
{
	size_t bytes = pages * SAMPLE_PAGE, blocks = blocks_of(m->candidate, pages);
	for (size_t i = 0; i < blocks && !interrupted(); i++) {
		const unsigned char *block = data + i * m->len;
		if (bytes - i * m->len < m->len) { /* the last one: zeros follow */
			memset(m->buffer + m->room, 0, m->len);
			memcpy(m->buffer + m->room, block, bytes - i * m->len);
			block = m->buffer + m->room;
		}
		sizes[i] = size_of(m, block);
	}
}

/* What time is taken of: the first blocks of the survey that are not same-filled. */
struct timed {
	const unsigned char *blocks[TIMED_BYTES / SAMPLE_PAGE];
	unsigned char *packed[TIMED_BYTES / SAMPLE_PAGE];
	size_t sizes[TIMED_BYTES / SAMPLE_PAGE], numbers[TIMED_BYTES / SAMPLE_PAGE];
	size_t count;
};

static uint64_t processor_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t time_compress(struct measurer *m, struct timed *t)
{
	uint64_t start = processor_ns();
	for (size_t i = 0; i < t->count; i++)
		t->sizes[i] = coder_compress(m->coder, t->blocks[i], m->len, t->packed[i], m->room);
	return processor_ns() - start;
}

/* False when what comes back is not what it was. */
static bool time_decompress(struct measurer *m, const struct timed *t, uint64_t *ns)
{
	unsigned char *out = m->buffer + m->room;
	bool good = true;
	uint64_t start = processor_ns();
	for (size_t i = 0; i < t->count; i++)
		good &= coder_decompress(m->coder, t->packed[i], t->sizes[i], out, m->len);
	*ns = processor_ns() - start;
	return good && (t->count == 0 || memcmp(out, t->blocks[t->count - 1], m->len) == 0);
}

/* Blocks to take the time of into t, and the sizes of the others. */
static void pick_timed(struct measurer *m, const unsigned char *survey, size_t blocks, struct timed *t, uint32_t *sizes)
{
	for (size_t i = 0; i < blocks && !interrupted(); i++) {
		const unsigned char *block = survey + i * m->len;
		if (t->count < TIMED_BYTES / m->len && !same_filled(block, m->len)) {
			t->numbers[t->count] = i;
			t->blocks[t->count++] = block;
		} else if (sizes != NULL) {
			sizes[i] = size_of(m, block);
		}
	}
}

bool measure_survey(struct measurer *m, const struct advice *advice, struct candidate *c, size_t blocks,
		    uint32_t *sizes, bool *good)
{
	struct timed t = { .count = 0 };
	*good = true;
	if (!measurer_open(m, advice, c))
		return false;
	pick_timed(m, advice->survey, blocks, &t, sizes);
	unsigned char *packed = malloc(t.count * m->room + 1);
	if (packed == NULL)
		return false;
	for (size_t i = 0; i < t.count; i++)
		t.packed[i] = packed + i * m->room;
	/* Once unmeasured, so that memory is there and caches are warm. */
	if (t.count)
		coder_compress(m->coder, t.blocks[0], m->len, t.packed[0], m->room);
	c->timed_bytes = t.count * m->len;
	c->compress[c->rounds] = time_compress(m, &t);
	bool kept = true;
	for (size_t i = 0; i < t.count; i++)
		kept &= coder_keep(m->coder, t.blocks[i], t.packed[i]);
	*good = kept && time_decompress(m, &t, &c->decompress[c->rounds]);
	c->rounds += *good;
	for (size_t i = 0; sizes != NULL && i < t.count; i++)
		sizes[t.numbers[i]] = (uint32_t)(t.sizes[i] ? t.sizes[i] : m->len);
	free(packed);
	return true;
}
