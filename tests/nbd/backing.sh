#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Idle blocks are recompressed, or go to the backing file and come back from it; one that fails costs an error and no data.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
: "${CHECKER:?}" "${FAIL_BACKING:?}"

real_data 16777216 "$tmp/data"
truncate -s 64M "$tmp/backing"

written_back() {
	[ "$(ctl get bd_stat | awk '{ print $3 }')" -gt 1000 ]
}

# By hand, and by the background where backing= is given.
serve 32M backing="$tmp/backing" writeback=off
must nbdcopy "$tmp/data" "$uri"
before=$(ctl get mm_stat | awk '{ print $3 }')
must ctl set idle all
must ctl set writeback type=idle
written_back || fail "nothing was written back: $(ctl get bd_stat)"
must ctl set compact 1
after=$(ctl get mm_stat | awk '{ print $3 }')
[ "$after" -lt $((before / 4)) ] || fail "the memory is still there: $after of $before bytes"
must nbdcopy "$uri" "$tmp/back"
cmp -n 16777216 "$tmp/data" "$tmp/back" || fail "what came back from the file is something else"
must_fail "" nbdkit -U - "$PLUGIN" 1M backing="$tmp/backing" --run true
stop
serve 32M backing="$tmp/backing" idle=1 cpu=50
must nbdcopy "$tmp/data" "$uri"
wait_for 20 written_back || fail "the background has written nothing back"
must nbdcopy "$uri" "$tmp/back"
cmp -n 16777216 "$tmp/data" "$tmp/back" || fail "what came back from the file is something else"
stop

# A server that goes into the background is another process than the one that opened the file.
must nbdkit --pidfile "$tmp/pid" --unix "$tmp/background" "$PLUGIN" 32M control="$tmp/background.ctl" \
	backing="$tmp/backing" writeback=off
server=$(cat "$tmp/pid")
servers="$servers $server"
must nbdcopy "$tmp/data" "nbd+unix:///?socket=$tmp/background"
must "$ZS" ctl "$tmp/background.ctl" set idle all
must "$ZS" ctl "$tmp/background.ctl" set writeback type=idle
[ "$("$ZS" ctl "$tmp/background.ctl" get bd_stat | awk '{ print $3 }')" -gt 1000 ] || fail "nothing is in the file"
must_fail "in use" nbdkit -U - "$PLUGIN" 1M backing="$tmp/backing" --run true
must nbdcopy "nbd+unix:///?socket=$tmp/background" "$tmp/back"
cmp -n 16777216 "$tmp/data" "$tmp/back" || fail "what came back from the file is something else"
kill -TERM "$server"
wait_for 20 ended "$server" || fail "it does not end"

# Several algorithms are tried in a row: the first one here gains nothing on what it made itself.
recompressed() {
	[ "$(ctl get block_state | grep -c r)" -gt 1000 ]
}
serve 32M recomp=lz4,zstd idle=1 cpu=50
must nbdcopy "$tmp/data" "$uri"
wait_for 20 recompressed || fail "the second algorithm had no turn"
stop

# A file that fails now and then, under random operations.
ZS_TEST_BACKING=$tmp/backing ZS_TEST_FAIL_ONE_IN=2000 ZS_TEST_FAIL_LOG=$tmp/failures LD_PRELOAD=$FAIL_BACKING
export ZS_TEST_BACKING ZS_TEST_FAIL_ONE_IN ZS_TEST_FAIL_LOG LD_PRELOAD
serve 64M backing="$tmp/backing" writeback=off
unset LD_PRELOAD
(
	while [ -d "/proc/$server" ]; do
		ctl set idle all && ctl set writeback type=idle || true
		sleep 0.05
	done
) >/dev/null 2>&1 &
loop=$!
servers="$servers $loop"
run "$CHECKER" "$uri" seed=31 ops=30000 errors=EIO
cat "$out"
[ $status = 0 ] || fail "a backing file that fails"
[ -s "$tmp/failures" ] || fail "the backing file did not fail"
stop
wait $loop || true
