#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# mounted.sh KIND - a mounted file system on the disk, with the commands of docs/disk.md, taken from there: what deleting
# gives back and how, a snapshot of a file system at rest, a disk that is full, and taking all of it apart again. KIND is
# ext4, xfs or btrfs, which are mounted through a loop device over nbdfuse; full, an ext4 on a disk at its limit; fuse2fs,
# which gives nothing back; or device, an ext4 on /dev/nbd0.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
PATH=$(dirname "$ZS"):$PATH

# Whatever is attached, innermost first. A command of an example that failed has ended the script without a word.
device=
doing=
exec 3>&1
take_apart() {
	[ -z "$doing" ] || { echo "FAILED: a command of the example '$doing'"; cat "$tmp/commands" "$err" "$log"; } >&3
	umount "$tmp/mnt" 2>/dev/null || true
	case $device in
	/dev/loop*) losetup -d "$device" 2>/dev/null || true ;;
	/dev/nbd*) nbd-client -d "$device" >/dev/null 2>&1 || true ;;
	esac
	umount "$tmp/dir" 2>/dev/null || true
	clean_up
}
trap take_apart EXIT

# example NAME: the commands that docs/disk.md has under that name
example() {
	awk -v name="<!-- example: $1 -->" '$0 == name { found = 1; next } found && /^```/ { if (n++) exit; next } found' \
		"$ZS_SOURCE_DIR/docs/disk.md" >"$tmp/example"
	[ -s "$tmp/example" ] || fail "docs/disk.md has no example '$1'"
	cat "$tmp/example"
}

# do_example NAME [SED-EXPRESSION]: here and in $tmp, as the reader would; each command must succeed
do_example() {
	example "$1" | sed "${2:-}" >"$tmp/commands"
	doing=$1
	cd "$tmp"
	# shellcheck source=/dev/null
	. "$tmp/commands" >"$out" 2>"$err" </dev/null
	cd - >/dev/null
	doing=
}

# Bytes of blocks that the disk holds.
held() {
	ctl get mm_stat | awk '{ print $3 }'
}
nothing_hidden() {
	! ls -A "$1" | grep -q '^\.fuse_hidden'
}
held_less_than() {
	[ "$(held)" -lt "$1" ]
}

requires_loop() {
	requires nbdfuse losetup fstrim "mkfs.$1"
	[ "$(id -u)" = 0 ] || skip "only root may mount"
	[ -w /dev/fuse ] || skip "no FUSE"
	[ -c /dev/loop-control ] || skip "no loop devices"
	grep -qw "$1" /proc/filesystems || modprobe "$1" 2>/dev/null || skip "this kernel has no $1"
	unshare -m mount -t tmpfs none /mnt 2>/dev/null || skip "nothing can be mounted here"
	truncate -s 1M "$tmp/try"
	try=$(losetup -f --show "$tmp/try" 2>/dev/null) || skip "no loop device can be set up here"
	losetup -d "$try"
}

# attach_loop KIND
attach_loop() {
	do_example attach "s/mkfs\.ext4/mkfs.$1/"
	servers="$servers $!"
	[ -b "$device" ] || fail "no device"
}

# Deleting alone gives nothing back; what is trimmed comes back.
deletes_and_trims() {
	random_data 30000000 "$tmp/mnt/file"
	must sync -f "$tmp/mnt"
	[ "$(held)" -gt 30000000 ] || fail "the file is not on the disk"
	rm "$tmp/mnt/file"
	must sync -f "$tmp/mnt"
	[ "$(held)" -gt 25000000 ] || fail "given back without a trim: the documents say something else"
	do_example trim
	wait_for 5 held_less_than 3000000 || fail "$(held) bytes are held after fstrim"
}

# What the snapshot has is a file system that was not in use, and the files.
quiet_snapshot() {
	cp -R "$ZS_SOURCE_DIR/src" "$tmp/mnt/"
	do_example quiet
	rm -rf "$tmp/mnt/src"
	old_server=$server
	old_control=$control
	serve load="$tmp/disk.zram"
	must nbdcopy "$uri" "$tmp/image"
	must e2fsck -f -n "$tmp/image"
	must debugfs -R "rdump /src $tmp" "$tmp/image"
	diff -r "$ZS_SOURCE_DIR/src" "$tmp/src" || fail "other files than were saved"
	stop
	server=$old_server
	control=$old_control
}

discards_by_itself() {
	umount "$tmp/mnt"
	mount -o discard "$device" "$tmp/mnt"
	random_data 20000000 "$tmp/mnt/file"
	must sync -f "$tmp/mnt"
	rm "$tmp/mnt/file"
	must sync -f "$tmp/mnt"
	wait_for 5 held_less_than 3000000 || fail "$(held) bytes are held, mounted with discard"
}

