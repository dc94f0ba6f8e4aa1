#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# filesystems.sh KIND - a file system on the disk, checked by its own tools: ext4, xfs or btrfs as an image that is
# copied in and out; fuse, an ext4 that is made and used in place, through nbdfuse and fuse2fs; full, the same on a disk
# at its mem-limit.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq

# Real files to put into it.
make_tree() {
	mkdir "$tmp/tree"
	cp -R "$ZS_SOURCE_DIR/src" "$ZS_SOURCE_DIR/docs" "$ZS_SOURCE_DIR/include" "$tmp/tree/"
	real_data 5000000 "$tmp/tree/data"
}

# Copy the image to the disk and back; it is the same, and its checker is content with what came out.
through_the_disk() {
	size=$(wc -c <"$tmp/image")
	serve "$size" algorithm=zstd
	must nbdcopy "$tmp/image" "$uri"
	must nbdcopy "$uri" "$tmp/image.out"
	cmp "$tmp/image" "$tmp/image.out" || fail "the image that came out is another"
	must "$@" "$tmp/image.out"
	stop
	# The check is one that can fail: without its first 64 KiB nothing is a file system.
	dd if=/dev/zero of="$tmp/image.out" bs=64K count=2 conv=notrunc status=none
	run "$@" "$tmp/image.out"
	[ $status != 0 ] || fail "the checker is content with anything"
}

mounted() {
	grep -q " $1 fuse" /proc/mounts
}

mounted_or_ended() {
	mounted "$1" || ended "$2"
}

unmount() {
	fusermount3 -u "$1" 2>/dev/null || fusermount -u "$1"
}

in_place() {
	requires nbdfuse mkfs.ext4 e2fsck fuse2fs
	[ -w /dev/fuse ] || skip "no FUSE"
	command -v fusermount3 >/dev/null || requires fusermount
	serve 64M
	mkdir "$tmp/disk" "$tmp/fs"
	mounts="$tmp/fs $tmp/disk"
	nbdfuse "$tmp/disk" "$uri" >"$tmp/nbdfuse.log" 2>&1 </dev/null &
	nbdfuse=$!
	servers="$servers $nbdfuse"
	wait_for 10 mounted_or_ended "$tmp/disk" "$nbdfuse" || fail "nbdfuse neither mounts nor ends"
	mounted "$tmp/disk" || skip "nbdfuse can't mount here: $(head -n 1 "$tmp/nbdfuse.log")"
	must mkfs.ext4 -q -F "$tmp/disk/nbd"
	must e2fsck -f -n "$tmp/disk/nbd"
	# In the foreground: it writes its last blocks after the file system is no longer mounted.
	fuse2fs -f -o fakeroot,rw "$tmp/disk/nbd" "$tmp/fs" >"$tmp/fuse2fs.log" 2>&1 </dev/null &
	fs=$!
	servers="$servers $fs"
	wait_for 10 mounted_or_ended "$tmp/fs" "$fs" || fail "fuse2fs neither mounts nor ends"
	mounted "$tmp/fs" || skip "fuse2fs can't mount here: $(head -n 1 "$tmp/fuse2fs.log")"
	cp -R "$tmp/tree" "$tmp/fs/"
	diff -r "$tmp/tree" "$tmp/fs/tree" || fail "other files than were copied in"
	rm -rf "$tmp/fs/tree/src"
	must unmount "$tmp/fs"
	wait "$fs" || fail "fuse2fs: $(head -n 1 "$tmp/fuse2fs.log")"
	must e2fsck -f -n "$tmp/disk/nbd"
	# Read back by another program.
	must debugfs -R "dump /tree/data $tmp/dumped" "$tmp/disk/nbd"
	cmp "$tmp/tree/data" "$tmp/dumped" || fail "a file was changed"
	must unmount "$tmp/disk"
	wait_for 10 unmounted "$tmp/disk" || fail "nbdfuse does not end"
	mounts=
	stop
}

