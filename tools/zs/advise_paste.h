/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_paste.h - the recommendation as text to paste. */
#ifndef ZS_ADVISE_PASTE_H
#define ZS_ADVISE_PASTE_H

#include <stdint.h>

#include "advice.h"

/* Bytes of the device: full of such data it takes half of this machine's memory; it is at most twice the memory. */
uint64_t advised_disksize(const struct advice *advice);

struct settings_text {
	char s[1024];
};
struct settings_text zramctl_text(const struct advice *advice);
struct settings_text zram_generator_text(const struct advice *advice);
struct settings_text libzram_text(const struct advice *advice);
struct settings_text serve_text(const struct advice *advice); /* a line for zs serve */

/* For the kernel's pair, where it is worth it: what to set before the size, and what to do now and then. */
struct settings_text recompress_text(const struct advice *advice);

#endif
