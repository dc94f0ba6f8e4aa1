/* SPDX-License-Identifier: BSD-3-Clause */
/* backing_attrs.c - reading and setting them; what they mean is in device/backing.h and writeback.h. */
#include "zram/backing_attrs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/lock.h"
#include "device/algs.h"
#include "device/backing.h"
#include "device/device.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/parse.h"
#include "device/streams.h"
#include "zram/text.h"

/* writeback_limit counts in these, as the kernel does in its pages. */
#define LIMIT_UNITS (4096u >> ZSI_BACKING_UNIT_SHIFT)

/* --- the file --- */

/* An initialised device has its file for good. In a child after fork() it has lost it, and may get another. */
static int open_file_locked(struct zram *z, const char *path)
{
	bool lost = z->pool != NULL && z->backing.path != NULL && z->backing.fd < 0;
	uint64_t used;
	int result;

	zsi_lock(&z->backing.lock, ZSI_RANK_MEMORY);
	used = z->backing.used;
	zsi_unlock(&z->backing.lock, ZSI_RANK_MEMORY);
	if (lost && used != 0)
		return zsi_fail(EBUSY, "%s: backing_dev: there are blocks in the parent's file", z->name);
	if (!lost && zsi_refuse_initialised_locked(z, "backing_dev") != 0)
		return -1;
	/* The gate of a device that is not initialised keeps nobody. */
	zsi_gate_close(z);
	result = zsi_backing_open_locked(z, path);
	int error = errno;

	zsi_gate_open(z);
	errno = error;
	return result;
}

int zsi_attr_backing_dev_set(struct zram *z, const char *value)
{
	char *path = strdup(value);
	int result;

	if (path == NULL)
		return zsi_fail(ENOMEM, "%s: backing_dev: no memory", z->name);
	path[strcspn(path, "\n")] = '\0';
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	result = open_file_locked(z, path);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	int error = errno;

	free(path);
	errno = error;
	return result;
}

int zsi_attr_backing_dev_get(struct zram *z, struct zsi_text *out)
{
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	zsi_text_add(out, "%s\n", z->backing.path != NULL ? z->backing.path : "none");
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return 0;
}

int zsi_attr_compressed_wb_set(struct zram *z, const char *value)
{
	bool on;
	int result;

	if (zsi_parse_bool(value, &on) != 0)
		return zsi_fail(EINVAL, "%s: compressed_writeback '%s' is neither 0 nor 1", z->name, value);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	result = zsi_refuse_initialised_locked(z, "compressed_writeback");
	if (result == 0)
		z->backing.raw = !on;
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

int zsi_attr_compressed_wb_get(struct zram *z, struct zsi_text *out)
{
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	zsi_text_add(out, "%d\n", z->backing.raw ? 0 : 1);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return 0;
}

/* Any number but 0, as in the kernel; zsi_batch_open() takes no more than is of use. */
int zsi_attr_wb_batch_size_set(struct zram *z, const char *value)
{
	uint64_t blocks;

	if (zsi_parse_number(value, &blocks) != 0 || blocks == 0 || blocks > UINT32_MAX)
		return zsi_fail(EINVAL, "%s: writeback_batch_size '%s' is not a number from 1 to %" PRIu32, z->name,
				value, UINT32_MAX);
	atomic_store_explicit(&z->backing.batch_size, (uint32_t)blocks, memory_order_relaxed);
	return 0;
}

int zsi_attr_wb_batch_size_get(struct zram *z, struct zsi_text *out)
{
	zsi_text_add(out, "%" PRIu32 "\n", atomic_load_explicit(&z->backing.batch_size, memory_order_relaxed));
	return 0;
}

/* --- the limit --- */

int zsi_attr_wb_limit_set(struct zram *z, const char *value)
{
	uint64_t pages;

	if (zsi_parse_number(value, &pages) != 0 || pages > UINT64_MAX / LIMIT_UNITS)
		return zsi_fail(EINVAL, "%s: writeback_limit '%s' is not a number of 4 KiB pages", z->name, value);
	zsi_lock(&z->backing.lock, ZSI_RANK_MEMORY);
	z->backing.limit_units = pages * LIMIT_UNITS;
	zsi_unlock(&z->backing.lock, ZSI_RANK_MEMORY);
	return 0;
}

int zsi_attr_wb_limit_get(struct zram *z, struct zsi_text *out)
{
	zsi_lock(&z->backing.lock, ZSI_RANK_MEMORY);
	zsi_text_add(out, "%" PRIu64 "\n", z->backing.limit_units / LIMIT_UNITS);
	zsi_unlock(&z->backing.lock, ZSI_RANK_MEMORY);
	return 0;
}

int zsi_attr_wb_limit_enable_set(struct zram *z, const char *value)
{
	uint64_t on;

	if (zsi_parse_number(value, &on) != 0 || on > 1)
		return zsi_fail(EINVAL, "%s: writeback_limit_enable '%s' is neither 0 nor 1", z->name, value);
	zsi_lock(&z->backing.lock, ZSI_RANK_MEMORY);
	z->backing.limited = on != 0;
	zsi_unlock(&z->backing.lock, ZSI_RANK_MEMORY);
	return 0;
}

int zsi_attr_wb_limit_enable_get(struct zram *z, struct zsi_text *out)
{
	zsi_lock(&z->backing.lock, ZSI_RANK_MEMORY);
	zsi_text_add(out, "%d\n", z->backing.limited ? 1 : 0);
	zsi_unlock(&z->backing.lock, ZSI_RANK_MEMORY);
	return 0;
}

/* --- numbers --- */

/* In pages of 4 KiB, begun ones counted. */
int zsi_attr_bd_stat(struct zram *z, struct zsi_text *out)
{
	uint64_t used;

	zsi_lock(&z->backing.lock, ZSI_RANK_MEMORY);
	used = z->backing.used;
	zsi_unlock(&z->backing.lock, ZSI_RANK_MEMORY);
	zsi_text_add(out, "%8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n", zsi_div_up(used, LIMIT_UNITS),
		     zsi_div_up((uint64_t)zsi_streams_counted(z, ZSI_N_BACKED_READS_TOTAL), LIMIT_UNITS),
		     zsi_div_up((uint64_t)zsi_streams_counted(z, ZSI_N_BACKED_WRITES_TOTAL), LIMIT_UNITS));
	return 0;
}
