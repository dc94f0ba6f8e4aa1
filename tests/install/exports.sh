#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The shared library exports the functions of the public headers, each under its version, and nothing else; what the
# static library defines begins with one of our prefixes, so that it gets in nobody's way.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
include=$ZS_SOURCE_DIR/include/zsmalloc

api "$include/zsmalloc.h" "$include/zpool.h" | sed 's/$/@@ZSMALLOC_0.1/' | sort >"$work/declared"
[ "$(wc -l <"$work/declared")" -ge 40 ] || fail "only $(wc -l <"$work/declared") functions found in the headers"

# Type A is the version itself.
nm -D --defined-only --with-symbol-versions "$ZS_BUILD_DIR/src/libzsmalloc.so" | awk '$2 != "A" { print $3 }' |
	sort >"$work/exported"
if ! diff "$work/declared" "$work/exported"; then
	fail "'<' is declared with ZS_API and not exported (or in another version), '>' is exported and not declared"
fi

# Compilers and sanitizers have names of their own.
foreign=$(nm -g --defined-only "$ZS_BUILD_DIR/src/libzsmalloc.a" 2>/dev/null |
	awk 'NF == 3 && $3 !~ /^(zs_|zsi_|zpool_|_|DW\.ref\.)/ { print $3 }' | sort -u)
[ -z "$foreign" ] || fail "libzsmalloc.a defines global names without our prefix:" "$foreign"
