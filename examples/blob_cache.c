/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * blob_cache.c - a cache of blobs that stays under a hard memory limit and gives memory back.
 *
 * The cache maps a 64-bit key to a blob of 1 to 4096 bytes. The blobs lie in a zsmalloc pool with limit_bytes set: the
 * pool refuses to hold more, its own metadata included, and the cache answers a refusal by evicting as many bytes as it
 * wants to store: what goes leaves a slot that fits, or, with a few more refusals, one that does. Which blobs go is
 * decided by CLOCK: a hand turns over the entries, spares once what was read since it last came by and evicts the rest.
 *
 *   entries[]   one slot for each blob; the ring that the hand turns over
 *   buckets[]   hash of the key -> first entry; entries are chained through next
 *   free_head   entries that hold nothing, chained through next as well
 *
 * One thread uses the cache. The pool would allow more; the table here has no lock.
 *
 * The program streams far more blobs through the cache than fit, checks every byte that it gets back, then drops the
 * blobs of most tenants at once, as a cache does whose users leave, and shows what zs_compact() returns.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zsmalloc/zsmalloc.h>

#define MAX_BLOB 4096u
#define LIMIT_BYTES (8u << 20)
#define ENTRIES 8192u /* more than fit under the limit, so that the limit is what evicts */
#define BUCKETS 8192u
#define NONE UINT32_MAX

struct entry {
	uint64_t key;
	zs_handle blob; /* 0: the entry is free */
	uint32_t len;
	uint32_t next;
	bool referenced; /* read since the hand last came by */
};

struct cache {
	struct zs_pool *pool;
	struct entry entries[ENTRIES];
	uint32_t buckets[BUCKETS];
	uint32_t free_head;
	uint32_t hand;
	uint64_t live_bytes, live_blobs, evicted;
};

static uint32_t bucket_of(uint64_t key)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32) % BUCKETS;
}

static struct cache *cache_create(uint64_t limit_bytes)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	options.limit_bytes = limit_bytes;
	cache->pool = zs_create_pool_with("blob_cache", &options);
	if (!cache->pool) {
		free(cache);
		return NULL;
	}
	for (uint32_t b = 0; b < BUCKETS; b++)
		cache->buckets[b] = NONE;
	for (uint32_t e = 0; e < ENTRIES; e++)
		cache->entries[e].next = e + 1 < ENTRIES ? e + 1 : NONE;
	return cache;
}

static void cache_destroy(struct cache *cache)
{
	zs_destroy_pool(cache->pool); /* frees the blobs too */
	free(cache);
}

/* The link that points at the entry of key: a bucket, or the next of the entry before it. *link is NONE if absent. */
static uint32_t *find(struct cache *cache, uint64_t key)
{
	uint32_t *link = &cache->buckets[bucket_of(key)];

	while (*link != NONE && cache->entries[*link].key != key)
		link = &cache->entries[*link].next;
	return link;
}

static void drop(struct cache *cache, uint32_t *link)
{
	uint32_t index = *link;
	struct entry *entry = &cache->entries[index];

	*link = entry->next;
	zs_free(cache->pool, entry->blob);
	cache->live_bytes -= entry->len;
	cache->live_blobs--;
	entry->blob = 0;
	entry->next = cache->free_head;
	cache->free_head = index;
}

/* Turn the hand until at least bytes are evicted. False when there was nothing to evict at all. */
static bool evict(struct cache *cache, uint64_t bytes)
{
	uint64_t goal = cache->live_bytes > bytes ? cache->live_bytes - bytes : 0;
	bool any = false;

	while (cache->live_bytes > goal) {
		struct entry *entry = &cache->entries[cache->hand];

		cache->hand = (cache->hand + 1) % ENTRIES;
		if (!entry->blob)
			continue;
		if (entry->referenced) {
			entry->referenced = false;
			continue;
		}
		drop(cache, find(cache, entry->key));
		cache->evicted++;
		any = true;
	}
	return any;
}

/* Store a blob under key in the place of what was there. 0, or -1 with errno. */
static int cache_put(struct cache *cache, uint64_t key, const void *data, uint32_t len)
{
	uint32_t *link = find(cache, key);
	zs_handle blob;

	if (*link != NONE)
		drop(cache, link);
	if (cache->free_head == NONE && !evict(cache, 1))
		return -1;

	/*
	 * At the limit zs_malloc() takes any free slot that is large enough, and compacts a little where that is worth
	 * it, before it gives up. Then the only memory left is that of other blobs. When it is not the limit that
	 * refuses, but the system, evicting helps nobody.
	 */
	while (!(blob = zs_malloc(cache->pool, len, ZS_LIMIT_EDQUOT))) {
		if (errno != EDQUOT || !evict(cache, len))
			return -1;
	}
	if (zs_obj_write(cache->pool, blob, data, len)) {
		zs_free(cache->pool, blob);
		return -1;
	}

	uint32_t index = cache->free_head;
	struct entry *entry = &cache->entries[index];
	uint32_t *bucket = &cache->buckets[bucket_of(key)];

	cache->free_head = entry->next;
	*entry = (struct entry){ .key = key, .blob = blob, .len = len, .next = *bucket };
	*bucket = index;
	cache->live_bytes += len;
	cache->live_blobs++;
	return 0;
}

