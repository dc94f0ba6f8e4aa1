#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# What docs/building.md says of ThreadSanitizer: a program that is built with it reports a race that is none where the
# library is not. That it reports none where the library is as well, stress_two_threads shows in the preset tsan.
set -eu
# shellcheck source=tests/install/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$ZS_INSTRUMENT" ]; then
	echo "the library is instrumented"
	exit 77
fi

# Older ThreadSanitizers can't start where addresses are randomised further than they expect.
fixed=
if command -v setarch >/dev/null && setarch -R true 2>/dev/null; then
	fixed="setarch -R"
fi
echo 'int main(void) { return 0; }' >"$work/empty.c"
# shellcheck disable=SC2086 # a command and its option
if ! "$ZS_CC" -fsanitize=thread "$work/empty.c" -o "$work/empty" 2>/dev/null || ! $fixed "$work/empty" 2>/dev/null; then
	echo "no program can be built with ThreadSanitizer here"
	exit 77
fi
"$ZS_CC" -g -fsanitize=thread "-I$ZS_SOURCE_DIR/include" "$here/tsan_consumer.c" "$ZS_BUILD_DIR/src/libzsmalloc.a" \
	-lurcu-bp -pthread -o "$work/consumer"
status=0
# shellcheck disable=SC2086 # a command and its option
TSAN_OPTIONS=exitcode=66 $fixed "$work/consumer" 2>"$work/err" || status=$?
[ $status = 66 ] || fail "exit status $status, not 66: no race was reported, docs/building.md says that one is"
grep -q 'data race' "$work/err" || fail "no race was reported, docs/building.md says that one is: $(cat "$work/err")"
