#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The library as others get it: installed into a directory of its own, found through pkg-config and through
# find_package, linked shared and static, from C and from C++, loaded at run time; and each program run. Where the
# library is instrumented (a sanitizer, coverage) the programs are too.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

# Another library of the same name on this machine must not be found.
cmake --install "$ZS_BUILD_DIR" --prefix "$prefix" >"$work/log" 2>&1 || { cat "$work/log"; fail "cmake --install failed"; }
pc=$(find "$prefix" -name zsmalloc.pc)
[ -n "$pc" ] || fail "no zsmalloc.pc was installed"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir zsmalloc)
[ "$(pkg-config --variable=prefix zsmalloc)" = "$prefix" ] || fail "zsmalloc.pc has another prefix than it was given"

for header in "$ZS_SOURCE_DIR"/include/zsmalloc/*.h; do
	cmp "$header" "$prefix/include/zsmalloc/$(basename "$header")" || fail "a header is missing"
done
for library in zsmalloc zram; do
	[ -L "$libdir/lib$library.so" ] || fail "lib$library.so is missing"
	[ -f "$libdir/lib$library.a" ] || fail "lib$library.a is missing"
	[ "$(pkg-config --libs --cflags "lib$library")" = "$(pkg-config --libs --cflags "$library")" ] ||
		fail "lib$library.pc says something else than $library.pc"
done
if command -v pod2man >/dev/null; then
	[ -f "$prefix/share/man/man3/zs_malloc.3" ] || fail "the manual is missing"
fi
if [ -x "$ZS_BUILD_DIR/tools/zs/zs" ]; then
	"$prefix/bin/zs" --help >/dev/null || fail "the installed zs does not run"
fi

flags="-Wall -Wextra -Werror $ZS_INSTRUMENT"

# build_and_run NAME COMPILE...: the program is not linked with the shared library where the name ends in "static".
# shellcheck disable=SC2086 # the flags are words
build_and_run() {
	name=$1
	shift
	"$@" -o "$work/$name" || fail "$name does not build: $*"
	"$work/$name" || fail "$name does not run as it should"
	needs=0
	if readelf -d "$work/$name" | grep -q 'NEEDED.*libzsmalloc'; then
		needs=1
	fi
	if readelf -d "$work/$name" | grep -q 'NEEDED.*libzram'; then
		needs=1
	fi
	case $name in
	*static) [ $needs = 0 ] || fail "$name needs the shared library" ;;
	*) [ $needs = 1 ] || fail "$name is not linked with the shared library" ;;
	esac
	echo "ok: $name"
}

# through_pkg_config LIBRARY LANGUAGE SOURCE COMPILER...
# shellcheck disable=SC2046,SC2086 # the flags are words
through_pkg_config() {
	library=$1
	language=$2
	source=$3
	shift 3
	cflags=$(pkg-config --cflags "$library")
	shared=$(pkg-config --libs "$library")
	static=$(pkg-config --static --libs "$library")
	build_and_run "${library}_${language}_shared" "$@" $flags "$source" $cflags $shared "-Wl,-rpath,$libdir"
	build_and_run "${library}_${language}_archive_static" "$@" $flags "$source" $cflags \
		$(printf '%s' "$static" | sed 's/-lzsmalloc/-l:libzsmalloc.a/; s/-lzram/-l:libzram.a/')
	if [ -z "$ZS_INSTRUMENT" ]; then
		build_and_run "${library}_${language}_all_static" "$@" $flags "$source" $cflags -static $static
	fi
}

through_pkg_config zsmalloc c "$here/consumer.c" "$ZS_CC" -std=c11
through_pkg_config zram c "$here/consumer_zram.c" "$ZS_CC" -std=c11
with_cxx=OFF
if [ -n "$ZS_CXX" ]; then
	with_cxx=ON
	through_pkg_config zsmalloc cpp "$here/consumer.cpp" "$ZS_CXX" -std=c++17
	through_pkg_config zram cpp "$here/consumer_zram.cpp" "$ZS_CXX" -std=c++17
fi

# shellcheck disable=SC2046,SC2086 # the flags are words
"$ZS_CC" -std=gnu11 $flags "$here/dlopen.c" $(pkg-config --cflags zsmalloc) -pthread -ldl -o "$work/dlopen" ||
	fail "dlopen.c does not build"
"$work/dlopen" "$libdir/libzsmalloc.so" || fail "the library can't be loaded at run time"
echo "ok: dlopen"

package() {
	cmake -S "$here/package" -B "$work/package" -DCMAKE_PREFIX_PATH="$prefix" -DWITH_CXX=$with_cxx \
		-DCMAKE_C_COMPILER="$ZS_CC" -DCMAKE_C_FLAGS="$flags" \
		${ZS_CXX:+-DCMAKE_CXX_COMPILER="$ZS_CXX"} -DCMAKE_CXX_FLAGS="$flags" &&
		cmake --build "$work/package" && ctest --test-dir "$work/package" --output-on-failure --no-tests=error
}
package >"$work/log" 2>&1 || { cat "$work/log"; fail "the find_package consumer failed"; }
echo "ok: find_package"
