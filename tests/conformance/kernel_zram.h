/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernel_zram.h - the kernel's zram device, taken for a test and given back as it was found.
 *
 * It is taken only where it is idle: disksize 0, initstate 0, no other test has the lock file. Whatever happens then, a
 * failed check and signals included, it is reset.
 */
#ifndef TEST_KERNEL_ZRAM_H
#define TEST_KERNEL_ZRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zram_model.h"

/* Take the device and give it a size, with an algorithm, or lz4. NULL, or the reason why it can't be had. */
const char *kernel_zram_open_with(uint64_t disksize, const char *algorithm);
const char *kernel_zram_open(uint64_t disksize);

void kernel_zram_write(size_t index, const void *page); /* page is aligned to 4096 */
void kernel_zram_read(size_t index, void *page);
void kernel_zram_discard(size_t index, size_t pages);
void kernel_zram_compact(void);
void kernel_zram_write_range(size_t index, const void *pages, size_t count); /* aligned to 4096 */
void kernel_zram_zero(size_t index, size_t pages);

/* An attribute's text, with its newlines; and set one. */
void kernel_zram_attr(const char *name, char *text, size_t size);
void kernel_zram_set(const char *name, const char *value);

/* huge_pages_since is UINT64_MAX where this kernel does not tell. */
struct zram_numbers kernel_zram_numbers(void);

/* Reset it. Also done at exit. */
void kernel_zram_close(void);

#endif
