# SPDX-License-Identifier: BSD-3-Clause
# Turns the raw numbers of a run into the tables of script/bench: medians, and the targets they are held against.
# $density, $speed, $compact, $ops and $ops_shared hold one array each, of the lines that the programs printed;
# $environment and $dataset one object each. The names of members are the heads of the columns.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def digits($n): pow(10; $n) as $p | . * $p | round / $p | tostring
	| if contains(".") then . else . + "." end
	| . as $s | ($s | split(".")[1] | length) as $have | $s + ("0" * ($n - $have) // "");

def spread($n): { median: (median | digits($n)), from: (min | digits($n)), to: (max | digits($n)) };

def verdict($good): if $good then "met" else "missed" end;

def at_most($what; $limit; $n; $unit):
	{ $what } + spread($n) + { target: "at most \($limit)\($unit)", verdict: verdict(median <= $limit) };

def at_least($what; $limit; $n; $unit):
	{ $what } + spread($n) + { target: "at least \($limit)\($unit)", verdict: verdict(median >= $limit) };

def under($what; $limit; $n; $unit):
	{ $what } + spread($n) + { target: "under \($limit)\($unit)", verdict: verdict(median < $limit) };

# Runs of bench_density. What was sampled for a chart took longer, so where a shrinker ran it doesn't count.
def runs($allocator; $objects; $history; $shrinker):
	[$density[0][] | select(.allocator == $allocator and .objects == $objects and .history == $history
		and .shrinker == $shrinker and (.shrinker == 0 or .samples == null))];
def density($allocator; $objects; $history; $shrinker; $stage):
	[runs($allocator; $objects; $history; $shrinker)[].ratio[$stage] | values];
def shrunk($objects; $history; $stage): density("dense"; $objects; $history; 5; $stage);

# Ratios of two columns, each of numbers from the same round.
def ratios($runs; $group; $a; $b): [$runs[0][] | [.[$group][$a], .[$group][$b]] | transpose[] | .[0] / .[1]];
def times($runs; $group; $column): [$runs[0][] | .[$group][$column][]];

def speed($allocator; $group; $column): [$speed[0][] | select(.allocator == $allocator) | .[$group][$column]];
def peers: [$speed[0][].allocator] | unique | map(select(. != "dense"));
# The peer with the best median, and the ratios against it, round by round.
def best($group; $column; $sign): peers | max_by(speed(.; $group; $column) | median * $sign);
def against($peer; $group; $column):
	[speed("dense"; $group; $column), speed($peer; $group; $column)] | transpose | map(.[0] / .[1]);
def pair($column; $what):
	best("pair_ns"; $column; -1) as $peer | against($peer; "pair_ns"; $column)
	| at_most("\($what): time against the fastest peer (\($peer))"; 1; 2; "x");
def bulk($column; $what):
	best("per_second"; $column; 1) as $peer | against($peer; "per_second"; $column)
	| at_least("\($what): operations a second against the best peer (\($peer))"; 1; 2; "x");
def two_threads($allocator; $column): speed($allocator; "threads_per_second"; $column) | map(.[1] / .[0]);

# 300000 as 300,000
def commas: tostring | explode | reverse | [range(length) as $i | (if $i > 0 and $i % 3 == 0 then 44 else empty end), .[$i]]
	| reverse | implode;
def many: [$density[0][].objects] | max;
def few: [$density[0][].objects] | min;
def latency($mode; $what; $point; $unit): [$compact[0][].latency[$mode][$what][$point] / $unit];

["dense", "linux", "glibc", "jemalloc", "mimalloc", "tcmalloc"] as $order
| {
	head: [
		($environment[0]
			| "\(.cpu), \(.cpus) processors, \(.kernel), \(.libc), huge pages: \(.transparent_hugepages); "
				+ "rounds: \(.rounds); \(.commit)",
			if .allocators then "Beside: \(.allocators)." else empty end,
			if .load_at_start > .cpus / 4 then "The machine was busy (load \(.load_at_start)): times say little."
			else empty end),
		(if many != 300000 then "Smaller pools than the targets speak of: verdicts count with --full only."
			else empty end),
		($dataset[0]
			| "Sizes: \(.all.pages) pages compressed with LZ4 \(.lz4), mean \(.all.mean_bytes) bytes; "
				+ "\(.all.incompressible) incompressible (4096 bytes), "
				+ "\(.all.same_filled_skipped) same-filled left out")
	],
	targets: [
		(density("dense"; many; "churn"; 0; "fill")
			| at_most("\(many | commas) objects: RSS growth / bytes requested at fill"; 1.012; 4; "")),
		(density("dense"; few; "churn"; 0; "fill") | at_most("\(few | commas) objects: the same"; 1.035; 4; "")),
		(shrunk(many; "churn"; "churn")
			| at_most("\(many | commas) objects: after 5x random churn, shrinker on"; 1.02; 4; "")),
		(shrunk(many; "churn"; "settled") | at_most("the same, one second later"; 1.02; 4; "")),
		([runs("dense"; many; "churn"; 5)[].shrinker_cpu.churn * 100]
			| at_most("the shrinker's share of a processor during that churn"; 5; 1; " %")),
		(shrunk(few; "churn"; "churn")
			| at_most("\(few | commas) objects: after 5x random churn, shrinker on"; 1.06; 4; "")),
		(shrunk(few; "churn"; "settled") | at_most("the same, one second later"; 1.06; 4; "")),
		(density("dense"; many; "churn"; 0; "released")
			| at_most("\(many | commas) objects: 70 % freed at random, then zs_compact"; 1.02; 4; "")),
		(shrunk(many; "churn"; "released")
			| at_most("the same, at rest for ten seconds before, shrinker alone within 5 % of a processor, after one second"; 1.03; 4; "")),
		(density("dense"; many; "churn"; 100; "released") | select(length > 0)
			| at_most("the same, shrinker alone with cpu_percent 100, after one second"; 1.03; 4; "")),
		(shrunk(many; "half"; "refill")
			| at_most("\(many | commas) objects: 50 % freed, refilled with other sizes, shrinker on"; 1.03; 4; "")),
		(shrunk(many; "half"; "refill_settled") | at_most("the same, one second later"; 1.03; 4; "")),
		pair("same"; "malloc + free of one object, 20,000 live"),
		pair("replace"; "free of a random object + malloc of its size, 20,000 live"),
		pair("replace_other"; "free of a random object + malloc of another size, 20,000 live"),
		bulk("fill"; "fill of \($speed[0][0].objects | commas)"),
		bulk("churn"; "churn of \($speed[0][0].objects | commas)"),
		bulk("read"; "read of a random one of \($speed[0][0].objects | commas)"),
		(two_threads("dense"; "replace") | at_least("two threads against one, malloc + free"; 1.9; 2; "x")),
		(two_threads("dense"; "read") | at_least("two threads against one, read"; 1.9; 2; "x")),
		([$compact[0][].rate | .memcpy_ns / .compact_ns]
			| at_least("zs_compact: bytes moved a second against memcpy"; 0.6; 2; "x")),
		([$compact[0][].beside | .compaction / .alone]
			| at_least("work of one thread beside compaction without pause against alone"; 0.9; 2; "x")),
		("malloc", "free", "read" | . as $what | (if $what == "read" then "read begin" else $what end) as $name
			| (latency("compaction"; $what; "max"; 1e6)
				| under("longest single \($name) beside compaction of \($compact[0][0].mebibytes) MiB"; 1; 3; " ms")),
			(latency("compaction"; $what; "p99_9"; 1e3)
				| under("99.9 % of \($name) beside compaction of \($compact[0][0].mebibytes) MiB"; 50; 1; " us"))),
		{ what: "linux geometry: pages against the kernel's", median: "-", from: "-", to: "-", target: "equal",
			verdict: "proved by tests/conformance" },
		(ratios($ops; "malloc_free_ns"; "pair_large"; "pair_small") |
			at_most("malloc + free of one object: 4,000,000 live / 40,000 live"; 2; 2; "x")),
		(ratios($ops; "malloc_free_ns"; "replace_large"; "replace_small") |
			at_most("free of a random object + malloc: the same"; 2; 2; "x")),
		(ratios($ops; "read_ns"; "read_same"; "rcu_inline") |
			at_most("read begin + end, one hot object / liburcu lock + unlock, inlined"; 3; 2; "x")),
		(ratios($ops; "read_ns"; "read_64"; "rcu_inline") | at_most("the same, 64 hot objects"; 3; 2; "x")),
		(ratios($ops_shared; "read_ns"; "read_same"; "rcu_inline") |
			at_most("shared library, one hot object / liburcu lock + unlock, inlined"; 3; 2; "x")),
		(ratios($ops_shared; "read_ns"; "read_same"; "rcu_call") |
			at_most("shared library / liburcu lock + unlock, called as well"; 3; 2; "x"))
	],
	memory: [
		[$density[0][] | { allocator, objects, shrinker }] | unique
		| sort_by([-.objects, (.allocator as $a | $order | index($a) // 99), -.shrinker])[] as $row
		| runs($row.allocator; $row.objects; "churn"; $row.shrinker) as $runs
		| select($runs | length > 0)
		| { allocator: ($row.allocator + (if $row.shrinker > 0 then ", shrinker \($row.shrinker) %" else "" end)), objects: $row.objects }
		+ ([["fill", "fill"], ["churn", "churn x5"], ["freed", "70 % freed"], ["released", "given back"],
				["refill", "refilled"]
			| . as [$stage, $name] | { key: $name, value: ([$runs[].ratio[$stage] | values] | if . == [] then "" else median | digits(3) end) }]
			| from_entries)
		+ { with: $runs[0].released_with, runs: ($runs | length) }
	],
	speed: [
		[$speed[0][].allocator] | unique | sort_by(. as $a | $order | index($a) // 99)[] as $a
		| { allocator: $a }
		+ ([["same", "pair ns"], ["replace", "replace ns"], ["replace_other", "other size ns"]
			| . as [$c, $name] | { key: $name, value: (speed($a; "pair_ns"; $c) | median | digits(1)) }]
			| from_entries)
		+ ([["fill", "fill M/s"], ["churn", "churn M/s"], ["read", "read M/s"]
			| . as [$c, $name] | { key: $name, value: (speed($a; "per_second"; $c) | median / 1e6 | digits(2)) }]
			| from_entries)
		+ { "2 threads replace": (two_threads($a; "replace") | median | digits(2)),
			"2 threads read": (two_threads($a; "read") | median | digits(2)) }
	],
	latency: [
		("empty", "malloc", "free", "read") as $what | ("alone", "compaction") as $mode
		| { nanoseconds: "\($what), \(if $mode == "alone" then $mode else "beside compaction" end)" }
		+ ([["p50", "50 %"], ["p99", "99 %"], ["p99_9", "99.9 %"], ["p99_99", "99.99 %"], ["p99_999", "99.999 %"],
				["max", "longest"]
			| . as [$p, $name] | { key: $name, value: (latency($mode; $what; $p; 1) | median | digits(0) | rtrimstr(".")) }]
			| from_entries)
	],
	compaction: [
		([$compact[0][].rate | .moved_bytes / .compact_ns * 1000] | { what: "zs_compact, MB/s" } + spread(0)),
		([$compact[0][].rate | .moved_bytes / .memcpy_ns * 1000] | { what: "memcpy of the same, MB/s" } + spread(0)),
		([$compact[0][].rate | (.memcpy_ns + .release_ns) / .compact_ns]
			| { what: "zs_compact against memcpy and giving as many pages back" } + spread(2)),
		([$compact[0][].beside | .copying / .alone]
			| { what: "work of one thread beside one that only copies memory against alone" } + spread(2)),
		([$compact[0][].beside.moved_per_second] | { what: "objects moved a second meanwhile" } + spread(0))
		| map_values(rtrimstr("."))
	],
	times: [
		(["pair_small", "malloc + free of one object, 40,000 live"],
			["pair_large", "malloc + free of one object, 4,000,000 live"],
			["replace_small", "free of a random object + malloc, 40,000 live"],
			["replace_large", "free of a random object + malloc, 4,000,000 live"]
			| . as [$column, $what] | { nanoseconds: $what } + (times($ops; "malloc_free_ns"; $column) | spread(1))),
		(["rcu_inline", "liburcu-bp lock + unlock, inlined"],
			["rcu_call", "liburcu-bp lock + unlock, called"],
			["read_same", "read begin + end, one hot object"],
			["read_64", "read begin + end, 64 hot objects"]
			| . as [$column, $what] | { nanoseconds: $what } + (times($ops; "read_ns"; $column) | spread(2))),
		({ nanoseconds: "read begin + end, one hot object, shared library" }
			+ (times($ops_shared; "read_ns"; "read_same") | spread(2)))
	]
}
