/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * block_checker.c - random operations on a disk over NBD, each compared with a copy in memory; fsx for block devices.
 *
 *   block_checker URI [seed=N] [ops=N] [connections=N] [block=N] [errors=none|ENOSPC|EIO] [--soak]
 *
 * Several connections, one thread each, read, write, trim, zero, flush and ask for extents, at any offset and of any
 * length. What overlaps is done one after the other; what does not, such as two parts of one block, at the same time.
 * The disk must be empty at the start.
 *
 * errors=E: operations may fail with E. Then the range must be, block for block, as it was or as it was to be; and at
 * least one must fail, or the test was none. Afterwards everything is read once more and compared.
 *
 * Trims: whole blocks inside the range read as zeros afterwards, parts of blocks at the ends are as before. A last block
 * of which the disk has only a part is whole where all of that lies in the range.
 */
#include <errno.h>
#include <inttypes.h>
#include <libnbd.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "range_lock.h"

enum {
	LARGEST = 1 << 20, /* of one operation, bytes */
	CONNECTIONS_MAX = RANGE_LOCK_MAX,
	SOAK_FACTOR = 50,
	RETRIES = 1000, /* of a read that may fail */
};

enum operation { OP_READ, OP_WRITE, OP_TRIM, OP_ZERO, OP_FLUSH, OP_EXTENTS, OP_COUNT };

static const char *const operation_names[OP_COUNT] = { "read", "write", "trim", "zero", "flush", "extents" };

static struct {
	const char *uri;
	uint64_t seed, ops, connections, block;
	int error; /* that operations may fail with; 0: none */
} settings = { .seed = 1, .ops = 100000, .connections = 4, .block = 4096 };

static struct {
	uint64_t size;
	unsigned char *bytes; /* Guarded by lock, range by range */
	struct range_lock lock;
} shadow;

static atomic_uint_fast64_t done[OP_COUNT], errors_seen;

/* A thread, its connection and where it is. */
struct worker {
	unsigned number;
	struct nbd_handle *nbd;
	struct rng rng;
	uint64_t step;
	enum operation op;
	uint64_t offset, len;
	unsigned char *buf;   /* LARGEST bytes: what is written */
	unsigned char *check; /* LARGEST bytes: what was read */
	bool make_room;       /* the disk was full: trim next */
	bool extents_sound;
	uint64_t extents_end;
};

_Noreturn static void fail(const struct worker *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

_Noreturn static void fail(const struct worker *w, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr,
		"FAILED: %s\nseed %" PRIu64 ", connection %u, step %" PRIu64 ": %s at %" PRIu64 ", %" PRIu64 " bytes\n",
		text, settings.seed, w->number, w->step, operation_names[w->op], w->offset, w->len);
	_exit(1);
}

/* An operation came back with -1. Returns only where that may be. */
static void expect_error(struct worker *w)
{
	int error = nbd_get_errno();
	if (!settings.error || error != settings.error)
		fail(w, "%s", nbd_get_error());
	atomic_fetch_add(&errors_seen, 1);
	w->make_room = error == ENOSPC;
}

static void compare(struct worker *w, const unsigned char *got, const unsigned char *wanted, uint64_t offset,
		    size_t len)
{
	if (memcmp(got, wanted, len) == 0)
		return;
	size_t i = 0, wrong = 0;
	while (got[i] == wanted[i])
		i++;
	for (size_t k = i; k < len; k++)
		wrong += got[k] != wanted[k];
	fail(w, "wrong data: %zu bytes, the first at %" PRIu64 " is 0x%02x, not 0x%02x", wrong, offset + i, got[i],
	     wanted[i]);
}

/* Reads don't fail for good: an error of the backing file, where errors are made, passes. */
static void read_range(struct worker *w, void *buf, size_t len, uint64_t offset)
{
	for (unsigned tries = 0; nbd_pread(w->nbd, buf, len, offset, 0) == -1; tries++) {
		if (tries == RETRIES || settings.error == ENOSPC)
			fail(w, "%s", nbd_get_error());
		expect_error(w);
	}
}

