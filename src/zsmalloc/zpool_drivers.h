/* SPDX-License-Identifier: BSD-3-Clause */
/* zpool_drivers.h - the drivers that ship. */
#ifndef ZSI_ZSMALLOC_ZPOOL_DRIVERS_H
#define ZSI_ZSMALLOC_ZPOOL_DRIVERS_H

#include <zsmalloc/zpool.h>

extern const struct zpool_driver zsi_zpool_zsmalloc_driver;
extern const struct zpool_driver zsi_zpool_malloc_driver;

#endif
