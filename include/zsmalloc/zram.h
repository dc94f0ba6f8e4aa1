/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram.h - a compressed block store in memory: the Linux kernel's zram as a library.
 *
 * A device is an array of blocks (4 to 64 KiB). A block that is written is compressed and kept in a zsmalloc pool; one
 * that is one machine word over and over keeps nothing but the word; one that does not shrink is kept as it is. Blocks
 * that were never written, or were discarded, read as zeros and cost nothing.
 *
 * The words are the kernel's (Documentation/admin-guide/blockdev/zram.rst): disksize, same-filled, huge block, idle,
 * recompression, writeback. So are the attributes, zram_attr_set() and zram_attr_get(), in names, formats and errors.
 *
 * Errors: a function that fails returns NULL or -1 and sets errno; a result that is undefined on failure is not
 * written. What was wrong and what would be right is in zram_strerror(), of the thread's last failed call. Nothing
 * prints, exits or aborts.
 *
 * Threads: every function may be called from any thread at any time, but for zram_destroy(), which must be the last.
 * Reads and writes of one block exclude each other; a request over several blocks is one after the other of its
 * blocks, as on a disk. Nothing here is async-signal-safe. After fork() the child has a working copy of every device,
 * without the threads that worked on it in the background.
 *
 * Since: 0.2, where nothing else is said.
 */
#ifndef ZSMALLOC_ZRAM_H
#define ZSMALLOC_ZRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <zsmalloc/zsmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zram;

/* Device flags, for zram_options.flags. */
#define ZRAM_CHECKSUM (1u << 0)   /* keep an xxHash of each stored block, check it when the block is read */
#define ZRAM_TRAIN_DICT (1u << 1) /* train dictionaries on the device's own blocks (lz4, lz4hc, zstd) */

/*
 * What zram_create() takes. Start from ZRAM_OPTIONS_INIT, change what you need: fields added later default to zero.
 * Strings are copied.
 */
struct zram_options {
	size_t struct_size;                /* filled by ZRAM_OPTIONS_INIT */
	uint64_t disksize;                 /* bytes, a multiple of block_size; 0: not initialised, see "disksize" */
	size_t block_size;                 /* bytes, a power of two from 4096 to 65536; 0 = 4096 */
	const char *comp_algorithm;        /* "lz4" (NULL), "lz4hc", "lzo", "lzo-rle", "zstd", "deflate" */
	const char *algorithm_params;      /* the kernel's, "level=8 dict=/path", and "kernel=1"; NULL: none */
	const char *recomp_algorithm[3];   /* secondary algorithms of priority 1, 2, 3; NULL: none */
	uint64_t mem_limit;                /* bytes of memory for data and metadata; 0 = none */
	const char *backing_dev;           /* a file or block device for writeback, NULL = none */
	unsigned flags;                    /* ZRAM_* */
	struct zs_pool_options pool;       /* of the pool that the blocks are in; page_size 0: what fits block_size */
	const char *name;                  /* instead of the saved one where a device is loaded; NULL = the saved one */
};

#define ZRAM_OPTIONS_INIT \
	{ sizeof(struct zram_options), 0, 0, NULL, NULL, { NULL, NULL, NULL }, 0, NULL, 0, ZS_POOL_OPTIONS_INIT, NULL }

/*
 * Make a device. name appears in statistics, and is the pool's name; NULL means options->name, or "zram". options NULL
 * means all defaults: a device that is not initialised yet, which takes attributes and reads and writes nothing until
 * "disksize" is set. Errors: EINVAL an option is out of range or names something unknown; ENOMEM; what opening the
 * backing file or the dictionary says (ENOENT, EACCES, ...); EBUSY the backing file is in use by another device.
 */
ZS_API struct zram *zram_create(const char *name, const struct zram_options *options);

/*
 * Stop what runs in the background and free everything. NULL is a no-op. The backing file's contents are worthless
 * then.
 */
ZS_API void zram_destroy(struct zram *z);

