/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * consumer_zram.h - what a program of somebody else's does with the installed page store, in the part of the language that
 * C and C++ share. run_consumer() returns 0 when every call did what its header promises.
 */
#ifndef CONSUMER_ZRAM_H
#define CONSUMER_ZRAM_H

#include <stdio.h>
#include <string.h>
#include <zsmalloc/zram.h>

static int check(int good, const char *what)
{
	if (!good)
		fprintf(stderr, "consumer: wrong: %s: %s\n", what, zram_strerror());
	return !good;
}

/* With each algorithm, so that every library behind them is there. */
static int use(const char *algorithm)
{
	struct zram_options options = ZRAM_OPTIONS_INIT;
	char written[5000], read[5000];
	struct zram *z;
	int wrong = 0;

	options.disksize = 1 << 20;
	options.comp_algorithm = algorithm;
	options.flags = ZRAM_CHECKSUM;
	z = zram_create("consumer", &options);
	if (!z)
		return check(0, algorithm);
	memset(written, 'x', sizeof(written));
	memcpy(written + 700, "not one word over and over", 26);
	wrong += check(zram_pwrite(z, written, sizeof(written), 10000) == 0, "zram_pwrite");
	wrong += check(zram_attr_set(z, "compact", "1") == 0, "zram_attr_set");
	wrong += check(zram_pread(z, read, sizeof(read), 10000) == 0, "zram_pread");
	wrong += check(memcmp(read, written, sizeof(read)) == 0, "what was read");
	wrong += check(zram_disksize(z) == 1 << 20 && zram_get_pool(z), "zram_disksize");
	zram_destroy(z);
	return wrong;
}

static int run_consumer(void)
{
	return use("lz4") + use("lz4hc") + use("lzo") + use("lzo-rle") + use("zstd") + use("deflate") ? 1 : 0;
}

#endif
