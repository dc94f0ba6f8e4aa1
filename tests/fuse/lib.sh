# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
#
# lib.sh - what the tests of the mounted directory share; read by each of them with ".".
#
# mounted makes $dir and mounts it, $control and $server are its control socket and process; unmounted ends it and
# expects that to go well. Everything is in $tmp, and gone at the end. Places of servers are in $tmp too, so that nobody
# else's are seen.
set -eu
# shellcheck source=tests/support/wait.sh
. "$ZS_SOURCE_DIR/tests/support/wait.sh"

: "${ZS:?}"

tmp=$(mktemp -d)
XDG_RUNTIME_DIR=$tmp/run
export XDG_RUNTIME_DIR
mkdir "$XDG_RUNTIME_DIR"
dir=$tmp/dir
mkdir "$dir"
out=$tmp/out
err=$tmp/err
: >"$out"
: >"$err"
mounts=
servers=
clean_up() {
	for mount in $mounts; do
		umount -l "$mount" 2>/dev/null || fusermount3 -uqz "$mount" 2>/dev/null || true
	done
	for process in $servers; do
		kill -KILL "$process" 2>/dev/null || true
		wait_for 10 ended "$process" || true
	done
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 129' HUP INT TERM

fail() {
	echo "FAILED: $*"
	for file in "$out" "$err"; do
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
		command -v "$tool" >/dev/null || skip "$tool is missing"
	done
}

PATH="$PATH:/sbin:/usr/sbin"
[ -c /dev/fuse ] || skip "there is no /dev/fuse"
[ -w /dev/fuse ] || skip "/dev/fuse can't be opened"
[ "$(id -u)" = 0 ] || requires fusermount3

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

# must_fail STATUS TEXT COMMAND...: run it, it fails with that status, and one line that says TEXT
must_fail() {
	expected=$1
	text=$2
	shift 2
	run "$@"
	[ $status = "$expected" ] || fail "exit status $status, not $expected: $*"
	grep -qF -- "$text" "$err" || fail "does not say '$text': $*"
	[ "$(wc -l <"$err")" = 1 ] || fail "more than one line: $*"
}

# expect_same WHAT A B: two words
expect_same() {
	[ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"
}

# listed: what zs mount --list says of directories in $tmp. Others' servers are none of a test's business.
listed() {
	"$ZS" mount --list | grep -F "$tmp/" || true
}

# mounted [NAME=VALUE]...: $dir, of 1 GiB where no size is given
mounted() {
	case "${1:-}" in
	*=* | '') set -- 1G "$@" ;;
	esac
	run "$ZS" mount "$dir" "$@"
	case $(cat "$err") in
	*"can't mount"*"not permitted"*) skip "mounting is not permitted here" ;;
	esac
	[ $status = 0 ] || fail "can't mount"
	mounts="$mounts $dir"
	control=$(sed -n 's/.*control socket is \(.*\); to end.*/\1/p' "$out")
	server=$("$ZS" mount --list | awk -v dir="$dir" '$1 == dir { print $3 }')
	servers="$servers $server"
}

# unmounted: and the server has ended
unmounted() {
	must "$ZS" umount "$dir"
	wait_for 10 ended "$server" || fail "the server goes on"
}
