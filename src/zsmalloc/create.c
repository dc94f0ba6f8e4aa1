/* SPDX-License-Identifier: BSD-3-Clause */
/* create.c - a pool is made of what its options say, in one mapping, and unmade. */
#include <errno.h>
#include <string.h>

#include "base/account.h"
#include "base/bits.h"
#include "base/os.h"
#include "base/versioned.h"
#include "pages/layout.h"
#include "pages/meta.h"
#include "pages/space.h"
#include "pages/words.h"
#include "pool/cache.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/registry.h"
#include "pool/reserve.h"
#include "pool/zspage.h"
#include "zsmalloc/fork.h"

#define MAX_META_BYTES ((uint64_t)64 << 30) /* what 32-bit references in units of 16 bytes reach */

#define KNOWN_FLAGS (ZS_POOL_NO_THREAD_CACHE | ZS_POOL_NO_HUGEPAGE | ZS_POOL_MLOCK | ZS_POOL_HUGEPAGE)

/* Options as they will be used: defaults in place, the page source copied. */
struct settings {
	struct zs_pool_options o;
	struct zs_page_source source;
	bool has_source;
};

static struct zsi_reserve reserve_of(const struct settings *s)
{
	return (struct zsi_reserve){
		.page_size = s->o.page_size,
		.limit_bytes = s->o.limit_bytes,
		.source = s->has_source,
	};
}

static bool read_options(struct settings *s, const struct zs_pool_options *options)
{
	memset(s, 0, sizeof(*s));
	if (options != NULL && !zsi_copy_versioned(&s->o, sizeof(s->o), options, sizeof(size_t)))
		return false;
	if (s->o.page_size == 0)
		s->o.page_size = ZSI_MIN_PAGE_SIZE;
	if (s->o.chain_size == 0)
		s->o.chain_size = zsi_geometry_default_chain_size(s->o.geometry);
	if ((s->o.flags & ~KNOWN_FLAGS) != 0 ||
	    (s->o.flags & (ZS_POOL_HUGEPAGE | ZS_POOL_NO_HUGEPAGE)) == (ZS_POOL_HUGEPAGE | ZS_POOL_NO_HUGEPAGE))
		return false;
	/* A huge page is there whole when a byte of it is touched: no limit could hold. */
	if ((s->o.flags & ZS_POOL_HUGEPAGE) != 0 && s->o.limit_bytes != 0)
		return false;
	if (s->o.pages != NULL) {
		if (!zsi_copy_versioned(&s->source, sizeof(s->source), s->o.pages, sizeof(s->source)))
			return false;
		if (s->source.alloc_page == NULL || s->source.free_page == NULL)
			return false;
		/* How its pages are held in memory is the caller's business. */
		if ((s->o.flags & (ZS_POOL_MLOCK | ZS_POOL_HUGEPAGE)) != 0 || s->o.numa_nodes != 0)
			return false;
		s->has_source = true;
	}
	if (!zsi_geometry_options_valid(s->o.geometry, s->o.page_size, s->o.chain_size))
		return false;
	struct zsi_reserve r = reserve_of(s);

	return s->o.reserve_bytes == 0 || zsi_reserve_space_in(&r, s->o.reserve_bytes) != 0;
}

static unsigned hints_for(unsigned flags)
{
	unsigned hints = (flags & ZS_POOL_HUGEPAGE) != 0 ? ZSI_OS_HUGEPAGE : ZSI_OS_NO_HUGEPAGE;

	return (flags & ZS_POOL_MLOCK) != 0 ? hints | ZSI_OS_MLOCK : hints;
}

/* The pool's own mapping: the struct, without the unused end of its geometry, then the classes and the lookup table. */
struct layout {
	size_t classes, lookup, bytes; /* offsets */
};

static struct layout layout_of(const struct zsi_geometry *g)
{
	struct layout l;

