#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs advise: what it makes of known pages, sampling, its three outputs, and what it can't use.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
: "${JSON_VALID:?}"

"$MAKE_PAGES" 4096 words 200 zero 40 word 10 random 50 >"$tmp/mixed"
"$MAKE_PAGES" 4096 random 64 >"$tmp/random"
"$MAKE_PAGES" 4096 zero 100 word 20 >"$tmp/same"
"$MAKE_PAGES" 4096 words 3 >"$tmp/few"

# advise ARGUMENT...: the quick way, into JSON that is JSON
advise() {
	run "$ZS" advise --quick --survey 64K --json "$@"
	[ ! -s "$out" ] || "$JSON_VALID" <"$out" || fail "the output is not JSON"
}

# All of it is read; each algorithm is predicted with all the kernel's numbers; every choice has its reasons.
advise "$tmp/mixed"
expect_clean
expect_json '.sampled == 0' '.sample_bytes == 300 * 4096' '.input_bytes == .sample_bytes' '.inputs == 1' '.problems == []'
expect_json '[.predictions[:5][].algorithm] == ["lzo", "lz4", "lz4hc", "zstd", "deflate"]'
expect_json 'all(.predictions[]; .blocks * .block_size >= 300 * 4096)' \
	'all(.predictions[:5][]; .kernel.same_pages == 50 and .kernel.huge_pages == 50)' \
	'all(.predictions[:5][]; .kernel.mem_used_total % 4096 == 0 and .kernel.mem_used_total >= .kernel.compr_data_size)' \
	'all(.predictions[:5][]; .kernel.mm_stat == "\(300 * 4096) \(.kernel.compr_data_size) \(.kernel.mem_used_total) 0 \(.kernel.mem_used_total) 50 0 50 50")' \
	'all(.predictions[]; .libzram.held_bytes > .libzram.compressed_bytes and .libzram.metadata_bytes > 0)'
expect_json '.recommendation.kernel | .block_size == 4096 and .dictionary_bytes == 0 and (.reasons | length) >= 3' \
	'.recommendation.libzram | (.reasons | length) >= 3' \
	'.recommendation.kernel | (.algorithm as $a | .zramctl | contains($a)) and (.disksize > 0)' \
	'.recommendation.kernel.zram_generator | startswith("[zram0]\nzram-size = ram * ")' \
	'.recommendation.libzram.program | startswith("struct zram_options options = ZRAM_OPTIONS_INIT;")'
# Every block size, each algorithm, with a dictionary where it takes one, each with its time.
expect_json '[.survey[].block_size] | unique == [4096, 8192, 16384, 32768, 65536]' \
	'[.survey[].algorithm] | unique == ["deflate", "lz4", "lz4hc", "lzo", "zstd"]' \
	'.dictionary_bytes > 0' \
	'[.survey[] | select(.dictionary_bytes > 0).algorithm] | unique == ["lz4", "lz4hc", "zstd"]' \
	'all(.survey[]; .rounds >= 1 and .compress_mb_per_s > 0 and .decompress_mb_per_s > 0)'
# In a small vocabulary there is something to learn.
expect_json '([.survey[] | select(.algorithm == "zstd" and .level == 3 and .block_size == 4096)] |
	(.[] | select(.dictionary_bytes > 0)).compressed_bytes < (.[] | select(.dictionary_bytes == 0)).compressed_bytes)'

# Twice the same, but for the times.
jq '[.predictions[] | del(.. | .level?)] | .[:5]' "$out" >"$tmp/first"
advise --threads 1 "$tmp/mixed"
jq '[.predictions[] | del(.. | .level?)] | .[:5]' "$out" | cmp -s - "$tmp/first" || fail "the second run predicts something else"

# What follows brings no threads that were not there before, and takes long with ThreadSanitizer.
[ "${ZS_SANITIZE:-}" != thread ] || exit 0

# A full run tries more levels; the goals differ as they should.
run "$ZS" advise --json --survey 64K "$tmp/few"
expect_clean
"$JSON_VALID" <"$out" || fail "the output is not JSON"
expect_json '[.survey[] | select(.algorithm == "zstd" and .block_size == 4096).level] | contains([-7, 1, 3, 19, 22])' \
	'[.survey[] | select(.algorithm == "lz4hc" and .block_size == 65536).level] == [range(3; 13)]'
advise --goal density --access sequential "$tmp/mixed"
expect_clean
expect_json '.goal == "density" and .access == "sequential"' '.recommendation.libzram.block_size > 4096'
dense=$(json '.recommendation.libzram as $r | .survey[] | select(.algorithm == $r.algorithm and .level == $r.level and
	.block_size == $r.block_size and .dictionary_bytes == $r.dictionary_bytes).libzram_ratio')
advise --goal speed "$tmp/mixed"
expect_clean
fast=$(json '.recommendation.libzram as $r | .survey[] | select(.algorithm == $r.algorithm and .level == $r.level and
	.block_size == $r.block_size and .dictionary_bytes == $r.dictionary_bytes).libzram_ratio' | head -n 1)
[ "$(printf '%s\n' "$fast" "$(echo "$dense" | head -n 1)" | sort -g | head -n 1)" = "$fast" ] ||
	fail "for speed it is denser ($fast) than for density ($dense)"

# A sample, said to be one, of the size that was asked for, the same each time.
advise --sample 256K "$tmp/mixed"
expect_clean
expect_json '.sampled == 1' '.sample_bytes <= 262144' '.sample_bytes > 200000' '.input_bytes == 300 * 4096' \
	'.sample_pieces == 4'
