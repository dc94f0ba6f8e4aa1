/* SPDX-License-Identifier: BSD-3-Clause */
/* attr.c - the table of attributes, and those that are about the device itself. */
#include "zram/attr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/lock.h"
#include "codec/backend.h"
#include "codec/codec.h"
#include "device/algs.h"
#include "device/device.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/parse.h"
#include "device/streams.h"
#include "zram/attr_state.h"
#include "zram/backing_attrs.h"
#include "zram/evict.h"
#include "zram/idle.h"
#include "zram/init.h"
#include "zram/recompress.h"
#include "zram/text.h"
#include "zram/trim.h"
#include "zram/writeback.h"

/* mem_limit counts in these, as the kernel does in its pages. */
#define LIMIT_UNIT 4096u

/* --- size and state --- */

static int disksize_get(struct zram *z, struct zsi_text *out)
{
	zsi_text_add(out, "%" PRIu64 "\n", zram_disksize(z));
	return 0;
}

static int disksize_set(struct zram *z, const char *value)
{
	uint64_t bytes;
	int result;

	if (zsi_parse_bytes(value, &bytes) != 0 || bytes == 0 || bytes > UINT64_MAX - z->block_size)
		return zsi_fail(EINVAL,
				"%s: disksize '%s' is not a number of bytes, with or without K, M, G, T, P, E",
				z->name, value);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	result = zsi_refuse_initialised_locked(z, "disksize");
	if (result == 0)
		result = zsi_init_locked(z, zsi_round_up(bytes, z->block_size));
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

static int initstate_get(struct zram *z, struct zsi_text *out)
{
	zsi_text_add(out, "%d\n", zram_disksize(z) != 0 ? 1 : 0);
	return 0;
}

static int reset_set(struct zram *z, const char *value)
{
	uint64_t n;

	if (zsi_parse_number(value, &n) != 0 || n == 0)
		return zsi_fail(EINVAL, "%s: reset '%s' is not a number other than 0", z->name, value);
	zsi_init_reset(z);
	return 0;
}

/* --- memory --- */

static int mem_limit_get(struct zram *z, struct zsi_text *out)
{
	zsi_text_add(out, "%" PRIu64 "\n", atomic_load_explicit(&z->memory.limit, memory_order_relaxed));
	return 0;
}

static int mem_limit_set(struct zram *z, const char *value)
{
	uint64_t bytes;
	int result;

	if (zsi_parse_bytes(value, &bytes) != 0 || bytes > UINT64_MAX - LIMIT_UNIT)
		return zsi_fail(EINVAL,
				"%s: mem_limit '%s' is not a number of bytes, with or without K, M, G, T, P, E",
				z->name, value);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	result = zsi_memory_set_limit_locked(z, zsi_round_up(bytes, LIMIT_UNIT));
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

static int mem_used_max_get(struct zram *z, struct zsi_text *out)
{
	zsi_text_add(out, "%" PRIu64 "\n",
		     atomic_load_explicit(&z->max_used_pages, memory_order_relaxed) * z->pool_options.page_size);
	return 0;
}

static int mem_used_max_set(struct zram *z, const char *value)
{
	uint64_t n;

	if (zsi_parse_number(value, &n) != 0 || n != 0)
		return zsi_fail(EINVAL, "%s: mem_used_max can only be set to 0, not '%s'", z->name, value);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	atomic_store_explicit(&z->max_bytes, 0, memory_order_relaxed);
	(void)zsi_memory_note_most(z);
	if (z->pool != NULL)
		atomic_store_explicit(&z->max_used_pages, zs_get_total_pages(z->pool), memory_order_relaxed);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return 0;
}

static int compact_set(struct zram *z, const char *value)
{
	struct zsi_stream *s = zsi_gate_enter(z);

	(void)value; /* any, as in the kernel */
	if (s == NULL)
		return -1;
	errno = 0;
	int result = 0;

	if (zs_compact(z->pool) == 0 && errno == EDEADLK)
		result = zsi_fail(EDEADLK, "%s: compact: this thread holds an object of the pool for reading", z->name);
	zsi_stream_leave(s);
	zsi_trim_table(z, true);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	if (z->pool != NULL)
		zsi_streams_give_back_locked(z, 0);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

/* --- algorithms --- */

static void list_algorithms(const struct zsi_codec *chosen, struct zsi_text *out)
{
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++)
		zsi_text_add(out, zsi_codec_at(i) == chosen ? "[%s] " : "%s ", zsi_codec_name(zsi_codec_at(i)));
	zsi_text_add(out, "\n");
}

static int comp_algorithm_get(struct zram *z, struct zsi_text *out)
{
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	list_algorithms(z->algs[0].codec, out);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return 0;
}

static int comp_algorithm_set(struct zram *z, const char *value)
{
	char name[32];
	int result;

	/* The name alone, without the newline of an "echo". */
	if (snprintf(name, sizeof(name), "%.*s", (int)strcspn(value, " \t\n"), value) >= (int)sizeof(name) ||
	    (value[strcspn(value, " \t\n")] != '\0' && value[strcspn(value, " \t\n") + 1] != '\0'))
		return zsi_fail(EINVAL, "%s: comp_algorithm '%s' is not the name of one algorithm", z->name, value);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	result = zsi_algs_set_locked(z, 0, name);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

static int recomp_algorithm_get(struct zram *z, struct zsi_text *out)
{
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	for (unsigned p = 1; p < ZSI_PRIORITIES; p++) {
		if (z->algs[p].codec == NULL)
			continue;
		zsi_text_add(out, "#%u: ", p);
		list_algorithms(z->algs[p].codec, out);
	}
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return 0;
}

static int recomp_algorithm_set(struct zram *z, const char *value)
{
	int result;

	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	result = zsi_algs_recomp_set_locked(z, value);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

static int algorithm_params_set(struct zram *z, const char *value)
{
	int result;

	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	result = zsi_algs_params_set_locked(z, value);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

/* What Linux up to 6.14 reads: compressions at the same time, one a processor. It can't be changed there either. */
static int max_comp_streams_get(struct zram *z, struct zsi_text *out)
{
	(void)z;
	zsi_text_add(out, "%ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	return 0;
}

static int max_comp_streams_set(struct zram *z, const char *value)
{
	(void)z;
	(void)value; /* any, as in the kernel */
	return 0;
}

static int last_error_get(struct zram *z, struct zsi_text *out)
{
	(void)z;
	zsi_text_add(out, "%s\n", zsi_last_error());
	return 0;
}

/* --- the table --- */

static const struct zsi_attr attrs[] = {
	{ "algorithm_params", NULL, algorithm_params_set },
	{ "backing_dev", zsi_attr_backing_dev_get, zsi_attr_backing_dev_set },
	{ "bd_stat", zsi_attr_bd_stat, NULL },
	{ "block_state", zsi_attr_block_state, NULL },
	{ "comp_algorithm", comp_algorithm_get, comp_algorithm_set },
	{ "compact", NULL, compact_set },
	{ "compressed_writeback", zsi_attr_compressed_wb_get, zsi_attr_compressed_wb_set },
	{ "debug_stat", zsi_attr_debug_stat, NULL },
	{ "disksize", disksize_get, disksize_set },
	{ "evict", zsi_attr_evict_get, zsi_attr_evict_set },
	{ "idle", NULL, zsi_attr_idle },
	{ "initstate", initstate_get, NULL },
	{ "io_stat", zsi_attr_io_stat, NULL },
	{ "last_error", last_error_get, NULL },
	{ "max_comp_streams", max_comp_streams_get, max_comp_streams_set },
	{ "mem_limit", mem_limit_get, mem_limit_set },
	{ "mem_used_max", mem_used_max_get, mem_used_max_set },
	{ "mm_stat", zsi_attr_mm_stat, NULL },
	{ "recomp_algorithm", recomp_algorithm_get, recomp_algorithm_set },
	{ "recompress", NULL, zsi_attr_recompress },
	{ "reset", NULL, reset_set },
	{ "writeback", NULL, zsi_attr_writeback },
	{ "writeback_batch_size", zsi_attr_wb_batch_size_get, zsi_attr_wb_batch_size_set },
	{ "writeback_compressed", zsi_attr_compressed_wb_get, zsi_attr_compressed_wb_set },
	{ "writeback_limit", zsi_attr_wb_limit_get, zsi_attr_wb_limit_set },
	{ "writeback_limit_enable", zsi_attr_wb_limit_enable_get, zsi_attr_wb_limit_enable_set },
};

enum { NR_ATTRS = sizeof(attrs) / sizeof(attrs[0]) };

/* "mem-limit" is mem_limit: elsewhere the same thing is named so. */
static bool is_name(const char *known, const char *given)
{
	while (*known != '\0' && (*given == *known || (*known == '_' && *given == '-'))) {
		known++;
		given++;
	}
	return *known == '\0' && *given == '\0';
}

static const struct zsi_attr *find(struct zram *z, const char *name)
{
	char known[ZSI_ERROR_BYTES];
	struct zsi_text t = { known, sizeof(known), 0 };

	for (unsigned i = 0; i < NR_ATTRS; i++)
		if (is_name(attrs[i].name, name))
			return &attrs[i];
	for (unsigned i = 0; i < NR_ATTRS; i++)
		zsi_text_add(&t, " %s", attrs[i].name);
	(void)zsi_fail(EINVAL, "%s: no attribute '%s': there are%s", z->name, name, known);
	return NULL;
}

int zram_attr_set(struct zram *z, const char *attr, const char *value)
{
	const struct zsi_attr *a = find(z, attr);

	if (a == NULL)
		return -1;
	if (a->set == NULL)
		return zsi_fail(EINVAL, "%s: %s can only be read", z->name, attr);
	return a->set(z, value);
}

ssize_t zram_attr_get(struct zram *z, const char *attr, char *buf, size_t size)
{
	const struct zsi_attr *a = find(z, attr);
	struct zsi_text out = { buf, size, 0 };

	if (a == NULL)
		return -1;
	if (a->get == NULL)
		return zsi_fail(EINVAL, "%s: %s can only be set", z->name, attr);
	if (size > 0)
		buf[0] = '\0';
	return a->get(z, &out) != 0 ? -1 : (ssize_t)out.len;
}
