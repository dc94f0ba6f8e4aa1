#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The version that the public header names is everybody's: that of the build, the libraries' files, the pkg-config files
# and the CMake package, the programs, the manual, the change log and the README; and none that a header, a map or a page
# of the manual says something came with is above it.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
header=$ZS_SOURCE_DIR/include/zsmalloc/zsmalloc.h
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

part() {
	sed -n "s/^#define ZS_VERSION_$1 \\([0-9]*\\)\$/\\1/p" "$header"
}
minor=$(part MAJOR).$(part MINOR)
version=$minor.$(part PATCH)
case $version in
*[!0-9.]* | .* | *. | *..*) fail "zsmalloc.h has no version: '$version'" ;;
esac

# same WHAT VERSION: it is the header's
same() {
	if [ "$2" != "$version" ]; then
		echo "$1 says '$2', the header $version"
		failures=$((failures + 1))
	fi
}

same "CMake's cache" "$(sed -n 's/^CMAKE_PROJECT_VERSION:[A-Z]*=//p' "$ZS_BUILD_DIR/CMakeCache.txt")"
for library in zsmalloc zram; do
	file=$(readlink -f "$ZS_BUILD_DIR/src/lib$library.so")
	same "lib$library.so" "${file##*.so.}"
done
cmake --install "$ZS_BUILD_DIR" --prefix "$work/prefix" >"$work/log" 2>&1 || { cat "$work/log"; fail "cmake --install failed"; }
for name in zsmalloc zram libzsmalloc libzram; do
	same "$name.pc" "$(sed -n 's/^Version: //p' "$(find "$work/prefix" -name $name.pc)")"
done
same "the CMake package" "$(sed -n 's/^set(PACKAGE_VERSION "\(.*\)")/\1/p' \
	"$(find "$work/prefix" -name zsmallocConfigVersion.cmake)" | head -n 1)"
if [ -x "$ZS_BUILD_DIR/tools/zs/zs" ]; then
	same "zs --version" "$("$ZS_BUILD_DIR/tools/zs/zs" --version | sed 's/^zs //')"
fi
plugin=$ZS_BUILD_DIR/plugins/nbdkit/nbdkit-zram-plugin.so
if [ -e "$plugin" ] && command -v nbdkit >/dev/null && [ -z "$ZS_SANITIZE" ]; then
	same "the plugin" "$(nbdkit "$plugin" --dump-plugin | sed -n 's/^version=//p')"
fi
for page in "$ZS_BUILD_DIR"/man/man3/zs_malloc.3 "$ZS_BUILD_DIR"/man/man1/zs.1; do
	[ ! -e "$page" ] || same "${page##*/}" "$(sed -n 's/^\.TH [^ ]* [^ ]* "*[^ "]*"* "*\([0-9.]*\)"* .*/\1/p' "$page")"
done
same "CHANGELOG.md" "$(sed -n 's/^## \[\(Unreleased\]: \)*\([0-9.]*\).*/\2/p' "$ZS_SOURCE_DIR/CHANGELOG.md" | head -n 1)"
same "debian/changelog" "$(sed -n '1s/^zsmalloc (\([0-9.]*\)).*/\1/p' "$ZS_SOURCE_DIR/debian/changelog")"
same "README.md" "$(sed -n 's/^The version is \([0-9.]*[0-9]\).*/\1/p' "$ZS_SOURCE_DIR/README.md").$(part PATCH)"

# "Since:" of functions, fields and options, and the nodes of the maps: the newest is this version, none is newer.
{
	grep -ohE 'Since:? [0-9]+\.[0-9]+' -r "$ZS_SOURCE_DIR/include" "$ZS_SOURCE_DIR/docs/man" "$ZS_SOURCE_DIR/plugins" |
		sed 's/Since:* //'
	sed -n 's/^[A-Z]*_\([0-9.]*\) {.*/\1/p' "$ZS_SOURCE_DIR"/src/*.map
} | sort -u -V >"$work/since"
[ "$(wc -l <"$work/since")" -ge 2 ] || fail "no versions were found"
if [ "$(tail -n 1 "$work/since")" != "$minor" ]; then
	echo "the newest that anything is said to have come with is $(tail -n 1 "$work/since"), the version is $minor"
	failures=$((failures + 1))
fi
[ $failures = 0 ]
