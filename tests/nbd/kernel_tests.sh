#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# kernel_tests.sh zram01|zram02 - what the kernel's own tests of zram check, those of LTP and of its selftests, of a disk:
#
#   zram01   file systems, each on a disk with another algorithm and a memory limit: made, mounted, filled with zeros until
#            there is no room; what is stored is no more than what was written
#   zram02   a swap space: made, switched on and off again
#
# What they check of attributes, and zram03, is in unit_zram_selftests.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"

device=
swapped=
take_apart() {
	[ -z "$swapped" ] || swapoff "$device" 2>/dev/null || true
	umount "$tmp/mnt" 2>/dev/null || true
	[ -z "$device" ] || losetup -d "$device" 2>/dev/null || true
	clean_up
}
trap take_apart EXIT

requires_loop() {
	requires nbdfuse losetup
	[ "$(id -u)" = 0 ] || skip "only root may mount"
	[ -w /dev/fuse ] || skip "no FUSE"
	[ -c /dev/loop-control ] || skip "no loop devices"
	unshare -m mount -t tmpfs none /mnt 2>/dev/null || skip "nothing can be mounted here"
}

attached_or_ended() {
	[ -e "$tmp/dir/nbd" ] || ended "$1"
}

is_detached() {
	! losetup -n -O BACK-FILE "$device" 2>/dev/null | grep -q .
}

unmounted() {
	! grep -q " $1 fuse" /proc/mounts
}

# The disk as a block device, $device.
attach() {
	mkdir -p "$tmp/dir" "$tmp/mnt"
	mounts=$tmp/dir
	nbdfuse "$tmp/dir" "$uri" >"$tmp/nbdfuse.log" 2>&1 </dev/null &
	nbdfuse=$!
	servers="$servers $nbdfuse"
	wait_for 10 attached_or_ended $nbdfuse || fail "nbdfuse neither mounts nor ends"
	[ -e "$tmp/dir/nbd" ] || skip "nbdfuse can't mount here: $(head -n 1 "$tmp/nbdfuse.log")"
	device=$(losetup -f --show "$tmp/dir/nbd" 2>/dev/null) || skip "no loop device can be set up here"
}

detach() {
	must losetup -d "$device"
	wait_for 10 is_detached || fail "$device is still there"
	device=
	must fusermount3 -u "$tmp/dir"
	wait_for 10 unmounted "$tmp/dir" || fail "nbdfuse does not end"
	mounts=
}

# file_system KIND SIZE ALGORITHM
file_system() {
	grep -qw "$1" /proc/filesystems || modprobe "$1" 2>/dev/null || return 0
	command -v "mkfs.$1" >/dev/null || return 0
	serve "$2" geometry=linux algorithm="$3"
	attach
	expect_same "disksize" "$(ctl get disksize)" "$(blockdev --getsize64 "$device")"
	must ctl set mem_limit 25M
	expect_same "mem_limit" "$(ctl get mm_stat | awk '{ print $4 }')" $((25 << 20))
	must "mkfs.$1" -q "$device"
	must mount "$device" "$tmp/mnt"
	must_fail "No space left" dd if=/dev/zero of="$tmp/mnt/file" bs=64K
	must sync -f "$tmp/mnt"
	filled=$(wc -c <"$tmp/mnt/file")
	stored=$(ctl get mm_stat | awk '{ print $2 }')
	[ "$filled" -gt $(($(ctl get disksize) / 4)) ] || fail "$1 took $filled bytes only"
	[ "$stored" -le "$filled" ] || fail "$1: $filled bytes of zeros are stored in $stored"
	must umount "$tmp/mnt"
	detach
	stop
	done=$((done + 1))
}

zram01() {
	requires_loop
	requires blockdev
	done=0
	file_system ext4 26214400 lzo-rle
	file_system btrfs 134217728 lz4
	file_system xfs 335544320 zstd
	[ $done != 0 ] || skip "there is no file system to try"
}

zram02() {
	requires_loop
	requires mkswap swapon swapoff
	[ -e /proc/swaps ] || skip "this kernel has no swap"
	# Nothing should be swapped out in the moment that it is on: this is on a FUSE file.
	[ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" -gt 1048576 ] || skip "memory is short"
	serve 1M geometry=linux algorithm=lzo-rle mem-limit=1M
	attach
	must mkswap "$device"
	[ "$(ctl get mm_stat | awk '{ print $1 }')" -gt 0 ] || fail "nothing was written"
	swapped=yes
	run swapon -p 0 "$device"
	[ $status = 0 ] || skip "no swap can be switched on here: $(cat "$err")"
	grep -q "^$device " /proc/swaps || fail "it is not in use: $(cat /proc/swaps)"
	must swapoff "$device"
	swapped=
	! grep -q "^$device " /proc/swaps || fail "it is still in use"
	detach
	stop
}

"$1"