/*
 * Why this thread's last zram_ call that failed did, in one line without newline; "" when none has. Valid until the
 * next.
 */
ZS_API const char *zram_strerror(void);

/*
 * Bytes of the device (0: not initialised) and of a block, and the pool that the blocks are in (NULL: not
 * initialised).
 */
ZS_API uint64_t zram_disksize(struct zram *z);
ZS_API size_t zram_block_size(struct zram *z);
ZS_API struct zs_pool *zram_get_pool(struct zram *z);

/*
 * Read and write any range, 0 or -1. A part of a block is read, changed and written back, with the block locked; whole
 * blocks are compressed from and decompressed into buf itself. A write that fails leaves each block as it was or as it
 * was to be. len 0 does nothing. Errors: EINVAL the range ends behind the device's end, or the device is not
 * initialised: nothing was touched. ENOMEM memory or the mem_limit: the block keeps its old content; a block that holds
 * something can be written at the limit, with what fits where it lies at any time. EIO the backing
 * file can't be read, or a checksum is wrong: zram_strerror() names the block.
 */
ZS_API int zram_pread(struct zram *z, void *buf, size_t len, uint64_t offset);
ZS_API int zram_pwrite(struct zram *z, const void *buf, size_t len, uint64_t offset);

/*
 * Discard: whole blocks inside the range read as zeros afterwards and cost nothing; parts of blocks at its ends are
 * left alone, as the kernel does. Zero: the whole range reads as zeros, whole blocks cost nothing, parts are written.
 * Errors as zram_pwrite().
 */
ZS_API int zram_discard(struct zram *z, uint64_t offset, uint64_t len);
ZS_API int zram_zero(struct zram *z, uint64_t offset, uint64_t len);

/* What zram_extents() says of a range. */
#define ZRAM_EXTENT_HOLE (1u << 0) /* nothing is stored */
#define ZRAM_EXTENT_ZERO (1u << 1) /* reads as zeros */

/*
 * Call fn for consecutive parts of [offset, offset + len), in order, that together cover it: parts without data (never
 * written, discarded, zeroed) and parts with, neighbours of one kind in one call. fn returns 0 to go on; anything else
 * ends the walk, and is returned. No lock is held while fn runs. Errors: EINVAL as zram_pread().
 */
typedef int (*zram_extent_fn)(uint64_t offset, uint64_t len, unsigned flags, void *arg);
ZS_API int zram_extents(struct zram *z, uint64_t offset, uint64_t len, zram_extent_fn fn, void *arg);

/* What zram_get_block_info() says of a block. */
#define ZRAM_BLOCK_USED (1u << 0)           /* it was written, and not discarded since */
#define ZRAM_BLOCK_SAME (1u << 1)           /* same-filled: it is one machine word over and over */
#define ZRAM_BLOCK_HUGE (1u << 2)           /* stored as it is */
#define ZRAM_BLOCK_WB (1u << 3)             /* in the backing file, not in memory */
#define ZRAM_BLOCK_IDLE (1u << 4)           /* not accessed since it was marked */
#define ZRAM_BLOCK_INCOMPRESSIBLE (1u << 5) /* no secondary algorithm shrinks it */

struct zram_block_info {
	size_t struct_size;  /* filled by ZRAM_BLOCK_INFO_INIT */
	unsigned flags;      /* ZRAM_BLOCK_* */
	unsigned priority;   /* of the algorithm that compressed it, 0 to 3 */
	size_t stored_bytes; /* what is stored for it, where it is: 0 where nothing is (unused, same-filled) */
	uint64_t word;       /* of a same-filled block */
};

#define ZRAM_BLOCK_INFO_INIT { sizeof(struct zram_block_info), 0, 0, 0, 0 }

/*
 * What is stored for the block at offset, which may be anywhere inside it. It does not count as an access. Errors:
 * EINVAL offset is behind the device's end, the device is not initialised, or struct_size is not that of any version.
 */
ZS_API int zram_get_block_info(struct zram *z, uint64_t offset, struct zram_block_info *info);