loop() {
	requires_loop "$1"
	requires fsfreeze e2fsck debugfs
	serve 400M
	attach_loop "$1"
	deletes_and_trims
	if [ "$1" = ext4 ]; then
		quiet_snapshot
		discards_by_itself
	fi
	do_example detach
	! grep -q " $tmp/" /proc/mounts || fail "something is still mounted"
	stop
}

# A disk at its limit: the write fails, what was there stays, and there is a way out.
full() {
	requires_loop ext4
	requires e2fsck
	serve 256M mem-limit=16M
	attach_loop ext4
	cp -R "$ZS_SOURCE_DIR/docs" "$tmp/mnt/"
	must sync -f "$tmp/mnt"
	must_fail "" dd if=/dev/urandom of="$tmp/mnt/large" bs=1M count=40 conv=fsync
	grep -q 'mem_limit is reached' "$log" || fail "the log does not say why"
	run cp "$tmp/try" "$tmp/mnt/another"
	do_example recover 's/e2fsck -f -y "$device"/& || [ $? = 1 ]/'
	must e2fsck -f -n "$device"
	do_example back
	diff -r "$ZS_SOURCE_DIR/docs" "$tmp/mnt/docs" || fail "files that were there before were changed"
	# And it works, within the limit.
	random_data 5000000 "$tmp/mnt/large"
	must sync -f "$tmp/mnt"
	do_example detach
	stop
}

# fuse2fs neither discards nor knows fstrim; e2fsck, when it is not mounted, does.
fuse2fs_keeps_all() {
	requires nbdfuse mkfs.ext4 e2fsck fuse2fs fstrim
	[ -w /dev/fuse ] || skip "no FUSE"
	serve 400M
	mkdir "$tmp/dir" "$tmp/mnt"
	mounts="$tmp/mnt $tmp/dir"
	nbdfuse "$tmp/dir" "$uri" >"$tmp/nbdfuse.log" 2>&1 </dev/null &
	nbdfuse=$!
	servers="$servers $nbdfuse"
	mounted_or_ended() {
		grep -q " $1 fuse" /proc/mounts || ended "$2"
	}
	wait_for 10 mounted_or_ended "$tmp/dir" $nbdfuse || fail "nbdfuse neither mounts nor ends"
	[ -e "$tmp/dir/nbd" ] || skip "nbdfuse can't mount here: $(head -n 1 "$tmp/nbdfuse.log")"
	must mkfs.ext4 -q -F "$tmp/dir/nbd"
	fuse2fs -f -o fakeroot,rw "$tmp/dir/nbd" "$tmp/mnt" >"$tmp/fuse2fs.log" 2>&1 </dev/null &
	fs=$!
	servers="$servers $fs"
	wait_for 10 mounted_or_ended "$tmp/mnt" $fs || fail "fuse2fs neither mounts nor ends"
	grep -q " $tmp/mnt fuse" /proc/mounts || skip "fuse2fs can't mount here: $(head -n 1 "$tmp/fuse2fs.log")"
	random_data 30000000 "$tmp/mnt/file"
	rm "$tmp/mnt/file"
	# What is still open when it is removed has another name until it is closed, which the kernel does later. If the
	# directory is unmounted before, it stays.
	wait_for 5 nothing_hidden "$tmp/mnt" || fail "fuse2fs still hides the file that was removed"
	must_fail "not supported" fstrim "$tmp/mnt"
	must fusermount3 -u "$tmp/mnt"
	wait "$fs" || fail "fuse2fs: $(head -n 1 "$tmp/fuse2fs.log")"
	[ "$(held)" -gt 25000000 ] || fail "fuse2fs gave memory back: the documents say that it doesn't"
	do_example check 's/e2fsck .*/& || [ $? = 1 ]/'
	wait_for 5 held_less_than 3000000 || fail "$(held) bytes are held after e2fsck -E discard"
	must fusermount3 -u "$tmp/dir"
	mounts=
	stop
}

kernel_client() {
	requires nbd-client mkfs.ext4 fstrim
	[ "$(id -u)" = 0 ] || skip "only root may mount"
	[ -b /dev/nbd0 ] || modprobe nbd 2>/dev/null || true
	[ -b /dev/nbd0 ] || skip "there is no /dev/nbd0: this kernel has no NBD client"
	[ ! -e /sys/block/nbd0/pid ] || skip "/dev/nbd0 is in use"
	serve 400M
	device=/dev/nbd0
	do_example kernel
	deletes_and_trims
	discards_by_itself
	do_example kernel-detach
	stop
}

case $1 in
ext4 | xfs | btrfs) loop "$1" ;;
full) full ;;
fuse2fs) fuse2fs_keeps_all ;;
device) kernel_client ;;
*) fail "no such kind: $1" ;;
esac
