#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The build as packagers do it: one that names its options, installed below DESTDIR. Licence and changelog come with it,
# no RUNPATH where none is wanted, the allocator is found without the compressors, an option that can't be had is an
# error, and the target uninstall leaves nothing behind.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
if [ -n "$ZS_INSTRUMENT" ]; then
	echo "the library is instrumented: that is a matter of the ordinary build"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quietly WHAT COMMAND...
quietly() {
	what=$1
	shift
	"$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "$what failed"; }
}
# configure BUILD OPTION...: no programs, no tests. How fast the result is does not matter here.
configure() {
	build=$1
	shift
	cmake -S "$ZS_SOURCE_DIR" -B "$work/$build" -DCMAKE_C_COMPILER="$ZS_CC" -DCMAKE_BUILD_TYPE=None \
		-DCMAKE_INSTALL_PREFIX=/opt/zs -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_C_FLAGS=-O0 -DZS_BUILD_TESTS=OFF \
		-DZS_BUILD_TOOLS=OFF -DZS_BUILD_NBDKIT=OFF -DZS_BUILD_FUSE=OFF -DZS_BUILD_EXAMPLES=OFF -DZS_BUILD_BENCH=OFF \
		-DZS_BUILD_MAN=OFF "$@"
}

# An option that is ON is not left out in silence.
mkdir "$work/none"
for option in ZS_BUILD_NBDKIT ZS_BUILD_FUSE ZS_LIBLZO ZS_URING; do
	# Of the modules that are found all but the one that the option is about.
	rm -f "$work/none"/*
	for module in liburcu-bp liblz4 libzstd libdeflate libxxhash; do
		path=$(pkg-config --variable=pcfiledir "$module")
		cp "$path/$module.pc" "$work/none"
	done
	if PKG_CONFIG_LIBDIR=$work/none configure "without" "-D$option=ON" >"$work/log" 2>&1; then
		fail "$option=ON is accepted although it can't be had"
	fi
	grep -q "$option=ON needs" "$work/log" || { cat "$work/log"; fail "the error does not say what $option=ON needs"; }
	rm -rf "$work/without"
done

quietly "the configuration" configure build -DCMAKE_SKIP_INSTALL_RPATH=ON
quietly "the build" cmake --build "$work/build" --parallel 2
mkdir "$work/tree"
DESTDIR=$work/tree
export DESTDIR
quietly "cmake --install" cmake --install "$work/build"
for file in LICENSE CHANGELOG.md; do
	cmp "$ZS_SOURCE_DIR/$file" "$work/tree/opt/zs/share/doc/zsmalloc/$file" || fail "$file is not installed"
done
for library in zsmalloc zram; do
	LC_ALL=C readelf -d "$work/tree/opt/zs/lib/lib$library.so" >"$work/dynamic"
	grep -q SONAME "$work/dynamic" || fail "lib$library.so is no shared library"
	! grep -E 'RUNPATH|RPATH' "$work/dynamic" || fail "lib$library.so has a search path"
done

# The neighbours' files stay.
echo theirs >"$work/tree/opt/zs/include/theirs.h"
quietly "uninstall" cmake --build "$work/build" --target uninstall
left=$(cd "$work/tree" && find . ! -name theirs.h \( ! -type d -o -name zsmalloc \))
[ -z "$left" ] || fail "uninstall leaves" "$left"
[ -f "$work/tree/opt/zs/include/theirs.h" ] || fail "uninstall has removed the file of another"
rm "$work/build/install_manifest.txt"
if cmake --build "$work/build" --target uninstall >"$work/log" 2>&1; then
	fail "uninstall has nothing to go by, and succeeds"
fi
unset DESTDIR

# Components, where pkg-config finds liburcu alone.
quietly "cmake --install" cmake --install "$work/build" --prefix "$work/prefix"
find "$work/none" -name '*.pc' ! -name liburcu-bp.pc -delete
mkdir "$work/user"
cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(user LANGUAGES C)
if(OPTIONAL)
  find_package(zsmalloc REQUIRED COMPONENTS zsmalloc OPTIONAL_COMPONENTS zram)
else()
  find_package(zsmalloc REQUIRED COMPONENTS ${WANTED})
endif()
if(TARGET zsmalloc::zram)
  message(FATAL_ERROR "the page store is there without its compressors")
endif()
add_executable(user ${SOURCE})
target_link_libraries(user PRIVATE zsmalloc::zsmalloc)
END
# user OPTION...: a project of somebody else's, configured
user() {
	rm -rf "$work/user/build"
	PKG_CONFIG_LIBDIR=$work/none cmake -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
		-DCMAKE_C_COMPILER="$ZS_CC" -DSOURCE="$here/consumer.c" "$@"
}
quietly "finding the component zsmalloc beside an optional zram" user -DOPTIONAL=ON
quietly "finding the component zsmalloc" user -DWANTED=zsmalloc
quietly "building with the component zsmalloc" cmake --build "$work/user/build"
quietly "a program with the component zsmalloc" "$work/user/build/user"
for wanted in zram "" "zsmalloc;other"; do
	if user "-DWANTED=$wanted" >"$work/log" 2>&1; then
		fail "components '$wanted' are found although there are none"
	fi
done
user -DWANTED=zram >"$work/log" 2>&1 || true
tr -s '\n ' ' ' <"$work/log" | grep -q "component zram needs lib" || { cat "$work/log"; fail "it does not say what zram needs"; }
