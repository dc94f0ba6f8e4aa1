# SPDX-License-Identifier: BSD-3-Clause
# Turns the raw numbers of a run into the tables of script/bench: medians, and the targets they are held against.
# $density, $ops and $ops_shared hold one array each, of the lines that the programs printed; $environment and $dataset
# one object each. The names of members are the heads of the columns.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def digits($n): pow(10; $n) as $p | . * $p | round / $p | tostring
	| if contains(".") then . else . + "." end
	| . as $s | ($s | split(".")[1] | length) as $have | $s + ("0" * ($n - $have) // "");

def spread($n): { median: (median | digits($n)), from: (min | digits($n)), to: (max | digits($n)) };

def target($what; $limit; $n; $unit):
	{ $what } + spread($n)
	+ { target: "at most \($limit)\($unit)", verdict: (if median <= $limit then "met" else "missed" end) };

def density($allocator; $objects; $stage):
	[$density[0][] | select(.allocator == $allocator and .objects == $objects) | .ratio[$stage]];

# Ratios of two columns, each of numbers from the same round.
def ratios($runs; $group; $a; $b): [$runs[0][] | [.[$group][$a], .[$group][$b]] | transpose[] | .[0] / .[1]];

def times($runs; $group; $column): [$runs[0][] | .[$group][$column][]];

{
	head: [
		($environment[0]
			| "\(.cpu), \(.cpus) processors, \(.kernel), \(.libc), huge pages: \(.transparent_hugepages); "
				+ "rounds: \(.rounds); \(.commit)",
			if .load_at_start > .cpus / 4 then "The machine was busy (load \(.load_at_start)): times say little."
			else empty end),
		($dataset[0]
			| "Sizes: \(.all.pages) pages compressed with LZ4 \(.lz4), mean \(.all.mean_bytes) bytes; "
				+ "\(.all.incompressible) incompressible (4096 bytes), "
				+ "\(.all.same_filled_skipped) same-filled left out")
	],
	targets: [
		(density("dense"; 300000; "fill") |
			target("dense, 300,000 objects: RSS growth / bytes requested at fill"; 1.012; 5; "")),
		(density("dense"; 10000; "fill") | target("dense, 10,000 objects: the same"; 1.035; 5; "")),
		{ what: "linux geometry: pages against the kernel's", median: "-", from: "-", to: "-", target: "equal",
			verdict: "proved by tests/conformance" },
		(ratios($ops; "malloc_free_ns"; "pair_large"; "pair_small") |
			target("malloc + free of one object: 4,000,000 live / 40,000 live"; 2; 2; "x")),
		(ratios($ops; "malloc_free_ns"; "replace_large"; "replace_small") |
			target("free of a random object + malloc: the same"; 2; 2; "x")),
		(ratios($ops; "read_ns"; "read_same"; "rcu_inline") |
			target("read begin + end, one hot object / liburcu lock + unlock, inlined"; 3; 2; "x")),
		(ratios($ops; "read_ns"; "read_64"; "rcu_inline") | target("the same, 64 hot objects"; 3; 2; "x")),
		(ratios($ops_shared; "read_ns"; "read_same"; "rcu_inline") |
			target("shared library, one hot object / liburcu lock + unlock, inlined"; 3; 2; "x")),
		(ratios($ops_shared; "read_ns"; "read_same"; "rcu_call") |
			target("shared library / liburcu lock + unlock, called as well"; 3; 2; "x"))
	],
	memory: [
		["dense", "linux", "glibc", "jemalloc", "mimalloc", "tcmalloc"] as $order
		| [$density[0][] | { allocator, objects }] | unique
		| sort_by([-.objects, (.allocator as $a | $order | index($a))])[] as $row
		| ["fill", "churn", "freed", "released"] as $stages
		| $row
		+ ([range(4) | { key: ["fill", "churn x5", "70 % freed", "given back"][.],
			value: (density($row.allocator; $row.objects; $stages[.]) | median | digits(3)) }] | from_entries)
		+ { with: first($density[0][] | select(.allocator == $row.allocator) | .released_with) }
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
