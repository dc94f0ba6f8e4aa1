/* SPDX-License-Identifier: BSD-3-Clause */
/* content.h - what the block checker writes: bytes of every degree of compressibility, from a seed. */
#ifndef TEST_CONTENT_H
#define TEST_CONTENT_H

#include <stddef.h>

#include "rng.h"

/* Fill buf with one kind of content, chosen at random. */
void content_fill(struct rng *rng, void *buf, size_t len);

#endif
