/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lookup.c - a hash table of handles, and five ways to look a thousand keys up in it.
 *
 *   lookup [VALUES]
 *
 *   hash of the key --> slot --> handle --> value: key, bytes
 *
 * The table has handles only, so a look-up goes to the value itself to compare the key: a slot, an entry of the pool's
 * handle table and the value's first bytes are three places in memory, mostly none of them near. The ways differ in
 * how much is done for each, and how many of such trips are under way at once:
 *
 *   one by one   begin and end around each value
 *   section      one section around all of them
 *   view         a section, and the look-up of a handle is inlined here, by zs_view_address()
 *   prefetch     a section, and the slot and the value of later keys asked for while this one is compared
 *   batches      sixteen values at a time, which asks for them all before the first is looked at
 *
 * Some keys are not there. The times that are printed are this machine's, with whatever else it has to do.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zsmalloc/zsmalloc.h>

#define KEYS 1000u
#define BATCH 16u
#define SLOT_AHEAD 16u
#define VALUE_AHEAD 8u
#define ROUNDS 31u

struct value {
	uint64_t key;
	uint32_t len;
	char bytes[];
};

struct table {
	struct zs_pool *pool;
	zs_handle *slots; /* 0: empty */
	size_t mask;
};

static uint64_t hash(uint64_t key)
{
	key = (key ^ key >> 31) * 0x7fb5d329728ea185u;
	return (key ^ key >> 27) * 0x81dadef4bc2dd44du;
}

static size_t slot_of(const struct table *t, uint64_t key)
{
	return (size_t)(hash(key) >> 20) & t->mask;
}

static int insert(struct table *t, uint64_t key)
{
	_Alignas(struct value) char room[sizeof(struct value) + 300];
	struct value *v = (struct value *)room;
	size_t at = slot_of(t, key);

	v->key = key;
	v->len = (uint32_t)(20 + hash(key) % 280);
	memset(v->bytes, (int)key, v->len);
	zs_handle h = zs_malloc(t->pool, sizeof(*v) + v->len, 0);

	if (h == 0 || zs_obj_write(t->pool, h, v, sizeof(*v) + v->len) != 0)
		return -1;
	while (t->slots[at] != 0)
		at = (at + 1) & t->mask;
	t->slots[at] = h;
	return 0;
}

/* In a section. The value of a key from this slot on; NULL: there is none. */
static const struct value *probe(const struct table *t, uint64_t key, size_t at)
{
	for (; t->slots[at] != 0; at = (at + 1) & t->mask) {
		const struct value *v = zs_obj_address(t->pool, t->slots[at]);

		if (v == NULL || v->key == key)
			return v;
	}
	return NULL;
}

/* Each of these adds up a byte of what it finds, so that it has to be read. */

static uint64_t one_by_one(const struct table *t, const uint64_t *keys)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		for (size_t at = slot_of(t, keys[i]); t->slots[at] != 0; at = (at + 1) & t->mask) {
			const struct value *v = zs_obj_read_begin(t->pool, t->slots[at], NULL);
			int found = v != NULL && v->key == keys[i];

			if (found)
				sum += (uint8_t)v->bytes[0];
			zs_obj_read_end(t->pool, t->slots[at], v);
			if (found)
				break;
		}
	}
	return sum;
}

static uint64_t in_section(const struct table *t, const uint64_t *keys)
{
	uint64_t sum = 0;

	zs_read_begin(t->pool);
	for (unsigned i = 0; i < KEYS; i++) {
		const struct value *v = probe(t, keys[i], slot_of(t, keys[i]));

		if (v != NULL)
			sum += (uint8_t)v->bytes[0];
	}
	zs_read_end(t->pool);
	return sum;
}

static uint64_t by_view(const struct table *t, const uint64_t *keys)
{
	const struct zs_view view = zs_pool_view(t->pool);
	uint64_t sum = 0;

	zs_read_begin(t->pool);
	for (unsigned i = 0; i < KEYS; i++) {
		for (size_t at = slot_of(t, keys[i]); t->slots[at] != 0; at = (at + 1) & t->mask) {
			const struct value *v = zs_view_address(&view, t->slots[at]);

			if (v == NULL || v->key == keys[i]) {
				sum += v != NULL ? (uint8_t)v->bytes[0] : 0;
				break;
			}
		}
	}
	zs_read_end(t->pool);
	return sum;
}

