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

# check_library NAME NODE LEAST HEADER...: what the headers declare, at LEAST so many functions, is what is exported, each
# under the version that the header names: NODE_0.1 for "Since: 0.1".
check_library() {
	library=$1
	node=$2
	least=$3
	shift 3
	api "$@" >"$work/names"
	[ "$(wc -l <"$work/names")" -ge "$least" ] ||
		fail "only $(wc -l <"$work/names") functions found in the headers of lib$library"
	since "$@" | sed "s/ /@@${node}_/" | sort >"$work/declared"
	[ "$(wc -l <"$work/names")" = "$(grep -c "@@${node}_[0-9]" "$work/declared")" ] ||
		fail "lib$library: no version is said for: $(grep -v "_[0-9]" "$work/declared")"

	# Type A is the version itself.
	nm -D --defined-only --with-symbol-versions "$ZS_BUILD_DIR/src/lib$library.so" | awk '$2 != "A" { print $3 }' |
		sort >"$work/exported"
	if ! diff "$work/declared" "$work/exported"; then
		fail "lib$library: '<' is declared with ZS_API and not exported (or in another version), '>' is exported and" \
			"not declared"
	fi

	# Compilers and sanitizers have names of their own.
	foreign=$(nm -g --defined-only "$ZS_BUILD_DIR/src/lib$library.a" 2>/dev/null |
		awk 'NF == 3 && $3 !~ /^(zs_|zsi_|zpool_|zram_|_|DW\.ref\.)/ { print $3 }' | sort -u)
	[ -z "$foreign" ] || fail "lib$library.a defines global names without our prefix:" "$foreign"
}

check_library zsmalloc ZSMALLOC 42 "$include/zsmalloc.h" "$include/zpool.h"
check_library zram ZRAM 19 "$include/zram.h"
