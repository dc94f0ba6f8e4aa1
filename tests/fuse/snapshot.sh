#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A snapshot brings everything back: names, bytes, holes, owners, times, links, attributes. One that is saved while files
# are written has tree and data of one moment. One that is damaged, anywhere, is refused.
# shellcheck source=tests/fuse/lib.sh
. "$(dirname "$0")/lib.sh"
requires python3

# All that lstat() says but for inode numbers, and a sum of the bytes; a line a name.
describe() {
	(cd "$dir" && find . | LC_ALL=C sort | while IFS= read -r name; do
		stat -c '%n %A %u %g %h %s %b %Y %y %Z %z %t %T %N' "$name"
		[ ! -f "$name" ] || [ -L "$name" ] || cksum <"$name"
	done)
}

snapshot=$tmp/tree.zs
mounted 1G snapshot="$snapshot" algorithm=zstd
mkdir -p "$dir/a/b/c" "$dir/empty"
cp -a "$ZS_SOURCE_DIR/include" "$dir/a/"
head -c 3000000 "$ZS" >"$dir/a/large"
dd if="$ZS" of="$dir/a/holes" bs=4096 count=3 seek=1000 conv=notrunc 2>/dev/null
truncate -s 123456789 "$dir/a/holes"
: >"$dir/a/nothing"
ln "$dir/a/large" "$dir/a/b/again"
ln -s ../large "$dir/a/b/link"
mkfifo -m 640 "$dir/a/fifo"
touch -d '2001-02-03 04:05:06.789012345' "$dir/a/b/c" "$dir/a/nothing"
chmod 1777 "$dir/empty"
chmod 4711 "$dir/a/nothing"
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.one", b"1\0two"); os.setxattr(sys.argv[2], "user.empty", b"")' \
	"$dir/a/large" "$dir/a/b"
describe >"$tmp/before"
unmounted

mounted snapshot="$snapshot" size=1G
describe >"$tmp/after"
diff "$tmp/before" "$tmp/after" >"$out" || fail "not what was saved"
expect_same "attribute" "$(python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "user.one"))' "$dir/a/large")" \
	"b'1\\x00two'"
cmp "$dir/a/large" "$dir/a/b/again" || fail "two names, two contents"
echo more >>"$dir/a/b/again"
cmp "$dir/a/large" "$dir/a/b/again" || fail "no longer one file"
# The directory's requests wait for the save: it can't wait for them.
must_fail 1 "can't be in the directory that it is of" "$ZS" ctl "$control" save "$dir/itself"
ln -s "$dir/itself" "$tmp/by-link"
must_fail 1 "can't be in the directory that it is of" "$ZS" ctl "$control" save "$tmp/by-link"
expect_same "what it left" "$(ls -A "$dir" | grep itself || true)" ""
must_fail 3 "another server has it" "$ZS" mount "$dir/empty" 1G snapshot="$snapshot"

# While files are written: each writer keeps the rule that a file's first line is the number of all in its folder.
cat >"$tmp/writer.py" <<'EOF'
import os, sys
folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
n = 0
while not os.path.exists(sys.argv[2]):
    # First the byte, then the name that says how many there are: a moment has as many bytes as the name says, or one more.
    with open(f"{folder}/bytes", "ab", buffering=0) as f:
        f.write(b"x")
    n += 1
    if n == 1:
        open(f"{folder}/n1", "w").close()
    else:
        os.rename(f"{folder}/n{n-1}", f"{folder}/n{n}")
EOF
for i in 1 2; do
	python3 "$tmp/writer.py" "$dir/w$i" "$tmp/stop" &
	servers="$servers $!"
done
begun() {
	[ -s "$dir/w1/bytes" ] && [ -s "$dir/w2/bytes" ]
}
wait_for 10 begun || fail "nobody writes"
for i in 1 2 3; do
	must "$ZS" ctl "$control" save "$tmp/moment$i"
done
: >"$tmp/stop"
wait
servers=$server
unmounted
for i in 1 2 3; do
	run "$ZS" mount "$dir" load="$tmp/moment$i" size=1G
	[ $status = 0 ] || fail "can't load what was saved while it was used"
	for w in 1 2; do
		said=$(basename "$dir/w$w/"n*)
		bytes=$(wc -c <"$dir/w$w/bytes")
		case $((bytes - ${said#n})) in
		0 | 1) ;;
		*) fail "$bytes bytes at the moment when there were ${said#n}" ;;
		esac
	done
	must "$ZS" umount "$dir"
done

# Damaged: a byte changed in the head, the tree, the device; cut short anywhere.
refused() {
	must_fail 3 "can't load" "$ZS" mount "$dir" 1G load="$tmp/bad"
	expect_same "what is mounted" "$(ls -A "$dir")" ""
}
size=$(wc -c <"$snapshot")
for at in 0 9 20 30 40 500 5000 $((size / 2)) $((size - 1)); do
	python3 -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[3])] ^= 0x10
open(sys.argv[2], "wb").write(data)' "$snapshot" "$tmp/bad" "$at"
	refused
	head -c "$at" "$snapshot" >"$tmp/bad"
	refused
done
must_fail 3 "more than the size" "$ZS" mount "$dir" 1M load="$snapshot" mem-limit=1G
