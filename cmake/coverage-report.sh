#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# coverage-report.sh SOURCE BUILD - lines of the library that the tests executed: one line a file, the sum last.
set -eu
source=$1
build=$2
objects=$(find "$build/src" -name '*.gcda')
if [ -z "$objects" ]; then
	echo "coverage-report: nothing was executed yet: run the tests first" >&2
	exit 1
fi
cd "$build"
# shellcheck disable=SC2086 # one argument an object
gcov --no-output --relative-only --source-prefix "$source" $objects | awk '
	/^File / { file = $2; gsub(/\047/, "", file) }
	/^Lines executed:/ && file != "" {
		split($0, part, /[:% ]+/)
		lines = $NF
		hit = lines * part[3] / 100
		# A header is counted in every object that includes it: keep the best.
		if (!(file in best) || hit > best[file]) best[file] = hit
		total[file] = lines
		file = ""
	}
	END {
		for (f in best) {
			printf "%6.1f%%  %5d lines  %s\n", 100 * best[f] / total[f], total[f], f | "sort -k4"
			sum += best[f]; all += total[f]
		}
		close("sort -k4")
		printf "%6.1f%%  %5d lines  in all\n", 100 * sum / all, all
	}'
