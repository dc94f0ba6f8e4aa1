#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What a newcomer, or a script, gets wrong: closed descriptors, full devices, things that are no socket, half an option.
# Each time one line that helps, the right exit status, and nothing written where it does not belong.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
no_leak_check

"$MAKE_PAGES" 4096 words 3 >"$tmp/few"
printf 'short' >"$tmp/short"

# into WHERE COMMAND...: standard output closed or full
into() {
	where=$1
	shift
	what="$* >$where"
	status=0
	: >"$out"
	if [ "$where" = closed ]; then
		"$@" >&- 2>"$err" </dev/null || status=$?
	else
		"$@" >"$where" 2>"$err" </dev/null || status=$?
	fi
}
for arguments in --help --version "help pack" "pack --help" classes "classes --json" "pack few" "pack --json few" \
	"advise --quick --survey 64K few" "advise --quick --survey 64K --json few"; do
	# shellcheck disable=SC2086 # words
	into closed sh -c 'cd "$1" && shift && exec "$@"' - "$tmp" "$ZS" $arguments
	expect_status 3
	expect_lines 1
	expect_message 'cannot write the output: Bad file descriptor'
done
for arguments in "pack few" "pack --json few" "advise --quick --survey 64K few"; do
	# shellcheck disable=SC2086 # words
	into /dev/full sh -c 'cd "$1" && shift && exec "$@"' - "$tmp" "$ZS" $arguments
	expect_status 3
	expect_lines 1
	expect_message 'cannot write the output: No space left on device'
done

# Standard error closed: a message goes nowhere, and not into the first file that is opened. What is kept of a stream
# once was that file.
what="head -c 40960 /dev/zero | zs pack - short 2>&-"
status=0
: >"$err"
head -c 40960 /dev/zero | "$ZS" pack --json - "$tmp/short" >"$out" 2>&- || status=$?
expect_status 0
expect_json '.pages == 11' '.same_filled_pages == 10' '.intact_pages == 11'

# Standard input closed.
for command in pack "advise --quick"; do
	what="zs $command - <&-"
	status=0
	# shellcheck disable=SC2086 # words
	"$ZS" $command - >"$out" 2>"$err" <&- || status=$?
	expect_status 1
	expect_no_output
	expect_lines 2
	expect_message 'standard input: Bad file descriptor' 'nothing to'
done

# No sockets, for those who want one.
mkdir "$tmp/folder"
for command in "ctl % get mm_stat" "top --once %"; do
	for name in "$tmp/folder" "$tmp/few"; do
		# shellcheck disable=SC2046 # words
		run "$ZS" $(echo "$command" | sed "s,%,$name,")
		expect_status 3
		expect_no_output
		expect_lines 1
		case $name in
		*/folder) expect_message "$name: is a directory, and no server is found that has it: see zs mount --list" ;;
		*) expect_message "$name: not a socket" ;;
		esac
	done
	# shellcheck disable=SC2046 # words
	run "$ZS" $(echo "$command" | sed "s,%,$tmp/nowhere,")
	expect_status 3
	expect_lines 1
	expect_message "$tmp/nowhere: No such file or directory: no disk is served there"
done
run "$ZS" ctl '' get mm_stat
expect_status 3
expect_lines 1
expect_message "'': must be the name of a control socket"

# Half an option that may be several, and help on help.
run "$ZS" pack --p "$tmp/few"
expect_status 2
expect_lines 1
expect_message "option '--p' may be --page-size, --pid, --pad (see: zs pack --help)"
run "$ZS" pack --pi=1 --pa=3 "$tmp/few"
expect_status 2
expect_message "option '--pa' may be --page-size, --pad"
run "$ZS" pack --js "$tmp/few"
expect_clean
run "$ZS" help help
expect_clean
grep -q '^usage: zs COMMAND' "$out" || fail "no help on help"

# A report to standard output, beside the text.
run "$ZS" advise --html - "$tmp/few"
expect_status 2
expect_lines 1
expect_message "--html '-': standard output has the text already; for the report too say --html /dev/stdout"
