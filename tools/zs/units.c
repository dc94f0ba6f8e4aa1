/* SPDX-License-Identifier: BSD-3-Clause */
/* units.c - bytes, ratios and times as a person reads them. */
#include "units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct text format_count(uint64_t n)
{
	struct text plain, out;
	size_t len = (size_t)snprintf(plain.s, sizeof(plain.s), "%" PRIu64, n);
	char *to = out.s;
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = plain.s[i];
	}
	*to = '\0';
	return out;
}

struct text format_bytes(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	struct text out;
	if (bytes < 1024) {
		snprintf(out.s, sizeof(out.s), "%" PRIu64 " B", bytes);
		return out;
	}
	double value = (double)bytes / 1024;
	size_t unit = 0;
	for (; value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1024;
	snprintf(out.s, sizeof(out.s), "%.*f %s", value < 10 ? 2 : 1, value, units[unit]);
	return out;
}

struct text format_plural(uint64_t n, const char *one, const char *many)
{
	struct text out;
	snprintf(out.s, sizeof(out.s), "%.30s %.30s", format_count(n).s, n == 1 ? one : many);
	return out;
}

uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
