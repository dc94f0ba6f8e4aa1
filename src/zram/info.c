/* SPDX-License-Identifier: BSD-3-Clause */
/* info.c - what is stored for a block, and what would be. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "device/block.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/table.h"

static unsigned flags_of(uint64_t meta)
{
	static const struct {
		uint64_t meta;
		unsigned flag;
	} pairs[] = {
		{ ZSI_USED, ZRAM_BLOCK_USED },
		{ ZSI_SAME, ZRAM_BLOCK_SAME },
		{ ZSI_HUGE, ZRAM_BLOCK_HUGE },
		{ ZSI_WB, ZRAM_BLOCK_WB },
		{ ZSI_IDLE, ZRAM_BLOCK_IDLE },
		{ ZSI_INCOMPRESSIBLE, ZRAM_BLOCK_INCOMPRESSIBLE },
	};
	unsigned flags = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if ((meta & pairs[i].meta) != 0)
			flags |= pairs[i].flag;
	return flags;
}

static void describe(struct zram *z, uint64_t index, struct zram_block_info *i)
{
	uint64_t meta = zsi_block_lock(z, index);
	uint64_t handle = zsi_block_at(z, index)->handle;

	zsi_block_unlock(z, index, meta);
	i->flags = flags_of(meta);
	i->priority = zsi_meta_priority(meta);
	if ((meta & ZSI_SAME) != 0)
		i->word = handle;
	else
		i->stored_bytes = zsi_meta_size(meta);
}

static int check_size(const struct zram *z, const struct zram_block_info *info)
{
	if (info->struct_size >= sizeof(info->struct_size))
		return 0;
	return zsi_fail(EINVAL, "%s: block info: start from ZRAM_BLOCK_INFO_INIT", z->name);
}

/* As much of it as the caller's has room for. */
static int give(struct zram_block_info *i, struct zram_block_info *info)
{
	i->struct_size = info->struct_size;
	memcpy(info, i, zsi_min(info->struct_size, sizeof(*i)));
	return 0;
}

int zram_get_block_info(struct zram *z, uint64_t offset, struct zram_block_info *info)
{
	struct zram_block_info i = ZRAM_BLOCK_INFO_INIT;
	uint64_t index = offset >> z->block_shift;

	if (check_size(z, info) != 0)
		return -1;
	struct zsi_stream *s = zsi_gate_enter(z);

	if (s == NULL)
		return -1;
	bool inside = index < z->table.nr_blocks;

	if (inside && zsi_table_has(&z->table, index))
		describe(z, index, &i);
	zsi_stream_leave(s);
	if (!inside)
		return zsi_fail(EINVAL, "%s: offset %" PRIu64 " is behind the device's end, at %" PRIu64, z->name,
				offset, zram_disksize(z));
	return give(&i, info);
}

int zram_preview(struct zram *z, const void *block, struct zram_block_info *info)
{
	struct zram_block_info i = ZRAM_BLOCK_INFO_INIT;
	struct zsi_stored stored;

	if (check_size(z, info) != 0)
		return -1;
	struct zsi_stream *s = zsi_gate_enter(z);

	if (s == NULL)
		return -1;
	zsi_block_shape(z, s, block, &stored);
	zsi_stream_leave(s);
	i.flags = flags_of(stored.meta);
	if ((stored.meta & ZSI_SAME) != 0)
		i.word = stored.handle;
	else
		i.stored_bytes = zsi_meta_size(stored.meta);
	return give(&i, info);
}
