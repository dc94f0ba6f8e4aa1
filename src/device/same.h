/* SPDX-License-Identifier: BSD-3-Clause */
/* same.h - blocks of one machine word over and over. */
#ifndef ZSI_DEVICE_SAME_H
#define ZSI_DEVICE_SAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether bytes, a multiple of 64, are one machine word over and over; then which. */
bool zsi_same_filled(const void *data, size_t bytes, uint64_t *word);
void zsi_same_fill(void *data, size_t bytes, uint64_t word);

#endif
