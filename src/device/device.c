/* SPDX-License-Identifier: BSD-3-Clause */
/* device.c - making, initialising and resetting devices. */
#include "device/device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/bits.h"
#include "base/os.h"
#include "base/versioned.h"

#define DEFAULT_BLOCK_SIZE 4096u
#define MAX_BLOCK_SIZE 65536u
#define KNOWN_FLAGS (ZRAM_CHECKSUM | ZRAM_TRAIN_DICT)

/* --- options --- */

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
	if (o->comp_algorithm != NULL && zsi_alg_set_locked(z, 0, o->comp_algorithm) != 0)
		return -1;
	for (unsigned i = 0; i + 1 < ZSI_PRIORITIES; i++)
		if (o->recomp_algorithm[i] != NULL && zsi_alg_set_locked(z, i + 1, o->recomp_algorithm[i]) != 0)
			return -1;
	return o->algorithm_params != NULL ? zsi_alg_params_set_locked(z, o->algorithm_params) : 0;
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
	if (o->backing_dev != NULL && zsi_backing_open_locked(z, o->backing_dev) != 0)
		return -1;
	return apply_algorithms(z, o);
}

/* --- initialising --- */

static void uninit_locked(struct zram *z)
{
	zsi_streams_empty_locked(z);
	zsi_train_retire_frozen(z, true);
	zsi_algs_stop_locked(z);
	zsi_table_fini(z);
	zs_destroy_pool(z->pool);
	z->pool = NULL;
}

#define MIB(bytes) ((unsigned long long)zsi_div_up(bytes, 1u << 20))

/* Why no pool could be made, with the numbers where it is for want of address space. */
static int no_pool(struct zram *z, const struct zs_pool_options *o, int error)
{
	uint64_t least = zs_least_reserve(o);
	uint64_t wanted = o->reserve_bytes != 0 ? o->reserve_bytes : least;
	struct rlimit limit;

	if (error == EINVAL && least != 0 && o->reserve_bytes != 0 && o->reserve_bytes < least)
		return zsi_fail(error, "%s: pool.reserve_bytes is %llu MiB of address space; the least is %llu MiB",
				z->name, MIB(o->reserve_bytes), MIB(least));
	void *room = error == ENOMEM ? zsi_os.reserve(wanted, 1) : NULL;

	if (room != NULL)
		zsi_os.release(room, wanted);
	else if (error == ENOMEM && getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		return zsi_fail(
			error,
			"%s: the pool can't be made: it needs %llu MiB of address space, of the process's limit of "
			"%llu MiB (ulimit -v) less is left",
			z->name, MIB(wanted), MIB(limit.rlim_cur));
	return zsi_fail(error, "%s: the pool can't be made: %s", z->name,
			error == EINVAL ? "its options are out of range" : strerror(error));
}

static int init_pool_locked(struct zram *z)
{
	struct zs_pool_options o = z->pool_options;

	o.limit_bytes = zsi_memory_pool_limit(z);
	z->pool = zs_create_pool_with(z->name, &o);
	if (z->pool == NULL)
		return no_pool(z, &o, errno);
	int error = zsi_fork_handlers_for_devices();

	if (error != 0) {
		zs_destroy_pool(z->pool);
		z->pool = NULL;
		return zsi_fail(error, "%s: fork handlers can't be installed", z->name);
	}
	zs_set_headroom(z->pool, zsi_memory_reserve(z));
	z->huge_size = zsi_min(zs_huge_class_size(z->pool), z->block_size);
	return 0;
}

/* Everything that a device has before its first block is written. */
static int init_parts_locked(struct zram *z, uint64_t blocks)
{
	if (zsi_table_init(z, blocks, (z->flags & ZRAM_CHECKSUM) != 0) != 0)
		return zsi_fail(ENOMEM, "%s: no address space for a table of %" PRIu64 " blocks", z->name, blocks);
	if (zsi_algs_start_locked(z) != 0)
		return -1;
	if (zsi_streams_start_locked(z) != 0)
		return zsi_fail(errno, "%s: no memory for compressing", z->name);
	return 0;
}

/* Nobody can be inside: the device has no stream that is filled. */
int zsi_device_init_locked(struct zram *z, uint64_t disksize)
{
	int result;

	if (zsi_train_init_locked(z) != 0)
		return -1;
	zsi_memory_begin_locked(z);
	result = init_pool_locked(z);
	if (result == 0)
		result = init_parts_locked(z, disksize >> z->block_shift);
	if (result == 0)
		result = zsi_memory_check_locked(z);
	int error = errno;

	zsi_memory_end_locked(z);
	if (result == 0)
		atomic_store_explicit(&z->disksize, disksize, memory_order_relaxed);
	else if (z->pool != NULL)
		uninit_locked(z);
	errno = error;
	return result;
}

void zsi_device_reset(struct zram *z)
{
	zsi_lock(&z->save_lock, ZSI_RANK_SAVE);
	zsi_train_hold(z);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	zsi_gate_close(z);
	atomic_store_explicit(&z->disksize, 0, memory_order_relaxed);
	if (z->pool != NULL)
		uninit_locked(z);
	z->marks_left = false;
	zsi_algs_reset_locked(z);
	zsi_backing_close(z);
	(void)zsi_memory_set_limit_locked(z, 0);
	atomic_store_explicit(&z->max_used_pages, 0, memory_order_relaxed);
	atomic_store_explicit(&z->max_bytes, 0, memory_order_relaxed);
	zsi_gate_open(z);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	zsi_train_release(z);
	zsi_unlock(&z->save_lock, ZSI_RANK_SAVE);
}

/* --- devices --- */

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
		ok = apply_options(z, &o) == 0 && (o.disksize == 0 || zsi_device_init_locked(z, o.disksize) == 0);
		zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	}
	if (ok) {
		zsi_devices_add(z);
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
	zsi_devices_remove(z);
	zram_background_stop(z);
	zsi_train_hold(z);
	zsi_train_release(z);
	if (z->pool != NULL)
		uninit_locked(z);
	zsi_backing_close(z);
	zsi_streams_free(z);
	for (unsigned i = 0; i < ZSI_PRIORITIES; i++)
		free(z->algs[i].dict_data);
	free(z);
}

uint64_t zram_disksize(struct zram *z)
{
	return atomic_load_explicit(&z->disksize, memory_order_relaxed);
}

size_t zram_block_size(struct zram *z)
{
	return z->block_size;
}

struct zs_pool *zram_get_pool(struct zram *z)
{
	struct zs_pool *pool;

	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	pool = z->pool;
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return pool;
}
