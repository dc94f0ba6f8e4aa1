#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every header compiles alone, and twice in one file, without a warning: the public ones as strict C11, with all that
# the compiler has to say about it, and as C++17; the internal ones as the library is compiled. With each of gcc and
# clang that is here.
set -eu
cd "$ZS_SOURCE_DIR"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Without -Wshadow in C++, where g++ objects to zs_pool_stats being a struct and a function, as stat is in POSIX.
cxx_warnings="-Wall -Wextra -Wundef -Wconversion -Wcast-qual -Werror"
c_warnings="$cxx_warnings -Wshadow -Wstrict-prototypes -Wmissing-prototypes"
urcu=$(pkg-config --cflags liburcu-bp)
# What one of plugins/fuse includes; without libfuse nobody builds what it is for.
fuse=$(pkg-config --cflags fuse3 2>/dev/null) || fuse=none
count=0
failures=0

# compile HEADER COMPILER FLAGS...
compile() {
	header=$1
	shift
	count=$((count + 1))
	suffix=c
	case $1 in *++*) suffix=cpp ;; esac
	printf '#include "%s"\n#include "%s"\nextern int not_empty;\n' "$header" "$header" >"$work/alone.$suffix"
	if ! "$@" -fsyntax-only -I. "$work/alone.$suffix" >"$work/out" 2>&1; then
		echo "$header does not compile alone: $*"
		cat "$work/out"
		return 1
	fi
}

check() {
	compile "$@" || failures=$((failures + 1))
}

# each_of NAME...: the full names of those that exist, each once.
each_of() {
	for name; do
		command -v "$name" || true
	done | sort -u
}

# headers_in FOLDER...
headers_in() {
	find "$@" -name '*.h' 2>/dev/null || true
}

# shellcheck disable=SC2046,SC2086 # the flags are words, and no header has a blank in its name
check_all() {
	for cc in $(each_of "$ZS_CC" gcc clang); do
		for header in $(headers_in include); do
			check "$header" "$cc" -std=c11 -pedantic $c_warnings -Iinclude
		done
		for header in $(headers_in src); do
			check "$header" "$cc" -std=gnu11 -D_GNU_SOURCE $c_warnings -Iinclude -Isrc $urcu
		done
		for header in $(headers_in tools plugins examples bench); do
			case $header:$fuse in
			plugins/fuse/ops*:none) continue ;;
			esac
			check "$header" "$cc" -std=gnu11 -D_GNU_SOURCE $c_warnings -Iinclude -Itools -Iplugins "-I$(dirname "$header")" \
				${fuse#none}
		done
	done
	for cxx in $(each_of ${ZS_CXX:-} g++ clang++); do
		for header in $(headers_in include); do
			check "$header" "$cxx" -std=c++17 -pedantic $cxx_warnings -Iinclude
		done
	done
}

# must_fail TEXT: a header of that text is found wanting.
must_fail() {
	printf '%s\n' "$1" >"$work/wrong.h"
	if compile "$work/wrong.h" "$ZS_CC" -std=c11 -Werror >/dev/null; then
		echo "the check takes this for a good header: $1"
		failures=$((failures + 1))
	fi
}

check_all
echo "$count compilations, $failures failed"
[ $count -gt 10 ]

must_fail 'size_t needs_stddef(void);'
must_fail 'struct cannot_be_read_twice { int x; };'
printf '#pragma once\nstruct once { int x; };\n' >"$work/right.h"
check "$work/right.h" "$ZS_CC" -std=c11 -Werror
[ $failures = 0 ]
