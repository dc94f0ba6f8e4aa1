#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every file that can hold a comment says in its first three lines under which licence it stands.
set -eu
cd "$ZS_SOURCE_DIR"

list_files() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git -c core.quotePath=false ls-files
	else
		# A source archive; build trees and results are not part of it.
		find . -type f ! -path './build/*' ! -path './.git/*' | sed 's,^\./,,'
	fi
}

# missing_in LIST: the files of LIST that should say it and don't.
missing_in() {
	grep -vE '(^|/)(corpus|data)/' "$1" |
		grep -E '\.(c|h|cpp|cmake|cmake\.in|pc\.in|map|sh|awk|py|pod|supp|yml)$|(^|/)CMakeLists\.txt$|^(script|\.ci)/|(^|/)\.(clang-format|clang-tidy|editorconfig)$' |
		awk '
			{
				file = $0
				found = 0
				for (n = 0; n < 3 && (got = getline line <file) > 0; n++)
					found = found || line ~ /SPDX-License-Identifier: BSD-3-Clause/
				# One that is not there was deleted, and not yet committed.
				if (!found && got >= 0)
					print file
				close(file)
			}'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
list_files >"$work/files"
missing=$(missing_in "$work/files")
if [ -n "$missing" ]; then
	echo "no line 'SPDX-License-Identifier: BSD-3-Clause' in:"
	echo "$missing"
	exit 1
fi

# The check itself finds a file without the line, and read some.
printf 'int x;\n' >"$work/bare.c"
echo "$work/bare.c" >"$work/made_up"
[ "$(missing_in "$work/made_up")" = "$work/bare.c" ]
[ "$(wc -l <"$work/files")" -gt 20 ]