	l.classes = zsi_round_up(offsetof(struct zs_pool, geometry.classes) + g->nr_classes * sizeof(g->classes[0]),
				 ZSI_CACHE_LINE);
	l.lookup = l.classes + g->nr_classes * sizeof(struct zsi_class);
	l.bytes = zsi_round_up(l.lookup + zsi_lookup_entries(g) * sizeof(uint16_t), zsi_os_page_bytes());
	return l;
}

/* Everything but the cookie. NULL with errno and nothing to undo. */
static struct zs_pool *map_pool(const struct zsi_geometry *g, const struct settings *s)
{
	struct layout l = layout_of(g);
	struct zs_pool *pool = zsi_os.reserve(l.bytes, 1);

	if (pool == NULL)
		return NULL;
	if (zsi_os.commit(pool, l.bytes, ZSI_OS_NO_HUGEPAGE) != 0) {
		zsi_os.release(pool, l.bytes);
		errno = ENOMEM;
		return NULL;
	}
	memcpy(&pool->geometry, g, offsetof(struct zsi_geometry, classes) + g->nr_classes * sizeof(g->classes[0]));
	pool->self_bytes = l.bytes;
	pool->page_size = g->page_size;
	pool->classes = (struct zsi_class *)(void *)((uint8_t *)pool + l.classes);
	pool->lookup = (uint16_t *)(void *)((uint8_t *)pool + l.lookup);
	zsi_geometry_lookup(g, pool->lookup);
	zsi_account_set_limit(&pool->account, s->o.limit_bytes);
	pool->flags = s->o.flags;
	pool->lazy_pages = g->kind == ZS_GEOMETRY_DENSE;
	/* The kernel has none, and what a cache holds would show in the pages. */
	pool->cached = g->kind == ZS_GEOMETRY_DENSE && (s->o.flags & ZS_POOL_NO_THREAD_CACHE) == 0;
	pool->compact_cursor = g->nr_classes - 1;
	if (zsi_charge_metadata(&pool->account, l.bytes) != 0) {
		zsi_os.release(pool, l.bytes);
		errno = ENOMEM;
		return NULL;
	}
	return pool;
}

static int init_parts(struct zs_pool *pool, const struct settings *s, uint64_t space_bytes)
{
	struct zsi_page_callbacks callbacks = { s->source.alloc_page, s->source.free_page, s->source.ctx };
	struct zsi_space_options so = {
		.page_size = s->o.page_size,
		.record_bytes = sizeof(struct zsi_zspage),
		.space_bytes = space_bytes,
		.source = s->has_source ? &callbacks : NULL,
		.numa_nodes = s->o.numa_nodes,
		.hints = hints_for(s->o.flags),
	};

	uint64_t meta_bytes = zsi_min(space_bytes / ZSI_SPACE_PER_META, MAX_META_BYTES);

	if (zsi_meta_init(&pool->meta, &pool->account, meta_bytes) != 0)
		return -1;
	if (zsi_words_init(&pool->words, &pool->account, meta_bytes) != 0)
		goto fail_meta;
	if (zsi_space_init(&pool->space, &pool->meta, &pool->account, &so) != 0)
		goto fail_words;
	if (zsi_handles_init(&pool->handles, &pool->account, pool->cookie, space_bytes / ZSI_SPACE_PER_HANDLE,
			     pool->geometry.widest_class > ZSI_SLACK_MAX) == 0) {
		if (pool->lazy_pages)
			pool->most_slack = pool->handles.sizes != NULL ? UINT32_MAX : ZSI_SLACK_MAX;
		pool->handles.flat = pool->space.base != NULL;
		pool->handles.light = pool->handles.flat && zsi_rcu_readers_are_light();
		return 0;
	}
	zsi_space_fini(&pool->space);
fail_words:
	zsi_words_fini(&pool->words);
fail_meta:
	zsi_meta_fini(&pool->meta);
	return -1;
}

/*
 * With what the caller wants to have reserved; or else with as much address space as there is, where more is refused.
 */
