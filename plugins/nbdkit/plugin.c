/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plugin.c - nbdkit-zram-plugin: a disk in compressed memory.
 *
 * One device for the whole server; connections have no state of their own and share no lock. A request goes from
 * nbdkit's thread to the library with nbdkit's own buffer.
 *
 * Life: get_ready makes or loads the device and takes the control socket's name, so that what is wrong shows on the
 * terminal; after_fork starts the threads, as they would not live through the fork; cleanup, when all connections are
 * closed, ends them and saves.
 */
#define NBDKIT_API_VERSION 2

#include <errno.h>
#include <nbdkit-plugin.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/control.h"
#include "common/request.h"
#include "common/saving.h"
#include "common/why.h"
#include "config.h"
#include "disk.h"
#include "disk_request.h"
#include "snapshot.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

enum {
	REQUEST_MAX = 64 << 20, /* nbdkit's own limit for reads and writes */
	BACKING_TRIES = 1000,   /* of ten milliseconds each */
};

/* All set before the first connection, and constant until the last one is closed. */
static struct disk disk;
static size_t block_size;
static struct control *control;
static struct request control_request;

static int make_disk(void)
{
	char why[WHY_BYTES];
	disk.size = config.size;
	if (config.load != NULL && snapshot_load(&disk, config.load, &config.options, why, sizeof(why)) != 0 &&
	    !(config.load_optional && errno == ENOENT && config.size != CONFIG_NO_SIZE)) {
		nbdkit_error("%s", why);
		return -1;
	}
	if (disk.z == NULL) {
		struct zram_options options = config.options;
		options.disksize = disk_device_bytes(disk.size, config_block_size());
		disk.z = zram_create(options.name != NULL ? options.name : "disk", &options);
	}
	if (disk.z == NULL || (config.evict && zram_attr_set(disk.z, "evict", "1") != 0)) {
		nbdkit_error("%s", zram_strerror());
		return -1;
	}
	block_size = zram_block_size(disk.z);
	return 0;
}

/* Who made the disk; another one after nbdkit went into the background. */
static pid_t maker;

/*
 * The backing file is the maker's, and locked until that has ended, which it does after the fork. Nothing was written
 * to it yet.
 */
