#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs pack on files of known content: every count is right, whatever the geometry, algorithm, page size and threads.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# Sums that must hold in every report.
expect_sums() {
	expect_clean
	expect_json '.pages == .same_filled_pages + .incompressible_pages + .compressed_pages' \
		'.input_bytes == .pages * .page_size' '.intact_pages == .pages' '.broken_pages == 0' '.lost_pages == 0' \
		'.problems == []' '.held_bytes >= .compressed_bytes' '.held_bytes >= .metadata_bytes' \
		'(.density - .compressed_bytes / .held_bytes) | fabs < 1e-6' \
		'(.compression_ratio - .input_bytes / .held_bytes) | fabs < 1e-5' \
		'(.kernel.pool_to_zram == null) or (.kernel.pool_to_zram * .kernel.mem_used_total / .held_bytes - 1 | fabs < 1e-6)' \
		'.kernel.table_bytes == 16 * .pages' '.kernel.mem_used_total >= .kernel.compr_data_size' \
		'.kernel.mem_used_total % .page_size == 0' '.store_ns > 0 and .read_ns > 0' \
		'(.store_mb_per_s * .store_ns / .input_bytes / 1000 - 1) | fabs < 1e-6' \
		'(.read_mb_per_s * .read_ns / .input_bytes / 1000 - 1) | fabs < 1e-6'
}

# What the kernel holds for count objects of one size, by the table of classes.
expect_kernel_pages() {
	page_size=$1
	size=$2
	count=$3
	used=$(json .kernel.mem_used_total)
	want=$("$ZS" classes --geometry linux --page-size "$page_size" --chain-size 8 --json | jq --argjson size "$size" \
		--argjson count "$count" '.page_size as $p | .classes[] | select(.min_request <= $size and $size <= .max_request)
		| (($count + .objs_per_zspage - 1) / .objs_per_zspage | floor) * .pages_per_zspage * $p')
	[ "$used" = "$want" ] || fail "mem_used_total is $used, but $count objects of $size bytes take $want"
}

# One kind of page in each run: then each number is known.
for page in 4096 16384 65536; do
	count=$((1000 * 4096 / page + 3))
	for kind in zero word random quarter words; do
		"$MAKE_PAGES" $page $kind $count >"$tmp/$kind"
	done
	for geometry in dense linux; do
		for algo in $([ $geometry = dense ] && echo lz4 zstd || echo lz4); do
			for kind in zero word random quarter words; do
				run "$ZS" pack --json --geometry $geometry --algo $algo --page-size $page --threads 2 "$tmp/$kind"
				expect_sums
				expect_json ".pages == $count" ".page_size == $page" ".geometry == \"$geometry\"" ".algorithm == \"$algo\""
				case $kind in
				zero | word)
					expect_json ".same_filled_pages == $count" '.compressed_bytes == 0' '.kernel.mem_used_total == 0' \
						'.kernel.compr_data_size == 0' '.density == 0' '.held_per_compressed_byte == null'
					;;
				random)
					expect_json ".incompressible_pages == $count" ".compressed_bytes == $count * $page" \
						".kernel.huge_pages == $count" ".kernel.mem_used_total == $count * $page" \
						'.held_per_compressed_byte >= 1 and .held_per_compressed_byte < 1.03'
					;;
				quarter)
					expect_json ".compressed_pages == $count" ".compressed_bytes % $count == 0" \
						".compressed_bytes > $count * $page / 4 and .compressed_bytes < $count * ($page / 4 + 300)" \
						'.kernel.compr_data_size == .compressed_bytes' '.kernel.huge_pages == 0'
					expect_kernel_pages $page $(($(json .compressed_bytes) / count)) $count
					;;
				words)
					expect_json ".compressed_pages == $count" ".compressed_bytes < .input_bytes / 2" \
						'.held_bytes < .input_bytes * 0.6' '.compression_ratio > 1.6'
					;;
				esac
			done
		done
	done