static int init_parts_somehow(struct zs_pool *pool, const struct settings *s, uint32_t others)
{
	struct zsi_reserve r = reserve_of(s);
	uint64_t least = zsi_reserve_least_space(&r);

	if (s->o.reserve_bytes != 0)
		return init_parts(pool, s, zsi_reserve_space_in(&r, s->o.reserve_bytes));
	for (uint64_t bytes = zsi_reserve_default_space(&r, others);;
	     bytes = zsi_max(bytes / 2 / least * least, least)) {
		errno = ENOMEM;
		if (init_parts(pool, s, bytes) == 0)
			return 0;
		/* Nodes that are not there are not there for less, either. */
		if (errno == EINVAL || errno == ENOSYS || bytes == least)
			return -1;
	}
}

/* Bytes of the character at s, by the form of UTF-8; 0 where it has none or is a control character. */
static size_t character_bytes(const char *s)
{
	unsigned char lead = (unsigned char)s[0];
	size_t bytes = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;

	if (lead < 0x20 || lead == 0x7f)
		return 0;
	for (size_t i = 1; i < bytes; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	return bytes;
}

/* As many whole characters of the name as fit, '?' for what is none: it will stand in messages and in JSON. */
static void copy_name(char *to, const char *name)
{
	size_t len = 0;

	while (*name != '\0') {
		size_t bytes = character_bytes(name);
		size_t step = bytes != 0 ? bytes : 1;

		if (len + step >= ZSI_NAME_BYTES)
			break;
		if (bytes != 0)
			memcpy(to + len, name, bytes);
		else
			to[len] = '?';
		len += step;
		name += step;
	}
	to[len] = '\0';
}

struct zs_pool *zs_create_pool_with(const char *name, const struct zs_pool_options *options)
{
	struct zsi_geometry g;
	struct settings s;
	struct zs_pool *pool;
	uint32_t others;
	int error = zsi_fork_handlers();

	if (error != 0) {
		errno = error;
		return NULL;
	}
	if (!read_options(&s, options)) {
		errno = EINVAL;
		return NULL;
	}
	zsi_geometry_build(&g, s.o.geometry, s.o.page_size, s.o.chain_size);
	pool = map_pool(&g, &s);
	if (pool == NULL)
		return NULL;
	copy_name(pool->name, name != NULL ? name : "zsmalloc");
	if (zsi_registry_cookie(&pool->cookie, &others) != 0) {
		zsi_os.release(pool, pool->self_bytes);
		errno = EMFILE;
		return NULL;
	}
	if (init_parts_somehow(pool, &s, others) != 0) {
		error = errno;
		zsi_registry_cookie_release(pool->cookie);
		zsi_os.release(pool, pool->self_bytes);
		errno = error;
		return NULL;
	}
	zsi_registry_add(pool);
	return pool;
}

uint64_t zs_least_reserve(const struct zs_pool_options *options)
{
	struct zs_pool_options any = ZS_POOL_OPTIONS_INIT;
	struct settings s;

	/* That it has too little must not be what is wrong with them. */
	if (options != NULL && zsi_copy_versioned(&any, sizeof(any), options, sizeof(size_t)))
		any.struct_size = sizeof(any);
	else if (options != NULL)
		any.struct_size = 0;
	any.reserve_bytes = 0;
	if (!read_options(&s, &any)) {
		errno = EINVAL;
		return 0;
	}
	struct zsi_reserve r = reserve_of(&s);

	return zsi_reserve_bytes(&r, zsi_reserve_least_space(&r));
}

struct zs_pool *zs_create_pool(const char *name)
{
	return zs_create_pool_with(name, NULL);
}

void zs_destroy_pool(struct zs_pool *pool)
{
	if (pool == NULL)
		return;
	zs_unregister_shrinker(pool);
	zsi_registry_remove(pool);
	zsi_caches_detach(pool);
	zsi_handles_fini(&pool->handles);
	zsi_space_fini(&pool->space);
	zsi_words_fini(&pool->words);
	zsi_meta_fini(&pool->meta);
	zsi_registry_cookie_release(pool->cookie);
	zsi_os.release(pool, pool->self_bytes);
}
