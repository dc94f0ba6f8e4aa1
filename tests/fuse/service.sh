#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The units of systemd: systemd finds no fault in them, their commands do what they are there for, and the server tells
# the manager when the directory can be used and when it ends.
# shellcheck source=tests/fuse/lib.sh
. "$(dirname "$0")/lib.sh"
requires python3
: "${UNITS:?}"

units=$tmp/units
mkdir "$units"
for unit in zs-mount@ zs-tmp; do
	[ -s "$UNITS/$unit.service" ] || fail "$unit.service is not there"
	! grep '@[A-Z_]*@' "$UNITS/$unit.service" >"$out" || fail "$unit.service has words that were not filled in"
done
# What is looked at has the program of this build.
sed "s:[^ =]*/zs :$ZS :" "$UNITS/zs-mount@.service" >"$units/zs-mount@srv-cache.service"
sed "s:[^ =]*/zs :$ZS :" "$UNITS/zs-tmp.service" >"$units/zs-tmp.service"
grep -qF "ExecStart=$ZS mount --foreground" "$units/zs-tmp.service" || fail "no command"
if command -v systemd-analyze >/dev/null; then
	must systemd-analyze verify --man=no "$units/zs-mount@srv-cache.service"
	expect_same "faults" "$(grep -v 'Unit .*/lib/systemd\|/lib/systemd/system/' "$err" | grep 'zs-' || true)" ""
	must systemd-analyze --user verify --man=no "$units/zs-tmp.service"
	expect_same "faults of the user's" "$(grep 'zs-' "$err" || true)" ""
else
	echo "systemd-analyze is missing: the units are not verified"
fi

# unit_command UNIT KEY: a unit's command, as systemd would run it for $dir
unit_command() {
	sed -n "s/^$2=-*//p" "$units/$1.service" | sed "s:%f:$dir:; s:%t/tmp:$dir:"
}
SIZE=$(sed -n 's/^Environment=SIZE=\([^ ]*\).*/\1/p' "$units/zs-mount@srv-cache.service")
PARAMETERS=
export SIZE PARAMETERS

cat >"$tmp/manager.py" <<'END'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\0", 1))
open(sys.argv[2], "w").close()
for word in range(2):
    with open(sys.argv[2], "a") as f:
        f.write(s.recv(100).decode() + "\n")
END
is_mounted() {
	grep -q " $dir fuse.zs" /proc/self/mounts
}
# The manager's socket may be a path, or a name that is none.
for socket in "$tmp/notify" "@zs-test-$$"; do
	rm -f "$tmp/told"
	python3 "$tmp/manager.py" "$socket" "$tmp/told" &
	manager=$!
	servers="$servers $manager"
	wait_for 10 test -e "$tmp/told" || fail "no manager"
	rmdir "$dir"
	must sh -c "$(unit_command zs-mount@srv-cache ExecStartPre)"
	NOTIFY_SOCKET=$socket sh -c "exec $(unit_command zs-mount@srv-cache ExecStart)" >"$out" 2>"$err" </dev/null &
	server=$!
	servers="$servers $server"
	mounts="$mounts $dir"
	wait_for 10 grep -qx 'READY=1' "$tmp/told" || fail "does not say that it is ready"
	is_mounted || fail "is ready, and nothing is mounted"
	! grep -q STOPPING "$tmp/told" || fail "ends early"
	kill -TERM "$server"
	wait "$server" || fail "exit status $?"
	wait_for 10 grep -qx 'STOPPING=1' "$tmp/told" || fail "does not say that it ends"
	wait "$manager" || fail "the manager failed"
	expect_same "told" "$(tr '\n' ' ' <"$tmp/told")" "READY=1 STOPPING=1 "
done

# After a crash the unit's last command takes the mount away; after a good end it says nothing.
for unit in zs-mount@srv-cache zs-tmp; do
	stop=$(sed -n 's/^ExecStopPost=-//p' "$units/$unit.service" | grep -w -e umount -e fusermount3 |
		sed "s:%f:$dir:; s:%t/tmp:$dir:")
	[ -n "$stop" ] || fail "$unit.service leaves a crash's mount"
	command -v "${stop%% *}" >/dev/null || continue
	sh -c "exec $(unit_command $unit ExecStart)" >"$out" 2>"$err" </dev/null &
	server=$!
	servers="$servers $server"
	wait_for 10 is_mounted || fail "$unit.service does not mount"
	kill -KILL "$server"
	wait_for 10 ended "$server" || fail "it lives"
	run sh -c "$stop"
	! is_mounted || fail "$unit.service leaves a crash's mount: $stop"
	run sh -c "$stop"
	expect_same "words after a good end" "$(cat "$out" "$err")" ""
done
