#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# bench/disk.sh - the disk beside nbdkit's own: memory through fill, overwrite and trim, memory for four kinds of data, and
# operations a second with fio and nbdcopy. Raw numbers go to bench/results/disk-*.json, the picture to
# docs/img/disk-memory.svg, tables to standard output. The machine should have nothing else to do meanwhile.
set -eu
exec </dev/null

usage() {
	cat <<-'END'
	usage: bench/disk.sh [--memory | --kinds | --speed] [--rounds N] [--size MIB]

	  --memory     only the memory through a disk's life, about 2 minutes
	  --kinds      only the memory for four kinds of data, about 3 minutes
	  --speed      only fio and nbdcopy, about 15 seconds a server and round
	  --rounds N   rounds of fio, the median of which counts (default 5)
	  --size MIB   size of the disk (default 256)
	END
}

what="memory kinds speed"
rounds=5
size=256
while [ $# -gt 0 ]; do
	case $1 in
	--memory) what=memory ;;
	--kinds) what=kinds ;;
	--speed) what=speed ;;
	--rounds | --size)
		case ${2:-} in
		'' | 0* | *[!0-9]*) usage >&2; exit 2 ;;
		esac
		[ "$1" = --rounds ] && rounds=$2 || size=$2
		shift
		;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

cd "$(dirname "$0")/.."
results=bench/results
tmp=$(mktemp -d)
server=
clean_up() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
	[ ! -s "$tmp/log" ] || tail -n 20 "$tmp/log" >&2
	echo "bench/disk.sh: $*" >&2
	exit 1
}

script/setup
{ cmake --preset release && cmake --build --preset release --target nbdkit_zram_plugin bench_disk_memory bench_process_pages \
	bench_chart; } \
	>"$tmp/log" 2>&1 || fail "the build failed"
plugin=build/release/plugins/nbdkit/nbdkit-zram-plugin.so
uri="nbd+unix:///?socket=$tmp/socket"
mkdir -p "$results"

# The names of the servers, and what nbdkit gets for each.
arguments() {
	case $1 in
	null) echo "null ${size}M" ;;
	zram-zstd-train) echo "$plugin ${size}M algorithm=zstd algorithm-params=level=9 train-dict=true" ;;
	zram-zstd-32k) echo "$plugin ${size}M algorithm=zstd block-size=32768" ;;
	zram-*) echo "$plugin ${size}M algorithm=${1#zram-}" ;;
	memory-*) echo "memory ${size}M allocator=${1#memory-}" ;;
	esac
}

# start NAME
start() {
	rm -f "$tmp/socket" "$tmp/pid"
	# shellcheck disable=SC2046 # words
	nbdkit --foreground --pidfile "$tmp/pid" --unix "$tmp/socket" $(arguments "$1") >"$tmp/log" 2>&1 &
	server=$!
	tries=500
	until [ -s "$tmp/pid" ]; do
		tries=$((tries - 1))
		if [ $tries -eq 0 ] || ! kill -0 "$server" 2>/dev/null; then
			fail "nbdkit does not start: $1"
		fi
		sleep 0.02
	done
}

stop() {
	kill "$server"
	wait "$server" || fail "nbdkit ended with an error"
	server=
}

# make_data KIND FILE: real data in their own order, as much as the disk has.
make_data() {
	case $1 in
	libraries) set -- "$2" -name '*.so*' /usr/lib /usr/local/lib ;;
	headers) set -- "$2" -name '*.h' /usr/include /usr/lib ;;
	*)
		build/release/bench/bench_process_pages "exec ${1%%:*} '$PWD/bench/processes/${1#*:}'" >"$2" ||
			fail "no memory of ${1%%:*}"
		return
		;;
	esac
	out=$1
	shift
	match="$1 $2"
	shift 2
	# shellcheck disable=SC2086 # words
	find "$@" -xdev -type f -size +3k -readable $match -print0 2>/dev/null | sort -z | xargs -0 cat 2>/dev/null |
		head -c $((size * 1048576)) >"$out" || true
	[ "$(wc -c <"$out")" -ge $((size * 262144)) ] || fail "this machine has too little data of that kind"
}

