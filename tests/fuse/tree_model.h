/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree_model.h - a tree without FUSE, and beside it what it should be: some names in some directories, each nothing or
 * a file, and the bytes of each file. Random steps are done to both. Several models may be in one tree, each with names
 * of its own, and a thread each.
 */
#ifndef FUSE_TREE_MODEL_H
#define FUSE_TREE_MODEL_H

#include <stdint.h>

#include "fs.h"
#include "rng.h"

enum {
	MODEL_NAMES = 24,
	MODEL_FILES = MODEL_NAMES,
	MODEL_DIRECTORIES = 3,
	MODEL_BYTES = 600000, /* of the largest file */
	MODEL_WRITE = 70000,
};

struct model_file {
	struct node *node; /* the model's own reference; NULL: not in use */
	unsigned names;
	uint64_t size;
	uint8_t *bytes; /* MODEL_BYTES */
};

struct tree_model {
	struct fs *fs;
	struct rng rng;
	char prefix;
	struct node *dirs[MODEL_DIRECTORIES];
	int names[MODEL_NAMES]; /* a file, or -1; name i is in directory i % MODEL_DIRECTORIES */
	struct model_file files[MODEL_FILES];
	/* Called where something fails for want of memory; the step is done again then, and has to succeed. */
	void (*refused)(void);
};

/* An empty tree: bytes of files, of memory (0: no limit). */
struct fs *model_fs(uint64_t size, uint64_t mem_limit);

/* The directories are made by the first model of a tree. */
void model_init(struct tree_model *m, struct fs *fs, uint64_t seed, char prefix);
void model_fini(struct tree_model *m);

void model_step(struct tree_model *m);

/* Every name and every byte. */
void model_check(struct tree_model *m);

/* All files go. */
void model_clear(struct tree_model *m);

/* The same in another tree, that of a snapshot. */
void model_move(struct tree_model *m, struct fs *fs);

#endif
