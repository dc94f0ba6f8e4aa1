/* SPDX-License-Identifier: BSD-3-Clause */
/* packer_store.h - the pass that stores. */
#ifndef ZS_PACKER_STORE_H
#define ZS_PACKER_STORE_H

/* What each of its threads runs; arg is its struct worker. */
void worker_store(void *arg);

#endif
