/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.h - the plugin's parameters, NAME=VALUE on nbdkit's command line.
 *
 * Filled by config_take() while nbdkit reads its command line, with one thread, and immutable after config_check().
 * Strings are nbdkit's, which stay, but for the paths, which are made absolute here: the server changes its directory.
 */
#ifndef ZRAM_PLUGIN_CONFIG_H
#define ZRAM_PLUGIN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

#include "snapshot.h"

/* config.size where none was given. */
#define CONFIG_NO_SIZE SNAPSHOT_ANY_SIZE

struct config {
	uint64_t size;               /* of the disk, bytes, or CONFIG_NO_SIZE */
	struct zram_options options; /* but for disksize, which follows from size */
	struct zram_background background;
	bool evict;         /* to the backing file, at the memory limit */
	char *load;         /* snapshot to start from; NULL: an empty disk */
	bool load_optional; /* an empty disk also where that file does not exist */
	char *save;         /* snapshot to write at the end; NULL: none */
	char *control;      /* socket for zs ctl and zs top; NULL: none */
	char *name;         /* of the disk, in statistics; NULL: the snapshot's, or none */
};

extern struct config config;

/* For nbdkit's --help. */
extern const char config_help[];

/* nbdkit's callbacks: 0, or -1 after nbdkit_error(). */
int config_take(const char *key, const char *value);
int config_check(void);

/* Bytes of a block of a disk that is not loaded. */
size_t config_block_size(void);

/* Free what config_take() made. */
void config_free(void);

#endif
