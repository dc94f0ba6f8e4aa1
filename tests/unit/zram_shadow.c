/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_shadow.c - see zram_shadow.h: every call on the device is checked here, so that no test has to. */
#include "zram_shadow.h"

#include <zsmalloc/zsmalloc.h>

void shadow_noise(uint8_t *to, size_t bytes, struct rng *r)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)rng_next(r);
}

static void fill_block(struct shadow *s, struct zram *z, uint64_t index, shadow_make *make, struct rng *r)
{
	memset(s->at[index], 0, BS);
	if (make(s->at[index], index, r))
		shadow_write(s, z, index);
	else
		memset(s->at[index], 0, BS);
}

void shadow_fill(struct shadow *s, struct zram *z)
{
	for (uint64_t i = 0; i < s->nr_blocks; i++) {
		struct rng r = { s->seed + i };

		fill_block(s, z, i, s->make, &r);
	}
}

void shadow_fill_from(struct shadow *s, struct zram *z, shadow_make *make, struct rng *r)
{
	for (uint64_t i = 0; i < s->nr_blocks; i++)
		fill_block(s, z, i, make, r);
}

void shadow_write(const struct shadow *s, struct zram *z, uint64_t index)
{
	shadow_write_part(s, z, index, 0, BS);
}

void shadow_write_part(const struct shadow *s, struct zram *z, uint64_t index, size_t offset, size_t bytes)
{
	if (zram_pwrite(z, s->at[index] + offset, bytes, index * BS + offset) != 0)
		fail_msg("writing block %d: %s", (int)index, zram_strerror());
}

void shadow_discard(struct shadow *s, struct zram *z, uint64_t index)
{
	if (zram_discard(z, index * BS, BS) != 0)
		fail_msg("discarding block %d: %s", (int)index, zram_strerror());
	memset(s->at[index], 0, BS);
}

static void read_block(struct zram *z, uint64_t index, uint8_t *to)
{
	if (zram_pread(z, to, BS, index * BS) != 0)
		fail_msg("reading block %d: %s", (int)index, zram_strerror());
}

void shadow_take(struct shadow *s, struct zram *z)
{
	for (uint64_t i = 0; i < s->nr_blocks; i++)
		read_block(z, i, s->at[i]);
}

void shadow_compare_block(const struct shadow *s, struct zram *z, uint64_t index)
{
	const uint8_t *want = s->at[index];
	uint8_t got[BS];
	size_t same = 0;

	read_block(z, index, got);
	if (memcmp(got, want, BS) == 0)
		return;
	while (got[same] == want[same])
		same++;
	fail_msg("block %d, byte %zu is 0x%02x, and should be 0x%02x", (int)index, same, got[same], want[same]);
}

void shadow_compare(const struct shadow *s, struct zram *z)
{
	for (uint64_t i = 0; i < s->nr_blocks; i++)
		shadow_compare_block(s, z, i);
	assert_int_equal(zs_pool_validate(zram_get_pool(z)), 0);
}
