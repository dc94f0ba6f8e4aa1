#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Lines that are printed to be pasted: a shell gets out of them the names that went in.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
: "${ZS_PARTS:?}"
no_leak_check

# What shells make of words, with a byte behind each so that line breaks at the end stay.
for name in plain a/b-c_d.e 'two words' "it's" '"$HOME"' '`id`' '$(id)' '~' '*' 'a;b' 'a&b|c>d' '#' '!x' '\' '\n' '' ' ' \
	'100 %' '%s' '=x' "a'b\"c\\d" "$(printf 'a\nb')" "$(printf 'tab\there')" "$(printf '\033[31m')" \
	"$(printf 'del\177')" "$(printf '\001'"1'\\")" 'line end
'; do
	{ printf 'printf "%%s_\n" '; "$ZS_PARTS" word "$name"; } >>"$tmp/words"
	printf '%s_\n' "$name" >>"$tmp/names"
done
for shell in sh dash bash ksh zsh 'busybox sh'; do
	command -v "${shell%% *}" >/dev/null || continue
	$shell "$tmp/words" >"$tmp/got" 2>&1 || fail "$shell: $(cat "$tmp/got")"
	diff "$tmp/names" "$tmp/got" || fail "$shell: other words"
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

# The hint for a folder, pasted where another folder is the current one, packs what is in it.
mkdir "$tmp/bin" "$tmp/elsewhere"
ln -s "$ZS" "$tmp/bin/zs"
"$MAKE_PAGES" 4096 words 3 >"$tmp/three"
# pasted NAME COMMAND...: what is printed for the folder NAME, run by sh
pasted() {
	cp "$tmp/three" "$1/it's a \"file\""
	cp "$tmp/three" "$1/-"
	run "${4:-$ZS}" "$2" "$1"
	expect_status 1
	sed -n 's/.*(try: \(.*\))$/\1/p' "$err" >"$tmp/hint"
	[ -s "$tmp/hint" ] || fail "no hint"
	sed 's/ -r / --json -r /' "$tmp/hint" >"$tmp/script"
	status=0
	what="$(cat "$tmp/script")"
	(cd "$tmp/elsewhere" && sh "$tmp/script") >"$out" 2>"$err" || status=$?
	expect_clean
	expect_json "$3"
}
mkdir "$tmp/here"
cd "$tmp/here"
for folder in plain 'two words' "it's \$HOME" '"a"' '-n' "$(printf 'line\nbreak')" "$(printf 'esc\033[31m')" 'end
'; do
	mkdir -- "$folder"
	pasted "./$folder" pack '.pages == 6 and .inputs == 2'
done
pasted plain advise '.sample_bytes == 6 * 4096 and .inputs == 2'
# However the command was called: by a path that begins here, or found among the commands.
pasted plain advise '.sample_bytes == 6 * 4096' ../bin/zs
path=$PATH
PATH="$tmp/bin:$PATH"
pasted plain pack '.pages == 6' zs
PATH=$path
cd - >/dev/null

# zramctl's lines, with a zramctl and a sysfs of our own: with the usual level in one go, with another in three writes.
mkdir -p "$tmp/sys/zram7"
cat >"$tmp/bin/zramctl" <<'EOF'
#!/bin/sh
printf '%s\n' "$@" >"$ZRAMCTL_ARGUMENTS"
echo /dev/zram7
EOF
chmod +x "$tmp/bin/zramctl"
"$MAKE_PAGES" 4096 words 4 >"$tmp/words"
for goal in speed density; do
	run "$ZS" advise --quick --survey 64K --goal $goal --json "$tmp/words"
	expect_clean
	json .recommendation.kernel.zramctl | sed "s,/sys/block,$tmp/sys,g" >"$tmp/script"
	what="$(cat "$tmp/script")"
	rm -f "$tmp/sys/zram7"/*
	ZRAMCTL_ARGUMENTS=$tmp/arguments PATH="$tmp/bin:$PATH" sh -e "$tmp/script" >/dev/null || fail "the lines for zramctl"
	algorithm=$(json .recommendation.kernel.algorithm)
	if [ -e "$tmp/sys/zram7/disksize" ]; then
		[ "$(cat "$tmp/sys/zram7/comp_algorithm")" = "$algorithm" ] || fail "another algorithm"
		[ "$(cat "$tmp/sys/zram7/algorithm_params")" = "algo=$algorithm level=$(json .recommendation.kernel.level)" ] ||
			fail "another level"
		size=$(cat "$tmp/sys/zram7/disksize")
		size=$((${size%M} * 1048576))
	else
		[ "$(sed -n 5p "$tmp/arguments")" = "$algorithm" ] || fail "another algorithm"
		size=$(sed -n 3p "$tmp/arguments")
		size=$((${size%MiB} * 1048576))
	fi
	[ "$size" = "$(json .recommendation.kernel.disksize)" ] || fail "another size: $size"
done
