#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The programs of bench/ run with few objects, and print what script/bench reads. Nothing is said here about how fast or
# how dense anything is.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
	echo "smoke.sh: $*" >&2
	exit 1
}

# is FILE CONDITION: a jq condition on the one line that a program printed
is() {
	[ "$(wc -l <"$1")" = 1 ] || die "not one line: $(cat "$1")"
	jq -e "$2" "$1" >/dev/null || die "not true: $2 of $(cat "$1")"
}

# A file of known pages, a few real ones, and a process whose memory is known to compress.
mkdir "$work/files"
{
	head -c 8192 /dev/zero
	head -c 12288 /dev/urandom
	i=0
	while [ $i -lt 2000 ]; do
		i=$((i + 1))
		echo "line $i of a text that is long enough for some pages of it"
	done | head -c 40960
} >"$work/files/known"
"$BENCH_DATASET" --out "$work/data" --contents 8 --files 1000 "$work/files" --libraries 1000 "$ZS_BUILD_DIR" \
	--process 200 "exec sh -c 'set -- \$(ls -l /usr/bin /usr/lib); echo ready; read -r _'" >"$work/dataset.json"
is "$work/dataset.json" '.sources[0] | .same_filled_skipped == 2 and .incompressible == 3 and .pages == 13'
is "$work/dataset.json" '.sources[1].pages > 0 and .sources[1].mean_bytes > 100 and .sources[2].pages > 0'
is "$work/dataset.json" '.all.pages == ([.sources[].pages] | add)'

for store in dense linux malloc; do
	"$BENCH_DENSITY" --dataset "$work/data" --store $store --objects 3000 --seed 7 >"$work/$store.json"
	is "$work/$store.json" '.objects == 3000 and (.ratio | .fill > 0.5 and .churn > 0.5 and .freed > 0.5)'
	is "$work/$store.json" '.requested_bytes | .fill > 3000 and .freed < .churn and .freed == .released'
	is "$work/$store.json" '(.held_bytes.fill // 4) > (.metadata_bytes.fill // 3)'
	is "$work/$store.json" '.ns_per_operation | .fill > 0 and .churn > 0 and .freed > 0'
done
is "$work/dense.json" '.allocator == "dense" and .released_with == "zs_compact" and .held_bytes.fill > 0'
is "$work/linux.json" '.allocator == "linux" and .released_with == "zs_compact" and .held_bytes.fill > 0'
is "$work/malloc.json" '.allocator == "glibc" and .held_bytes == null'
# The same sizes, whichever allocator.
for store in linux malloc; do
	[ "$(jq -c .requested_bytes "$work/$store.json")" = "$(jq -c .requested_bytes "$work/dense.json")" ] ||
		die "$store was asked for other sizes than dense"
done

for program in "$BENCH_OPS" "$BENCH_OPS --linux" "$BENCH_OPS_SHARED"; do
	# shellcheck disable=SC2086 # words
	$program --dataset "$work/data" --small 1000 --large 5000 --rounds 3 --pairs 1000 --reads 10000 \
		>"$work/ops.json"
	is "$work/ops.json" '.malloc_free_ns | length == 4 and ([.[] | length == 3 and all(.[]; . > 0)] | all)'
	is "$work/ops.json" '.read_ns | length == 4 and ([.[] | length == 3 and all(.[]; . > 0)] | all)'
done

for algorithm in lzo-rle lzo lz4; do
	"$BENCH_CODECS" --rounds 1 --pages 64 --no-kernel $algorithm "$work/data" | grep -q '"read_ns": '
done
"$BENCH_ZRAM" --rounds 1 --pages 64 --no-kernel known="$work/data" >"$work/zram.json"
is "$work/zram.json" '.ns | (.put | length == 1) and ([.[][0] > 0] | all) and (has("kernel_put") | not)'
is "$work/zram.json" '.memory[0] | .kind == "known" and .pages == 8 and .lz4_bytes > 0 and .lz4_dictionary == 0'

# With the shrinker, and the second history.
"$BENCH_DENSITY" --dataset "$work/data" --store dense --objects 3000 --shrinker 5 --samples 4 >"$work/shrinker.json"
is "$work/shrinker.json" '.ratio | .settled > 0.5 and .released > 0.5 and .refill_settled > 0.5'
is "$work/shrinker.json" '.released_with == "shrinker" and .ratio.released < .ratio.freed and .shrinker_cpu.churn >= 0'
is "$work/shrinker.json" '[.samples[][0]] | unique | length == 7'
is "$work/shrinker.json" '.requested_bytes | .refill >= .churn and .refill < .churn + 4096'
"$BENCH_DENSITY" --dataset "$work/data" --store dense --objects 3000 --shrinker 5 --history half >"$work/half.json"
is "$work/half.json" '.ratio | has("churn") == false and .freed > 1.5 and .refill > 0.5'
"$BENCH_DENSITY" --dataset "$work/data" --store dense --objects 3000 --no-refill >"$work/brief.json"
is "$work/brief.json" '.ratio | has("refill") == false and .released > 0.5'

for program in "$BENCH_SPEED" "$BENCH_SPEED_MALLOC"; do
	"$program" --dataset "$work/data" --live 1000 --pairs 2000 --objects 3000 --slice-ms 1 >>"$work/speed.json"
