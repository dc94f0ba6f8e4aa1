#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# fio writes blocks of mixed sizes that have a checksum each, with 1 to 8 jobs, trims among them, and verifies them.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires fio
fio --enghelp 2>/dev/null | grep -qw nbd || skip "this fio has no nbd engine"

# fio_run NAME OPTION...
fio_run() {
	name=$1
	shift
	must fio --name="$name" --aux-path="$tmp" --ioengine=nbd --uri="$uri" --randseed=7 \
		--group_reporting --output="$tmp/fio.out" "$@"
	grep -q 'err= 0' "$tmp/fio.out" || { cat "$tmp/fio.out"; fail "fio $name"; }
	! grep -i 'verify: bad\|io_u error' "$tmp/fio.out" "$err" || fail "fio $name"
}

serve 256M
for jobs in 1 3 8; do
	fio_run verify$jobs --rw=randwrite --bsrange=512-64k --bs_unaligned=1 --numjobs=$jobs --size=$((24 / jobs))M \
		--offset_increment=$((24 / jobs))M --iodepth=8 --verify=crc32c --do_verify=1 --verify_fatal=1 \
		--buffer_compress_percentage=50 --refill_buffers
done
fio_run mixed --rw=randrw --bsrange=4k-32k --numjobs=4 --size=6M --offset_increment=8M --iodepth=16 --verify=crc32c \
	--verify_fatal=1 --verify_backlog=64
fio_run trim --rw=randtrimwrite --bs=4k --numjobs=2 --size=8M --offset_increment=8M --iodepth=4
fio_run sequential --rw=write --bs=128k --size=32M --iodepth=4 --verify=crc32c --do_verify=1 --verify_fatal=1
stop
