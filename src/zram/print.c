/* SPDX-License-Identifier: BSD-3-Clause */
/* print.c - zram_stats_print(): all numbers of a device and its pool, by name. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/lock.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "zram/stats.h"

/*
 * A number by name: of JSON, the kernel's where it has one; and of Prometheus, where names end in their unit and
 * counters in _total.
 */
struct number {
	const char *name, *metric, *type, *help;
	size_t offset; /* in struct zsi_stats */
};

#define NUMBER(member, metric, type, help)                                      \
	{                                                                       \
#member, metric, type, help, offsetof(struct zsi_stats, member) \
	}

static const struct number numbers[] = {
	NUMBER(disksize, "size_bytes", "gauge", "Size of the device, 0 while it is not initialised"),
	NUMBER(block_size, "block_bytes", "gauge", "Size of a block"),
	NUMBER(orig_data_size, "orig_data_bytes", "gauge", "Data stored, before compression"),
	NUMBER(compr_data_size, "compr_data_bytes", "gauge", "Data stored, as it is stored"),
	NUMBER(mem_used_total, "mem_used_bytes", "gauge", "Pages for objects alone, as the kernel counts"),
	NUMBER(mem_limit, "mem_limit_bytes", "gauge", "Limit on all memory, 0 for none"),
	NUMBER(mem_used_max, "mem_used_max_bytes", "gauge", "The most mem_used was since it was set back"),
	NUMBER(memory_bytes, "memory_bytes", "gauge", "Everything the device holds, which is what the limit is on"),
	NUMBER(memory_max_bytes, "memory_max_bytes", "gauge", "The most memory was since mem_used_max was set back"),
	NUMBER(metadata_bytes, "metadata_bytes", "gauge", "Of memory, what is not pages for objects"),
	NUMBER(own_bytes, "own_bytes", "gauge", "Of metadata, beside the pool: table, contexts, dictionaries"),
	NUMBER(limit_hits, "limit_hits_total", "counter", "Times the limit refused memory"),
	NUMBER(blocks_stored, "blocks", "gauge", "Blocks stored"),
	NUMBER(same_pages, "same_blocks", "gauge", "Blocks of one machine word, which take no memory"),
	NUMBER(huge_pages, "huge_blocks", "gauge", "Blocks stored as they are"),
	NUMBER(huge_pages_since, "huge_blocks_total", "counter", "Blocks that were stored as they are"),
	NUMBER(pages_compacted, "pages_compacted_total", "counter", "Pages freed by compaction"),
	NUMBER(reads, "block_reads_total", "counter", "Blocks read, or parts of blocks"),
	NUMBER(writes, "block_writes_total", "counter", "Blocks written, or parts of blocks"),
	NUMBER(failed_reads, "failed_reads_total", "counter", "Requests to read that failed"),
	NUMBER(failed_writes, "failed_writes_total", "counter", "Requests to write that failed"),
	NUMBER(notify_free, "notify_free_total", "counter", "Blocks discarded or zeroed"),
	NUMBER(miss_free, "miss_free_total", "counter", "Discards that were passed over"),
	NUMBER(bad_checksums, "bad_checksums_total", "counter", "Reads that found a damaged block"),
	NUMBER(bd_count, "backed_blocks", "gauge", "Blocks in the backing file"),
	NUMBER(bd_reads, "backing_read_bytes_total", "counter", "Bytes read from the backing file"),
	NUMBER(bd_writes, "backing_written_bytes_total", "counter", "Bytes written to the backing file"),
	NUMBER(dictionaries, "dictionaries", "gauge", "Trained dictionaries in use"),
	NUMBER(dictionary_bytes, "dictionary_bytes", "gauge", "Memory of the trained dictionaries"),
	NUMBER(dictionary_blocks, "dictionary_blocks", "gauge", "Blocks that need one of them"),
	NUMBER(dictionary_trainings, "dictionary_trainings_total", "counter", "Trainings that came to an end"),
};

enum { NR_NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

static uint64_t value_of(const struct zsi_stats *s, const struct number *n)
{
	return *(const uint64_t *)(const void *)((const uint8_t *)s + n->offset);
}

/* For both JSON and Prometheus. Names have no control characters. */
static void print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_json(struct zram *z, const struct zsi_stats *s, FILE *out)
{
	fputs("{\"name\": ", out);
	print_quoted(out, z->name);
	fprintf(out, ", \"algorithms\": [");
	for (unsigned p = 0; p < ZSI_PRIORITIES; p++)
		if (s->algorithms[p] != NULL)
			fprintf(out, "%s{\"priority\": %u, \"name\": \"%s\"}", p > 0 ? ", " : "", p, s->algorithms[p]);
	fputc(']', out);
	for (unsigned i = 0; i < NR_NUMBERS; i++)
		fprintf(out, ", \"%s\": %" PRIu64, numbers[i].name, value_of(s, &numbers[i]));
}

static void print_prometheus(struct zram *z, const struct zsi_stats *s, FILE *out)
{
	for (unsigned i = 0; i < NR_NUMBERS; i++) {
		const struct number *n = &numbers[i];

		fprintf(out, "# HELP zram_%s %s\n# TYPE zram_%s %s\nzram_%s{device=", n->metric, n->help, n->metric,
			n->type, n->metric);
		print_quoted(out, z->name);
		fprintf(out, "} %" PRIu64 "\n", value_of(s, n));
	}
}

int zram_stats_print(struct zram *z, FILE *out, enum zram_stats_format format)
{
	struct zsi_stats s;
	int result = 0;

	if (format != ZRAM_STATS_JSON && format != ZRAM_STATS_PROMETHEUS)
		return zsi_fail(EINVAL, "%s: statistics are printed as ZRAM_STATS_JSON or ZRAM_STATS_PROMETHEUS",
				z->name);
	zsi_stats_read(z, &s);
	/* The pool can't go while its part is printed. */
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	if (format == ZRAM_STATS_JSON) {
		print_json(z, &s, out);
		fputs(z->pool != NULL ? ", \"pool\": " : ", \"pool\": null", out);
		if (z->pool != NULL)
			result = zs_stats_print(z->pool, out, ZS_STATS_JSON);
		fputs("}\n", out);
	} else {
		print_prometheus(z, &s, out);
		if (z->pool != NULL)
			result = zs_stats_print(z->pool, out, ZS_STATS_PROMETHEUS);
	}
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	if (result == 0 && fflush(out) == 0 && ferror(out) == 0)
		return 0;
	return zsi_fail(errno, "%s: statistics can't be written", z->name);
}
