/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernel_view.h - what the kernel's zram would hold for the pages that a packer stored.
 *
 * The numbers are those of zram's mm_stat and come from the kernel's arithmetic, not from an estimate: a pool of the
 * linux geometry is asked for one object for each page, as zram would ask, and tells its pages. Nothing is written
 * into it, so it costs its metadata only. They are exact as far as the kernel's compressor makes the same sizes.
 */
#ifndef ZS_KERNEL_VIEW_H
#define ZS_KERNEL_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "packing.h"

enum {
	KERNEL_CHAIN_SIZE = 8,   /* CONFIG_ZSMALLOC_CHAIN_SIZE, its default */
	KERNEL_ENTRY_BYTES = 16, /* zram's table has one such entry for each page of the device */
};

struct kernel_view {
	uint64_t incompressible;   /* huge_pages */
	uint64_t compressed_bytes; /* compr_data_size */
	uint64_t held_bytes;       /* mem_used_total */
	uint64_t table_bytes;      /* not in mem_used_total */
};

/* False after a message when there is no memory. */
bool kernel_view_of(const struct packer *packer, struct kernel_view *view);

#endif
