/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_json.c - the results for programs, as one object. */
#include "advise_json.h"

#include <stdio.h>

#include "advice.h"
#include "advise_choose.h"
#include "advise_figures.h"
#include "advise_paste.h"
#include "advise_recompress.h"
#include "json.h"
#include "message.h"

/* No level where the algorithm has none; zstd has negative ones, which json_uint() can not say. */
static void put_candidate_fields(struct json *j, const struct advice *advice, const struct candidate *c)
{
	json_string(j, "algorithm", c->algorithm->name);
	if (c->algorithm->levels != NULL)
		json_real(j, "level", c->level);
	json_uint(j, "block_size", block_bytes(c));
	json_uint(j, "dictionary_bytes", c->dictionary ? advice->dictionary.size : 0);
}

static void put_sample(struct json *j, const struct advice *advice)
{
	json_uint(j, "inputs", advice->inputs);
	json_uint(j, "input_bytes", advice->sample.input_pages * SAMPLE_PAGE);
	json_uint(j, "sample_bytes", advice->pages * SAMPLE_PAGE);
	json_uint(j, "sample_pieces", advice->sample.pieces);
	json_uint(j, "sampled", !advice->sample.whole);
	json_uint(j, "survey_bytes", (uint64_t)advice->survey_pages * SAMPLE_PAGE);
	json_uint(j, "dictionary_bytes", advice->dictionary.size);
	json_uint(j, "cut_streams", advice->cut_streams);
	json_uint(j, "padded_pages", advice->padded);
	json_uint(j, "given_back_pages", advice->given_back);
	json_string(j, "goal", goal_name(advice->settings.goal));
	json_string(j, "access", advice->settings.sequential ? "sequential" : "random");
	json_uint(j, "idle_percent", advice->settings.idle_percent);
	json_uint(j, "reads_per_write", advice->settings.reads);
	json_uint(j, "threads", advice->settings.threads);
}

static void put_kernel(struct json *j, const struct prediction *p)
{
	json_begin_object(j, "kernel");
	json_uint(j, "exact", p->exact);
	json_uint(j, "page_size", block_bytes(p->what));
	json_uint(j, "chain_size", KERNEL_CHAIN);
	json_uint(j, "orig_data_size", p->blocks * block_bytes(p->what));
	json_uint(j, "compr_data_size", p->compressed_bytes);
	json_uint(j, "mem_used_total", p->held_bytes);
	json_uint(j, "same_pages", p->same_filled);
	json_uint(j, "huge_pages", p->huge);
	json_string(j, "mm_stat", mm_stat_line(p).s);
	json_uint(j, "table_bytes", p->blocks * TABLE_ENTRY_BYTES);
	json_real(j, "ratio", prediction_ratio(p, true));
	json_real(j, "large_pool_ratio", large_pool_ratio(p, true));
	json_end_object(j);
}

static void put_library(struct json *j, const struct prediction *p)
{
	json_begin_object(j, "libzram");
	json_uint(j, "compressed_bytes", p->dense_compressed_bytes);
	json_uint(j, "same_filled_blocks", p->same_filled);
	json_uint(j, "huge_blocks", p->dense_huge);
	json_uint(j, "held_bytes", p->dense_held_bytes);
	json_uint(j, "metadata_bytes", p->dense_metadata_bytes);
	json_uint(j, "table_bytes", p->blocks * TABLE_ENTRY_BYTES);
	json_real(j, "ratio", prediction_ratio(p, false));
	json_real(j, "large_pool_ratio", large_pool_ratio(p, false));
	json_end_object(j);
}

static void put_prediction(struct json *j, const struct advice *advice, const struct prediction *p)
{
	json_begin_object(j, NULL);
	put_candidate_fields(j, advice, p->what);
	json_uint(j, "blocks", p->blocks);
	json_uint(j, "tried_blocks", p->tried);
	if (candidate_fits(p->what, true))
		put_kernel(j, p);
	if (candidate_fits(p->what, false))
		put_library(j, p);
	json_end_object(j);
}

