#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# includes.sh ROOT - read every #include line below ROOT and print those that point where the layout does not allow it.
# Exits 1 if there are any, 2 if nothing was read.
#
# An arrow says what may be included besides the folder's own files and the system's headers:
#
#   include/zsmalloc/zsmalloc.h -> nothing
#   include/zsmalloc/zpool.h, zram.h -> zsmalloc.h
#   src/base -> nothing
#   src/pages -> base, zsmalloc.h
#   src/pool -> pages, base, zsmalloc.h
#   src/compact -> pool, pages, base, zsmalloc.h
#   src/zsmalloc -> compact, pool, pages, base, zsmalloc.h, zpool.h
#   src/codec -> base
#   src/device -> codec, base, all public headers
#   src/zram -> device, codec, base, all public headers
#   plugins, tools, examples, bench -> all public headers; the first level below plugins and tools stands for itself
#   tools/common -> nothing; what plugins and tools have in common, for both to include
#   plugins/common -> tools/common, all public headers; what plugins have in common
#
# And nothing includes a .c file.
set -eu
if [ $# != 1 ] || [ ! -d "$1" ]; then
	echo "usage: includes.sh ROOT" >&2
	exit 2
fi
cd "$1"

files=$(find include src plugins tools examples bench -name '*.[ch]' -o -name '*.cpp' -o -name '*.cc' 2>/dev/null | sort)
if [ -z "$files" ]; then
	echo "includes.sh: no source below $1" >&2
	exit 2
fi

# shellcheck disable=SC2086 # one argument a file
awk '
	BEGIN {
		allow["zsmalloc.h"] = ""
		allow["zpool.h"] = "zsmalloc.h"
		allow["zram.h"] = "zsmalloc.h"
		allow["src/base"] = ""
		allow["src/pages"] = "src/base zsmalloc.h"
		allow["src/pool"] = "src/pages src/base zsmalloc.h"
		allow["src/compact"] = "src/pool src/pages src/base zsmalloc.h"
		allow["src/zsmalloc"] = "src/compact src/pool src/pages src/base zsmalloc.h zpool.h"
		allow["src/codec"] = "src/base"
		allow["src/device"] = "src/codec src/base zsmalloc.h zpool.h zram.h"
		allow["src/zram"] = "src/device src/codec src/base zsmalloc.h zpool.h zram.h"
		outside = "zsmalloc.h zpool.h zram.h"
		allow["tools/common"] = ""
		for (i = 1; i < ARGC; i++) known[ARGV[i]] = 1
	}

	# The layer that a path belongs to; "" for what is none of ours.
	function layer(path,    part, n) {
		n = split(path, part, "/")
		if (part[1] == "include") return part[n]
		if (part[1] == "src" || ((part[1] == "tools" || part[1] == "plugins") && n > 2)) return part[1] "/" part[2]
		return part[1]
	}

	# dir/name without "." and ".."
	function join(dir, name,    part, kept, n, i, k, out) {
		n = split(dir "/" name, part, "/")
		k = 0
		for (i = 1; i <= n; i++) {
			if (part[i] == "..") { if (k > 0) k-- }
			else if (part[i] != "." && part[i] != "") kept[++k] = part[i]
		}
		out = kept[1]
		for (i = 2; i <= k; i++) out = out "/" kept[i]
		return out
	}

	# Which file of the tree an include line means; "" for a header of the system.
	function resolve(dir, name,    path) {
		path = join(dir, name);       if (path in known) return path
		path = join("src", name);     if (path in known) return path
		path = join("include", name); if (path in known) return path
		path = join("tools", name);   if (path in known) return path
		path = join("plugins", name); if (path in known) return path
		return ""
	}

	function wrong(why) {
		printf "%s:%d: %s\n", FILENAME, FNR, why
		bad = 1
	}

	/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
		name = $0
		sub(/^[^<"]*[<"]/, "", name)
		sub(/[>"].*/, "", name)
		count++
		if (name ~ /\.(c|cc|cpp)$/) wrong("includes a source file, " name)
		dir = FILENAME
		sub(/\/[^\/]*$/, "", dir)
		target = resolve(dir, name)
		from = layer(FILENAME)
		to = layer(target)
		if (target == "") {
			# Quotes mean a file of ours, and zsmalloc/ can be nobody else.
			if ($0 ~ /"/ || name ~ /^zsmalloc\//) wrong("includes " name ", which is not in the tree")
		} else if (to != from) {
			permitted = from in allow ? allow[from] : outside
			if (from ~ /^(tools|plugins)\// && from != "tools/common") permitted = permitted " tools/common"
			if (from ~ /^plugins\//) permitted = permitted " plugins/common"
			if (index(" " permitted " ", " " to " ") == 0) wrong(from " must not include " name " (" to ")")
		}
	}

	END { exit bad ? 1 : count ? 0 : 2 }
' $files
