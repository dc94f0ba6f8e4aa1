/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * writeback.c - the attribute "writeback": which blocks go to the file, in batches (batch.h).
 *
 * One that can't be written stays in memory, and the others are written all the same, those of the request's other
 * parts too; the request fails with the last error. Only where the file or its disk is full or the limit used up it
 * ends at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/lock.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/parse.h"
#include "device/streams.h"
#include "zram/batch.h"
#include "zram/turn.h"
#include "zram/walk.h"
#include "zram/writeback.h"

/* Blocks looked at with one stream in hand; a look is a matter of nanoseconds. */
#define LOOKED_AT 1024u

/* Of one batch; nobody gains by more. */
#define MOST_BYTES ((uint64_t)8 << 20)

struct request {
	const struct zsi_asker *asker;
	enum zsi_choice choice; /* of the part that is under way */
	bool check;             /* only see whether it is right */
	struct zsi_batch batch;
};

/* 1 ends the walk, and is no error: the batch is full, or somebody else's turn has come. */
static int visit(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	struct request *r = arg;

	if (zsi_turn_should_end(z, r->asker))
		return 1;
	uint64_t meta = zsi_block_lock(z, index);

	if (zsi_walk_chosen(r->asker, r->choice, meta, s->now))
		meta = zsi_batch_take(z, s, &r->batch, index, meta);
	zsi_block_unlock(z, index, meta);
	return r->batch.n == r->batch.room;
}

/* The next batch of [*from, to). */
static int write_some(struct zram *z, struct request *r, uint64_t *from, uint64_t to)
{
	struct zsi_stream *s;
	int result = -1;

	zsi_lock(&z->batch_lock, ZSI_RANK_BATCH);
	s = zsi_gate_enter(z);
	if (s != NULL) {
		(void)zsi_walk_some(z, s, from, to, LOOKED_AT, visit, r);
		result = zsi_batch_write(z, s, &r->batch);
		zsi_stream_leave(s);
	}
	int error = errno;

	zsi_unlock(&z->batch_lock, ZSI_RANK_BATCH);
	errno = error;
	return result;
}

static int write_blocks(struct zram *z, struct request *r, uint64_t from, uint64_t to)
{
	int result = 0;

	while (result == 0 && from < to && !zsi_turn_should_end(z, r->asker))
		result = write_some(z, r, &from, to);
	return result;
}

/* --- the attribute --- */

/* "12", or "12-34" with both ends meant: blocks [*from, *to). */
static int take_blocks(struct zram *z, const char *text, bool range, uint64_t *from, uint64_t *to)
{
	char first[24];
	const char *dash = strchr(text, '-');
	size_t n = dash != NULL ? (size_t)(dash - text) : strlen(text);
	uint64_t blocks = zram_disksize(z) >> z->block_shift;

	if (n < sizeof(first) && (dash != NULL) == range) {
		memcpy(first, text, n);
		first[n] = '\0';
		if (zsi_parse_number(first, from) == 0 && zsi_parse_number(range ? dash + 1 : first, to) == 0 &&
		    *from <= *to && *to < blocks) {
			++*to;
			return 0;
		}
	}
	return zsi_fail(EINVAL, "%s: writeback: '%s' is no %s the device's %" PRIu64, z->name, text,
			range ? "range, as in 3-7, of" : "block of", blocks);
}

/* One part of the request. */
static int do_pair(struct zram *z, struct request *r, const char *key, const char *value)
{
	uint64_t from = 0, to = UINT64_MAX;

	/* The kernel takes the type without its name, too. */
	if (value == NULL || strcmp(key, "type") == 0) {
		if (!zsi_walk_parse_choice(value != NULL ? value : key, &r->choice))
			return zsi_fail(EINVAL,
					"%s: writeback: type is idle, huge, huge_idle or incompressible, not '%s'",
					z->name, value != NULL ? value : key);
	} else if (strcmp(key, "page_index") == 0 || strcmp(key, "page_indexes") == 0) {
		if (take_blocks(z, value, strcmp(key, "page_indexes") == 0, &from, &to) != 0)
			return -1;
		r->choice = ZSI_CHOOSE_ALL;
	} else {
		return zsi_fail(EINVAL, "%s: writeback: '%s' is none of type, page_index, page_indexes", z->name, key);
	}
	return r->check ? 0 : write_blocks(z, r, from, to);
}

/* asker NULL: only see whether it is right. */
static int do_request(struct zram *z, const char *value, const struct zsi_asker *asker)
{
	struct request r = { .asker = asker, .check = asker == NULL };
	char *text = strdup(value), *at = text, *key, *v;
	unsigned pairs = 0;
	int result = 0;

	if (text == NULL)
		return zsi_fail(ENOMEM, "%s: writeback: no memory", z->name);
	if (!r.check)
		zsi_batch_open(z, &r.batch, MOST_BYTES);
	for (; result == 0 && zsi_parse_pair(&at, &key, &v); pairs++)
		result = do_pair(z, &r, key, v);
	if (result == 0 && pairs == 0)
		result = zsi_fail(EINVAL, "%s: writeback: say what: type=, page_index= or page_indexes=", z->name);
	int error = result < 0 ? errno : r.batch.error;

	if (!r.check)
		zsi_batch_close(z, &r.batch);
	free(text);
	errno = error;
	return error != 0 ? -1 : 0;
}

/* Whether there is a file to write to. */
static int check_file(struct zram *z)
{
	struct zsi_stream *s = zsi_gate_enter(z);
	bool none, parents;

	if (s == NULL)
		return -1;
	none = z->backing.path == NULL;
	parents = z->backing.fd < 0;
	zsi_stream_leave(s);
	if (none)
		return zsi_fail(ENODEV, "%s: writeback: the device has no backing_dev", z->name);
	if (parents)
		return zsi_fail(ENODEV,
				"%s: writeback: the backing_dev is the parent's, and this is a child after fork()",
				z->name);
	return 0;
}

int zsi_writeback_check(struct zram *z, const char *value)
{
	return do_request(z, value, NULL);
}

int zsi_writeback(struct zram *z, const char *value, const struct zsi_asker *asker)
{
	int result = -1;

	if (check_file(z) != 0 || zsi_turn_begin(z, asker, "writeback") != 0)
		return -1;
	/* All of the request is right, or none of it is done. */
	if (do_request(z, value, NULL) == 0)
		result = do_request(z, value, asker);
	zsi_turn_end(z, asker);
	return result;
}

int zsi_attr_writeback(struct zram *z, const char *value)
{
	const struct zsi_asker by_hand = { .background = false };

	return zsi_writeback(z, value, &by_hand);
}
