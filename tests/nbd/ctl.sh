#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# zs ctl and the socket it talks to: every request, every refusal, and whose the socket's name is.
# shellcheck source=tests/nbd/lib.sh
. "$(dirname "$0")/lib.sh"
requires jq

real_data 8388608 "$tmp/data"
serve 64M recomp=zstd
expect_same "mode of the socket" "$(stat -c %a "$control")" 600
must nbdcopy "$tmp/data" "$uri"

# get
expect_same disksize "$(ctl get disksize)" 67108864
must ctl get mm_stat
expect_same "fields of mm_stat" "$(wc -w <"$out")" 9
expect_same "lines of mm_stat" "$(wc -l <"$out")" 1
must_fail "nonsense" ctl get nonsense
expect_same "exit status of a refusal" $status 1
must ctl get block_state
[ "$(wc -l <"$out")" -ge 1000 ] || fail "block_state is cut short"

# get without a name: all, with the values that they have one by one. Those that are not there can't be read, but for the
# list of blocks and the last error.
must ctl get
cp "$out" "$tmp/all"
[ "$(wc -l <"$tmp/all")" -ge 13 ] || fail "not all"
for name in $(cut -d ' ' -f 1 "$tmp/all" | uniq); do
	ctl get "$name" | sed "s/^/$name /" >"$tmp/one"
	grep "^$name " "$tmp/all" >"$tmp/of_all"
	cmp "$tmp/one" "$tmp/of_all" || fail "get has another $name"
done
grep -E '^\| `.*\| [rw]+(, fixed)? \|' "$ZS_SOURCE_DIR/docs/zram.md" | cut -d '|' -f 2 | tr -d '` ' | tr ',' '\n' >"$tmp/names"
[ "$(wc -l <"$tmp/names")" -ge 15 ] || fail "docs/zram.md does not list the names"
while read -r name; do
	grep -q "^$name " "$tmp/all" && continue
	case $name in
	block_state | last_error) must ctl get "$name" ;;
	*) must_fail "can only be set" ctl get "$name" ;;
	esac
done <"$tmp/names"
# And what the shells complete is those.
"$ZS" completion bash | sed -n "s/^\t\t'ctl 2') kind='words:\(.*\)' ;;$/\1/p" | tr ' ' '\n' | sort >"$tmp/completed"
sort "$tmp/names" | diff - "$tmp/completed" || fail "zs completion has other attributes than docs/zram.md"

# set: what it does is seen
must ctl set mem_limit 100M
expect_same mem_limit "$(ctl get mm_stat | awk '{ print $4 }')" 104857600
must ctl set mem_limit 0
must ctl set mem-limit 100M
expect_same mem-limit "$(ctl get mem-limit)" 104857600
expect_same mem-limit "$(ctl get mem_limit)" 104857600
must ctl set mem_limit 0
must ctl set compact 1
# Without a value, where the kernel takes none.
must ctl set compact
must ctl set compact ""
must_fail "mem_limit '' is not a number" ctl set mem-limit
must_fail "idle ''" ctl set idle
must_fail "" ctl set writeback
before=$(ctl get mm_stat | awk '{ print $2 }')
must ctl set idle all
must ctl set recompress "type=idle algo=zstd"
after=$(ctl get mm_stat | awk '{ print $2 }')
[ "$after" -lt "$before" ] || fail "recompressed from $before to $after bytes"
must ctl set recompress type=idle algo=zstd
must_fail "" ctl set recompress "type=idle algo=none"
must ctl set recompress
must_fail "disksize: the disk is in use" ctl set disksize 1G
must_fail "reset: the disk is in use" ctl set reset 1
must_fail "" ctl set mm_stat 1
must_fail "" ctl set nonsense 1
must nbdcopy "$uri" "$tmp/back"
cmp -n 8388608 "$tmp/data" "$tmp/back" || fail "the data are not what they were"

# stats
must ctl stats
jq -e 'type == "object"' "$out" >/dev/null || fail "stats are not JSON"
must ctl stats --json
jq -e 'type == "object"' "$out" >/dev/null || fail "stats --json are not JSON"
must ctl stats --prometheus
! grep -v '^#' "$out" | grep -Ev '^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [-+0-9.eEna]+$' || fail "not what Prometheus reads"
grep -q '^zsmalloc_held_bytes' "$out" || fail "the pool's statistics are missing"
[ -z "$(grep '^# TYPE' "$out" | sort | uniq -d)" ] || fail "a metric is declared twice"
must ctl stats --classes
grep -q 'obj_allocated' "$out" || fail "no table"

# A disk's name is its label: what it is called, or else its socket.
label() {
	sed -n 's/^zram_size_bytes{device="\(.*\)"} [0-9]*$/\1/p' "$1"
}
named() {
	want=$1
	shift
	must nbdkit -U - "$PLUGIN" 1M "$@" --run "'$ZS' ctl '$tmp/first.ctl' stats --prometheus"
	expect_same "name with: $*" "$(label "$out")" "$want"
	grep -qF "zsmalloc_pages{pool=\"$want\"" "$out" || fail "the pool of $want is called something else"
}
named first control="$tmp/first.ctl"
named "a b's" control="$tmp/first.ctl" name="a b's"
named 'q\"' control="$tmp/first.ctl" name='q"'
must nbdkit -U - "$PLUGIN" 1M name=old save="$tmp/named.zram" --run true
named first load="$tmp/named.zram" control="$tmp/first.ctl"
must_fail "name=: must be 1 to 63 bytes" nbdkit -U - "$PLUGIN" 1M name= --run true
must_fail "must be 1 to 63 bytes" nbdkit -U - "$PLUGIN" 1M name="$(printf '%064d' 1)" --run true
# shellcheck disable=SC2016 # for the shell of --run
must "$ZS" serve --plugin "$PLUGIN" --unix "$tmp/second.sock" --run "'$ZS' ctl \"\$control\" stats --prometheus" 1M
expect_same "name of what zs serve serves" "$(label "$out")" second
must "$ZS" serve --plugin "$PLUGIN" --run "'$ZS' ctl \"\$control\" stats --prometheus" 1M
label "$out" | grep -q '^zs-disk-......$' || fail "the disk is called $(label "$out")"

