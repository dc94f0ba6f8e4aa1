/* SPDX-License-Identifier: BSD-3-Clause */
/* init.c - the steps of initialising, each undone by the same function. */
#include "zram/init.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/os.h"
#include "device/algs.h"
#include "device/backing.h"
#include "device/device.h"
#include "device/dict.h"
#include "device/error.h"
#include "device/fits.h"
#include "device/gate.h"
#include "device/memory.h"
#include "device/streams.h"
#include "device/table.h"
#include "zram/evict.h"
#include "zram/fork.h"
#include "zram/train.h"

void zsi_init_undo_locked(struct zram *z)
{
	zsi_evict_stop_frozen(z);
	zsi_streams_empty_locked(z);
	zsi_dict_retire_frozen(z, true);
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
	return zsi_evict_start_locked(z);
}

/* Nobody can be inside: the device has no stream that is filled. */
int zsi_init_locked(struct zram *z, uint64_t disksize)
{
	int result;

	if (zsi_train_init_locked(z) != 0)
		return -1;
	zsi_memory_begin_locked(z);
	result = init_pool_locked(z);
	if (result == 0)
		result = init_parts_locked(z, disksize >> z->block_shift);
	if (result == 0)
		result = zsi_fits_check_locked(z);
	int error = errno;

	zsi_memory_end_locked(z);
	if (result == 0)
		atomic_store_explicit(&z->disksize, disksize, memory_order_relaxed);
	else if (z->pool != NULL)
		zsi_init_undo_locked(z);
	errno = error;
	return result;
}

void zsi_init_reset(struct zram *z)
{
	zsi_lock(&z->save_lock, ZSI_RANK_SAVE);
	zsi_train_hold(z);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	zsi_gate_close(z);
	atomic_store_explicit(&z->disksize, 0, memory_order_relaxed);
	if (z->pool != NULL)
		zsi_init_undo_locked(z);
	z->marks_left = false;
	zsi_algs_reset_locked(z);
	zsi_backing_close(z);
	zsi_backing_defaults_locked(z);
	atomic_store_explicit(&z->evict, false, memory_order_relaxed);
	(void)zsi_memory_set_limit_locked(z, 0);
	atomic_store_explicit(&z->max_used_pages, 0, memory_order_relaxed);
	atomic_store_explicit(&z->max_bytes, 0, memory_order_relaxed);
	zsi_gate_open(z);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	zsi_train_release(z);
	zsi_unlock(&z->save_lock, ZSI_RANK_SAVE);
}