/* Copy the blob of key to data (MAX_BLOB bytes). Its length, or 0 when the cache does not hold it. */
static uint32_t cache_get(struct cache *cache, uint64_t key, void *data)
{
	uint32_t index = *find(cache, key);

	if (index == NONE)
		return 0;

	struct entry *entry = &cache->entries[index];
	/* The built-in arena never needs the local copy. Between begin and end the bytes stay where they are. */
	const void *bytes = zs_obj_read_begin(cache->pool, entry->blob, NULL);

	if (!bytes)
		return 0;
	memcpy(data, bytes, entry->len);
	zs_obj_read_end(cache->pool, entry->blob, bytes);
	entry->referenced = true;
	return entry->len;
}

/* ---- The program: what is put under a key follows from the key, so that every byte can be checked. ---- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * 0x7fb5d329728ea185u;
	x = (x ^ (x >> 27)) * 0x81dadef4bc2dd44du;
	return x ^ (x >> 33);
}

/* Sizes as compression leaves them: most between a fifth and four fifths of a page. */
static uint32_t blob_of(uint64_t key, unsigned char data[MAX_BLOB])
{
	uint64_t r = mix(key + 1);
	uint32_t len = 1 + (uint32_t)(r % 2048) + (uint32_t)((r >> 20) % 2048);

	for (uint32_t i = 0; i < len; i++)
		data[i] = (unsigned char)(r >> (8 * (i % 8))) ^ (unsigned char)(i * 7);
	return len;
}

/* Compare what the cache holds under key with what was put there. 1 a hit, 0 a miss, -1 wrong bytes. */
static int check(struct cache *cache, uint64_t key)
{
	unsigned char expected[MAX_BLOB], got[MAX_BLOB];
	uint32_t len = cache_get(cache, key, got);

	if (!len)
		return 0;
	if (len != blob_of(key, expected) || memcmp(got, expected, len)) {
		fprintf(stderr, "key %" PRIu64 ": the blob read is not the one written\n", key);
		return -1;
	}
	return 1;
}

/* Put nputs blobs; after each read the hot key of the moment, which CLOCK must therefore keep. */
static int stream(struct cache *cache, uint64_t nputs, uint64_t nhot)
{
	unsigned char data[MAX_BLOB];
	uint64_t hot_hits = 0;

	for (uint64_t key = 0; key < nputs; key++) {
		uint32_t len = blob_of(key, data);

		if (cache_put(cache, key, data, len)) {
			perror("cache_put");
			return -1;
		}
		int hit = check(cache, key % nhot);
		if (hit < 0)
			return -1;
		hot_hits += (uint64_t)hit;
		if (key % 64 == 0) {
			struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

			zs_pool_stats(cache->pool, &stats);
			if (stats.bytes_total > LIMIT_BYTES) {
				fprintf(stderr, "the pool holds %" PRIu64 " bytes, above its limit\n",
					stats.bytes_total);
				return -1;
			}
		}
	}
	printf("put %" PRIu64 " blobs: %" PRIu64 " evicted, %" PRIu64 " still there; "
	       "the %" PRIu64 " hot keys were found %" PRIu64 " times of %" PRIu64 "\n",
	       nputs, cache->evicted, cache->live_blobs, nhot, hot_hits, nputs);
	return 0;
}

static uint64_t report(struct cache *cache, const char *when)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

	zs_pool_stats(cache->pool, &stats);
	printf("%-28s %5" PRIu64 " blobs of %7.1f KiB together; the pool holds %7.1f KiB (limit %u KiB)\n", when,
	       cache->live_blobs, (double)cache->live_bytes / 1024, (double)stats.bytes_total / 1024,
	       LIMIT_BYTES / 1024);
	return stats.bytes_total;
}

/* The cache has ten tenants, told apart by the last digit of the key; drop the blobs of the first seven. */
static void expire_tenants(struct cache *cache)
{
	for (uint32_t e = 0; e < ENTRIES; e++) {
		if (cache->entries[e].blob && cache->entries[e].key % 10 < 7)
			drop(cache, find(cache, cache->entries[e].key));
	}
}

static int run(struct cache *cache, uint64_t nputs)
{
	uint64_t hits = 0;

	if (stream(cache, nputs, 100))
		return -1;
	uint64_t full = report(cache, "full:");
	expire_tenants(cache);
	report(cache, "seven of ten tenants gone:");
	unsigned long pages = zs_compact(cache->pool);
	uint64_t compacted = report(cache, "after zs_compact():");
	printf("compaction gave %lu pages back\n", pages);

	for (uint64_t key = 0; key < nputs; key++) {
		int hit = check(cache, key);

		if (hit < 0)
			return -1;
		hits += (uint64_t)hit;
	}
	printf("read %" PRIu64 " blobs back, every byte as it was written\n", hits);
	if (hits != cache->live_blobs || !cache->evicted) {
		fprintf(stderr, "the cache lost count of its blobs, or the limit was never reached\n");
		return -1;
	}
	/* Seven tenths of the blobs are gone; half of the memory is the least that must have gone with them. */
	if (compacted > full / 2) {
		fprintf(stderr, "the pool kept memory that it should have given back\n");
		return -1;
	}
	return zs_pool_validate(cache->pool);
}

int main(int argc, char **argv)
{
	uint64_t nputs = argc > 1 ? strtoull(argv[1], NULL, 10) : 30000;
	struct cache *cache = cache_create(LIMIT_BYTES);

	if (!cache) {
		perror("cache_create");
		return 1;
	}
	int failed = run(cache, nputs);
	cache_destroy(cache);
	return failed ? 1 : 0;
}
