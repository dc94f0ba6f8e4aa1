/* SPDX-License-Identifier: BSD-3-Clause */
/* pool_test.c - making pools: what is refused, what is remembered, what is given back, and the flags of the arena. */
#include "unit.h"

#include <check.h>
#include <eventually.h>
#include <pthread.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/registry.h"

static void refused(const struct zs_pool_options *o)
{
	errno = 0;
	assert_null(zs_create_pool_with("refused", o));
	assert_int_equal(errno, EINVAL);
}

static void *no_page(void *ctx)
{
	(void)ctx;
	return NULL;
}

static void no_free(void *ctx, void *page)
{
	(void)ctx;
	(void)page;
}

static void options_out_of_range(void **state)
{
	struct zs_page_source source = ZS_PAGE_SOURCE_INIT;
	struct {
		struct zs_pool_options o;
		uint64_t newer;
	} larger = { ZS_POOL_OPTIONS_INIT, 0 };

	(void)state;
#define REFUSED(...)                                             \
	do {                                                     \
		struct zs_pool_options o = ZS_POOL_OPTIONS_INIT; \
		__VA_ARGS__;                                     \
		refused(&o);                                     \
	} while (0)
	REFUSED(o.geometry = (enum zs_geometry)2);
	REFUSED(o.page_size = 4095);
	REFUSED(o.page_size = 2048);
	REFUSED(o.page_size = 131072);
	REFUSED(o.page_size = 12288);
	REFUSED(o.chain_size = 65);
	REFUSED(o.geometry = ZS_GEOMETRY_LINUX, o.chain_size = 17);
	REFUSED(o.flags = 1u << 31);
	REFUSED(o.flags = ZS_POOL_HUGEPAGE | ZS_POOL_NO_HUGEPAGE);
	REFUSED(o.flags = ZS_POOL_HUGEPAGE, o.limit_bytes = 1 << 30);
	REFUSED(o.struct_size = 0);
	REFUSED(o.pages = &source);
	source.alloc_page = no_page;
	REFUSED(o.pages = &source);
	source.free_page = no_free;
	REFUSED(o.pages = &source, o.flags = ZS_POOL_MLOCK);
	REFUSED(o.pages = &source, o.numa_nodes = 1);
	source.struct_size = 1;
	REFUSED(o.pages = &source);
	/* A newer program: what this library doesn't know must be 0. */
	larger.o.struct_size = sizeof(larger);
	struct zs_pool *pool = zs_create_pool_with("newer", &larger.o);

	assert_non_null(pool);
	zs_destroy_pool(pool);
	larger.newer = 1;
	refused(&larger.o);
	/* An older one: it knows no flags. */
	larger.o.struct_size = offsetof(struct zs_pool_options, flags);
	larger.o.flags = ~0u;
	pool = zs_create_pool_with("older", &larger.o);
	assert_non_null(pool);
	zs_destroy_pool(pool);
}

static void tiny_limit(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	(void)state;
	o.limit_bytes = 4096;
	errno = 0;
	assert_null(zs_create_pool_with("tiny", &o));
	assert_int_equal(errno, ENOMEM);
}

static void destroy_nothing(void **state)
{
	(void)state;
	zs_destroy_pool(NULL);
}

/* All cookies taken, all given back. */
static void as_many_pools_as_documented(void **state)
{
	static struct zs_pool *pools[16384];
	unsigned n = 0;

	(void)state;
	for (; n < 16384; n++) {
		uint32_t cookie, others;

		if (zsi_registry_cookie(&cookie, &others) != 0)
			break;
		assert_in_range(cookie, 1, 16383);
		pools[n] = (struct zs_pool *)(uintptr_t)cookie;
	}
	assert_int_equal(n, 16383);
	errno = 0;
	assert_null(zs_create_pool("one too many"));
	assert_int_equal(errno, EMFILE);
	while (n-- > 0)
		zsi_registry_cookie_release((uint32_t)(uintptr_t)pools[n]);
	pools[0] = zs_create_pool("again");
	assert_non_null(pools[0]);
	zs_destroy_pool(pools[0]);
}

static unsigned hints_seen;

static int note_hints(void *start, size_t bytes, unsigned hints)
{
	hints_seen |= bytes >= (512u << 10) ? hints : 0; /* the arena, not the tables */
	return zsi_os_real.commit(start, bytes, hints & ~(unsigned)ZSI_OS_MLOCK);
}

