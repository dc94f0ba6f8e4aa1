/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_html.c - the report as one page: XHTML that a parser checks, with styles and charts inside. */

#include "advise_html.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "advise_chart.h"
#include "advise_choose.h"
#include "advise_figures.h"
#include "advise_paste.h"
#include "advise_recompress.h"
#include "file_replace.h"
#include "interrupt.h"
#include "message.h"
#include "units.h"

static const char style[] =
	":root{color-scheme:light dark;--bg:#fbfbfd;--card:#fff;--ink:#1b1f27;--soft:#5c6675;--edge:#e3e6ec;"
	"--grid:#eceef3;--accent:#0b6bcb;--accent2:#0b6bcb22;--warn:#d9480f;"
	"--s0:#7a8493;--s1:#0b6bcb;--s2:#0a9e8f;--s3:#d6409f;--s4:#c77700;--s5:#333}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#0f1217;--card:#171b22;--ink:#e8ebf0;--soft:#98a2b3;"
	"--edge:#272d37;--grid:#222832;--accent:#5aa9f8;--accent2:#5aa9f826;--warn:#ff8a4c;"
	"--s0:#9aa5b5;--s1:#5aa9f8;--s2:#3fd0bf;--s3:#f27ac4;--s4:#f5b041;--s5:#ddd}}\n"
	"*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);"
	"font:15px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif}\n"
	"main{max-width:1040px;margin:0 auto;padding:32px 20px 64px}h1{font-size:27px;line-height:1.2;margin:0 0 4px}"
	"h2{font-size:18px;margin:0 0 4px}p{margin:0 0 12px}.lead,.sub{color:var(--soft)}.sub{font-size:13.5px}\n"
	"section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:18px 20px;margin-top:18px}\n"
	".two{display:grid;grid-template-columns:1fr 1fr;gap:18px}@media(max-width:720px){.two{grid-template-columns:1fr}}"
	".two section{margin-top:18px}\n"
	".pick{font-size:21px;font-weight:650;margin:2px 0}.big{font-size:34px;font-weight:700;color:var(--accent);"
	"font-variant-numeric:tabular-nums;line-height:1.1}.big span{font-size:14px;color:var(--soft);font-weight:400}\n"
	"pre{background:var(--bg);border:1px solid var(--edge);border-radius:7px;padding:10px 12px;overflow-x:auto;"
	"font:12.5px/1.5 ui-monospace,\"DejaVu Sans Mono\",monospace;margin:6px 0 12px}ul{margin:8px 0 12px;"
	"padding-left:18px}li{margin:3px 0}\n"
	"table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}"
	"th,td{padding:5px 7px;text-align:right;border-bottom:1px solid var(--edge);white-space:nowrap}"
	"th{color:var(--soft);font-weight:500}th:first-child,td:first-child{text-align:left}"
	"tr.best td{background:var(--accent2);font-weight:600}.scroll{overflow-x:auto}\n"
	"svg{display:block;width:100%;height:auto;margin-top:8px}.grid{stroke:var(--grid);stroke-width:1}"
	".tick,.at,.note{fill:var(--soft);font-size:11.5px}.at{font-size:12px}.label{fill:var(--ink);font-size:12.5px}"
	".value{fill:var(--soft);font-size:12px}.line{fill:none;stroke-width:1.6;opacity:.75}.line.dict{stroke-dasharray:4 4}"
	".dot{fill:var(--c);stroke:var(--card);stroke-width:1.2}.dot.dict{fill:var(--card);stroke:var(--c);stroke-width:2}"
	".halo{fill:none;stroke:var(--ink);stroke-width:1.6}.bar{fill:var(--accent)}.waste{fill:var(--warn);opacity:.55}"
	".kernel{fill:var(--s0)}.rest{fill:var(--edge)}.class{stroke:var(--soft);stroke-width:.8}"
	".huge{fill:var(--warn);opacity:.13}.note{fill:var(--warn)}\n"
	".key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px;color:var(--soft);margin-top:8px}"
	".key i{display:inline-block;width:11px;height:11px;border-radius:50%;margin-right:6px;vertical-align:-1px}"
	".key i.open{border:2px solid var(--soft);background:none}.key i.ring{border:2px solid var(--ink);background:none}\n"
	".tabs input{position:absolute;opacity:0}.tabs label{display:inline-block;padding:3px 11px;margin:6px 4px 0 0;"
	"border:1px solid var(--edge);border-radius:99px;font-size:13px;color:var(--soft);cursor:pointer}"
	".tabs .pane{display:none}.tabs input:focus-visible+label{outline:2px solid var(--accent)}\n"
	"footer{color:var(--soft);font-size:13px;margin-top:22px}\n";

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else
			putc(*text, out);
	}
}

