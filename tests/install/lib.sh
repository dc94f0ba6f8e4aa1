# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Shared by the scripts of this folder: sourced, not run.

fail() {
	echo "$*"
	exit 1
}

# since HEADER...: "NAME VERSION" of each of those functions: what the comment before it says after "Since:", or else the
# header's own comment, which ends in "where nothing else is said".
since() {
	awk '
		FNR == 1 { all = ""; own = "" }
		/^\/\*/ { inside = 1; own = "" }
		inside && match($0, /Since: [0-9]+\.[0-9]+/) {
			version = substr($0, RSTART + 7, RLENGTH - 7)
			if ($0 ~ /where nothing else is said/) all = version
			else own = version
		}
		/\*\// { inside = 0 }
		/^ZS_API / {
			name = $0
			sub(/\(.*/, "", name)
			sub(/.*[ *]/, "", name)
			print name, own != "" ? own : all
		}
	' "$@"
}

# api HEADER...: the names of the functions that the headers declare with ZS_API, one a line. Fails when a declaration
# was not understood, so that none is left out in silence.
api() {
	for header; do
		names=$(sed -n 's/^ZS_API [^(]*[ *]\([a-z][a-z0-9_]*\)(.*/\1/p' "$header")
		declared=$(grep -c '^ZS_API' "$header" || true)
		understood=$(printf '%s' "$names" | grep -c . || true)
		if [ "$declared" != "$understood" ]; then
			echo "$header: $declared lines begin with ZS_API, $understood are functions" >&2
			return 1
		fi
		printf '%s\n' "$names"
	done
}
