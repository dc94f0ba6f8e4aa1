/* SPDX-License-Identifier: BSD-3-Clause */
/* tree_lock.c - the second of two locks is tried; where somebody has it, it is waited for with nothing in hand. */
#include "tree_lock.h"

void tree_lock_two(struct node *a, struct node *b)
{
	if (a == b) {
		lock_exclusive(&a->lock);
		return;
	}
	for (;;) {
		lock_exclusive(&a->lock);
		if (lock_try_exclusive(&b->lock))
			return;
		unlock_exclusive(&a->lock);
		struct node *other = a;
		a = b;
		b = other;
	}
}

void tree_unlock_two(struct node *a, struct node *b)
{
	if (b != NULL && b != a)
		unlock_exclusive(&b->lock);
	unlock_exclusive(&a->lock);
}

bool tree_lock_below(struct node *n)
{
	if (S_ISDIR(n->kind))
		return lock_try_exclusive(&n->lock);
	lock_exclusive(&n->lock);
	return true;
}

void tree_wait(struct fs *fs, struct node *a, struct node *b, struct node *n)
{
	node_get(n);
	tree_unlock_two(a, b);
	lock_exclusive(&n->lock);
	unlock_exclusive(&n->lock);
	node_put(fs, n, 1);
}
