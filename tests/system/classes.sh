#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs classes: the table covers every size once, in both renderings, and the kernel's known numbers come out.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
no_leak_check

# What holds for every table. The arithmetic is done by jq, not by zs.
check_table() {
	page=$1
	chain=$2
	expect_clean
	expect_json ".page_size == $page" ".longest_zspage >= 1 and .longest_zspage <= $chain" \
		'.classes[0].min_request == 1' '.classes[-1].max_request == .page_size' \
		'[.classes | range(1; length) as $i | .[$i].min_request == .[$i-1].max_request + 1] | all' \
		'[.classes | range(1; length) as $i | .[$i].index > .[$i-1].index] | all' \
		'.page_size as $p | [.classes[] | .left_over_bytes == .pages_per_zspage * $p - .objs_per_zspage * .size] | all' \
		'[.classes[] | .objs_per_zspage >= 1 and .pages_per_zspage >= 1 and .max_request <= .size] | all' \
		'.longest_zspage == ([.classes[].pages_per_zspage] | max)' \
		'[.classes[] | (.left_over_share - .left_over_bytes / (.pages_per_zspage * '"$page"')) | fabs < 1e-8] | all' \
		'[.classes[] | .left_over_bytes >= 0 and .left_over_bytes < .pages_per_zspage * '"$page"'] | all'
}

for geometry in dense linux; do
	for page in 4096 8192 16384 32768 65536; do
		for chain in 1 2 8 16; do
			run "$ZS" classes --json --geometry $geometry --page-size $page --chain-size $chain
			check_table $page $chain
			expect_json ".geometry == \"$geometry\""
		done
	done
done
for chain in 17 64; do
	run "$ZS" classes --json --chain-size $chain
	check_table 4096 $chain
done

# The kernel with pages of 4096 and its default chain: 119 classes, watermark 3625. Also without being asked for.
for arguments in "--chain-size 8" "" "--page-size 4K" "--page-size 4KiB"; do
	# shellcheck disable=SC2086 # words
	run "$ZS" classes --json --geometry linux $arguments
	check_table 4096 8
	expect_json '.classes | length == 119' '.huge_class_size == 3625' '.classes[0].size == 32' '.classes[-1].size == 4096'
done

# Class 254 of the kernel is that of whole pages; a request of 24 bytes and its handle just fit the first class.
expect_json '.classes[-1].index == 254' '.classes[0].max_request == 24' '.classes[-1].min_request == .huge_class_size'

# Text and JSON tell the same.
for geometry in dense linux; do
	run "$ZS" classes --geometry $geometry
	expect_clean
	cp "$out" "$tmp/text"
	run "$ZS" classes --geometry $geometry --json
	expect_clean
	json '.classes[] | "\(.index) \(.size) \(.min_request)..\(.max_request) \(.pages_per_zspage) \(.objs_per_zspage) \(.left_over_bytes)"' \
		>"$tmp/from_json"
	awk '/^ *[0-9]+ +[0-9]+ +[0-9]+\.\./ { print $1, $2, $3, $4, $5, $6 }' "$tmp/text" >"$tmp/from_text"
	diff "$tmp/from_json" "$tmp/from_text" || fail "text and JSON differ"
	[ -s "$tmp/from_text" ] || fail "no rows"
	watermark=$(json .huge_class_size)
	grep -q "huge watermark: from $watermark bytes" "$tmp/text" || fail "the watermark is not in the text"
	grep -q "$geometry geometry, pages of 4096 bytes, $(json '.classes | length') classes" "$tmp/text" || fail "no summary"
done
