/* SPDX-License-Identifier: BSD-3-Clause */
/* fits.h - whether a limit is enough for a device of its kind. */
#ifndef ZSI_DEVICE_FITS_H
#define ZSI_DEVICE_FITS_H

struct zram;

int zsi_fits_check_locked(struct zram *z);

#endif
