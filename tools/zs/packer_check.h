/* SPDX-License-Identifier: BSD-3-Clause */
/* packer_check.h - the pass that reads back and compares. */
#ifndef ZS_PACKER_CHECK_H
#define ZS_PACKER_CHECK_H

/* What each of its threads runs; arg is its struct worker. */
void worker_check(void *arg);

#endif
