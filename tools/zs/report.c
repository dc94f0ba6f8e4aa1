/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c - what was packed, as text and as JSON. */
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "json.h"
#include "message.h"
#include "units.h"

static uint64_t stored_pages(const struct packer *packer)
{
	return packer->same_filled + packer->incompressible + packer->compressed;
}

static uint64_t input_bytes(const struct packer *packer)
{
	return stored_pages(packer) * packer->set->page_size;
}

/* NaN where there is nothing to divide by: shown as "-", in JSON as null. */
static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : (double)NAN;
}

/* Megabytes, of a million, a second. */
static double speed(uint64_t bytes, uint64_t ns)
{
	return ratio(bytes * 1000, ns);
}

static struct text format_real(double value, int digits, const char *unit)
{
	struct text out;
	if (isfinite(value))
		snprintf(out.s, sizeof(out.s), "%.*f%s", digits, value, unit);
	else
		snprintf(out.s, sizeof(out.s), "-");
	return out;
}

/* One line: what, how much, and what it means where that isn't plain. */
static void put_row(const char *label, const char *value, const char *note)
{
	if (*note)
		printf("  %-20s %14s   %s\n", label, value, note);
	else
		printf("  %-20s %14s\n", label, value);
}

static void put_pages(const char *label, uint64_t pages, uint64_t all, const char *note)
{
	char text[120];
	snprintf(text, sizeof(text), "%6s  %s", format_real(100 * ratio(pages, all), 1, " %").s, note);
	put_row(label, format_count(pages).s, text);
}

static void print_pages(const struct report *r)
{
	const struct packer *packer = r->packer;
	uint64_t pages = stored_pages(packer);
	printf("Pages of %zu bytes\n", packer->set->page_size);
	put_row("all", format_count(pages).s, "");
	put_pages("same-filled", packer->same_filled, pages, "one word repeated: nothing is stored");
	put_pages("incompressible", packer->incompressible, pages, "stored as they are");
	put_pages("compressed", packer->compressed, pages, "stored in their compressed size");
	if (r->given_back)
		put_row("given back", format_count(r->given_back).s,
			"by the process before they were read; not in the above");
}

static void print_memory(const struct report *r)
{
	const struct packer *packer = r->packer;
	char note[120];
	printf("Memory\n");
	put_row("input", format_bytes(input_bytes(packer)).s, "");
	put_row("compressed bytes", format_bytes(packer->compressed_bytes).s,
		"what is stored; incompressible pages in full");
	snprintf(note, sizeof(note), "without the table; %s of it are metadata", format_bytes(r->metadata_bytes).s);
	put_row("pool holds", format_bytes(r->held_bytes).s, note);
	if (packer->compressed_bytes)
		snprintf(note, sizeof(note), "compressed bytes / pool holds: %.4f bytes held for each stored",
			 ratio(r->held_bytes, packer->compressed_bytes));
	else
		snprintf(note, sizeof(note), "compressed bytes / pool holds");
	put_row("density", format_real(100 * ratio(packer->compressed_bytes, r->held_bytes), 2, " %").s, note);
	put_row("compression ratio", format_real(ratio(input_bytes(packer), r->held_bytes), 3, "").s,
		"input / pool holds");
}

static void print_kernel(const struct report *r)
{
	const struct kernel_view *kernel = &r->kernel;
	char note[120];
	printf("The kernel's zram, same pages\n");
	put_row("compressed bytes", format_bytes(kernel->compressed_bytes).s, "compr_data_size");
	put_row("incompressible", format_count(kernel->incompressible).s, "pages");
	snprintf(note, sizeof(note), "mem_used_total, with chain size %d", KERNEL_CHAIN_SIZE);
	put_row("zram holds", format_bytes(kernel->held_bytes).s, note);
	snprintf(note, sizeof(note), "not in that: zram's table, %d bytes a page, as here", KERNEL_ENTRY_BYTES);
	put_row("table", format_bytes(kernel->table_bytes).s, note);
	double ours = ratio(r->held_bytes, kernel->held_bytes);
	snprintf(note, sizeof(note), "this pool takes %s %s", format_real(100 * fabs(1 - ours), 2, " %").s,
		 ours <= 1 ? "less" : "more");
	put_row("pool / zram", format_real(ours, 4, "").s, isfinite(ours) ? note : "");
}

