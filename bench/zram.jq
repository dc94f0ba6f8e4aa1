# The tables of script/bench zram, from what bench_zram printed: medians over the rounds of ratios taken within a round.
def median: sort | .[length / 2 | floor];
def ratios($n; $a; $b): [range($n[$a] | length) as $i | $n[$a][$i] / $n[$b][$i]];
def row($what; $r; $target; $compare):
	($r | median) as $m
	| { what: $what, measured: ($m * 1000 | round / 1000 | tostring),
	    "lowest - highest": "\($r | min * 100 | round / 100) - \($r | max * 100 | round / 100)",
	    target: (if $target == null then "" else "\($compare) \($target)" end),
	    verdict: (if $target == null then "" elif (if $compare == "at least" then $m >= $target else $m <= $target end)
		then "met" else "missed" end) };

.ns as $n
| [ row("put, speed of a bare LZ4 loop"; ratios($n; "bare_put"; "put"); 0.93; "at least"),
    row("get, hot, speed of a bare loop"; ratios($n; "bare_get"; "get"); 0.85; "at least"),
    row("put, same-filled, speed of memcmp()"; ratios($n; "bare_same"; "same"); 0.85; "at least"),
    row("put, two threads against one"; ratios($n; "put"; "put_two_threads"); 1.9; "at least"),
    row("get, two threads against one"; ratios($n; "get_all"; "get_two_threads"); 1.9; "at least"),
    row("get of all pages, 64 KiB a request against one page"; ratios($n; "get_all"; "get_64k"); 1.1; "at least"),
    row("bare LZ4 loop, two threads against one"; ratios($n; "bare_put"; "bare_put_two_threads"); null; ""),
    (if $n | has("kernel_put") then
	row("put, speed of the kernel's zram"; ratios($n; "kernel_put"; "put"); 1.1; "at least"),
	row("get, speed of the kernel's zram"; ratios($n; "kernel_get"; "get_all"); 1.8; "at least")
     else empty end),
    row("get of all pages, speed of a bare loop over them in a row"; ratios($n; "bare_get_all"; "get_all"); null; ""),
    row("first fill, speed of a bare loop into memory that is there"; ratios($n; "bare_put"; "fill"); null; ""),
    (.memory[] | row("memory, \(.kind), of the kernel's"; [.lz4_bytes / .kernel_bytes]; 0.97; "at most")) ] as $targets
| [ .memory[] | { kind, pages, "kernel MiB": (.kernel_bytes / 104857.6 | round / 10),
	"lz4 MiB": (.lz4_bytes / 104857.6 | round / 10), "with dictionary": (.lz4_dict_bytes / 104857.6 | round / 10),
	"zstd MiB": (.zstd_bytes / 104857.6 | round / 10),
	"zstd with dictionary": (.zstd_dict_bytes / 104857.6 | round / 10) } ] as $memory
| { targets: $targets, memory: $memory, kernel }
