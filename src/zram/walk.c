/* SPDX-License-Identifier: BSD-3-Clause */
/* walk.c - the walk takes a stream for a few blocks at a time, and passes over what is not there. */
#include "zram/walk.h"

#include <string.h>

#include "base/bits.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/table.h"
#include "zram/turn.h"

/* Blocks visited with one stream in hand. */
#define BATCH 32u

int zsi_walk_some(struct zram *z, struct zsi_stream *s, uint64_t *from, uint64_t to, unsigned most, zsi_visit_fn visit,
		  void *arg)
{
	const struct zsi_table *t = &z->table;
	int result = 0;

	to = zsi_min(to, t->nr_blocks);
	for (unsigned n = 0; n < most && *from < to && result == 0; n++) {
		if (!zsi_table_has(t, *from)) {
			*from = zsi_table_hole_end(t, *from);
			continue;
		}
		/* A look without the lock spares most blocks it. */
		if ((atomic_load_explicit(&zsi_block_at(z, *from)->meta, memory_order_relaxed) &
		     (ZSI_USED | ZSI_LOCK)) != 0)
			result = visit(z, s, *from, arg);
		++*from;
	}
	/* Whoever asks sees by it that there is nothing left. */
	if (*from >= to)
		*from = UINT64_MAX;
	return result;
}

int zsi_walk_blocks(struct zram *z, uint64_t from, uint64_t to, zsi_visit_fn visit, void *arg)
{
	int result = 0;

	while (result == 0 && from < to) {
		struct zsi_stream *s = zsi_gate_enter(z);

		if (s == NULL)
			return -1;
		result = zsi_walk_some(z, s, &from, to, BATCH, visit, arg);
		zsi_stream_leave(s);
	}
	return result;
}

bool zsi_walk_is_old(uint64_t meta, uint32_t now, int32_t ticks)
{
	return (int32_t)(now - zsi_meta_time(meta)) >= ticks;
}

bool zsi_walk_chosen(const struct zsi_asker *asker, enum zsi_choice choice, uint64_t meta, uint32_t now)
{
	bool idle = asker->background ? zsi_walk_is_old(meta, now, asker->ticks) : (meta & ZSI_IDLE) != 0;

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

bool zsi_walk_parse_choice(const char *text, enum zsi_choice *choice)
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
