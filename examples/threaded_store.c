/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * threaded_store.c - a store that several threads use at once while another thread compacts it.
 *
 * A table of KEYS values is divided into SHARDS, each under a lock of its own. A value is an object of the pool: the
 * table holds its handle, its length and the seed that its bytes follow from.
 *
 * What the pool asks of its callers is that two calls on the SAME object are ordered. The shard's lock does that: who
 * reads a value holds it, and so does who replaces or deletes it. Allocating and writing the new value needs no lock,
 * as nobody else knows its handle yet. Compaction needs none either: it moves the objects under the feet of everybody
 * and takes no lock of ours, so nobody who holds an object ever waits for it.
 *
 * Every value read is compared byte for byte; at the end the whole table is, and zs_pool_validate() walks the pool.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zsmalloc/zsmalloc.h>

#define THREADS 4u
#define SHARDS 64u
#define KEYS 8192u
#define MAX_VALUE 4096u
#define SLICE_BYTES (256u << 10) /* compaction moves about this much a call */

struct value {
	zs_handle handle; /* 0: no value */
	uint32_t len;
	uint32_t seed;
};

struct shard {
	pthread_mutex_t lock;
	struct value values[KEYS / SHARDS]; /* guarded by lock */
};

struct store {
	struct zs_pool *pool;
	struct shard shards[SHARDS];
	atomic_bool failed;
	atomic_bool stop; /* ends the compaction thread */
};

struct worker {
	struct store *store;
	pthread_t thread;
	uint32_t random;
	uint64_t operations;
	uint64_t puts, gets, misses, deletes;
};

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void value_bytes(const struct value *value, unsigned char *bytes)
{
	for (uint32_t i = 0; i < value->len; i++)
		bytes[i] = (unsigned char)(value->seed + i * 13 + (i >> 8));
}

/* Read a value and compare it. The caller holds the lock of its shard. */
static bool value_good_locked(struct store *store, const struct value *value)
{
	unsigned char expected[MAX_VALUE];
	const void *bytes = zs_obj_read_begin(store->pool, value->handle, NULL);

	if (!bytes)
		return false;
	value_bytes(value, expected);
	bool good = memcmp(bytes, expected, value->len) == 0;
	zs_obj_read_end(store->pool, value->handle, bytes);
	return good;
}

/* Put new values, or nothing where value->handle is 0, in the place of what the key has; free what it had. */
static void exchange(struct store *store, uint32_t key, struct value value)
{
	struct shard *shard = &store->shards[key % SHARDS];
	struct value *place = &shard->values[key / SHARDS];

	pthread_mutex_lock(&shard->lock);
	zs_handle old = place->handle;
	*place = value;
	pthread_mutex_unlock(&shard->lock);
	/* Nobody can find the old object any more, and whoever was reading it held the lock that we have just had. */
	zs_free(store->pool, old);
}

static bool put(struct worker *worker, uint32_t key)
{
	struct store *store = worker->store;
	unsigned char bytes[MAX_VALUE];
	struct value value = { .seed = next_random(&worker->random) };

	value.len = 1 + value.seed % MAX_VALUE;
	value_bytes(&value, bytes);
	value.handle = zs_malloc(store->pool, value.len, 0);
	if (!value.handle)
		return false;
	if (zs_obj_write(store->pool, value.handle, bytes, value.len)) {
		zs_free(store->pool, value.handle);
		return false;
	}
	exchange(store, key, value);
	worker->puts++;
	return true;
}

static bool get(struct worker *worker, uint32_t key)
{
	struct shard *shard = &worker->store->shards[key % SHARDS];
	struct value *value = &shard->values[key / SHARDS];
	bool good = true;

	pthread_mutex_lock(&shard->lock);
	if (value->handle)
		good = value_good_locked(worker->store, value);
	else
		worker->misses++;
	pthread_mutex_unlock(&shard->lock);
	worker->gets++;
	return good;
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	for (uint64_t i = 0; i < worker->operations && !atomic_load(&worker->store->failed); i++) {
		uint32_t r = next_random(&worker->random);
		uint32_t key = (r >> 8) % KEYS;
		bool good = true;

		if (r % 8 < 4) {
			good = get(worker, key);
		} else if (r % 8 < 6) {
			good = put(worker, key);
		} else {
			exchange(worker->store, key, (struct value){ 0 });
			worker->deletes++;
		}
		if (!good) {
			fprintf(stderr, "key %u: could not be stored, or is not what was written\n", key);
			atomic_store(&worker->store->failed, true);
		}
	}
	return NULL;
}

