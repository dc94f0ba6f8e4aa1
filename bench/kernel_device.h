/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernel_device.h - the kernel's zram device, for a comparison, where it is idle: taken with an algorithm, and reset at
 * exit. A lock file keeps the project's tests away meanwhile.
 */
#ifndef BENCH_KERNEL_DEVICE_H
#define BENCH_KERNEL_DEVICE_H

#include <stddef.h>
#include <stdint.h>

/* NULL, or why it can't be had. */
const char *kernel_device_open(uint64_t bytes, const char *algorithm);

/* One page of 4096 bytes, aligned; past the page cache. */
void kernel_device_put(size_t index, const void *page);
void kernel_device_get(size_t index, void *page);

/* mem_used_total, bytes. */
uint64_t kernel_device_memory(void);

#endif
