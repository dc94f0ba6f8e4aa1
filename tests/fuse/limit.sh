#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# At the limit: the write that doesn't fit is refused, at once; everything else goes on. Memory comes back with what is
# deleted, cut and punched.
# shellcheck source=tests/fuse/lib.sh
. "$(dirname "$0")/lib.sh"
requires python3 fallocate

# fill FILE: random bytes until there is no more room
fill() {
	run dd if=/dev/urandom of="$1" bs=64K oflag=append conv=notrunc
	grep -q "No space left" "$err" || fail "$1 has no end"
}

# is_back BYTES: the device holds at most so many bytes
is_back() {
	[ "$("$ZS" ctl "$control" get mm_stat | awk '{ print $3 }')" -le "$1" ]
}

mounted 256M mem-limit=6M
echo kept >"$dir/kept"
fill "$dir/a"
[ "$(stat -c %s "$dir/a")" -ge 4000000 ] || fail "full too early"
cp "$dir/a" "$tmp/a"
must dd if="$tmp/a" of="$dir/a" bs=1M conv=notrunc
cmp "$tmp/a" "$dir/a" || fail "overwritten at the limit, and it differs"
must mv "$dir/a" "$dir/with a longer name than it had before"
must mv "$dir/kept" "$dir/with a longer name than it had before"
expect_same "what was renamed over a large file" "$(cat "$dir/with a longer name than it had before")" kept
wait_for 10 is_back 1000000 || fail "the memory of a file that was replaced is not back"

fill "$dir/b"
must truncate -s 500000 "$dir/b"
wait_for 10 is_back 3000000 || fail "the memory of what was cut off is not back"
fill "$dir/b"
must fallocate -p -o 4096 -l 1G "$dir/b"
wait_for 10 is_back 1000000 || fail "the memory of what was punched is not back"

# While it is open it is there, and then it goes.
fill "$dir/c"
exec 9<"$dir/c"
must rm "$dir/c"
[ "$(head -c 100 <&9 | wc -c)" = 100 ] || fail "an open file is gone"
exec 9<&-
wait_for 10 is_back 1000000 || fail "the memory of an unlinked file is not back"

# In a map what doesn't fit is told by msync(): no SIGBUS.
python3 - "$dir/m" <<'EOF' || fail "a map at the limit"
import errno, mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 16 << 20)
m = mmap.mmap(fd, 16 << 20)
for at in range(0, 16 << 20, 1 << 20):
    m[at:at + (1 << 20)] = os.urandom(1 << 20)
try:
    m.flush()
    sys.exit("everything fits")
except OSError as e:
    if e.errno not in (errno.ENOSPC, errno.EIO):
        raise
EOF
must rm "$dir/m"

# Names alone.
mkdir "$dir/names"
run sh -c "cd '$dir/names' && seq -f 'a-name-that-takes-some-memory-%.0f' 1 60000 | xargs touch"
grep -q "No space left" "$err" || fail "names have no limit"
must mv "$dir/names/a-name-that-takes-some-memory-1" "$dir/names/a-name-that-takes-some-memory-and-more-1"
must rm -r "$dir/names"
mkdir "$dir/names"
must sh -c "cd '$dir/names' && seq -f 'a-name-that-takes-some-memory-%.0f' 1 1000 | xargs touch"

# A client that is killed in the middle of it.
dd if=/dev/zero of="$dir/z" bs=1M 2>/dev/null &
client=$!
grows() {
	[ "$(stat -c %s "$dir/z" 2>/dev/null || echo 0)" -gt 1000000 ]
}
wait_for 10 grows || fail "nothing is written"
kill -KILL $client
wait $client 2>/dev/null || true
must rm "$dir/z"
expect_same "what is kept" "$(cat "$dir/with a longer name than it had before")" kept
unmounted

# The size, where the memory would do.
mounted 8M mem-limit=1G
run dd if=/dev/zero of="$dir/a" bs=1M
grep -q "No space left" "$err" || fail "the size is no limit"
expect_same "all of it" "$(stat -c %s "$dir/a")" 8388608
expect_same "free" "$(stat -f -c %f "$dir")" 0
must rm "$dir/a"
expect_same "free" "$(stat -f -c %f "$dir")" "$(stat -f -c %b "$dir")"
unmounted
