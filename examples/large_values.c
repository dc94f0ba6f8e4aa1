/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * large_values.c - values larger than a page, in pieces, with one handle a value.
 *
 *   large_values [VALUES]
 *
 * An object is at most one page, and a pool's pages are at most 64 KiB. A larger value is cut into pieces, and the
 * pieces' handles are kept in objects of the same pool:
 *
 *   the caller's handle --> node: next, pieces, handles[] --> node: next, pieces, handles[] --> ...
 *                                               |
 *                                               +--> piece, piece, ..., the rest
 *
 * so that they are counted against its limit, compacted, and freed with the value. All pieces but the last are a whole
 * page of the pool's, which is what packs best: the table that is printed compares pool pages of 4, 16 and 64 KiB, for
 * values of up to 64 KiB and for larger ones. What a pool holds is counted with everything: nodes, metadata, pages
 * that are not full.
 *
 * A value is read in place, piece by piece, and written once. Two threads may do that with different values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

#define MAX_IN_NODE 500u

struct node {
	zs_handle next;
	uint64_t pieces; /* in this node */
	zs_handle handles[MAX_IN_NODE];
};

static size_t node_bytes(uint64_t pieces)
{
	return offsetof(struct node, handles) + (size_t)pieces * sizeof(zs_handle);
}

struct values {
	struct zs_pool *pool;
	size_t piece_bytes; /* the pool's page */
};

static uint64_t in_one_node(const struct values *v)
{
	uint64_t fit = (v->piece_bytes - offsetof(struct node, handles)) / sizeof(zs_handle);

	return fit < MAX_IN_NODE ? fit : MAX_IN_NODE;
}

/* Free a value; 0 is none. */
static void value_free(struct values *v, zs_handle head)
{
	struct node node;

	while (head != 0) {
		const struct node *in_pool = zs_obj_read_begin(v->pool, head, NULL);

		memcpy(&node, in_pool, node_bytes(in_pool->pieces));
		zs_obj_read_end(v->pool, head, in_pool);
		zs_free_batch(v->pool, node.handles, (size_t)node.pieces);
		zs_free(v->pool, head);
		head = node.next;
	}
}

static zs_handle store_object(struct values *v, const void *bytes, size_t n)
{
	zs_handle handle = zs_malloc(v->pool, n, 0);

	if (handle != 0 && zs_obj_write(v->pool, handle, bytes, n) != 0)
		abort(); /* only for a length that is not the object's */
	return handle;
}

/*
 * Store a value. Returns its handle, or 0 with errno set; nothing is left behind then. Written from the end, since a
 * node has to know the next.
 */
static zs_handle value_store(struct values *v, const void *bytes, size_t n)
{
	uint64_t pieces = n == 0 ? 0 : (n - 1) / v->piece_bytes + 1, per_node = in_one_node(v);
	uint64_t nodes = pieces == 0 ? 1 : (pieces - 1) / per_node + 1;
	zs_handle head = 0;

	while (nodes-- > 0) {
		uint64_t first = nodes * per_node;
		struct node node = { .next = head };
		zs_handle made = 0;

		while (node.pieces < per_node && first + node.pieces < pieces) {
			size_t at = (size_t)(first + node.pieces) * v->piece_bytes;
			size_t length = n - at < v->piece_bytes ? n - at : v->piece_bytes;

			node.handles[node.pieces] = store_object(v, (const char *)bytes + at, length);
			if (node.handles[node.pieces] == 0)
				break;
			node.pieces++;
		}
		if (node.pieces == per_node || first + node.pieces == pieces)
			made = store_object(v, &node, node_bytes(node.pieces));
		if (made == 0) {
			zs_free_batch(v->pool, node.handles, (size_t)node.pieces);
			value_free(v, head);
			return 0;
		}
		head = made;
	}
	return head;
}

/* Call use() for each piece, in place, until it returns other than 0, which is returned. */
static int value_read(struct values *v, zs_handle head, int (*use)(void *arg, const void *bytes, size_t at), void *arg)
{
	size_t at = 0;
	int result = 0;

	while (head != 0 && result == 0) {
		const struct node *node = zs_obj_read_begin(v->pool, head, NULL);
		zs_handle next = node->next;

		for (uint64_t i = 0; i < node->pieces && result == 0; i++, at += v->piece_bytes) {
			const void *piece = zs_obj_read_begin(v->pool, node->handles[i], NULL);

			result = use(arg, piece, at);
			zs_obj_read_end(v->pool, node->handles[i], piece);
		}
		zs_obj_read_end(v->pool, head, node);
		head = next;
	}
	return result;
}

/* --- the table: values of random lengths are stored, a half is deleted, and the rest is still what it was --- */

struct stored {
	zs_handle handle;
	size_t bytes;
	size_t piece_bytes;
	uint64_t seed;
};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static unsigned char byte_of(uint64_t seed, size_t at)
{
	return (unsigned char)((seed + at * 2654435761u) >> 7);
}

static int compare(void *arg, const void *bytes, size_t at)
{
	const struct stored *s = arg;
	size_t n = s->bytes - at < s->piece_bytes ? s->bytes - at : s->piece_bytes;

	for (size_t i = 0; i < n; i++)
		if (((const unsigned char *)bytes)[i] != byte_of(s->seed, at + i))
			return -1;
	return 0;
}

/*
 * Prints what is held for each byte of the values, when all are stored and when half of them were deleted. 0 if well.
 */
static int measure(size_t page, size_t least, size_t most, unsigned n)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct stored *all = calloc(n, sizeof(*all));
	unsigned char *buf = malloc(most);
	uint64_t random = 1, bytes = 0;
	double full;

	o.page_size = page;
	struct values v = { zs_create_pool_with("values", &o), page };

	if (all == NULL || buf == NULL || v.pool == NULL)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		struct stored *s = &all[i];

		*s = (struct stored){ 0, least + (size_t)(next_random(&random) % (most - least + 1)), page, i };
		for (size_t k = 0; k < s->bytes; k++)
			buf[k] = byte_of(s->seed, k);
		s->handle = value_store(&v, buf, s->bytes);
		if (s->handle == 0)
			return -1;
		bytes += s->bytes;
	}
	full = (double)zs_get_total_bytes(v.pool) / (double)bytes;
	for (unsigned i = 0; i < n; i += 2) {
		value_free(&v, all[i].handle);
		all[i].handle = 0;
		bytes -= all[i].bytes;
	}
	(void)zs_compact(v.pool);
	printf("%6zu KiB %9zu to %7zu %10.3f %10.3f\n", page / 1024, least, most, full,
	       (double)zs_get_total_bytes(v.pool) / (double)bytes);
	for (unsigned i = 1; i < n; i += 2)
		if (value_read(&v, all[i].handle, compare, &all[i]) != 0)
			return -1;
	for (unsigned i = 1; i < n; i += 2)
		value_free(&v, all[i].handle);
	zs_destroy_pool(v.pool);
	free(all);
	free(buf);
	return 0;
}

int main(int argc, char **argv)
{
	static const size_t pages[] = { 4096, 16384, 65536 };
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;

	printf("%10s %20s %10s %10s\n", "pieces of", "values of bytes", "held/bytes", "half gone");
	for (unsigned mix = 0; mix < 2; mix++) {
		for (unsigned p = 0; p < 3; p++) {
			int error = mix == 0 ? measure(pages[p], 50, 65536, n) : measure(pages[p], 65537, 3000000, n / 40 + 1);

			if (error != 0) {
				printf("FAILED\n");
				return 1;
			}
		}
	}
	return 0;
}
