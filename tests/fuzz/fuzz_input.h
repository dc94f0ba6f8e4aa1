/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_input.h - a fuzzer's bytes as a source of choices. Where they run out every choice is 0. */
#ifndef TEST_FUZZ_INPUT_H
#define TEST_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sizes.h"

struct fuzz_input {
	const uint8_t *data;
	size_t size;
	bool ended; /* asked for more than there was */
};

/* As many bytes as a number below n needs. */
static inline uint64_t fuzz_below(void *ctx, uint64_t n)
{
	struct fuzz_input *in = ctx;
	uint64_t value = 0;

	for (uint64_t reach = n - 1; reach > 0; reach >>= 8) {
		if (in->size == 0) {
			in->ended = true;
			return 0;
		}
		value = value << 8 | *in->data++;
		in->size--;
	}
	return value % n;
}

static inline struct chooser fuzz_chooser(struct fuzz_input *in)
{
	return (struct chooser){ fuzz_below, in };
}

#endif
