/* SPDX-License-Identifier: BSD-3-Clause */
/* packer.h - write a set of pages to a device of libzram, and read them all back; with several threads. */
#ifndef ZS_PACKER_H
#define ZS_PACKER_H

#include <stdbool.h>

#include "packing.h"

/* False without memory, after a message. The arguments must stay. */
bool packer_init(struct packer *packer, struct page_set *set, struct zram *device, unsigned threads);
void packer_destroy(struct packer *packer);

/* The passes. False, after a message, when the device takes no more. They also end early when interrupted(). */
bool packer_store(struct packer *packer);
bool packer_check(struct packer *packer);

#endif
