#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What zs pack can't use gets one clear line and exit status 1, and everything else is done all the same.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

"$MAKE_PAGES" 4096 words 50 >"$tmp/good"
mkdir "$tmp/dir"
mkfifo "$tmp/pipe"

# bad MESSAGE PAGES ARGUMENT...: beside a good file, before and after it
bad() {
	message=$1
	pages=$2
	shift 2
	for order in before after; do
		if [ $order = before ]; then
			run "$ZS" pack --json "$@" "$tmp/good"
		else
			run "$ZS" pack --json "$tmp/good" "$@"
		fi
		expect_status 1
		expect_lines 1
		expect_message "$message"
		expect_json ".pages == $pages" '.intact_pages == .pages' '.broken_pages == 0' '.problems | length == 1'
		[ "zs pack: $(json '.problems[0]')" = "$(cat "$err")" ] || fail "the JSON tells another problem"
	done
	run "$ZS" pack "$tmp/good" "$@"
	expect_status 1
	grep -q '^  all  *5[0-9]$' "$out" || fail "no report"
}
bad "$tmp/nowhere: No such file or directory" 50 "$tmp/nowhere"
bad "$tmp/good/x: Not a directory" 50 "$tmp/good/x"
bad "$tmp/dir: is a directory (try: $ZS pack -r $tmp/dir)" 50 "$tmp/dir"
bad "/dev/null: is neither a file nor a block device nor a pipe" 50 /dev/null
bad ": No such file or directory" 50 ""
bad "File name too long" 50 "$(printf '%05000d' 0)"

# Larger than any memory. Only some file systems have such files.
huge=$tmp/huge
[ ! -d /dev/shm ] || huge=/dev/shm/zs-huge.$$
if truncate -s 1P "$huge" 2>/dev/null; then
	run "$ZS" pack --json "$huge" "$tmp/good"
	rm -f "$huge"
	expect_status 1
	expect_lines 1
	expect_message "$huge: is too large: to keep track of the pages of 1.00 PiB takes 8.00 TiB of memory, which is not there"
	expect_json '.pages == 50'
fi
rm -f "$huge"

# Nothing usable at all.
run "$ZS" pack "$tmp/nowhere"
expect_status 1
expect_no_output
expect_lines 2
expect_message 'No such file or directory' 'nothing to pack'

# All of them at once: a line each.
run "$ZS" pack --json "$tmp/nowhere" "$tmp/good" "$tmp/dir" /dev/null
expect_status 1
expect_lines 3
expect_json '.pages == 50' '.problems | length == 3'

# A list that is none, and one that never ends: a name is read as far as the system takes names.
run "$ZS" pack --json "$tmp/good" --files-from /dev/zero
expect_status 1
expect_lines 1
expect_message '/dev/zero: has a name of more than 4095 bytes; the rest of the list is left out (is --null missing?)'
expect_json '.pages == 50' '.problems | length == 1'

# Names that would break the line, drive the terminal or are no UTF-8 do none of it, and the JSON stays JSON.
run "$ZS" pack --json "$tmp/good" "$(printf 'a\nb\033[31m\177\377\303"\\c')"
expect_status 1
expect_lines 1
expect_message 'a\012b\033[31m\177'
expect_json '.problems[0] | startswith("a\nb\u001b[31m\u007f\ufffd\ufffd\"\\c: ")'

# A process that is gone: one that we have just seen end.
sleep 0 &
gone=$!
wait $gone
bad "process $gone: no such process" 50 --pid $gone
run "$ZS" pack --pid 2147483647
expect_status 1
expect_message 'process 2147483647: no such process' 'nothing to pack'
# A part of the kernel has no memory of its own; only root gets as far as seeing that.
if [ "$(id -u)" = 0 ] && [ -e /proc/2/comm ] && grep -q kthreadd /proc/2/comm; then
	run "$ZS" pack --pid 2
	expect_status 1
	expect_lines 2
	expect_message 'process 2: '
fi

# The rest needs somebody who may not do everything.
if [ "$(id -u)" = 0 ]; then
	command -v setpriv >/dev/null || skip "the rest needs setpriv: run by root, who may read everything"
	# The program itself may lie where nobody else may look.
	chmod 755 "$tmp"
	cp "$ZS" "$tmp/zs"
	chmod 755 "$tmp/zs"
	mkdir -m 777 "$tmp/profile"
	zs_as_other() {
		# GCOV_PREFIX: where coverage is counted, the counts can't be written in place.
		GCOV_PREFIX=$tmp/profile setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/zs" "$@"
	}
	theirs=$$
else
	zs_as_other() {
		"$ZS" "$@"
	}
	theirs=$(find /proc -maxdepth 1 -name '[1-9]*' -type d ! -user "$(id -u)" -printf '%f\n' 2>/dev/null | head -n 1)
fi
printf 'secret' >"$tmp/secret"
mkdir "$tmp/closed"
cp "$tmp/good" "$tmp/closed/file"
chmod 0 "$tmp/secret" "$tmp/closed"
chmod 644 "$tmp/good"
run zs_as_other pack --json "$tmp/secret" "$tmp/good" "$tmp/closed/file"
chmod 755 "$tmp/closed"
expect_status 1
expect_lines 2
expect_message "$tmp/secret: Permission denied" "$tmp/closed/file: Permission denied"
expect_json '.pages == 50' '.intact_pages == 50'
# Somebody else's process.
[ -n "$theirs" ] || skip "there is no process of another user"
run zs_as_other pack --json --pid $theirs "$tmp/good"
expect_status 1
expect_lines 1
expect_message "process $theirs: "
expect_json '.pages == 50'
expect_message 'Permission denied (its memory is for its owner and root'
