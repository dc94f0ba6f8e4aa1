/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_source.h - a page source that is as nasty as a page source may be.
 *
 * Pages lie where `kind` says, hold garbage when they are handed out and a poison pattern once they are back, which is
 * checked when they are handed out again. Every page has a state, so that a page freed twice, a foreign address or a
 * page that is not aligned is noticed; so are two callbacks at once, which the pool promises not to make. The Nth
 * allocation, or all from the Nth on, can be made to fail.
 *
 * Beside the pool, a test takes and gives spare pages for zs_page_migrate(); one thread at a time does that.
 */
#ifndef TEST_SOURCE_H
#define TEST_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

enum test_source_kind {
	TEST_SOURCE_SCATTERED, /* no two pages are adjacent */
	TEST_SOURCE_ADJACENT,  /* each page follows the last one, until pages are reused */
	TEST_SOURCE_REVERSED,  /* each page precedes the last one: adjacent, but the wrong way round */
};

struct test_source;

/* max_pages: how many there are; alloc_page returns NULL when they are all taken. */
struct test_source *test_source_create(size_t page_size, size_t max_pages, enum test_source_kind kind, uint64_t seed);

/* Checks that every page came back. */
void test_source_destroy(struct test_source *s);

/* For zs_pool_options.pages. */
struct zs_page_source test_source_callbacks(struct test_source *s);

/* Pages that the pool has. */
size_t test_source_outstanding(struct test_source *s);

/* alloc_page calls so far, those that failed included. */
uint64_t test_source_calls(struct test_source *s);

/* Make the nth alloc_page from now fail (1: the next); 0: none. With `on`, all after it too. */
void test_source_fail_at(struct test_source *s, uint64_t nth, bool on);

/* Whether a failure that was ordered has happened since it was ordered. */
bool test_source_failed(struct test_source *s);

/* A page that the pool has, chosen by random; NULL where it has none. */
void *test_source_pick(struct test_source *s, uint64_t random);

/* Whether the pool has that page of the source's now. */
bool test_source_has(struct test_source *s, const void *page);

/* A page that the pool does not have, for zs_page_migrate(); NULL where all are taken. */
void *test_source_take(struct test_source *s);

/* Back from test_source_take(). */
void test_source_give(struct test_source *s, void *page);

/* zs_page_migrate() succeeded: new_page is the pool's, old_page goes back to the free ones. */
void test_source_migrated(struct test_source *s, void *new_page, void *old_page);

#endif