jq '.predictions[:5]' "$out" >"$tmp/first"
advise --sample 256K "$tmp/mixed"
jq '.predictions[:5]' "$out" | cmp -s - "$tmp/first" || fail "another sample the second time"
run "$ZS" advise --quick --sample 256K "$tmp/mixed"
expect_clean
grep -q 'a sample of 256.0 KiB was read' "$out" || fail "it does not say that it is a sample"
advise --sample all "$tmp/mixed"
expect_json '.sampled == 0'

# For people: what is recommended, and the line to paste. No line longer than a terminal, no carriage returns.
run "$ZS" advise --quick "$tmp/mixed"
expect_clean
grep -q "^Recommended for the kernel's zram: " "$out" || fail "nothing is recommended"
grep -q '^ *compression-algorithm = ' "$out" || fail "no zram-generator settings"
grep -q "$(printf '\r')" "$out" && fail "carriage returns in the output"
awk 'length($0) > 100' "$out" | grep . && fail "a line is too long"

# What does not shrink, and what costs nothing at all.
run "$ZS" advise --quick "$tmp/random"
expect_clean
grep -q 'No candidate saves 5 %' "$out" || fail "it does not say that nothing is saved"
advise "$tmp/same"
expect_clean
expect_json '.recommendation == {}' 'all(.predictions[]; .kernel.mem_used_total == 0 and .kernel.same_pages == 120)'
run "$ZS" advise --quick --html "$tmp/same.html" "$tmp/same"
expect_clean
grep -q 'Nothing to recommend' "$out" || fail "it recommends something for nothing"
advise "$tmp/few"
expect_clean
expect_json '.dictionary_bytes == 0' '.sample_bytes == 3 * 4096' 'all(.predictions[:5][]; .blocks == 3)'

# The report: one page that needs nothing else, with the numbers that the other outputs have.
perl_check() {
	perl "$(dirname "$0")/well_formed.pl" "$1" >"$tmp/why" || fail "$1: $(cat "$tmp/why")"
}
advise --html "$tmp/report.html" "$tmp/mixed" "$tmp/random"
expect_clean
total=$(json '.predictions[1].kernel.mem_used_total' | sed -e ':a' -e 's/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/' -e 'ta')
grep -qF ">$total<" "$tmp/report.html" || fail "the report does not have $total"
[ "$(grep -c '<svg' "$tmp/report.html")" -ge 8 ] || fail "charts are missing"
if command -v perl >/dev/null; then
	perl_check "$tmp/report.html"
	perl_check "$tmp/same.html"
	sed 's/<\/table>//' "$tmp/report.html" >"$tmp/bad.html"
	! perl "$(dirname "$0")/well_formed.pl" "$tmp/bad.html" >/dev/null || fail "the check takes a broken page"
	sed 's/<svg /<svg onload="x" /' "$tmp/report.html" >"$tmp/bad.html"
	! perl "$(dirname "$0")/well_formed.pl" "$tmp/bad.html" >/dev/null || fail "the check takes a page with a script"
fi
[ -z "$(find "$tmp" -name '.zs-*')" ] || fail "a part of the report is left"

# A report that can't be written: said, and the old one stays.
run "$ZS" advise --quick --html "$tmp/nowhere/report.html" "$tmp/few"
expect_status 3
expect_lines 1
expect_message "$tmp/nowhere/report.html: cannot write the report: No such file or directory"

# A pipe, and a process.
what="cat mixed | zs advise -"
status=0
cat "$tmp/mixed" | "$ZS" advise --quick --json - >"$out" 2>"$err" || status=$?
expect_clean
expect_json '.sample_bytes == 300 * 4096'
hold process words 200 random 30
advise --pid $pid
end_held $pid
grep -q 'Permission denied' "$err" || {
	expect_status 0
	expect_json '.sample_bytes >= 230 * 4096' '.sample_bytes < 400 * 4096' '.predictions[0].kernel.huge_pages == 30'
}

# Bad input beside good: one line each, the rest is done.
: >"$tmp/empty"
{ cat "$tmp/few"; printf 'rest'; } >"$tmp/partial"
advise "$tmp/nowhere" "$tmp/few"
expect_status 1
expect_lines 1
expect_message "$tmp/nowhere: No such file or directory"
expect_json '.problems | length == 1' '.sample_bytes == 3 * 4096'
# Ordinary files: a line for all of them, and nothing wrong.
advise "$tmp/few" "$tmp/empty" "$tmp/partial" "$tmp/partial"
expect_status 0
expect_lines 2
expect_message '2 files: last pages are not whole and count as filled with zeros' "$tmp/empty: is empty"
expect_json '.problems == []' '.sample_bytes == 11 * 4096' '.padded_pages == 2'
advise --no-pad "$tmp/partial"
expect_status 0
expect_json '.sample_bytes == 3 * 4096' '.padded_pages == 0'
advise --pad "$tmp/partial"
expect_clean
expect_json '.sample_bytes == 4 * 4096'
# Names of files by a list.
printf '%s\0' "$tmp/few" "$tmp/partial" >"$tmp/list"
advise --pad -0 --files-from "$tmp/list"
expect_clean
expect_json '.sample_bytes == 7 * 4096' '.inputs == 2'
run "$ZS" advise "$tmp/nowhere"
expect_status 1
expect_no_output
expect_message 'nothing to advise on'
