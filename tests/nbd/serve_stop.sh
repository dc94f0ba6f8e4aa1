#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# An impatient user: signals while a disk is being saved lose nothing until it was said what they would lose, and then
# only the second one does.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq
# shellcheck source=tests/nbd/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"
: "${FILE_FAULTS:?}"
random_data 4194304 "$tmp/data"
random_data 4194304 "$tmp/other"

# slow FILE: a disk with the file's contents, whose saving waits for the gate
slow() {
	touch "$tmp/gate"
	LD_PRELOAD=$FILE_FAULTS
	ZS_TEST_GATE=$tmp/gate
	export LD_PRELOAD ZS_TEST_GATE
	begin 4M snapshot="$tmp/kept"
	unset LD_PRELOAD ZS_TEST_GATE
	must nbdcopy "$1" "$uri"
	: >"$err"
}
said() {
	grep -q "$1" "$err"
}
holds() {
	begin load="$tmp/kept"
	must nbdcopy "$uri" "$tmp/back"
	cmp "$1" "$tmp/back" || fail "$2"
	end TERM
}
# What zs serve says goes on in $err beside what other commands say: so none is run in between.
saving="zs serve: saving.*; press again to lose what is not saved"

# One signal and more before anything was said, and at once after it: saved all the same.
slow "$tmp/data"
kill -INT "$server"
kill -INT "$server"
wait_for 20 said "$saving" || fail "does not say that it is saving"
kill -TERM "$server"
[ -d "/proc/$nbdkit" ] || fail "the server is gone"
rm "$tmp/gate"
status=0
wait "$server" || status=$?
expect_same "exit status" $status 0
# On a busy machine the server may not have answered in time.
all=$(sed -n 's/.* saving, [0-9]* of \([0-9]*\) MiB; press.*/\1/p' "$err" | tail -n 1)
[ "${all:-4}" -ge 4 ] && [ "${all:-4}" -le 5 ] || fail "a snapshot of $(wc -c <"$tmp/kept") bytes is said to have $all MiB"
holds "$tmp/data" "not saved"

# The second one after it was said is meant: the server is ended, the old snapshot stays.
slow "$tmp/other"
kill -INT "$server"
wait_for 20 said "$saving" || fail "does not say that it is saving"
presses=0
until ended "$server"; do
	kill -INT "$server" 2>/dev/null || true
	presses=$((presses + 1))
	[ $presses -le 200 ] || fail "signals don't end it"
	sleep 0.6
done
[ $presses -ge 2 ] || fail "one signal has ended it"
status=0
wait "$server" || status=$?
expect_same "exit status" $status 3
said "nbdkit was killed: what was not saved is gone" || fail "does not say that it was lost"
[ "$(grep -c "$saving" "$err")" -ge 2 ] || fail "not said again for the first signal"
rm "$tmp/gate"
expect_same "what is left behind" "$(ls -A "$XDG_RUNTIME_DIR")" ""
holds "$tmp/data" "the old snapshot is not what it was"

# A server that does not answer: it is waited for, and said.
begin 1M snapshot="$tmp/new"
: >"$err"
kill -STOP "$nbdkit"
kill -INT "$server"
wait_for 20 said "saving; press again to lose what is not saved" || fail "says nothing of a server that hangs"
kill -CONT "$nbdkit"
status=0
wait "$server" || status=$?
expect_same "exit status" $status 0
[ -s "$tmp/new" ] || fail "not saved"
begin 1M
: >"$err"
kill -STOP "$nbdkit"
kill -HUP "$server"
wait_for 20 said "waiting for nbdkit to end; press again" || fail "says nothing of a server that hangs"
kill -CONT "$nbdkit"
wait "$server" || fail "exit status $?"