static unsigned hints_of(unsigned flags)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_pool *pool;

	o.flags = flags;
	hints_seen = 0;
	zsi_os.commit = note_hints;
	pool = zs_create_pool_with("flags", &o);
	assert_non_null(pool);
	assert_int_not_equal(zs_malloc(pool, 100, 0), 0);
	zs_destroy_pool(pool);
	zsi_os.commit = zsi_os_real.commit;
	return hints_seen;
}

static void flags_reach_the_arena(void **state)
{
	(void)state;
	assert_int_equal(hints_of(0), ZSI_OS_NO_HUGEPAGE);
	assert_int_equal(hints_of(ZS_POOL_NO_HUGEPAGE), ZSI_OS_NO_HUGEPAGE);
	assert_int_equal(hints_of(ZS_POOL_HUGEPAGE), ZSI_OS_HUGEPAGE);
	assert_int_equal(hints_of(ZS_POOL_NO_THREAD_CACHE), ZSI_OS_NO_HUGEPAGE);
	assert_int_equal(hints_of(ZS_POOL_MLOCK), ZSI_OS_NO_HUGEPAGE | ZSI_OS_MLOCK);
}

static unsigned long locked_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	unsigned long kb = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "VmLck: %lu kB", &kb);
	fclose(f);
	return kb;
}

/* What is locked is locked as it is touched, given back all the same, and refused beyond the limit. */
/* The policy that the kernel has for an object's page. */
static int policy_of(struct zs_pool *pool, zs_handle h, unsigned long *nodes)
{
	const void *mem = zs_obj_read_begin(pool, h, NULL);
	int mode = -1;

	*nodes = 0;
	assert_int_equal(syscall(SYS_get_mempolicy, &mode, nodes, 64 + 1, mem, MPOL_F_ADDR), 0);
	zs_obj_read_end(pool, h, mem);
	return mode;
}

static void numa_nodes(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	unsigned long nodes;

	(void)state;
	o.numa_nodes = 1;
	struct zs_pool *pool = zs_create_pool_with("numa", &o);

	if (pool == NULL && errno == ENOSYS)
		skip();
	assert_non_null(pool);
	zs_handle h = zs_malloc(pool, 1000, 0);

	assert_int_equal(policy_of(pool, h, &nodes), MPOL_PREFERRED);
	assert_int_equal(nodes, 1);
	zs_destroy_pool(pool);
	/* No node of that number. */
	o.numa_nodes = 1ull << 63;
	assert_null(zs_create_pool_with("numa", &o));
	assert_int_equal(errno, EINVAL);
	/* Without it, nothing is said about nodes. */
	o.numa_nodes = 0;
	pool = zs_create_pool_with("numa", &o);
	h = zs_malloc(pool, 1000, 0);
	assert_int_equal(policy_of(pool, h, &nodes), MPOL_DEFAULT);
	zs_destroy_pool(pool);
}

static void locked_pages(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct rlimit limit;
	struct zs_pool *pool;
	zs_handle h;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (limit.rlim_cur < (4u << 20) && geteuid() != 0)
		skip();
	o.flags = ZS_POOL_MLOCK;
	unsigned long before = locked_kb();

	pool = zs_create_pool_with("locked", &o);
	assert_non_null(pool);
	h = zs_malloc(pool, 4096, 0);
	assert_int_not_equal(h, 0);
	assert_true(locked_kb() > before);
	assert_int_equal(zs_obj_write(pool, h, "x", 1), 0);
	const uint8_t *mem = zs_obj_read_begin(pool, h, NULL);

	zs_obj_read_end(pool, h, mem);
	zs_free(pool, h);
	(void)zs_compact(pool);
	/* The page went back though it is locked: what comes in its place is zeros. */
	assert_int_equal(mem[0], 0);
	zs_destroy_pool(pool);
	assert_int_equal(locked_kb(), before);
}

