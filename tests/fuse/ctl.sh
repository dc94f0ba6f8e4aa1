#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs ctl, zs top and zs mount --list know a mounted directory: by its name and by its socket, with files, directories
# and bytes by kind, which follow what is made and deleted.
# shellcheck source=tests/fuse/lib.sh
. "$(dirname "$0")/lib.sh"

mounted 64M algorithm=zstd
number() {
	"$ZS" ctl "$dir" get "$1"
}
# numbers FILES DIRECTORIES SYMLINKS OTHERS FILE_BYTES
numbers() {
	expect_same "files, directories, links, others, bytes" "$(number files) $(number directories)\
 $(number symlinks) $(number special_files) $(number file_bytes)" "$*"
}
numbers 0 1 0 0 0
empty=$(number names_bytes)
mkdir -p "$dir/a/b"
yes 'something that can be compressed' | head -c 1048576 >"$dir/a/large"
echo small >"$dir/a/b/small"
: >"$dir/nothing"
ln "$dir/a/large" "$dir/again"
ln -s a "$dir/link"
mkfifo "$dir/fifo"
numbers 3 3 1 1 1052672
[ "$(number names_bytes)" -gt "$empty" ] || fail "names take nothing"
expect_same "by the socket" "$("$ZS" ctl "$control" get files)" 3
expect_same "the size" "$(number disksize)" 67108864

# The same numbers in every form.
must "$ZS" ctl "$dir" stats --prometheus
for pair in files:3 directories:3 symlinks:1 special_files:1 file_bytes:1052672; do
	grep -qx "zs_mount_${pair%:*} ${pair#*:}" "$out" || fail "not for Prometheus: $pair"
done
must "$ZS" ctl "$dir" stats --json
for pair in files:3 directories:3 symlinks:1 special_files:1 file_bytes:1052672; do
	grep -q "\"${pair%:*}\": ${pair#*:}," "$out" || fail "not in JSON: $pair"
done
must "$ZS" ctl "$dir" get
grep -qx 'files 3' "$out" || fail "not among all"

must "$ZS" top --once "$dir"
grep -Eq '^  files +3   3 directories, 1 symbolic links, 1 others$' "$out" || fail "no files"
grep -Eq '^  names +[0-9.]+ [KM]iB   of memory for names and inodes; files have 1\.00 MiB$' "$out" || fail "no names"
head -n 1 "$out" | grep -q "^zs top: $dir, 64.0 MiB" || fail "no title"
[ "$(wc -l <"$out")" -le 21 ] || fail "more lines than a view has"

rm -r "$dir/a" "$dir/link" "$dir/fifo"
numbers 2 1 0 0 1048576
rm "$dir/again"
numbers 1 1 0 0 0

# The list, for people and for programs.
expect_same "the list" "$(listed)" "$dir pid $server control $control"
"$ZS" mount --list --json | tr -d ' \n' >"$out"
grep -qF "{\"directory\":\"$dir\",\"pid\":$server,\"control\":\"$control\"}" "$out" || fail "not so in the list in JSON"
grep -q '^\[{.*}\]$' "$out" || fail "the list is no array"
first=$dir
dir="$tmp/a name, with \"all\" of it"
mkdir "$dir"
mounts=
must "$ZS" mount "$dir" 1M
expect_same "mounts" "$(listed | wc -l)" 2
"$ZS" mount --list --json >"$out"
grep -qF '"directory": "'"$tmp"'/a name, with \"all\" of it"' "$out" || fail "not in the list"
must "$ZS" ctl "$dir" get directories
expect_same "directories" "$(cat "$out")" 1
must "$ZS" umount "$dir"
dir=$first
mounts=$dir
unmounted
expect_same "the list at the end" "$(listed)$("$ZS" mount --list --json | grep -F "$tmp/" || true)" ""
must_fail 3 "no server is found that has it" "$ZS" ctl "$dir" get files
