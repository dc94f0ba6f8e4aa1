/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * writeback.c - the attribute "writeback": blocks that go to a file, as they are stored or as they are read.
 *
 * One that can't be written stays in memory, and the others are written all the same, those of the request's other
 * parts too; the request fails with the last error. Only where the file or its disk is full or the limit used up it
 * ends at once.
 *
 * A block is copied and marked (ZSI_CHOSEN), written without its lock, and replaced if the mark is still there:
 * whoever reads or writes the block meanwhile takes the mark away, and it stays in memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "device/backing.h"
#include "device/block.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/parse.h"
#include "device/streams.h"
#include "device/sum.h"
#include "zram/turn.h"
#include "zram/walk.h"
#include "zram/writeback.h"

/* No place for a block; errno is zsi_backing_alloc()'s. */
static int fail_place(struct zram *z)
{
	if (errno == ENOSPC)
		return zsi_fail(ENOSPC, "%s: writeback: the backing file is full", z->name);
	/* The kernel's error for it. */
	if (errno == EDQUOT)
		return zsi_fail(EIO, "%s: writeback: writeback_limit is used up", z->name);
	return zsi_fail(errno, "%s: writeback: the device has no backing_dev any more", z->name);
}

struct request {
	const struct zsi_asker *asker;
	enum zsi_choice choice; /* of the part that is under way */
	bool check;             /* only see whether it is right */
	int error;              /* errno of the last block that could not be written; 0: none */
};

/* A block that is under way. */
struct copied {
	uint64_t handle;
	uint64_t meta;    /* it had when it was marked */
	uint64_t to_meta; /* it will have in the file, without its time */
	uint32_t sum;     /* and the checksum */
	const void *data; /* zsi_meta_size(to_meta) bytes, in the stream's buffers */
};

/* Copy a locked block's contents or its object to the stream. */
static int copy(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta, struct copied *c)
{
	c->meta = meta | ZSI_CHOSEN;
	c->handle = zsi_block_at(z, index)->handle;
	if (z->backing.raw) {
		c->to_meta = ZSI_USED | ZSI_WB | z->block_size;
		c->data = s->block;
		if (zsi_block_load(z, s, index, meta, s->block) != 0)
			return -1;
		c->sum = z->table.sums != NULL ? zsi_sum(s->block, z->block_size) : 0;
		return 0;
	}
	const void *data = zs_obj_read_begin(z->pool, c->handle, s->copy);

	if (data == NULL)
		return zsi_fail(EIO, "%s: block %" PRIu64 " is damaged: its object is gone", z->name, index);
	memcpy(s->out, data, zsi_meta_size(meta));
	zs_obj_read_end(z->pool, c->handle, data);
	c->to_meta = (meta & (ZSI_USED | ZSI_HUGE | ZSI_INCOMPRESSIBLE | ZSI_PRIORITY_MASK | ZSI_DICT_MASK |
			      ZSI_SIZE_MASK)) |
		     ZSI_WB;
	c->data = s->out;
	c->sum = z->table.sums != NULL ? z->table.sums[index] : 0;
	return 0;
}

/* Copy and mark a block. False: it is not chosen, or can't be read. */
static bool take(struct zram *z, struct zsi_stream *s, uint64_t index, struct request *r, struct copied *c)
{
	uint64_t meta = zsi_block_lock(z, index);
	bool taken = zsi_walk_chosen(r->asker, r->choice, meta, s->now);

	if (taken && copy(z, s, index, meta, c) != 0) {
		r->error = errno;
		taken = false;
	}
	zsi_block_unlock(z, index, taken ? c->meta : meta);
	return taken;
}

/* After the block was written: is it still the one? Then it goes from memory. */
static bool put(struct zram *z, struct zsi_stream *s, uint64_t index, const struct copied *c, uint64_t unit)
{
	struct zsi_stored stored = { .handle = unit, .meta = c->to_meta, .sum = c->sum };
	uint64_t meta = zsi_block_lock(z, index);
	bool same = (meta & ZSI_CHOSEN) != 0 && zsi_block_at(z, index)->handle == c->handle &&
		    zsi_meta_size(meta) == zsi_meta_size(c->meta);

	if (same)
		meta = zsi_block_replace(z, s, index, meta, &stored);
	else
		meta &= ~ZSI_CHOSEN;
	zsi_block_unlock(z, index, meta);
	return same;
}

static int visit(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	struct request *r = arg;
	struct copied c = { 0 };

	/* 1 ends the walk, and is no error. */
	if (zsi_turn_should_end(z, r->asker))
		return 1;
	if (!take(z, s, index, r, &c))
		return 0;
	size_t len = zsi_meta_size(c.to_meta);
	uint64_t unit = zsi_backing_alloc(z, len);

	if (unit == UINT64_MAX)
		return fail_place(z);
	if (zsi_backing_write(z, unit, c.data, len) != 0) {
		r->error = errno;
		zsi_backing_cancel(z, unit, len);
		(void)zsi_fail(r->error, "%s: writeback: block %" PRIu64 " can't be written to the backing file: %s",
			       z->name, index, strerror(r->error));
		/* With no room where the file is, all that follow would fail too. */
		return r->error == ENOSPC || r->error == EDQUOT ? -1 : 0;
	}
	zsi_count(s, ZSI_N_BACKED_WRITES_TOTAL, (int64_t)zsi_backing_units(len));
	if (!put(z, s, index, &c, unit))
		zsi_backing_free(z, unit, len);
	return 0;
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
	return r->check ? 0 : zsi_walk_blocks(z, from, to, visit, r);
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
	for (; result == 0 && zsi_parse_pair(&at, &key, &v); pairs++)
		result = do_pair(z, &r, key, v);
	if (result == 0 && pairs == 0)
		result = zsi_fail(EINVAL, "%s: writeback: say what: type=, page_index= or page_indexes=", z->name);
	int error = result < 0 ? errno : r.error;

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
