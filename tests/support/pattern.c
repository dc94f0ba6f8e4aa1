/* SPDX-License-Identifier: BSD-3-Clause */
/* pattern.c - see pattern.h. */
#include "pattern.h"

#include <string.h>

#include "rng.h"

/* The eight bytes at offset 8 * index. */
static uint64_t word_at(uint64_t key, uint64_t version, size_t index)
{
	return rng_mix(key * 0x9e3779b97f4a7c15ull ^ version << 20 ^ (index + 1) * 0xd6e8feb86659fd93ull);
}

static uint8_t byte_at(uint64_t key, uint64_t version, size_t offset)
{
	return (uint8_t)(word_at(key, version, offset / 8) >> (8 * (offset % 8)));
}

void pattern_fill(void *buf, size_t len, uint64_t key, uint64_t version, size_t offset)
{
	uint8_t *to = buf;
	size_t i = 0;

	while (i < len) {
		if ((offset + i) % 8 == 0 && len - i >= 8) {
			uint64_t word = word_at(key, version, (offset + i) / 8);

			memcpy(to + i, &word, 8);
			i += 8;
		} else {
			to[i] = byte_at(key, version, offset + i);
			i++;
		}
	}
}

size_t pattern_match(const void *buf, size_t len, uint64_t key, uint64_t version, size_t offset)
{
	const uint8_t *from = buf;
	size_t i = 0;

	while (i < len) {
		if ((offset + i) % 8 == 0 && len - i >= 8) {
			uint64_t word = word_at(key, version, (offset + i) / 8);

			if (memcmp(from + i, &word, 8) == 0) {
				i += 8;
				continue;
			}
		}
		if (from[i] != byte_at(key, version, offset + i))
			return i;
		i++;
	}
	return len;
}
