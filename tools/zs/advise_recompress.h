/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_recompress.h - whether a second algorithm for idle blocks pays, and which two. */
#ifndef ZS_ADVISE_RECOMPRESS_H
#define ZS_ADVISE_RECOMPRESS_H

#include "advice.h"

/* Once the choices are predicted. False without memory, after a message. */
bool advise_recompress(struct advice *advice);

/* Why a pair is worth it or not, and from where on. */
struct pair_reason {
	char s[768];
};
struct pair_reason recompress_reason(const struct advice *advice, const struct pair *pair);
struct pair_reason recompress_limits(const struct advice *advice, const struct pair *pair);

/* What two algorithms take: the parts of a pair's cost that don't depend on who reads and what lies idle. */
struct pair_figures {
	double write_ns, read_ns; /* of the primary, the compressor alone */
	double secondary_write_ns;
	double share, secondary_share; /* memory for a byte of data; of what was recompressed */
};

/* Memory for a byte of data, and time of a write, of its reads, and of recompressing the idle part; idle: 0 to 1. */
double pair_share(const struct pair_figures *f, double idle);
double pair_ns(const struct advice *advice, const struct pair_figures *f, double idle);

#endif
