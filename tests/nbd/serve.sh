#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs serve and zs top: what they print works when it is typed, and nothing is left behind, however they end.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq

XDG_RUNTIME_DIR=$tmp/run
export XDG_RUNTIME_DIR
mkdir "$XDG_RUNTIME_DIR"
real_data 4194304 "$tmp/data"

said_or_ended() {
	grep -q '^}' "$tmp/said" || ended "$server"
}

# begin OPTION... PARAMETER...: zs serve in the background, until it says where the disk is
begin() {
	: >"$tmp/said"
	env --default-signal=INT,TERM,HUP "$ZS" serve --json "$@" >"$tmp/said" 2>"$err" </dev/null &
	server=$!
	servers="$servers $server"
	wait_for 20 said_or_ended || fail "zs serve says nothing"
	grep -q '^}' "$tmp/said" || fail "zs serve has ended"
	uri=$(jq -r .uri "$tmp/said")
	control=$(jq -r .control "$tmp/said")
	nbdkit=$(jq -r .pid "$tmp/said")
	servers="$servers $nbdkit"
}

# end SIGNAL
end() {
	kill -"$1" "$server"
	status=0
	wait "$server" || status=$?
	expect_same "exit status after SIG$1" $status 0
	wait_for 5 ended "$nbdkit" || fail "nbdkit lives on"
	expect_same "what is left behind" "$(ls -A "$XDG_RUNTIME_DIR")" ""
}

for signal in INT TERM HUP; do
	begin 16M algorithm=zstd save="$tmp/snapshot"
	must nbdcopy "$tmp/data" "$uri"
	must "$ZS" ctl "$control" get mm_stat
	end $signal
	begin load="$tmp/snapshot"
	must nbdcopy "$uri" "$tmp/back"
	cmp -n 4194304 "$tmp/data" "$tmp/back" || fail "not saved when ended by SIG$signal"
	end $signal
	rm "$tmp/snapshot"
done

# Its parent's death ends it too.
begin 16M
kill -KILL "$server"
wait "$server" 2>/dev/null || true
wait_for 10 ended "$nbdkit" || fail "nbdkit outlives zs serve"
rm -rf "$XDG_RUNTIME_DIR"/zs-*

# Sockets and ports of one's own choice; a name with a blank.
begin --unix "$tmp/own socket" 1M control="$tmp/own.ctl"
expect_same uri "$uri" "nbd+unix:///?socket=$(echo "$tmp" | sed 's/ /%20/g')/own%20socket"
expect_same size "$(nbdinfo --size "$uri")" 1048576
must "$ZS" ctl "$tmp/own.ctl" get disksize
must_fail "exists already" "$ZS" serve --unix "$tmp/own socket" 1M
expect_same size "$(nbdinfo --size "$uri")" 1048576
end INT
[ ! -e "$tmp/own socket" ] || fail "the socket is left behind"
port=$((20000 + $$ % 20000))
if "$ZS" serve --port $port --json 1M >"$tmp/said" 2>"$err" </dev/null & then
	server=$!
	servers="$servers $server"
	if wait_for 10 grep -q '^}' "$tmp/said"; then
		expect_same size "$(nbdinfo --size "nbd://localhost:$port")" 1048576
	fi
	kill -TERM "$server"
	wait "$server" || true
fi

# The text names the disk and how to attach it.
"$ZS" serve 1M >"$tmp/text" 2>"$err" </dev/null &
server=$!
servers="$servers $server"
wait_for 20 grep -q 'stops it' "$tmp/text" || fail "zs serve says nothing"
uri=$(sed -n '3s/ //gp' "$tmp/text")
expect_same size "$(nbdinfo --size "$uri")" 1048576
for word in nbdinfo nbdcopy qemu-img nbdfuse nbd-client "zs top" "zs ctl" file=nbd; do
	grep -q "$word" "$tmp/text" || fail "the text does not name $word"
done
kill -TERM "$server"
wait "$server" || fail "exit status $?"

# What can't be is said, and nothing is left behind.
must_fail "unknown parameter" "$ZS" serve 1M frobnicate=1
expect_same "exit status" $status 3
must_fail "(see: zs serve --help)" "$ZS" serve
must_fail "(see: zs serve --help)" "$ZS" serve 1M 2M
must_fail "(see: zs serve --help)" "$ZS" serve --port 70000 1M
must_fail "(see: zs serve --help)" "$ZS" serve --port 7000 --unix x 1M
must_fail "nbdkit is not installed" env PATH=/nowhere "$ZS" serve 1M
expect_same "what is left behind" "$(ls -A "$XDG_RUNTIME_DIR")" ""
