#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zs completion: what it prints has the options that --help has, each with a description, and the shells themselves
# complete by it what they should. A shell that is missing is left out, with a word; without any the test is skipped.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
no_leak_check
here=$(cd "$(dirname "$0")" && pwd)

for shell in bash zsh fish; do
	run "$ZS" completion $shell
	expect_clean
	cp "$out" "$tmp/$shell"
done
run "$ZS" completion tcsh
expect_status 2
expect_message "shell 'tcsh': must be bash, zsh or fish"
run "$ZS" completion
expect_status 2
expect_message "no shell is given: bash, zsh or fish"
run "$ZS" completion bash zsh
expect_status 2
expect_message "unexpected argument 'zsh'"

# What getopt knows, which is where the scripts' options come from, against what --help says.
for command in pack advise classes serve mount umount ctl top completion; do
	run "$ZS" $command --help
	grep -o -e '^  *\(-., \)\?--[a-z-]*' "$out" | grep -o -e '--[a-z-]*' | sort >"$tmp/in_help"
	sed -n "s/^\t\t$command) kind='words:\(.*\)' ;;\$/\1/p" "$tmp/bash" | tr ' ' '\n' | grep -e '^--' | sort >"$tmp/in_bash"
	diff "$tmp/in_help" "$tmp/in_bash" || fail "--help of $command and its options differ"
	sed -n "s/^complete .*_from $command' -l \([a-z-]*\) .*-d '..*'\$/--\1/p" "$tmp/fish" | sort >"$tmp/in_fish"
	diff "$tmp/in_help" "$tmp/in_fish" || fail "fish has other options of $command, or one without a description"
	sed -n "/^\t\t$command)\$/,/^\t\t\t;;\$/s/^\t\t\t\t'[^[]*\(--[a-z-]*\)=*\[..*\].*/\1/p" "$tmp/zsh" | sort >"$tmp/in_zsh"
	diff "$tmp/in_help" "$tmp/in_zsh" || fail "zsh has other options of $command, or one without a description"
done
! grep -F '[]' "$tmp/zsh" || fail "an option without a description"

# A folder for the names of files.
mkdir -p "$tmp/files/folder"
: >"$tmp/files/file one"
: >"$tmp/files/socket"
cd "$tmp/files"

# expect LINE WORD...: after LINE, which ends where the cursor is, exactly these.
expect() {
	line=$1
	shift
	printf '%s\n' "$line" >>"$tmp/lines"
	for word; do
		printf '%s|%s\n' "$line" "$word"
	done >>"$tmp/expected"
}
expect "zs " advise classes completion ctl help mount pack serve top umount
expect "zs cl" classes
expect "zs help um" umount
expect "zs pack --ge" --geometry
expect "zs pack --geometry " dense linux
expect "zs pack --algo lz" lz4 lz4hc lzo lzo-rle
expect "zs advise --goal d" density
expect "zs ctl file g" get
expect "zs ctl file s" set stats save
expect "zs ctl file get mem" mem_limit mem_used_max
expect "zs ctl file set recom" recomp_algorithm recompress
expect "zs completion " bash zsh fish
expect "zs completion bash z"
expect "zs top so" socket
expect "zs top --interval 2 so" socket
expect "zs top -n 3 -d 2 so" socket
expect "zs umount f" folder
expect "zs mount f" folder
expect "zs pack --geometry linux fol" folder

# complete_in_SHELL: for each of $tmp/lines what the shell completes, "LINE|WORD" each. One shell does them all.
#
# What readline makes of a line: words end at blanks, and = is one.
# shellcheck disable=SC2016 # bash expands it
complete_in_bash() {
	bash --norc -c '. "$1"
		while IFS= read -r line; do
			spaced=${line//=/ = }
			read -ra COMP_WORDS <<<"$spaced"
			[[ $line != *[\ =] ]] || COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_zs
			printf "$line|%s\n" "${COMPREPLY[@]}"
		done' bash "$tmp/bash" <"$tmp/lines"
}
complete_in_zsh() {
	zsh -f "$here/completion.zsh" "$tmp" <"$tmp/lines"
}
# shellcheck disable=SC2016 # fish expands it
complete_in_fish() {
	HOME=$tmp fish --no-config -c 'source $argv[1]
		while read -l line
			complete -C $line | string replace -r "\t.*" "" | string replace -r "^" "$line|"
		end' "$tmp/fish" <"$tmp/lines"
}
# check SHELL: a folder may have a slash at its end.
check() {
	what=$1
	"complete_in_$1" 2>"$err" | sed 's,/$,,; /|$/d' | sort -u >"$out"
	sort "$tmp/expected" | diff - "$out" >"$tmp/differences" || {
		cat "$tmp/differences"
		fail "'<' is expected, '>' was completed"
	}
}

mkdir "$tmp/functions"
cp "$tmp/zsh" "$tmp/functions/_zs"
tested=
for shell in zsh fish bash; do
	if ! command -v "$shell" >/dev/null; then
		echo "left out: $shell is missing"
		continue
	fi
	tested="$tested $shell"
	if [ "$shell" = bash ]; then
		# The = that ends the name of a parameter: other shells have the file after it, with the name.
		expect "zs pack --algo=zs" zstd
		expect "zs mount folder 1G snapshot=fi" "file one"
		expect "zs pack --pid $$" $$
	fi
	check "$shell"
done
[ -n "$tested" ] || skip "none of bash, zsh and fish is there"
