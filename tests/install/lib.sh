# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Shared by the scripts of this folder: sourced, not run.

fail() {
	echo "$*"
	exit 1
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
