/* SPDX-License-Identifier: BSD-3-Clause */
/* train.c - the training thread: samples are collected, a dictionary is made of most and tried on the rest. */
#include "zram/train.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/quiet.h"
#include "codec/backend.h"
#include "codec/codec.h"
#include "device/block.h"
#include "device/device.h"
#include "device/dict.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/streams.h"
#include "device/table.h"
#include "device/thread.h"

/* Stored bytes from which on a dictionary pays for itself, and growth after which another one is tried. */
#define FIRST_STORED_BYTES ((uint64_t)4 << 20)
#define GROWTH 4u

/* Or so many times as many blocks written as are stored: the contents are others now. */
#define TURNOVER 16u

/* A dictionary is this part of what is stored, between these bounds. LZ4 looks back no further than 64 KiB. */
#define DICT_PER_STORED 128u
#define MIN_DICT_BYTES ((size_t)4 << 10)
#define MAX_DICT_BYTES ((size_t)64 << 10)

/* Bytes to train on, for one of the dictionary: what the trainer asks for. */
#define SAMPLES_PER_DICT 100u

/* One of so many samples is not trained on but tried; and it must save this part of the bytes, hundredths. */
#define TRIED_OF 8u
#define MIN_GAIN_PERCENT 3u

/* Blocks written by a stream between two looks. */
#define LOOK_EVERY 64u

/* Blocks looked for, for one that is found: of sparse devices not all are. */
#define MISSES_PER_SAMPLE 256u
#define TRIES_PER_SAMPLE 4u
#define BLOCKS_PER_TRY 256u

struct job {
	struct zram *z;
	uint8_t *samples; /* n blocks */
	size_t *sizes;
	uint64_t *taken; /* which blocks they are */
	unsigned n, room;
	uint64_t charged;
	struct zsi_dict *dict;
};

static uint64_t stored_bytes(struct zram *z)
{
	int64_t blocks = zsi_streams_counted(z, ZSI_N_STORED) - zsi_streams_counted(z, ZSI_N_SAME);

	return blocks > 0 ? (uint64_t)blocks << z->block_shift : 0;
}

static bool stopped(const struct zram *z)
{
	return atomic_load_explicit(&z->train.stop, memory_order_relaxed);
}

/* --- samples --- */

/* The block at index, if it is one to train on. */
static bool take_sample(struct job *j, uint64_t index)
{
	struct zram *z = j->z;
	struct zsi_stream *s = zsi_gate_enter(z);
	bool ok = false;

	if (s == NULL)
		return false;
	if (index < z->table.nr_blocks && zsi_table_has(&z->table, index)) {
		uint64_t meta = zsi_block_lock(z, index);

		/* What no algorithm shrinks teaches nothing, and what is in the backing file is left there. */
		if ((meta & ZSI_USED) != 0 && (meta & (ZSI_SAME | ZSI_HUGE | ZSI_WB)) == 0)
			ok = zsi_block_load(z, s, index, meta, j->samples + (size_t)j->n * z->block_size) == 0;
		zsi_block_unlock(z, index, meta);
	}
	zsi_stream_leave(s);
	if (ok) {
		j->taken[j->n] = index;
		j->sizes[j->n++] = z->block_size;
	}
	return ok;
}

/* A chunk that is there, at random: the next from a random one on; most of a large device is holes. */
static uint64_t random_block(struct zram *z, uint64_t *state)
{
	const struct zsi_table *t = &z->table;
	uint64_t index;

	*state = *state * 6364136223846793005u + 1442695040888963407u;
	index = (*state >> 16) % t->nr_blocks;
	if (zsi_table_has(t, index))
		return index;
	for (unsigned i = 0; i < MISSES_PER_SAMPLE && !zsi_table_has(t, index); i++) {
		index = zsi_table_hole_end(t, index);
		if (index >= t->nr_blocks)
			index = 0;
	}
	/* It is the chunk's first; as likely any other of it. */
	return zsi_min(index + (*state >> 40) % (1u << t->chunk_shift), t->nr_blocks - 1);
}

/* A block that is both trained on and tried would make any dictionary look good. */
static bool is_taken(const struct job *j, uint64_t index)
{
	for (unsigned i = 0; i < j->n; i++)
		if (j->taken[i] == index)
			return true;
	return false;
}

static bool collect(struct job *j)
{
	uint64_t state = j->z->train.tried + 1;
	/* The more blocks a chunk has, the fewer of them may be used. */
	uint64_t most = (uint64_t)j->room * zsi_max(TRIES_PER_SAMPLE, (1u << j->z->table.chunk_shift) / BLOCKS_PER_TRY);

	for (uint64_t tries = 0; j->n < j->room && tries < most; tries++) {
		struct zsi_stream *s;
		uint64_t index;

		if (stopped(j->z) || (s = zsi_gate_enter(j->z)) == NULL)
			return false;
		index = random_block(j->z, &state);
		zsi_stream_leave(s);
		if (!is_taken(j, index))
			(void)take_sample(j, index);
	}
	return j->n >= j->room / 2;
}

