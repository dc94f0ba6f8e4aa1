# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034 # place is there to be in memory
# A bash heap made of real things: the machine's file names in a list, and by name where each was found last. Says when
# it is ready, stays until its input ends.
shopt -s globstar nullglob
declare -A place
words=()
for path in /usr/include/** /usr/share/**; do
	words+=("$path")
	[ -d "$path" ] || place[${path##*/}]=$path
	[ ${#words[@]} -lt 50000 ] || break
done
echo ready
read -r _
