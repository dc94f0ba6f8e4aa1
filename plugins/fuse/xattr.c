/* SPDX-License-Identifier: BSD-3-Clause */
/* xattr.c - one allocation an attribute. */
#include "xattr.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

static struct xattr **find(struct xattr **list, const char *name)
{
	while (*list != NULL && strcmp((*list)->bytes, name) != 0)
		list = &(*list)->next;
	return list;
}

int xattr_set(struct memory *memory, struct xattr **list, const char *name, const void *value, size_t len, int flags)
{
	struct xattr **at = find(list, name), *old = *at;
	size_t name_len = strlen(name);
	if (old != NULL && (flags & XATTR_CREATE) != 0) {
		errno = EEXIST;
		return -1;
	}
	if (old == NULL && (flags & XATTR_REPLACE) != 0) {
		errno = ENODATA;
		return -1;
	}
	struct xattr *x = memory_alloc(memory, offsetof(struct xattr, bytes) + name_len + 1 + len, MEMORY_NEW);
	if (x == NULL)
		return -1;
	x->next = old != NULL ? old->next : NULL;
	x->value_len = (uint32_t)len;
	x->name_len = (uint8_t)name_len;
	memcpy(x->bytes, name, name_len + 1);
	if (len > 0)
		memcpy(x->bytes + name_len + 1, value, len);
	*at = x;
	memory_free(memory, old);
	return 0;
}

int xattr_remove(struct memory *memory, struct xattr **list, const char *name)
{
	struct xattr **at = find(list, name), *old = *at;
	if (old == NULL) {
		errno = ENODATA;
		return -1;
	}
	*at = old->next;
	memory_free(memory, old);
	return 0;
}

const void *xattr_get(const struct xattr *list, const char *name, size_t *len)
{
	for (; list != NULL; list = list->next) {
		if (strcmp(list->bytes, name) != 0)
			continue;
		*len = list->value_len;
		return list->bytes + list->name_len + 1;
	}
	errno = ENODATA;
	return NULL;
}

size_t xattr_list(const struct xattr *list, char *buf, size_t room)
{
	size_t all = 0;
	for (; list != NULL; list = list->next) {
		size_t len = list->name_len + 1u;
		if (all + len <= room)
			memcpy(buf + all, list->bytes, len);
		all += len;
	}
	return all;
}

void xattr_free(struct memory *memory, struct xattr *list)
{
	while (list != NULL) {
		struct xattr *next = list->next;
		memory_free(memory, list);
		list = next;
	}
}