/* --- trying --- */

/* What the samples from first on would take. */
static uint64_t bytes_with(const struct job *j, const struct zsi_codec_dict *dict, unsigned first, uint8_t *out,
			   size_t room)
{
	const struct zram *z = j->z;
	struct zsi_codec_ctx *x =
		zsi_codec_ctx_create(z->algs[0].codec, z->algs[0].level, z->block_size, ZSI_CODEC_COMPRESS);
	uint64_t sum = 0;

	if (x == NULL || zsi_memory_charge(j->z, zsi_codec_ctx_bytes(x)) != 0) {
		zsi_codec_ctx_destroy(x);
		return UINT64_MAX;
	}
	for (unsigned i = first; i < j->n; i++) {
		const uint8_t *block = j->samples + (size_t)i * z->block_size;
		size_t len = zsi_codec_compress(x, dict, block, z->block_size, out, room);

		sum += len == 0 || len >= z->huge_size ? z->block_size : len;
	}
	zsi_memory_uncharge(j->z, zsi_codec_ctx_bytes(x));
	zsi_codec_ctx_destroy(x);
	return sum;
}

/* It must make blocks enough smaller, and save on all that is stored at least twice what it takes itself. */
static bool is_worth_it(const struct job *j, unsigned first)
{
	struct zram *z = j->z;
	size_t room = zsi_codec_bound(z->algs[0].codec, z->block_size);
	uint8_t *out = malloc(room);
	uint64_t plain, with, stored = (uint64_t)zsi_max((uint64_t)zsi_streams_counted(z, ZSI_N_COMPR_BYTES), 1);

	if (out == NULL)
		return false;
	plain = bytes_with(j, NULL, first, out, room);
	with = bytes_with(j, j->dict->digested[0], first, out, room);
	free(out);
	if (plain == UINT64_MAX || with == UINT64_MAX || with * 100 > plain * (100 - MIN_GAIN_PERCENT))
		return false;
	return (double)(plain - with) / (double)plain * (double)stored >= 2.0 * (double)j->dict->bytes;
}

static bool train(struct job *j, size_t capacity)
{
	unsigned trained = j->n - j->n / TRIED_OF;

	j->dict = calloc(1, sizeof(*j->dict));
	if (j->dict == NULL || (j->dict->data = malloc(capacity)) == NULL)
		return false;
	j->dict->data_bytes = zsi_codec_dict_train(j->dict->data, capacity, j->samples, j->sizes, trained);
	return j->dict->data_bytes != 0 && !stopped(j->z) && zsi_dict_digest(j->z, j->dict) && is_worth_it(j, trained);
}

/* --- versions --- */

/* The job's dictionary becomes current, if a number is free. */
static void install_frozen(struct job *j)
{
	struct zsi_train *t = &j->z->train;

	zsi_dict_retire_frozen(j->z, false);
	for (unsigned v = 1; v < ZSI_DICTS; v++) {
		if (t->versions[v] == NULL) {
			t->versions[v] = j->dict;
			t->current = v;
			j->dict = NULL;
			return;
		}
	}
}

static void set_next(struct zram *z)
{
	uint64_t stored = zsi_max(stored_bytes(z), FIRST_STORED_BYTES);
	uint64_t written = (uint64_t)zsi_streams_counted(z, ZSI_N_WRITES_TOTAL);

	atomic_store_explicit(&z->train.next_stored, stored * GROWTH, memory_order_relaxed);
	atomic_store_explicit(&z->train.next_written, written + (stored >> z->block_shift) * TURNOVER,
			      memory_order_relaxed);
}

/* --- the thread --- */

static bool prepare(struct job *j, size_t capacity)
{
	size_t block = j->z->block_size;

	j->room = (unsigned)zsi_min(capacity * SAMPLES_PER_DICT / block, stored_bytes(j->z) / block);
	j->charged = (uint64_t)j->room * (block + sizeof(*j->sizes) + sizeof(*j->taken));
	if (zsi_memory_charge(j->z, j->charged) != 0) {
		j->charged = 0;
		return false;
	}
	j->samples = malloc((size_t)j->room * block);
	j->sizes = malloc(j->room * sizeof(*j->sizes));
	j->taken = malloc(j->room * sizeof(*j->taken));
	return j->samples != NULL && j->sizes != NULL && j->taken != NULL;
}

/* This thread won't be back: what it worked with is of no use to anybody. */
static void drop_stream_locked(struct zram *z)
{
	struct zsi_stream *own = zsi_stream_at(z, zsi_thread_number() % ZSI_STREAMS);

	if (own != NULL)
		zsi_stream_drop_locked(z, own);
}

