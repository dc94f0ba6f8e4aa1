#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The table of docs/building.md has the options that the build files have, with their defaults, and no others.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$ZS_SOURCE_DIR"

# option(NAME "text" DEFAULT) and set(NAME DEFAULT CACHE ...), also over two lines.
find . \( -name CMakeLists.txt -o -name '*.cmake' \) ! -path './build/*' -exec cat {} + | tr '\n' ' ' |
	grep -oE '(option\(ZS_[A-Z_]+ +"[^"]*" +[A-Z]+\))|(set\(ZS_[A-Z_]+ +[^ ]+ +CACHE)' |
	sed -E 's/option\((ZS_[A-Z_]+) +"[^"]*" +([A-Z]+)\)/\1 \2/; s/set\((ZS_[A-Z_]+) +([^ ]+) +CACHE/\1 \2/; s/"//g; s/ *$//' |
	sort -u >"$work/built"
sed -nE 's/^\| `(ZS_[A-Z_]+)` \| (`([^`]*)`)? *\|.*/\1 \3/p' docs/building.md | sed 's/ *$//' | sort >"$work/documented"
[ "$(wc -l <"$work/built")" -ge 10 ] || fail "only $(wc -l <"$work/built") options were found in the build files"
diff "$work/built" "$work/documented" || fail "'<' is in the build files, '>' in docs/building.md"
