/* SPDX-License-Identifier: BSD-3-Clause */
/* tree_model.c - each step is done to the tree, then to the model. */
#include "tree_model.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "data.h"
#include "dir.h"
#include "gate.h"
#include "tree.h"

struct fs *model_fs(uint64_t size, uint64_t mem_limit)
{
	char why[512] = "";
	struct zram_options device = ZRAM_OPTIONS_INIT;
	device.mem_limit = mem_limit;
	const struct fs_options o = { .size = size, .device = &device, .mode = 0755 };
	return fs_create(&o, why, sizeof(why));
}

/* Whether it failed for want of memory: then it is to be done again. */
static bool again(struct tree_model *m, bool failed)
{
	if (!failed)
		return false;
	CHECK_MSG(m->refused != NULL && (errno == ENOMEM || errno == ENOSPC), "%s", strerror(errno));
	m->refused();
	return true;
}

static const char *name_of(const struct tree_model *m, unsigned i, char *text)
{
	sprintf(text, "%c%u", m->prefix, i);
	return text;
}

static struct node *dir_of(const struct tree_model *m, unsigned i)
{
	return m->dirs[i % MODEL_DIRECTORIES];
}

static struct node *make_dir(struct fs *fs, const char *name)
{
	const struct tree_new what = { .mode = S_IFDIR | 0755 };
	struct node *n = tree_lookup(fs, fs->root, name);
	return n != NULL ? n : tree_make(fs, fs->root, name, &what);
}

static void find_dirs(struct tree_model *m)
{
	m->dirs[0] = m->fs->root;
	node_get(m->dirs[0]);
	for (unsigned i = 1; i < MODEL_DIRECTORIES; i++) {
		char name[16];
		sprintf(name, "dir%u", i);
		do
			m->dirs[i] = make_dir(m->fs, name);
		while (again(m, m->dirs[i] == NULL));
	}
}

void model_init(struct tree_model *m, struct fs *fs, uint64_t seed, char prefix)
{
	void (*refused)(void) = m->refused;
	*m = (struct tree_model){ .fs = fs, .rng = { seed }, .prefix = prefix, .refused = refused };
	for (unsigned i = 0; i < MODEL_NAMES; i++)
		m->names[i] = -1;
	find_dirs(m);
}

static void let_go(struct tree_model *m)
{
	for (unsigned i = 0; i < MODEL_FILES; i++)
		if (m->files[i].node != NULL)
			node_put(m->fs, m->files[i].node, 1);
	for (unsigned i = 0; i < MODEL_DIRECTORIES; i++)
		node_put(m->fs, m->dirs[i], 1);
}

void model_fini(struct tree_model *m)
{
	let_go(m);
	for (unsigned i = 0; i < MODEL_FILES; i++)
		free(m->files[i].bytes);
}

void model_move(struct tree_model *m, struct fs *fs)
{
	char text[16];
	let_go(m);
	m->fs = fs;
	find_dirs(m);
	for (unsigned i = 0; i < MODEL_FILES; i++)
		m->files[i].node = NULL;
	for (unsigned i = 0; i < MODEL_NAMES; i++) {
		if (m->names[i] < 0)
			continue;
		struct node *n = tree_lookup(fs, dir_of(m, i), name_of(m, i, text));
		struct model_file *f = &m->files[m->names[i]];
		CHECK_MSG(n != NULL && (f->node == NULL || f->node == n), "%s", text);
		if (f->node != NULL)
			node_put(fs, n, 1);
		f->node = n;
	}
}

/* --- names --- */

static void make_file(struct tree_model *m, unsigned i)
{
	const struct tree_new what = { .mode = S_IFREG | 0644 };
	unsigned f = 0;
	char text[16];
	while (m->files[f].node != NULL)
		f++;
	do
		m->files[f].node = tree_make(m->fs, dir_of(m, i), name_of(m, i, text), &what);
	while (again(m, m->files[f].node == NULL));
	while (m->files[f].bytes == NULL && again(m, (m->files[f].bytes = malloc(MODEL_BYTES)) == NULL))
		;
	memset(m->files[f].bytes, 0, MODEL_BYTES);
	m->files[f].size = 0;
	m->files[f].names = 1;
	m->names[i] = (int)f;
}

static void lose_name(struct tree_model *m, unsigned i)
{
	struct model_file *f = &m->files[m->names[i]];
	m->names[i] = -1;
	if (--f->names > 0)
		return;
	node_put(m->fs, f->node, 1);
	f->node = NULL;
}

static void remove_file(struct tree_model *m, unsigned i)
{
	char text[16];
	CHECK(tree_remove(m->fs, dir_of(m, i), name_of(m, i, text), false) == 0);
	lose_name(m, i);
}

static void link_file(struct tree_model *m, unsigned from, unsigned to)
{
	char text[16];
	struct model_file *f = &m->files[m->names[from]];
	while (again(m, tree_link(m->fs, f->node, dir_of(m, to), name_of(m, to, text)) != 0))
		;
	m->names[to] = m->names[from];
	f->names++;
}

static void rename_file(struct tree_model *m, unsigned from, unsigned to, unsigned flags)
{
	char old[16], new[16];
	int moved = m->names[from], there = m->names[to];
	while (again(m, tree_rename(m->fs, dir_of(m, from), name_of(m, from, old), dir_of(m, to), name_of(m, to, new),
				    flags) != 0))
		;
	if (moved == there)
		return;
	if (flags == RENAME_EXCHANGE) {
		m->names[from] = there;
		m->names[to] = moved;
		return;
	}
	if (there >= 0)
		lose_name(m, to);
	m->names[from] = -1;
	m->names[to] = moved;
}

