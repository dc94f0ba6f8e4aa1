#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Clients that vanish, connections by the thousand, requests past the end, random bytes on every socket: the server
# lives on, holds no more files than before, and the data are what they were.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
: "${RUDE:?}"

descriptors() {
	find "/proc/$server/fd" 2>/dev/null | wc -l
}

# The answers of connections that went away are over.
settled() {
	[ "$(descriptors)" -le "$before" ]
}

unharmed() {
	[ -d "/proc/$server" ] || fail "$1: the server is gone"
	must nbdcopy "$uri" "$tmp/back"
	cmp "$tmp/data" "$tmp/back" || fail "$1: the data are not what they were"
	wait_for 5 settled || fail "$1: $(descriptors) files are open, $before before"
}

# begin [OPTION]
begin() {
	serve "$@" 16M
	before=$(descriptors)
	must nbdcopy "$tmp/data" "$uri"
}

real_data 16777216 "$tmp/data"
begin

must "$RUDE" connections "$uri" 1000
unharmed "1,000 connections"
must "$RUDE" past-end "$uri"
unharmed "requests past the end"
must "$RUDE" random "$socket" 50
unharmed "random bytes for an NBD server"
must "$RUDE" random "$control" 500
unharmed "random bytes for the control socket"
must ctl get mm_stat
expect_same "fields of mm_stat" "$(wc -w <"$out")" 9
stop

# Requests are under way when the client goes. nbdkit 1.32 itself fails an assertion then, now and then and with any
# plugin, its own memory too, where more than one of its threads answers: so one does.
begin --threads=1
must "$RUDE" vanish "$uri" 40
unharmed "clients that vanish"
must "$RUDE" vanish-busy "$uri" 40
unharmed "clients that vanish with many requests under way"
stop
