/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xattr.h - extended attributes of one node: a list, as there are few. Names are those of "user.", others are refused
 * before they come here. All need the node's lock: set and remove exclusive.
 */
#ifndef ZS_FUSE_XATTR_H
#define ZS_FUSE_XATTR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "memory.h"

struct xattr {
	struct xattr *next;
	uint32_t value_len;
	uint8_t name_len;
	char bytes[]; /* the name, a 0, the value */
};

/* flags: XATTR_CREATE, XATTR_REPLACE. 0, or -1 with EEXIST, ENODATA, ENOSPC, ENOMEM. */
int xattr_set(struct memory *memory, struct xattr **list, const char *name, const void *value, size_t len, int flags);
int xattr_remove(struct memory *memory, struct xattr **list, const char *name);

/* The value, NULL: ENODATA. */
const void *xattr_get(const struct xattr *list, const char *name, size_t *len);

/* All names, each with a 0 behind it, into buf if it is large enough. How many bytes they are. */
size_t xattr_list(const struct xattr *list, char *buf, size_t room);

void xattr_free(struct memory *memory, struct xattr *list);

#endif
