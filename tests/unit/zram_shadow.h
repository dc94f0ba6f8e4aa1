/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_shadow.h - a shadow of a device: what each of its blocks should read as.
 *
 * A test changes the shadow, and writes what it changed through to the device; then every block of the device, or of
 * another that was made from it, is compared with the shadow. What is in the blocks is the test's choice: it has a
 * function that makes one. A block that was never written is a hole, zeros in the shadow.
 *
 * Nothing here is for more than one thread. What fails ends the cmocka test, with the number of the block.
 */
#ifndef ZS_TESTS_UNIT_ZRAM_SHADOW_H
#define ZS_TESTS_UNIT_ZRAM_SHADOW_H

#include "unit.h"

#include <stdbool.h>
#include <zsmalloc/zram.h>
#include <rng.h>

/* Of every device that has a shadow. */
#define BS 4096u

/* Block `index` into `to`, which is zeros; false leaves a hole. */
typedef bool shadow_make(uint8_t *to, uint64_t index, struct rng *r);

struct shadow {
	uint64_t nr_blocks;
	uint8_t (*at)[BS];
	/* For shadow_fill(). Each block has its own generator, of seed + index. */
	shadow_make *make;
	uint64_t seed;
};

/* The first fields of one at file scope: static struct shadow shadow = { SHADOW_OF(BLOCKS), .make = noise }; */
/* clang-format off */
#define SHADOW_OF(n) .nr_blocks = (n), .at = (uint8_t[n][BS]){ { 0 } }
/* clang-format on */

/* The first bytes of `to` become noise. */
void shadow_noise(uint8_t *to, size_t bytes, struct rng *r);

/* All blocks, in order; where make() leaves a hole nothing is written, so the device must have one there already. */
void shadow_fill(struct shadow *s, struct zram *z);

/* The same with another function, which takes all blocks' numbers from one generator. */
void shadow_fill_from(struct shadow *s, struct zram *z, shadow_make *make, struct rng *r);

/* From the shadow to the device: a block, or `bytes` of it, from `offset` on. */
void shadow_write(const struct shadow *s, struct zram *z, uint64_t index);
void shadow_write_part(const struct shadow *s, struct zram *z, uint64_t index, size_t offset, size_t bytes);

/* A block of both becomes a hole. */
void shadow_discard(struct shadow *s, struct zram *z, uint64_t index);

/* The shadow becomes what the device has. */
void shadow_take(struct shadow *s, struct zram *z);

/* One block; and all of them, the first that differs is named, and that the device's pool is sound. */
void shadow_compare_block(const struct shadow *s, struct zram *z, uint64_t index);
void shadow_compare(const struct shadow *s, struct zram *z);

#endif