# memory NAME STAGE DATA: a line of JSON
memory() {
	start "$1"
	build/release/bench/disk/bench_disk_memory "$uri" "$server" "$3" "$2" 1 >"$tmp/line" || fail "bench_disk_memory failed"
	jq -c --arg server "$1" '{server: $server} + .' "$tmp/line" >>"$tmp/memory"
	stop
}

measure_memory() {
	: >"$tmp/memory"
	make_data libraries "$tmp/data"
	for name in memory-sparse memory-malloc memory-zstd zram-lz4 zram-zstd; do
		memory $name used "$tmp/data"
	done
	for name in memory-zstd zram-lz4 zram-zstd; do
		memory $name fresh-overwritten "$tmp/data"
		memory $name fresh-trimmed "$tmp/data"
	done
	# A server that takes all of the disk's memory before the first write is shown with it.
	jq -s '(map(select(.server == "memory-sparse"))[0].start_bytes) as $base |
		map((.start_bytes - $base) as $more | if .stage != "used" or $more < 16777216 then . else
			.filled_bytes += $more | .overwritten_bytes += $more | .trimmed_bytes += $more |
			.points |= map([.[0], .[1] + $more / 1048576]) end)' "$tmp/memory" >"$results/disk-memory.json"
}

# Four kinds of data, each on a disk as large as they are; processes are those that this machine can run.
measure_kinds() {
	whole=$size
	: >"$tmp/memory"
	set -- libraries headers
	for process in python3:python.py node:node.js perl:perl.pl; do
		[ $# -eq 4 ] || ! command -v "${process%%:*}" >/dev/null || set -- "$@" "$process"
	done
	for kind; do
		size=64
		make_data "$kind" "$tmp/data"
		size=$(($(wc -c <"$tmp/data") / 1048576))
		[ $size -le 64 ] || size=64
		for name in memory-zstd zram-lz4 zram-zstd zram-zstd-train zram-zstd-32k; do
			start $name
			build/release/bench/disk/bench_disk_memory "$uri" "$server" "$tmp/data" filled 1 >"$tmp/line" ||
				fail "bench_disk_memory failed"
			jq -c --arg server "$name" --arg kind "${kind%%:*}" '{$server, $kind} + .' "$tmp/line" >>"$tmp/memory"
			stop
		done
	done
	size=$whole
	jq -s . "$tmp/memory" >"$results/disk-kinds.json"
}

print_kinds() {
	echo "| data | MiB | memory zstd | zram lz4 | zram zstd | zram zstd, level 9, trained dictionary | zram zstd, blocks of 32 KiB |"
	echo "| --- | --- | --- | --- | --- | --- | --- |"
	jq -r '
		def two: . * 100 | round / 100;
		def row($all): . as $k | [$all[] | select(.kind == $k or $k == "all")] |
			(map(select(.server == "memory-zstd") | .bytes) | add) as $peer |
			(map(select(.server == "memory-zstd") | .blocks) | add / 256 | round) as $mib |
			[["zram-lz4", "zram-zstd", "zram-zstd-train", "zram-zstd-32k"][] as $s |
				(map(select(.server == $s) | .bytes) | add) / $peer | two | tostring] |
			"| \($k) | \($mib) | 1 | \(join(" | ")) |";
		. as $all | (map(.kind) | unique[] | row($all)), ("all" | row($all))' "$results/disk-kinds.json"
}

# The picture's description, from the results. A stage is SIZE MiB wide, but for the last, of 87 %.
describe() {
	printf 'title\tMemory of a %s MiB disk\n' "$size"
	printf 'subtitle\tresident memory of the server; %s MiB of shared libraries, written in order, overwritten at random twice, 87 %% trimmed\n' "$size"
	printf 'x\tlinear\tMiB written or trimmed so far\ny\tlinear\tplain\tMiB resident\npanel\t\n'
	printf 'phase\t0\t%s\tfill\nphase\t%s\t%s\toverwrite\nphase\t%s\t%s\ttrim\n' "$size" "$size" $((3 * size)) $((3 * size)) \
		$((3 * size + size * 92 / 100))
	jq -r --argjson size "$size" '
		def look: {"memory-sparse": ["allocator=sparse", "#9aa0a6", "dashed", "ABOVE"],
			"memory-malloc": ["allocator=malloc", "#5f6368", "line", "BELOW"],
			"memory-zstd": ["allocator=zstd", "#d9822b", "line", "ABOVE"],
			"zram-lz4": ["zram, lz4", "#4c9be8", "line", "ABOVE"],
			"zram-zstd": ["zram, zstd", "#1a73e8", "bold", "BELOW"]};
		.[] | select(.stage == "used") | .server as $s | look[$s] as $l |
		(["series", $l[0], $l[1], $l[2], ($size * 1.6 | tostring), $l[3]] | @tsv),
		(.points[] | ["point", (.[0] | tostring), (.[1] | tostring)] | @tsv)' "$results/disk-memory.json"
}

mib='def mib: . / 1048576 * 10 | round / 10;'
print_memory() {
	echo "| server | filled, MiB | overwritten | trimmed | overwritten / fresh | trimmed / fresh |"
	echo "| --- | --- | --- | --- | --- | --- |"
	jq -r "$mib"'
		def two: . * 100 | round / 100;
		(map(select(.stage != "used") | {key: (.server + "/" + .stage), value: .bytes}) | from_entries) as $fresh |
		.[] | select(.stage == "used") |
		$fresh[.server + "/fresh-overwritten"] as $o | $fresh[.server + "/fresh-trimmed"] as $t |
		"| \(.server) | \(.filled_bytes | mib) | \(.overwritten_bytes | mib) | \(.trimmed_bytes | mib) | " +
		"\(if $o then .overwritten_bytes / $o | two else "" end) | \(if $t then .trimmed_bytes / $t | two else "" end) |"' \
		"$results/disk-memory.json"
}

# fio_run NAME RW JOBS
fio_run() {
	fio --name=x --ioengine=nbd --uri="$uri" --bs=4k --iodepth=16 --size="${size}M" --rw="$2" --numjobs="$3" --randseed=1 \
		--buffer_compress_percentage=50 --refill_buffers --time_based --runtime=2 --group_reporting --output-format=json \
		2>/dev/null | sed -n '/^{/,$p' >"$tmp/fio" || fail "fio failed"
	jq -c --arg server "$1" --arg rw "$2" --argjson jobs "$3" \
		'{$server, $rw, $jobs, iops: (.jobs[0].read.iops + .jobs[0].write.iops)}' "$tmp/fio" >>"$tmp/speed"
}

# nbdcopy_in NAME first|over
nbdcopy_in() {
	begin=$(date +%s%N)
	nbdcopy "$tmp/copy" "$uri" || fail "nbdcopy failed"
	ns=$(($(date +%s%N) - begin))
	printf '{"server":"%s","rw":"nbdcopy %s","jobs":1,"iops":%s}\n' "$1" "$2" $((size * 256 * 1000000000 / ns)) >>"$tmp/speed"
}

measure_speed() {
	: >"$tmp/speed"
	make_data libraries "$tmp/copy"
	round=0
	while [ $round -lt "$rounds" ]; do
		round=$((round + 1))
		for name in null memory-zstd zram-lz4 zram-zstd; do
			start $name
			# Into an empty disk, whose memory is yet to come from the system, and over the same; what is read is real.
			nbdcopy_in $name first
			nbdcopy_in $name over
			fio_run $name randread 1
			fio_run $name randread 2
			fio_run $name randwrite 1
			fio_run $name randwrite 2
			stop
		done
	done
	jq -s . "$tmp/speed" >"$results/disk-speed.json"
}

print_speed() {
	echo "| server | randread, kIOPS | randwrite | randread, 2 connections | randwrite, 2 connections | nbdcopy into an empty disk, MiB/s | over the same |"
	echo "| --- | --- | --- | --- | --- | --- | --- |"
	jq -r '
		def median: sort | .[(length - 1) / 2 | floor];
		def k: . / 100 | round / 10;
		. as $all | ["null", "memory-zstd", "zram-lz4", "zram-zstd"][] as $s |
		[["randread", 1], ["randwrite", 1], ["randread", 2], ["randwrite", 2], ["nbdcopy first", 1], ["nbdcopy over", 1]] |
		map(. as $m | [$all[] | select(.server == $s and .rw == $m[0] and .jobs == $m[1]) | .iops] | median) |
		"| \($s) | \(.[0] | k) | \(.[1] | k) | \(.[2] | k) | \(.[3] | k) | \(.[4] / 256 | round) | \(.[5] / 256 | round) |"' "$results/disk-speed.json"
	echo
	echo "| medians of the ratios in each round | ratio | from | to | target |"
	echo "| --- | --- | --- | --- | --- |"
	# Of each server the measurements of one kind are in the order of the rounds.
	jq -r '
		def two: . * 100 | round / 100;
		def of($all; $m): [$all[] | select(.server == $m[0] and .rw == $m[1] and .jobs == $m[2]) | .iops];
		. as $all | [
			["random read, lz4 / null", ["zram-lz4", "randread", 1], ["null", "randread", 1], 0.8],
			["random read, lz4 / memory zstd", ["zram-lz4", "randread", 1], ["memory-zstd", "randread", 1], 4],
			["random write, lz4 / null", ["zram-lz4", "randwrite", 1], ["null", "randwrite", 1], 0.5],
			["random write, lz4 / memory zstd", ["zram-lz4", "randwrite", 1], ["memory-zstd", "randwrite", 1], 9],
			["nbdcopy into an empty disk, lz4 / memory zstd", ["zram-lz4", "nbdcopy first", 1], ["memory-zstd", "nbdcopy first", 1], 2],
			["nbdcopy over the same, lz4 / memory zstd", ["zram-lz4", "nbdcopy over", 1], ["memory-zstd", "nbdcopy over", 1], 2],
			["random read, two connections / one, lz4", ["zram-lz4", "randread", 2], ["zram-lz4", "randread", 1], 1.6],
			["random write, two connections / one, lz4", ["zram-lz4", "randwrite", 2], ["zram-lz4", "randwrite", 1], 1.6],
			["random read, two connections / one, null", ["null", "randread", 2], ["null", "randread", 1], ""],
			["random write, two connections / one, null", ["null", "randwrite", 2], ["null", "randwrite", 1], ""]
		][] | . as $row | [of($all; .[1]), of($all; .[2])] | transpose | map(.[0] / .[1]) | sort |
		"| \($row[0]) | \(.[(length - 1) / 2 | floor] | two) | \(.[0] | two) | \(.[-1] | two) | " +
		"\(if $row[3] == "" then "" else "at least \($row[3])" end) |"' "$results/disk-speed.json"
}

for part in $what; do
	case $part in
	memory)
		measure_memory
		mkdir -p docs/img
		describe >"$tmp/chart"
		build/release/bench/bench_chart <"$tmp/chart" >"$tmp/chart.svg" || fail "no picture"
		cp "$tmp/chart.svg" docs/img/disk-memory.svg
		print_memory
		;;
	kinds)
		measure_kinds
		print_kinds
		;;
	speed)
		measure_speed
		print_speed
		;;
	esac
done