static int take_backing_over(void)
{
	const struct timespec pause = { 0, 10 * 1000 * 1000 };
	if (config.options.backing_dev == NULL || getpid() == maker)
		return 0;
	for (int tries = BACKING_TRIES; zram_attr_set(disk.z, "backing_dev", config.options.backing_dev) != 0;) {
		if (errno != EBUSY || tries-- == 0) {
			nbdkit_error("%s", zram_strerror());
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int zram_get_ready(void)
{
	char why[WHY_BYTES];
	/* Before a snapshot is loaded, which may take long. */
	if (config.save != NULL && (saving_own(config.save, why, sizeof(why)) != 0 ||
			    snapshot_try(config.save, why, sizeof(why)) != 0)) {
		nbdkit_error("the disk could not be saved: %s", why);
		return -1;
	}
	maker = getpid();
	if (make_disk() != 0)
		return -1;
	/* Its threads would not live through the fork: this is only to see what is wrong with it. */
	if (zram_background_start(disk.z, &config.background) != 0) {
		nbdkit_error("%s", zram_strerror());
		return -1;
	}
	zram_background_stop(disk.z);
	if (config.control != NULL) {
		control = control_open(config.control, why, sizeof(why));
		if (control == NULL) {
			nbdkit_error("control=%s", why);
			return -1;
		}
	}
	return 0;
}

static int zram_after_fork(void)
{
	if (take_backing_over() != 0)
		return -1;
	/* Also where there is nothing to compact or recompress: it gives back what threads no longer use. */
	if (zram_background_start(disk.z, &config.background) != 0) {
		nbdkit_error("%s", zram_strerror());
		return -1;
	}
	control_request = disk_request(&disk, config.save);
	if (control != NULL && control_start(control, &control_request) != 0) {
		nbdkit_error("control=: can't start a thread: %m");
		return -1;
	}
	return 0;
}

/* nbdkit has done all it does at its end, and would end with 0. */
static void end_in_failure(void)
{
	fflush(NULL);
	_exit(EXIT_FAILURE);
}

/* The control socket is open until all is saved: it tells how far that is, and that the server is still there. */
static void zram_cleanup(void)
{
	char why[WHY_BYTES];
	if (disk.z != NULL)
		zram_background_stop(disk.z);
	if (disk.z != NULL && config.save != NULL && snapshot_save(&disk, config.save, why, sizeof(why)) != 0) {
		nbdkit_error("the disk is not saved: %s", why);
		atexit(end_in_failure);
	}
	control_close(control);
	control = NULL;
}

/* What is still there: the server may end without cleanup, where it has not begun to serve. */
static void zram_unload(void)
{
	control_close(control);
	zram_destroy(disk.z);
	config_free();
}

static void *zram_open(int readonly)
{
	(void)readonly;
	return NBDKIT_HANDLE_NOT_NEEDED;
}

static int64_t zram_get_size(void *handle)
{
	(void)handle;
	return (int64_t)disk.size;
}

static int zram_block_sizes(void *handle, uint32_t *minimum, uint32_t *preferred, uint32_t *maximum)
{
	(void)handle;
	*minimum = 1;
	*preferred = (uint32_t)block_size;
	*maximum = REQUEST_MAX;
	return 0;
}

static int yes(void *handle)
{
	(void)handle;
	return 1;
}

static int no(void *handle)
{
	(void)handle;
	return 0;
}

static int fua_native(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

static int cache_native(void *handle)
{
	(void)handle;
	return NBDKIT_CACHE_NATIVE;
}

/*
 * A request failed: tell the log why, at most once a second, as a full disk may fail thousands of them. No room in
 * memory is no room on the disk: ENOSPC is what clients know how to handle (QEMU stops the machine and goes on later).
 */
static int failed(const char *what, uint64_t offset)
{
	static _Atomic time_t last;
	int error = errno == ENOMEM ? ENOSPC : errno;
	struct timespec now = { 0 };
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	time_t before = atomic_exchange_explicit(&last, now.tv_sec, memory_order_relaxed);
	if (before != now.tv_sec)
		nbdkit_error("%s at %llu: %s", what, (unsigned long long)offset, zram_strerror());
	else
		nbdkit_debug("%s at %llu: %s", what, (unsigned long long)offset, zram_strerror());
	nbdkit_set_error(error);
	return -1;
}

static int zram_read(void *handle, void *buf, uint32_t count, uint64_t offset, uint32_t flags)
{
	(void)handle, (void)flags;
	return zram_pread(disk.z, buf, count, offset) == 0 ? 0 : failed("read", offset);
}

/* FUA asks for no more than has happened already: this memory is all the persistence there is. */
static int zram_write(void *handle, const void *buf, uint32_t count, uint64_t offset, uint32_t flags)
{
	(void)handle, (void)flags;
	return disk_write(&disk, buf, count, offset) == 0 ? 0 : failed("write", offset);
}

static int zram_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	(void)handle, (void)flags;
	return disk_trim(&disk, count, offset) == 0 ? 0 : failed("trim", offset);
}

static int zram_zeroes(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	(void)handle;
	/* Parts of blocks are read, changed and written: without a whole block that is what a write does. */
	if ((flags & NBDKIT_FLAG_FAST_ZERO) && !disk_has_whole_block(&disk, count, offset)) {
		nbdkit_set_error(EOPNOTSUPP);
		return -1;
	}
	return disk_zero(&disk, count, offset) == 0 ? 0 : failed("zero", offset);
}

static int zram_flush_disk(void *handle, uint32_t flags)
{
	(void)handle, (void)flags;
	return zram_flush(disk.z) == 0 ? 0 : failed("flush", 0);
}

/* It is in memory already. */
static int zram_cache(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	(void)handle, (void)count, (void)offset, (void)flags;
	return 0;
}

struct extent_walk {
	struct nbdkit_extents *extents;
	bool one; /* the client wants only the first */
	bool failed;
};

static int add_extent(uint64_t offset, uint64_t len, unsigned flags, void *arg)
{
	struct extent_walk *walk = arg;
	uint32_t type = 0;
	if (flags & ZRAM_EXTENT_HOLE)
		type |= NBDKIT_EXTENT_HOLE;
	if (flags & ZRAM_EXTENT_ZERO)
		type |= NBDKIT_EXTENT_ZERO;
	walk->failed = nbdkit_add_extent(walk->extents, offset, len, type) != 0;
	return walk->failed || walk->one;
}

static int zram_list_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags,
			     struct nbdkit_extents *extents)
{
	(void)handle;
	struct extent_walk walk = { extents, (flags & NBDKIT_FLAG_REQ_ONE) != 0, false };
	if (zram_extents(disk.z, offset, count, add_extent, &walk) < 0)
		return failed("extents", offset);
	return walk.failed ? -1 : 0;
}

static const char *zram_describe(void *handle)
{
	(void)handle;
	return "disk in compressed memory; gone when the server ends, unless saved";
}

/* What this build can do, for nbdkit zram --dump-plugin. */
static void zram_dump(void)
{
	char names[256];
	struct zram *z = zram_create("dump", NULL);
	if (z != NULL && zram_attr_get(z, "comp_algorithm", names, sizeof(names)) > 0) {
		names[strcspn(names, "\n")] = '\0';
		printf("zram_algorithms=%s\n", names);
	}
	zram_destroy(z);
}

static struct nbdkit_plugin plugin = {
	.name = "zram",
	.longname = "disk in compressed memory",
	.version = ZRAM_PLUGIN_VERSION,
	.description = "A disk in compressed memory that gives memory back.",
	.magic_config_key = "size",
	.config = config_take,
	.config_complete = config_check,
	.config_help = config_help,
	.dump_plugin = zram_dump,
	.get_ready = zram_get_ready,
	.after_fork = zram_after_fork,
	.cleanup = zram_cleanup,
	.unload = zram_unload,
	.open = zram_open,
	.export_description = zram_describe,
	.get_size = zram_get_size,
	.block_size = zram_block_sizes,
	.is_rotational = no,
	.can_multi_conn = yes,
	.can_fua = fua_native,
	.can_cache = cache_native,
	.can_fast_zero = yes,
	.pread = zram_read,
	.pwrite = zram_write,
	.flush = zram_flush_disk,
	.trim = zram_trim,
	.zero = zram_zeroes,
	.cache = zram_cache,
	.extents = zram_list_extents,
	.errno_is_preserved = 1,
};

/* nbdkit looks for this one function. */
extern struct nbdkit_plugin *plugin_init(void);

NBDKIT_REGISTER_PLUGIN(plugin)
