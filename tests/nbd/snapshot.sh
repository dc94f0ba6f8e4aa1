#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Snapshots: at the end and while the disk is in use, loaded again; a server that is killed while it saves leaves the
# old one; one that is damaged or cut short is refused.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"

real_data 16777216 "$tmp/one"
random_data 33554432 "$tmp/two"

# Save at the end, load: the content and the size are the same, and the disk as thin as before.
serve 64M algorithm=zstd save="$tmp/snapshot"
must nbdcopy "$tmp/one" "$uri"
before=$(nbdinfo --map --totals "$uri")
stop
expect_same mode "$(stat -c %a "$tmp/snapshot")" 600
[ "$(wc -c <"$tmp/snapshot")" -lt 16777216 ] || fail "the snapshot is not compressed"
serve load="$tmp/snapshot"
expect_same size "$(nbdinfo --size "$uri")" 67108864
expect_same "map" "$(nbdinfo --map --totals "$uri")" "$before"
must nbdcopy "$uri" "$tmp/back"
cmp -n 16777216 "$tmp/one" "$tmp/back" || fail "loaded: not what was saved"
case $(ctl get comp_algorithm) in
*"[zstd]"*) ;;
*) fail "the algorithm is not the snapshot's" ;;
esac

# While it is in use, to another file, relative to where zs runs; the state is that of the moment.
(cd "$tmp" && ctl save relative) || fail "zs ctl save"
must nbdcopy "$tmp/two" "$uri"
stop
serve load="$tmp/relative"
must nbdcopy "$uri" "$tmp/back"
cmp -n 16777216 "$tmp/one" "$tmp/back" || fail "saved while in use: not what it was then"
stop

# snapshot= starts empty where there is none, and from it where there is one. The size may be given again, no other
# one.
for round in 1 2; do
	serve 64M snapshot="$tmp/kept"
	if [ $round = 2 ]; then
		must nbdcopy "$uri" "$tmp/back"
		cmp -n 33554432 "$tmp/two" "$tmp/back" || fail "snapshot=: not what was saved"
	fi
	must nbdcopy "$tmp/two" "$uri"
	stop
done
must_fail "" nbdkit -U - "$PLUGIN" 32M load="$tmp/kept" --run true

# Through a symbolic link the file behind it is replaced.
ln -s kept "$tmp/link"
serve 64M save="$tmp/link"
stop
[ -L "$tmp/link" ] || fail "the link was replaced"
[ "$(wc -c <"$tmp/kept")" -lt 10000000 ] || fail "the file behind the link was not replaced"

# Killed in the middle of a save, again and again: whatever is there then is a whole snapshot, the old one or the new.
cp "$tmp/snapshot" "$tmp/killed"
half_written() {
	ls -l "/proc/$server/fd" 2>/dev/null | grep -q "$tmp.*(deleted)"
}
caught=0
for delay in 0 0.01 0.02 0.03 0.05; do
	serve 256M
	must nbdcopy "$tmp/two" "$uri"
	ctl save "$tmp/killed" >/dev/null 2>&1 &
	client=$!
	looks=0
	until half_written || [ $looks -ge 1000 ] || [ ! -d "/proc/$client" ]; do
		looks=$((looks + 1))
	done
	sleep $delay
	! half_written || caught=$((caught + 1))
	killed
	wait $client 2>/dev/null || true
	serve load="$tmp/killed"
	must nbdcopy "$uri" "$tmp/back"
	cmp -s -n 16777216 "$tmp/one" "$tmp/back" || cmp -s -n 33554432 "$tmp/two" "$tmp/back" ||
		fail "killed while saving: neither the old snapshot nor the new one"
	stop
	cp "$tmp/snapshot" "$tmp/killed"
done
[ $caught -gt 0 ] || echo "no save was caught in the middle"
[ -z "$(find "$tmp" -name 'killed?*')" ] || fail "files are left behind"

# Damage anywhere is noticed, and nothing is served.
size=$(wc -c <"$tmp/snapshot")
for at in 0 9 100 $((size / 3)) $((size / 2)) $((size - 1)); do
	cp "$tmp/snapshot" "$tmp/bad"
	byte=$(dd if="$tmp/bad" bs=1 skip="$at" count=1 status=none | od -An -tu1 | tr -d ' ')
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf '%03o' $((byte ^ 16)))" | dd of="$tmp/bad" bs=1 seek="$at" conv=notrunc status=none
	must_fail "can't load $tmp/bad" nbdkit -U - "$PLUGIN" load="$tmp/bad" --run true
done
for length in 0 1 $((size / 2)) $((size - 1)); do
	head -c "$length" "$tmp/snapshot" >"$tmp/bad"
	must_fail "can't load $tmp/bad" nbdkit -U - "$PLUGIN" load="$tmp/bad" --run true
done
must_fail "can't open $tmp/nowhere: No such file" nbdkit -U - "$PLUGIN" load="$tmp/nowhere" --run true

# A save that can't be done says so, and the disk lives on.
serve load="$tmp/snapshot"
must_fail "can't make a file in $tmp/no: No such file" ctl save "$tmp/no/where"
must_fail "Is a directory" ctl save "$tmp"
must_fail "without save=" ctl save
must nbdcopy "$uri" "$tmp/back"
cmp -n 16777216 "$tmp/one" "$tmp/back" || fail "the disk was changed"
stop
