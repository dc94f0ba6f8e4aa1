#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# bench/mount.sh - the mounted directory beside the kernel's tmpfs and bindfs over tmpfs, which is the price of FUSE alone:
# copying trees in, reading and deleting them, a large file, memory, a million empty files. Medians of interleaved rounds,
# as a table and in bench/results/mount.json. The machine should have nothing else to do meanwhile.
set -eu
exec </dev/null

usage() {
	cat <<-'END'
	usage: bench/mount.sh [--rounds N] [--files N] [--size MIB] [--shm DIR]

	  --rounds N   rounds, the median of which counts (default 5)
	  --files N    empty files to make (default 1000000; 0: none)
	  --size MIB   of the large file (default 1024)
	  --shm DIR    a tmpfs with room for three copies of all (default /dev/shm)
	END
}

rounds=5
files=1000000
size=1024
shm=/dev/shm
while [ $# -gt 0 ]; do
	case $1 in
	--rounds | --files | --size)
		case ${2:-} in
		'' | *[!0-9]*) usage >&2; exit 2 ;;
		esac
		eval "${1#--}=$2"
		shift
		;;
	--shm) shm=${2:?}; shift ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

cd "$(dirname "$0")/.."
zs=$PWD/build/release/tools/zs/zs
results=$PWD/bench/results
[ -x "$zs" ] || { echo "bench/mount.sh: build it first: cmake --workflow --preset release" >&2; exit 1; }
for tool in bindfs python3 jq fusermount3; do
	command -v $tool >/dev/null || { echo "bench/mount.sh: $tool is missing" >&2; exit 1; }
done
mkdir -p "$results"
tmp=$(mktemp -d)
ram=$(mktemp -d "$shm/zs-mount.XXXXXX")
clean_up() {
	for dir in "$tmp/bindfs" "$tmp/zs" "$tmp/zstd"; do
		fusermount3 -u "$dir" 2>/dev/null || true
	done
	rm -rf "$tmp" "$ram"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What is copied, in memory, so that no disk is measured.
mkdir "$ram/source" "$ram/tmpfs" "$ram/behind"
cp -a /usr/include "$ram/source/"
for dir in /usr/lib/python3*; do
	[ ! -d "$dir" ] || cp -a "$dir" "$ram/source/"
done
find /usr/lib /usr/bin -xdev -type f -size +16k 2>/dev/null | sort | tr '\n' '\0' | xargs -0 cat 2>/dev/null |
	head -c "$((size << 20))" >"$ram/large" || true

now() {
	date +%s.%N
}
# timed WHERE WHAT COMMAND...: a line of results
timed() {
	where=$1
	what=$2
	shift 2
	start=$(now)
	"$@" >/dev/null 2>&1 || { echo "bench/mount.sh: failed: $*" >&2; exit 1; }
	echo "{\"where\": \"$where\", \"what\": \"$what\", \"value\": $(echo "$(now) - $start" | bc)}" >>"$tmp/raw"
}
number() {
	echo "{\"where\": \"$1\", \"what\": \"$2\", \"value\": $3}" >>"$tmp/raw"
}
server() {
	"$zs" mount --list --json | jq -r ".[] | select(.directory == \"$1\") | .pid"
}
resident() {
	awk '/^VmRSS:/ { print $2 * 1024 }' "/proc/$1/status"
}

mkdir "$tmp/bindfs" "$tmp/zs" "$tmp/zstd"
ln -s "$ram/tmpfs" "$tmp/tmpfs"
bindfs "$ram/behind" "$tmp/bindfs"
for round in $(seq "$rounds"); do
	timed zs "mount, s" "$zs" mount "$tmp/zs" 8G
	for where in tmpfs bindfs zs; do
		dir=$tmp/$where
		timed $where "copy the trees in, s" cp -a "$ram/source/." "$dir/trees"
		timed $where "read them, s" tar cf - -C "$dir/trees" . 
		timed $where "write the large file, s" dd if="$ram/large" of="$dir/large" bs=1M
		[ ! -w /proc/sys/vm/drop_caches ] || echo 1 >/proc/sys/vm/drop_caches
		timed $where "read it, s" dd if="$dir/large" of=/dev/null bs=1M
		rm "$dir/large"
		timed $where "delete the trees, s" rm -r "$dir/trees"
	done
	"$zs" umount "$tmp/zs"
done

# Memory: of tmpfs as du counts pages, of the servers all that is resident, above the start.
cp -a "$ram/source/." "$ram/tmpfs/trees"
number tmpfs "memory of the trees, bytes" "$(($(du -s "$ram/tmpfs/trees" | cut -f 1) * 1024))"
for where in zs zstd; do
	"$zs" mount "$tmp/$where" 8G algorithm=$([ $where = zs ] && echo lz4 || echo zstd) >/dev/null
	pid=$(server "$tmp/$where")
	before=$(resident "$pid")
	cp -a "$ram/source/." "$tmp/$where/trees"
	number $where "memory of the trees, bytes" "$(($(resident "$pid") - before))"
	rm -r "$tmp/$where/trees"
	sleep 1
	number $where "memory a second after deleting them, bytes" "$(($(resident "$pid") - before))"
	if [ "$files" != 0 ] && [ $where = zs ]; then
		before=$(resident "$pid")
		python3 - "$tmp/$where" "$files" <<-'END'
			import os, sys
			where, files = sys.argv[1], int(sys.argv[2])
			for i in range(files):
			    if i % 10000 == 0:
			        os.mkdir(f"{where}/{i // 10000}")
			    os.close(os.open(f"{where}/{i // 10000}/file-{i}", os.O_CREAT | os.O_WRONLY))
		END
		number $where "memory of an empty file, bytes" "$((($(resident "$pid") - before) / files))"
	fi
	"$zs" umount "$tmp/$where"
done

jq -s 'group_by([.what, .where]) | map({what: .[0].what, where: .[0].where, value: (map(.value) | sort | .[length / 2 | floor])})' \
	"$tmp/raw" >"$results/mount.json"
echo "| what | tmpfs | bindfs | zs mount, lz4 | zstd |"
echo "| --- | --- | --- | --- | --- |"
jq -r 'group_by(.what)[] | (map({(.where): .value}) | add) as $v |
	"| \(.[0].what) | \($v.tmpfs // "") | \($v.bindfs // "") | \($v.zs // "") | \($v.zstd // "") |"' "$results/mount.json"
