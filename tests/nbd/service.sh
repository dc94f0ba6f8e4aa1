#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The unit of systemd: systemd finds no fault in it and not much that it exposes, its command serves the disk that its
# environment says, tells when the disk can be used, and saves it at the end; and the folder for sockets is made.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires perl
: "${UNITS:?}"

unit=$UNITS/zs@.service
[ -s "$unit" ] || fail "there is no unit"
! grep '@[A-Z_]*@' "$unit" >"$out" || fail "the unit has words that were not filled in"
# The one that is looked at has the program of this build.
sed "s:^ExecStart=[^ ]*/zs :ExecStart=$ZS :" "$unit" >"$tmp/zs@test.service"
grep -q "^ExecStart=$ZS serve " "$tmp/zs@test.service" || fail "the unit does not run zs"
if command -v systemd-analyze >/dev/null; then
	must systemd-analyze verify --man=no "$tmp/zs@test.service"
	expect_same "faults" "$(grep 'zs@' "$err" || true)" ""
	# Below 2.0 in its measure, where it can tell without a running system.
	if systemd-analyze security --help | grep -q -e --offline; then
		must systemd-analyze --no-pager security --offline=true --threshold=20 "$tmp/zs@test.service"
		grep -q 'Overall exposure level' "$out" || fail "systemd says nothing of what the unit exposes"
	fi
else
	echo "systemd-analyze is missing: the unit was not verified"
fi
if command -v systemd-tmpfiles >/dev/null && [ "$(id -u)" = 0 ]; then
	mkdir "$tmp/tree"
	must systemd-tmpfiles --create --root="$tmp/tree" "$UNITS/zs.tmpfiles"
	[ -d "$tmp/tree/run/zs" ] || fail "/run/zs is not made"
fi

# What systemd makes of the unit's lines, for the disk "test", in folders of this test.
mkdir -p "$tmp/run/zs/test" "$tmp/var/lib/zs/test"
filled() {
	sed -n "s/^$1=//p" "$tmp/zs@test.service" | sed "s:%i:test:g; s:/run/zs:$tmp/run/zs:g; s:/var/lib/zs:$tmp/var/lib/zs:g"
}
for assignment in $(filled Environment); do
	export "${assignment?}"
done
cat >"$tmp/manager.pl" <<'END'
use strict;
use Socket;
my ($name, $told) = @ARGV;
$name =~ s/^@/\0/;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die "$!";
bind($s, pack_sockaddr_un($name)) or die "$!";
open(my $out, '>', $told) or die "$!";
defined(recv($s, my $state, 100, 0)) or die "$!";
print $out "$state\n";
END
# start_service: as systemd does, with a socket on which it waits for what the service tells
start_service() {
	rm -f "$tmp/told" "$tmp/notify"
	perl "$tmp/manager.pl" "$1" "$tmp/told" &
	manager=$!
	servers="$servers $manager"
	wait_for 10 exists_or_ended "$tmp/told" "$manager" || fail "no manager"
	[ -e "$tmp/told" ] || fail "the manager has ended"
	NOTIFY_SOCKET=$1 sh -c "exec $(filled ExecStart)" >"$log" 2>&1 </dev/null &
	server=$!
	servers="$servers $server"
	wait_for 20 ended_either "$manager" "$server" || fail "the service does not say that it is ready"
	wait "$manager" || fail "the manager failed"
	expect_same "told" "$(cat "$tmp/told")" "READY=1"
	# shellcheck disable=SC2153 # of the environment that the unit has
	uri="nbd+unix:///?socket=$SOCKET"
	must nbdinfo --size "$uri"
}
exists_or_ended() {
	[ -e "$1" ] || ended "$2"
}
ended_either() {
	ended "$1" || ended "$2"
}
# shellcheck disable=SC2153 # likewise
control=$CONTROL

export SIZE=64M PARAMETERS="algorithm=zstd checksum=on"
start_service "$tmp/notify"
expect_same "size" "$(cat "$out")" $((64 << 20))
must ctl get comp_algorithm
grep -qF '[zstd]' "$out" || fail "the parameters are not those of the environment"
random_data $((64 << 20)) "$tmp/data"
must nbdcopy "$tmp/data" "$uri"
stop
[ -s "$tmp/var/lib/zs/test/snapshot" ] || fail "the disk is not saved at the end"

# Again, by a name that is no path: it is the disk that it was.
start_service "@zs-test-service-$$"
must nbdcopy "$uri" "$tmp/again"
cmp "$tmp/data" "$tmp/again" || fail "the disk is not what it was"
stop

# Without KEEP nothing is kept.
rm "$tmp/var/lib/zs/test/snapshot"
export KEEP=
start_service "$tmp/notify"
stop
[ ! -e "$tmp/var/lib/zs/test/snapshot" ] || fail "a disk that is not to be kept is saved"