/* --- bytes --- */

static void fill(struct tree_model *m, uint8_t *buf, size_t len)
{
	uint64_t kind = rng_below(&m->rng, 4);
	for (size_t i = 0; i < len; i++)
		buf[i] = kind == 0 ? 0 : kind == 1 ? (uint8_t)(i / 64) : (uint8_t)rng_next(&m->rng);
}

static void write_file(struct tree_model *m, struct model_file *f)
{
	uint64_t offset = rng_below(&m->rng, MODEL_BYTES);
	size_t len = (size_t)rng_below(&m->rng, rng_below(&m->rng, 8) == 0 ? MODEL_WRITE : 5000) + 1;
	if (len > MODEL_BYTES - offset)
		len = (size_t)(MODEL_BYTES - offset);
	uint8_t *buf = f->bytes + offset;
	fill(m, buf, len);
	for (size_t done = 0; done < len;) {
		ssize_t n = data_write(m->fs, f->node, (const char *)buf + done, len - done, offset + done);
		if (!again(m, n < 0))
			done += (size_t)n;
	}
	if (offset + len > f->size)
		f->size = offset + len;
}

static void resize_file(struct tree_model *m, struct model_file *f)
{
	uint64_t size = rng_below(&m->rng, MODEL_BYTES);
	while (again(m, data_resize(m->fs, f->node, size) != 0))
		;
	if (size < f->size)
		memset(f->bytes + size, 0, MODEL_BYTES - size);
	f->size = size;
}

static void punch_file(struct tree_model *m, struct model_file *f, int mode)
{
	uint64_t offset = rng_below(&m->rng, MODEL_BYTES), len = rng_below(&m->rng, MODEL_BYTES - offset) + 1;
	while (again(m, data_allocate(m->fs, f->node, mode, offset, len) != 0))
		;
	uint64_t end = offset + len;
	if (mode != 0)
		memset(f->bytes + offset, 0, len);
	if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && end > f->size)
		f->size = end;
}

static void change_file(struct tree_model *m, struct model_file *f)
{
	switch (rng_below(&m->rng, 8)) {
	case 0:
		resize_file(m, f);
		break;
	case 1:
		punch_file(m, f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
		break;
	case 2:
		punch_file(m, f, rng_below(&m->rng, 2) == 0 ? 0 : FALLOC_FL_ZERO_RANGE);
		break;
	default:
		write_file(m, f);
	}
}

static void step(struct tree_model *m)
{
	unsigned i = (unsigned)rng_below(&m->rng, MODEL_NAMES), k = (unsigned)rng_below(&m->rng, MODEL_NAMES);
	uint64_t what = rng_below(&m->rng, 16);
	if (m->names[i] < 0)
		make_file(m, i);
	else if (what == 0)
		remove_file(m, i);
	else if (what == 1 && m->names[k] < 0)
		link_file(m, i, k);
	else if (what == 2 && m->names[k] >= 0)
		rename_file(m, i, k, RENAME_EXCHANGE);
	else if (what <= 3)
		rename_file(m, i, k, 0);
	else
		change_file(m, &m->files[m->names[i]]);
}

void model_step(struct tree_model *m)
{
	gate_enter();
	step(m);
	gate_leave();
}

/* --- checks --- */

static void check_file(struct tree_model *m, const struct model_file *f)
{
	static _Thread_local char buf[MODEL_BYTES + 1];
	CHECK(f->node->nlink == f->names);
	CHECK(f->node->size == f->size);
	ssize_t n = data_read(m->fs, f->node, buf, sizeof(buf), 0);
	CHECK_MSG(n == (ssize_t)f->size, "%zd bytes of %llu", n, (unsigned long long)f->size);
	CHECK(memcmp(buf, f->bytes, f->size) == 0);
	/* Holes are where there are zeros. */
	for (uint64_t at = 0; at < f->size;) {
		off_t hole = data_seek(m->fs, f->node, at, SEEK_HOLE);
		CHECK(hole >= (off_t)at && hole <= (off_t)f->size);
		off_t data = hole < (off_t)f->size ? data_seek(m->fs, f->node, (uint64_t)hole, SEEK_DATA) : -1;
		uint64_t end = data < 0 ? f->size : (uint64_t)data;
		for (uint64_t i = (uint64_t)hole; i < end; i++)
			CHECK(f->bytes[i] == 0);
		at = end;
	}
}

void model_check(struct tree_model *m)
{
	char text[16];
	for (unsigned i = 0; i < MODEL_NAMES; i++) {
		struct node *n = tree_lookup(m->fs, dir_of(m, i), name_of(m, i, text));
		struct node *expected = m->names[i] < 0 ? NULL : m->files[m->names[i]].node;
		CHECK_MSG(n == expected, "%s", text);
		if (n != NULL)
			node_put(m->fs, n, 1);
	}
	for (unsigned i = 0; i < MODEL_FILES; i++)
		if (m->files[i].node != NULL)
			check_file(m, &m->files[i]);
}

void model_clear(struct tree_model *m)
{
	for (unsigned i = 0; i < MODEL_NAMES; i++)
		if (m->names[i] >= 0)
			remove_file(m, i);
}
