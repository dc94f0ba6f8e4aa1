#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# After a crash zs serve starts again with the same arguments, whatever was left: sockets, a port, a folder. What belongs
# to a server that lives, or is none of a server's, is not touched.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq perl
# shellcheck source=tests/nbd/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"
: "${FILE_FAULTS:?}"
real_data 1048576 "$tmp/data"

folders() {
	find "$XDG_RUNTIME_DIR" -mindepth 1 -maxdepth 1 | wc -l
}

# The sockets; the folder of the one that crashed goes, that of one that lives stays.
again() {
	begin --unix "$tmp/a socket" 1M control="$tmp/ctl" snapshot="$tmp/kept"
}
begin 1M
other=$server
other_control=$control
again
must nbdcopy "$tmp/data" "$uri"
must "$ZS" ctl "$control" save
crash
[ -S "$tmp/a socket" ] && [ -S "$tmp/ctl" ] || fail "the crash has left no sockets: the test is none"
expect_same "folders after a crash" "$(folders)" 2
again
expect_same "folders after the next start" "$(folders)" 2
must "$ZS" ctl "$other_control" get disksize
must nbdcopy "$uri" "$tmp/back"
cmp "$tmp/data" "$tmp/back" || fail "not what was saved before the crash"
must_fail "another server listens there" "$ZS" serve --unix "$tmp/a socket" 1M
must_fail "another server has it" "$ZS" serve 1M snapshot="$tmp/kept"
must nbdinfo "$uri"
kill -TERM "$other"
wait "$other" || fail "exit status $?"
end TERM
[ ! -e "$tmp/a socket" ] && [ ! -e "$tmp/ctl" ] || fail "a socket is left behind"

# zs alone is killed, and nbdkit still saves: what it will write is its own, another server must not begin without it.
touch "$tmp/gate"
LD_PRELOAD=$FILE_FAULTS ZS_TEST_GATE=$tmp/gate begin 1M snapshot="$tmp/kept" </dev/null
unset LD_PRELOAD ZS_TEST_GATE
first=$nbdkit
kill -KILL "$server"
wait "$server" 2>/dev/null || true
must_fail "another server has it" "$ZS" serve 1M snapshot="$tmp/kept"
rm "$tmp/gate"
wait_for 20 ended "$first" || fail "nbdkit does not end"
begin 1M snapshot="$tmp/kept"
must nbdcopy "$uri" "$tmp/back"
cmp "$tmp/data" "$tmp/back" || fail "not what was saved"
end TERM

# A file that is no socket, and a folder with anything else in it, are somebody's.
echo precious >"$tmp/file"
must_fail "is no socket" "$ZS" serve --unix "$tmp/file" 1M
expect_same "the file" "$(cat "$tmp/file")" precious
mkdir -m 700 "$XDG_RUNTIME_DIR/zs-disk-abcdef" "$XDG_RUNTIME_DIR/zs-disk-fedcba" "$XDG_RUNTIME_DIR/zs-disk-longer_name"
echo precious >"$XDG_RUNTIME_DIR/zs-disk-abcdef/precious"
echo 1 >"$XDG_RUNTIME_DIR/zs-disk-fedcba/pid"
begin 1M
[ -e "$XDG_RUNTIME_DIR/zs-disk-abcdef/precious" ] && [ -d "$XDG_RUNTIME_DIR/zs-disk-longer_name" ] || fail "a folder was removed"
[ ! -e "$XDG_RUNTIME_DIR/zs-disk-fedcba" ] || fail "a folder that was left is still there"
rm -r "$XDG_RUNTIME_DIR/zs-disk-abcdef" "$XDG_RUNTIME_DIR/zs-disk-longer_name"
end TERM

# nbdkit alone, with the pidfile and the control socket of one that was killed.
serve 1M
killed
[ -s "$tmp/pid$number" ] && [ -S "$control" ] || fail "nothing is left of a server that was killed"
must nbdkit -U - --pidfile "$tmp/pid$number" "$PLUGIN" 1M control="$control" --run 'true'
[ ! -e "$control" ] || fail "the control socket is left behind"

# A port, with a client that was connected. Where another program has the port there is nothing to see.
port=$((20000 + $$ % 20000))
try_port() {
	: >"$tmp/said"
	"$ZS" serve --port $port --json 1M >"$tmp/said" 2>"$err" </dev/null &
	server=$!
	servers="$servers $server"
	wait_for 20 said_or_ended || fail "zs serve says nothing"
	nbdkit=$(jq -r '.pid // empty' "$tmp/said")
	servers="$servers $nbdkit"
	[ -n "$nbdkit" ]
}
if try_port; then
	nbdinfo --size "nbd://localhost:$port" >/dev/null || fail "no disk at the port"
	perl -MIO::Socket::INET -e '
		$| = 1;
		my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
		sysread $s, my $hello, 8;
		print "connected\n";
		1 while sysread $s, $hello, 1024;' $port >"$tmp/held" 2>/dev/null &
	client=$!
	servers="$servers $client"
	wait_for 20 grep -q connected "$tmp/held" || fail "no connection to the port"
	crash
	try_port || fail "the port can't be had again: $(cat "$err")"
	must_fail "" "$ZS" serve --port $port 1M
	nbdinfo --size "nbd://localhost:$port" >/dev/null || fail "no disk at the port"
	wait $client || true
	end TERM
fi

# Of many that start at once on what a killed one has left, one wins.
begin --unix "$tmp/race" 1M
crash
for i in 1 2 3 4 5; do
	"$ZS" serve --json --unix "$tmp/race" 1M >"$tmp/said$i" 2>"$tmp/race.err$i" </dev/null &
	eval "racer$i=$!"
	servers="$servers $!"
done
four_lost() {
	[ "$(cat "$tmp"/race.err? | grep -c "another server listens there")" = 4 ]
}
wait_for 20 four_lost || fail "not four of five were refused"
one_won() {
	[ "$(cat "$tmp"/said? | grep -c '^}')" = 1 ]
}
wait_for 20 one_won || fail "not one of five has won"
expect_same size "$(nbdinfo --size "nbd+unix:///?socket=$tmp/race")" 1048576
for i in 1 2 3 4 5; do
	eval "kill -TERM \$racer$i 2>/dev/null || true; wait \$racer$i || true"
done
expect_same "what is left behind" "$(ls -A "$XDG_RUNTIME_DIR")" ""
