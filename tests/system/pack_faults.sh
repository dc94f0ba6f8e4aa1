#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What happens while zs pack is at work: files that change, processes that end, reads that fail, a page that comes back
# with one bit wrong, no memory, a signal.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
: "${INTERPOSE:?}"
[ -z "${ZS_SANITIZE:-}" ] || skip "a sanitizer's own library must be loaded first: nothing else can be put before it"

"$MAKE_PAGES" 4096 words 640 >"$tmp/original" # ten reads of 64 pages, then ten again
cp "$tmp/original" "$tmp/file"

with() {
	env LD_PRELOAD="$INTERPOSE" "$@"
}

# Without a setting the library in between changes nothing.
run with "$ZS" pack --json "$tmp/file"
expect_clean
expect_json '.intact_pages == 640'

# One bit: the page is named, exit status 3, and the rest is counted.
run with ZS_TEST_BREAK=100 "$ZS" pack --json --threads 1 "$tmp/file"
expect_status 3
expect_lines 1
expect_message "1 page read back is not what was stored; the first is at offset $((99 * 4096)) of $tmp/file"
expect_json '.intact_pages == 639' '.broken_pages == 1'
run with ZS_TEST_BREAK=100 "$ZS" pack --threads 4 "$tmp/file"
expect_status 3
grep -q '^  broken  *1$' "$out" || fail "the report does not tell"

# The file is overwritten between the two reads of it: what was stored is right, the file is another one.
run with ZS_TEST_AT_READ=11 ZS_TEST_COMMAND="dd if=/dev/zero of='$tmp/file' bs=4096 count=7 seek=100 conv=notrunc 2>/dev/null" \
	"$ZS" pack --json --threads 1 "$tmp/file"
expect_status 1
expect_lines 1
expect_message "$tmp/file: was not the same when it was read again; 7 pages were checked as read the first time"
expect_json '.intact_pages == 640' '.broken_pages == 0' '.problems | length == 1'
# A bit that comes back wrong is still found there.
cp "$tmp/original" "$tmp/file"
run with ZS_TEST_AT_READ=11 ZS_TEST_COMMAND=": >'$tmp/file'" ZS_TEST_BREAK=300 "$ZS" pack --json --threads 1 "$tmp/file"
expect_status 3
expect_json '.intact_pages == 639' '.broken_pages == 1'

# The file becomes shorter, or is gone, while it is read the first time.
cp "$tmp/original" "$tmp/file"
run with ZS_TEST_AT_READ=6 ZS_TEST_COMMAND="truncate -s 1500000 '$tmp/file'" "$ZS" pack --json --threads 1 "$tmp/file"
expect_status 1
expect_lines 1
expect_message "$tmp/file: the file became shorter while it was read; 274 pages are left out"
expect_json '.pages == 366' '.lost_pages == 274' '.intact_pages == 366' '.broken_pages == 0'
cp "$tmp/original" "$tmp/file"
run with ZS_TEST_AT_READ=6 ZS_TEST_COMMAND="rm '$tmp/file'" "$ZS" pack --json --threads 1 "$tmp/original" "$tmp/file"
expect_status 1
expect_lines 1
expect_message "$tmp/file: No such file or directory; 640 pages are left out"
expect_json '.pages == 640' '.intact_pages == 640'

# The disk fails.
cp "$tmp/original" "$tmp/file"
run with ZS_TEST_FAIL_READ=4 "$ZS" pack --json --threads 1 "$tmp/file"
expect_status 1
expect_lines 1
expect_message "$tmp/file: Input/output error; 448 pages are left out"
expect_json '.pages == 192' '.intact_pages == 192'
run with ZS_TEST_FAIL_READ=11 "$ZS" pack --json --threads 1 "$tmp/file"
expect_status 1
expect_lines 1
expect_message "$tmp/file: Input/output error when it was read again; 640 pages were checked as read the first time"

# A process ends in the middle.
hold process random 640
if dd if="/proc/$pid/mem" of=/dev/null count=0 2>/dev/null; then
	run with ZS_TEST_AT_READ=5 ZS_TEST_COMMAND=". '$ZS_SOURCE_DIR/tests/support/wait.sh'; kill -KILL $pid; wait_for 10 ended $pid" \
		"$ZS" pack --json --threads 1 --pid $pid
	expect_status 1
	expect_lines 1
	expect_message "process $pid: the process ended while it was read; " 'pages are left out'
	expect_json '.pages >= 200 and .pages < 640' '.lost_pages > 200' '.intact_pages == .pages' '.broken_pages == 0'
fi

# A signal at work: no report, ended by the signal.
run with ZS_TEST_AT_READ=4 ZS_TEST_COMMAND='kill -TERM $PPID' "$ZS" pack --json "$tmp/file"
[ "$(kill -l $status)" = TERM ] || fail "did not end by the signal"
expect_no_output
! grep -v '^Terminated' "$err" || fail "there is something on standard error" # that line is the shell's

# No memory: said, not crashed.
# shellcheck disable=SC3045 # dash has it
run sh -c 'ulimit -v 30000 && exec "$1" pack "$2"' - "$ZS" "$tmp/file"
expect_status 3
expect_no_output
expect_lines 1
