#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The plugin's parameters: each does what it says, and each wrong one is named before anything is served. Help, manual
# and program agree on which there are.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"

refused() {
	text=$1
	shift
	must_fail "$text" nbdkit -U - "$PLUGIN" "$@" --run true
}
refused "size= is needed: size=4G, or 4G alone as the first parameter"
refused "size=4X: must be a number of bytes, as 4G or 512M" 4X
refused "size=-1: must be a number of bytes" size=-1
refused "mem-limit=much: must be a number of bytes" 1M mem-limit=much
refused "no address space for a table" 9223372036854775807
refused "mem-limit=0: must be more than 0" 1M mem-limit=0
refused "reserve_bytes is 1 MiB of address space; the least is" 1M reserve=1M
refused "block-size=5000: must be a power of two" 1M block-size=5000
refused "block-size=2048: must be a power of two" 1M block-size=2048
refused "block-size=128K: must be a power of two" 1M block-size=128K
refused "geometry=flat: must be dense or linux" 1M geometry=flat
refused "no algorithm 'lzma': there are" 1M algorithm=lzma
refused "level 'nonsense' is not a number" 1M algorithm-params=level=nonsense
refused "dictionary /nowhere: No such file" 1M algorithm=zstd algorithm-params=dict=/nowhere
refused "recomp=zstd,,lz4: must be one to 3 names" 1M recomp=zstd,,lz4
refused "recomp=a,b,c,d: must be one to 3 names" 1M recomp=a,b,c,d
refused "no algorithm 'lzma': there are" 1M recomp=lzma
refused "(maybe)" 1M checksum=maybe
refused "cpu=0: must be a number from 1 to 100" 1M cpu=0
refused "cpu=101: must be a number from 1 to 100" 1M cpu=101
refused "idle=: goes with" 1M idle=5
refused "recompress=type=idle: goes with recomp=" 1M recompress=type=idle
refused "writeback=type=idle: goes with backing=" 1M writeback=type=idle
refused "type is idle, huge or huge_idle, not 'nonsense'" 1M recomp=zstd recompress=type=nonsense
refused "backing_dev $tmp/no/where: No such file" 1M backing="$tmp/no/where"
refused "unknown parameter 'frobnicate'" 1M frobnicate=1

# What the error says of parameters and of help is so: the same names, and a command that shows them.
sed 's/.*there are \(.*\); nbdkit .*/\1/; s/ and /, /' "$err" | tr -d ' ' | tr ',' '\n' | sort >"$tmp/in_error"
sed "s/.*; \(nbdkit '.*' --help\) says .*/\1/" "$err" >"$tmp/script"
must sh "$tmp/script"
sed -n 's/^\[\{0,1\}\([a-z-]*\)=\]\{0,1\}[A-Z|a-z].*/\1/p' "$out" | sort >"$tmp/in_help"
diff "$tmp/in_help" "$tmp/in_error" || fail "help and error name different parameters"

refused "mem_limit 4194304 is too small: with deflate level 12 and blocks of 4096 bytes, at least " \
	64M algorithm=deflate algorithm-params=level=12 mem-limit=4M

# works PARAMETER...: a server with these starts, and keeps what is written
real_data 4194304 "$tmp/data"
works() {
	serve "$@"
	must nbdcopy "$tmp/data" "$uri"
	must nbdcopy "$uri" "$tmp/back"
	cmp "$tmp/data" "$tmp/back" || fail "not what was written, with: $*"
	case $* in
	*algorithm=*)
		name=$(echo "$*" | sed -n 's/.*algorithm=\([a-z0-9-]*\).*/\1/p')
		case $(ctl get comp_algorithm) in
		*"[$name]"*) ;;
		*) fail "not $name: $(ctl get comp_algorithm)" ;;
		esac
		;;
	esac
	stop
}
for algorithm in lz4 lz4hc lzo lzo-rle zstd deflate; do
	works 4M algorithm=$algorithm
done
works size=4M algorithm=zstd algorithm-params=level=5 checksum=on
works 4M algorithm=zstd algorithm_params=level=5 mem_limit=64M block_size=8K train_dict=on
works 4M algorithm=zstd train-dict=on block-size=16K
works 4M geometry=linux shrinker=off
works 4M recomp=zstd,deflate idle=1 recompress=off mem-limit=64M cpu=1 reserve=256M
truncate -s 8M "$tmp/backing"
works 4M backing="$tmp/backing" idle=1
works 4M backing="$tmp/backing" writeback=off

# The three lists of parameters are one.
nbdkit "$PLUGIN" --help | sed -n 's/^\[\{0,1\}\([a-z-]*\)=\]\{0,1\}[A-Z|a-z].*/\1/p' | sort -u >"$tmp/in_help"
sed -n 's/^=item \[\{0,1\}B<\([a-z-]*\)=>.*/\1/p' "$ZS_SOURCE_DIR/plugins/nbdkit/nbdkit-zram-plugin.1.pod" | sort -u >"$tmp/in_manual"
diff "$tmp/in_help" "$tmp/in_manual" || fail "help and manual name different parameters"
[ "$(wc -l <"$tmp/in_help")" -ge 15 ] || fail "the help names too few parameters"
while read -r name; do
	run nbdkit -U - "$PLUGIN" "$name=" --run true
	! grep -q "unknown parameter" "$err" || fail "$name is in the help and is not known"
done <"$tmp/in_help"
nbdkit "$PLUGIN" --dump-plugin | grep -q '^zram_algorithms=.*zstd' || fail "--dump-plugin does not name the algorithms"
