/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec_data.h - what the tests of the codecs compress, and buffers that nobody can run over unnoticed.
 *
 * An edge buffer ends where accessible memory ends, so that a read or write behind it is a crash, in libraries built
 * without sanitizers too; what lies before it is filled, and edge_check() sees writes there.
 */
#ifndef ZS_TESTS_CODEC_DATA_H
#define ZS_TESTS_CODEC_DATA_H

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
enum data_kind { DATA_ZEROS, DATA_WORDS, DATA_RECORDS, DATA_HALF_RANDOM, DATA_RANDOM, DATA_KINDS };
/* clang-format on */

/* n bytes of a kind; other seeds, other bytes. */
void data_fill(void *to, size_t n, enum data_kind kind, uint64_t seed);

struct edge {
	uint8_t *start; /* of n bytes */
	size_t n;
	uint8_t *map;
	size_t map_bytes;
};

struct edge edge_create(size_t n);
void edge_check(const struct edge *e);
void edge_destroy(struct edge *e);

#endif