/* Compact without end, in slices, as a program would do that has no better idea when to. */
static void *compact(void *arg)
{
	struct store *store = arg;

	while (!atomic_load(&store->stop))
		zs_compact_budget(store->pool, SLICE_BYTES, 0);
	return NULL;
}

static bool run_threads(struct store *store, struct worker *workers, uint64_t operations)
{
	pthread_t compactor;
	unsigned started = 0;

	if (pthread_create(&compactor, NULL, compact, store))
		return false;
	for (; started < THREADS; started++) {
		workers[started] = (struct worker){
			.store = store,
			.random = 12345 + started * 77777,
			.operations = operations,
		};
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]))
			break;
	}
	for (unsigned t = 0; t < started; t++)
		pthread_join(workers[t].thread, NULL);
	atomic_store(&store->stop, true);
	pthread_join(compactor, NULL);
	return started == THREADS && !atomic_load(&store->failed);
}

/* Compare every value that is left. False when one is wrong, or when the pool has another number of objects. */
static bool check_table(struct store *store, uint64_t *live_bytes)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	unsigned long live = 0;

	*live_bytes = 0;
	for (uint32_t key = 0; key < KEYS; key++) {
		struct shard *shard = &store->shards[key % SHARDS];
		const struct value *value = &shard->values[key / SHARDS];

		pthread_mutex_lock(&shard->lock);
		bool good = !value->handle || value_good_locked(store, value);
		live += value->handle != 0;
		*live_bytes += value->len;
		pthread_mutex_unlock(&shard->lock);
		if (!good)
			return false;
	}
	zs_pool_stats(store->pool, &stats);
	return stats.obj_used == live && stats.bytes_requested == *live_bytes;
}

static bool run(struct store *store, uint64_t operations)
{
	struct worker workers[THREADS];
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	uint64_t puts = 0, gets = 0, misses = 0, deletes = 0, live_bytes = 0;

	if (!run_threads(store, workers, operations))
		return false;
	for (unsigned t = 0; t < THREADS; t++) {
		puts += workers[t].puts;
		gets += workers[t].gets;
		misses += workers[t].misses;
		deletes += workers[t].deletes;
	}
	zs_pool_stats(store->pool, &stats);
	printf("%u threads: %" PRIu64 " puts, %" PRIu64 " gets (%" PRIu64 " found nothing), %" PRIu64 " deletes\n",
	       THREADS, puts, gets, misses, deletes);
	printf("meanwhile compaction moved %lu objects and gave %lu pages back\n", stats.objs_moved,
	       stats.pages_compacted);

	zs_compact(store->pool);
	if (!check_table(store, &live_bytes) || zs_pool_validate(store->pool)) {
		fprintf(stderr, "the table and the pool do not agree\n");
		return false;
	}
	zs_pool_stats(store->pool, &stats);
	printf("%lu values of %.1f KiB left in %.1f KiB, metadata included; every byte as it was written\n",
	       stats.obj_used, (double)live_bytes / 1024, (double)stats.bytes_total / 1024);
	return true;
}

int main(int argc, char **argv)
{
	static struct store store;
	uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 10) : 50000;

	store.pool = zs_create_pool("threaded_store");
	if (!store.pool) {
		perror("zs_create_pool");
		return 1;
	}
	for (unsigned s = 0; s < SHARDS; s++)
		pthread_mutex_init(&store.shards[s].lock, NULL);
	bool good = run(&store, operations);
	for (unsigned s = 0; s < SHARDS; s++)
		pthread_mutex_destroy(&store.shards[s].lock);
	zs_destroy_pool(store.pool); /* the values that are left go with it */
	return good ? 0 : 1;
}
