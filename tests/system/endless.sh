#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Input that never ends, or is larger than any memory: zs advise takes a sample as it flows by, zs pack stops with a line
# that says why, and neither takes the memory of others. An endless pipe was once copied to memory until the system killed
# processes, others first.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
: "${INTERPOSE:?}"

advise() {
	run "$ZS" advise --quick --survey 64K --json "$@"
}
# endless COMMAND...: with lines that never end on standard input
endless() {
	what="yes | $*"
	yes 'a line of some text' | {
		status=0
		"$@" >"$out" 2>"$err" || status=$?
		echo $status >"$tmp/status"
	}
	status=$(cat "$tmp/status")
}

# Sixteen times the sample is read, no more, whatever endless thing it is.
endless_clean() {
	expect_status 0
	expect_lines 1
	expect_message 'standard input: has more than 1.00 MiB, which is as far as a sample of 64.0 KiB reads (see --sample)'
	expect_json '.input_bytes == 16 * 65536' '.sample_bytes == 65536' '.sampled == 1' '.cut_streams == 1' '.problems == []'
}
endless "$ZS" advise --quick --survey 64K --json --sample 64K -
endless_clean
run_from /dev/zero "$ZS" advise --quick --survey 64K --json --sample 64K -
endless_clean
run_from /dev/zero "$ZS" advise --quick --survey 64K --sample 64K -
grep -q '1 stream was not read to the end' "$out" || fail "the report does not say that there was more"

# The sample is spread over what went by, the same each time, and beside files each has its share.
"$MAKE_PAGES" 4096 words 200 random 200 >"$tmp/halves"
mkfifo "$tmp/pipe"
stream() {
	cat "$tmp/halves" >"$tmp/pipe" &
	held=$!
	advise "$@"
	wait $held
	held=
	expect_clean
}
stream --sample 256K "$tmp/pipe"
expect_json '.input_bytes == 400 * 4096' '.sample_bytes == 262144' '.sampled == 1' '.cut_streams == 0' \
	'.predictions[0].kernel.huge_pages >= 16 and .predictions[0].kernel.huge_pages <= 48'
jq '.predictions[:5]' "$out" >"$tmp/first"
stream --sample 256K "$tmp/pipe"
jq '.predictions[:5]' "$out" | cmp -s - "$tmp/first" || fail "another sample the second time"
"$MAKE_PAGES" 4096 zero 400 >"$tmp/zeros"
stream --sample 256K "$tmp/zeros" "$tmp/pipe"
expect_json '.input_bytes == 800 * 4096' '.sample_bytes == 262144' '.predictions[0].kernel.same_pages == 32' \
	'.predictions[0].kernel.huge_pages >= 16 and .predictions[0].kernel.huge_pages <= 48'
# As the file would be read where all of it is.
stream --sample all "$tmp/pipe"
expect_json '.sampled == 0' '.sample_bytes == 400 * 4096' '.predictions[0].kernel.huge_pages == 200'

# Ctrl-C ends it with what there is: here all but what still is in the pipe. Other signals end it without.
for signal in INT TERM; do
	env --default-signal=$signal "$ZS" advise --quick --survey 64K --json "$tmp/pipe" >"$out" 2>"$err" &
	held=$!
	exec 3>"$tmp/pipe"
	cat "$tmp/halves" >&3
	what="zs advise pipe, and then SIG$signal"
	kill -$signal $held
	status=0
	wait $held || status=$?
	held=
	exec 3>&-
	if [ $signal = INT ]; then
		expect_status 0
		expect_lines 1
		expect_message "$tmp/pipe: interrupted: the figures are of the"
		expect_json '.sample_bytes >= 400 * 4096 - 65536' '.cut_streams == 1'
	else
		[ "$(kill -l "$status")" = TERM ] || fail "did not end by the signal"
		expect_no_output
	fi
done
# With nothing read there is nothing to say.
env --default-signal=INT "$ZS" advise --quick "$tmp/pipe" >"$out" 2>"$err" &
held=$!
exec 3>"$tmp/pipe"
kill -INT $held
status=0
wait $held || status=$?
held=
exec 3>&-
[ "$(kill -l "$status")" = INT ] || fail "did not end by the signal"
expect_no_output

# A file of any size has a sample: only some file systems have such files.
huge=$tmp/huge
[ ! -d /dev/shm ] || huge=/dev/shm/zs-huge-advise.$$
if truncate -s 1P "$huge" 2>/dev/null; then
	advise --sample 256K "$huge"
	rm -f "$huge"
	expect_clean
	expect_json '.input_bytes == 1125899906842624' '.sample_bytes == 262144'
fi
rm -f "$huge"

# The rest makes memory scarce: for zs alone, by what it finds in /proc/meminfo.
[ -z "${ZS_SANITIZE:-}" ] || skip "a sanitizer's own library must be loaded first: nothing else can be put before it"
scarce() {
	printf 'MemTotal: 1000000 kB\nMemFree: 1 kB\nMemAvailable: %s kB\n' "$1" >"$tmp/meminfo"
	shift
	env LD_PRELOAD="$INTERPOSE" ZS_TEST_MEMINFO="$tmp/meminfo" "$@"
}

