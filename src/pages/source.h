/* SPDX-License-Identifier: BSD-3-Clause */
/* source.h - a caller's page source as the backing. */
#ifndef ZSI_PAGES_SOURCE_H
#define ZSI_PAGES_SOURCE_H

#include <stdint.h>

struct zsi_space;

/*
 * The page of a caller's at that address, as a linear page number; ZSI_NO_PAGE where there is none or the space is an
 * arena. Where there is one, look() is called with the record of its run while the run can't be freed; the answer holds
 * as long as the caller prevents that.
 */
uint32_t zsi_source_find(struct zsi_space *s, const void *address, void (*look)(const void *record, void *arg),
			void *arg);

/*
 * Put another page of the caller's behind a page number; the bytes were copied already. 0, or -1 with ENOMEM or EINVAL
 * (the new page is in the space already). The old page is still read until a grace period has passed.
 */
int zsi_source_replace(struct zsi_space *s, uint32_t page, void *new_page);

int zsi_source_open_chunks(struct zsi_space *s, uint32_t chunk, unsigned chunks);
int zsi_source_commit(struct zsi_space *s, uint32_t first, unsigned present, unsigned want);
void zsi_source_decommit(struct zsi_space *s, uint32_t first, unsigned pages);

#endif
