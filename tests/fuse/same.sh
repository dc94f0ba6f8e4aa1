#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# same.sh WHAT [NAME=VALUE]... - what programs do with files comes to the same here as on the kernel's own tmpfs, line by
# line. WHAT: all, or bytes where holes are others.
# shellcheck source=tests/fuse/lib.sh
. "$(dirname "$0")/lib.sh"
: "${SAME:?}"

peer=$(mktemp -d /dev/shm/zs-same.XXXXXX 2>/dev/null) || skip "there is no /dev/shm"
trap 'rm -rf "$peer"; clean_up' EXIT
[ "$(stat -f -c %T "$peer")" = tmpfs ] || skip "/dev/shm is no tmpfs"
chmod 755 "$peer" "$tmp"

what=
[ "$1" = all ] || what=$1
shift
# shellcheck disable=SC2086 # a word or none
"$SAME" "$peer" $what >"$tmp/expected" || fail "it can't be done on tmpfs"
# shellcheck disable=SC2068 # one word a parameter
mounted 2G $@ $([ "$(id -u)" != 0 ] || echo allow-other=true)
# shellcheck disable=SC2086 # a word or none
"$SAME" "$dir" $what >"$tmp/got" || fail "it can't be done here"
diff "$tmp/expected" "$tmp/got" >"$out" || fail "not what tmpfs says (<)"
expect_same "what is left" "$(ls -A "$dir")" ""
unmounted