# The manual's example: whoever reads the file meanwhile finds all of it, and a server that is gone leaves it as it was.
mkdir "$tmp/metrics"
sed -n 's/^ \(zs ctl .* stats --prometheus >.*\)/\1/p; s/^ \(mv .*prom\)$/\1/p' "$ZS_SOURCE_DIR/docs/man/zs-ctl.1.pod" |
	sed "s|^zs|'$ZS'|; s|/run/disk.ctl|'$control'|; s|/var/lib/node_exporter|'$tmp/metrics'|g" >"$tmp/example.sh"
expect_same "lines of the example" "$(wc -l <"$tmp/example.sh")" 2
must sh "$tmp/example.sh"
# The last metric is there, to its end; how many lines there are changes with the size classes in use.
whole() {
	tail -n 1 "$tmp/metrics/disk.prom" | grep -qx 'zsmalloc_class_pages{.*} [0-9]*'
}
whole || fail "the last metric is not the classes' pages"
for i in 1 2 3 4 5 6 7 8 9 10; do
	sh "$tmp/example.sh"
done &
writer=$!
while kill -0 $writer 2>/dev/null; do
	whole || fail "the file is read half"
done
wait $writer || fail "the example fails beside a reader"
before=$(cksum <"$tmp/metrics/disk.prom")
must_fail "No such file" sh -c "$(sed "s|'$control'|'$tmp/nowhere'|" "$tmp/example.sh")"
expect_same "the file of a server that is gone" "$(cksum <"$tmp/metrics/disk.prom")" "$before"

# Wrong usage is found before anything is sent.
for words in "" "get a b" "set" "stats x" "save a b" "frobnicate" "get mm_stat --json" "stats --json --classes"; do
	# shellcheck disable=SC2086 # words
	must_fail "(see: zs ctl --help)" ctl $words
	expect_same "exit status of: $words" $status 2
done
must_fail "a line break" ctl set compact "1
get mm_stat"
must_fail "No such file" "$ZS" ctl "$tmp/nowhere" get mm_stat
expect_same "exit status without a server" $status 3
must_fail "at most" "$ZS" ctl "$tmp/$(printf '%0200d' 1)" get mm_stat

# A name that a living server has is its own; that of a dead one is free; what is no socket is left alone.
must_fail "another server listens there" nbdkit -U - "$PLUGIN" 1M control="$control" --run true
must ctl get mm_stat
first=$server
old=$control
killed
ended "$first" || fail "not killed"
[ -S "$old" ] || fail "no socket is left behind by a server that was killed"
must_fail "no server listens there" "$ZS" ctl "$old" get mm_stat
must nbdkit -U - "$PLUGIN" 1M control="$old" --run "'$ZS' ctl '$old' get disksize"
expect_same "disksize of the second server" "$(cat "$out")" 1048576
echo precious >"$tmp/file"
must_fail "is no socket" nbdkit -U - "$PLUGIN" 1M control="$tmp/file" --run true
expect_same "the file" "$(cat "$tmp/file")" precious
must_fail "No such file" nbdkit -U - "$PLUGIN" 1M control="$tmp/no/control" --run true
must_fail "at most" nbdkit -U - "$PLUGIN" 1M control="$tmp/$(printf '%0200d' 1)" --run true

# Of many that start at once on the name of a dead server one wins, and it works.
serve 1M
killed
for i in 1 2 3 4 5 6; do
	nbdkit -f -P "$tmp/race$i" -U "$tmp/socket.race$i" "$PLUGIN" 1M control="$control" >"$tmp/race.log$i" 2>&1 </dev/null &
	servers="$servers $!"
done
five_refused() {
	[ "$(cat "$tmp"/race.log? | grep -c 'another server')" = 5 ]
}
winners() {
	find "$tmp" -name 'race?' -size +0 | wc -l
}
# It may still be about to say so when the others have been refused.
one_won() {
	[ "$(winners)" -ge 1 ]
}
wait_for 20 five_refused || fail "not five of six were refused"
wait_for 20 one_won || fail "none of six has won"
expect_same "winners" "$(winners)" 1
must ctl get disksize

# Many connections: those above the limit are told so, and the others still work.
cat >"$tmp/hold.pl" <<'END'
use IO::Socket::UNIX;
$SIG{PIPE} = "IGNORE";
my @held = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!" } 1 .. 80;
my ($good, $refused) = (0, 0);
for my $s (@held) {
	print $s "get disksize\n"; $s->flush;
	my $answer = <$s> // "";
	$answer =~ /^ok/ ? $good++ : $answer =~ /^error too many/ ? $refused++ : 0;
}
print "$good $refused\n";
END
if command -v perl >/dev/null; then
	# The one before may not have been given up yet.
	holds_64() {
		(cd "$tmp" && perl hold.pl "$control" >"$out" 2>"$err") || fail "80 connections at once"
		[ "$(cat "$out")" = "64 16" ]
	}
	wait_for 5 holds_64 || fail "connections served and refused: $(cat "$out"), not 64 16"
	must ctl get disksize
fi
