/* SPDX-License-Identifier: BSD-3-Clause */
/* idle.c - the attribute "idle", and the walk over all blocks that it shares with recompression and writeback. */
#include "zram/idle.h"

#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "zram/attr.h"
#include "device/device.h"
#include "device/parse.h"

/* Blocks visited with one stream in hand. */
#define BATCH 32u

int zsi_walk_blocks(struct zram *z, uint64_t from, uint64_t to, zsi_visit_fn visit, void *arg)
{
	int result = 0;

	while (result == 0) {
		struct zsi_stream *s = zsi_enter(z);
		const struct zsi_table *t = &z->table;

		if (s == NULL)
			return -1;
		to = zsi_min(to, t->nr_blocks);
		for (unsigned n = 0; n < BATCH && from < to && result == 0; n++) {
			if (!zsi_table_has(t, from)) {
				from = zsi_table_hole_end(t, from);
				continue;
			}
			/* A look without the lock spares most blocks it. */
			if ((atomic_load_explicit(&zsi_block_at(z, from)->meta, memory_order_relaxed) &
			     (ZSI_USED | ZSI_LOCK)) != 0)
				result = visit(z, s, from, arg);
			from++;
		}
		zsi_leave(s);
		if (from >= to)
			break;
	}
	return result;
}

struct marking {
	bool all;
	bool keep;     /* the marks of those that are not so old */
	int32_t ticks; /* at least so old */
};

/* Signed: another thread may have accessed it after this one took its stream. */
static bool is_old(uint64_t meta, uint32_t now, int32_t ticks)
{
	return (int32_t)(now - zsi_meta_time(meta)) >= ticks;
}

/* What recompression and writeback never touch is never idle, as in the kernel. */
static int mark_block(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	const struct marking *m = arg;
	uint64_t meta = zsi_block_lock(z, index);

	if ((meta & (ZSI_USED | ZSI_SAME | ZSI_WB)) == ZSI_USED) {
		if (m->all || is_old(meta, s->now, m->ticks))
			meta |= ZSI_IDLE;
		else if (!m->keep)
			meta &= ~ZSI_IDLE;
	}
	zsi_block_unlock(z, index, meta);
	return 0;
}

int zsi_attr_idle(struct zram *z, const char *value)
{
	struct marking m = { .all = strncmp(value, "all", 3) == 0 && (value[3] == '\0' || value[3] == '\n') };
	uint64_t seconds = 0;

	if (!m.all && (zsi_parse_number(value, &seconds) != 0 || seconds > INT32_MAX / ZSI_TICKS_PER_SECOND))
		return zsi_fail(EINVAL, "%s: idle '%s' is neither 'all' nor an age in seconds", z->name, value);
	m.ticks = (int32_t)(seconds * ZSI_TICKS_PER_SECOND);
	return zsi_walk_blocks(z, 0, UINT64_MAX, mark_block, &m);
}

int zsi_mark_old(struct zram *z, int32_t ticks)
{
	struct marking m = { .keep = true, .ticks = ticks };

	return zsi_walk_blocks(z, 0, UINT64_MAX, mark_block, &m);
}

/* --- what recompression and writeback share --- */

bool zsi_chosen(const struct zsi_asker *asker, enum zsi_choice choice, uint64_t meta, uint32_t now)
{
	bool idle = asker->background ? is_old(meta, now, asker->ticks) : (meta & ZSI_IDLE) != 0;

	if ((meta & (ZSI_USED | ZSI_SAME | ZSI_WB)) != ZSI_USED)
		return false;
	switch (choice) {
	case ZSI_CHOOSE_ALL:
		return true;
	case ZSI_CHOOSE_IDLE:
		return idle;
	case ZSI_CHOOSE_HUGE:
		return (meta & ZSI_HUGE) != 0;
	case ZSI_CHOOSE_HUGE_IDLE:
		return (meta & ZSI_HUGE) != 0 && idle;
	case ZSI_CHOOSE_INCOMPRESSIBLE:
		return (meta & ZSI_INCOMPRESSIBLE) != 0;
	}
	return false;
}

int zsi_pp_begin(struct zram *z, const struct zsi_asker *asker, const char *what)
{
	if (asker->background)
		atomic_store_explicit(&z->background.at_work, true, memory_order_relaxed);
	if (zsi_trylock(&z->pp_lock, ZSI_RANK_TRAIN))
		return 0;
	if (asker->background) {
		atomic_store_explicit(&z->background.at_work, false, memory_order_relaxed);
	} else if (atomic_load_explicit(&z->background.at_work, memory_order_relaxed)) {
		atomic_fetch_add_explicit(&z->background.in_the_way, 1, memory_order_relaxed);
		zsi_lock(&z->pp_lock, ZSI_RANK_TRAIN);
		atomic_fetch_sub_explicit(&z->background.in_the_way, 1, memory_order_relaxed);
		return 0;
	}
	return zsi_fail(EAGAIN, "%s: %s: another recompression or writeback is under way", z->name, what);
}

void zsi_pp_end(struct zram *z, const struct zsi_asker *asker)
{
	zsi_unlock(&z->pp_lock, ZSI_RANK_TRAIN);
	if (asker->background)
		atomic_store_explicit(&z->background.at_work, false, memory_order_relaxed);
}

bool zsi_pp_should_end(struct zram *z, const struct zsi_asker *asker)
{
	return asker->background && (atomic_load_explicit(&z->background.in_the_way, memory_order_relaxed) != 0 ||
				     atomic_load_explicit(&z->background.stop, memory_order_relaxed) != 0);
}

bool zsi_parse_choice(const char *text, enum zsi_choice *choice)
{
	static const char *const names[] = { "", "idle", "huge", "huge_idle", "incompressible" };

	for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*choice = (enum zsi_choice)i;
			return true;
		}
	}
	return false;
}
