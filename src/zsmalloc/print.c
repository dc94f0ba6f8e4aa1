/* SPDX-License-Identifier: BSD-3-Clause */
/* print.c - the four renderings of zs_stats_print(). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "pool/class_stats.h"
#include "pool/geometry.h"
#include "pool/pool.h"

/* --- the kernel's tables, column for column --- */

static void print_classes(struct zs_pool *pool, FILE *out)
{
	static const char *const groups[] = { "10%", "20%", "30%", "40%", "50%", "60%",
					      "70%", "80%", "90%", "99%", "100%" };
	struct zsi_class_stats total = { 0 };

	fprintf(out, " %5s %5s", "class", "size");
	for (unsigned g = 0; g < ZSI_GROUPS - 1; g++)
		fprintf(out, " %9s", groups[g]);
	fprintf(out, " %13s %10s %10s %16s %8s\n", "obj_allocated", "obj_used", "pages_used", "pages_per_zspage",
		"freeable");
	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		const struct zsi_size_class *sc = &pool->geometry.classes[i];
		struct zsi_class_stats s;

		zsi_class_stats(pool, i, &s);
		fprintf(out, " %5u %5u ", sc->index, sc->size);
		for (unsigned g = 0; g < ZSI_GROUPS - 1; g++) {
			fprintf(out, "%9" PRIu32 " ", s.by_group[g]);
			total.by_group[g] += s.by_group[g];
		}
		fprintf(out, "%13lu %10lu %10lu %16u %8lu\n", s.allocated, s.used, s.pages, sc->pages, s.freeable);
		total.allocated += s.allocated;
		total.used += s.used;
		total.pages += s.pages;
		total.freeable += s.freeable;
	}
	fprintf(out, "\n %5s %5s ", "Total", "");
	for (unsigned g = 0; g < ZSI_GROUPS - 1; g++)
		fprintf(out, "%9" PRIu32 " ", total.by_group[g]);
	fprintf(out, "%13lu %10lu %10lu %16s %8lu\n", total.allocated, total.used, total.pages, "", total.freeable);
}

static void print_legacy(struct zs_pool *pool, FILE *out)
{
	struct zsi_class_stats total = { 0 };

	fprintf(out, " %5s %5s %11s %12s %13s %10s %10s %16s\n", "class", "size", "almost_full", "almost_empty",
		"obj_allocated", "obj_used", "pages_used", "pages_per_zspage");
	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		const struct zsi_size_class *sc = &pool->geometry.classes[i];
		struct zsi_class_stats s;

		zsi_class_stats_walk(pool, i, &s);
		fprintf(out, " %5u %5u %11lu %12lu %13lu %10lu %10lu %16u\n", sc->index, sc->size, s.almost_full,
			s.almost_empty, s.allocated, s.used, s.pages, sc->pages);
		total.almost_full += s.almost_full;
		total.almost_empty += s.almost_empty;
		total.allocated += s.allocated;
		total.used += s.used;
		total.pages += s.pages;
	}
	fprintf(out, "\n %5s %5s %11lu %12lu %13lu %10lu %10lu\n", "Total", "", total.almost_full, total.almost_empty,
		total.allocated, total.used, total.pages);
}

/* --- the pool's numbers by name, for both machine-readable forms --- */

struct number {
	const char *name;   /* of JSON, as in struct zs_pool_stats */
	const char *metric; /* of Prometheus, where a name ends in its unit and only counters in _total */
	const char *type;
	const char *help;
	uint64_t value;
};

#define NUMBERS 17

static void collect(struct zs_pool *pool, struct number n[NUMBERS])
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;
	unsigned i = 0;

	zs_pool_stats(pool, &s);
#define ADD(field, metric, type, text) n[i++] = (struct number){ #field, metric, type, text, s.field }
	ADD(bytes_requested, "requested_bytes", "gauge", "Sizes of the live objects as asked for");
	ADD(bytes_total, "held_bytes", "gauge", "Everything the pool holds, metadata included");
	ADD(bytes_metadata, "metadata_bytes", "gauge", "Descriptors, slot words, handle table");
	ADD(limit_bytes, "limit_bytes", "gauge", "Hard limit, 0 for none");
	ADD(pages_used, "pages", "gauge", "Pages held for objects");
	ADD(freeable_pages, "freeable_pages", "gauge", "Pages compaction could free");
	ADD(pages_compacted, "pages_compacted_total", "counter", "Pages freed by compaction");
	ADD(zspages, "zspages", "gauge", "Zspages");
	ADD(obj_allocated, "slots", "gauge", "Slots in all zspages");
	ADD(obj_used, "objects", "gauge", "Live objects");
	ADD(objs_moved, "objects_moved_total", "counter", "Objects moved by compaction");
	ADD(limit_hits, "limit_hits_total", "counter", "Times the limit refused memory");
	ADD(limit_refusals, "limit_refusals_total", "counter", "Allocations that failed because of the limit");
	ADD(other_refusals, "other_refusals_total", "counter", "Allocations that failed for want of memory");
	ADD(pressure_events, "pressure_events_total", "counter", "Reports of memory pressure");
	ADD(shrinker_runs, "shrinker_runs_total", "counter", "Slices of compaction in the background");
	ADD(pressure_armed, "pressure_armed", "gauge", "Whether memory pressure is reported to the pool");
