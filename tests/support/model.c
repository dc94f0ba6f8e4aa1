/* SPDX-License-Identifier: BSD-3-Clause */
/* model.c - making, comparing and ending a model; its operations are in model_step.c. */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static void on_misuse(const struct zs_misuse *misuse, void *arg)
{
	struct model *m = arg;

	CHECK(misuse->call != NULL && misuse->pool_name != NULL && misuse->message != NULL);
	CHECK(strstr(misuse->message, misuse->call) != NULL && strchr(misuse->message, '\n') == NULL);
	m->misuses++;
	m->last_misuse = misuse->reason;
}

static struct zs_pool *create_pool(struct model *m, uint64_t seed)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	struct zs_page_source source;
	static const enum test_source_kind kinds[] = {
		[MODEL_SCATTERED] = TEST_SOURCE_SCATTERED,
		[MODEL_ADJACENT] = TEST_SOURCE_ADJACENT,
		[MODEL_REVERSED] = TEST_SOURCE_REVERSED,
	};

	options.geometry = m->config.geometry;
	options.page_size = m->config.page_size;
	options.chain_size = m->config.chain_size;
	options.flags = m->config.flags;
	options.limit_bytes = m->config.limit_bytes;
	if (m->config.source != MODEL_ARENA) {
		m->source = test_source_create(m->config.page_size, m->config.max_pages, kinds[m->config.source], seed);
		source = test_source_callbacks(m->source);
		options.pages = &source;
	}
	struct zs_pool *pool = zs_create_pool_with("the \"model\"\\", &options);

	/* The struct is copied: what is left of it here must not matter. */
	memset(&source, 0, sizeof(source));
	return pool;
}

struct model *model_create(const struct model_config *config, struct chooser choose, uint64_t seed)
{
	struct model *m = calloc(1, sizeof(*m));

	CHECK(m != NULL);
	m->config = *config;
	m->choose = choose;
	m->objects = calloc(config->max_objects, sizeof(struct model_object *));
	m->scratch = malloc(2 * config->page_size);
	CHECK(m->objects != NULL && m->scratch != NULL);
	m->pool = create_pool(m, seed);
	m->other = zs_create_pool("other");
	CHECK(m->other != NULL);
	m->other_handle = zs_malloc(m->other, 100, 0);
	CHECK(m->other_handle != 0);
	zs_set_misuse_handler(on_misuse, m);
	if (m->pool == NULL) {
		int error = errno;

		model_destroy(m);
		errno = error;
		return NULL;
	}
	return m;
}

static bool is_writer_held(const struct model *m, const struct model_object *o)
{
	for (unsigned i = 0; i < m->nr_holds; i++)
		if (m->holds[i].object == o && m->holds[i].kind >= HOLD_MAP_RW)
			return true;
	return false;
}

void model_verify(struct model *m)
{
	size_t misuses = m->misuses;

	CHECK(zs_pool_validate(m->pool) == 0);
	model_check_stats(m);
	model_check_holds(m);
	/* What is written through a mapping may show only after the unmapping. */
	for (size_t i = 0; i < m->count; i++)
		if (!is_writer_held(m, m->objects[i]))
			model_compare_stored(m, m->objects[i]);
	CHECK(m->misuses == misuses);
}

void model_destroy(struct model *m)
{
	while (m->nr_holds > 0)
		model_release(m, m->nr_holds - 1);
	zs_destroy_pool(m->pool);
	zs_destroy_pool(m->other);
	zs_set_misuse_handler(NULL, NULL);
	if (m->source != NULL)
		test_source_destroy(m->source);
	for (size_t i = 0; i < m->count; i++) {
		free(m->objects[i]->shadow);
		free(m->objects[i]);
	}
	free(m->objects);
	free(m->scratch);
	free(m);
}
