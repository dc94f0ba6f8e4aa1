#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# script/test: its sums, its rounds and its exit status; that --load loads the machine while tests run and not a moment
# longer, however the script ends. Here cmake does nothing and ctest writes down results that are asked for.
# shellcheck source=tests/support/wait.sh
. "$ZS_SOURCE_DIR/tests/support/wait.sh"

tmp=$(mktemp -d)
script=
clean_up() {
	[ -z "$script" ] || kill -KILL "$script" 2>/dev/null || true
	[ ! -s "$tmp/hanging" ] || kill -KILL "$(cat "$tmp/hanging")" 2>/dev/null || true
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 129' HUP INT TERM

fail() {
	echo "FAILED: $*"
	[ ! -s "$tmp/out" ] || cat "$tmp/out"
	exit 1
}

mkdir -p "$tmp/tree/script" "$tmp/tree/tests/support" "$tmp/bin"
cp "$ZS_SOURCE_DIR/script/test" "$tmp/tree/script/"
cp "$ZS_SOURCE_DIR/tests/support/busy.sh" "$tmp/tree/tests/support/"
cat >"$tmp/bin/cmake" <<'END'
#!/bin/sh
echo "$*" >>"$FAKE/cmake"
[ ! -e "$FAKE/no_$3" ] || { echo "no such compiler"; exit 1; }
END
# It also writes down whether the machine is loaded.
cat >"$tmp/bin/ctest" <<'END'
#!/bin/sh
set -eu
for word; do
	file=$word
done
{
	echo '<testsuite>'
	echo '<testcase name="good" status="run"><system-out>fine</system-out></testcase>'
	echo '<testcase name="also_good" status="run"/>'
	[ ! -e "$FAKE/break" ] || echo '<testcase name="broken" status="fail"><failure message=""/></testcase>'
	printf '<testcase name="absent" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
	echo '<system-out>no device &lt;here&gt;</system-out></testcase>'
	echo '</testsuite>'
} >"$file"
"$FAKE/busy" >>"$FAKE/loaded"
if [ -e "$FAKE/hang" ]; then
	echo $$ >"$FAKE/hanging"
	exec sleep 600
fi
[ ! -e "$FAKE/break" ]
END
# How many processes keep the machine busy for the script whose tree this is.
cat >"$tmp/bin/busy" <<'END'
#!/bin/sh
n=0
for file in $(grep -ls 'support/busy.sh' /proc/[0-9]*/cmdline); do
	[ "$(readlink "${file%/cmdline}/cwd")" != "$FAKE/tree" ] || n=$((n + 1))
done
echo $n
END
printf '#!/bin/sh\n' >"$tmp/tree/script/setup"
cp "$tmp/bin/busy" "$tmp/busy"
chmod +x "$tmp/bin"/* "$tmp/tree/script/setup" "$tmp/busy"
FAKE=$(cd "$tmp" && pwd -P)
export FAKE
PATH=$tmp/bin:$PATH
unset ZS_TEST_SOAK

# run STATUS ARGUMENT...: the script ends with that status
run() {
	expected=$1
	shift
	: >"$tmp/loaded"
	: >"$tmp/cmake"
	status=0
	"$tmp/tree/script/test" "$@" >"$tmp/out" 2>&1 || status=$?
	[ $status = "$expected" ] || fail "exit status $status, not $expected: script/test $*"
}

says() {
	grep -qxF -- "$1" "$tmp/out" || fail "does not say '$1'"
}

ends_with() {
	[ "$(tail -n 1 "$tmp/out")" = "$1" ] || fail "the last line is not '$1'"
}

# busy_are NUMBER
busy_are() {
	[ "$("$tmp/busy")" = "$1" ]
}

run 0 --quick
ends_with "2 passed, 0 failed, 1 skipped"
says "dev: left out: absent: no device <here>"
grep -q 'ZS_TEST_TIMEOUT_FACTOR=1$' "$tmp/cmake" || fail "another time limit than usual"
[ "$(cat "$tmp/loaded")" = 0 ] || fail "busy processes that nobody asked for"
! grep -q round "$tmp/out" || fail "rounds that nobody asked for"
run 0
ends_with "8 passed, 0 failed, 4 skipped"

run 0 --repeat 3 dev tsan
says "round 1 of 3: 4 passed, 0 failed, 2 skipped"
says "round 3 of 3: 4 passed, 0 failed, 2 skipped"
ends_with "12 passed, 0 failed, 6 skipped"
for wrong in "--repeat" "--repeat 0" "--repeat x" "--repeat=" "--repeat 1x" "--frobnicate"; do
	# shellcheck disable=SC2086 # words
	run 2 $wrong
done

# A preset that can't be built is one failure; the others are tested.
: >"$tmp/no_tsan"
run 1 dev tsan fuzz
says "no such compiler"
says "tsan: build failed, see above; the log is build/tsan/build.log"
ends_with "4 passed, 1 failed, 2 skipped"
rm "$tmp/no_tsan"

# What fails is named, in each round, and the status tells.
: >"$tmp/break"
run 1 --repeat=2 --quick
says "round 2 of 2: 2 passed, 1 failed, 1 skipped"
says "dev: failed: broken"
ends_with "4 passed, 2 failed, 2 skipped"
rm "$tmp/break"

# Four processes beside the tests, and more time for each test.
run 0 --load --quick
ends_with "2 passed, 0 failed, 1 skipped"
[ "$(cat "$tmp/loaded")" = 4 ] || fail "$(cat "$tmp/loaded") busy processes beside the tests, not 4"
grep -q 'ZS_TEST_TIMEOUT_FACTOR=5$' "$tmp/cmake" || fail "no more time for tests on a busy machine"
wait_for 10 busy_are 0 || fail "the machine is still busy"

# Ended by force, it can end nobody.
for signal in KILL TERM; do
	: >"$tmp/hang"
	rm -f "$tmp/hanging"
	"$tmp/tree/script/test" --load --quick >"$tmp/out" 2>&1 &
	script=$!
	wait_for 10 test -s "$tmp/hanging" || fail "ctest was not run"
	busy_are 4 || fail "the machine is not busy"
	kill -$signal $script
	# A shell takes a signal when the command that it waits for has ended.
	[ $signal = KILL ] || kill -KILL "$(cat "$tmp/hanging")"
	wait_for 10 busy_are 0 || fail "after SIG$signal the machine is still busy"
	wait $script 2>/dev/null && fail "not ended by SIG$signal"
	script=
	kill -KILL "$(cat "$tmp/hanging")" 2>/dev/null || true
done
