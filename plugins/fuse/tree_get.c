/* SPDX-License-Identifier: BSD-3-Clause */
/* tree_get.c - a tree out of a stream. Nothing that it says is believed: it may come from anywhere. */
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "tree_stream.h"
#include "xattr.h"

enum {
	VALUE_MAX = 65536, /* of an attribute, as Linux has it */
	TARGET_MAX = 4096, /* of a symbolic link, likewise */
	NANOSECONDS = 1000000000,
};

/* What is known while a tree is read. */
struct reader {
	struct fs *fs;
	struct stream *s;
	struct node **dirs; /* the directories that are being filled, each in the one before it */
	size_t depth, room;
	void *linked; /* files of more than one name, by number: tsearch() */
	uint64_t names, last_ino;
};

static int fail(struct reader *r)
{
	stream_bad(r->s);
	errno = r->s->error;
	return -1;
}

static int go_down(struct reader *r, struct node *dir)
{
	if (r->depth == r->room) {
		size_t room = r->room == 0 ? 64 : 2 * r->room;
		struct node **dirs = realloc(r->dirs, room * sizeof(struct node *));
		if (dirs == NULL)
			return -1;
		r->dirs = dirs;
		r->room = room;
	}
	r->dirs[r->depth++] = dir;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct node *)a)->ino, y = ((const struct node *)b)->ino;
	return x < y ? -1 : x > y;
}

static void forget_nothing(void *node)
{
	(void)node;
}

/* --- parts of a node --- */

static int get_xattr(struct reader *r, struct node *n)
{
	char name[UCHAR_MAX + 1];
	size_t name_len = stream_get_number(r->s, 1);
	stream_get(r->s, name, name_len);
	name[name_len] = '\0';
	size_t len = stream_get_number(r->s, 4);
	if (r->s->error != 0 || name_len == 0 || strlen(name) != name_len || len > VALUE_MAX)
		return fail(r);
	char *value = malloc(len + 1);
	if (value == NULL)
		return -1;
	stream_get(r->s, value, len);
	int result = r->s->error != 0 ? fail(r) : xattr_set(&r->fs->memory, &n->xattrs, name, value, len, 0);
	free(value);
	return result;
}

static bool claim(struct reader *r, uint32_t at, unsigned order)
{
	return space_claim(&r->fs->space, at, order);
}

/* How many blocks the bits say, which have to be where chunks are. */
static uint64_t count_bits(uint64_t bits)
{
	return (uint64_t)__builtin_popcountll(bits);
}

static int get_parts(struct reader *r, struct map *m, uint32_t count, uint64_t *blocks)
{
	uint64_t least = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t index = stream_get_number(r->s, 8), bits = 0;
		uint32_t at = (uint32_t)stream_get_number(r->s, 4);
		if (r->s->error != 0 || index < least || index > UINT64_MAX / SPACE_SEGMENT / r->fs->block_size ||
		    !claim(r, at, SPACE_ORDERS - 1))
			return fail(r);
		struct map_part *part = map_load_part(m, &r->fs->memory, index, at);
		if (part == NULL)
			return -1;
		for (unsigned w = 0; w < SPACE_SEGMENT / 64; w++) {
			part->present[w] = stream_get_number(r->s, 8);
			bits += count_bits(part->present[w]);
		}
		*blocks += bits;
		least = index + 1;
	}
	return 0;
}

static int get_chunks(struct reader *r, struct map *m)
{
	for (unsigned i = 0; i < MAP_FIRST; i++) {
		uint32_t at = (uint32_t)stream_get_number(r->s, 4);
		unsigned order = i == 0 ? 0 : i - 1, begin = i == 0 ? 0 : 1u << (i - 1);
		uint64_t bits = ((1ull << (1u << order)) - 1) << begin;
		if (r->s->error != 0 || (at == 0 && (m->present & bits) != 0) || (at != 0 && !claim(r, at, order)))
			return fail(r);
		m->first[i] = at;
	}
	return 0;
}

static int get_map(struct reader *r, struct node *n)
{
	uint64_t has = stream_get_number(r->s, 1);
	if (has == 0)
		return 0;
	struct map *m = n->map = map_create(&r->fs->memory);
	if (m == NULL)
		return -1;
	uint64_t said = stream_get_number(r->s, 8);
	m->present = stream_get_number(r->s, 8);
	if (get_chunks(r, m) != 0)
		return -1;
	uint64_t blocks = count_bits(m->present);
	if (get_parts(r, m, (uint32_t)stream_get_number(r->s, 4), &blocks) != 0)
		return -1;
	if (r->s->error != 0 || blocks != said)
		return fail(r);
	if (!memory_take_blocks(&r->fs->memory, blocks))
		return -1;
	m->blocks = blocks;
	return 0;
}

