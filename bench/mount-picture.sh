#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# bench/mount-picture.sh - draws docs/img/mount-memory.svg: the memory of the kernel's tmpfs and of zs mount, while
# sources are unpacked, this project is built, and everything is deleted.
#
# The same is done three times, with tmpfs, lz4 and zstd, and looked at all the while: what files take in tmpfs, as
# du counts pages; all that the server has resident. Pages of the kernel's cache, which it drops when somebody needs memory,
# are counted for none of them. Each phase is as wide in the picture as any other, however long it takes.
set -eu
exec </dev/null

usage() {
	cat <<-'END'
	usage: bench/mount-picture.sh [--shm DIR] [--out FILE]

	  --shm DIR    a tmpfs with room for the tree (default /dev/shm)
	  --out FILE   the picture (default docs/img/mount-memory.svg)
	END
}

shm=/dev/shm
cd "$(dirname "$0")/.."
picture=$PWD/docs/img/mount-memory.svg
while [ $# -gt 0 ]; do
	case $1 in
	--shm) shm=${2:?}; shift ;;
	--out) picture=${2:?}; shift ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
fail() {
	echo "bench/mount-picture.sh: $*" >&2
	exit 1
}
zs=$PWD/build/release/tools/zs/zs
chart=$PWD/build/release/bench/bench_chart
[ -x "$zs" ] && [ -x "$chart" ] || fail "build it first: cmake --workflow --preset release"
for tool in jq ninja git; do
	command -v $tool >/dev/null || fail "$tool is missing"
done
tmp=$(mktemp -d)
ram=$(mktemp -d "$shm/zs-picture.XXXXXX")
watcher=
clean_up() {
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true
	"$zs" umount "$tmp/zs" 2>/dev/null || true
	rm -rf "$tmp" "$ram"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir "$tmp/zs"
git archive --prefix=project/ HEAD | tar -C "$ram" -xf -
cp -a /usr/include "$ram/project/system-headers"
tar -C "$ram" -cf "$tmp/sources.tar" project
rm -rf "$ram/project"

# memory: of what is measured now, in bytes
memory() {
	if [ "$kind" = tmpfs ]; then
		du -s --block-size=1 "$ram" 2>/dev/null | cut -f 1
	else
		awk '/^VmRSS:/ { print $2 * 1024 }' "/proc/$server/status"
	fi
}
# phase N COMMAND...: "N SECONDS BYTES" a line, until it has ended
phase() {
	number=$1
	shift
	while :; do
		echo "$number $(date +%s.%N) $(memory)"
		sleep 0.2
	done >>"$tmp/samples.$kind" &
	watcher=$!
	"$@" >"$tmp/log" 2>&1 || { tail "$tmp/log" >&2; fail "$kind: failed: $*"; }
	kill $watcher
	wait $watcher 2>/dev/null || true
	watcher=
	echo "$number $(date +%s.%N) $(memory)" >>"$tmp/samples.$kind"
}
build() {
	cmake -G Ninja -S "$where/project" -B "$where/build" -DCMAKE_BUILD_TYPE=Debug -DZS_BUILD_TESTS=OFF &&
		cmake --build "$where/build" --target zs zs-fuse
}
for kind in tmpfs lz4 zstd; do
	where=$ram
	if [ $kind != tmpfs ]; then
		where=$tmp/zs
		"$zs" mount "$where" 8G algorithm=$kind >/dev/null
		server=$("$zs" mount --list --json | jq -r ".[] | select(.directory == \"$where\") | .pid")
	fi
	phase 0 tar -C "$where" -xf "$tmp/sources.tar"
	phase 1 build
	phase 2 rm -rf "$where/project" "$where/build"
	phase 3 sleep 2
	[ $kind = tmpfs ] || "$zs" umount "$where"
done

# points KIND: x is the phase and the share of its time; at most 480 of them
points() {
	awk '
		NF == 3 {
			n++; phase[n] = $1; time[n] = $2; bytes[n] = $3
			if (!($1 in first)) first[$1] = $2
			last[$1] = $2
		}
		END {
			step = int(n / 400) + 1
			for (i = 1; i <= n; i++) {
				if (i % step && phase[i] == phase[i + 1])
					continue
				since = first[phase[i]]
				all = last[phase[i]] - since
				printf "point\t%.4f\t%.3f\n", phase[i] + (all > 0 ? (time[i] - since) / all : 1), bytes[i] / 1048576
			}
		}' "$tmp/samples.$1"
}
{
	printf 'title\tMemory while a project is unpacked, built and deleted\n'
	printf 'subtitle\tMiB: files in tmpfs; all that the server of zs mount has resident, metadata included\n'
	printf 'x\tlinear\tthree runs of the same commands\ny\tlinear\tplain\tMiB\npanel\t\n'
	printf 'phase\t0\t1\tunpack\nphase\t1\t2\tbuild\nphase\t2\t3\tdelete\nphase\t3\t4\ttwo seconds later\n'
	printf 'series\ttmpfs\t#bf8700\tline\t1.3\tABOVE\n'
	points tmpfs
	printf 'series\tzs mount, lz4\t#2f81f7\tbold\t1.3\tABOVE\n'
	points lz4
	printf 'series\tzs mount, zstd\t#2da44e\tbold\t1.3\tBELOW\n'
	points zstd
} >"$tmp/chart"
"$chart" <"$tmp/chart" >"$tmp/picture.svg" || fail "no picture"
cp "$tmp/picture.svg" "$picture"
echo "| | unpacked, MiB | built | deleted | two seconds later |"
echo "| --- | --- | --- | --- | --- |"
for kind in tmpfs lz4 zstd; do
	awk -v kind=$kind 'NF == 3 { at[$1] = $3 }
		END { printf "| %s", kind; for (i = 0; i < 4; i++) printf " | %.1f", at[i] / 1048576; print " |" }' \
		"$tmp/samples.$kind"
done
