/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dataset.h - what is stored in the measurements: sizes that real pages of this machine have when LZ4 compressed them,
 * and the bytes of some of those pages. bench_dataset makes it, the other programs read it.
 *
 *   file   header | sizes, 16 bits each | contents, DATASET_PAGE bytes each
 *
 * sizes     1 to DATASET_PAGE, in random order; what LZ4 could not make smaller than the page counts as the page.
 *           Pages that are one 64-bit word over and over are left out: a store of pages keeps no object for them.
 * contents  whole uncompressed pages, chosen evenly from all that were read
 */
#ifndef BENCH_DATASET_H
#define BENCH_DATASET_H

#include <stddef.h>
#include <stdint.h>

#define DATASET_PAGE 4096u
#define DATASET_MAGIC UINT64_C(0x3161746164737a01) /* changes with the layout of the file */

struct dataset_header {
	uint64_t magic;
	uint32_t sizes;
	uint32_t contents;
};

struct dataset {
	uint32_t sizes;
	uint32_t contents;
	const uint16_t *size;
	const uint8_t *content;
};

/* Read the whole file into memory; on failure the program ends with a message. */
struct dataset dataset_load(const char *path);

/* The bytes of page i, counted round and round. */
static inline const uint8_t *dataset_content(const struct dataset *d, uint32_t i)
{
	return d->content + (size_t)(i % d->contents) * DATASET_PAGE;
}

#endif