static int get_target(struct reader *r, struct node *n)
{
	if (n->size == 0 || n->size >= TARGET_MAX)
		return fail(r);
	n->target = memory_alloc(&r->fs->memory, n->size + 1, MEMORY_NEW);
	if (n->target == NULL)
		return -1;
	stream_get(r->s, n->target, n->size);
	n->target[n->size] = '\0';
	return r->s->error != 0 || strlen(n->target) != n->size ? fail(r) : 0;
}

static int get_content(struct reader *r, struct node *n)
{
	uint32_t xattrs = (uint32_t)stream_get_number(r->s, 4);
	for (uint32_t i = 0; i < xattrs; i++)
		if (get_xattr(r, n) != 0)
			return -1;
	if (n->kind == S_IFREG)
		return get_map(r, n);
	if (n->kind == S_IFLNK)
		return get_target(r, n);
	if (n->kind != S_IFDIR)
		n->rdev = stream_get_number(r->s, 8);
	return r->s->error != 0 ? fail(r) : 0;
}

static bool is_kind(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode) || S_ISCHR(mode) ||
	       S_ISBLK(mode);
}

/* --- a node --- */

/* What is said of an inode before its content. */
struct head {
	uint64_t ino, size;
	uint32_t mode, uid, gid, nlink;
	struct timespec times[TIMES];
};

static int get_head(struct reader *r, struct head *h)
{
	bool good = true;
	h->ino = stream_get_number(r->s, 8);
	h->mode = (uint32_t)stream_get_number(r->s, 4);
	h->uid = (uint32_t)stream_get_number(r->s, 4);
	h->gid = (uint32_t)stream_get_number(r->s, 4);
	h->nlink = (uint32_t)stream_get_number(r->s, 4);
	h->size = stream_get_number(r->s, 8);
	for (enum node_time t = 0; t < TIMES; t++) {
		h->times[t].tv_sec = (time_t)stream_get_number(r->s, 8);
		h->times[t].tv_nsec = (long)stream_get_number(r->s, 4);
		good &= h->times[t].tv_nsec < NANOSECONDS;
	}
	good &= r->s->error == 0 && is_kind(h->mode) && (h->mode & ~(uint32_t)(S_IFMT | 07777)) == 0 && h->ino != 0 &&
		h->size <= INT64_MAX;
	if (h->ino > r->last_ino)
		r->last_ino = h->ino;
	return good ? 0 : fail(r);
}

static void take_head(struct node *n, const struct head *h)
{
	n->ino = h->ino;
	n->mode = h->mode;
	n->uid = h->uid;
	n->gid = h->gid;
	n->size = S_ISREG(h->mode) || S_ISLNK(h->mode) ? h->size : 0;
	for (enum node_time t = 0; t < TIMES; t++)
		node_set_time(n, t, h->times[t]);
}

static struct node *get_node(struct reader *r, const struct head *h)
{
	struct node *n = node_create(r->fs, h->mode, h->uid, h->gid);
	if (n == NULL)
		return NULL;
	take_head(n, h);
	if (get_content(r, n) == 0)
		return n;
	node_put(r->fs, n, 1);
	return NULL;
}

/* A file that has been read with another name: what is said of it again is passed over. */
static int skip_content(struct reader *r, const struct head *h)
{
	uint8_t some[256];
	uint32_t xattrs = (uint32_t)stream_get_number(r->s, 4);
	for (uint32_t i = 0; i < xattrs && r->s->error == 0; i++) {
		stream_get(r->s, some, stream_get_number(r->s, 1));
		for (uint64_t left = stream_get_number(r->s, 4); left > 0 && r->s->error == 0;) {
			size_t part = left < sizeof(some) ? (size_t)left : sizeof(some);
			stream_get(r->s, some, part);
			left -= part;
		}
	}
	if (S_ISLNK(h->mode)) {
		for (uint64_t i = 0; i < h->size && r->s->error == 0; i++)
			stream_get_number(r->s, 1);
	} else if (!S_ISREG(h->mode)) {
		stream_get_number(r->s, 8);
	} else if (stream_get_number(r->s, 1) != 0) {
		stream_get(r->s, some, 2 * 8 + MAP_FIRST * 4);
		for (uint64_t parts = stream_get_number(r->s, 4); parts > 0 && r->s->error == 0; parts--)
			stream_get(r->s, some, 8 + 4 + SPACE_SEGMENT / 8);
	}
	return r->s->error == 0 ? 0 : fail(r);
}

