#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs top: its numbers are those of the disk, on a terminal and elsewhere.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"

real_data 8388608 "$tmp/data"
serve 64M algorithm=zstd mem-limit=32M
must nbdcopy "$tmp/data" "$uri"
must "$ZS" top --once "$control"
[ ! -s "$err" ] || fail "there is something on standard error"
cp "$out" "$tmp/view"
grep -q "^zs top: $control, 64.0 MiB, .*\[zstd\]" "$tmp/view" || fail "no title"
for row in stored compressed memory limit blocks operations compaction pressure; do
	grep -q "^  $row  *[0-9u]" "$tmp/view" || fail "no row: $row"
done
! awk 'length($0) > 100' "$tmp/view" | grep . || fail "a line is too wide"
! grep -q "$(printf '\033')" "$tmp/view" || fail "an escape sequence where there is no terminal"

# ratio = stored / compressed, from mm_stat, as the disk has it when nobody uses it
set -- $(ctl get mm_stat)
expect_same ratio "$(sed -n 's/.*ratio \([0-9.]*\)$/\1/p' "$tmp/view")" "$(awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }')"
expect_same limit "$(sed -n 's/^  limit  *\(.* MiB\)  .*/\1/p' "$tmp/view")" "32.0 MiB"

# One quantity: what top calls memory is what the statistics call so, in both forms, and the most is never below it.
ctl stats --json >"$tmp/json"
ctl stats --prometheus >"$tmp/prometheus"
for name in memory_bytes memory_max_bytes metadata_bytes own_bytes; do
	expect_same "$name" "$(sed -n "s/^zram_$name{.*} //p" "$tmp/prometheus" | wc -l)" 1
	grep -q "\"$name\": [1-9]" "$tmp/json" || fail "no $name"
done
bytes() {
	sed -n "$1" "$tmp/view" |
		awk '{ print $1 * ($2 == "GiB" ? 1073741824 : $2 == "MiB" ? 1048576 : $2 == "KiB" ? 1024 : 1) }'
}
memory=$(bytes 's/^  memory *\([0-9.]* [KMG]*i*B\) .*/\1/p')
most=$(bytes 's/.*most so far \([0-9.]* [KMG]*i*B\).*/\1/p')
awk -v a="$memory" -v b="$most" 'BEGIN { exit !(a > 0 && b >= a) }' || fail "memory $memory, most so far $most"
limited=$(sed -n 's/^zram_memory_max_bytes{.*} //p' "$tmp/prometheus")
awk -v a="$most" -v b="$limited" 'BEGIN { exit !(a >= b * 0.95 && a <= b * 1.05) }' || fail "most so far $most is not $limited"

# The classes: as many pages as the table says, both before and after, and shares that are none above 100.
largest() {
	ctl stats --classes | awk '$1 ~ /^[0-9]+$/ && $(NF-2) > most { most = $(NF-2); size = $2 } END { print size, most }'
}
seen_at_rest() {
	before=$(largest)
	"$ZS" top --once "$control" >"$tmp/view"
	[ "$(largest)" = "$before" ]
}
wait_for 5 seen_at_rest || fail "the largest class never stays as it is"
shown=$(awk '/\[[#.]*\]/ { gsub(/,/, "", $(NF-1)); if ($(NF-1) > most) { most = $(NF-1); size = $1 } } END { print size, most }' "$tmp/view")
expect_same "the largest class" "$shown" "$before"
! sed -n 's/.*\] *\([0-9.]*\) %.*/\1/p' "$tmp/view" | awk '$1 > 100 || $1 <= 0' | grep . || fail "a share that can't be"

# Again and again: rates from the second on.
must "$ZS" top -n 2 -d 1 "$control"
expect_same views "$(grep -c '^zs top: ' "$out")" 2
expect_same "views with rates" "$(grep -c '^  operations/s ' "$out")" 1

# Reads are seen while somebody reads.
"$ZS" top "$control" >"$out" 2>"$err" </dev/null &
client=$!
servers="$servers $client"
reads_seen() {
	nbdcopy "$uri" "$tmp/back"
	sed -n 's/^  operations\/s.* \([0-9,]*\) reads.*/\1/p' "$out" | grep -q '[1-9]'
}
wait_for 10 reads_seen || fail "reads are not seen"
kill -TERM $client
wait $client || true

# A terminal gets each view in place of the one before.
if command -v script >/dev/null; then
	TERM=xterm script -qec "stty cols 60 rows 20; '$ZS' top -n 2 -d 1 '$control'" /dev/null </dev/null >"$out" 2>"$err" || fail "on a terminal"
	expect_same "views on the terminal" "$(grep -o "$(printf '\033')\[Hz\|$(printf '\033')\[H$(printf '\033')" "$out" | wc -l)" 2
	! tr -d '\r' <"$out" | sed "s/$(printf '\033')\[[0-9;]*[A-Z]//g" | awk 'length($0) > 60' | grep . || fail "wider than the terminal"
fi

# Interrupted: by the signal. The server's end is said.
env --default-signal=INT "$ZS" top "$control" >"$out" 2>"$err" </dev/null &
client=$!
wait_for 10 grep -q '^zs top' "$out" || fail "no view"
kill -INT $client
status=0
wait $client || status=$?
expect_same "ended by" "$(kill -l $status)" INT
env --default-signal=INT "$ZS" top "$control" >"$out" 2>"$err" </dev/null &
client=$!
wait_for 10 grep -q '^zs top' "$out" || fail "no view"
stop
status=0
wait $client || status=$?
expect_same "exit status without a server" $status 3
grep -q "the server has closed the connection" "$err" || fail "does not say that the server is gone"
must_fail "No such file" "$ZS" top --once "$tmp/nowhere"
must_fail "(see: zs top --help)" "$ZS" top
must_fail "(see: zs top --help)" "$ZS" top -n 0 "$control"
