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
expect_json '[.predictions[:6][].algorithm] == ["lzo-rle", "lzo", "lz4", "lz4hc", "zstd", "deflate"]' \
	'[.predictions[:6][].kernel.exact] == [1, 1, 1, 0, 0, 0]' \
	'all(.predictions[6:][]; .kernel == null or .kernel.exact == 0 or .algorithm == "lz4")'
expect_json 'all(.predictions[]; .blocks * .block_size >= 300 * 4096)' \
	'all(.predictions[:6][]; .kernel.same_pages == 50 and .kernel.huge_pages == 50)' \
	'all(.predictions[:6][]; .kernel.mem_used_total % 4096 == 0 and .kernel.mem_used_total >= .kernel.compr_data_size)' \
	'all(.predictions[:6][]; .kernel.mm_stat == "\(300 * 4096) \(.kernel.compr_data_size) \(.kernel.mem_used_total) 0 \(.kernel.mem_used_total) 50 0 50 50")' \
	'all(.predictions[] | select(.libzram); .libzram.held_bytes > .libzram.compressed_bytes and .libzram.metadata_bytes > 0)'
expect_json '.recommendation.kernel | .block_size == 4096 and .dictionary_bytes == 0 and (.reasons | length) >= 3' \
	'.recommendation.libzram | (.reasons | length) >= 3' \
	'.recommendation.kernel | (.algorithm as $a | .zramctl | contains($a)) and (.disksize > 0)' \
	'.recommendation.kernel.zram_generator | startswith("[zram0]\nzram-size = ram * ")' \
	'.recommendation.libzram.program | startswith("struct zram_options options = ZRAM_OPTIONS_INIT;")' \
	'.recommendation.libzram | (if .recompression.worth == 1 then .recompression.primary else . end).algorithm as $a |
		.zs_serve | startswith("zs serve ") and contains(" algorithm=\($a)")'
# Every block size, each algorithm, with a dictionary where it takes one, each with its time.
expect_json '[.survey[].block_size] | unique == [4096, 8192, 16384, 32768, 65536]' \
	'[.survey[].algorithm] | unique == ["deflate", "lz4", "lz4hc", "lzo", "lzo-rle", "zstd"]' \
	'.dictionary_bytes > 0' \
	'[.survey[] | select(.dictionary_bytes > 0).algorithm] | unique == ["lz4", "lz4hc", "zstd"]' \
	'all(.survey[]; .rounds >= 1 and .compress_mb_per_s > 0 and .decompress_mb_per_s > 0)'
# In a small vocabulary there is something to learn.
expect_json '([.survey[] | select(.algorithm == "zstd" and .level == 3 and .block_size == 4096)] |
	(.[] | select(.dictionary_bytes > 0)).compressed_bytes < (.[] | select(.dictionary_bytes == 0)).compressed_bytes)'

# Twice the same, but for the times.
jq '[.predictions[] | del(.. | .level?)] | .[:6]' "$out" >"$tmp/first"
advise --threads 1 "$tmp/mixed"
jq '[.predictions[] | del(.. | .level?)] | .[:6]' "$out" | cmp -s - "$tmp/first" || fail "the second run predicts something else"

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
	.block_size == $r.block_size and .dictionary_bytes == $r.dictionary_bytes and .in_libzram == 1).libzram_ratio')
advise --goal speed "$tmp/mixed"
expect_clean
fast=$(json '.recommendation.libzram as $r | .survey[] | select(.algorithm == $r.algorithm and .level == $r.level and
	.block_size == $r.block_size and .dictionary_bytes == $r.dictionary_bytes and .in_libzram == 1).libzram_ratio')
[ "$(printf '%s\n' "$fast" "$dense" | sort -g | head -n 1)" = "$fast" ] ||
	fail "for speed it is denser ($fast) than for density ($dense)"

# A sample, said to be one, of the size that was asked for, the same each time.
advise --sample 256K "$tmp/mixed"
expect_clean
expect_json '.sampled == 1' '.sample_bytes <= 262144' '.sample_bytes > 200000' '.input_bytes == 300 * 4096' \
	'.sample_pieces == 4'
jq '.predictions[:6]' "$out" >"$tmp/first"
advise --sample 256K "$tmp/mixed"
jq '.predictions[:6]' "$out" | cmp -s - "$tmp/first" || fail "another sample the second time"
run "$ZS" advise --quick --sample 256K "$tmp/mixed"
expect_clean
grep -q 'a sample of 256.0 KiB was read' "$out" || fail "it does not say that it is a sample"
advise --sample all "$tmp/mixed"
expect_json '.sampled == 0'

# For people: what is recommended, and the line to paste. No line longer than a terminal, no carriage returns.
run "$ZS" advise --quick "$tmp/mixed"
expect_clean
sed '/^$/q' "$out" | tr '\n' ' ' |
	grep -Eq '^zram would hold these 1\.17 MiB in (about )?[0-9.]+ [MK]iB of memory, with [^:.]*: [0-9]+ % is saved[^.]*\. *$' ||
	fail "it does not begin with what is saved"
grep -q '^ *zs serve [0-9]*M algorithm=' "$out" || fail "no line for zs serve"
! grep -q 'x memory^\|same-filled' "$out" || fail "words of those who made it"
grep -q "^Recommended for the kernel's zram: " "$out" || fail "nothing is recommended"
grep -q '^ *compression-algorithm = ' "$out" || fail "no zram-generator settings"
grep -q "$(printf '\r')" "$out" && fail "carriage returns in the output"
awk 'length($0) > 100' "$out" | grep . && fail "a line is too long"

