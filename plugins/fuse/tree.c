/* SPDX-License-Identifier: BSD-3-Clause */
/* tree.c - one directory: look up, make, remove, link. Moving is in tree_rename.c. */
#include "tree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "dir.h"
#include "tree_lock.h"

static bool is_directory(const struct node *n)
{
	return S_ISDIR(n->kind);
}

/* The length of a name; 0 with ENAMETOOLONG. */
static size_t name_length(const char *name)
{
	size_t len = strlen(name);
	if (len > 0 && len <= NAME_MAX_BYTES)
		return len;
	errno = len == 0 ? ENOENT : ENAMETOOLONG;
	return 0;
}

struct node *tree_lookup(struct fs *fs, struct node *dir, const char *name)
{
	size_t len = name_length(name);
	if (len == 0)
		return NULL;
	uint32_t hash = name_hash(name, len, fs->hash_seed);
	lock_shared(&dir->lock);
	struct name *found = dir_find(dir->dir, name, len, hash);
	struct node *n = found != NULL ? found->node : NULL;
	if (n != NULL)
		node_get(n); /* with the lock: the name has a reference as long as it is there */
	unlock_shared(&dir->lock);
	if (n == NULL)
		errno = ENOENT;
	return n;
}

/* Put a name into a directory. It is the directory's then. */
static int enter_locked(struct fs *fs, struct node *dir, struct name *name)
{
	if (dir->nlink == 0) {
		errno = ENOENT; /* it was removed while somebody is in it */
		return -1;
	}
	if (dir_find(dir->dir, name->bytes, name->len, name->hash) != NULL) {
		errno = EEXIST;
		return -1;
	}
	if (dir_reserve(&fs->memory, dir->dir, MEMORY_NEW) != 0)
		return -1;
	dir_add(dir->dir, name);
	node_modified_locked(dir);
	return 0;
}

/* A node that has no name yet. */
static struct node *new_node(struct fs *fs, const struct node *dir, const struct tree_new *what)
{
	uint32_t mode = what->mode, gid = what->gid;
	/* A directory's group is that of what is made in it, where it says so. The kernel has taken care of files' modes. */
	if ((dir->mode & S_ISGID) != 0) {
		gid = dir->gid;
		mode |= S_ISDIR(mode) ? (uint32_t)S_ISGID : 0;
	}
	struct node *n = node_create(fs, mode, what->uid, gid);
	if (n == NULL)
		return NULL;
	if (S_ISLNK(mode)) {
		n->size = strlen(what->target);
		n->target = memory_alloc(&fs->memory, n->size + 1, MEMORY_NEW);
		if (n->target == NULL) {
			node_put(fs, n, 1);
			return NULL;
		}
		memcpy(n->target, what->target, n->size + 1);
	} else if (!is_directory(n) && !S_ISREG(mode)) {
		n->rdev = what->rdev;
	}
	return n;
}

struct node *tree_make(struct fs *fs, struct node *dir, const char *bytes, const struct tree_new *what)
{
	size_t len = name_length(bytes);
	struct name *name = len > 0 ? name_create(&fs->memory, bytes, len, fs->hash_seed, MEMORY_NEW) : NULL;
	if (name == NULL)
		return NULL;
	lock_exclusive(&dir->lock);
	struct node *n = new_node(fs, dir, what);
	if (n != NULL) {
		name->node = n;
		n->nlink = is_directory(n) ? 2 : 1;
		if (is_directory(n))
			n->dir->up = dir->ino;
		node_get(n);
	}
	int result = n != NULL ? enter_locked(fs, dir, name) : -1;
	if (result == 0 && is_directory(n))
		dir->nlink++;
	unlock_exclusive(&dir->lock);
	if (result == 0)
		return n;
	int saved = errno;
	memory_free(&fs->memory, name);
	if (n != NULL)
		node_put(fs, n, 2);
	errno = saved;
	return NULL;
}

/* What the kernel would have found too, were it not for what happened meanwhile. */
static int check_removal(const struct node *n, bool directory)
{
	if (directory != is_directory(n)) {
		errno = directory ? ENOTDIR : EISDIR;
		return -1;
	}
	return 0;
}

/* Both are locked. The name is taken out and returned. */
static struct name *remove_locked(struct fs *fs, struct node *dir, struct name *name)
{
	struct node *n = name->node;
	if (is_directory(n)) {
		if (n->dir->live > 0) {
			errno = ENOTEMPTY;
			return NULL;
		}
		n->nlink = 0;
		dir->nlink--;
	} else {
		n->nlink--;
	}
	node_changed_locked(n);
	dir_remove(&fs->memory, dir->dir, name);
	node_modified_locked(dir);
	return name;
}

int tree_remove(struct fs *fs, struct node *dir, const char *bytes, bool directory)
{
	size_t len = name_length(bytes);
	if (len == 0)
		return -1;
	uint32_t hash = name_hash(bytes, len, fs->hash_seed);
	for (;;) {
		lock_exclusive(&dir->lock);
		struct name *name = dir_find(dir->dir, bytes, len, hash);
		struct node *n = name != NULL ? name->node : NULL;
		if (n == NULL || check_removal(n, directory) != 0) {
			errno = n == NULL ? ENOENT : errno;
			unlock_exclusive(&dir->lock);
			return -1;
		}
		if (!tree_lock_below(n)) {
			tree_wait(fs, dir, NULL, n);
			continue;
		}
		name = remove_locked(fs, dir, name);
		unlock_exclusive(&n->lock);
		unlock_exclusive(&dir->lock);
		if (name == NULL)
			return -1;
		memory_free(&fs->memory, name);
		node_put(fs, n, 1);
		return 0;
	}
}

int tree_link(struct fs *fs, struct node *n, struct node *dir, const char *bytes)
{
	size_t len = name_length(bytes);
	struct name *name = len > 0 ? name_create(&fs->memory, bytes, len, fs->hash_seed, MEMORY_NEW) : NULL;
	int result = -1;
	if (name == NULL)
		return -1;
	name->node = n;
	lock_exclusive(&dir->lock);
	lock_exclusive(&n->lock);
	if (is_directory(n))
		errno = EPERM;
	else if (n->nlink == 0)
		errno = ENOENT;
	else if (n->nlink == INT_MAX)
		errno = EMLINK;
	else
		result = enter_locked(fs, dir, name);
	if (result == 0) {
		n->nlink++;
		node_changed_locked(n);
		node_get(n);
	}
	unlock_exclusive(&n->lock);
	unlock_exclusive(&dir->lock);
	if (result != 0)
		memory_free(&fs->memory, name);
	return result;
}
