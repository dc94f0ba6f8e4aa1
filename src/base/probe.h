/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe.h - places where a tracer may look on: USDT probes of the provider "zsmalloc".
 *
 * A probe is one nop in the code and a note in the ELF file that says where it is and where its arguments are; it costs
 * nothing until a tracer puts a breakpoint there. docs/probes.md has their names and arguments, which are an interface:
 * a test compares them with the notes. Built without <sys/sdt.h>, or with ZS_PROBES=OFF, there are none.
 *
 * Arguments are values that are at hand: what has to be computed for the probe alone would be computed always.
 */
#ifndef ZSI_BASE_PROBE_H
#define ZSI_BASE_PROBE_H

#ifdef ZSI_HAVE_PROBES

#define SDT_USE_VARIADIC
#include <sys/sdt.h>

#define ZSI_PROBE(name, ...) STAP_PROBEV(zsmalloc, name, __VA_ARGS__)

#else

/* So that what is only used by a probe is used. */
static inline void zsi_probe_nothing(const char *name, ...)
{
	(void)name;
}

#define ZSI_PROBE(name, ...)                                   \
	do {                                                   \
		if (0)                                         \
			zsi_probe_nothing(#name, __VA_ARGS__); \
	} while (0)

#endif

#endif
