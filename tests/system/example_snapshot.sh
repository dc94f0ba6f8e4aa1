#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The example of a snapshot is what people copy: it too leaves links, devices, owners and modes as they are.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
: "${EXAMPLE_SNAPSHOT:?}"

run "$EXAMPLE_SNAPSHOT" "$tmp/fresh"
expect_clean
[ "$(stat -c %a "$tmp/fresh")" = 600 ] || fail "a snapshot is for its owner alone"

echo old >"$tmp/file"
ln -s file "$tmp/link"
owner=$(id -u):$(id -g)
[ "$(id -u)" != 0 ] || owner=65533:65532
chown "$owner" "$tmp/file"
chmod 640 "$tmp/file"
run "$EXAMPLE_SNAPSHOT" "$tmp/link"
expect_clean
[ -L "$tmp/link" ] || fail "the link was replaced"
[ "$(stat -c %u:%g:%a "$tmp/file")" = "$owner:640" ] || fail "owner and mode are not kept"
[ "$(wc -c <"$tmp/file")" -gt 4 ] || fail "the file behind the link is the old one"

# A full device: one of our own, as root could harm that of the system.
full=/dev/full
if [ "$(id -u)" = 0 ]; then
	full=$tmp/full
	mknod "$full" c 1 7 2>/dev/null || full=
fi
if [ -n "$full" ] && (: >"$full") 2>/dev/null; then
	run "$EXAMPLE_SNAPSHOT" "$full"
	expect_status 1
	[ -c "$full" ] || fail "the device was replaced"
	[ -z "$(find "$tmp" -name '*.new')" ] || fail "something is left behind"
fi