/* Of the part of the survey that it was tried on. */
static void put_candidate(struct json *j, const struct advice *advice, const struct candidate *c)
{
	const struct tally *t = &c->tallies[c->part];
	json_begin_object(j, NULL);
	put_candidate_fields(j, advice, c);
	json_uint(j, "in_kernel", (c->algorithm->where & IN_KERNEL) != 0);
	json_uint(j, "in_libzram", (c->algorithm->where & IN_LIBRARY) != 0);
	json_uint(j, "blocks", t->blocks);
	json_uint(j, "same_filled_blocks", t->same_filled);
	json_uint(j, "huge_blocks", t->huge);
	json_uint(j, "compressed_bytes", t->compressed_bytes);
	if (candidate_fits(c, true))
		json_real(j, "kernel_ratio", candidate_ratio(c, true));
	if (candidate_fits(c, false))
		json_real(j, "libzram_ratio", candidate_ratio(c, false));
	json_uint(j, "rounds", c->rounds);
	json_real(j, "compress_mb_per_s", compress_mb_per_s(c));
	json_real(j, "decompress_mb_per_s", decompress_mb_per_s(c));
	json_real(j, "access_ns", candidate_access_ns(advice, c));
	json_end_object(j);
}

static void put_one_of_pair(struct json *j, const char *name, const struct candidate *c)
{
	json_begin_object(j, name);
	json_string(j, "algorithm", c->algorithm->name);
	if (c->algorithm->levels != NULL)
		json_real(j, "level", c->level);
	json_end_object(j);
}

static void put_pair(struct json *j, const struct advice *advice, const struct pair *pair)
{
	if (pair->primary == NULL)
		return;
	json_begin_object(j, "recompression");
	json_uint(j, "worth", pair->worth);
	put_one_of_pair(j, "primary", pair->primary->what);
	put_one_of_pair(j, "secondary", pair->secondary->what);
	json_uint(j, "idle_percent", advice->settings.idle_percent);
	json_uint(j, "reads_per_write", advice->settings.reads);
	json_real(j, "ratio", 1 / pair->share);
	json_real(j, "memory_times", pair->memory_times);
	json_real(j, "time_times", pair->time_times);
	if (pair->least_idle <= 100)
		json_uint(j, "least_idle_percent", pair->least_idle);
	if (pair->least_reads <= MOST_READS)
		json_uint(j, "least_reads_per_write", pair->least_reads);
	json_begin_array(j, "reasons");
	json_string(j, NULL, recompress_reason(advice, pair).s);
	json_string(j, NULL, recompress_limits(advice, pair).s);
	json_end_array(j);
	if (pair == &advice->kernel_pair && pair->worth)
		json_string(j, "settings", recompress_text(advice).s);
	json_end_object(j);
}

static void begin_choice(struct json *j, const struct advice *advice, const char *name, const struct choice *choice)
{
	json_begin_object(j, name);
	put_candidate_fields(j, advice, choice->candidate);
	json_begin_array(j, "reasons");
	for (unsigned i = 0; i < choice->reason_count; i++)
		json_string(j, NULL, choice->reasons[i]);
	json_end_array(j);
}

static void put_recommendation(struct json *j, const struct advice *advice)
{
	json_begin_object(j, "recommendation");
	if (advice->kernel.candidate != NULL) {
		begin_choice(j, advice, "kernel", &advice->kernel);
		json_string(j, "mm_stat", mm_stat_line(advice->kernel.prediction).s);
		json_uint(j, "exact", advice->kernel.prediction->exact);
		json_uint(j, "disksize", advised_disksize(advice));
		json_string(j, "zramctl", zramctl_text(advice).s);
		json_string(j, "zram_generator", zram_generator_text(advice).s);
		put_pair(j, advice, &advice->kernel_pair);
		json_end_object(j);
	}
	if (advice->library.candidate != NULL) {
		begin_choice(j, advice, "libzram", &advice->library);
		json_string(j, "program", libzram_text(advice).s);
		json_string(j, "zs_serve", serve_text(advice).s);
		put_pair(j, advice, &advice->library_pair);
		json_end_object(j);
	}
	json_end_object(j);
}

void advise_json(const struct advice *advice)
{
	struct json j = JSON_INIT(stdout);
	json_begin_object(&j, NULL);
	json_string(&j, "summary", advise_sentence(advice).s);
	put_sample(&j, advice);
	json_begin_array(&j, "predictions");
	for (size_t i = 0; i < advice->prediction_count; i++)
		put_prediction(&j, advice, &advice->predictions[i]);
	json_end_array(&j);
	put_recommendation(&j, advice);
	json_begin_array(&j, "survey");
	for (size_t i = 0; i < advice->candidate_count; i++)
		put_candidate(&j, advice, &advice->candidates[i]);
	json_end_array(&j);
	json_begin_array(&j, "problems");
	for (size_t i = 0; i < message_problem_lines(); i++)
		json_string(&j, NULL, message_problem_text(i));
	json_end_array(&j);
	json_end_object(&j);
}