static uint64_t round_up(uint64_t n)
{
	return (n + settings.block - 1) / settings.block * settings.block;
}

static uint64_t round_down(uint64_t n)
{
	return n / settings.block * settings.block;
}

/* Where the last whole block of a range ends that ends at n. */
static uint64_t whole_end(uint64_t n)
{
	return n == shadow.size ? n : round_down(n);
}

/*
 * The operation on the range failed. Each block of it, or the part of one that was concerned, must be as before or as
 * after (wanted); the shadow takes over what it is.
 */
static void settle_failure(struct worker *w, const unsigned char *wanted)
{
	uint64_t end = w->offset + w->len;
	expect_error(w);
	read_range(w, w->check, w->len, w->offset);
	for (uint64_t at = w->offset; at < end;) {
		uint64_t next = round_down(at) + settings.block < end ? round_down(at) + settings.block : end;
		const unsigned char *got = w->check + (at - w->offset);
		size_t len = next - at;
		if (memcmp(got, wanted + (at - w->offset), len) == 0)
			memcpy(shadow.bytes + at, got, len);
		else
			compare(w, got, shadow.bytes + at, at, len);
		at = next;
	}
}

static void do_read(struct worker *w)
{
	read_range(w, w->check, w->len, w->offset);
	compare(w, w->check, shadow.bytes + w->offset, w->offset, w->len);
}

static void do_write(struct worker *w)
{
	uint32_t flags = rng_one_in(&w->rng, 8) ? LIBNBD_CMD_FLAG_FUA : 0;
	content_fill(&w->rng, w->buf, w->len);
	if (nbd_pwrite(w->nbd, w->buf, w->len, w->offset, flags) == 0)
		memcpy(shadow.bytes + w->offset, w->buf, w->len);
	else
		settle_failure(w, w->buf);
}

static void do_zero(struct worker *w)
{
	uint32_t flags = rng_one_in(&w->rng, 2) ? LIBNBD_CMD_FLAG_NO_HOLE : 0;
	bool fast = rng_one_in(&w->rng, 4);
	int result = nbd_zero(w->nbd, w->len, w->offset, flags | (fast ? LIBNBD_CMD_FLAG_FAST_ZERO : 0));
	if (result == -1 && fast && (nbd_get_errno() == ENOTSUP || nbd_get_errno() == EOPNOTSUPP)) {
		if (round_up(w->offset) < whole_end(w->offset + w->len))
			fail(w, "a range with whole blocks can't be zeroed fast");
		return;
	}
	memset(w->buf, 0, w->len);
	if (result == 0)
		memset(shadow.bytes + w->offset, 0, w->len);
	else
		settle_failure(w, w->buf);
}

static void do_trim(struct worker *w)
{
	uint64_t first = round_up(w->offset), end = whole_end(w->offset + w->len);
	memcpy(w->buf, shadow.bytes + w->offset, w->len);
	if (first < end)
		memset(w->buf + (first - w->offset), 0, end - first);
	if (nbd_trim(w->nbd, w->len, w->offset, 0) == 0)
		memcpy(shadow.bytes + w->offset, w->buf, w->len);
	else
		settle_failure(w, w->buf);
}

static void do_flush(struct worker *w)
{
	if (nbd_flush(w->nbd, 0) == -1)
		expect_error(w);
}

