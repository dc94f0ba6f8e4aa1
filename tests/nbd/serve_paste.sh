#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What zs serve prints can be pasted into a shell, wherever that is, whatever the sockets' names are.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq qemu-img
# shellcheck source=tests/nbd/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"
real_data 1048576 "$tmp/data"
mkdir "$tmp/elsewhere" "$tmp/bin" "$tmp/zs's bin"
ln -s "$ZS" "$tmp/bin/zs"

told_or_ended() {
	grep -q 'stops it' "$tmp/text" || ended "$server"
}

# line LABEL: the command behind it
line() {
	sed -n "s|^  $1  *||p" "$tmp/text"
}
# pasted COMMAND: by another shell, in another folder
pasted() {
	(cd "$tmp/elsewhere" && PATH="$tmp/bin:$PATH" must sh -c "$1") || fail "pasted: $1"
}

# check FOLDER OPTION...: started in FOLDER, where names are relative
check() {
	: >"$tmp/text"
	(cd "$1" && shift && exec "$ZS" serve 1M "$@" >"$tmp/text" 2>"$err" </dev/null) &
	server=$!
	servers="$servers $server"
	wait_for 20 told_or_ended && grep -q 'stops it' "$tmp/text" || fail "zs serve says nothing"
	for word in nbdinfo nbdcopy qemu-img nbdfuse nbd-client "zs top" "zs ctl" file=nbd; do
		grep -q "$word" "$tmp/text" || fail "the text does not name $word"
	done
	pasted "$(line 'look at it')"
	pasted "$(line 'copy in, out' | sed "s,FILE,'$tmp/data',; s,FILE\$,'$tmp/back',")"
	cmp "$tmp/data" "$tmp/back" || fail "copied in and out: not the same"
	pasted "$(line 'an image' | sed "s,IMAGE,-f raw '$tmp/data',")"
	pasted "$(line 'watch it') --once"
	pasted "$(line 'change it')"
	# The last ones are looked at: QEMU's is one word behind -drive, nbd-client's the socket.
	pasted "set -- $(line 'in QEMU'); [ \$# = 2 ] && printf '%s\\n' \"\$2\" >'$tmp/drive'"
	expect_same "QEMU's drive" "$(cat "$tmp/drive")" "file=$(sed -n '3s/^  //p' "$tmp/text"),format=raw,if=virtio,discard=unmap"
	pasted "set -- $(line 'as /dev/nbd0'); [ -S \"\$5\" ]"
	pasted "set -- $(line 'as a file' | sed 's/.*&& //'); [ \$# = 3 ]"
	kill -TERM "$server"
	wait "$server" || fail "exit status $?"
}
check "$tmp"
mkdir "$tmp/it's a \"folder\""
# shellcheck disable=SC2016 # names, not expansions
check "$tmp/it's a \"folder\"" --unix 'a $HOME,b' control='co`id`&'
mkdir "$tmp/it's a \"folder\"/run"
XDG_RUNTIME_DIR=run
check "$tmp/it's a \"folder\""

# nbd-client gets a block that divides the disk, as the kernel would cut off the rest.
for size in 1M 1049088; do
	block=4096
	[ $size = 1M ] || block=512
	: >"$tmp/text"
	"$ZS" serve $size >"$tmp/text" 2>"$err" </dev/null &
	server=$!
	servers="$servers $server"
	wait_for 20 told_or_ended && grep -q 'stops it' "$tmp/text" || fail "zs serve says nothing"
	expect_same "nbd-client's block of a disk of $size" "$(line 'as /dev/nbd0' | cut -d ' ' -f 3)" $block
	kill -TERM "$server"
	wait "$server" || fail "exit status $?"
done

# A program that is not found by its name is named by its place.
XDG_RUNTIME_DIR=$tmp/run
rm "$tmp/bin/zs"
cp "$ZS" "$tmp/zs's bin/zs"
: >"$tmp/text"
(cd "$tmp/zs's bin" && exec ./zs serve --plugin "$PLUGIN" 1M >"$tmp/text" 2>"$err" </dev/null) &
server=$!
servers="$servers $server"
wait_for 20 told_or_ended && grep -q 'stops it' "$tmp/text" || fail "zs serve says nothing"
pasted "$(line 'watch it') --once"
pasted "$(line 'change it')"
kill -TERM "$(sed -n 's/.*signal to process \([0-9]*\),.*/\1/p' "$tmp/text")"
wait "$server" || fail "exit status $?"
