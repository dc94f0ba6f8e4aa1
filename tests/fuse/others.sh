#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# others.sh - others' programs on a mounted directory: those that look for faults of file systems, and those that people
# use. Takes minutes, so that it is run by hand:
#
#   tests/fuse/others.sh [--build] [NAME=VALUE]...
#
#   NAME=VALUE   parameters of zs mount: algorithm=zstd, block-size=64K, cache=back, ...
#   --build      this project is built in the directory too, and its unit tests are run there
#
# What is not installed is left out, and said so (apt install rsync stress-ng fio sqlite3). fsx and fsstress are those of
# xfstests or LTP, which no distribution packages for itself. The environment says more:
#
#   FSX=PROGRAM, FSSTRESS=PROGRAM   where those are
#   SECONDS_EACH=N                  how long fio runs at most, default 20
#   ONLY="NAME NAME"                run no others
#   ZS=PROGRAM                      the zs that is tested, by default that of build/release
set -eu
ZS_SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
ZS=${ZS:-$ZS_SOURCE_DIR/build/release/tools/zs/zs}
export ZS_SOURCE_DIR ZS
. "$ZS_SOURCE_DIR/tests/fuse/lib.sh"

seconds=${SECONDS_EACH:-20}
build=0
only=" ${ONLY:-} "
[ "${1:-}" != --build ] || { build=1; shift; }
[ -x "$ZS" ] || fail "$ZS: is not there: cmake --build --preset release, or ZS=PROGRAM"

passed=0
left_out=
# stage NAME COMMAND...: in an empty folder of the directory; what it leaves is deleted
stage() {
	case $only in *" $1 "* | "  ") ;; *) return 0 ;; esac
	name=$1
	shift
	mkdir "$dir/$name"
	run "$@" "$dir/$name"
	[ $status = 0 ] || fail "$name: exit status $status"
	rm -rf "${dir:?}/$name"
	kill -0 "$server" || fail "$name: the server is gone"
	passed=$((passed + 1))
	echo "$name: good"
}

# has PROGRAM NAME: a stage that has all it needs
has() {
	command -v "$1" >/dev/null && return
	left_out="$left_out $2"
	return 1
}

run_fsx() (
	cd "$1"
	# Two with the same steps would find the same.
	for seed in 1 2 3; do
		"$FSX" -q -S $seed -N 20000 -l 1048576 -o 131072 file.$seed >fsx.log 2>&1 ||
			{ tail -n 50 fsx.log; exit 1; }
	done
)

run_fsstress() {
	"$FSSTRESS" -d "$1" -n 3000 -p 4 -s 7
}

# All that stress-ng has of the class, one after the other, each checking what it reads.
run_stress_ng() {
	stress-ng --class filesystem --sequential 1 --timeout "$stress_seconds" --verify --temp-path "$1" \
		--exclude "$not_here" --oom-avoid --metrics-brief
}
stress_seconds=2
# Those look at other file systems than this one: the kernel's proc and sys, binfmt_misc, and mounts of their own.
not_here=procfs,sysfs,binderfs,ramfs,dev-shm,tmpfs,sysbadaddr,mknod

run_fio() {
	fio --name=random --directory="$1" --rw=randwrite --bs=4k-128k --size=64m --numjobs=2 --verify=crc32c \
		--verify_fatal=1 --do_verify=1 --runtime="$seconds" --group_reporting --fallocate=none &&
		fio --name=mapped --directory="$1" --ioengine=mmap --rw=randrw --bs=4k --size=32m --verify=crc32c \
			--verify_fatal=1 --do_verify=1 --runtime="$seconds" --fallocate=none
}

run_git() {
	git clone -q --no-local "$ZS_SOURCE_DIR" "$1/clone" &&
		git -C "$1/clone" fsck --full --strict &&
		git -C "$1/clone" gc -q --aggressive --prune=now &&
		git -C "$1/clone" fsck --full &&
		[ -z "$(git -C "$1/clone" status --porcelain)" ]
}

# One that writes with a log, one with a journal; what was counted is there, and the file is whole.
run_sqlite() {
	for mode in wal delete; do
		{
			echo "pragma journal_mode=$mode;"
			echo "create table t(i integer primary key, a text, b blob); create index ta on t(a);"
			echo "begin;"
			echo "with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)" \
				"insert into t select i, hex(i * 7919), randomblob(200) from n;"
			echo "commit;"
			echo "update t set b = randomblob(900) where i % 3 = 0; delete from t where i % 5 = 0;"
			echo "begin; delete from t; rollback; vacuum;"
		} | sqlite3 "$1/$mode.db" >/dev/null &&
			[ "$(sqlite3 "$1/$mode.db" 'pragma integrity_check; select count(*) from t;' |
				tr '\n' ' ')" = "ok 24000 " ] || return 1
	done
}