unmounted() {
	! mounted "$1"
}

# A file system on a disk that is full: it can be overwritten, and files can be deleted.
full() {
	requires nbdfuse mkfs.ext4 e2fsck debugfs fuse2fs
	[ -w /dev/fuse ] || skip "no FUSE"
	command -v fusermount3 >/dev/null || requires fusermount
	serve 64M mem-limit=6M
	mkdir "$tmp/disk" "$tmp/fs" "$tmp/noise"
	mounts="$tmp/fs $tmp/disk"
	nbdfuse "$tmp/disk" "$uri" >"$tmp/nbdfuse.log" 2>&1 </dev/null &
	servers="$servers $!"
	wait_for 10 mounted "$tmp/disk" || skip "nbdfuse can't mount here: $(head -n 1 "$tmp/nbdfuse.log")"
	must mkfs.ext4 -q -F "$tmp/disk/nbd" 32M
	fuse2fs -f -o fakeroot,rw "$tmp/disk/nbd" "$tmp/fs" >"$tmp/fuse2fs.log" 2>&1 </dev/null &
	fs=$!
	servers="$servers $fs"
	wait_for 10 mounted "$tmp/fs" || skip "fuse2fs can't mount here: $(head -n 1 "$tmp/fuse2fs.log")"
	for i in 0 1 2 3 4 5 6 7; do
		random_data 262144 "$tmp/noise/$i"
		must cp "$tmp/noise/$i" "$tmp/fs/$i"
		must sync "$tmp/fs/$i"
	done
	# What is behind the file system takes the rest.
	run dd if=/dev/urandom of="$tmp/disk/nbd" bs=64K seek=512 count=512 oflag=direct conv=notrunc status=none
	[ $status != 0 ] || fail "the disk is not full"
	must grep 'mem_limit is reached' "$log"
	before=$(grep -c 'mem_limit is reached' "$log")
	for i in 0 1 2 3; do
		random_data 262144 "$tmp/noise/$i"
		must dd if="$tmp/noise/$i" of="$tmp/fs/$i" bs=64K conv=notrunc,fsync status=none
	done
	must rm "$tmp/fs/4" "$tmp/fs/6"
	must unmount "$tmp/fs"
	wait "$fs" || fail "fuse2fs: $(head -n 1 "$tmp/fuse2fs.log")"
	[ "$(grep -c 'mem_limit is reached' "$log")" = "$before" ] || fail "a write to what is there failed: $(cat "$log")"
	must e2fsck -f -n "$tmp/disk/nbd"
	for i in 0 1 2 3 5 7; do
		must debugfs -R "dump /$i $tmp/dumped" "$tmp/disk/nbd"
		cmp "$tmp/noise/$i" "$tmp/dumped" || fail "file $i was changed"
	done
	run debugfs -R "stat /4" "$tmp/disk/nbd"
	! grep -q '^Inode: ' "$out" || fail "a deleted file is there"
	must unmount "$tmp/disk"
	wait_for 10 unmounted "$tmp/disk" || fail "nbdfuse does not end"
	mounts=
	stop
}

make_tree
case $1 in
ext4)
	requires mkfs.ext4 e2fsck
	truncate -s 48M "$tmp/image"
	must mkfs.ext4 -q -F -d "$tmp/tree" "$tmp/image"
	through_the_disk e2fsck -f -n
	;;
xfs)
	requires mkfs.xfs xfs_repair
	truncate -s 320M "$tmp/image"
	must mkfs.xfs -q "$tmp/image"
	through_the_disk xfs_repair -n
	;;
btrfs)
	requires mkfs.btrfs btrfs
	truncate -s 128M "$tmp/image"
	must mkfs.btrfs -q -r "$tmp/tree" "$tmp/image"
	through_the_disk btrfs check --check-data-csum
	;;
fuse) in_place ;;
full) full ;;
*) fail "no such kind: $1" ;;
esac