static void put_element(FILE *out, const char *open, const char *text, const char *close)
{
	fputs(open, out);
	put_text(out, text);
	fputs(close, out);
}

static void put_speed(FILE *out, double mb_per_second)
{
	if (isfinite(mb_per_second))
		fprintf(out, "<td>%.0f</td>", mb_per_second);
	else
		fputs("<td>-</td>", out);
}

static void put_head(FILE *out, const struct advice *advice)
{
	const struct sample *sample = &advice->sample;
	fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n"
	      "<title>zs advise: compressed memory</title>\n<style>\n",
	      out);
	fputs(style, out);
	/* Which pane shows: the radio button before it that is checked. */
	for (unsigned i = 0; i < BLOCK_SIZES; i++)
		fprintf(out,
			"#b%u:checked~.p%u{display:block}#b%u:checked+label{background:var(--accent);color:var(--card);"
			"border-color:var(--accent)}\n",
			i, i, i);
	fputs("</style>\n</head>\n<body>\n<main>\n<h1>Compressed memory, predicted</h1>\n", out);
	put_element(out, "<p>", advise_sentence(advice).s, "</p>\n<p class=\"lead\">");
	fprintf(out, "%s, %s. ", format_plural(advice->inputs, "input", "inputs").s,
		format_bytes(sample->input_pages * SAMPLE_PAGE).s);
	if (sample->whole)
		fprintf(out, "All of it was read: %s.", format_plural(advice->pages, "page", "pages").s);
	else
		fprintf(out,
			"All figures are those of a sample: %s, in %s pieces of up to 64 KiB spread evenly over the input.",
			format_bytes(advice->pages * SAMPLE_PAGE).s, format_count(sample->pieces).s);
	if (advice->cut_streams)
		fprintf(out, " %s not read to the end.",
			format_plural(advice->cut_streams, "stream was", "streams were").s);
	fprintf(out, " Goal: %s; access: %s.</p>\n", goal_name(advice->settings.goal),
		advice->settings.sequential ? "sequential" : "random");
}

static void put_choice(FILE *out, const struct choice *choice, const char *title, bool kernel)
{
	const struct prediction *p = choice->prediction;
	put_element(out, "<section>\n<h2>", title, "</h2>\n");
	put_element(out, "<p class=\"pick\">", candidate_name(choice->candidate).s, "</p>\n");
	fprintf(out,
		"<p class=\"big\">%.2f <span>bytes of data for each byte of memory</span></p>\n"
		"<p class=\"sub\">%.2f with much more such data</p>\n",
		prediction_ratio(p, kernel), large_pool_ratio(p, kernel));
	fputs("<ul>\n", out);
	for (unsigned i = 0; i < choice->reason_count; i++)
		put_element(out, "<li>", choice->reasons[i], "</li>\n");
	fputs("</ul>\n", out);
}

static void put_pair(FILE *out, const struct advice *advice, const struct pair *pair)
{
	if (pair->primary == NULL)
		return;
	fprintf(out, "<p class=\"sub\">Recompressing what lies idle: %s</p>\n<ul>\n",
		pair->worth ? "worth it" : "not worth it here");
	put_element(out, "<li>", recompress_reason(advice, pair).s, "</li>\n");
	put_element(out, "<li>", recompress_limits(advice, pair).s, "</li>\n</ul>\n");
	if (pair->worth)
		put_element(out, "<pre>", recompress_text(advice).s, "</pre>\n");
}

