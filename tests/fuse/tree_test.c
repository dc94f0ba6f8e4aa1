/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree_test.c - the tree and the data without FUSE: random steps against a model, alone and in several threads beside
 * saves; memory that is counted and comes back; what a full directory refuses, and what it doesn't.
 *
 *   fuse_tree [SEED]
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "check.h"
#include "data.h"
#include "gate.h"
#include "snapshot.h"
#include "tree.h"
#include "tree_model.h"

enum { STEPS = 4000, THREADS = 4, THREAD_STEPS = 600, SIZE = 64 << 20 };

static uint64_t seed = 1;

/* Nothing is held but the root, and the device has nothing. */
static void expect_empty(struct fs *fs, uint64_t held)
{
	char text[256];
	assert_int_equal(atomic_load(&fs->memory.used), 0);
	assert_int_equal(atomic_load(&fs->memory.held), held);
	assert_true(zram_attr_get(fs->z, "mm_stat", text, sizeof(text)) > 0);
	assert_int_equal(strtoull(text, NULL, 10), 0);
	assert_int_equal(atomic_load(&fs->nodes[NODE_FILE]), 0);
}

static void remove_dirs(struct fs *fs)
{
	for (unsigned i = 1; i < MODEL_DIRECTORIES; i++) {
		char name[16];
		sprintf(name, "dir%u", i);
		assert_int_equal(tree_remove(fs, fs->root, name, true), 0);
	}
}

static struct fs *reload(struct fs *fs, const char *path)
{
	char why[512] = "";
	struct zram_options device = ZRAM_OPTIONS_INIT;
	const struct fs_options o = { .device = &device };
	if (snapshot_save(fs, path, NULL, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	struct fs *loaded = snapshot_load(path, &o, why, sizeof(why));
	if (loaded == NULL)
		fail_msg("%s", why);
	return loaded;
}

static void random_steps(void **state)
{
	(void)state;
	char path[] = "/tmp/fuse_tree.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct fs *fs = model_fs(SIZE, 0), *old = NULL;
	assert_non_null(fs);
	uint64_t held = atomic_load(&fs->memory.held);
	struct tree_model m = { 0 };
	model_init(&m, fs, seed, 'n');
	for (uint64_t i = 0; i < check_scale(STEPS); i++) {
		check_step(i);
		model_step(&m);
		if (i % 500 == 499)
			model_check(&m);
		if (i % 1000 == 999) {
			old = fs;
			fs = reload(fs, path);
			model_move(&m, fs);
			fs_destroy(old);
			model_check(&m);
		}
	}
	model_check(&m);
	model_clear(&m);
	model_fini(&m);
	remove_dirs(fs);
	expect_empty(fs, held);
	fs_destroy(fs);
	unlink(path);
}

static void *run_model(void *arg)
{
	struct tree_model *m = arg;
	for (uint64_t i = 0; i < check_scale(THREAD_STEPS); i++)
		model_step(m);
	gate_enter();
	model_check(m);
	model_clear(m);
	gate_leave();
	return NULL;
}

/* Each thread has its own names, in directories that all share; beside them the tree is saved. */
static void threads(void **state)
{
	(void)state;
	static struct tree_model m[THREADS];
	pthread_t thread[THREADS];
	char path[] = "/tmp/fuse_tree.XXXXXX", why[512] = "";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct fs *fs = model_fs(4 * (uint64_t)SIZE, 0);
	assert_non_null(fs);
	uint64_t held = atomic_load(&fs->memory.held);
	for (unsigned t = 0; t < THREADS; t++)
		model_init(&m[t], fs, seed + t, (char)('a' + t));
	for (unsigned t = 0; t < THREADS; t++)
		assert_int_equal(pthread_create(&thread[t], NULL, run_model, &m[t]), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct fs *loaded = reload(fs, path);
		fs_destroy(loaded);
	}
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);
	for (unsigned t = 0; t < THREADS; t++)
		model_fini(&m[t]);
	remove_dirs(fs);
	expect_empty(fs, held);
	fs_destroy(fs);
	unlink(path);
	(void)why;
}

static int make(struct fs *fs, unsigned n)
{
	const struct tree_new what = { .mode = S_IFREG | 0644 };
	char name[32];
	sprintf(name, "file-%u", n);
	struct node *node = tree_make(fs, fs->root, name, &what);
	if (node == NULL)
		return -1;
	node_put(fs, node, 1);
	return 0;
}

/* Names and inodes alone fill the memory; deleting and renaming work, and then there is room again. */
static void names_are_counted(void **state)
{
	(void)state;
	enum { LIMIT = 2 << 20 };
	struct fs *fs = model_fs(SIZE, LIMIT);
	assert_non_null(fs);
	unsigned n = 0;
	while (make(fs, n) == 0)
		n++;
	assert_int_equal(errno, ENOSPC);
	assert_in_range(n, 1000, LIMIT / 150);
	assert_true(atomic_load(&fs->memory.held) + memory_of_device(&fs->memory) <= LIMIT);
	assert_int_equal(tree_rename(fs, fs->root, "file-0", fs->root, "another name, which is longer than that", 0), 0);
	assert_int_equal(tree_remove(fs, fs->root, "another name, which is longer than that", false), 0);
	for (unsigned i = 1; i < n / 2; i++) {
		char name[32];
		sprintf(name, "file-%u", i);
		assert_int_equal(tree_remove(fs, fs->root, name, false), 0);
	}
	for (unsigned i = 1; i < n / 4; i++)
		assert_int_equal(make(fs, i), 0);
	fs_destroy(fs);
}

/* A million empty files' worth of memory each: at most 200 bytes, with names of usual length. */
static void empty_files_are_small(void **state)
{
	(void)state;
	enum { FILES = 100000 };
	struct fs *fs = model_fs(SIZE, 0);
	assert_non_null(fs);
	uint64_t before = atomic_load(&fs->memory.held);
	for (unsigned i = 0; i < FILES; i++)
		assert_int_equal(make(fs, i), 0);
	assert_in_range((atomic_load(&fs->memory.held) - before) / FILES, 1, 200);
	fs_destroy(fs);
}

/* The write that doesn't fit is refused, as much as fits is written; what is there can be changed, and cut. */
static void full(void **state)
{
	(void)state;
	enum { LIMIT = 4 << 20, PIECE = 100000 };
	static char buf[PIECE];
	struct rng rng = { seed };
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)rng_next(&rng);
	struct fs *fs = model_fs(SIZE, LIMIT);
	assert_non_null(fs);
	assert_int_equal(make(fs, 0), 0);
	struct node *n = tree_lookup(fs, fs->root, "file-0");
	uint64_t size = 0;
	ssize_t wrote;
	while ((wrote = data_write(fs, n, buf, PIECE, size)) > 0)
		size += (uint64_t)wrote;
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(n->size, size);
	assert_true(size > LIMIT / 2);
	assert_true(n->map->blocks == (size + 4095) / 4096);
	assert_int_equal(data_write(fs, n, buf + 1, PIECE - 1, 5), PIECE - 1);
	assert_int_equal(data_resize(fs, n, size / 2 + 1), 0);
	assert_int_equal(data_write(fs, n, buf, PIECE, size / 2), PIECE);
	node_put(fs, n, 1);
	assert_int_equal(tree_remove(fs, fs->root, "file-0", false), 0);
	assert_int_equal(atomic_load(&fs->memory.used), 0);
	fs_destroy(fs);
	/* And the size, where the memory would do. */
	fs = model_fs(1 << 20, 0);
	assert_int_equal(make(fs, 0), 0);
	n = tree_lookup(fs, fs->root, "file-0");
	for (size = 0; (wrote = data_write(fs, n, buf, PIECE, size)) > 0; size += (uint64_t)wrote)
		;
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(size, 1 << 20);
	assert_int_equal(n->size, size);
	node_put(fs, n, 1);
	fs_destroy(fs);
}

