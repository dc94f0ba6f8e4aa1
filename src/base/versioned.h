/* SPDX-License-Identifier: BSD-3-Clause */
/* versioned.h - structs of callers that begin with their size. */
#ifndef ZSI_BASE_VERSIONED_H
#define ZSI_BASE_VERSIONED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Copy a caller's struct that may have been built with an older or a newer header: what an older one lacks is 0. False:
 * it is shorter than min, or a member that this library doesn't know is not 0.
 */
static inline bool zsi_copy_versioned(void *to, size_t known, const void *from, size_t min)
{
	size_t given;

	memcpy(&given, from, sizeof(given));
	if (given < min)
		return false;
	for (size_t i = known; i < given; i++)
		if (((const uint8_t *)from)[i] != 0)
			return false;
	memset(to, 0, known);
	memcpy(to, from, given < known ? given : known);
	return true;
}

#endif
