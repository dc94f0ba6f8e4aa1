/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spare_memory.h - how much memory there is to take, so that nobody else's is taken.
 *
 * An input may be endless or larger than any memory. Finding that out by running out of it would end other programs
 * first; so what grows with an input is bounded by a part of this.
 */
#ifndef ZS_SPARE_MEMORY_H
#define ZS_SPARE_MEMORY_H

#include <stdint.h>

/*
 * Bytes that can be taken now without swapping: what the system says is available, or less where a control group or a
 * limit on this process's address space leaves less. What can be dropped, such as the cache of files, counts as there.
 */
uint64_t spare_memory(void);

#endif
