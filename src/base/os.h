/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * os.h - address space and memory from the operating system, behind a table that tests replace.
 *
 * Every byte the library holds comes through here, but for thread-local buffers of mapped objects: a range of address
 * space is reserved once, parts of it are committed (made accessible; the kernel gives memory when it is touched),
 * decommitted (the memory is given back, the range reads as zeros afterwards) and at last released.
 *
 * A test makes the Nth reserve or commit fail by putting its own functions into zsi_os before it makes a pool. The
 * table must not change while a pool exists on another thread.
 */
#ifndef ZSI_BASE_OS_H
#define ZSI_BASE_OS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum zsi_os_hint {
	ZSI_OS_NO_HUGEPAGE = 1, /* keep transparent huge pages out */
	ZSI_OS_HUGEPAGE = 2,    /* ask for them */
	ZSI_OS_MLOCK = 4,       /* lock what is touched */
};

struct zsi_os_ops {
	/*
	 * Reserve bytes of inaccessible address space, in whole pages of the system's, aligned to align (a power of
	 * two). NULL: ENOMEM.
	 */
	void *(*reserve)(size_t bytes, size_t align);
	/*
	 * Make part of a reservation accessible, from the start of a system's page. 0, or -1 with errno. hints:
	 * zsi_os_hint.
	 */
	int (*commit)(void *start, size_t bytes, unsigned hints);
	/*
	 * Give the memory of committed parts back: n ranges of whole pages of the system's, none of which is empty, of
	 * reservations with the same hints. They stay accessible and read as zeros. Many ranges in one call cost
	 * little more than one, since the processors are told once to forget where the pages were.
	 */
	void (*decommit)(const struct iovec *ranges, unsigned n, unsigned hints);
	/* Give a whole reservation back. */
	void (*release)(void *start, size_t bytes);
};

/* The table in use. Written only by tests, while no pool exists. */
extern struct zsi_os_ops zsi_os;

/* The real functions, for tests that forward to them. */
extern const struct zsi_os_ops zsi_os_real;

/*
 * Prefer a NUMA node for the memory of a reservation, or spread it over several: bit n of nodes is node n. 0, or -1
 * with EINVAL (one of them is not there) or ENOSYS.
 */
int zsi_os_bind(void *start, size_t bytes, uint64_t nodes);

/*
 * Bytes of a page of the system's, a power of two: 4096, or on some machines 16384 or 65536. Memory comes and goes in
 * these: the kernel refuses a range that begins inside one, and takes one that ends inside one for the whole of it.
 */
size_t zsi_os_page_bytes(void);

/* Bytes of physical memory in this machine. */
size_t zsi_os_ram_bytes(void);

#endif
