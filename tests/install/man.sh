#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every manual page renders without an error, every function of the public headers has a page or a link to one that
# names it, and every link leads somewhere.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
man=$ZS_BUILD_DIR/man
if ! command -v pod2man >/dev/null || ! command -v mandoc >/dev/null; then
	echo "pod2man or mandoc is missing: no manual pages to check"
	exit 77
fi
[ -d "$man" ] || fail "no manual pages were built"
failures=0
complain() {
	echo "$*"
	failures=$((failures + 1))
}

pages=0
for page in "$man"/man*/*; do
	if target=$(sed -n '1s/^\.so //p' "$page") && [ -n "$target" ]; then
		[ -s "$man/$target" ] || complain "$page: leads to $target, which does not exist"
		continue
	fi
	pages=$((pages + 1))
	mandoc -T lint -W error "$page" || complain "$page: mandoc finds errors"
	# Without the backspaces that make bold letters.
	text=$(mandoc -T utf8 "$page" | sed "s/.$(printf '\b')//g")
	for section in NAME SYNOPSIS DESCRIPTION; do
		printf '%s\n' "$text" | grep -q "^$section" || complain "$page: no $section"
	done
	if printf '%s\n' "$text" | grep 'POD ERRORS'; then
		complain "$page: pod2man found errors"
	fi
done

for function in $(api "$ZS_SOURCE_DIR"/include/zsmalloc/*.h); do
	page=$man/man3/$function.3
	if [ ! -e "$page" ]; then
		complain "$function: no manual page and no link"
		continue
	fi
	target=$(sed -n '1s/^\.so //p' "$page")
	[ -z "$target" ] || page=$man/$target
	grep -q "$function" "$page" || complain "$function: its page, $page, does not name it"
done

for page in man1/zs.1 man3/zsmalloc.3; do
	[ -s "$man/$page" ] || complain "$page is missing"
done
[ $pages -ge 10 ] || complain "only $pages pages"
[ $failures = 0 ]