static void put_choices(FILE *out, const struct advice *advice)
{
	if (advice->kernel.candidate == NULL || advice->library.candidate == NULL) {
		fputs("<section><h2>Nothing to recommend</h2><p>All blocks repeat a single word, and cost nothing "
		      "with any algorithm.</p></section>\n",
		      out);
		return;
	}
	fputs("<div class=\"two\">\n", out);
	put_choice(out, &advice->kernel, "For the kernel's zram", true);
	put_element(out,
		    advice->kernel.prediction->exact ? "<p class=\"sub\">Predicted mm_stat</p><pre>"
						     : "<p class=\"sub\">Estimated mm_stat</p><pre>",
		    mm_stat_line(advice->kernel.prediction).s, "</pre>\n");
	put_element(out, "<p class=\"sub\">zramctl, for a device that fills half of this machine's memory</p><pre>",
		    zramctl_text(advice).s, "</pre>\n");
	put_element(out, "<p class=\"sub\">/etc/systemd/zram-generator.conf</p><pre>", zram_generator_text(advice).s,
		    "</pre>\n");
	put_pair(out, advice, &advice->kernel_pair);
	fputs("</section>\n", out);
	put_choice(out, &advice->library, "For libzram and zs serve", false);
	put_element(out, "<p class=\"sub\">A disk in half of this machine's memory</p><pre>", serve_text(advice).s,
		    "</pre>\n");
	put_element(out, "<p class=\"sub\">In a program</p><pre>", libzram_text(advice).s,
		    "</pre>\n</section>\n</div>\n");
}

/* "~": an estimate */
static void put_figure(FILE *out, uint64_t n, bool exact)
{
	fprintf(out, "<td>%s%s</td>", exact ? "" : "~", format_count(n).s);
}

static void put_row(FILE *out, const struct advice *advice, const struct prediction *p)
{
	bool best = p == advice->kernel.prediction || p == advice->library.prediction;
	put_element(out, best ? "<tr class=\"best\"><td>" : "<tr><td>", candidate_name(p->what).s, "</td>");
	if (candidate_fits(p->what, true)) {
		put_figure(out, p->compressed_bytes, p->exact);
		put_figure(out, p->held_bytes, p->exact);
		put_figure(out, p->same_filled, p->tried == p->blocks);
		put_figure(out, p->huge, p->exact);
		fprintf(out, "<td>%.3f</td>", prediction_ratio(p, true));
	} else {
		fputs("<td>-</td><td>-</td><td>-</td><td>-</td><td>-</td>", out);
	}
	if (candidate_fits(p->what, false)) {
		put_figure(out, p->dense_held_bytes, p->tried == p->blocks);
		fprintf(out, "<td>%.3f</td>", prediction_ratio(p, false));
	} else {
		fputs("<td>-</td><td>-</td>", out);
	}
	put_speed(out, compress_mb_per_s(p->what));
	put_speed(out, decompress_mb_per_s(p->what));
	fputs("</tr>\n", out);
}

static void put_table(FILE *out, const struct advice *advice)
{
	fputs("<section>\n<h2>What would be held</h2>\n<p class=\"sub\">The kernel's figures are exact for these pages, "
	      "to the byte, but for those with ~, which are estimates: the kernel has versions of its own. For lz4, where it "
	      "can be compared, such estimates were off by up to " ESTIMATE_ERROR ". libzram's are everything its pool "
	      "holds. Ratios count the table's 16 bytes a block too.</p>\n",
	      out);
	chart_memory(out, advice);
	fputs("<div class=\"scroll\"><table>\n<tr><th>candidate</th><th>compr_data_size</th><th>mem_used_total</th>"
	      "<th>same</th><th>huge</th><th>ratio</th><th>libzram holds</th><th>ratio</th><th>write MB/s</th>"
	      "<th>read MB/s</th></tr>\n",
	      out);
	for (size_t i = 0; i < advice->prediction_count; i++)
		put_row(out, advice, &advice->predictions[i]);
	fputs("</table></div>\n</section>\n", out);
}

