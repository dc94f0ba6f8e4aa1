#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A full disk: writes fail with ENOSPC, all that was written before reads back, the memory stays below the limit, and
# trimming makes room. With a backing file and evict=on there is none.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires qemu-io

limit=16777216
serve 128M mem-limit=$limit
random_data 8388608 "$tmp/random"
must nbdcopy "$tmp/random" "$uri"

# 64 MiB of incompressible data don't fit. One request at a time: a client that ends with others under way makes nbdkit 1.32
# abort (rude.sh).
random_data 67108864 "$tmp/large"
cat "$tmp/random" "$tmp/large" >"$tmp/whole"
must_fail "No space left on device" nbdcopy --connections=1 --requests=1 "$tmp/whole" "$uri"
grep -q 'write at [0-9]*: ' "$log" || fail "nothing in the log"
[ "$(wc -l <"$log")" -lt 100 ] || fail "the log is flooded"

used=$(ctl get mm_stat | awk '{ print $5 }')
[ "$used" -le $limit ] || fail "$used bytes in use, the limit is $limit"

must nbdcopy "$uri" "$tmp/out.raw"
cmp -n 8388608 "$tmp/random" "$tmp/out.raw" || fail "what was there before is damaged"

# Room again: without the first half, as much fits once more. Also what is compressible, and zeros, always fit.
must qemu-io -f raw -d unmap "$uri" -c 'discard 0 72M'
must nbdcopy "$tmp/random" "$uri"
must qemu-io -f raw "$uri" -c 'write -P 17 32M 32M' -c 'write -z 64M 32M' -c 'read -P 17 32M 32M' -c 'read -P 0 64M 32M'
! grep -i 'fail\|error' "$out" || fail "qemu-io"
must nbdcopy "$uri" "$tmp/out.raw"
cmp -n 8388608 "$tmp/random" "$tmp/out.raw" || fail "what was written after the trim is damaged"

# The limit can be lifted while the disk is in use.
must ctl set mem_limit 128M
must nbdcopy "$tmp/whole" "$uri"
must nbdcopy "$uri" "$tmp/out.raw"
cmp -n 75497472 "$tmp/whole" "$tmp/out.raw" || fail "what was written with the higher limit is damaged"
stop

# One context takes half of this limit, and all of nbdkit's threads write with it.
serve 64M mem-limit=4M algorithm=zstd algorithm-params=level=19 block-size=64K
random_data 1048576 "$tmp/small"
must nbdcopy --requests=64 "$tmp/small" "$uri"
must nbdcopy "$uri" "$tmp/out.raw"
cmp -n 1048576 "$tmp/small" "$tmp/out.raw" || fail "what sixteen threads wrote with one context is damaged"
held=$(ctl stats --json | sed -n 's/.*"memory_bytes": \([0-9]*\), "memory_max_bytes".*/\1/p')
[ "$held" -le 4194304 ] || fail "$held bytes are held, with a limit of 4194304"
stop

# With a backing file nothing fails: what is too much is there.
truncate -s 128M "$tmp/backing"
must_fail "evict=on: goes with backing=" nbdkit -U - "$PLUGIN" 64M evict=on --run true
serve 128M mem-limit=$limit backing="$tmp/backing" evict=on writeback=off
must nbdcopy "$tmp/whole" "$uri"
must nbdcopy "$uri" "$tmp/out.raw"
cmp -n 75497472 "$tmp/whole" "$tmp/out.raw" || fail "what went through a small memory is damaged"
[ "$(ctl get bd_stat | awk '{ print $1 }')" -gt 10000 ] || fail "where is it? $(ctl get bd_stat)"
held=$(ctl stats --json | sed -n 's/.*"memory_max_bytes": \([0-9]*\).*/\1/p')
[ "$held" -le $limit ] || fail "$held bytes were held, with a limit of $limit"
stop