#undef ADD
}

/* Quoted, for both JSON and Prometheus. Names have no control characters. */
static void print_quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
	fputc('"', out);
}

/* --- JSON --- */

static void print_json(struct zs_pool *pool, FILE *out)
{
	const struct zsi_geometry *g = &pool->geometry;
	struct number n[NUMBERS];

	collect(pool, n);
	fputs("{\"name\": ", out);
	print_quoted(out, pool->name);
	fprintf(out,
		", \"geometry\": \"%s\", \"page_size\": %" PRIu32 ", \"chain_size\": %" PRIu32
		", \"huge_class_size\": %" PRIu32,
		g->kind == ZS_GEOMETRY_LINUX ? "linux" : "dense", g->page_size, g->chain_size, g->huge_class_size);
	for (unsigned i = 0; i < NUMBERS; i++)
		fprintf(out, ", \"%s\": %" PRIu64, n[i].name, n[i].value);
	fputs(", \"classes\": [", out);
	for (unsigned i = 0; i < g->nr_classes; i++) {
		const struct zsi_size_class *sc = &g->classes[i];
		struct zsi_class_stats s;

		zsi_class_stats(pool, i, &s);
		fprintf(out,
			"%s\n  {\"class\": %u, \"size\": %" PRIu32 ", \"pages_per_zspage\": %u, "
			"\"objs_per_zspage\": %u, \"zspages\": %lu, \"obj_allocated\": %lu, \"obj_used\": %lu, "
			"\"pages_used\": %lu, \"freeable\": %lu, \"bytes_requested\": %" PRIu64 ", \"fullness\": [",
			i == 0 ? "" : ",", sc->index, sc->size, sc->pages, sc->objs, s.zspages, s.allocated, s.used,
			s.pages, s.freeable, s.requested);
		for (unsigned group = 0; group < ZSI_GROUPS - 1; group++)
			fprintf(out, "%s%" PRIu32, group == 0 ? "" : ", ", s.by_group[group]);
		fputs("]}", out);
	}
	fputs("\n]}\n", out);
}

/* --- Prometheus --- */

static void print_label(FILE *out, const char *pool_name)
{
	fputs("{pool=", out);
	print_quoted(out, pool_name);
}

static void print_prometheus(struct zs_pool *pool, FILE *out)
{
	static const char *const by_class[] = { "class_objects", "class_slots", "class_pages" };
	static const char *const help[] = { "Live objects of a size class", "Slots of a size class",
					    "Pages of a size class" };
	struct number n[NUMBERS];

	collect(pool, n);
	for (unsigned i = 0; i < NUMBERS; i++) {
		fprintf(out, "# HELP zsmalloc_%s %s\n# TYPE zsmalloc_%s %s\nzsmalloc_%s", n[i].metric, n[i].help,
			n[i].metric, n[i].type, n[i].metric);
		print_label(out, pool->name);
		fprintf(out, "} %" PRIu64 "\n", n[i].value);
	}
	for (unsigned k = 0; k < 3; k++) {
		fprintf(out, "# HELP zsmalloc_%s %s\n# TYPE zsmalloc_%s gauge\n", by_class[k], help[k], by_class[k]);
		for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
			struct zsi_class_stats s;

			zsi_class_stats(pool, i, &s);
			if (s.zspages == 0)
				continue;
			fprintf(out, "zsmalloc_%s", by_class[k]);
			print_label(out, pool->name);
			fprintf(out, ",size=\"%" PRIu32 "\"} %lu\n", pool->geometry.classes[i].size,
				k == 0   ? s.used
				: k == 1 ? s.allocated
					 : s.pages);
		}
	}
}

int zs_stats_print(struct zs_pool *pool, FILE *out, enum zs_stats_format format)
{
	switch (format) {
	case ZS_STATS_CLASSES:
		print_classes(pool, out);
		break;
	case ZS_STATS_CLASSES_LEGACY:
		print_legacy(pool, out);
		break;
	case ZS_STATS_JSON:
		print_json(pool, out);
		break;
	case ZS_STATS_PROMETHEUS:
		print_prometheus(pool, out);
		break;
	default:
		errno = EINVAL;
		return -1;
	}
	return fflush(out) != 0 || ferror(out) ? -1 : 0;
}