static void *thread_main(void *arg)
{
	struct zram *z = arg;
	struct job j = { .z = z };
	size_t capacity = (size_t)zsi_min(zsi_max(stored_bytes(z) / DICT_PER_STORED, MIN_DICT_BYTES), MAX_DICT_BYTES);
	bool better = prepare(&j, capacity) && collect(&j) && train(&j, capacity);

	free(j.samples);
	free(j.sizes);
	free(j.taken);
	zsi_memory_uncharge(z, j.charged);
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	if (better && !stopped(z)) {
		zsi_gate_close(z);
		install_frozen(&j);
		zsi_gate_open(z);
	}
	drop_stream_locked(z);
	z->train.tried++;
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	zsi_dict_free(z, j.dict);
	set_next(z);
	/* release: pairs with the load in zsi_train_look(), so that the next thread finds this one at its end */
	atomic_store_explicit(&z->train.running, false, memory_order_release);
	return NULL;
}

static void start_locked(struct zram *z)
{
	struct zsi_train *t = &z->train;

	/* The one before has come to its end, which joining does not have to wait for. */
	if (t->started)
		(void)pthread_join(t->thread, NULL);
	atomic_store_explicit(&t->running, true, memory_order_relaxed);
	t->started = zsi_quiet_thread(&t->thread, thread_main, z) == 0;
	if (!t->started) {
		atomic_store_explicit(&t->running, false, memory_order_relaxed);
		set_next(z);
	}
}

void zsi_train_look(struct zram *z, struct zsi_stream *s)
{
	struct zsi_train *t = &z->train;
	int64_t written = atomic_load_explicit(&s->counters[ZSI_N_WRITES_TOTAL], memory_order_relaxed);

	if (written % LOOK_EVERY != 0 || atomic_load_explicit(&t->running, memory_order_acquire))
		return;
	if (stored_bytes(z) < atomic_load_explicit(&t->next_stored, memory_order_relaxed) &&
	    (uint64_t)zsi_streams_counted(z, ZSI_N_WRITES_TOTAL) <
		    atomic_load_explicit(&t->next_written, memory_order_relaxed))
		return;
	/* Only tried: somebody may hold it who waits for this stream. */
	if (!zsi_trylock(&t->lock, ZSI_RANK_TRAIN))
		return;
	if (!atomic_load_explicit(&t->running, memory_order_acquire) && !stopped(z))
		start_locked(z);
	zsi_unlock(&t->lock, ZSI_RANK_TRAIN);
}

void zsi_train_hold(struct zram *z)
{
	struct zsi_train *t = &z->train;

	zsi_lock(&t->lock, ZSI_RANK_TRAIN);
	atomic_store_explicit(&t->stop, true, memory_order_relaxed);
	if (t->started)
		(void)pthread_join(t->thread, NULL);
	t->started = false;
}

void zsi_train_release(struct zram *z)
{
	atomic_store_explicit(&z->train.stop, false, memory_order_relaxed);
	zsi_unlock(&z->train.lock, ZSI_RANK_TRAIN);
}

/* What the thread held, samples and all, is lost to the child: nobody knows where it was. */
void zsi_train_forget(struct zram *z)
{
	struct zsi_train *t = &z->train;

	zsi_lock_reset(&t->lock);
	t->started = false;
	atomic_store_explicit(&t->running, false, memory_order_relaxed);
	atomic_store_explicit(&t->stop, false, memory_order_relaxed);
}

int zsi_train_init_locked(struct zram *z)
{
	const struct zsi_alg *a = &z->algs[0];

	atomic_store_explicit(&z->train.next_stored, FIRST_STORED_BYTES, memory_order_relaxed);
	atomic_store_explicit(&z->train.next_written, UINT64_MAX, memory_order_relaxed);
	z->train.tried = 0;
	if ((z->flags & ZRAM_TRAIN_DICT) == 0)
		return 0;
	if (!zsi_codec_takes_dict(a->codec))
		return zsi_fail(EINVAL, "%s: ZRAM_TRAIN_DICT: %s takes no dictionary", z->name,
				zsi_codec_name(a->codec));
	for (unsigned p = 0; p < ZSI_PRIORITIES; p++) {
		if (z->algs[p].dict_data != NULL)
			return zsi_fail(EINVAL, "%s: ZRAM_TRAIN_DICT: %s has a dictionary already, by dict=", z->name,
					zsi_codec_name(z->algs[p].codec));
		if (z->algs[p].kernel && zsi_codec_takes_dict(z->algs[p].codec))
			return zsi_fail(EINVAL, "%s: ZRAM_TRAIN_DICT: %s has kernel=1, which goes without dictionaries",
					z->name, zsi_codec_name(z->algs[p].codec));
	}
	return 0;
}
