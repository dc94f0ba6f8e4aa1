#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Snapshots where a file without a name can't be made, or can't be named afterwards: they are written with a name from
# the start. What a killed server leaves of one is removed by the next save, what a living one writes is not.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
: "${FILE_FAULTS:?}"

mkdir "$tmp/place"
snapshot=$tmp/place/disk.zram
real_data 4194304 "$tmp/data"
random_data 4194304 "$tmp/other"
faulty() {
	LD_PRELOAD=$FILE_FAULTS
	export LD_PRELOAD
	serve "$@"
	unset LD_PRELOAD
}
holds() {
	serve load="$snapshot"
	must nbdcopy "$uri" "$tmp/back"
	stop
	cmp -n 4194304 "$1" "$tmp/back" || fail "$2: not what was saved"
}
left() {
	find "$tmp/place" -name 'disk.zram.unfinished-????????' | wc -l
}
half_written() {
	[ "$(left)" = "$1" ] && [ -n "$(find "$tmp/place" -name 'disk.zram.unfinished-*' -size +0)" ]
}

for fault in NO_LINKAT NO_TMPFILE; do
	export "ZS_TEST_$fault=1"
	faulty 16M save="$snapshot"
	must nbdcopy "$tmp/data" "$uri"
	must ctl save
	stop
	unset "ZS_TEST_$fault"
	holds "$tmp/data" $fault
	expect_same "files left behind" "$(ls "$tmp/place")" disk.zram

	# Killed in the middle: the old one is there, and a part of the new one.
	export "ZS_TEST_$fault=1" ZS_TEST_GATE="$tmp/gate"
	touch "$tmp/gate"
	faulty 16M
	must nbdcopy "$tmp/other" "$uri"
	ctl save "$snapshot" >/dev/null 2>&1 &
	client=$!
	wait_for 20 half_written 1 || fail "$fault: nothing is being written"
	first_server=$server
	first_control=$control

	# Another save of the same file leaves alone what is being written.
	unset "ZS_TEST_$fault" ZS_TEST_GATE
	serve 16M
	must nbdcopy "$tmp/data" "$uri"
	must ctl save "$snapshot"
	expect_same "$fault: what another server writes" "$(left)" 1
	stop
	server=$first_server
	control=$first_control
	killed
	wait $client || true
	rm "$tmp/gate"
	expect_same "$fault: what a killed server leaves" "$(left)" 1
	holds "$tmp/data" "$fault, killed"

	# What only looks like it stays.
	touch "$snapshot.unfinished-" "$snapshot.unfinished-12345" "$snapshot.unfinished-xyzxyzxy" "$snapshot.unfinished-123456789"
	mkdir "$snapshot.unfinished-12345678"
	serve 16M
	must nbdcopy "$tmp/other" "$uri"
	must ctl save "$snapshot"
	stop
	holds "$tmp/other" "$fault, after that"
	expect_same "$fault: files left behind" "$(find "$tmp/place" -mindepth 1 | wc -l)" 6
	rm -r "$snapshot".unfinished-*
done
