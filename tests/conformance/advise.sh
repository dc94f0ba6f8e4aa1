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
	for seed in 1 2; do
		"$DEVICE" make $seed 3000 >"$tmp/file"
		held=$("$DEVICE" kernel "$tmp/file") || {
			status=$?
			echo "$held"
			exit $status
		}
		"$ZS" advise --quick --survey 64K --sample all --json "$tmp/file" >"$tmp/json"
		ours=$(predicted '.algorithm == "lz4" and .level == 1 and .block_size == 4096 and .dictionary_bytes == 0' \
			'.kernel | [.compr_data_size, .mem_used_total, .same_pages, .huge_pages] | map(tostring) | join(" ")')
		same "the kernel, seed $seed" "$ours" "$held"
	done
}

libzram() {
	"$DEVICE" make 3 1000 >"$tmp/made"
	head -c 4096000 "$ZS" >"$tmp/real"
	truncate -s "$(($(wc -c <"$tmp/real") / 65536 * 65536))" "$tmp/real"
	for file in made real; do
		"$ZS" advise --quick --survey 64K --sample all --json "$tmp/$file" >"$tmp/json"
		for algorithm in lzo lz4 lz4hc zstd; do
			this=".algorithm == \"$algorithm\" and .block_size == 4096 and .dictionary_bytes == 0 and
				(.level == null or .level == {\"lz4\": 1, \"lz4hc\": 9, \"zstd\": 3}.$algorithm)"
			held=$("$DEVICE" libzram $algorithm 4096 "$tmp/$file" | tr -s ' ' | sed 's/^ //; s/ $//')
			same "$file, $algorithm" "$(predicted "$this" .kernel.mm_stat)" "$held"
			held=$("$DEVICE" dense $algorithm 4096 "$tmp/$file")
			ours=$(predicted "$this" '.libzram | "\(.compressed_bytes) \(.held_bytes)"')
			same "$file, $algorithm, dense" "$ours" "$held"
		done
	done
}

"$1"
[ $failures = 0 ]