static void print_speed(const struct report *r)
{
	const struct packer *packer = r->packer;
	uint64_t bytes = input_bytes(packer);
	printf("Speed, %s\n", format_plural(packer->threads, "thread", "threads").s);
	put_row("store", format_real(speed(bytes, packer->store_ns), 1, " MB/s").s, "compress and store");
	put_row("read", format_real(speed(bytes, packer->read_ns), 1, " MB/s").s, "read back and decompress");
}

static void print_check(const struct packer *packer)
{
	bool by_hash = false, by_byte = false;
	for (size_t i = 0; i < packer->set->input_count; i++) {
		by_hash |= packer->set->inputs[i].kind == INPUT_PROCESS;
		by_byte |= packer->set->inputs[i].kind == INPUT_FILE;
	}
	printf("Check\n");
	put_row("intact", format_count(packer->intact).s,
		by_hash && by_byte ? "pages read back and compared, files byte for byte, memory by hash"
		: by_hash          ? "pages read back and compared by a 64-bit hash, as live memory changes"
				   : "pages read back and compared byte for byte");
	put_row("broken", format_count(packer->broken).s, "");
}

void report_print(const struct report *r)
{
	printf("%s, %s geometry with zspages of up to %s\n", r->algorithm,
	       geometry_name(r->settings->geometry), format_plural(r->longest_zspage, "page", "pages").s);
	print_pages(r);
	print_memory(r);
	print_kernel(r);
	print_speed(r);
	print_check(r->packer);
}

static void json_memory(struct json *j, const struct report *r)
{
	const struct packer *packer = r->packer;
	uint64_t bytes = input_bytes(packer);
	json_uint(j, "pages", stored_pages(packer));
	json_uint(j, "same_filled_pages", packer->same_filled);
	json_uint(j, "incompressible_pages", packer->incompressible);
	json_uint(j, "compressed_pages", packer->compressed);
	json_uint(j, "lost_pages", packer->lost);
	json_uint(j, "padded_pages", page_set_padded(packer->set));
	json_uint(j, "input_bytes", bytes);
	json_uint(j, "compressed_bytes", packer->compressed_bytes);
	json_uint(j, "held_bytes", r->held_bytes);
	json_uint(j, "metadata_bytes", r->metadata_bytes);
	json_real(j, "density", ratio(packer->compressed_bytes, r->held_bytes));
	json_real(j, "held_per_compressed_byte", ratio(r->held_bytes, packer->compressed_bytes));
	json_real(j, "compression_ratio", ratio(bytes, r->held_bytes));
	json_uint(j, "store_ns", packer->store_ns);
	json_uint(j, "read_ns", packer->read_ns);
	json_real(j, "store_mb_per_s", speed(bytes, packer->store_ns));
	json_real(j, "read_mb_per_s", speed(bytes, packer->read_ns));
	json_uint(j, "intact_pages", packer->intact);
	json_uint(j, "broken_pages", packer->broken);
}

void report_json(const struct report *r)
{
	struct json j = JSON_INIT(stdout);
	json_begin_object(&j, NULL);
	json_string(&j, "geometry", geometry_name(r->settings->geometry));
	json_string(&j, "algorithm", r->algorithm);
	json_uint(&j, "page_size", r->settings->page_size);
	json_uint(&j, "longest_zspage", r->longest_zspage);
	json_uint(&j, "threads", r->packer->threads);
	json_uint(&j, "inputs", r->packer->set->input_count);
	json_memory(&j, r);
	json_begin_object(&j, "kernel");
	json_uint(&j, "chain_size", KERNEL_CHAIN_SIZE);
	json_uint(&j, "huge_pages", r->kernel.incompressible);
	json_uint(&j, "compr_data_size", r->kernel.compressed_bytes);
	json_uint(&j, "mem_used_total", r->kernel.held_bytes);
	json_uint(&j, "table_bytes", r->kernel.table_bytes);
	json_real(&j, "pool_to_zram", ratio(r->held_bytes, r->kernel.held_bytes));
	json_end_object(&j);
	json_begin_array(&j, "problems");
	for (size_t i = 0; i < message_problem_lines(); i++)
		json_string(&j, NULL, message_problem_text(i));
	json_end_array(&j);
	json_end_object(&j);
}
