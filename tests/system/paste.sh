#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Lines that are printed to be pasted: a shell gets out of them the names that went in.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
: "${ZS_PARTS:?}"
no_leak_check

# What a shell makes of a word, with a byte behind it so that line breaks at the end stay.
for shell in sh dash bash ksh zsh 'busybox sh'; do
	command -v "${shell%% *}" >/dev/null || continue
	for name in plain a/b-c_d.e 'two words' "it's" '"$HOME"' '`id`' '$(id)' '~' '*' 'a;b' 'a&b|c>d' '#' '!x' '\' '\n' '' ' ' \
		'100 %' '%s' '=x' "a'b\"c\\d" "$(printf 'a\nb')" "$(printf 'tab\there')" "$(printf '\033[31m')" \
		"$(printf 'del\177')" "$(printf 'a\n\n_' | tr -d _)" "$(printf '\001'"1'\\")" \
		"line end
"; do
		"$ZS_PARTS" word "$name" >"$tmp/word"
		{ printf 'printf "%%s_" '; cat "$tmp/word"; } >"$tmp/script"
		$shell "$tmp/script" >"$tmp/got" 2>&1 || fail "$shell: $(cat "$tmp/script")"
		printf '%s_' "$name" | cmp -s - "$tmp/got" || fail "$shell: '$name' became '$(cat "$tmp/got")' by $(cat "$tmp/word")"
	done
done
for name in plain /a/b-c_d.e 1:2,3; do
	[ "$("$ZS_PARTS" word $name)" = $name ] || fail "quotes around $name, which needs none"
done
[ "$("$ZS_PARTS" word "$(printf 'a\033b')" | tr -d '\033')" = "$("$ZS_PARTS" word "$(printf 'a\033b')")" ] ||
	fail "a control character reaches the terminal"
odd="$tmp/it's a folder"
mkdir "$odd"
[ "$(cd "$odd" && "$ZS_PARTS" path "x y")" = "'$(echo "$odd" | sed "s/'/'\\\\''/")/x y'" ] || fail "no absolute path"
[ "$(cd / && "$ZS_PARTS" path x)" = /x ] || fail "two slashes at the root"
