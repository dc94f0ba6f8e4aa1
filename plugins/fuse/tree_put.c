/* SPDX-License-Identifier: BSD-3-Clause */
/* tree_put.c - a tree into a stream, one directory after the other, each with a place to go on from. */
#include <errno.h>
#include <stdlib.h>

#include "dir.h"
#include "tree_stream.h"
#include "xattr.h"

/* Directories that are being walked, each in the one before it. */
struct walk {
	struct step {
		struct node *dir;
		uint64_t cookie; /* the last that was put */
	} *steps;
	size_t depth, room;
};

static int go_down(struct walk *w, struct node *dir)
{
	if (w->depth == w->room) {
		size_t room = w->room == 0 ? 64 : 2 * w->room;
		struct step *steps = realloc(w->steps, room * sizeof(*steps));
		if (steps == NULL)
			return -1;
		w->steps = steps;
		w->room = room;
	}
	w->steps[w->depth++] = (struct step){ dir, 0 };
	return 0;
}

static void put_xattrs(struct stream *s, const struct xattr *list)
{
	uint32_t count = 0;
	for (const struct xattr *x = list; x != NULL; x = x->next)
		count++;
	stream_put_number(s, count, 4);
	for (const struct xattr *x = list; x != NULL; x = x->next) {
		stream_put_number(s, x->name_len, 1);
		stream_put(s, x->bytes, x->name_len);
		stream_put_number(s, x->value_len, 4);
		stream_put(s, x->bytes + x->name_len + 1, x->value_len);
	}
}

static void put_map(struct stream *s, const struct map *m)
{
	stream_put_number(s, m != NULL, 1);
	if (m == NULL)
		return;
	stream_put_number(s, m->blocks, 8);
	stream_put_number(s, m->present, 8);
	for (unsigned i = 0; i < MAP_FIRST; i++)
		stream_put_number(s, m->first[i], 4);
	stream_put_number(s, m->count, 4);
	for (uint32_t i = 0; i < m->count; i++) {
		stream_put_number(s, m->parts[i].index, 8);
		stream_put_number(s, m->parts[i].at, 4);
		for (unsigned w = 0; w < SPACE_SEGMENT / 64; w++)
			stream_put_number(s, m->parts[i].present[w], 8);
	}
}

static void put_entry(struct stream *s, const char *name, size_t len, const struct node *n)
{
	stream_put_number(s, TREE_ENTRY, 1);
	stream_put_number(s, len, 1);
	stream_put(s, name, len);
	stream_put_number(s, n->ino, 8);
	stream_put_number(s, n->mode, 4);
	stream_put_number(s, n->uid, 4);
	stream_put_number(s, n->gid, 4);
	stream_put_number(s, n->nlink, 4);
	stream_put_number(s, n->size, 8);
	for (enum node_time t = 0; t < TIMES; t++) {
		stream_put_number(s, (uint64_t)n->seconds[t], 8);
		stream_put_number(s, n->nanoseconds[t], 4);
	}
	put_xattrs(s, n->xattrs);
	if (n->kind == S_IFREG)
		put_map(s, n->map);
	else if (n->kind == S_IFLNK)
		stream_put(s, n->target, n->size);
	else if (n->kind != S_IFDIR)
		stream_put_number(s, n->rdev, 8);
}

int tree_put(struct fs *fs, struct stream *s)
{
	struct walk w = { NULL, 0, 0 };
	uint64_t names = 0;
	put_entry(s, "", 0, fs->root);
	int result = go_down(&w, fs->root);
	while (result == 0 && w.depth > 0) {
		struct step *step = &w.steps[w.depth - 1];
		const struct dir_slot *slot = dir_next(step->dir->dir, step->cookie);
		if (slot == NULL) {
			stream_put_number(s, TREE_UP, 1);
			w.depth--;
			continue;
		}
		step->cookie = slot->cookie;
		put_entry(s, slot->name->bytes, slot->name->len, slot->name->node);
		names++;
		if (S_ISDIR(slot->name->node->kind))
			result = go_down(&w, slot->name->node);
	}
	free(w.steps);
	stream_put_number(s, TREE_END, 1);
	stream_put_number(s, names, 8);
	if (result == 0 && s->error != 0) {
		errno = s->error;
		result = -1;
	}
	return result;
}
