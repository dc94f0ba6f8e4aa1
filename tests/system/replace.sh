#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What is there when a file is written: devices and pipes are written into, links stay and lead on, owners and modes are
# kept, and what can't be written is as it was. A report to /dev/full once took the place of the device.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
: "${ZS_PARTS:?}"
no_leak_check

echo new >"$tmp/new"
replace() {
	run_from "$tmp/new" "$ZS_PARTS" replace "$@"
}
expect_new() {
	expect_clean
	cmp -s "$tmp/new" "$1" || fail "$1 does not have the new content"
}
old() {
	rm -f "$1"
	printf 'the old content, which is longer\n' >"$1"
}
inode() {
	stat -c %i "$1"
}

# Nothing there: the umask's mode. A file: its mode, a new inode.
(umask 027 && "$ZS_PARTS" replace "$tmp/fresh" <"$tmp/new")
expect_new "$tmp/fresh"
[ "$(stat -c %a "$tmp/fresh")" = 640 ] || fail "the mode of a new file is not the umask's"
old "$tmp/file"
chmod 604 "$tmp/file"
before=$(inode "$tmp/file")
exec 3<"$tmp/file"
replace "$tmp/file"
expect_new "$tmp/file"
[ "$(stat -c %a "$tmp/file")" = 604 ] || fail "the mode was not kept"
[ "$(inode "$tmp/file")" != "$before" ] || fail "overwritten, not replaced"
[ "$(cat <&3)" = 'the old content, which is longer' ] || fail "whoever has the old file open sees the new one"
exec 3<&-
cd "$tmp"
old here
replace here
expect_new here
cd - >/dev/null

# Links stay: to a file, to nothing yet, one to another, relative ones in another folder; and one that has no end.
mkdir "$tmp/dir"
old "$tmp/dir/file"
ln -s file "$tmp/dir/link"
ln -s dir/link "$tmp/link"
replace "$tmp/link"
expect_new "$tmp/dir/file"
[ -L "$tmp/link" ] && [ -L "$tmp/dir/link" ] || fail "a link was replaced"
ln -s dir/later "$tmp/dangling"
replace "$tmp/dangling"
expect_new "$tmp/dir/later"
[ -L "$tmp/dangling" ] || fail "a link to nothing was replaced"
ln -s loop "$tmp/loop"
replace "$tmp/loop"
expect_status 1
[ -L "$tmp/loop" ] || fail "a link to itself was replaced"

# A second name stays one.
old "$tmp/one"
ln "$tmp/one" "$tmp/two"
replace "$tmp/one"
expect_new "$tmp/two"

# A pipe, standard output, and another descriptor: written into, at their place.
mkfifo "$tmp/pipe"
cat "$tmp/pipe" >"$tmp/through" &
held=$!
replace "$tmp/pipe"
[ -p "$tmp/pipe" ] || fail "the pipe was replaced"
wait $held
held=
expect_new "$tmp/through"
for name in /dev/stdout /dev/fd/1 /proc/self/fd/1; do
	{ echo before; "$ZS_PARTS" replace $name <"$tmp/new"; echo after; } >"$tmp/all"
	[ "$(tr '\n' ' ' <"$tmp/all")" = 'before new after ' ] || fail "$name: $(cat "$tmp/all")"
	[ "$("$ZS_PARTS" replace $name <"$tmp/new" | cat)" = new ] || fail "$name, a pipe"
done
replace /dev/fd/77
expect_status 1
expect_message 'Bad file descriptor'

# What can't be written stays, and nothing is left beside it.
mkdir "$tmp/bad"
replace "$tmp/bad"
expect_status 1
expect_message 'Is a directory'
replace "$tmp/nowhere/file"
expect_status 1
expect_message 'No such file or directory'
old "$tmp/bad/file"
# shellcheck disable=SC3045 # dash has it
run sh -c 'trap "" XFSZ; ulimit -f 0 && exec "$1" replace "$2" <"$3"' - "$ZS_PARTS" "$tmp/bad/file" "$tmp/new"
expect_status 1
[ "$(cat "$tmp/bad/file")" = 'the old content, which is longer' ] || fail "a report that does not fit took the old one"
[ "$(ls -A "$tmp/bad")" = file ] || fail "something is left behind"

# A full device: one of our own, as root could harm that of the system.
full=/dev/full
if [ "$(id -u)" = 0 ]; then
	full=$tmp/full
	mknod "$full" c 1 7 2>/dev/null || full=
fi
if [ -n "$full" ] && (: >"$full") 2>/dev/null; then
	replace "$full"
	expect_status 1
	expect_message 'No space left on device'
	[ -c "$full" ] || fail "the device was replaced"
	"$MAKE_PAGES" 4096 words 3 >"$tmp/few"
	run "$ZS" advise --quick --survey 64K --html "$full" "$tmp/few"
	expect_status 3
	expect_message "$full: cannot write the report: No space left on device"
	[ -c "$full" ] || fail "the device was replaced by a report"
fi

# Another owner's file: root keeps the owner. Others write into it where they may; else nothing happens.
[ "$(id -u)" = 0 ] || skip "the rest is for root"
command -v setpriv >/dev/null || skip "the rest needs setpriv"
old "$tmp/theirs"
chown 65533:65532 "$tmp/theirs"
chmod 2750 "$tmp/theirs"
replace "$tmp/theirs"
expect_new "$tmp/theirs"
[ "$(stat -c %u:%g:%a "$tmp/theirs")" = 65533:65532:2750 ] || fail "owner and mode are not kept"
chmod 755 "$tmp"
cp "$ZS_PARTS" "$tmp/parts"
mkdir -m 777 "$tmp/profile" "$tmp/open"
mkdir -m 755 "$tmp/closed"
as_other() {
	GCOV_PREFIX=$tmp/profile setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
for folder in open closed; do
	old "$tmp/$folder/file"
	chmod 666 "$tmp/$folder/file"
	run_from "$tmp/new" as_other "$tmp/parts" replace "$tmp/$folder/file"
	expect_new "$tmp/$folder/file"
	[ "$(stat -c %u:%a "$tmp/$folder/file")" = 0:666 ] || fail "$folder: owner and mode are not kept"
	old "$tmp/$folder/file"
	chmod 644 "$tmp/$folder/file"
	run_from "$tmp/new" as_other "$tmp/parts" replace "$tmp/$folder/file"
	expect_status 1
	expect_message 'Permission denied'
	[ "$(cat "$tmp/$folder/file")" = 'the old content, which is longer' ] || fail "$folder: replaced without permission"
	[ "$(ls -A "$tmp/$folder")" = file ] || fail "$folder: something is left behind"
done