/*
 * What a write of these block_size bytes would store: flags (USED, SAME, HUGE), stored_bytes and word, as
 * zram_get_block_info() would say afterwards. Nothing is stored, counted or changed, so a device of one block will do.
 * With ZS_GEOMETRY_LINUX in options.pool and lzo-rle, or lz4 or lzo and "kernel=1" in algorithm_params, stored_bytes
 * is what the kernel's zram makes of a page, to the byte. Errors: EINVAL the device is not initialised, or as above.
 */
ZS_API int zram_preview(struct zram *z, const void *block, struct zram_block_info *info);

/* Make what was written back to the backing file durable there; without one, a no-op. What is in memory stays there. */
ZS_API int zram_flush(struct zram *z);

/*
 * Attributes: the kernel's names, syntax and formats. docs/zram.md lists all of them, and those beyond the kernel's.
 *
 *   disksize initstate reset mem_limit mem_used_max comp_algorithm algorithm_params recomp_algorithm recompress compact
 *   backing_dev compressed_writeback evict idle writeback writeback_batch_size writeback_limit writeback_limit_enable
 *   max_comp_streams mm_stat io_stat bd_stat debug_stat block_state last_error
 *
 * A '-' in a name is taken for '_'. Set: 0, or -1 with EINVAL (unknown attribute or value, one that can only be read),
 * EBUSY (fixed once the device is initialised), ENOMEM, or what the operation says. Get: the length of the value
 * without its terminating 0, of which as much as fits is in buf, always terminated where size is not 0 (as snprintf);
 * -1 with EINVAL.
 */
ZS_API int zram_attr_set(struct zram *z, const char *attr, const char *value);
ZS_API ssize_t zram_attr_get(struct zram *z, const char *attr, char *buf, size_t size);

/* All statistics of the device and its pool. Errors: EINVAL unknown format; what the stream says. */
enum zram_stats_format {
	ZRAM_STATS_JSON,
	ZRAM_STATS_PROMETHEUS,
};
ZS_API int zram_stats_print(struct zram *z, FILE *out, enum zram_stats_format format);

/*
 * Save the device to a file descriptor, without decompressing, and make a device from such a stream. Saving runs while
 * the device is in use and gives its state at one moment, the call's. The stream has a version and checksums; one that
 * is damaged or cut short loads nothing: NULL with EBADMSG, and zram_strerror() says at which byte. Where the fd is a
 * file, save to a new one and rename it over the old. options: as for zram_create(); disksize, block_size and the
 * algorithms are the stream's and must be 0 or NULL, or the same.
 */
ZS_API int zram_save(struct zram *z, int fd);
ZS_API struct zram *zram_load(int fd, const struct zram_options *options);

/*
 * Work in the background: compaction, and recompression and writeback of blocks that were idle for a while. One thread
 * a device, within a share of one processor.
 */
struct zram_background {
	size_t struct_size;     /* filled by ZRAM_BACKGROUND_INIT */
	unsigned cpu_percent;   /* at most this share of one processor, 1 to 100; 0 = 5 */
	unsigned interval_ms;   /* look this often, 1 to 60000; 0 = 1000 */
	unsigned idle_seconds;  /* a block not used for so long is idle; 0: no recompression and no writeback */
	const char *recompress; /* as the attribute, "type=idle"; NULL: none */
	const char *writeback;  /* as the attribute, "type=huge_idle"; NULL: none */
	bool no_shrinker;       /* leave compaction of the pool alone */
};

#define ZRAM_BACKGROUND_INIT { sizeof(struct zram_background), 0, 0, 0, NULL, NULL, false }

/*
 * Start (policy NULL: all defaults, compaction only) and stop. Errors: EEXIST it runs already; EINVAL policy; what
 * pthread_create() says.
 */
ZS_API int zram_background_start(struct zram *z, const struct zram_background *policy);
ZS_API void zram_background_stop(struct zram *z);

#ifdef __cplusplus
}
#endif

#endif