static uint64_t prefetched(const struct table *t, const uint64_t *keys)
{
	uint64_t sum = 0;

	zs_read_begin(t->pool);
	for (unsigned i = 0; i < KEYS; i++) {
		if (i + SLOT_AHEAD < KEYS)
			__builtin_prefetch(&t->slots[slot_of(t, keys[i + SLOT_AHEAD])]);
		/* An empty slot is 0, which is a handle that nothing is brought near for. */
		if (i + VALUE_AHEAD < KEYS)
			zs_prefetch(t->pool, t->slots[slot_of(t, keys[i + VALUE_AHEAD])]);
		const struct value *v = probe(t, keys[i], slot_of(t, keys[i]));

		if (v != NULL)
			sum += (uint8_t)v->bytes[0];
	}
	zs_read_end(t->pool);
	return sum;
}

/*
 * The first value of each key's slot is read in the batch; where it is another key's, the rest of the way is in it
 * too.
 */
static uint64_t in_batches(const struct table *t, const uint64_t *keys)
{
	uint64_t sum = 0;

	for (unsigned first = 0; first < KEYS; first += BATCH) {
		zs_handle handles[BATCH];
		const void *mem[BATCH];
		unsigned which[BATCH], n = 0;

		for (unsigned i = first; i < first + BATCH && i < KEYS; i++)
			__builtin_prefetch(&t->slots[slot_of(t, keys[i])]);
		for (unsigned i = first; i < first + BATCH && i < KEYS; i++) {
			zs_handle h = t->slots[slot_of(t, keys[i])];

			which[n] = i;
			handles[n] = h;
			n += h != 0;
		}
		if (zs_obj_read_begin_batch(t->pool, handles, n, mem, NULL) != 0)
			return 0;
		for (unsigned i = 0; i < n; i++) {
			const struct value *v = mem[i];
			uint64_t key = keys[which[i]];

			if (v->key != key)
				v = probe(t, key, (slot_of(t, key) + 1) & t->mask);
			if (v != NULL)
				sum += (uint8_t)v->bytes[0];
		}
		zs_obj_read_end_batch(t->pool);
	}
	return sum;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

typedef uint64_t lookup_fn(const struct table *t, const uint64_t *keys);

static const struct {
	const char *name;
	lookup_fn *run;
} ways[] = {
	{ "one by one", one_by_one }, { "section", in_section }, { "view", by_view },
	{ "prefetch", prefetched },   { "batches of 16", in_batches },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* All ways in turn with the same keys, which are others in each round; one key in eight is not there. */
static int measure(const struct table *t, uint64_t values)
{
	static double ns[WAYS][ROUNDS];
	uint64_t keys[KEYS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t w = 0; w < WAYS; w++) {
			uint64_t sum = 0;

			for (unsigned i = 0; i < KEYS; i++) {
				uint64_t n = hash(round * WAYS * KEYS + w * KEYS + i) % (values + values / 8);

				keys[i] = n;
				sum += n < values ? (uint8_t)n : 0;
			}
			uint64_t start = now_ns();
			uint64_t found = ways[w].run(t, keys);

			ns[w][round] = (double)(now_ns() - start) / KEYS;
			if (found != sum) {
				fprintf(stderr, "lookup: %s found something else\n", ways[w].name);
				return -1;
			}
		}
	}
	printf("%llu values, %u keys; nanoseconds a key\n", (unsigned long long)values, KEYS);
	for (size_t w = 0; w < WAYS; w++) {
		qsort(ns[w], ROUNDS, sizeof(ns[w][0]), compare);
		printf("%-14s %6.1f\n", ways[w].name, ns[w][ROUNDS / 2]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t values = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
	struct table t = { .pool = zs_create_pool("lookup") };
	size_t slots = 1024;

	if (values == 0 || values > 1u << 28)
		return 2;
	while (slots < 2 * values)
		slots *= 2;
	t.mask = slots - 1;
	t.slots = calloc(slots, sizeof(*t.slots));
	if (t.pool == NULL || t.slots == NULL) {
		perror("lookup");
		return 1;
	}
	for (uint64_t key = 0; key < values; key++) {
		if (insert(&t, key) != 0) {
			perror("lookup");
			return 1;
		}
	}
	int result = measure(&t, values);

	zs_destroy_pool(t.pool);
	free(t.slots);
	return result == 0 ? 0 : 1;
}
