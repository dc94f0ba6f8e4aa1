/* SPDX-License-Identifier: BSD-3-Clause */
/* companion.h - a thread beside the one that measures, with something to do or asleep. */
#ifndef BENCH_COMPANION_H
#define BENCH_COMPANION_H

#include <zsmalloc/zsmalloc.h>

enum beside { BESIDE_NOTHING, BESIDE_COMPACTION, BESIDE_COPYING, BESIDES };

struct companion;
struct companion *companion_start(struct zs_pool *pool);
void companion_set(struct companion *c, enum beside what); /* returns when it does that */
void companion_stop(struct companion *c);

#endif
