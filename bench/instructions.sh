#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# instructions.sh count PROGRAM [LIBRARY]  print what each operation of bench_instructions takes, with LIBRARY preloaded
# instructions.sh compare PROGRAM          compare that with bench/instructions.txt: 5 % more of anything is a failure
# instructions.sh update PROGRAM           write it there
#
# The counts are the same every time, so that a longer path shows without measuring time. They depend on the compiler:
# each line of the file names machine and compiler, and what it says nothing about is not compared. Without arguments
# this is the test bench_instructions.
set -eu

here=${ZS_SOURCE_DIR:-$(dirname "$0")/..}/bench
figures=$here/instructions.txt
what=${1:-compare}
program=${2:-${BENCH_INSTRUCTIONS:-}}
allowed=5

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
	echo "instructions.sh: $*" >&2
	exit 1
}

skip() {
	echo "instructions.sh: $*"
	exit 77
}

# count PROGRAM [LIBRARY]: lines of NAME COUNT
count() {
	LD_PRELOAD=${2:-} valgrind --tool=callgrind --callgrind-out-file="$work/out" "$1" >"$work/said" 2>"$work/log" ||
		die "$1 fails under valgrind: $(cat "$work/log")"
	callgrind_annotate --inclusive=yes --threshold=100 --show-percs=no "$work/out" >"$work/functions" 2>/dev/null ||
		die "callgrind_annotate fails"
	awk -v lengths=32000 '
		match($0, /:(short|long)_[a-z]+/) {
			name = substr($0, RSTART + 1, RLENGTH - 1)
			gsub(/,/, "", $1)
			if (!(name in spent)) spent[name] = $1
		}
		END {
			split("pair replace read section view batch write", names, " ")
			for (i = 1; i <= 7; i++) {
				if (!(("short_" names[i]) in spent) || !(("long_" names[i]) in spent)) exit 1
				printf "%s %.1f\n", names[i], (spent["long_" names[i]] - spent["short_" names[i]]) / lengths
			}
		}' "$work/functions" || die "no counts in what callgrind_annotate prints: $(head -40 "$work/functions")"
}

command -v valgrind >/dev/null && command -v callgrind_annotate >/dev/null ||
	skip "valgrind is missing: instructions can't be counted"
[ -x "$program" ] || die "no program: ${program:-none given}"
if [ "$what" = count ]; then
	count "$program" "${3:-}"
	exit
fi

key=$("$program" --key)
count "$program" >"$work/counts"
case $what in
update)
	{
		grep -v "^$key " "$figures" || true
		sed "s/^/$key /" "$work/counts"
	} >"$work/new"
	cat "$work/new" >"$figures"
	grep "^$key " "$figures"
	;;
compare)
	grep "^$key " "$figures" >"$work/figures" || skip "$figures says nothing about $key"
	awk -v allowed=$allowed '
		NR == FNR { figure[$3] = $4; next }
		!($1 in figure) { print $1 ": no figure"; bad = 1; next }
		{
			more = ($2 / figure[$1] - 1) * 100
			verdict = more > allowed ? "TOO MANY" : more < -allowed ? "fewer: update the file" : "as before"
			if (more > allowed) bad = 1
			printf "%-8s %7.1f instructions, %7.1f in the file: %s\n", $1, $2, figure[$1], verdict
		}
		END { exit bad }' "$work/figures" "$work/counts" ||
		die "an operation takes more instructions than before. If that is meant: cmake --build build/dev -t instructions-update"
	;;
*) die "count, compare or update, not $what" ;;
esac
