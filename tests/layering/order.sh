#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# order.sh ROOT LAYERS BUILD - hold the files to the order in which they are listed. LAYERS has a path a line, relative to
# ROOT: the files of a folder one after the other, the lowest first. Prints each use that points the wrong way:
#
#   a file that calls a function, uses data or includes a header of a file that is listed after it
#   a file of a listed folder that is not listed, or is listed twice
#   a header that is listed though the source of its name is: the two are one
#
# A header stands where the source of its name does. Calls and data are read from the object files below BUILD, so that
# nothing has to be parsed. Exits 1 if there are any, 2 if
# nothing was read.
set -eu
if [ $# != 3 ] || [ ! -d "$1" ] || [ ! -f "$2" ] || [ ! -d "$3" ]; then
	echo "usage: order.sh ROOT LAYERS BUILD" >&2
	exit 2
fi
root=$1
layers=$2
build=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# symbols: FILE SYMBOL TYPE; the object BUILD/src/CMakeFiles/x.dir/base/lock.c.o is of src/base/lock.c.
(cd "$build" && find . -name '*.c.o' -exec nm -A -P {} +) 2>/dev/null |
	sed -e 's,^\./,,' -e 's,CMakeFiles/[^/]*\.dir/,,' -e 's,\.c\.o: ,.c ,' | awk '{ print $1, $2, $3 }' >"$work/symbols"

folders=$(sed 's,/[^/]*$,,' "$layers" | sort -u)
# shellcheck disable=SC2086 # one argument a folder
(cd "$root" && find $folders -maxdepth 1 -name '*.[ch]') | sort >"$work/files"
(cd "$root" && xargs grep -nE '^[ 	]*#[ 	]*include[ 	]*"' <"$work/files" /dev/null) >"$work/includes" || true

awk -v layers="$layers" -v files="$work/files" -v includes="$work/includes" '
	function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
	function stem(path) { sub(/\.[ch]$/, "", path); return path }
	function wrong(text) { print text; bad = 1 }

	# Where a file stands; -1: nowhere, it is of no listed folder.
	function place(path) {
		if (path in rank) return rank[path]
		if (path ~ /\.h$/ && stem(path) ".c" in rank) return rank[stem(path) ".c"] - 0.5
		return -1
	}

	function arrow(from, to, what) {
		if (from == to || place(from) < 0 || place(to) < 0) return
		arrows++
		if (place(to) > place(from))
			wrong(from " uses " what " of " to ", which is listed after it")
	}

	BEGIN {
		while ((getline path <layers) > 0) {
			if (path in rank) wrong(path " is listed twice")
			rank[path] = ++n
			listed[folder(path)] = 1
		}
		while ((getline path <files) > 0) {
			known[path] = 1
			if (place(path) < 0) wrong(path " is not listed")
		}
		for (path in rank) {
			if (!(path in known)) wrong(path " is listed and not there")
			if (path ~ /\.h$/ && stem(path) ".c" in rank) wrong(path " is listed beside the source of its name")
		}
		while ((getline line <includes) > 0) {
			from = line; sub(/:.*/, "", from)
			name = line; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
			to = folder(from) "/" name
			if (!(to in known)) to = "src/" name
			arrow(from, to, "<" name ">")
		}
	}

	# A symbol that several files of a folder have, each for a program of its own, is nobody else'"'"'s.
	$3 ~ /^[A-TVX-Z]$/ {
		key = folder($1) SUBSEP $2
		if (!(key in home)) home[key] = $1
		else if (home[key] != $1) home[key] = ""
		if (!($2 in anywhere) || anywhere[$2] == $1) anywhere[$2] = $1
		else anywhere[$2] = ""
	}
	$3 == "U" { uses[++used] = $1 SUBSEP $2 }

	END {
		for (i = 1; i <= used; i++) {
			split(uses[i], u, SUBSEP)
			key = folder(u[1]) SUBSEP u[2]
			if (key in home) to = home[key]
			else to = (u[2] in anywhere) ? anywhere[u[2]] : ""
			if (to != "") arrow(u[1], to, u[2])
		}
		exit bad ? 1 : arrows ? 0 : 2
	}
' "$work/symbols" | sort -u >"$work/out" || true
cat "$work/out"
[ ! -s "$work/out" ] || exit 1
# Something was read, of both kinds.
[ -s "$work/symbols" ] && [ -s "$work/includes" ] || exit 2
