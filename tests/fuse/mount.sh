#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs mount, umount and --list: a directory can be used, is what it should be, and is gone at the end with all that it had.
# shellcheck source=tests/fuse/lib.sh
. "$(dirname "$0")/lib.sh"

mounted
[ "$(wc -l <"$out")" = 1 ] || fail "more than one line"
must "$ZS" mount --list --json
grep -q "\"directory\": \"$dir\"" "$out" || fail "is not listed"
grep -q "\"pid\": $server" "$out" || fail "its process is not listed"

cp "$ZS" "$dir/a"
mkdir -p "$dir/b/c"
mv "$dir/a" "$dir/b/c/d"
cmp "$ZS" "$dir/b/c/d" || fail "a file has other bytes"
must_fail 3 "is mounted already" "$ZS" mount "$dir" 1G
must_fail 3 "is no directory" "$ZS" mount "$dir/b/c/d" 1G
must_fail 3 "is not empty" "$ZS" mount "$dir/b" 1G
mkdir "$dir/e"
must_fail 3 "mem_limit" "$ZS" mount "$dir/e" 16K
must_fail 2 "unknown parameter 'frobnicate'" "$ZS" mount "$dir/e" 1G frobnicate=1
must_fail 3 "is not mounted by zs mount" "$ZS" umount "$dir/e"

# In use it stays.
exec 9<"$dir/b/c/d"
must_fail 3 "is in use" "$ZS" umount "$dir"
exec 9<&-
unmounted
expect_same "what is in the directory" "$(ls -A "$dir")" ""
expect_same "what is left of the server" "$(ls -A "$XDG_RUNTIME_DIR")" ""
expect_same "the list" "$(listed)" ""

# Every way to end it is a good one.
for signal in TERM INT HUP; do
	mounted
	kill -$signal "$server"
	wait_for 10 ended "$server" || fail "SIG$signal does not end it"
	expect_same "what SIG$signal left" "$(ls -A "$XDG_RUNTIME_DIR")$(ls -A "$dir")" ""
done
mounted
umount "$dir" 2>/dev/null || fusermount3 -u "$dir" || fail "can't be unmounted by hand"
wait_for 10 ended "$server" || fail "an unmount by hand does not end it"

# A server that was killed leaves a mount, which the next one takes away; or zs umount.
mounted
kill -KILL "$server"
wait_for 10 ended "$server" || fail "it lives"
mounted
echo again >"$dir/f"
kill -KILL "$server"
wait_for 10 ended "$server" || fail "it lives"
must "$ZS" umount "$dir"
expect_same "what is in the directory" "$(ls -A "$dir")" ""
expect_same "what is left of the servers" "$(ls -A "$XDG_RUNTIME_DIR")" ""
