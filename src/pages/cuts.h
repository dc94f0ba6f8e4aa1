/* SPDX-License-Identifier: BSD-3-Clause */
/* cuts.h - pages that are taken from runs again, noted until they are given back together (purge.h). */
#ifndef ZSI_PAGES_CUTS_H
#define ZSI_PAGES_CUTS_H

#include <stdbool.h>
#include <stdint.h>

struct zsi_cuts;

/*
 * Taking pages from runs again: first each is noted, false where there is no room for another; then all are given back
 * in as few calls as can be; then they are charged no longer. From the note to the end of giving back nobody may use
 * them, and so the owners of the runs have to keep these to themselves. The runs are their owners' still.
 */
bool zsi_cuts_add(struct zsi_cuts *cuts, uint32_t page, unsigned pages);

#endif
