#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The progress bar: on a terminal, and only there; gone when the work is done. And ending early by a signal.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

"$MAKE_PAGES" 4096 words 3000 >"$tmp/file"

# Nothing but the report, into a file and into a pipe.
run "$ZS" pack "$tmp/file"
expect_clean
! grep -q "$(printf '\r')" "$out" || fail "carriage returns in the output"
"$ZS" pack "$tmp/file" 2>&1 | cat >"$tmp/piped"
! grep -q "$(printf '[\r\033]')" "$tmp/piped" || fail "a progress bar in a pipe"
[ "$(wc -l <"$tmp/piped")" = "$(wc -l <"$out")" ] || fail "other lines in a pipe"

# Ending early: by the signal, nothing printed. The shell ignores SIGINT in the background, hence env.
mkfifo "$tmp/pipe"
for signal in INT TERM HUP; do
	env --default-signal=$signal "$ZS" pack --json "$tmp/file" "$tmp/pipe" >"$out" 2>"$err" &
	pid=$!
	exec 3>"$tmp/pipe" # returns when zs has opened its end
	cat "$tmp/file" >&3
	what="zs pack --json file pipe, and then SIG$signal"
	kill -$signal $pid
	status=0
	wait $pid || status=$?
	exec 3>&-
	[ "$(kill -l "$status")" = $signal ] || fail "did not end by SIG$signal"
	expect_no_output
	expect_silence
done

command -v script >/dev/null || skip "script(1) is missing: no terminal to test with"

# on_terminal TERM COMMAND: what the terminal gets is in $out
on_terminal() {
	what="$2 (on a terminal, TERM=$1)"
	status=0
	TERM=$1 script -qec "$2" /dev/null </dev/null >"$out" 2>"$err" || status=$?
}
bar=$(printf '\r')'storing  *\[[#.]*\] *[0-9]* %'
wiped=$(printf '\r\033\[K')
on_terminal xterm "'$ZS' pack '$tmp/file' >'$tmp/report'"
expect_status 0
grep -q "$bar" "$out" || fail "no progress bar"
grep -q 'reading' "$out" || fail "no progress of reading"
# The last thing the terminal gets wipes the bar.
tail -c 4 "$out" | grep -q "$wiped\$" || fail "the bar is not wiped at the end"
grep -q '^  all  *3,000$' "$tmp/report" || fail "no report"

# The bar is on standard error: to see the report and no bar, send that away.
on_terminal xterm "'$ZS' pack '$tmp/file' 2>/dev/null"
expect_status 0
! grep -q 'storing' "$out" || fail "the bar is on standard output"
grep -q '^  all  *3,000' "$out" || fail "no report"

# A terminal that can't move the cursor, or none that is named, gets no bar.
for term in dumb ''; do
	on_terminal "$term" "'$ZS' pack '$tmp/file' >/dev/null"
	expect_status 0
	[ ! -s "$out" ] || fail "a bar on a terminal that can't show it"
done

# Messages come out whole between bars.
on_terminal xterm "'$ZS' pack '$tmp/nowhere' '$tmp/file' >/dev/null"
expect_status 1
grep -q "^zs pack: $tmp/nowhere: No such file or directory" "$out" || fail "no message"
