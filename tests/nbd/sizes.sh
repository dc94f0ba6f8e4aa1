#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A disk has exactly the bytes that were asked for, whatever they are: its last block is used in part, by every request,
# and by snapshots, which keep the size.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq qemu-img qemu-io

real_data 2097152 "$tmp/data"

# One hole, whatever the size.
empty() {
	must nbdinfo --map --json "$uri"
	expect_same "map of an empty disk of $1" "$(jq -c '[.[] | [.offset, .length, .type]]' "$out")" "$2"
}
for size in 1 511 4095 4096 4097 130000 1048577; do
	case $size in
	130000) serve $size block-size=64K algorithm=zstd ;;
	*) serve $size ;;
	esac
	expect_same size "$(nbdinfo --size "$uri")" $size
	expect_same disksize "$(ctl get disksize)" $size
	empty $size "[[0,$size,3]]"
	head -c $size "$tmp/data" >"$tmp/in"
	must nbdcopy "$tmp/in" "$uri"
	must nbdcopy "$uri" "$tmp/back"
	cmp "$tmp/in" "$tmp/back" || fail "$size bytes: not what was copied in"
	must nbdinfo --map --json "$uri"
	expect_same "bytes in the map of a full disk" "$(jq '[.[].length] | add' "$out")" $size
	stop
done
serve 0
expect_same size "$(nbdinfo --size "$uri")" 0
stop

# One byte more is not there: what is copied must fit. An image of sectors is taken as it is.
head -c 4098 "$tmp/data" >"$tmp/in"
serve 4097
must_fail "" nbdcopy "$tmp/in" "$uri"
stop
truncate -s 1049088 "$tmp/image"
dd if="$tmp/data" of="$tmp/image" bs=512 count=9 seek=2040 conv=notrunc status=none
serve 1049088
must qemu-img convert -n -f raw -O raw "$tmp/image" "$uri"
must qemu-img compare -f raw -F raw "$tmp/image" "$uri"
must nbdcopy "$uri" "$tmp/back"
cmp "$tmp/image" "$tmp/back" || fail "not the image"

# The last block alone costs memory, and nothing once its bytes are trimmed or zeroed.
must qemu-io -f raw "$uri" -c "write -P 7 1048576 512"
[ "$(ctl get mm_stat | awk '{ print $1 }')" -gt 0 ] || fail "nothing is stored"
for how in "discard" "write -z -u"; do
	must qemu-io -f raw -d unmap "$uri" -c 'write -P 7 1048576 512' -c "$how 0 1049088"
	empty 1049088 "[[0,1049088,3]]"
	expect_same "stored after $how" "$(ctl get mm_stat | awk '{ print $1, $6 }')" "0 0"
done
stop

# Snapshots: the size is kept. Given again it must be the same; the message says both.
head -c 130000 "$tmp/data" >"$tmp/in"
for round in 1 2 3; do
	serve 130000 snapshot="$tmp/kept"
	[ $round = 1 ] || must nbdcopy "$uri" "$tmp/back"
	[ $round = 1 ] || cmp "$tmp/in" "$tmp/back" || fail "snapshot=: not what was saved"
	must nbdcopy "$tmp/in" "$uri"
	stop
done
serve load="$tmp/kept"
expect_same "size of a snapshot" "$(nbdinfo --size "$uri")" 130000
must nbdcopy "$uri" "$tmp/back"
cmp "$tmp/in" "$tmp/back" || fail "load=: not what was saved"
stop
for size in 129999 130001 131072 1M; do
	must_fail "was asked for, the disk in it has 130000 bytes" nbdkit -U - "$PLUGIN" $size load="$tmp/kept" --run true
done
serve 0 save="$tmp/nothing"
stop
serve load="$tmp/nothing"
expect_same "size of a snapshot of nothing" "$(nbdinfo --size "$uri")" 0
stop

# Its head is checked as everything else is.
for at in 0 7 8 9 15 16 23 24; do
	cp "$tmp/kept" "$tmp/bad"
	byte=$(dd if="$tmp/bad" bs=1 skip=$at count=1 status=none | od -An -tu1 | tr -d ' ')
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf '%03o' $((byte ^ 16)))" | dd of="$tmp/bad" bs=1 seek=$at conv=notrunc status=none
	must_fail "can't load $tmp/bad" nbdkit -U - "$PLUGIN" load="$tmp/bad" --run true
done
for length in 4 8 20 24 30; do
	head -c $length "$tmp/kept" >"$tmp/bad"
	must_fail "can't load $tmp/bad" nbdkit -U - "$PLUGIN" load="$tmp/bad" --run true
done

# nbdkit's filters that change the size or begin within a block.
filters=$(pkg-config --variable=filterdir nbdkit 2>/dev/null || true)
if [ -e "$filters/nbdkit-cow-filter.so" ] && [ -e "$filters/nbdkit-offset-filter.so" ]; then
	serve --filter=cow 130000
	must nbdcopy "$tmp/in" "$uri"
	must nbdcopy "$uri" "$tmp/back"
	cmp "$tmp/in" "$tmp/back" || fail "cow: not what was copied in"
	stop
	head -c 512 "$tmp/data" >"$tmp/sector"
	serve --filter=offset size=1024 offset=1 range=512
	must nbdcopy "$tmp/sector" "$uri"
	must nbdcopy "$uri" "$tmp/back"
	cmp "$tmp/sector" "$tmp/back" || fail "offset: not what was copied in"
	stop
fi