static bool all_zero(const unsigned char *bytes, uint64_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Entries are pairs of a length and flags: bit 0 is a hole, bit 1 reads as zeros. The last may reach behind the range. */
static int take_extents(void *user_data, const char *context, uint64_t offset, uint32_t *entries, size_t count,
			int *error)
{
	struct worker *w = user_data;
	uint64_t end = w->offset + w->len, at = offset;
	(void)context, (void)error;
	w->extents_sound = offset == w->offset && count % 2 == 0 && count > 0;
	for (size_t i = 0; i + 1 < count && w->extents_sound; i += 2) {
		uint64_t next = at + entries[i] < end ? at + entries[i] : end;
		w->extents_sound = entries[i] > 0;
		if (at < next && (entries[i + 1] & 2))
			w->extents_sound &= all_zero(shadow.bytes + at, next - at);
		at = next;
	}
	w->extents_end = at;
	return 0;
}

static void do_extents(struct worker *w)
{
	nbd_extent_callback callback = { .callback = take_extents, .user_data = w };
	w->extents_sound = false;
	if (nbd_block_status(w->nbd, w->len, w->offset, callback, 0) == -1)
		expect_error(w);
	else if (!w->extents_sound)
		fail(w, "what the disk says of its extents is wrong");
	else if (w->extents_end != w->offset + w->len)
		fail(w, "the extents end early, at %" PRIu64, w->extents_end);
}

static enum operation choose_operation(struct worker *w)
{
	/* In percent; what is left is reads. */
	static const struct {
		enum operation op;
		unsigned percent;
	} mix[] = { { OP_WRITE, 42 }, { OP_TRIM, 9 }, { OP_ZERO, 9 }, { OP_EXTENTS, 3 }, { OP_FLUSH, 1 } };
	uint64_t roll = rng_below(&w->rng, 100);
	if (w->make_room) {
		w->make_room = false;
		return OP_TRIM;
	}
	for (size_t i = 0; i < sizeof(mix) / sizeof(mix[0]); i++) {
		if (roll < mix[i].percent)
			return mix[i].op;
		roll -= mix[i].percent;
	}
	return OP_READ;
}

/* Whole blocks, parts of a block or two, any length; now and then a long one. Half of all in the first sixteenth. */
static void choose_range(struct worker *w)
{
	uint64_t size = rng_one_in(&w->rng, 2) ? shadow.size / 16 : shadow.size;
	uint64_t kind = rng_below(&w->rng, 100);
	bool whole = kind < 45;
	if (whole)
		w->len = settings.block * rng_range(&w->rng, 1, 8);
	else if (kind < 80)
		w->len = rng_range(&w->rng, 1, 2 * settings.block);
	else if (kind < 98 && w->op != OP_TRIM)
		w->len = rng_range(&w->rng, 1, 65536);
	else
		w->len = rng_range(&w->rng, 1, LARGEST);
	if (w->len > size)
		w->len = size;
	w->offset = rng_below(&w->rng, size - w->len + 1);
	if (whole)
		w->offset = round_down(w->offset);
	/* A disk that ends within a block: often to its very end. */
	if (shadow.size % settings.block != 0 && rng_one_in(&w->rng, 6))
		w->offset = shadow.size - w->len;
}

static void do_one(struct worker *w)
{
	static void (*const operations[OP_COUNT])(struct worker *) = {
		[OP_READ] = do_read, [OP_WRITE] = do_write, [OP_TRIM] = do_trim,
		[OP_ZERO] = do_zero, [OP_FLUSH] = do_flush, [OP_EXTENTS] = do_extents,
	};
	w->op = choose_operation(w);
	choose_range(w);
	unsigned slot = range_lock(&shadow.lock, w->offset, w->len);
	operations[w->op](w);
	range_unlock(&shadow.lock, slot);
	atomic_fetch_add(&done[w->op], 1);
}

static struct nbd_handle *connect_to(const char *uri)
{
	struct nbd_handle *nbd = nbd_create();
	if (!nbd || nbd_add_meta_context(nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == -1 ||
	    nbd_connect_uri(nbd, uri) == -1) {
		fprintf(stderr, "FAILED: can't connect to %s: %s\n", uri, nbd_get_error());
		exit(1);
	}
	return nbd;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t ops = settings.ops / settings.connections;
	for (w->step = 0; w->step < ops; w->step++)
		do_one(w);
	return NULL;
}

static void worker_init(struct worker *w, unsigned number)
{
	*w = (struct worker){ .number = number, .rng = { rng_mix(settings.seed) + number } };
	w->nbd = connect_to(settings.uri);
	w->buf = malloc(LARGEST);
	w->check = malloc(LARGEST);
	if (!w->buf || !w->check)
		abort();
}

static void worker_end(struct worker *w)
{
	nbd_close(w->nbd);
	free(w->buf);
	free(w->check);
}

/* All of the disk, over one connection. */
static void check_all(struct worker *w)
{
	w->op = OP_READ;
	for (w->offset = 0; w->offset < shadow.size; w->offset += w->len) {
		w->len = shadow.size - w->offset < LARGEST ? shadow.size - w->offset : LARGEST;
		do_read(w);
	}
}

static void open_shadow(struct worker *w)
{
	int64_t size = nbd_get_size(w->nbd);
	if (size < 16 * LARGEST || !nbd_can_multi_conn(w->nbd)) {
		fprintf(stderr, "FAILED: the disk has %" PRId64 " bytes, or can't be shared by connections\n", size);
		exit(1);
	}
	shadow.size = (uint64_t)size;
	shadow.bytes = calloc(1, shadow.size);
	if (!shadow.bytes)
		abort();
	range_lock_init(&shadow.lock);
}

static bool read_setting(const char *argument)
{
	static const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = { { "seed=", &settings.seed },
			{ "ops=", &settings.ops },
			{ "connections=", &settings.connections },
			{ "block=", &settings.block } };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t len = strlen(numbers[i].name);
		if (strncmp(argument, numbers[i].name, len) == 0) {
			char *end;
			*numbers[i].value = strtoull(argument + len, &end, 10);
			return end != argument + len && *end == '\0';
		}
	}
	if (strcmp(argument, "--soak") == 0)
		settings.ops *= SOAK_FACTOR;
	else if (strcmp(argument, "errors=ENOSPC") == 0)
		settings.error = ENOSPC;
	else if (strcmp(argument, "errors=EIO") == 0)
		settings.error = EIO;
	else
		return strcmp(argument, "errors=none") == 0;
	return true;
}

static void report(void)
{
	printf("seed %" PRIu64 ", %" PRIu64 " connections:", settings.seed, settings.connections);
	for (unsigned i = 0; i < OP_COUNT; i++)
		printf(" %" PRIuFAST64 " %s%s", atomic_load(&done[i]), operation_names[i], i + 1 < OP_COUNT ? "," : "");
	printf("; %" PRIuFAST64 " errors\n", atomic_load(&errors_seen));
}

int main(int argc, char **argv)
{
	static struct worker workers[CONNECTIONS_MAX];
	static pthread_t threads[CONNECTIONS_MAX];
	bool good = argc >= 2;
	for (int i = 2; i < argc; i++)
		good &= read_setting(argv[i]);
	if (!good || settings.connections < 1 || settings.connections > CONNECTIONS_MAX || settings.block < 512) {
		fprintf(stderr,
			"usage: block_checker URI [seed=N] [ops=N] [connections=1..%d] [block=N]\n"
			"       [errors=none|ENOSPC|EIO] [--soak]\n",
			CONNECTIONS_MAX);
		return 2;
	}
	settings.uri = argv[1];
	for (unsigned i = 0; i < settings.connections; i++)
		worker_init(&workers[i], i);
	open_shadow(&workers[0]);
	for (unsigned i = 0; i < settings.connections; i++)
		if (pthread_create(&threads[i], NULL, worker_main, &workers[i]) != 0)
			abort();
	for (unsigned i = 0; i < settings.connections; i++)
		pthread_join(threads[i], NULL);
	check_all(&workers[0]);
	for (unsigned i = 0; i < settings.connections; i++)
		worker_end(&workers[i]);
	free(shadow.bytes);
	report();
	if (settings.error && !atomic_load(&errors_seen)) {
		fprintf(stderr, "FAILED: nothing failed, though it should now and then\n");
		return 1;
	}
	return 0;
}
