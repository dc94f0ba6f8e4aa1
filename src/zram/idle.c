/* SPDX-License-Identifier: BSD-3-Clause */
/* idle.c - the attribute "idle", and the walk over all blocks that it shares with recompression and writeback. */
#include "zram/idle.h"

#include <errno.h>
#include <string.h>

#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/parse.h"
#include "zram/walk.h"

struct marking {
	bool all;
	bool keep;     /* the marks of those that are not so old */
	int32_t ticks; /* at least so old */
};

/* What recompression and writeback never touch is never idle, as in the kernel. */
static int mark_block(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	const struct marking *m = arg;
	uint64_t meta = zsi_block_lock(z, index);

	if ((meta & (ZSI_USED | ZSI_SAME | ZSI_WB)) == ZSI_USED) {
		if (m->all || zsi_walk_is_old(meta, s->now, m->ticks))
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

int zsi_idle_mark_old(struct zram *z, int32_t ticks)
{
	struct marking m = { .keep = true, .ticks = ticks };

	return zsi_walk_blocks(z, 0, UINT64_MAX, mark_block, &m);
}

