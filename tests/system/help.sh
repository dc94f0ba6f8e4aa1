#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Help, version, wrong usage, and that help, manual and program agree on the options there are.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
no_leak_check

run "$ZS" --help
expect_clean
for command in pack advise classes serve mount umount ctl top completion help; do
	grep -q "^  $command " "$out" || fail "zs --help does not list $command"
done
cp "$out" "$tmp/help"
for arguments in -h help; do
	run "$ZS" $arguments
	expect_clean
	cmp -s "$out" "$tmp/help" || fail "not the same as zs --help"
done

run "$ZS" --version
expect_clean
grep -qx 'zs [0-9]*\.[0-9]*\.[0-9]*' "$out" || fail "no version" # which it is, tests/install/version.sh knows

for command in pack advise classes serve mount umount ctl top completion; do
	run "$ZS" $command --help
	expect_clean
	grep -q "^usage: zs $command " "$out" || fail "no usage line"
	grep -q "exit status" "$out" || fail "the exit status is not explained"
	! awk 'length($0) > 80' "$out" | grep . || fail "a line is wider than 80 columns"
	cp "$out" "$tmp/help"
	run "$ZS" help $command
	expect_clean
	cmp -s "$out" "$tmp/help" || fail "not the same as zs $command --help"
	run "$ZS" $command -h
	cmp -s "$out" "$tmp/help" || fail "not the same as zs $command --help"

	# Every option in the help is in the manual, and the other way round; and the program knows each.
	grep -o -e '^  *\(-., \)\?--[a-z-]*' "$tmp/help" | grep -o -e '--[a-z-]*' | sort -u >"$tmp/in_help"
	grep -o -e '^=item.*B<--[a-z-]*>' "$ZS_SOURCE_DIR/docs/man/zs-$command.1.pod" | grep -o -e '--[a-z-]*' | sort -u >"$tmp/in_manual"
	diff "$tmp/in_help" "$tmp/in_manual" || fail "help and manual of $command name different options"
	while read -r option; do
		run "$ZS" $command "$option"
		! grep -q "unknown option" "$err" || fail "$option is in the help and is not known"
	done <"$tmp/in_help"
done

# Wrong usage: exit status 2, one line that names the trouble and where help is.
wrong() {
	message=$1
	shift
	run "$ZS" "$@"
	expect_status 2
	expect_no_output
	expect_lines 1
	expect_message "$message" "--help"
}
wrong "unknown command 'frobnicate'" frobnicate
wrong "the commands are pack, advise, classes, serve, mount, umount, ctl, top, completion and help" frobnicate
wrong "unknown command 'frobnicate'" help frobnicate
wrong "unknown option '--frobnicate'" --frobnicate
wrong "unknown option '-x'" -x
wrong "option '--version' takes no value" --version=3
wrong "unexpected argument 'more'" help pack more
for command in advise pack classes; do
	wrong "unknown option '--frobnicate'" $command --frobnicate
	wrong "unknown option '-x'" $command -x
	wrong "option '--json' takes no value" $command --json=yes
done
for command in pack classes; do
	wrong "option '--page-size' needs a value" $command --page-size
	for bad in 5000 4095 2048 131072 -4096 0 4096x '' four 99999999999999999999 65K; do
		wrong "--page-size '$bad': must be a power of two from 4096 to 65536" $command --page-size "$bad"
	done
	for bad in 0 65 -1 x ''; do
		wrong "--chain-size '$bad': must be a number from 1 to 64" $command --chain-size "$bad"
	done
	wrong "--chain-size '17': must be a number from 1 to 16 with --geometry linux" $command --chain-size 17 \
		--geometry linux /dev/null
	wrong "--geometry 'flat': must be dense or linux" $command --geometry flat
done
wrong "unexpected argument 'x'" classes x
wrong "--algo 'lzma': must be lz4, lz4hc, lzo, lzo-rle, zstd or deflate" pack --algo lzma /dev/null
for bad in 0 1025 -1 x ''; do
	wrong "--threads '$bad': must be a number from 1 to 1024" pack --threads "$bad" /dev/null
done
for bad in 0 -5 self 99999999999; do
	wrong "--pid '$bad': must be a number from 1 to 2147483647" pack --pid "$bad"
done
for bad in 63K 0 -1 64T x '' 1.5M 99999999999999999999 64KB; do
	wrong "--sample '$bad': must be a size of at least 64K, as 256K, 64M or 1G, or all" advise --sample "$bad" /dev/null
	wrong "--survey '$bad': must be a size of at least 64K, as 256K, 64M or 1G" advise --survey "$bad" /dev/null
done
wrong "--survey 'all': must be a size" advise --survey all /dev/null
wrong "--goal 'cheap': must be speed, balanced or density" advise --goal cheap /dev/null
wrong "--access 'often': must be random or sequential" advise --access often /dev/null
wrong "--threads '0': must be a number from 1 to 1024" advise --threads 0 /dev/null
wrong "--idle '101': must be a number from 0 to 100" advise --idle 101 /dev/null
wrong "--reads '1001': must be a number from 0 to 1000" advise --reads 1001 /dev/null
wrong "--pid '0': must be a number from 1 to 2147483647" advise --pid 0
wrong "--html '': must be the name of a file" advise --html '' /dev/null
wrong "no FILE and no --pid given" advise
wrong "standard input can be read only once" advise - -
wrong "no FILE and no --pid given" pack
for command in pack advise; do
	wrong "--null goes with --files-from" $command --null /dev/null
	wrong "standard input can be read only once" $command --files-from - -
done
wrong "standard input can be read only once" pack - -

run "$ZS"
expect_status 2
expect_no_output
grep -q '^usage: zs' "$err" || fail "no usage on standard error"

# A disk that is full is noticed.
for arguments in --help "pack --help" "advise --help" classes "classes --json"; do
	status=0
	what="zs $arguments >/dev/full"
	# shellcheck disable=SC2086 # words
	"$ZS" $arguments >/dev/full 2>"$err" || status=$?
	: >"$out"
	expect_status 3
	expect_lines 1
	expect_message "cannot write the output: No space left on device"
done
