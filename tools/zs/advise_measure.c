/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_measure.c - one candidate's sizes and times. */
#include "advise_measure.h"

#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "advise_choose.h"
#include "interrupt.h"
#include "message.h"
#include "units.h"

enum { TIMED_BYTES = 262144 }; /* four of the longest blocks: stays in a second-level cache, takes milliseconds */

size_t blocks_of(const struct candidate *c, size_t pages)
{
	size_t each = (size_t)1 << c->block_index;
	return (pages + each - 1) / each;
}

static bool same_filled(const unsigned char *block, size_t len)
{
	const size_t step = sizeof(unsigned long);
	return memcmp(block, block + step, len - step) == 0;
}

static struct coder *open_coder(const struct advice *advice, const struct candidate *c)
{
	return coder_create(c->algorithm, c->level, c->dictionary ? &advice->dictionary : NULL);
}

bool measure_sizes(const struct advice *advice, const struct candidate *c, const unsigned char *data, size_t pages,
		   size_t first_block, size_t blocks, uint32_t *sizes)
{
	size_t len = block_bytes(c), room = c->algorithm->bound(len), bytes = pages * SAMPLE_PAGE;
	unsigned char *buffer = malloc(room + len);
	struct coder *coder = buffer != NULL ? open_coder(advice, c) : NULL;
	for (size_t i = first_block; coder != NULL && i < first_block + blocks && !interrupted(); i++) {
		const unsigned char *block = data + i * len;
		if (bytes - i * len < len) { /* the last one: zeros follow */
			memset(buffer + room, 0, len);
			memcpy(buffer + room, block, bytes - i * len);
			block = buffer + room;
		}
		sizes[i] = 0;
		if (same_filled(block, len))
			continue;
		size_t n = coder_compress(coder, block, len, buffer, room);
		sizes[i] = (uint32_t)(n ? n : len);
	}
	bool done = coder != NULL;
	coder_destroy(coder);
	free(buffer);
	return done;
}

/* What time is taken of: the blocks of the survey's beginning that are not same-filled. */
struct timed {
	const unsigned char *blocks[TIMED_BYTES / SAMPLE_PAGE];
	unsigned char *packed[TIMED_BYTES / SAMPLE_PAGE];
	size_t sizes[TIMED_BYTES / SAMPLE_PAGE];
	size_t count, len, room;
};

static uint64_t time_compress(struct coder *coder, struct timed *t)
{
	uint64_t start = now_ns();
	for (size_t i = 0; i < t->count; i++)
		t->sizes[i] = coder_compress(coder, t->blocks[i], t->len, t->packed[i], t->room);
	return now_ns() - start;
}

/* False when what comes back is not what it was. */
static bool time_decompress(struct coder *coder, const struct timed *t, unsigned char *out, uint64_t *ns)
{
	bool good = true;
	uint64_t start = now_ns();
	for (size_t i = 0; i < t->count; i++)
		good &= coder_decompress(coder, t->packed[i], t->sizes[i], out, t->len);
	*ns = now_ns() - start;
	return good && (t->count == 0 || memcmp(out, t->blocks[t->count - 1], t->len) == 0);
}

bool measure_time(const struct advice *advice, struct candidate *c)
{
	struct timed t = { .len = block_bytes(c), .room = c->algorithm->bound(block_bytes(c)) };
	size_t blocks = blocks_of(c, advice->survey_pages);
	if (blocks > TIMED_BYTES / t.len)
		blocks = TIMED_BYTES / t.len;
	unsigned char *buffer = malloc(blocks * t.room + t.len);
	struct coder *coder = buffer != NULL ? open_coder(advice, c) : NULL;
	if (coder == NULL) {
		message("out of memory");
		free(buffer);
		return false;
	}
	for (size_t i = 0; i < blocks; i++) {
		const unsigned char *block = advice->survey + i * t.len;
		if (same_filled(block, t.len))
			continue;
		t.blocks[t.count] = block;
		t.packed[t.count] = buffer + t.len + t.count * t.room;
		t.count++;
	}
	/* Once unmeasured, so that memory is there and caches are warm. */
	if (t.count)
		coder_compress(coder, t.blocks[0], t.len, t.packed[0], t.room);
	c->timed_bytes = t.count * t.len;
	c->compress[c->rounds] = time_compress(coder, &t);
	bool good = time_decompress(coder, &t, buffer, &c->decompress[c->rounds]);
	if (good)
		c->rounds++;
	else
		message("%s: what was decompressed is not what was compressed", candidate_name(c).s);
	coder_destroy(coder);
	free(buffer);
	return good;
}