# Shares and ratios are those of all that was compressed, not of the survey: here the survey can't have them by chance.
"$MAKE_PAGES" 4096 words 400 random 930 zero 3 words 7 >"$tmp/shares"
advise "$tmp/shares"
expect_clean
expect_json '.survey_bytes == 65536' '.predictions[:6] | all(.kernel.huge_pages == 930)' \
	'.recommendation.kernel.reasons | any(test("^69 % of the blocks do not shrink"))' \
	'.recommendation.libzram as $r | [.survey[], .predictions[] | select(.algorithm == $r.algorithm and
		.level == $r.level and .block_size == $r.block_size and .dictionary_bytes == $r.dictionary_bytes) |
		.libzram_ratio // .libzram?.large_pool_ratio // empty] | length == 2 and (.[0] - .[1] | fabs) < 1e-9'
# And so are they where the input is in order, and where most of it is one word over and over.
"$MAKE_PAGES" 4096 zero 3000 words 30 random 10 >"$tmp/rare"
advise "$tmp/rare"
expect_clean
expect_json '.predictions[:6] | all(.kernel.same_pages == 3000)' \
	'.recommendation.kernel.reasons | any(test("^99 % of the blocks repeat a single word"))'

# Recompression: by the settings, with a reason in any case, or not a word.
advise --idle 80 --reads 1000 "$tmp/few" "$tmp/mixed"
expect_clean
expect_json '.idle_percent == 80 and .reads_per_write == 1000' \
	'.recommendation.kernel.recompression | .worth as $w | .reasons | length == 2 and
		(.[1] | startswith(if $w == 1 then "Not where" else "It would be", "Nor with" end))' \
	'.recommendation.kernel.recompression | .ratio > 1 and .primary.algorithm != null and .secondary.algorithm != null' \
	'.recommendation.kernel.recompression | .worth == 0 or
		(.secondary.algorithm as $s | .settings | contains("algo=\($s) priority=1"))'
advise --idle 0 "$tmp/mixed"
expect_clean
expect_json '.recommendation.kernel.recompression == null' '.recommendation.libzram.recompression == null'

# A directory: all of its files, but no links and pipes; the hint names a command that works, wherever it is pasted.
mkdir -p "$tmp/folder/sub dir's"
cp "$tmp/few" "$tmp/folder/a"
cp "$tmp/few" "$tmp/folder/sub dir's/b"
ln -s "$tmp/mixed" "$tmp/folder/link"
ln -s "$tmp" "$tmp/folder/tree"
mkfifo "$tmp/folder/pipe"
advise -r "$tmp/folder"
expect_clean
expect_json '.inputs == 2' '.sample_bytes == 6 * 4096'
printf '%s\n' "$tmp/folder" "$tmp/few" | "$ZS" advise --quick --json -r --files-from - >"$out"
expect_json '.inputs == 3' '.sample_bytes == 9 * 4096'
(cd "$tmp" && run "$ZS" advise "folder/sub dir's" && mv "$err" "$tmp/refused")
hint=$(sed -n 's/^zs advise: .* is a directory (try: \(.*\))$/\1/p' "$tmp/refused")
run sh -c "$hint"
expect_clean
grep -q '3 pages' "$out" || fail "the hint is another command: $hint"
mkdir "$tmp/hollow"
run "$ZS" advise -r "$tmp/hollow"
expect_status 1
expect_message 'nothing to advise on'

# On a terminal a bar, gone at the end.
if command -v script >/dev/null; then
	what="zs advise on a terminal"
	status=0
	TERM=xterm script -qec "'$ZS' advise --quick --survey 64K '$tmp/mixed'" /dev/null </dev/null >"$out" || status=$?
	expect_status 0
	grep -Eq "$(printf '\r')(reading|predicting|trying) +\[" "$out" || fail "no bar on a terminal"
	grep -q 'zram would hold these' "$out" || fail "no report on a terminal"
fi

# What does not shrink, and what costs nothing at all.
run "$ZS" advise --quick "$tmp/random"
expect_clean
grep -q 'Nothing saves 5 %' "$out" || fail "it does not say that nothing is saved"
advise "$tmp/same"
expect_clean
expect_json '.recommendation == {}' 'all(.predictions[:6][]; .kernel.mem_used_total == 0 and .kernel.same_pages == 120)' \
	'.summary == "Every page repeats a single word: zram would hold 480.0 KiB in next to no memory."'
run "$ZS" advise --quick --html "$tmp/same.html" "$tmp/same"
expect_clean
grep -q 'Nothing to recommend' "$out" || fail "it recommends something for nothing"
advise "$tmp/few"
expect_clean
expect_json '.dictionary_bytes == 0' '.sample_bytes == 3 * 4096' 'all(.predictions[:6][]; .blocks == 3)'

# The report: one page that needs nothing else, with the numbers that the other outputs have.
perl_check() {
	perl "$(dirname "$0")/well_formed.pl" "$1" >"$tmp/why" || fail "$1: $(cat "$tmp/why")"
}
advise --html "$tmp/report.html" "$tmp/mixed" "$tmp/random"
expect_clean
total=$(json '.predictions[0].kernel.mem_used_total' | sed -e ':a' -e 's/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/' -e 'ta')
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
