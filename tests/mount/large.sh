#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What reading large objects takes: memory of the daemon, requests and bytes,
# from a store that is 100 ms away, so that the windows are as large as they
# get. Never how long.
# Covers: fs/cache/prefetch.c fs/cache/wire.c
. "$(dirname "$0")/lib.sh"
MIB=$((1 << 20))
SIZE=$((128 * MIB))
# The store is filled from close by.
random_file "$LOCAL/large" $SIZE
for n in 0 1 2 3; do
	s3 multipart "${EXT}large$n" "$LOCAL/large" $((16 * MIB))
done
proxy_up 100
write_config
mount_up
E=$MNT/ext

# cold: nothing is known but the directory, and nothing is counted yet.
cold() {
	remount
	ls "$E" >/dev/null
	proxy_counts >"$T/.counts"
}
counts() {	# NAME: a count since cold
	jq ".$1" "$T/.counts"
}
peak_is() {	# SENTENCE MIB: the daemon's, at most
	local got
	if grep -qE '__[at]san_init' "$STAGEFS"; then
		skip "$1" 'a sanitizer needs more'
		return
	fi
	got=$(awk '/^VmHWM/ { print int($2 / 1024) }' \
		"/proc/$(daemon_pids)/status")
	if [ "$got" -le "$2" ]; then
		pass "$1"
	else
		fail "$1" <<<"$got MiB"
	fi
}

cold
began=$(date +%s%3N)
ok 'a reader gets the bytes' 'cmp $E/large0 $LOCAL/large'
took=$(($(date +%s%3N) - began))
proxy_counts >"$T/.counts"
# A GET is an eighth of the window, which is what the reader takes in 200 ms: a
# reader that is slow has more of them, 40 a second.
allowed=$((96 + (took > 2000 ? (took - 2000) / 25 : 0)))
ok '... by few large GETs' '
	echo "$took ms"; cat $T/.counts
	[ $(counts by_method.GET) -le $allowed ]'
ok '... all of the window side by side, from the second read on' '
	[ $(counts most) -ge 16 ]'
ok '... each byte once' '[ $(counts received) -le $((SIZE + SIZE / 100)) ]'
peak_is '... and takes at most 160 MiB' 160

cold
for n in 0 1 2 3; do
	cmp "$E/large$n" "$LOCAL/large" &
	readers[n]=$!
done
for n in 0 1 2 3; do
	wait "${readers[n]}" || break
done
is 'four get theirs' $? 0
proxy_counts >"$T/.counts"
ok '... each byte once' '[ $(counts received) -le $((4 * SIZE + SIZE / 25)) ]'
peak_is '... and take at most 300 MiB' 300

# A reader that stops early, as head and file do, has little fetched in vain.
cold
ok 'the first KiB of it is read' '
	cmp <(head -c 1024 $E/large0) <(head -c 1024 $LOCAL/large)'
mount_down
proxy_counts >"$T/.counts"
ok '... and not much more is fetched' '[ $(counts received) -le $((2 * MIB)) ]'

done_testing
