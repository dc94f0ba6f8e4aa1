#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What zs advise predicts is what devices hold: libzram's with both geometries, and the kernel's where it is idle.
# advise.sh kernel|libzram
set -eu
: "${ZS:?}" "${DEVICE:?}"
command -v jq >/dev/null || {
	echo "jq is missing"
	exit 77
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP INT TERM
failures=0

# predicted FILTER: of the prediction for lz4 and so on, from $tmp/json
predicted() {
	jq -r ".predictions[] | select($1) | $2" "$tmp/json"
}

same() {
	if [ "$2" != "$3" ]; then
		echo "$1: predicted $2, held $3"
		failures=$((failures + 1))
	fi
}

kernel() {
	if [ -n "${ZS_TEST_SOAK:-}" ]; then
		find /usr /etc -xdev -type f -print0 2>/dev/null | sort -z | xargs -0 cat 2>/dev/null |
			head -c 209715200 >"$tmp/file" || true
		for algorithm in lzo-rle lzo lz4; do
			file_holds $algorithm "200 MiB of files"
		done
	fi
	for algorithm in lzo-rle lzo lz4; do
		kernel_holds 1 $algorithm
		[ $algorithm != lzo-rle ] || kernel_holds 2 $algorithm
	done
}

# kernel_holds SEED ALGORITHM: made pages, and those of a program
kernel_holds() {
	"$DEVICE" make "$1" 2000 >"$tmp/file"
	head -c 4096000 "$ZS" >>"$tmp/file"
	file_holds "$2" "seed $1"
}

# file_holds ALGORITHM NAME: $tmp/file, filled up to whole pages
file_holds() {
	truncate -s "%4096" "$tmp/file"
	held=$("$DEVICE" kernel "$1" "$tmp/file") || {
		status=$?
		echo "$held"
		exit $status
	}
	"$ZS" advise --quick --survey 64K --sample all --json "$tmp/file" >"$tmp/json"
	ours=$(predicted ".algorithm == \"$1\" and .kernel.exact == 1 and (.level == null or .level == 1)" .kernel.mm_stat)
	same "the kernel, $1, $2" "$ours" "$held"
}

libzram() {
	"$DEVICE" make 3 1000 >"$tmp/made"
	head -c 4096000 "$ZS" >"$tmp/real"
	truncate -s "$(($(wc -c <"$tmp/real") / 65536 * 65536))" "$tmp/real"
	for file in made real; do
		"$ZS" advise --quick --survey 64K --sample all --json "$tmp/$file" >"$tmp/json"
		for algorithm in lzo-rle lzo lz4 lz4hc zstd; do
			this=".algorithm == \"$algorithm\" and .block_size == 4096 and .dictionary_bytes == 0 and
				(.level == null or .level == {\"lz4\": 1, \"lz4hc\": 9, \"zstd\": 3}.$(echo $algorithm | tr - _))"
			held=$("$DEVICE" libzram $algorithm 4096 "$tmp/$file" | tr -s ' ' | sed 's/^ //; s/ $//')
			same "$file, $algorithm" "$(predicted ".kernel and $this" .kernel.mm_stat)" "$held"
			held=$("$DEVICE" dense $algorithm 4096 "$tmp/$file")
			ours=$(predicted ".libzram and $this" '.libzram | "\(.compressed_bytes) \(.held_bytes)"')
			same "$file, $algorithm, dense" "$ours" "$held"
		done
	done
}

"$1"
[ $failures = 0 ]
