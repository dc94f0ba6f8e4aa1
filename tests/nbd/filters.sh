#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# nbdkit's own filters over the disk: checkwrite, which compares writes with what is there; delay, which lets more
# requests be under way; error, which makes some fail.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
: "${CHECKER:?}"
[ -e "$(pkg-config --variable=filterdir nbdkit 2>/dev/null)/nbdkit-checkwrite-filter.so" ] || skip "nbdkit's filters are missing"

real_data 8388608 "$tmp/data"
serve 16M save="$tmp/snapshot"
must nbdcopy "$tmp/data" "$uri"
stop

# The same again is found equal; one byte else is not.
serve --filter=checkwrite load="$tmp/snapshot"
must nbdcopy --connections=1 "$tmp/data" "$uri"
cp "$tmp/data" "$tmp/other"
printf 'Z' | dd of="$tmp/other" bs=1 seek=5000001 conv=notrunc status=none
if cmp -s "$tmp/data" "$tmp/other"; then
	printf 'Y' | dd of="$tmp/other" bs=1 seek=5000001 conv=notrunc status=none
fi
run nbdcopy --connections=1 --requests=1 "$tmp/other" "$uri"
[ $status != 0 ] || fail "checkwrite takes other data for the same"
stop

serve --filter=delay 32M delay-read=1ms delay-write=2ms
must "$CHECKER" "$uri" ops=2000 connections=8 seed=11
stop

serve --filter=error 32M error=EIO error-rate=3%
must "$CHECKER" "$uri" ops=10000 errors=EIO seed=12
stop
