/* SPDX-License-Identifier: BSD-3-Clause */
/* create.c - a device is made of what its options say, and unmade. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/versioned.h"
#include "device/algs.h"
#include "device/backing.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/streams.h"
#include "zram/fork.h"
#include "zram/init.h"
#include "zram/train.h"

#define DEFAULT_BLOCK_SIZE 4096u
#define MAX_BLOCK_SIZE 65536u
#define KNOWN_FLAGS (ZRAM_CHECKSUM | ZRAM_TRAIN_DICT)

static int read_options(struct zram *z, struct zram_options *o, const struct zram_options *given)
{
	*o = (struct zram_options)ZRAM_OPTIONS_INIT;
	if (given != NULL && !zsi_copy_versioned(o, sizeof(*o), given, sizeof(size_t)))
		return zsi_fail(EINVAL, "%s: options: start from ZRAM_OPTIONS_INIT", z->name);
	if (o->block_size == 0)
		o->block_size = DEFAULT_BLOCK_SIZE;
	if (!zsi_is_pow2(o->block_size) || o->block_size < DEFAULT_BLOCK_SIZE || o->block_size > MAX_BLOCK_SIZE)
		return zsi_fail(EINVAL, "%s: block_size %zu is not a power of two from %u to %u", z->name,
				o->block_size, DEFAULT_BLOCK_SIZE, MAX_BLOCK_SIZE);
	if (o->disksize % o->block_size != 0)
		return zsi_fail(EINVAL, "%s: disksize %" PRIu64 " is not a multiple of the block size, %zu", z->name,
				o->disksize, o->block_size);
	if ((o->flags & ~KNOWN_FLAGS) != 0)
		return zsi_fail(EINVAL, "%s: flags %#x has unknown bits", z->name, o->flags);
	if (o->pool.struct_size == 0)
		o->pool.struct_size = sizeof(o->pool);
	if (o->pool.page_size == 0)
		o->pool.page_size = o->block_size;
	if (o->pool.page_size < o->block_size)
		return zsi_fail(EINVAL, "%s: pool.page_size %zu is less than the block size, %zu", z->name,
				o->pool.page_size, o->block_size);
	if (o->mem_limit != 0 && (o->pool.flags & ZS_POOL_HUGEPAGE) != 0)
		return zsi_fail(EINVAL, "%s: mem_limit goes not with ZS_POOL_HUGEPAGE", z->name);
	return 0;
}

static void set_name(struct zram *z, const char *name)
{
	if (name == NULL)
		name = "zram";
	memset(z->name, 0, sizeof(z->name));
	for (size_t i = 0; i + 1 < sizeof(z->name) && name[i] != '\0'; i++)
		z->name[i] = (unsigned char)name[i] < ' ' || name[i] == 0x7f ? '?' : name[i];
}

static int apply_algorithms(struct zram *z, const struct zram_options *o)
{
	if (o->comp_algorithm != NULL && zsi_algs_set_locked(z, 0, o->comp_algorithm) != 0)
		return -1;
	for (unsigned i = 0; i + 1 < ZSI_PRIORITIES; i++)
		if (o->recomp_algorithm[i] != NULL && zsi_algs_set_locked(z, i + 1, o->recomp_algorithm[i]) != 0)
			return -1;
	return o->algorithm_params != NULL ? zsi_algs_params_set_locked(z, o->algorithm_params) : 0;
}

static int apply_options(struct zram *z, const struct zram_options *o)
{
	z->flags = o->flags;
	z->block_size = o->block_size;
	z->block_shift = zsi_log2_floor(o->block_size);
	z->pool_options = o->pool;
	if (o->pool.pages != NULL) {
		z->page_source = *o->pool.pages;
		z->pool_options.pages = &z->page_source;
	}
	z->memory.limit = o->mem_limit;
	zsi_algs_reset_locked(z);
	zsi_backing_defaults_locked(z);
	if (o->backing_dev != NULL && zsi_backing_open_locked(z, o->backing_dev) != 0)
		return -1;
	return apply_algorithms(z, o);
}

struct zram *zram_create(const char *name, const struct zram_options *options)
{
	struct zram *z = aligned_alloc(ZSI_CACHE_LINE, zsi_round_up(sizeof(*z), ZSI_CACHE_LINE));
	struct zram_options o;
	bool ok;

	if (z == NULL) {
		(void)zsi_fail(ENOMEM, "no memory for a device");
		return NULL;
	}
	memset(z, 0, sizeof(*z));
	z->backing.fd = -1;
	set_name(z, name);
	ok = read_options(z, &o, options) == 0;
	if (ok && name == NULL)
		set_name(z, o.name);
	if (ok) {
		/* Nobody else knows the device yet, but the rules about locks hold all the same. */
		zsi_lock(&z->lock, ZSI_RANK_DEVICE);
		/* Whether a limit leaves room for it is seen when it is initialised. */
		atomic_store_explicit(&z->memory.own, sizeof(*z), memory_order_relaxed);
		ok = apply_options(z, &o) == 0 && (o.disksize == 0 || zsi_init_locked(z, o.disksize) == 0);
		zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	}
	if (ok) {
		zsi_fork_add_device(z);
		return z;
	}
	int error = errno;

	zram_destroy(z);
	errno = error;
	return NULL;
}

void zram_destroy(struct zram *z)
{
	if (z == NULL)
		return;
	zsi_fork_remove_device(z);
	zram_background_stop(z);
	zsi_train_hold(z);
	zsi_train_release(z);
	if (z->pool != NULL)
		zsi_init_undo_locked(z);
	zsi_backing_close(z);
	zsi_streams_free(z);
	for (unsigned i = 0; i < ZSI_PRIORITIES; i++)
		free(z->algs[i].dict_data);
	free(z);
}