# what_is FOLDER: of each name a line with all that is an attribute (but for inode numbers, blocks and the sizes of
# folders), and a sum of the bytes
what_is() {
	python3 - "$1" <<'END'
import hashlib, os, stat, sys
top = os.fsencode(sys.argv[1])
def line(path):
    s = os.lstat(path)
    size = 0 if stat.S_ISDIR(s.st_mode) else s.st_size
    to = os.readlink(path) if stat.S_ISLNK(s.st_mode) else None
    sum = hashlib.sha256(open(path, "rb").read()).hexdigest() if stat.S_ISREG(s.st_mode) else ""
    user = [(a, os.getxattr(path, a, follow_symlinks=False))
            for a in sorted(os.listxattr(path, follow_symlinks=False)) if a.startswith("user.")]
    print(path[len(top):], oct(s.st_mode), s.st_uid, s.st_gid, s.st_nlink, size, s.st_mtime_ns, s.st_rdev, to, sum, user)
for folder, folders, files in os.walk(top):
    folders.sort()
    for name in sorted(folders + files):
        line(os.path.join(folder, name))
END
}

# A tree with one of each kind, outside of the directory. The times of folders are set at the end.
make_tree() {
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/a/b/c" "$tmp/tree/empty"
	cp -a "$ZS_SOURCE_DIR/include" "$ZS_SOURCE_DIR/docs" "$tmp/tree/a/"
	dd if="$ZS" of="$tmp/tree/holes" bs=4096 count=3 seek=5000 2>/dev/null
	ln "$tmp/tree/holes" "$tmp/tree/a/again"
	ln -s ../holes "$tmp/tree/a/link"
	ln -s nowhere "$tmp/tree/a/broken"
	mkfifo -m 600 "$tmp/tree/a/fifo"
	printf 'odd' >"$tmp/tree/a name
with a line"
	chmod 4751 "$tmp/tree/holes"
	chmod 1777 "$tmp/tree/empty"
	chmod 2750 "$tmp/tree/a/b"
	[ "$(id -u)" != 0 ] || chown -h 12:34 "$tmp/tree/a/link" "$tmp/tree/a/b/c"
	python3 -c 'import os, sys
try: os.setxattr(sys.argv[1], "user.note", b"one\0two"); os.setxattr(sys.argv[2], "user.note", b"")
except OSError: pass' "$tmp/tree/holes" "$tmp/tree/a/b"
	touch -d '2001-02-03 04:05:06.789012345' "$tmp/tree/a/b" "$tmp/tree/holes"
	touch -h -d '1969-07-20 20:17:40.5' "$tmp/tree/a/link"
	what_is "$tmp/tree" >"$tmp/tree.txt"
}

# there_and_back FOLDER COMMAND: COMMAND FROM TO copies a tree; after two of them it is the same, and it was on the way
there_and_back() {
	make_tree
	rm -rf "$tmp/back"
	mkdir "$1/tree" "$tmp/back"
	"$2" "$tmp/tree" "$1/tree" && what_is "$1/tree" | diff "$tmp/tree.txt" - &&
		"$2" "$1/tree" "$tmp/back" && what_is "$tmp/back" | diff "$tmp/tree.txt" -
}
copy_tar() {
	tar -C "$1" --xattrs --xattrs-include='*' --sparse -cf - . | tar -C "$2" --xattrs --xattrs-include='*' -xpf -
}
copy_rsync() {
	rsync -aHAXS --numeric-ids "$1/" "$2/"
}
run_tar() {
	there_and_back "$1" copy_tar
}
run_rsync() {
	there_and_back "$1" copy_rsync && [ -z "$(rsync -aHXSn --itemize-changes --checksum "$tmp/tree/" "$1/tree/")" ]
}

run_build() (
	git clone -q --no-local "$ZS_SOURCE_DIR" "$1/project" &&
		cd "$1/project" &&
		cmake --preset dev &&
		cmake --build --preset dev &&
		ctest --preset dev -R '^unit_' --no-tests=error
)

mounted 4G "$@"
if [ -n "${FSX:-}" ]; then stage fsx run_fsx; else left_out="$left_out fsx"; fi
if [ -n "${FSSTRESS:-}" ]; then stage fsstress run_fsstress; else left_out="$left_out fsstress"; fi
! has fio fio || stage fio run_fio
! has git git || stage git run_git
! has sqlite3 sqlite || stage sqlite run_sqlite
! has tar tar || stage tar run_tar
! has rsync rsync || stage rsync run_rsync
! has stress-ng stress-ng || stage stress-ng run_stress_ng
[ $build = 0 ] || stage build run_build
expect_same "what is left in the directory" "$(ls -A "$dir")" ""
expect_same "bytes of files at the end" "$("$ZS" ctl "$control" get file_bytes)" 0
expect_same "files at the end" "$("$ZS" ctl "$control" get files)" 0
unmounted
echo "$passed good${left_out:+; left out, since not here:$left_out}"
