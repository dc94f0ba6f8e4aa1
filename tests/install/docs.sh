#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# docs/README.md leads to each document and each page of the manual, and names each function. Links between documents
# lead to files, and the tests that docs/compatibility.md names are there.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$ZS_SOURCE_DIR"
failures=0
complain() {
	echo "$*"
	failures=$((failures + 1))
}

for page in docs/*.md docs/man/*.pod plugins/*/*.pod; do
	[ "$page" != docs/README.md ] || continue
	case $page in
	docs/*) link=${page#docs/} ;;
	*) link=../$page ;;
	esac
	grep -qF "($link)" docs/README.md || complain "docs/README.md does not lead to $page"
done
# Those of zpool.h have one page and one line.
for function in $(api include/zsmalloc/zsmalloc.h include/zsmalloc/zram.h); do
	grep -qF "\`$function\`" docs/README.md || complain "docs/README.md does not name $function"
done

links=0
for document in *.md docs/*.md bench/README.md; do
	for link in $(grep -oE '\]\([^)# ]+' "$document" | sed 's/^](//' | grep -v '^https*:'); do
		links=$((links + 1))
		[ -e "$(dirname "$document")/$link" ] || complain "$document: there is no $link"
	done
done
[ $links -ge 100 ] || complain "only $links links were found"

# What a build leaves out, nbdkit for instance, has no tests of its kind.
ctest --test-dir "$ZS_BUILD_DIR" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$work/tests"
kinds=$(sed 's/_.*//' "$work/tests" | sort -u | tr '\n' '|')
# shellcheck disable=SC2016 # the quotes of Markdown
grep '^|' docs/compatibility.md | grep -oE '`[a-z]+_[a-z_]+\*?`' | tr -d '`*' | grep -E "^(${kinds}no)_" >"$work/named"
[ "$(wc -l <"$work/named")" -ge 5 ] || complain "docs/compatibility.md names no tests"
while read -r name; do
	grep -q "^$name" "$work/tests" || complain "docs/compatibility.md: there is no test $name"
done <"$work/named"
[ $failures = 0 ]
