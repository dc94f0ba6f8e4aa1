/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.h - the server's parameters, NAME=VALUE: the disk's, as nbdkit-zram-plugin(1) has them, and some of its own.
 *
 * Filled with one thread, and immutable after config_check(). Strings are the arguments' own, but for paths, which are
 * made absolute: the server changes its directory.
 */
#ifndef ZS_FUSE_CONFIG_H
#define ZS_FUSE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

enum config_cache {
	CACHE_THROUGH, /* the kernel sends what is written at once, and keeps a copy */
	CACHE_BACK,    /* it sends it later */
};

struct config {
	uint64_t size; /* bytes that files may have; 0: not given */
	struct zram_options options;
	struct zram_background background;
	char *load; /* snapshot to start from; NULL: none */
	bool load_optional;
	char *save;    /* to be written at the end; NULL: none */
	char *control; /* socket; NULL: one is made */
	char *name;    /* NULL: as the directory */
	unsigned threads;
	bool allow_other;
	enum config_cache cache;
	/* Only here until config_check(). */
	const char *recompress, *writeback;
	bool idle_given, limit_given;
};

#define CONFIG_INIT                                                                                     \
	{                                                                                               \
		.options = ZRAM_OPTIONS_INIT, .background = ZRAM_BACKGROUND_INIT, .cache = CACHE_THROUGH \
	}

/* "NAME=VALUE", or a size alone. 0, or -1 with one line in why. */
int config_take(struct config *c, const char *argument, char *why, size_t why_bytes);

/* All were taken. */
int config_check(struct config *c, char *why, size_t why_bytes);

void config_free(struct config *c);

#endif
