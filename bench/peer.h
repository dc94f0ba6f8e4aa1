/* SPDX-License-Identifier: BSD-3-Clause */
/* peer.h - which malloc() the process has: glibc's, or that of a library that was preloaded. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/* What BENCH_PEER in the environment says, else "jemalloc", "mimalloc", "tcmalloc", or "glibc" for what isn't known. */
const char *peer_name(void);

/* As the library itself says it, "5.3.0"; "" where it doesn't. */
const char *peer_version(void);

#endif