done
[ "$(jq -s -c '[.[].allocator]' "$work/speed.json")" = '["dense","glibc"]' ] || die "not the two: $(cat "$work/speed.json")"
jq -s -e 'all(.[]; (.pair_ns | length == 3 and all(. > 0)) and (.per_second | length == 3 and all(. > 0))
	and (.threads_per_second | length == 2 and all(.[]; . > 0)))' "$work/speed.json" >/dev/null ||
	die "not true of $(cat "$work/speed.json")"

"$BENCH_COMPACT" --dataset "$work/data" --objects 5000 --beside 2000 --slice-ms 3 --mebibytes 4 >"$work/compact.json"
is "$work/compact.json" '.rate | .moved > 0 and .moved <= .live and .pages > 0 and .moved_bytes > .moved'
is "$work/compact.json" '.beside | .alone > 0 and .compaction > 0 and .copying > 0'
is "$work/compact.json" '.latency | .alone.moved == 0 and all(.[] | .malloc, .free, .read, .empty;
	.count > 1000 and .p50 > 0 and .p50 <= .p99 and .p99 <= .p99_999 and .p99_999 <= .max)'

"$BENCH_DATASET" --out "$work/many" --contents 32 --libraries 1000 "$ZS_BUILD_DIR" >"$work/many.json"
"$BENCH_LIMIT" --dataset "$work/many" --mebibytes 4 --rounds 1 --slice-ms 5 >"$work/limit.json"
is "$work/limit.json" '.refusals_per_set > 0 and (.ratio[0] > 0) and (.payload[0] > 0.5) and (.payload[0] <= 1)'
"$BENCH_LIMIT" --dataset "$work/many" --mebibytes 8 --rounds 1 --slice-ms 5 --threads 2 --mixed --no-compact --shrinker >"$work/mixed.json"
is "$work/mixed.json" '.threads == 2 and .mixed and .shrinker and .ratio[0] > 0 and .payload[0] <= 1'

# The tables are made of what was printed, and the charts.
for count in 300000 10000; do
	jq -c ".objects = $count | del(.samples)" "$work/dense.json" "$work/linux.json" "$work/malloc.json" "$work/shrinker.json" \
		"$work/half.json"
done | jq -s --slurpfile sampled "$work/shrinker.json" '. + ($sampled | map(.objects = 300000))' >"$work/density"
for name in ops speed compact; do
	jq -s . "$work/$name.json" >"$work/$name"
done
echo '{"cpu": "some <&>", "cpus": 2, "load_at_start": 2, "rounds": 1}' >"$work/environment"
jq -n -f "$ZS_SOURCE_DIR/bench/summary.jq" --slurpfile environment "$work/environment" \
	--slurpfile dataset "$work/dataset.json" --slurpfile density "$work/density" --slurpfile speed "$work/speed" \
	--slurpfile compact "$work/compact" --slurpfile ops "$work/ops" --slurpfile ops_shared "$work/ops" |
	jq -c . >"$work/summary.json"
is "$work/summary.json" '[.targets[] | select(.verdict == "met" or .verdict == "missed")] | length == 33'
is "$work/summary.json" '.head | length == 3 and (.[1] | startswith("The machine was busy"))'
is "$work/summary.json" '[.memory[].allocator] ==
	["dense, shrinker 5 %", "dense", "linux", "glibc", "dense, shrinker 5 %", "dense", "linux", "glibc"]'
is "$work/summary.json" '(.times | length == 9) and all(.times[]; .median | test("^[0-9]+[.][0-9]+$"))'
is "$work/summary.json" '(.speed | length == 2) and (.latency | length == 8) and (.compaction | length == 5)'

for chart in memory latency speed; do
	jq -n -r -f "$ZS_SOURCE_DIR/bench/charts.jq" --arg chart $chart --slurpfile environment "$work/environment" \
		--slurpfile density "$work/density" --slurpfile compact "$work/compact" \
		--slurpfile speed "$work/speed" >"$work/$chart.chart"
	"$BENCH_CHART" <"$work/$chart.chart" >"$work/$chart.svg"
	for word in '<svg ' '</svg>' 'some &lt;&amp;&gt;' '<path '; do
		grep -q "$word" "$work/$chart.svg" || die "no '$word' in the chart $chart"
	done
done
grep -q '>zsmalloc<' "$work/memory.svg" || die "a line without a name"
for wrong in 'point	1	2' 'panel	a
series	s	#000	line	0	END
point	1	x' 'nothing' ''; do
	if printf '%s\n' "$wrong" | "$BENCH_CHART" >"$work/out" 2>"$work/err"; then
		die "a chart of '$wrong'"
	fi
	[ "$(wc -l <"$work/err")" = 1 ] || die "$(cat "$work/err")"
done

# Wrong input ends with a line and not with numbers.
head -c 10000 /dev/urandom >"$work/noise"
for command in "--dataset $work/noise --store dense" "--dataset $work/none --store dense" \
	"--dataset $work/data --store none" "--dataset $work/data --store malloc --shrinker 5" "--dataset $work/data --store dense --objects 5x"; do
	# shellcheck disable=SC2086 # words
	if "$BENCH_DENSITY" $command >"$work/out" 2>"$work/err"; then
		die "$command: succeeded"
	fi
	if [ -s "$work/out" ] || [ "$(wc -l <"$work/err")" != 1 ]; then
		die "$command: $(cat "$work/out" "$work/err")"
	fi
done
echo "dataset, density, ops, speed, compact and chart work"
