# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
#
# serve_lib.sh - what the tests of zs serve share, besides lib.sh.
XDG_RUNTIME_DIR=$tmp/run
export XDG_RUNTIME_DIR
mkdir "$XDG_RUNTIME_DIR"

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

# crash: zs and nbdkit, as when the machine takes their memory
crash() {
	kill -KILL "$server" "$nbdkit"
	wait "$server" 2>/dev/null || true
	wait_for 10 ended "$nbdkit" || fail "nbdkit is not killed"
}