/* As a user with no right to lock memory: allocation fails, nothing else happens. */
static void locking_refused(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
		const struct rlimit none = { 0, 0 };

		o.flags = ZS_POOL_MLOCK;
		if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
			_exit(2);
		struct zs_pool *pool = zs_create_pool_with("refused", &o);

		if (pool == NULL)
			_exit(3);
		errno = 0;
		if (zs_malloc(pool, 100, 0) != 0 || errno != ENOMEM || zs_pool_validate(pool) != 0)
			_exit(4);
		zs_destroy_pool(pool);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* With little address space a pool is made smaller, not refused. */
static size_t most_reserved;

static void *stingy_reserve(size_t bytes, size_t align)
{
	if (bytes > most_reserved) {
		errno = ENOMEM;
		return NULL;
	}
	return zsi_os_real.reserve(bytes, align);
}

static void little_address_space(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_pool *pool;

	(void)state;
	o.limit_bytes = 8 << 20;
	most_reserved = (size_t)256 << 20;
	zsi_os.reserve = stingy_reserve;
	pool = zs_create_pool_with("small", &o);
	zsi_os.reserve = zsi_os_real.reserve;
	assert_non_null(pool);
	assert_int_equal(pool->space.max_chunks, 512);
	assert_int_not_equal(zs_malloc(pool, 100, 0), 0);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
}

/* Under a ulimit on address space, and when there are many: pools get smaller, and none is refused. */
static void under_rlimit_as(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (CHECK_TSAN || CHECK_ASAN)
		skip(); /* their shadows alone are larger */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (rlim_t gib = 64; gib > 0; gib /= 2) {
			const struct rlimit limit = { gib << 30, gib << 30 };
			struct zs_pool *pool;

			if (setrlimit(RLIMIT_AS, &limit) != 0)
				_exit(2);
			pool = zs_create_pool("ulimit");
			if (pool == NULL || zs_malloc(pool, 4096, 0) == 0)
				_exit(3);
			zs_destroy_pool(pool);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_thousand_pools(void **state)
{
	static struct zs_pool *pools[1000];

	(void)state;
	if (CHECK_TSAN || CHECK_ASAN)
		skip(); /* they keep address space for themselves */
	for (unsigned i = 0; i < 1000; i++) {
		pools[i] = zs_create_pool("one of many");
		assert_non_null(pools[i]);
		assert_int_not_equal(zs_malloc(pools[i], 4096, 0), 0);
	}
	for (unsigned i = 0; i < 1000; i++)
		zs_destroy_pool(pools[i]);
}

/* What was freed and is kept for reuse makes room for other sizes, without waiting for anybody. */
static void freed_memory_serves_at_the_limit(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	(void)state;
	for (o.page_size = 4096; o.page_size <= 65536; o.page_size *= 4) {
		zs_handle h[200];
		unsigned n = 0;

		o.limit_bytes = 64 * o.page_size + (512 << 10);
		struct zs_pool *pool = zs_create_pool_with("limit", &o);

		assert_non_null(pool);
		while ((h[n] = zs_malloc(pool, o.page_size, 0)) != 0)
			assert_true(++n < 200);
		assert_true(n > 32);
		for (unsigned i = 0; i < n; i++)
			zs_free(pool, h[i]);
		for (unsigned i = 0; i < n - 2; i++)
			assert_int_not_equal(zs_malloc(pool, o.page_size / 2 - 8, 0), 0);
		assert_int_equal(zs_pool_validate(pool), 0);
		zs_destroy_pool(pool);
	}
}

#define LIMITED 6000

static struct zs_pool *limited;
static zs_handle limited_objects[LIMITED];
static _Atomic int reader_holds, about_to_allocate;

static void *hold_for_a_while(void *arg)
{
	const void *mem = zs_obj_read_begin(limited, limited_objects[0], NULL);

	atomic_store(&reader_holds, 1);
	/*
	 * Until the compaction waits for this reader, and long enough for an allocation that would rather fail than
	 * wait.
	 */
	EVENTUALLY(atomic_load(&about_to_allocate) != 0);
	usleep(200000);
	zs_obj_read_end(limited, limited_objects[0], mem);
	return arg;
}

static void *compact_limited(void *arg)
{
	(void)zs_compact(limited);
	return arg;
}

/* At the limit, while another thread's compaction waits for a reader: an allocation waits for what that will free. */
static void limit_waits_for_the_compaction_under_way(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	pthread_t reader, compactor;
	unsigned n = 0;

	(void)state;
	o.limit_bytes = 4 << 20;
	limited = zs_create_pool_with("limited", &o);
	assert_non_null(limited);
	while (n < LIMITED && (limited_objects[n] = zs_malloc(limited, 1000, 0)) != 0)
		n++;
	assert_in_range(n, 1000, LIMITED - 1);
	for (unsigned i = 0; i < n; i++)
		if (i % 4 != 0)
			zs_free(limited, limited_objects[i]);
	/* Whatever is to be had without waiting is taken: one who reads can't wait for readers. */
	const void *mem = zs_obj_read_begin(limited, limited_objects[0], NULL);

	while (zs_malloc(limited, 3000, 0) != 0)
		;
	assert_int_equal(errno, ENOMEM);
	zs_obj_read_end(limited, limited_objects[0], mem);
	assert_true(zs_shrinker_count(limited) > 100);
	atomic_store(&reader_holds, 0);
	assert_int_equal(pthread_create(&reader, NULL, hold_for_a_while, NULL), 0);
	EVENTUALLY(atomic_load(&reader_holds) != 0);
	assert_int_equal(pthread_create(&compactor, NULL, compact_limited, NULL), 0);
	EVENTUALLY(atomic_load(&limited->compact_lock.word) != 0);
	usleep(20000);
	atomic_store(&about_to_allocate, 1);
	assert_int_not_equal(zs_malloc(limited, 3000, 0), 0);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_int_equal(pthread_join(compactor, NULL), 0);
	assert_int_equal(zs_pool_validate(limited), 0);
	zs_destroy_pool(limited);
}

/* A limit that changes: lower than what is held takes nothing away and lets nothing more in. */
static void limit_changes(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	struct zs_pool *pool = zs_create_pool("moving limit");
	static zs_handle h[2000];
	uint64_t held;
	unsigned n = 0;

	(void)state;
	assert_non_null(pool);
	for (n = 0; n < 1000; n++)
		assert_true((h[n] = zs_malloc(pool, 2000, 0)) != 0);
	held = zs_get_total_bytes(pool);
	zs_pool_stats(pool, &stats);
	assert_int_equal(stats.bytes_total, held);
	assert_int_equal(zs_set_limit(pool, held + 400000), 0);
	while (n < 2000 && (h[n] = zs_malloc(pool, 2000, 0)) != 0)
		n++;
	assert_true(n > 1150 && n < 1250);
	assert_int_equal(errno, ENOMEM);
	assert_true(zs_get_total_bytes(pool) <= held + 400000);
	assert_int_equal(zs_set_limit(pool, held / 2), 0);
	zs_pool_stats(pool, &stats);
	assert_int_equal(stats.limit_bytes, held / 2);
	assert_int_equal(zs_malloc(pool, 2000, 0), 0);
	assert_int_equal(zs_pool_validate(pool), 0);
	while (n > 100)
		zs_free(pool, h[--n]);
	(void)zs_compact(pool);
	assert_true(zs_malloc(pool, 2000, 0) != 0);
	assert_int_equal(zs_set_limit(pool, 0), 0);
	for (unsigned i = 0; i < 2000; i++)
		assert_true(zs_malloc(pool, 2000, 0) != 0);
	zs_destroy_pool(pool);
	o.flags = ZS_POOL_HUGEPAGE;
	pool = zs_create_pool_with("huge pages", &o);
	assert_non_null(pool);
	assert_int_equal(zs_set_limit(pool, 1 << 20), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(zs_set_limit(pool, 0), 0);
	zs_destroy_pool(pool);
}

/* One who reads can't wait for readers: it gets the pages behind the last objects of zspages, which nobody needs. */
static void reader_gets_what_needs_no_moving(void **state)
{
	static zs_handle a[2000];
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	unsigned n = 0, more = 0;

	(void)state;
	o.limit_bytes = 4 << 20;
	struct zs_pool *pool = zs_create_pool_with("reader", &o);

	assert_non_null(pool);
	while (n < 2000 && (a[n] = zs_malloc(pool, 3000, 0)) != 0)
		n++;
	assert_in_range(n, 1000, 1999);
	/* Of each zspage's slots, filled in order, the upper ones. */
	const struct zsi_size_class *sc = &pool->geometry.classes[zsi_position_for(pool, 3000)];

	for (unsigned i = 0; i < n; i++) {
		if (i % sc->objs >= 2) {
			zs_free(pool, a[i]);
			a[i] = 0;
		}
	}
	const void *mem = zs_obj_read_begin(pool, a[0], NULL);

	assert_non_null(mem);
	while (zs_malloc(pool, 1000, 0) != 0)
		more++;
	assert_int_equal(errno, ENOMEM);
	assert_true(more > 1500);
	zs_obj_read_end(pool, a[0], mem);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_out_of_range),
		cmocka_unit_test(tiny_limit),
		cmocka_unit_test(destroy_nothing),
		cmocka_unit_test(limit_changes),
		cmocka_unit_test(as_many_pools_as_documented),
		cmocka_unit_test(flags_reach_the_arena),
		cmocka_unit_test(numa_nodes),
		cmocka_unit_test(reader_gets_what_needs_no_moving),
		cmocka_unit_test(locked_pages),
		cmocka_unit_test(locking_refused),
		cmocka_unit_test(little_address_space),
		cmocka_unit_test(under_rlimit_as),
		cmocka_unit_test(a_thousand_pools),
		cmocka_unit_test(freed_memory_serves_at_the_limit),
		cmocka_unit_test(limit_waits_for_the_compaction_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