# A stream is kept until it is a third of what there is.
endless scarce 12288 "$ZS" pack --json -
expect_status 1
expect_lines 1
expect_message 'standard input: has more than 4.00 MiB, and no more of a stream is kept, so that the machine has memory left'
expect_json '.pages == 1024' '.intact_pages == 1024' '.problems | length == 1'
# zs advise takes a sample of what flows by then, even where all is asked for, and comes to an end too.
endless scarce 12288 "$ZS" advise --quick --survey 64K --json --sample all -
expect_status 0
expect_lines 1
expect_message 'standard input: has more than 64.0 MiB, which is as far as a sample of 4.00 MiB reads'
expect_json '.sample_bytes == 4194304' '.input_bytes == 67108864' '.sampled == 1' '.cut_streams == 1' '.problems == []'
# So a stream of any length is read to its end.
status=0
what="a stream of 10 MiB | zs advise --sample all -"
for i in 1 2 3 4 5 6 7 8; do cat "$tmp/halves"; done |
	scarce 12288 "$ZS" advise --quick --survey 64K --json --sample all - >"$out" 2>"$err" || status=$?
expect_clean
expect_json '.input_bytes == 3200 * 4096' '.sample_bytes == 4194304' '.sampled == 1' '.cut_streams == 0' \
	'.predictions[0].kernel.huge_pages >= 384 and .predictions[0].kernel.huge_pages <= 640'
# A sample is made smaller.
endless scarce 12288 "$ZS" advise --quick --survey 64K --json --sample 64M -
expect_status 0
expect_json '.sample_bytes <= 4194304 and .sample_bytes >= 2097152' '.input_bytes == 67108864' '.problems == []'
# So it is of a file.
run scarce 1024 "$ZS" advise --quick --survey 64K --json "$tmp/halves"
expect_clean
expect_json '.sample_bytes == 524288' '.sampled == 1'
# What does not fit once it is stored.
run scarce 2048 "$ZS" pack --json "$tmp/halves" "$tmp/halves"
expect_status 3
expect_no_output
expect_lines 1
expect_message 'no more pages can be stored: the store may take' 'so that the machine has memory left'
# Files are read to the end where that is asked for, page by page and by all algorithms, and nothing of them is kept. What
# does not fit into memory is predicted as what does.
advise --sample all "$tmp/halves" "$tmp/zeros"
expect_clean
jq '[.predictions[:6][].kernel]' "$out" >"$tmp/first"
run scarce 2048 "$ZS" advise --quick --survey 64K --json --sample all "$tmp/halves" "$tmp/zeros"
expect_clean
expect_json '.sampled == 0' '.sample_bytes == 800 * 4096' '.input_bytes == .sample_bytes'
jq '[.predictions[:6][].kernel]' "$out" | cmp -s - "$tmp/first" || fail "another prediction where memory is scarce"
run scarce 2048 "$ZS" advise --quick --survey 64K --sample all "$tmp/halves"
expect_clean
grep -q 'all of it was read: 400 pages' "$out" || fail "it does not say that all was read"
# What can't be kept track of: a file, and a process. The rest is done.
truncate -s 1G "$tmp/sparse"
"$MAKE_PAGES" 4096 words 10 >"$tmp/good"
run scarce 8192 "$ZS" pack --json "$tmp/sparse" "$tmp/good"
expect_status 1
expect_lines 1
expect_message "$tmp/sparse: is too large: to keep track of the pages of 1.00 GiB takes 8.00 MiB of memory, which is not there"
expect_json '.pages == 10'
hold large zero 40000
if dd if="/proc/$pid/mem" of=/dev/null count=0 2>/dev/null; then
	run scarce 2048 "$ZS" pack --json "$tmp/good" --pid $pid
	expect_status 1
	expect_lines 1
	expect_message "process $pid: is too large: to keep track of its 40,"
	expect_json '.pages == 10' '.inputs == 1'
fi

# A list of names that has no end: names of what is there, and of what isn't.
endless_list() {
	what="yes $1 | zs pack --files-from -"
	yes "$1" | {
		status=0
		scarce 3072 "$ZS" pack --json --files-from - >"$out" 2>"$err" || status=$?
		echo $status >"$tmp/status"
	}
	status=$(cat "$tmp/status")
}
"$MAKE_PAGES" 4096 zero 10 >"$tmp/good"
endless_list "$tmp/good"
expect_status 1
expect_lines 1
expect_message "$tmp/good: is left out, and so is what comes after it: to keep track of more than 49,150 pages takes memory"
expect_json '.pages == 49150' '.intact_pages == .pages'
printf 'x' >"$tmp/short"
endless_list "$tmp/short"
expect_status 3
expect_no_output
expect_lines 1
expect_message 'out of memory: too many inputs'
yes "$tmp/nowhere" | head -n 10007 >"$tmp/list"
run "$ZS" pack --json "$tmp/good" --files-from "$tmp/list"
expect_status 1
expect_lines 10007
expect_json '.problems | length == 10001' '.problems[10000] == "and 7 more"'