static struct node *find_linked(struct reader *r, const struct head *h)
{
	struct node key = { .ino = h->ino };
	struct node **found = tfind(&key, &r->linked, compare);
	return found != NULL ? *found : NULL;
}

/* --- a name --- */

static int get_name(struct reader *r, char *name, size_t *len)
{
	*len = stream_get_number(r->s, 1);
	stream_get(r->s, name, *len);
	name[*len] = '\0';
	bool good = r->s->error == 0 && *len > 0 && strlen(name) == *len && strchr(name, '/') == NULL &&
		    strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
	return good ? 0 : fail(r);
}

static int add_name(struct reader *r, struct node *dir, const char *bytes, size_t len, struct node *n)
{
	struct memory *memory = &r->fs->memory;
	struct name *name = name_create(memory, bytes, len, r->fs->hash_seed, MEMORY_NEW);
	if (name == NULL)
		return -1;
	bool taken = dir_find(dir->dir, bytes, len, name->hash) != NULL;
	if (taken || dir_reserve(memory, dir->dir, MEMORY_NEW) != 0) {
		memory_free(memory, name);
		return taken ? fail(r) : -1;
	}
	name->node = n;
	dir_add(dir->dir, name);
	n->nlink++;
	r->names++;
	if (!S_ISDIR(n->kind))
		return 0;
	n->nlink = 2;
	dir->nlink++;
	n->dir->up = dir->ino;
	return go_down(r, n);
}

/* A node that is there twice has a reference for each name. */
static struct node *node_for_entry(struct reader *r, const struct head *h)
{
	struct node *n = !S_ISDIR(h->mode) && h->nlink > 1 ? find_linked(r, h) : NULL;
	if (n != NULL) {
		if (n->kind != (h->mode & S_IFMT) || skip_content(r, h) != 0) {
			fail(r);
			return NULL;
		}
		node_get(n);
		return n;
	}
	n = get_node(r, h);
	if (n != NULL && !S_ISDIR(h->mode) && h->nlink > 1 && tsearch(n, &r->linked, compare) == NULL) {
		node_put(r->fs, n, 1);
		errno = ENOMEM;
		return NULL;
	}
	return n;
}

static int get_entry(struct reader *r)
{
	char name[UCHAR_MAX + 1];
	size_t len;
	struct head h;
	if (r->depth == 0)
		return fail(r);
	struct node *dir = r->dirs[r->depth - 1];
	if (get_name(r, name, &len) != 0 || get_head(r, &h) != 0)
		return -1;
	struct node *n = node_for_entry(r, &h);
	if (n == NULL)
		return -1;
	uint64_t names = r->names;
	int result = add_name(r, dir, name, len, n);
	if (r->names == names)
		node_put(r->fs, n, 1);
	return result;
}

static int get_root(struct reader *r)
{
	struct head h;
	if (stream_get_number(r->s, 1) != TREE_ENTRY || stream_get_number(r->s, 1) != 0 || get_head(r, &h) != 0 ||
	    !S_ISDIR(h.mode))
		return fail(r);
	take_head(r->fs->root, &h);
	r->fs->root->dir->up = h.ino;
	return get_content(r, r->fs->root) == 0 ? go_down(r, r->fs->root) : -1;
}

int tree_get(struct fs *fs, struct stream *s)
{
	struct reader r = { .fs = fs, .s = s };
	int result = get_root(&r);
	bool end = false;
	while (result == 0 && !end) {
		switch (stream_get_number(s, 1)) {
		case TREE_ENTRY:
			result = get_entry(&r);
			break;
		case TREE_UP:
			result = r.depth > 0 ? 0 : fail(&r);
			r.depth -= result == 0;
			break;
		case TREE_END:
			end = true;
			result = r.depth == 0 && stream_get_number(s, 8) == r.names ? 0 : fail(&r);
			break;
		default:
			result = fail(&r);
		}
	}
	atomic_store_explicit(&fs->last_ino, r.last_ino, memory_order_relaxed);
	int saved = errno;
	tdestroy(r.linked, forget_nothing);
	free(r.dirs);
	errno = saved;
	return result;
}
