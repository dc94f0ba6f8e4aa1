#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What can't be mounted is refused in one line, and leaves nothing behind; what a crash left is taken away by whoever
# comes next.
# shellcheck source=tests/fuse/lib.sh
. "$(dirname "$0")/lib.sh"

# nothing_left: no mount, no folder of a server, no server, and what was in the directory is there
nothing_left() {
	! grep -q " $dir fuse" /proc/self/mounts || fail "left a mount: $*"
	expect_same "folders left by: $*" "$(ls -A "$XDG_RUNTIME_DIR")" ""
	expect_same "what is in the directory after: $*" "$(ls -A "$dir")" "$there"
	! pgrep -f "zs-fuse.* $dir " >"$out" || fail "left a server: $*"
}

# refused STATUS TEXT ARGUMENT...: of zs mount $dir
refused() {
	expected_status=$1
	words=$2
	shift 2
	must_fail "$expected_status" "$words" "$ZS" mount "$dir" "$@"
	nothing_left "$@"
	must_fail "$expected_status" "$words" "$ZS" mount --foreground "$dir" "$@"
	nothing_left "$@"
}

requires pgrep
there="file"
: >"$dir/file"
refused 3 "is not empty" 1G
rm "$dir/file"
there=
refused 3 "mem_limit" 1G mem-limit=16K
refused 2 "must be a number of bytes" 1X
refused 2 "must be a number of bytes" 0
refused 2 "unknown parameter 'frobnicate'" 1G frobnicate=1
refused 3 "nonsense" 1G algorithm=nonsense
refused 2 "must be a power of two" 1G block-size=5000
refused 2 "must be true or false" 1G checksum=perhaps
refused 2 "goes with recomp= or backing=" 1G idle=5
refused 3 "$tmp/none" 1G load="$tmp/none"
refused 3 "$tmp/none: No such file" 1G save="$tmp/none/save"
# What could not be written at the end, or found again, is not begun with.
mkfifo "$tmp/fifo"
refused 3 "has to be a regular file" 1G save="$tmp/fifo"
refused 3 "has to be a regular file" 1G load="$tmp/fifo"
refused 3 "has to be a regular file" 1G save=/dev/full
ln -s dir "$tmp/by-link"
for parameter in snapshot save control; do
	refused 3 "is in the directory that is to be mounted" 1G $parameter="$dir/file"
	refused 3 "is in the directory that is to be mounted" 1G $parameter="$tmp/by-link/file"
done
refused 2 "'allow-other' has no value" 1G allow-other
refused 3 "$tmp/none/backing" 1G backing="$tmp/none/backing"
refused 3 "$tmp/none/control" 1G control="$tmp/none/control"
must_fail 3 "$tmp/none: No such file or directory: make it first, with mkdir" "$ZS" mount "$tmp/none" 1G
must_fail 2 "no SIZE" "$ZS" mount "$dir"
must_fail 2 "no DIRECTORY" "$ZS" mount
must_fail 2 "--json goes with --list" "$ZS" mount --json "$dir" 1G
must_fail 3 "is not mounted by zs mount" "$ZS" umount "$dir"

# Without the device, and without the right to use it.
if [ "$(id -u)" = 0 ] && unshare -m sh -c 'mount -t tmpfs none /dev' 2>/dev/null; then
	# shellcheck disable=SC2016
	must_fail 3 "there is no /dev/fuse" unshare -m \
		sh -c 'mount -t tmpfs none /dev && : >/dev/null && exec "$0" mount "$1" 1G' "$ZS" "$dir"
	nothing_left "without /dev/fuse"
fi
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
chmod 755 "$tmp"
if [ "$(id -u)" = 0 ] && as_nobody test -x "$ZS" 2>/dev/null; then
	# Where everybody may open the device, it is fusermount3 that refuses: the directory is root's.
	words="can't mount"
	as_nobody test -w /dev/fuse || words="/dev/fuse: Permission denied"
	must_fail 3 "$words" as_nobody "$ZS" mount "$dir" 1G
	nothing_left "without the right"
fi

# A second mount of the same, by whatever name.
mounted
ln -s dir "$tmp/link"
must_fail 3 "is mounted already" "$ZS" mount "$dir" 1G
must_fail 3 "is mounted already" "$ZS" mount "$dir/" 1G
must_fail 3 "is mounted already" "$ZS" mount "$tmp/link" 1G
expect_same "mounts" "$(listed | wc -l)" 1
unmounted
nothing_left "the end"

# In the foreground: Ctrl-C, SIGTERM, SIGHUP and an unmount by hand are good ends.
is_mounted() {
	grep -q " $dir fuse.zs" /proc/self/mounts
}
for way in INT TERM HUP unmount; do
	# A shell's background has SIGINT ignored, which a terminal's foreground has not.
	env --default-signal=INT "$ZS" mount --foreground "$dir" 1G >"$out" 2>"$err" </dev/null &
	server=$!
	servers="$servers $server"
	mounts="$mounts $dir"
	wait_for 10 is_mounted || fail "--foreground does not mount"
	echo something >"$dir/file"
	if [ $way = unmount ]; then
		umount "$dir" 2>/dev/null || fusermount3 -u "$dir" || fail "can't be unmounted by hand"
	else
		kill -$way "$server"
	fi
	status=0
	wait "$server" || status=$?
	expect_same "status after $way" $status 0
	expect_same "words after $way" "$(cat "$err")" ""
	nothing_left "$way"
done

# crashed: a mount whose server is gone
crashed() {
	mounted
	echo lost >"$dir/file"
	kill -KILL "$server"
	wait_for 10 ended "$server" || fail "it lives"
	! stat "$dir" 2>"$err" || fail "a mount without a server has a root"
	expect_same "the list without the dead" "$(listed)$("$ZS" mount --list --json | grep -F "$tmp/" || true)" ""
}
crashed
must "$ZS" umount "$dir"
nothing_left "zs umount after a crash"
crashed
must "$ZS" umount "$tmp/link"
nothing_left "zs umount of a link after a crash"
crashed
mounted
expect_same "what is in it" "$(ls -A "$dir")" ""
unmounted
nothing_left "zs mount after a crash"
# Where nothing is left but the mount, as after a reboot of all but the kernel.
crashed
rm -r "$XDG_RUNTIME_DIR"/zs-mount-*
must "$ZS" umount "$dir/"
nothing_left "zs umount after the folder was removed"
crashed
rm -r "$XDG_RUNTIME_DIR"/zs-mount-*
mounted
unmounted
nothing_left "zs mount after the folder was removed"
# One whose parameters are refused does not take away less than it should, and leaves nothing.
crashed
must_fail 2 "unknown parameter" "$ZS" mount "$dir" 1G frobnicate=1
must "$ZS" umount "$dir"
nothing_left "zs mount that was refused after a crash"
# A living server that can't be found is not unmounted under its feet.
mounted
mv "$XDG_RUNTIME_DIR" "$XDG_RUNTIME_DIR.away"
mkdir "$XDG_RUNTIME_DIR"
must_fail 3 "its server can't be found" "$ZS" umount "$dir"
must_fail 3 "is a directory, and no server is found" "$ZS" ctl "$dir" get files
rmdir "$XDG_RUNTIME_DIR"
mv "$XDG_RUNTIME_DIR.away" "$XDG_RUNTIME_DIR"
unmounted
nothing_left "the last"
