#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs serve and zs top: what they print works when it is typed, and nothing is left behind, however they end.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq

# shellcheck source=tests/nbd/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"
real_data 4194304 "$tmp/data"

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
must_fail "another server listens there" "$ZS" serve --unix "$tmp/own socket" 1M
expect_same "exit status" $status 3
must_fail "another server listens there" "$ZS" serve 1M control="$tmp/own.ctl"
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

# What can't be is said, and nothing is left behind.
must_fail "unknown parameter" "$ZS" serve 1M frobnicate=1
expect_same "exit status" $status 3
must_fail "(see: zs serve --help)" "$ZS" serve
must_fail "unexpected argument '2M': there is a size already" "$ZS" serve 1M 2M
must_fail "unexpected argument '2M': there is a size already" "$ZS" serve size=1M 2M
must_fail "unexpected argument 'frob': must be NAME=VALUE" "$ZS" serve snapshot=x frob
must_fail "(see: zs serve --help)" "$ZS" serve --threads 0 1M
must_fail "(see: zs serve --help)" "$ZS" serve --json --run true 1M
# A size behind other parameters: the line that is shown is the right one.
must_fail "the size comes first: zs serve 1M " "$ZS" serve save="$tmp/it's saved" 1M
expect_same "exit status" $status 2
sed 's/.*first: zs \(.*\) (see: .*/"$ZS" \1 --run true/' "$err" >"$tmp/script"
must sh "$tmp/script"
[ -s "$tmp/it's saved" ] || fail "the line is not what was meant: $(cat "$tmp/script")"
must_fail "(see: zs serve --help)" "$ZS" serve --port 70000 1M
must_fail "(see: zs serve --help)" "$ZS" serve --port 7000 --unix x 1M
must_fail "nbdkit is not installed" env PATH=/nowhere "$ZS" serve 1M
expect_same "what is left behind" "$(ls -A "$XDG_RUNTIME_DIR")" ""
