# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
#
# lib.sh - what the tests of the disk share; read by each of them with ".".
#
# serve starts a disk and sets $uri, $socket, $control, $server (its process) and $log; stop ends it as a user does and
# expects it to end well. Everything is in $tmp, and gone at the end, processes too.
set -eu
# shellcheck source=tests/support/wait.sh
. "$ZS_SOURCE_DIR/tests/support/wait.sh"

: "${ZS:?}" "${PLUGIN:?}"

tmp=$(mktemp -d)
servers=
mounts=
clean_up() {
	for mount in $mounts; do
		fusermount3 -u "$mount" 2>/dev/null || fusermount -u "$mount" 2>/dev/null || true
	done
	# shellcheck disable=SC2086 # one word a process
	[ -z "$servers" ] || kill -KILL $servers 2>/dev/null || true
	# Until they have ended, they may make files.
	for process in $servers; do
		wait_for 10 ended "$process" || true
	done
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 129' HUP INT TERM
out=$tmp/out
err=$tmp/err
log=$tmp/log
: >"$out"
: >"$err"
: >"$log"

fail() {
	echo "FAILED: $*"
	for file in "$out" "$err" "$log"; do
		[ ! -s "$file" ] || { echo "--- ${file##*/}"; tail -n 40 "$file"; }
	done
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# requires TOOL...
requires() {
	for tool; do
		PATH="$PATH:/sbin:/usr/sbin" command -v "$tool" >/dev/null || skip "$tool is missing"
	done
}
PATH="$PATH:/sbin:/usr/sbin"
requires nbdkit nbdinfo nbdcopy

# run COMMAND...: standard output in $out, standard error in $err
run() {
	status=0
	"$@" >"$out" 2>"$err" </dev/null || status=$?
}

# must COMMAND...: run it, it succeeds
must() {
	run "$@"
	[ $status = 0 ] || fail "exit status $status of: $*"
}

# must_fail TEXT COMMAND...: run it, it fails and says TEXT
must_fail() {
	text=$1
	shift
	run "$@"
	[ $status != 0 ] || fail "succeeded: $*"
	grep -qF -- "$text" "$err" || fail "does not say '$text': $*"
}

# expect_same WHAT A B: two words
expect_same() {
	[ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"
}

pid_or_ended() {
	[ -s "$1" ] || ended "$2"
}

# serve [NBDKIT-OPTION...] PARAMETER...: nbdkit's options begin with "-" and come first.
number=0
serve() {
	number=$((number + 1))
	socket=$tmp/socket$number
	control=$tmp/control$number
	uri="nbd+unix:///?socket=$socket"
	log=$tmp/log$number
	options=
	while [ $# -gt 0 ]; do
		case $1 in
		-*) options="$options $1"; shift ;;
		*) break ;;
		esac
	done
	# shellcheck disable=SC2086 # one word an option
	nbdkit --foreground --pidfile "$tmp/pid$number" --unix "$socket" $options "$PLUGIN" control="$control" "$@" \
		>"$log" 2>&1 </dev/null &
	server=$!
	servers="$servers $server"
	wait_for 20 pid_or_ended "$tmp/pid$number" "$server" || fail "the server does not start"
	[ -s "$tmp/pid$number" ] || { cat "$log"; fail "the server ended: $*"; }
}

# stop: cleanly
stop() {
	kill -TERM "$server"
	status=0
	wait "$server" || status=$?
	[ $status = 0 ] || { cat "$log"; fail "the server ended with status $status"; }
	[ ! -e "$control" ] || fail "the control socket is left behind"
}

# killed: by force
killed() {
	kill -KILL "$server"
	wait "$server" 2>/dev/null || true
}

ctl() {
	"$ZS" ctl "$control" "$@"
}

# real_data BYTES FILE: of programs and libraries, the same on each call
real_data() {
	find /usr/bin /usr/lib -xdev -type f -size +16k -readable 2>/dev/null | sort | head -n 400 | tr '\n' '\0' |
		xargs -0 cat 2>/dev/null | head -c "$1" >"$2" || true
	[ "$(wc -c <"$2")" = "$1" ] || skip "this machine has too few files"
}

# random_data BYTES FILE
random_data() {
	head -c "$1" /dev/urandom >"$2"
}
