/* SPDX-License-Identifier: BSD-3-Clause */
/* model_stats.c - the pool's numbers against the model's, and its printed statistics against its numbers. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json_check.h"
#include "model.h"

/* What is added up over the classes. */
struct totals {
	unsigned long zspages, allocated, used, pages, freeable;
	uint64_t requested;
};

static void check_class(struct model *m, const struct zs_class_info *c, unsigned next_request)
{
	unsigned long used = 0;
	uint64_t requested = 0;

	CHECK_MSG(c->min_request == next_request, "class %u starts at %u, not %u", c->index, c->min_request,
		  next_request);
	CHECK(c->max_request >= c->min_request && c->max_request <= c->size && c->size <= m->config.page_size);
	CHECK((uint64_t)c->objs_per_zspage * c->size <= c->pages_per_zspage * m->config.page_size);
	CHECK(zs_lookup_class_index(m->pool, c->min_request) == c->index);
	CHECK(zs_lookup_class_index(m->pool, c->max_request) == c->index);
	CHECK(c->obj_allocated == c->zspages * c->objs_per_zspage && c->obj_used <= c->obj_allocated);
	CHECK(c->pages_used <= c->zspages * c->pages_per_zspage && c->freeable_pages <= c->pages_used);
	/* The dense geometry gives pages to a zspage as it fills and lets small classes borrow slots of larger ones. */
	if (m->config.geometry != ZS_GEOMETRY_LINUX)
		return;
	CHECK(c->pages_used == c->zspages * c->pages_per_zspage);
	for (size_t i = 0; i < m->count; i++) {
		if (m->objects[i]->size >= c->min_request && m->objects[i]->size <= c->max_request) {
			used++;
			requested += m->objects[i]->size;
		}
	}
	CHECK_MSG(used == c->obj_used, "class %u: %lu used, should be %lu", c->index, c->obj_used, used);
	CHECK(requested == c->bytes_requested);
}

/* Walk the class table. Returns the sums. every: compare each class with the model, which is slow. */
static struct totals walk_classes(struct model *m, bool every)
{
	struct zs_class_info c = ZS_CLASS_INFO_INIT;
	struct totals t = { 0 };
	unsigned next = 1;

	for (unsigned index = 0; zs_get_class_info(m->pool, index, &c) == 0; index = c.index + 1) {
		if (every)
			check_class(m, &c, next);
		next = c.max_request + 1;
		t.zspages += c.zspages;
		t.allocated += c.obj_allocated;
		t.used += c.obj_used;
		t.pages += c.pages_used;
		t.freeable += c.freeable_pages;
		t.requested += c.bytes_requested;
	}
	CHECK(errno == ENOENT);
	CHECK(next == m->config.page_size + 1);
	return t;
}

void model_check_stats(struct model *m)
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;
	struct totals t = walk_classes(m, m->count < 4096);

	zs_pool_stats(m->pool, &s);
	CHECK(s.struct_size == sizeof(s));
	CHECK_MSG(s.obj_used == m->count, "%lu objects used, should be %zu", s.obj_used, m->count);
	CHECK_MSG(s.bytes_requested == m->bytes_requested, "%" PRIu64 " bytes requested, should be %" PRIu64,
		  s.bytes_requested, m->bytes_requested);
	CHECK(s.obj_used == t.used && s.obj_allocated == t.allocated && s.zspages == t.zspages);
	CHECK(s.pages_used == t.pages && s.bytes_requested == t.requested);
	CHECK(s.freeable_pages == t.freeable);
	CHECK(s.pages_used == zs_get_total_pages(m->pool));
	CHECK(s.freeable_pages == zs_shrinker_count(m->pool));
	/* An allocation that finds no memory compacts too, and does not say what it freed. */
	if (m->config.memory_is_short)
		m->pages_compacted = s.pages_compacted > m->pages_compacted ? s.pages_compacted : m->pages_compacted;
	CHECK_MSG(s.pages_compacted == m->pages_compacted, "%lu pages compacted, calls returned %" PRIu64,
		  s.pages_compacted, m->pages_compacted);
	CHECK(s.bytes_metadata > 0 && s.bytes_total >= s.bytes_metadata + s.pages_used * m->config.page_size);
	CHECK(s.bytes_requested <= s.pages_used * m->config.page_size);
	CHECK(s.limit_bytes == m->config.limit_bytes);
	CHECK(s.limit_bytes == 0 || s.bytes_total <= s.limit_bytes);
	if (m->source != NULL) {
		CHECK_MSG(test_source_outstanding(m->source) == s.pages_used,
			  "%zu pages taken from the source, %lu used", test_source_outstanding(m->source),
			  s.pages_used);
		CHECK(s.bytes_total == s.bytes_metadata + s.pages_used * m->config.page_size);
	}
}

/* The numbers in the Total line of a class table must be those of zs_pool_stats(). */
static void check_table(const struct zs_pool_stats *s, const char *text, bool legacy)
{
	const char *line = strstr(text, "Total");
	unsigned long n[16];
	int count = 0;
	char *end;

	CHECK(line != NULL && strstr(text, "class") != NULL);
	line += strlen("Total");
	while (count < 16) {
		unsigned long value = strtoul(line, &end, 10);

		if (end == line)
			break;
		n[count++] = value;
		line = end;
	}
	/* Fullness groups, allocated, used, pages, and freeable, which only the newer table has. */
	int groups = legacy ? 2 : 11;

	CHECK_MSG(count == groups + (legacy ? 3 : 4), "%d numbers in the Total line of:\n%s", count, text);
	CHECK(n[groups] == s->obj_allocated && n[groups + 1] == s->obj_used && n[groups + 2] == s->pages_used);
	CHECK(legacy || n[groups + 3] == s->freeable_pages);
	if (!legacy) {
		unsigned long zspages = 0;

		for (int i = 0; i < groups; i++)
			zspages += n[i];
		CHECK(zspages == s->zspages);
	}
}

/* Every line is a comment or a sample: name, labels, a space, a number. */
static void check_prometheus(const char *text)
{
	unsigned samples = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		CHECK(text[len] == '\n');
		if (*text != '#') {
			const char *space = memrchr(text, ' ', len);
			char *end;

			CHECK_MSG(space != NULL && strncmp(text, "zs", 2) == 0, "%.*s", (int)len, text);
			(void)strtod(space + 1, &end);
			CHECK_MSG(end == text + len, "%.*s", (int)len, text);
			samples++;
		}
		text += len + 1;
	}
	CHECK(samples > 0);
}

void model_check_print(struct model *m, enum zs_stats_format format)
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	CHECK(out != NULL);
	CHECK(zs_stats_print(m->pool, out, format) == 0);
	CHECK(fclose(out) == 0);
	zs_pool_stats(m->pool, &s);
	if (format == ZS_STATS_JSON)
		CHECK_MSG(json_valid(text), "not JSON: %s", text);
	else if (format == ZS_STATS_PROMETHEUS)
		check_prometheus(text);
	else
		check_table(&s, text, format == ZS_STATS_CLASSES_LEGACY);
	free(text);
}
