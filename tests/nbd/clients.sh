#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Clients that people use: what they are told of the disk, and that what they copy in comes out again byte for byte.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires qemu-img qemu-io jq

serve 64M
must nbdinfo --json "$uri"
jq -e '.exports[0] | ."export-size" == 67108864 and .can_fua and .can_flush and .can_trim and .can_zero
	and .can_fast_zero and .can_cache and .can_multi_conn and .is_read_only == false and .is_rotational == false
	and .block_size_minimum == 1 and .block_size_preferred == 4096' "$out" >/dev/null || fail "nbdinfo"

# An empty disk is one hole.
must nbdinfo --map --json "$uri"
expect_same "map of an empty disk" "$(jq -c '[.[] | [.offset, .length, .type]]' "$out")" '[[0,67108864,3]]'

# In and out, with as many connections as nbdcopy likes; a length that is no multiple of a block.
real_data 20000123 "$tmp/in"
must nbdcopy "$tmp/in" "$uri"
must nbdcopy "$uri" "$tmp/all"
head -c 20000123 "$tmp/all" | cmp - "$tmp/in" || fail "nbdcopy: not what was copied in"
tail -c +20000124 "$tmp/all" | cmp -n 40000000 - /dev/zero || fail "nbdcopy: not zeros behind it"
must nbdinfo --map --json --totals "$uri"
data=$(jq '[.[] | select(.type == 0) | .size] | add' "$out")
[ "$data" -ge 15000000 ] && [ "$data" -le 20004864 ] || fail "$data bytes of data of 20000123"

# QEMU: the other way round, with an image that has holes.
head -c 3000000 "$tmp/in" >"$tmp/raw"
truncate -s 16M "$tmp/raw"
tail -c 1000000 "$tmp/in" >>"$tmp/raw"
truncate -s 64M "$tmp/raw"
must qemu-img convert -f raw -O raw -n "$tmp/raw" "$uri"
must qemu-img compare -f raw -F raw "$tmp/raw" "$uri"
must qemu-img convert -f raw -O qcow2 "$uri" "$tmp/back.qcow2"
must qemu-img compare -f raw -F qcow2 "$tmp/raw" "$tmp/back.qcow2"
must qemu-img map -f raw --output=json "$uri"
jq -e '[.[] | select(.zero) | .length] | add > 50000000' "$out" >/dev/null || fail "qemu-img map: the holes are not seen"
jq -e '[.[] | .length] | add == 67108864' "$out" >/dev/null || fail "qemu-img map: not the whole disk"

# Patterns of every alignment, zeros of every kind, discards.
must qemu-io -f raw "$uri" -c 'write -P 1 0 64k' -c 'write -P 2 511 1' -c 'write -P 3 4000 9000' -c 'write -z 20k 5k' \
	-c 'write -z -u 30k 8k' -c 'discard 40k 8k' -c 'write -f -P 4 60k 100k' -c 'flush' \
	-c 'read -P 1 0 511' -c 'read -P 2 511 1' -c 'read -P 1 512 3488' -c 'read -P 3 4000 9000' -c 'read -P 1 13000 7480' \
	-c 'read -P 0 20k 5k' -c 'read -P 1 25k 5k' -c 'read -P 0 30k 8k' -c 'read -P 0 40k 8k' -c 'read -P 1 48k 12k' \
	-c 'read -P 4 60k 100k'
! grep -i 'fail\|error' "$out" || fail "qemu-io"
must qemu-io -f raw "$uri" -c 'aio_write -P 7 1M 1M' -c 'aio_write -P 8 2M 1M' -c 'aio_write -P 9 3M 4097' -c 'aio_flush' \
	-c 'read -P 7 1M 1M' -c 'read -P 8 2M 1M' -c 'read -P 9 3M 4097'
! grep -i 'fail\|error' "$out" || fail "qemu-io"
must qemu-img bench -f raw -c 3000 -d 16 -s 4096 "$uri"
must qemu-img bench -f raw -w -c 3000 -d 16 -s 4096 --pattern=85 "$uri"
must qemu-io -f raw "$uri" -c 'read -P 85 0 11M'
! grep -i 'fail\|error' "$out" || fail "qemu-img bench wrote something else"
stop

# Read only, and a disk of a single block.
serve -r 4096
must_fail "" nbdcopy "$tmp/in" "$uri"
expect_same size "$(nbdinfo --size "$uri")" 4096
stop