static void put_survey(FILE *out, const struct advice *advice)
{
	static const char *const names[] = { "lzo", "lz4", "lz4hc", "zstd", "deflate", "lzo-rle" };
	unsigned shown = advice->library.candidate->block_index;
	fprintf(out,
		"<section>\n<h2>Ratio against speed</h2>\n<p class=\"sub\">%zu candidates on %s of the data, measured on this "
		"machine, by processor time: each algorithm's levels in a line. Point at a dot for its numbers.</p>\n"
		"<div class=\"tabs\">\n",
		advice->candidate_count, format_bytes((uint64_t)advice->survey_pages * SAMPLE_PAGE).s);
	for (unsigned i = 0; i < BLOCK_SIZES; i++)
		fprintf(out,
			"<input type=\"radio\" name=\"block\" id=\"b%u\"%s/><label for=\"b%u\">blocks of %d KiB</label>\n",
			i, i == shown ? " checked=\"checked\"" : "", i, 4 << i);
	for (unsigned i = 0; i < BLOCK_SIZES; i++) {
		fprintf(out, "<div class=\"pane p%u\">\n", i);
		chart_survey(out, advice, i);
		fputs("</div>\n", out);
	}
	fputs("</div>\n<div class=\"key\">", out);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fprintf(out, "<span><i style=\"background:var(--s%u)\"></i>%s</span>", i, names[i]);
	if (advice->dictionary.size)
		fprintf(out, "<span><i class=\"open\"></i>with a dictionary of %s, trained on other parts</span>",
			format_bytes(advice->dictionary.size).s);
	fputs("<span><i class=\"ring\"></i>recommended</span></div>\n</section>\n", out);
}

static void put_details(FILE *out, const struct advice *advice)
{
	const struct prediction *p = advice->kernel.prediction;
	put_element(out, "<section>\n<h2>Compressed sizes</h2>\n<p class=\"sub\">", candidate_name(p->what).s,
		    ", in the kernel.");
	fprintf(out, " %s same-filled and stored as nothing.</p>\n",
		format_plural(p->same_filled, "block is", "blocks are").s);
	chart_sizes(out, advice, p);
	put_element(out, "</section>\n<section>\n<h2>Memory by size class</h2>\n<p class=\"sub\">",
		    candidate_name(p->what).s, ", in the kernel: ");
	fprintf(out, "%s held for %s.</p>\n", format_bytes(p->held_bytes).s, format_bytes(p->compressed_bytes).s);
	chart_classes(out, advice, p);
	fputs("<div class=\"key\"><span><i style=\"background:var(--accent)\"></i>compressed data</span><span>"
	      "<i style=\"background:var(--warn);opacity:.55\"></i>left over: slots larger than their objects, zspages not "
	      "full</span></div>\n</section>\n",
	      out);
}

static void put_page(FILE *out, const struct advice *advice)
{
	put_head(out, advice);
	put_choices(out, advice);
	put_table(out, advice);
	if (advice->kernel.prediction != NULL && advice->library.candidate != NULL) {
		put_survey(out, advice);
		put_details(out, advice);
	}
	fprintf(out,
		"<footer>Made by zs advise %d.%d.%d. The kernel's pages are of 4 KiB with zspages of up to %d pages.</footer>\n"
		"</main>\n</body>\n</html>\n",
		ZS_VERSION_MAJOR, ZS_VERSION_MINOR, ZS_VERSION_PATCH, KERNEL_CHAIN);
}

bool advise_html(const struct advice *advice, const char *path)
{
	/* Made in memory first, so that an old report stays whole until the new one is. */
	char *page = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&page, &bytes);
	if (out == NULL) {
		message("out of memory");
		return false;
	}
	put_page(out, advice);
	bool made = !ferror(out);
	made = fclose(out) == 0 && made;
	bool good = made && file_replace(path, page, bytes);
	if (!good && !interrupted())
		message("%s: cannot write the report: %s", path, strerror(errno));
	free(page);
	return good;
}
