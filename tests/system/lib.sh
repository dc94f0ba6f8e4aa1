# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
#
# lib.sh - what the tests of zs share; read by each of them with ".".
#
# A test runs zs with run, which leaves the exit status in $status, standard output in $out and standard error in $err
# (file names), and then checks. The first check that fails ends the test and shows all three.
set -eu
# shellcheck source=tests/support/wait.sh
. "$ZS_SOURCE_DIR/tests/support/wait.sh"

: "${ZS:?}" "${MAKE_PAGES:?}" "${HOLD_MEMORY:?}"

tmp=$(mktemp -d)
held=
clean_up() {
	# shellcheck disable=SC2086 # one word a process
	[ -z "$held" ] || kill -KILL $held 2>/dev/null || true
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 129' HUP INT TERM
out=$tmp/out
err=$tmp/err
status=0
what=

fail() {
	echo "FAILED: $*"
	echo "after: $what (exit status $status)"
	[ ! -s "$out" ] || { echo "--- standard output"; head -n 60 "$out"; }
	[ ! -s "$err" ] || { echo "--- standard error"; head -n 60 "$err"; }
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# For tests that run zs hundreds of times and store nothing: the check takes longer than the command.
no_leak_check() {
	ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
	export ASAN_OPTIONS
}

command -v jq >/dev/null || skip "jq is missing"

# run COMMAND...
run() {
	what="$*"
	status=0
	"$@" >"$out" 2>"$err" </dev/null || status=$?
}

# run_from FILE COMMAND...: with standard input from FILE
run_from() {
	what="$* <$1"
	status=0
	input=$1
	shift
	"$@" >"$out" 2>"$err" <"$input" || status=$?
}

expect_status() {
	[ "$status" = "$1" ] || fail "exit status is $status, not $1"
}

expect_silence() {
	[ ! -s "$err" ] || fail "there is something on standard error"
}

expect_no_output() {
	[ ! -s "$out" ] || fail "there is something on standard output"
}

# Exactly that many lines on standard error, each from zs.
expect_lines() {
	[ "$(wc -l <"$err")" = "$1" ] || fail "$(wc -l <"$err") lines on standard error, not $1"
	! grep -v '^zs[a-z ]*: ' "$err" || fail "a line that does not say where it comes from"
}

# expect_message TEXT...: standard error has it, to the letter.
expect_message() {
	for text; do
		grep -qF -- "$text" "$err" || fail "standard error does not say: $text"
	done
}

ready_or_ended() {
	[ -e "$1" ] || ended "$2"
}

# hold NAME KIND COUNT...: a process whose memory is filled, as hold_memory.c has it; its number is in $pid.
hold() {
	ready=$tmp/$1
	shift
	"$HOLD_MEMORY" "$ready" "$@" &
	pid=$!
	held="$held $pid"
	wait_for 10 ready_or_ended "$ready" $pid || fail "hold_memory does not get ready"
	[ -e "$ready" ] || fail "hold_memory has ended"
}

# end_held PID: it has ended, and its memory is gone
end_held() {
	kill -KILL "$1"
	wait_for 10 ended "$1" || fail "process $1 does not end"
}

# json EXPRESSION: of the JSON on standard output
json() {
	jq -r "$1" "$out" || fail "standard output is not JSON, or has no $1"
}

# expect_json EXPRESSION...: each is true
expect_json() {
	all=true
	for expression; do
		all="$all, ($expression)"
	done
	together=$(jq "[$all] | all(. == true)" "$out") || fail "standard output is not JSON, or an expression is wrong"
	[ "$together" != true ] || return 0
	for expression; do
		[ "$(jq "$expression" "$out")" = true ] || fail "not true: $expression"
	done
}

# All was done, read back whole, and nothing was said.
expect_clean() {
	expect_status 0
	expect_silence
}
