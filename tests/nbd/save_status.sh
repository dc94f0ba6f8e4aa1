#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A disk that can't be saved: known before anything is served, and where it shows only at the end, told by the exit
# status. What is replaced keeps its owner and mode; what is no regular file is written as it is.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"

real_data 4194304 "$tmp/data"

# At the start: no folder, one that takes no files, a folder in the file's place, and nothing is left of the try.
mkdir "$tmp/place" "$tmp/folder"
for name in save snapshot; do
	must_fail "could not be saved: can't make a file in $tmp/no: No such file" nbdkit -U - "$PLUGIN" 1M $name="$tmp/no/file" --run true
	must_fail "could not be saved: can't make a file in /proc" nbdkit -U - "$PLUGIN" 1M $name=/proc/file --run true
	must_fail "Is a directory" nbdkit -U - "$PLUGIN" 1M $name="$tmp/folder" --run true
done
must_fail "could not be saved: can't make a file in $tmp/no: No such file" "$ZS" serve 1M save="$tmp/no/file"
expect_same "exit status of zs serve" $status 3
serve 4M snapshot="$tmp/place/file"
expect_same "files of the try" "$(ls -A "$tmp/place")" ""
must nbdcopy "$tmp/data" "$uri"

# At the end: the folder is gone.
mv "$tmp/place" "$tmp/moved"
kill -TERM "$server"
status=0
wait "$server" || status=$?
[ $status != 0 ] || fail "nbdkit ends well though the disk is not saved"
grep -q "the disk is not saved: can't make a file in $tmp/place: No such file" "$log" || fail "the log does not say why"
mkdir "$tmp/place" "$tmp/run"
XDG_RUNTIME_DIR=$tmp/run "$ZS" serve --json 1M save="$tmp/place/file" >"$tmp/said" 2>"$err" </dev/null &
server=$!
servers="$servers $server"
wait_for 20 grep -q '^}' "$tmp/said" || fail "zs serve says nothing"
rmdir "$tmp/place"
kill -TERM $server
status=0
wait $server || status=$?
expect_same "exit status of zs serve" $status 3
grep -q "not saved" "$err" || fail "zs serve does not say that the disk is not saved"

# An old file's mode, and its owner where this is root, are kept; a new one is for its owner only.
mkdir "$tmp/place"
umask 022
echo old >"$tmp/place/file"
chmod 640 "$tmp/place/file"
owner=$(id -u):$(id -g)
if [ "$(id -u)" = 0 ]; then
	owner=65534:1
	chown $owner "$tmp/place/file"
fi
ln -s file "$tmp/place/link"
ln -s missing "$tmp/place/dangling"
serve 4M
must nbdcopy "$tmp/data" "$uri"
must ctl save "$tmp/place/link"
expect_same "mode and owner" "$(stat -c %a:%u:%g "$tmp/place/file")" "640:$owner"
[ -L "$tmp/place/link" ] || fail "the link was replaced"
must ctl save "$tmp/place/dangling"
[ -L "$tmp/place/dangling" ] || fail "the link that led nowhere was replaced"
expect_same "mode of a new file" "$(stat -c %a "$tmp/place/missing")" 600

# A device stays a device; a pipe gets the snapshot.
must_fail "can't write" ctl save /dev/full
[ -c /dev/full ] || fail "/dev/full is no device any more"
must ctl save /dev/null
[ -c /dev/null ] || fail "/dev/null is no device any more"
mkfifo "$tmp/place/pipe"
cat "$tmp/place/pipe" >"$tmp/piped" &
reader=$!
must ctl save "$tmp/place/pipe"
wait $reader
[ -p "$tmp/place/pipe" ] || fail "the pipe was replaced"
cmp "$tmp/piped" "$tmp/place/file" || fail "the pipe did not get the snapshot"
stop
serve load="$tmp/place/missing"
must nbdcopy "$uri" "$tmp/back"
cmp "$tmp/data" "$tmp/back" || fail "not what was saved"
stop
