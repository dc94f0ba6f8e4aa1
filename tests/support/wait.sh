# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
#
# wait.sh - waiting for a condition, for the tests that are scripts; read with ".".
#
# No test waits for a time and then expects something. A bound is there for what never comes, so it may be generous: on
# a machine that does other things as well everything takes as much longer as it likes.

# wait_for SECONDS COMMAND...: until it succeeds; 1 if it never does. On a machine with nothing else to do it must succeed
# well within so many seconds; a busy one gets twenty times as long.
wait_for() {
	tries=$(($1 * 20 * 50))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}

# ended PID: whether a process has come to its end, collected by its parent or not, with all of its threads: its memory,
# files and locks are gone then. The shell's "kill -0" finds one that nobody collects, and "kill" itself does not wait.
ended() {
	awk '/^State:/ { state = $2 } /^Threads:/ { threads = $2 } END { exit !(state ~ /^[ZX]?$/ && threads <= 1) }' \
		"/proc/$1/status" 2>/dev/null || [ ! -d "/proc/$1" ]
}
