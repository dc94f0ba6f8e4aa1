/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sum.h - the checksum of a stored block: the low half of XXH3's 64 bits over the bytes as they are stored. For a block
 * of one machine word over and over these are the 8 bytes of the word.
 */
#ifndef ZSI_DEVICE_SUM_H
#define ZSI_DEVICE_SUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t zsi_sum(const void *data, size_t bytes);

#endif