/* A file that is open without a name while its directory is saved: nobody reads its bytes in what is loaded. */
static void unnamed_is_not_loaded(void **state)
{
	(void)state;
	enum { BYTES = 1300000, FILES = 400 }; /* as many first blocks as the file had, and more */
	static char buf[BYTES];
	char path[] = "/tmp/fuse_tree.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct fs *fs = model_fs(SIZE, 0);
	assert_non_null(fs);
	assert_int_equal(make(fs, 0), 0);
	struct node *n = tree_lookup(fs, fs->root, "file-0");
	memset(buf, 'S', sizeof(buf));
	assert_int_equal(data_write(fs, n, buf, BYTES, 0), BYTES);
	assert_int_equal(tree_remove(fs, fs->root, "file-0", false), 0);
	struct fs *loaded = reload(fs, path);
	unlink(path);
	node_put(fs, n, 1);
	fs_destroy(fs);
	expect_empty(loaded, atomic_load(&loaded->memory.held));
	for (unsigned i = 0; i < FILES; i++) {
		char got[11], name[32];
		sprintf(name, "file-%u", i);
		assert_int_equal(make(loaded, i), 0);
		n = tree_lookup(loaded, loaded->root, name);
		assert_int_equal(data_write(loaded, n, "x", 1, 10), 1);
		assert_int_equal(data_read(loaded, n, got, sizeof(got), 0), sizeof(got));
		assert_memory_equal(got, "\0\0\0\0\0\0\0\0\0\0x", sizeof(got));
		node_put(loaded, n, 1);
	}
	fs_destroy(loaded);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_steps),	     cmocka_unit_test(threads), cmocka_unit_test(names_are_counted),
		cmocka_unit_test(empty_files_are_small), cmocka_unit_test(full),
		cmocka_unit_test(unnamed_is_not_loaded),
	};
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	check_install();
	check_context("seed %" PRIu64, seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
