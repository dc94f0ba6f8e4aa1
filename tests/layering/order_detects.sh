#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The check of the order itself: on a made-up tree of three files it accepts the right arrows and finds each wrong one.
set -eu
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# The tree: src/x/low.c, mid.c, top.c with their headers, listed in this order.
make_tree() {
	rm -rf "$work/tree" "$work/build"
	mkdir -p "$work/tree/src/x" "$work/build/src/CMakeFiles/all.dir/x"
	for name in low mid top; do
		echo "void $name(void); extern int ${name}_data;" >"$work/tree/src/x/$name.h"
		printf '#include "x/%s.h"\nint %s_data;\n' $name $name >"$work/tree/src/x/$name.c"
	done
	echo 'void low(void) {}' >>"$work/tree/src/x/low.c"
	printf '#include "x/low.h"\nvoid mid(void) { low(); }\n' >>"$work/tree/src/x/mid.c"
	printf '#include "x/mid.h"\nextern int low_data; void top(void) { mid(); low_data = 1; }\n' >>"$work/tree/src/x/top.c"
	printf 'src/x/low.c\nsrc/x/mid.c\nsrc/x/top.c\n' >"$work/layers"
}

# check EXPECTED WHAT: what the check says of the tree as it is now.
check() {
	for name in low mid top; do
		"$ZS_CC" -w -I "$work/tree/src" -c "$work/tree/src/x/$name.c" \
			-o "$work/build/src/CMakeFiles/all.dir/x/$name.c.o"
	done
	status=0
	output=$(sh "$here/order.sh" "$work/tree" "$work/layers" "$work/build") || status=$?
	case $1:$status:$output in
	right:0:) ;;
	wrong:1:*"$2"*) ;;
	*)
		echo "expected '$1' of: $2; got $status: $output"
		failures=$((failures + 1))
		;;
	esac
}

make_tree
check right 'calls and data downwards'
make_tree
echo 'void mid(void); void again(void) { mid(); }' >>"$work/tree/src/x/low.c"
check wrong 'src/x/low.c uses mid of src/x/mid.c'
make_tree
echo 'int look(void) { return top_data; }' >>"$work/tree/src/x/mid.c"
sed -i '1i extern int top_data;' "$work/tree/src/x/mid.c"
check wrong 'src/x/mid.c uses top_data of src/x/top.c'
make_tree
sed -i '1i #include "x/top.h"' "$work/tree/src/x/low.h"
check wrong 'src/x/low.h uses <x/top.h> of src/x/top.h'
make_tree
printf 'src/x/types.h\nsrc/x/low.c\nsrc/x/mid.c\nsrc/x/top.c\n' >"$work/layers"
echo 'struct x;' >"$work/tree/src/x/types.h"
sed -i '1i #include "types.h"' "$work/tree/src/x/low.h"
check right 'a header without a source'
make_tree
printf 'src/x/low.c\nsrc/x/top.h\nsrc/x/mid.c\nsrc/x/top.c\n' >"$work/layers"
check wrong 'src/x/top.h is listed beside the source of its name'
make_tree
echo 'int x;' >"$work/tree/src/x/new.c"
check wrong 'src/x/new.c is not listed'
make_tree
echo src/x/gone.c >>"$work/layers"
check wrong 'src/x/gone.c is listed and not there'
make_tree
echo src/x/low.c >>"$work/layers"
check wrong 'src/x/low.c is listed twice'

# A check that reads no objects must not pass.
make_tree
mkdir "$work/empty"
status=0
sh "$here/order.sh" "$work/tree" "$work/layers" "$work/empty" || status=$?
if [ $status != 2 ]; then
	echo "no objects: expected exit 2, got $status"
	failures=$((failures + 1))
fi
[ $failures = 0 ]
