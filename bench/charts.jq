# SPDX-License-Identifier: BSD-3-Clause
# Turns the raw numbers of a run into the description of a chart for bench_chart; $chart says which. Run with -r.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def line(f): [f] | map(tostring) | join("\t");

# Where each stage of a history is on the x axis.
{ fill: [0, 1], churn: [1, 2], settled: [2, 2.3], freed: [2.3, 3.2], released: [3.2, 4.4], refill: [4.4, 5.3],
	refill_settled: [5.3, 5.6] } as $stage
| { dense: "#2f81f7", glibc: "#bf8700", jemalloc: "#a371f7", mimalloc: "#e5534b", tcmalloc: "#2da44e" } as $colour
| 1048576 as $mib
| if $chart == "memory" then
	[$density[0][] | select(.samples != null)] as $runs
	| first($runs[] | select(.allocator == "dense")) as $ours
	# Asking is one step, at the start of the stage; others let the time go by.
	| def points($run; $column): $run.samples[] | . as $s | $stage[$s[0]] as [$from, $to]
		| if $s[0] == "released" and $run.shrinker == 0
		then line("point", $from + 0.1, $s[$column] / $mib), line("point", $to, $s[$column] / $mib)
		else line("point", $from + ($to - $from) * $s[1], $s[$column] / $mib) end;
	line("title", "Memory held while \($ours.objects / 1000),000 objects come and go"),
	line("subtitle", "Resident memory in MiB, all metadata included. \($environment[0].cpu), \($environment[0].kernel)"),
	line("x", "linear", "memory given back: each was asked to, with zs_compact, malloc_trim and the like"),
	line("y", "linear", "plain", ""),
	line("panel", ""),
	line("phase", 0, 1, "fill"), line("phase", 1, 2.3, "random churn, 5 times"), line("phase", 2.3, 3.2, "70 % freed"),
	line("phase", 3.2, 4.4, "memory given back"), line("phase", 4.4, 5.6, "refilled, other sizes"),
	line("series", "bytes requested by live objects", "#6e7781", "area", 1.6, "BELOW"),
	line("point", 0, 0), points($ours; 3),
	($runs[] | select(.allocator != "dense" and .allocator != "linux")
		| line("series", .allocator, ($colour[.allocator] // "#8b949e"), "line", 3.95, "ABOVE"), line("point", 0, 0), points(.; 2),
			line("point", 5.6, .samples[-1][2] / $mib)),
	line("series", "zsmalloc", $colour.dense, "bold", 3.95, "ABOVE"), line("point", 0, 0), points($ours; 2)
elif $chart == "latency" then
	line("title", "How long a single call takes while the pool is being compacted"),
	line("subtitle", "One thread works, another compacts the same pool of \($compact[0][0].mebibytes) MiB without a pause. Medians of \($compact[0] | length) rounds. \($environment[0].cpu)"),
	line("x", "nines", "percent of calls that take at most this long"),
	line("y", "log", "ns", "time of one call"),
	(["malloc", "malloc"], ["free", "free"], ["read", "read begin"] | . as [$what, $title]
		| line("panel", $title), line("limit", 1000000, "target: none above 1 ms"),
		(["empty", "#6e7781", "dashed", "clock only", "compaction"], [$what, "#bf8700", "line", "alone", "alone"],
			[$what, "#2f81f7", "bold", "compacting", "compaction"] | . as [$column, $paint, $style, $name, $mode]
			| line("series", $name, $paint, $style, 0.9, "END"),
			([["p50", 0.5], ["p90", 0.9], ["p99", 0.99], ["p99_9", 0.999], ["p99_99", 0.9999], ["p99_999", 0.99999]][]
				| . as [$point, $share]
				| line("point", $share, ([$compact[0][].latency[$mode][$column][$point]] | median | if . < 1 then 1 else . end)))))
elif $chart == "speed" then
	# A bar is an area between two points. Each operation is measured against the fastest allocator at it.
	["dense", "glibc", "jemalloc", "mimalloc", "tcmalloc"] as $order
	| def per_second($allocator; $column): [$speed[0][] | select(.allocator == $allocator) | .per_second[$column]] | median;
	[($order + ([$speed[0][].allocator] | unique | . - $order))[] | select(. as $a | any($speed[0][]; .allocator == $a))] as $here
	| line("title", "Speed on \($speed[0][0].objects / 1000),000 objects, beside the fastest at each"),
	line("subtitle", "Handles of this library against plain pointers, one thread, medians of \([$speed[0][] | select(.allocator == "dense")] | length) rounds. \($environment[0].cpu)"),
	line("x", "linear", "higher is faster"),
	line("y", "linear", "plain", ""),
	(["fill", "fill: malloc + write"], ["churn", "churn: free, malloc + write"], ["read", "read all of a random one"]
		| . as [$column, $title]
		| ([$here[] | per_second(.; $column)] | max) as $best
		| line("panel", $title),
		(range($here | length) as $i | line("phase", $i, $i + 1, ($here[$i] | if . == "dense" then "zsmalloc" else . end))),
		(range($here | length) as $i | $here[$i]
			| line("series", "", ($colour[.] // "#8b949e"), "area", 0, "ABOVE"),
			line("point", $i + 0.15, per_second(.; $column) / $best), line("point", $i + 0.85, per_second(.; $column) / $best)))
else error("no such chart: " + $chart) end
