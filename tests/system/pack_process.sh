#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs pack --pid on a process whose memory is known.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

hold first random 500 word 400 words 300
if ! dd if="/proc/$pid/mem" of=/dev/null count=0 2>/dev/null; then
	skip "this system lets nobody read the memory of another process of the same user"
fi

# What it holds, and the few pages that any process has: stack, heap, data of the C library. Of those the system's pages
# may be larger, and the rest of each is zeros.
page=$(getconf PAGESIZE)
same_most=$((410 + 16 * (page / 4096 - 1)))
for geometry in dense linux; do
	run "$ZS" pack --json --geometry $geometry --pid $pid
	expect_clean
	expect_json '.incompressible_pages >= 500 and .incompressible_pages <= 505' \
		".same_filled_pages >= 400 and .same_filled_pages <= $same_most" \
		'.compressed_pages >= 300 and .compressed_pages <= 380' '.intact_pages == .pages' '.broken_pages == 0' \
		'.lost_pages == 0' '.inputs == 1' '.kernel.huge_pages >= 500'
done
run "$ZS" pack --pid $pid
expect_clean
grep -q 'compared by a 64-bit hash, as live memory changes' "$out" || fail "does not say how it was compared"

# Larger pages: the first of each mapping is where the mapping starts.
run "$ZS" pack --json --page-size 16384 --pid $pid
expect_clean
expect_json '.incompressible_pages >= 125 and .incompressible_pages <= 130' \
	'.compressed_pages + .same_filled_pages >= 175 and .compressed_pages + .same_filled_pages <= 240'

# Two processes, and files beside.
first=$pid
hold second random 100
run "$ZS" pack --json --pid $first --pid $pid
expect_clean
expect_json '.inputs == 2' '.incompressible_pages >= 600 and .incompressible_pages <= 610'
"$MAKE_PAGES" 4096 random 50 >"$tmp/file"
run "$ZS" pack --json --pid $pid "$tmp/file"
expect_clean
expect_json '.inputs == 2' '.incompressible_pages >= 150 and .incompressible_pages <= 155'
run "$ZS" pack --pid $pid "$tmp/file"
grep -q 'files byte for byte, memory by hash' "$out" || fail "does not say how it was compared"

# Reading leaves the process as it was.
! ended $first || fail "the process has ended"
run "$ZS" pack --json --pid $first
expect_json '.incompressible_pages >= 500 and .incompressible_pages <= 505' '.pages <= 1300'

# A process that waits to be collected has no memory any more.
end_held $pid
run "$ZS" pack --json --pid $pid "$tmp/file"
expect_status 1
expect_lines 1
expect_message "process $pid: "
expect_json '.pages == 50'