done

# A mixture, with all kinds in one file and across several; one thread and four tell the same.
"$MAKE_PAGES" 4096 zero 700 words 900 random 800 word 600 quarter 1000 >"$tmp/mixed"
"$MAKE_PAGES" 4096 words 500 zero 1 random 77 >"$tmp/more"
for geometry in dense linux; do
	for algo in lz4 zstd; do
		for threads in 1 4; do
			run "$ZS" pack --json --geometry $geometry --algo $algo --threads $threads "$tmp/mixed" "$tmp/more"
			expect_sums
			expect_json '.pages == 4578' '.same_filled_pages == 1301' '.incompressible_pages == 877' \
				'.compressed_pages == 2400' ".threads == $threads" '.inputs == 2'
			json 'del(.threads, .store_ns, .read_ns, .store_mb_per_s, .read_mb_per_s, .held_bytes, .metadata_bytes, .density,
				.held_per_compressed_byte, .compression_ratio, .kernel.pool_to_zram)' >"$tmp/$threads"
			json .held_bytes >"$tmp/held_$threads"
		done
		diff "$tmp/1" "$tmp/4" || fail "$geometry $algo: one thread and four count differently"
		# Threads may leave a zspage more or less half filled, not more.
		[ $(($(cat "$tmp/held_4") * 100 / $(cat "$tmp/held_1"))) -le 105 ] || fail "four threads hold much more than one"
	done
done

# The order of the files makes no difference for the kernel, whose pool only ever fills here.
run "$ZS" pack --json --geometry linux --threads 1 "$tmp/more" "$tmp/mixed"
kernel=$(json '.kernel.mem_used_total')
run "$ZS" pack --json --geometry linux --threads 1 "$tmp/mixed" "$tmp/more"
[ "$kernel" = "$(json '.kernel.mem_used_total')" ] || fail "mem_used_total depends on the order"
# With the kernel's geometry what the pool holds for objects is what the kernel holds, and metadata come on top.
expect_json '.held_bytes <= .kernel.mem_used_total + .metadata_bytes'

# The chain size reaches the pool.
for chain in 1 4; do
	run "$ZS" pack --json --geometry linux --chain-size $chain "$tmp/mixed"
	expect_sums
	expect_json ".longest_zspage == $chain" '.kernel.chain_size == 8'
done

# Text and JSON tell the same. (One thread, so that what is held is the same in both runs.)
run "$ZS" pack --threads 1 --json "$tmp/mixed"
expect_clean
cp "$out" "$tmp/json"
run "$ZS" pack --threads 1 "$tmp/mixed"
expect_clean
# The value of a row; thousands without commas.
row() {
	sed -n "s/^  $1  *\([0-9.,]*\)\( .*\)\{0,1\}\$/\1/p" "$out" | tr -d , | head -n 1
}
for pair in all:pages same-filled:same_filled_pages incompressible:incompressible_pages compressed:compressed_pages \
	intact:intact_pages broken:broken_pages; do
	[ "$(row "${pair%:*}")" = "$(jq ".${pair#*:}" "$tmp/json")" ] || fail "text and JSON differ: $pair"
done
# Rounded values: within what the rounding does. Sizes are in MiB here.
near() {
	jq -n --argjson text "$(row "$1")" --argjson exact "$(jq "$2" "$tmp/json")" --argjson within "$3" -e \
		'($text - $exact) | fabs <= $within' >/dev/null || fail "text and JSON differ: $1"
}
near input '.input_bytes / 1048576' 0.051
near 'compressed bytes' '.compressed_bytes / 1048576' 0.051
near 'pool holds' '.held_bytes / 1048576' 0.051
near 'zram holds' '.kernel.mem_used_total / 1048576' 0.051
near density '.density * 100' 0.006
near 'compression ratio' '.compression_ratio' 0.0006
near 'pool \/ zram' '.kernel.pool_to_zram' 0.00006
