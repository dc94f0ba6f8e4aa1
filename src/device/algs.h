/* SPDX-License-Identifier: BSD-3-Clause */
/* algs.h - the device's algorithms, by priority. z->lock is held, and the device is not initialised. */
#ifndef ZSI_DEVICE_ALGS_H
#define ZSI_DEVICE_ALGS_H

struct zram;
struct zsi_alg;
struct zsi_codec;

/* -1 with EBUSY, and what can't be changed as the text, where the device is initialised. z->lock is held. */
int zsi_refuse_initialised_locked(struct zram *z, const char *what);

int zsi_algs_set_locked(struct zram *z, unsigned priority, const char *name);

/*
 * The first priority in [first, last] whose algorithm has this name, or -1. Fixed once the device is initialised: then
 * a stream does for z->lock.
 */
int zsi_algs_find(const struct zram *z, const char *name, unsigned first, unsigned last);

/*
 * The kernel's algorithm_params: "[priority=N] [algo=NAME] [level=N] [dict=PATH] [deflate.winbits=N]"; "[kernel=0|1]".
 */
int zsi_algs_params_set_locked(struct zram *z, const char *params);
/* The codec that compresses. What it makes the algorithm's own decompresses. Fixed once the device is initialised. */
const struct zsi_codec *zsi_algs_compressor(const struct zsi_alg *a);

/* "algo=NAME [priority=N]" */
int zsi_algs_recomp_set_locked(struct zram *z, const char *params);
void zsi_algs_reset_locked(struct zram *z);
/* Digest the dictionaries; charge them. */
int zsi_algs_start_locked(struct zram *z);
void zsi_algs_stop_locked(struct zram *z);

#endif
