/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_model.h - as much of zram as decides what it allocates, on a pool with the kernel's geometry.
 *
 * A page whose words are all equal stores nothing. Another is compressed with LZ4; from zs_huge_class_size() on it is
 * stored as it is. On overwrite the new object is allocated before the old one is freed.
 */
#ifndef TEST_ZRAM_MODEL_H
#define TEST_ZRAM_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define ZRAM_PAGE 4096u

/* The numbers of mm_stat that follow from the operations. */
struct zram_numbers {
	uint64_t compr_data_size; /* bytes */
	uint64_t mem_used_total;  /* bytes */
	uint64_t same_pages;
	uint64_t huge_pages;
	uint64_t huge_pages_since;
	uint64_t pages_compacted;
};

struct zram_model;

struct zram_model *zram_model_create(size_t pages);
void zram_model_destroy(struct zram_model *z);
void zram_model_write(struct zram_model *z, size_t index, const void *page);
void zram_model_discard(struct zram_model *z, size_t index);
void zram_model_compact(struct zram_model *z);
struct zram_numbers zram_model_numbers(struct zram_model *z);

#endif
