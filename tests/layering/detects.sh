#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The check of the layout itself: on a made-up tree it accepts each allowed arrow and finds each wrong one.
set -eu
here=$(dirname "$0")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

for dir in include/zsmalloc src/base src/pages src/pool src/compact src/zsmalloc src/codec src/device src/zram plugins/nbdkit plugins/fuse plugins/common tools/zs tools/other tools/common \
	examples bench; do
	mkdir -p "$tree/$dir"
done
for header in include/zsmalloc/zsmalloc include/zsmalloc/zpool include/zsmalloc/zram src/base/bits src/pages/arena \
	src/pool/zspage src/compact/move src/zsmalloc/map src/codec/codec src/device/table src/zram/walk tools/zs/command tools/other/own tools/common/shared plugins/common/both plugins/fuse/own bench/own; do
	echo '#include <stdint.h>' >"$tree/$header.h"
done
echo 'int x;' >"$tree/src/base/bits.c"

# try EXPECTED FILE LINE: what the check says of a tree where FILE has LINE.
try() {
	printf '%s\n' "$3" >"$tree/$2"
	status=0
	output=$(sh "$here/includes.sh" "$tree") || status=$?
	rm "$tree/$2"
	case $1:$status:$output in
	right:0: | wrong:1:"$2:1: "*) ;;
	*)
		echo "expected '$1' of: $2: $3; got $status: $output"
		failures=$((failures + 1))
		;;
	esac
}

try right src/base/a.c '#include "base/bits.h"'
try right src/base/a.c '#include "bits.h"'
try right src/base/a.c '#include <urcu/urcu-bp.h>'
try right src/pages/a.c '#include "base/bits.h"'
try right src/pages/a.c '#include <zsmalloc/zsmalloc.h>'
try right src/pool/a.c '#include "pages/arena.h"'
try right src/compact/a.c '#include "pool/zspage.h"'
try right src/zsmalloc/a.c '#include "pages/arena.h"'
try right src/zsmalloc/a.c '#include "compact/move.h"'
try right src/zsmalloc/a.c '#include <zsmalloc/zpool.h>'
try right src/codec/a.c '#include "base/bits.h"'
try right src/zram/a.c '#include "codec/codec.h"'
try right src/zram/a.c '#include "device/table.h"'
try right include/zsmalloc/a.h '#include <stddef.h>'
try right plugins/nbdkit/a.c '#include <zsmalloc/zram.h>'
try right tools/zs/a.c '#include "command.h"'
try right tools/zs/a.c '#include "common/shared.h"'
try right plugins/nbdkit/a.c '#include "common/shared.h"'
try right tools/common/a.c '#include "common/shared.h"'
try right plugins/nbdkit/a.c '#include "common/both.h"'
try right plugins/common/a.c '#include "common/shared.h"'
try right plugins/common/a.c '#include <zsmalloc/zram.h>'
try right examples/a.c '#include <zsmalloc/zpool.h>'
try right bench/a.c '#include "own.h"'

try wrong src/base/a.c '#include "pages/arena.h"'
try wrong src/zram/a.c '#include "common/shared.h"'
try wrong tools/zs/a.c '#include "common/both.h"'
try wrong tools/common/a.c '#include "common/both.h"'
try wrong plugins/common/a.c '#include "../fuse/own.h"'
try wrong plugins/nbdkit/a.c '#include "../fuse/own.h"'
try wrong bench/a.c '#include "common/shared.h"'
try wrong tools/common/a.c '#include "zs/command.h"'
try wrong tools/common/a.c '#include <zsmalloc/zram.h>'
try wrong src/base/a.c '#include "../pages/arena.h"'
try wrong src/base/a.c '#include <pages/arena.h>'
try wrong src/base/a.c '  #  include "pool/zspage.h"'
try wrong src/base/a.c '#include <zsmalloc/zsmalloc.h>'
try wrong src/pages/a.h '#include "pool/zspage.h"'
try wrong src/pages/a.c '#include <zsmalloc/zpool.h>'
try wrong src/zsmalloc/a.c '#include "codec/codec.h"'
try wrong src/zsmalloc/a.c '#include "device/table.h"'
try wrong src/zsmalloc/a.c '#include <zsmalloc/zram.h>'
try wrong src/codec/a.c '#include "pool/zspage.h"'
try wrong src/codec/a.c '#include "pages/arena.h"'
try wrong src/zram/a.c '#include "pages/arena.h"'
try wrong src/zram/a.c '#include "../../tools/zs/command.h"'
try wrong include/zsmalloc/zsmalloc.h '#include <zsmalloc/zpool.h>'
cp "$tree/include/zsmalloc/zpool.h" "$tree/include/zsmalloc/zsmalloc.h"
try wrong include/zsmalloc/zpool.h '#include <zsmalloc/zram.h>'
cp "$tree/include/zsmalloc/zram.h" "$tree/include/zsmalloc/zpool.h"
try wrong include/zsmalloc/zpool.h '#include "../../src/base/bits.h"'
cp "$tree/include/zsmalloc/zram.h" "$tree/include/zsmalloc/zpool.h"
try wrong plugins/nbdkit/a.c '#include "base/bits.h"'
try wrong tools/zs/a.c '#include "../../src/base/bits.h"'
try wrong tools/zs/a.c '#include "../other/own.h"'
try wrong examples/a.c '#include <pages/arena.h>'
try wrong bench/a.c '#include "../src/pool/zspage.h"'
try wrong bench/a.cpp '#include "base/bits.h"'
try wrong src/zsmalloc/a.c '#include "../base/bits.c"'
try wrong src/zsmalloc/a.c '#include "gone.h"'
try wrong examples/a.c '#include <zsmalloc/gone.h>'

# A check that reads nothing must not pass.
status=0
sh "$here/includes.sh" "$tree/plugins" 2>/dev/null || status=$?
if [ $status != 2 ]; then
	echo "an empty tree: expected exit 2, got $status"
	failures=$((failures + 1))
fi
[ $failures = 0 ]
