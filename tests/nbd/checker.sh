#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# checker.sh NAME OPS - random operations against a shadow copy, with a disk set up in the way that NAME says.
# ZS_TEST_SOAK=1 in the environment makes it run much longer.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
: "${CHECKER:?}"

ops=$2
block=4096
errors=none
case $1 in
default) serve 64M ;;
zstd16) block=16384; serve 64M algorithm=zstd block-size=16K checksum=on ;;
linux64) block=65536; serve 64M geometry=linux block-size=64K ;;
idle) serve 64M algorithm=lz4 recomp=zstd idle=1 cpu=50 checksum=on ;;
odd) block=16384; serve 20000003 recomp=zstd block-size=16K checksum=on ;;
limit) errors=ENOSPC; serve 64M mem-limit=12M ;;
*) fail "no such set-up: $1" ;;
esac
[ "${ZS_TEST_SOAK:-0}" != 1 ] || soak=--soak
run "$CHECKER" "$uri" seed="${ZS_TEST_SEED:-21}" ops="$ops" connections=4 block=$block errors=$errors ${soak:-}
cat "$out"
[ $status = 0 ] || fail "$1"
stop
