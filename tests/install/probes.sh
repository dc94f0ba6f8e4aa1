#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The probes of the shared library are those of docs/probes.md, with as many arguments, and each has an example there.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
doc=$ZS_SOURCE_DIR/docs/probes.md

if [ "$ZS_HAVE_PROBES" = 0 ]; then
	echo "skipped: built without probes"
	exit 77
fi
command -v readelf >/dev/null || { echo "skipped: no readelf"; exit 77; }

# "NAME ARGUMENTS" a line. Each argument is SIZE@PLACE, and the place may have spaces.
LC_ALL=C readelf -n "$ZS_BUILD_DIR/src/libzsmalloc.so" | awk '
	$1 == "Provider:" { provider = $2 }
	$1 == "Name:" { name = $2 }
	$1 == "Arguments:" && provider == "zsmalloc" { print name, gsub(/@/, "@") }' | sort -u >"$work/built"
sed -n 's/^| `\([a-z_]*\)` | \([0-9]*\) | .*/\1 \2/p' "$doc" | sort >"$work/documented"
[ "$(wc -l <"$work/documented")" -ge 6 ] || fail "only $(wc -l <"$work/documented") probes found in docs/probes.md"
if ! diff "$work/documented" "$work/built"; then
	fail "'<' is documented and not in the library, or not with so many arguments; '>' is there and not documented so"
fi

while read -r name count; do
	signature=$(sed -n "s/^## \`$name(\(.*\))\`\$/\1/p" "$doc")
	[ "$(echo "$signature" | tr -cd , | wc -c)" = $((count - 1)) ] || fail "docs/probes.md: $name: not $count parameters"
	grep -q "^ *bpftrace .*:zsmalloc:$name " "$doc" || fail "docs/probes.md: no example for $name"
done <"$work/documented"
