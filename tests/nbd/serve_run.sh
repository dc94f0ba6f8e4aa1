#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs serve --run and --threads: the command has the disk's names, its exit status is passed on, and what becomes of the
# disk is not hidden by it.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq
# shellcheck source=tests/nbd/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"
real_data 1048576 "$tmp/data"
export ZS tmp

# shellcheck disable=SC2016 # the command's own variables
must "$ZS" serve --unix "$tmp/a socket" --run 'printf "%s\n" "$uri" "$nbd" "$unixsocket" "$port" "$control"
	nbdinfo --size "$uri" && "$ZS" ctl "$control" get disksize' 12345 control="$tmp/ctl"
expect_same "what the command sees" "$(cat "$out")" "$(printf '%s\n' "nbd+unix:///?socket=$tmp/a%20socket" \
	"nbd+unix:///?socket=$tmp/a%20socket" "$tmp/a socket" "" "$tmp/ctl" 12345 12345)"
expect_same "what is left behind" "$(ls -A "$XDG_RUNTIME_DIR")" ""
# shellcheck disable=SC2016
for command in 'exit 0' 'exit 7' 'kill -9 $$'; do
	run "$ZS" serve --run "$command" 1M
	case $command in
	*0) expect_same "exit status of $command" $status 0 ;;
	*7) expect_same "exit status of $command" $status 7 ;;
	*) expect_same "exit status of $command" $status 137 ;;
	esac
done

# It is saved at the end, and where it can't be that counts, whatever the command says.
# shellcheck disable=SC2016
must "$ZS" serve --run 'nbdcopy "$tmp/data" "$uri"' 1M save="$tmp/kept"
# shellcheck disable=SC2016
must "$ZS" serve --run 'nbdcopy "$uri" "$tmp/back"' load="$tmp/kept"
cmp "$tmp/data" "$tmp/back" || fail "not saved"
mkdir "$tmp/place"
# shellcheck disable=SC2016
must_fail "not saved" "$ZS" serve --run 'rmdir "$tmp/place"' 1M save="$tmp/place/kept"
expect_same "exit status" $status 3

# The server dies: so does the command.
# shellcheck disable=SC2016
must_fail "nbdkit was killed" "$ZS" serve --run 'kill -9 "$(cat "${unixsocket%/*}/pid")"; exec sleep 1000' 1M
expect_same "exit status" $status 3

# A signal to zs serve goes to the command, which decides.
mkfifo "$tmp/fifo"
# shellcheck disable=SC2016
"$ZS" serve --run 'trap "nbdinfo --size \"$uri\"; exit 5" TERM; echo ready >"$tmp/fifo"; while :; do sleep 0.05; done' \
	1M >"$out" 2>"$err" </dev/null &
server=$!
servers="$servers $server"
read -r line <"$tmp/fifo"
expect_same "what the command says" "$line" ready
kill -TERM $server
status=0
wait $server || status=$?
expect_same "exit status" $status 5
expect_same "size for a command that was told to end" "$(cat "$out")" 1048576

# Ctrl-C on a terminal is the command's: the disk is there until it ends.
if command -v script >/dev/null; then
	cat >"$tmp/command" <<'END'
trap 'touch "$tmp/got"' INT
touch "$tmp/ready"
until [ -e "$tmp/got" ]; do sleep 0.05; done
nbdinfo --size "$uri" >"$tmp/after"
END
	{
		wait_for 20 test -e "$tmp/ready" && printf '\003'
		wait_for 20 test -s "$tmp/after" || true
	} | script -qec "env --default-signal=INT '$ZS' serve --run 'sh $tmp/command' 1M" /dev/null >"$out" 2>"$err" || true
	expect_same "size after Ctrl-C" "$(cat "$tmp/after")" 1048576
fi

# --threads
begin --threads 3 1M
tr '\0' ' ' <"/proc/$nbdkit/cmdline" | grep -q -e '--threads 3 ' || fail "nbdkit has not got the number of threads"
end TERM
