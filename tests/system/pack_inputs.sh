#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The ways to say what is to be packed: files, lists of files, standard input, pipes, padding.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

"$MAKE_PAGES" 4096 words 300 random 20 zero 10 >"$tmp/whole"
{ cat "$tmp/whole"; printf 'rest'; } >"$tmp/partial"
printf 'short' >"$tmp/short"
truncate -s 40960 "$tmp/sparse"

# Padding makes the last page whole; "short" is a page then.
run "$ZS" pack --pad --json "$tmp/whole" "$tmp/partial" "$tmp/short"
expect_clean
expect_json '.pages == 662' '.inputs == 3' '.compressed_pages == 602' '.problems == []'

# Without it too, with one line for all files and nothing wrong: a folder of ordinary files ends with 0.
pads="last pages are not whole and count as filled with zeros, as the kernel has them (--no-pad leaves them out)"
run "$ZS" pack --json "$tmp/whole" "$tmp/partial" "$tmp/short"
expect_status 0
expect_lines 1
expect_message "zs pack: 2 files: $pads"
expect_json '.pages == 662' '.inputs == 3' '.padded_pages == 2' '.problems == []' '.intact_pages == 662'
run "$ZS" pack --json "$tmp/partial"
expect_status 0
expect_lines 1
expect_message "zs pack: $tmp/partial: the last page is not whole and counts as filled with zeros, as the kernel has it"
expect_json '.pages == 331' '.padded_pages == 1'
# What is stored for it is what the kernel would store: the same as for a page that was padded by hand.
{ cat "$tmp/short"; head -c 4091 /dev/zero; } >"$tmp/by_hand"
run "$ZS" pack --json --pad "$tmp/short"
expect_clean
short=$(json '[.compressed_bytes, .kernel.compr_data_size]')
run "$ZS" pack --json "$tmp/by_hand"
expect_clean
[ "$(json '[.compressed_bytes, .kernel.compr_data_size]')" = "$short" ] || fail "a part page is not what it is with zeros"
# Left out where that is wanted.
run "$ZS" pack --json --no-pad "$tmp/whole" "$tmp/partial" "$tmp/short"
expect_status 0
expect_lines 1
expect_message 'zs pack: 2 files: last pages are not whole and left out'
expect_json '.pages == 660' '.inputs == 2' '.padded_pages == 0' '.problems == []'
run "$ZS" pack --no-pad "$tmp/short"
expect_status 1
expect_no_output
expect_lines 2
expect_message 'nothing to pack'
# Empty files: nothing is wrong with them, and nothing is in them.
: >"$tmp/empty"
: >"$tmp/empty2"
run "$ZS" pack --json "$tmp/whole" "$tmp/empty"
expect_status 0
expect_lines 1
expect_message "zs pack: $tmp/empty: is empty"
expect_json '.pages == 330' '.problems == []'
run "$ZS" pack --json "$tmp/empty" "$tmp/whole" "$tmp/empty2"
expect_status 0
expect_lines 1
expect_message 'zs pack: 2 files are empty'
run "$ZS" pack "$tmp/empty"
expect_status 1
expect_lines 2
expect_message 'nothing to pack'

# Holes are zeros.
run "$ZS" pack --json "$tmp/sparse"
expect_clean
expect_json '.pages == 10' '.same_filled_pages == 10'

# Options may stand after files; after -- everything is a file.
cp "$tmp/whole" "$tmp/--json"
run sh -c 'cd "$1" && "$2" pack whole --json -- --json' - "$tmp" "$ZS"
expect_clean
expect_json '.pages == 660' '.inputs == 2'

# Standard input: a pipe, a file, a file that was read in part, and with other files.
what="cat whole | zs pack --json -"
status=0
cat "$tmp/whole" | "$ZS" pack --json - >"$out" 2>"$err" || status=$?
expect_clean
expect_json '.pages == 330'
run_from "$tmp/whole" "$ZS" pack --json - "$tmp/whole"
expect_clean
expect_json '.pages == 660' '.inputs == 2'
run_from "$tmp/whole" sh -c 'dd bs=4096 count=30 of=/dev/null 2>/dev/null; exec "$1" pack --json -' - "$ZS"
expect_clean
expect_json '.pages == 300'
run_from /dev/null "$ZS" pack --json -
expect_status 1
expect_message 'standard input: is empty'

# A named pipe.
mkfifo "$tmp/pipe"
cat "$tmp/partial" >"$tmp/pipe" &
run "$ZS" pack --pad --json "$tmp/pipe"
wait $!
expect_clean
expect_json '.pages == 331'

# A symbolic link is what it leads to; a file twice is twice.
ln -s whole "$tmp/link"
run "$ZS" pack --json "$tmp/link" "$tmp/whole" "$tmp/whole"
expect_clean
expect_json '.pages == 990'

# Lists of names: by line, by null byte, from a file or standard input, beside other files.
printf '%s\n' "$tmp/whole" '' "$tmp/sparse" >"$tmp/list"
run "$ZS" pack --json --files-from "$tmp/list"
expect_clean
expect_json '.pages == 340' '.inputs == 2'
printf '%s' "$tmp/whole" >"$tmp/list" # no newline at the end
run_from "$tmp/list" "$ZS" pack --json --files-from - "$tmp/sparse"
expect_clean
expect_json '.pages == 340' '.inputs == 2'
odd="$tmp/a
name"
cp "$tmp/sparse" "$odd"
printf '%s\0' "$odd" "$tmp/whole" >"$tmp/list0"
for flag in --null -0; do
	run "$ZS" pack --json $flag --files-from "$tmp/list0"
	expect_clean
	expect_json '.pages == 340' '.inputs == 2'
done
# As the manual says, for a directory.
mkdir "$tmp/dir"
cp "$tmp/whole" "$tmp/dir/one"
cp "$tmp/sparse" "$tmp/dir/two"
what="find dir -type f -print0 | zs pack --null --files-from -"
status=0
find "$tmp/dir" -type f -print0 | "$ZS" pack --null --files-from - --json >"$out" 2>"$err" || status=$?
expect_clean
expect_json '.pages == 340'
# A list of null-terminated names that is not said to be one.
run "$ZS" pack --files-from "$tmp/list0"
expect_status 1
expect_message 'is --null missing?'
: >"$tmp/none"
run "$ZS" pack --files-from "$tmp/none"
expect_status 1
expect_lines 1
expect_message 'nothing to pack'
run "$ZS" pack --json --files-from "$tmp/nowhere" "$tmp/whole"
expect_status 1
expect_lines 1
expect_message "$tmp/nowhere: No such file or directory"
expect_json '.pages == 330'

# More files than a process may have open.
mkdir "$tmp/many"
i=0
while [ $i -lt 200 ]; do
	printf 'file %s' $i >"$tmp/many/$i"
	i=$((i + 1))
done
# shellcheck disable=SC3045 # dash has it
run sh -c 'ulimit -n 64 && exec "$1" pack --pad --json --threads 4 "$2"/*' - "$ZS" "$tmp/many"
expect_clean
expect_json '.pages == 200' '.inputs == 200'
