/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree_rename.c - moving names.
 *
 * A name that is there already is not made anew: it comes to lead to the other node. So renaming over a file, and
 * exchanging, needs no memory. A new name is made before anything is changed, and beyond the limit if need be, as the
 * old one is freed in a moment.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dir.h"
#include "tree.h"
#include "tree_lock.h"

/* One rename, with both directories locked. */
struct move {
	struct node *from, *to;
	struct name *old, *there; /* there: NULL where nothing has the new name */
	struct name *made;        /* the new name where it is needed */
	struct node *moved, *gone;
};

static bool is_directory(const struct node *n)
{
	return n != NULL && S_ISDIR(n->kind);
}

static int fail(int error)
{
	errno = error;
	return -1;
}

static int check(const struct move *m, unsigned flags)
{
	if (m->old == NULL || m->to->nlink == 0)
		return fail(ENOENT);
	if ((flags & RENAME_NOREPLACE) != 0 && m->there != NULL)
		return fail(EEXIST);
	if ((flags & RENAME_EXCHANGE) != 0)
		return m->there == NULL ? fail(ENOENT) : m->moved == m->to || m->gone == m->from ? fail(EINVAL) : 0;
	if (m->moved == m->to)
		return fail(EINVAL);
	if (m->gone == m->from)
		return fail(ENOTEMPTY);
	if (m->gone != NULL && is_directory(m->gone) != is_directory(m->moved))
		return fail(is_directory(m->gone) ? EISDIR : ENOTDIR);
	return 0;
}

/* The nodes themselves, as well. False: somebody has one of them, which was waited for; nothing is locked any more. */
static bool lock_nodes(struct fs *fs, const struct move *m)
{
	if (!tree_lock_below(m->moved)) {
		tree_wait(fs, m->from, m->to, m->moved);
		return false;
	}
	/* Files are below directories, and of two files neither is below the other: the second one is tried. */
	if (m->gone != NULL && !lock_try_exclusive(&m->gone->lock)) {
		unlock_exclusive(&m->moved->lock);
		tree_wait(fs, m->from, m->to, m->gone);
		return false;
	}
	return true;
}

static void unlock_nodes(const struct move *m)
{
	if (m->gone != NULL)
		unlock_exclusive(&m->gone->lock);
	unlock_exclusive(&m->moved->lock);
}

/* A directory leaves one directory for another. */
static void count_move(const struct node *n, struct node *from, struct node *to)
{
	if (!is_directory(n))
		return;
	from->nlink--;
	to->nlink++;
	n->dir->up = to->ino;
}

static int exchange_locked(struct move *m)
{
	m->old->node = m->gone;
	m->there->node = m->moved;
	count_move(m->moved, m->from, m->to);
	count_move(m->gone, m->to, m->from);
	node_changed_locked(m->moved);
	node_changed_locked(m->gone);
	m->gone = NULL;
	return 0;
}

static int replace_locked(struct fs *fs, struct move *m)
{
	struct node *gone = m->gone;
	if (is_directory(gone)) {
		if (gone->dir->live > 0)
			return fail(ENOTEMPTY);
		gone->nlink = 0;
		m->to->nlink--;
	} else if (gone != NULL) {
		gone->nlink--;
	}
	if (gone != NULL) {
		node_changed_locked(gone);
		m->there->node = m->moved;
	} else {
		if (dir_reserve(&fs->memory, m->to->dir, MEMORY_EXCHANGE) != 0)
			return -1;
		m->made->node = m->moved;
		dir_add(m->to->dir, m->made);
		m->made = NULL;
	}
	dir_remove(&fs->memory, m->from->dir, m->old);
	memory_free(&fs->memory, m->old);
	count_move(m->moved, m->from, m->to);
	node_changed_locked(m->moved);
	return 0;
}

/* 1: begin anew. */
static int try_rename(struct fs *fs, struct move *m, const char *old, const char *new, unsigned flags)
{
	size_t old_len = strlen(old), new_len = strlen(new);
	tree_lock_two(m->from, m->to);
	m->old = dir_find(m->from->dir, old, old_len, name_hash(old, old_len, fs->hash_seed));
	m->there = dir_find(m->to->dir, new, new_len, name_hash(new, new_len, fs->hash_seed));
	m->moved = m->old != NULL ? m->old->node : NULL;
	m->gone = m->there != NULL ? m->there->node : NULL;
	int result = check(m, flags);
	/* Two names of one file: both stay. */
	if (result != 0 || m->moved == m->gone) {
		m->gone = NULL;
		tree_unlock_two(m->from, m->to);
		return result;
	}
	if (!lock_nodes(fs, m))
		return 1;
	struct node *gone = m->gone;
	result = (flags & RENAME_EXCHANGE) != 0 ? exchange_locked(m) : replace_locked(fs, m);
	if (result == 0) {
		node_modified_locked(m->from);
		node_modified_locked(m->to);
	} else {
		m->gone = NULL;
	}
	struct move locked = *m;
	locked.gone = gone;
	unlock_nodes(&locked);
	tree_unlock_two(m->from, m->to);
	return result;
}

int tree_rename(struct fs *fs, struct node *from, const char *old, struct node *to, const char *new, unsigned flags)
{
	struct move m = { .from = from, .to = to };
	int result;
	if ((flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0)
		return fail(EINVAL);
	if (strlen(old) > NAME_MAX_BYTES || strlen(new) > NAME_MAX_BYTES)
		return fail(ENAMETOOLONG);
	m.made = name_create(&fs->memory, new, strlen(new), fs->hash_seed, MEMORY_EXCHANGE);
	if (m.made == NULL)
		return -1;
	do
		result = try_rename(fs, &m, old, new, flags);
	while (result > 0);
	int saved = errno;
	memory_free(&fs->memory, m.made);
	if (m.gone != NULL)
		node_put(fs, m.gone, 1);
	errno = saved;
	return result;
}
