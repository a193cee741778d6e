#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The disk cache: what a mount has read the next one reads without a byte of it
# from the server, and no wrong byte comes of a replaced object, a kill, damage,
# another daemon or a full disk. Requests are counted on the way to the server.
. "$(dirname "$0")/lib.sh"
proxy_up 0
CACHE=$T/cache
E=$MNT/ext
CONF_MORE="[stage private]
url = s3://$BUCKET/${PREFIX}private/
$(connection)
disk_cache = no"
configure() {
	write_config 'metadata_ttl = 60' "cache_dir = $CACHE" "$@"
}

random_file "$LOCAL/big" $((40 << 20))
random_file "$LOCAL/odd" $((3 * (1 << 20) + 12345))
mkdir "$LOCAL/small"
for i in {1..30}; do
	random_file "$LOCAL/small/f$i" $((i * 997))
done
configure
mount_up
cp -r "$LOCAL/big" "$LOCAL/odd" "$LOCAL/small" "$E/"
cp "$LOCAL/odd" "$MNT/private/odd"

# Bytes and requests since they were asked for last.
take() {	# .received | .by_method.GET ...
	proxy_counts | jq "$1 // 0"
}
# cold [...]: another mount, and nothing is counted yet.
cold() {
	remount "$@"
	take . >/dev/null
}
# How many bytes the cache takes of the disk.
cached() {
	du -s --block-size=1 "$CACHE" | cut -f1
}
pages() {	# TOOL: the files of the cache, one a line
	find "$CACHE" -mindepth 2 -type f "$@"
}

# ---- a second mount

cold
ok 'a first mount reads everything' '
	cmp $LOCAL/big $E/big && cmp $LOCAL/odd $E/odd &&
	diff -r $LOCAL/small $E/small && cmp $LOCAL/odd $MNT/private/odd'
ok '... from the server' '[ $(take .received) -ge $((46 << 20)) ]'
cold
ok 'a second one reads the same' 'cmp $LOCAL/big $E/big'
ok '... and no byte of it comes from the server' '
	n=$(take .received); echo $n; [ $n -le 20000 ]'
ok 'so with an end within a page' 'cmp $LOCAL/odd $E/odd'
ok '... from the disk' 'n=$(take .received); echo $n; [ $n -le 20000 ]'
ok 'and small files' 'diff -r $LOCAL/small $E/small'
ok '... from the disk, each asked for once at most' '
	n=$(proxy_counts); echo $n
	[ $(jq .received <<<$n) -le 60000 ] && [ $(jq .requests <<<$n) -le 36 ]'
ok 'a stage that is not to be kept is fetched again' '
	cmp $LOCAL/odd $MNT/private/odd && [ $(take .received) -ge 3000000 ]'
ok 'nobody else can read what is kept' '
	[ $(stat -c %a $CACHE) = 700 ] &&
	[ -z "$(pages ! -perm 600)" ] && [ $(pages | wc -l) -ge 30 ]'
ok 'no name tells what it is' '! ls -R $CACHE | grep -E "big|odd|small|ext"'

random_reads() {
	/usr/bin/python3 -c '
import os, random, sys
random.seed(5)
a, b = (os.open(p, os.O_RDONLY) for p in sys.argv[1:])
for _ in range(40):
    at = random.randrange(0, 40 << 20, 4096)
    assert os.pread(a, 4096, at) == os.pread(b, 4096, at), at' "$1" "$2"
}
mount_down
rm -rf "$CACHE"
mount_up
take . >/dev/null
ok 'random reads are right' 'random_reads $LOCAL/big $E/big'
ok '... and keep little' '[ $(cached) -lt $((4 << 20)) ]'
cold
ok 'they are kept by the page' 'random_reads $LOCAL/big $E/big &&
	n=$(take .received) && echo $n && [ $n -le 20000 ]'

# ---- no wrong byte

cold
cmp "$LOCAL/big" "$E/big"
mount_down
random_file "$LOCAL/big2" $((40 << 20))
s3 put "${EXT}big" "$LOCAL/big2"
mount_up
ok 'a replaced object is never read from old blocks' 'cmp $LOCAL/big2 $E/big'
s3 put "${EXT}big" "$LOCAL/big"
ok 'not by the mount that has read it either' '
	until_ok 20 "cmp $LOCAL/big $E/big"'

mount_down
rm -rf "$CACHE"
mount_up
/usr/bin/python3 -c '
import sys, time
with open(sys.argv[1], "rb") as f:
    while f.read(1 << 20):
        time.sleep(0.05)' "$E/big" >/dev/null 2>&1 &
job=$!
until_ok 20 '[ $(cached) -ge $((8 << 20)) ]' || bail 'nothing is kept'
mount_kill "$MNT"
wait $job 2>/dev/null
until_ok 20 '[ -z "$(daemon_pids)" ] && ! mounted' || bail 'it is not gone'
before=$(pages | wc -l)
mount_up
ok 'a kill amid it leaves no wrong byte' '
	[ '"$before"' -ge 1 ] && cmp $LOCAL/big $E/big'

cold
cmp "$LOCAL/big" "$E/big"
mount_down
pages | while read -r file; do
	printf '\377\0\377\0' | dd of="$file" bs=1 conv=notrunc \
		seek=$((RANDOM * 7 + 20000)) status=none
done
mount_up
take . >/dev/null
ok 'damage by hand is found' 'cmp $LOCAL/big $E/big && [ $(take .received) -ge 4000000 ]'
ok '... and said' 'grep "disk cache was damaged" $LOG'
# Damage is found when it is read: not while its page comes from the server with
# a neighbour's, which was removed. One read for each of the files is enough.
big_is_kept() {
	cold && cmp "$LOCAL/big" "$E/big" && [ "$(take .received)" -le 20000 ]
}
ok '... and mended' 'for n in 1 2 3 4 5 6 7 8; do big_is_kept && break; done'
mount_down
pages | head -n 3 | while read -r file; do
	truncate -s 9000 "$file"
done
pages | tail -n 1 | while read -r file; do
	head -c 20000 /dev/zero >"$file"
done
mount_up
ok 'so are files that are cut, or of zeros' 'cmp $LOCAL/big $E/big'
cold
cmp "$LOCAL/big" "$E/big"

# ---- two mounts

mkdir "$T/mnt2"
ok 'another mount shares it' '
	MNT=$T/mnt2 mount_up && take . >/dev/null &&
	cmp $LOCAL/big $T/mnt2/ext/big &&
	n=$(take .received) && echo $n && [ $n -le 20000 ]'
random_file "$LOCAL/new" $((30 << 20))
cp "$LOCAL/new" "$E/new"
ok 'both fill it at the same time' '
	cmp $LOCAL/new $E/new & one=$!
	cmp $LOCAL/new $T/mnt2/ext/new && wait $one'
ok 'the other ends' 'umount $T/mnt2 &&
	until_ok 60 "[ -z \"\$(daemon_pids $T/mnt2)\" ]"'
cold
ok '... and what they have kept is right' '
	cmp $LOCAL/new $E/new && [ $(take .received) -le 20000 ]'

# ---- the bound, and a disk that is full

mount_down
rm -rf "$CACHE"
configure 'cache_size = 64M'
mount_up
most=0
for name in big new big new; do
	for part in 0 1 2; do
		dd if="$E/$name" of=/dev/null bs=1M skip=$((part * 10)) \
			count=14 status=none
		now=$(cached)
		[ "$now" -le $most ] || most=$now
	done
	cmp "$LOCAL/$name" "$E/$name" || fail "$name is right" </dev/null
	cp "$LOCAL/$name" "$E/$name" # another version
done
mount_down
# the folders, and a listing that is as old as its start
ok 'the bound holds' "echo $most; [ $most -le $(((64 << 20) + 258 * 4096)) ]"
ok '... and is used' "[ $most -ge $((48 << 20)) ]"
ok 'what is old makes room' 'grep -E "[1-9][0-9]* evicted" $LOG'

rm -rf "$CACHE"
mkdir "$CACHE"
mount -t tmpfs -o size=24M,mode=700 none "$CACHE" || bail 'no tmpfs'
at_exit+=("umount -l $CACHE")
configure
rm -f "$LOG"
mount_up
ok 'a full disk ends nothing' 'cmp $LOCAL/big $E/big && cmp $LOCAL/new $E/new'
ok '... and is said once' '
	until_ok 20 "grep \"cannot write to the disk cache\" $LOG" &&
	[ $(grep -c "cannot write to the disk cache" $LOG) = 1 ]'
ok 'some of the disk is left to others' '
	[ $(df --output=avail -B1 $CACHE | tail -n 1) -ge 1000000 ]'
mount_down

# ---- directories that will not do

refused() {	# SENTENCE MESSAGE
	if mount_try; then
		mount_down
		fail "$1" < <(echo 'it was mounted')
	elif grep -qF -- "$2" "$T/mount.err"; then
		pass "$1"
	else
		fail "$1" <"$T/mount.err"
	fi
}
umount "$CACHE"
chmod 777 "$CACHE"
refused 'a directory that others may write to' \
	"cache_dir $CACHE: others may write to it (chmod go-w)"
chmod 700 "$CACHE"
chown 12345 "$CACHE"
refused "another user's" "cache_dir $CACHE: it belongs to user 12345"
rmdir "$CACHE"
echo >"$CACHE"
refused 'a file' "cache_dir $CACHE: Not a directory"
rm "$CACHE"
mount_up
ok 'one that is not there is made' '[ $(stat -c %a $CACHE) = 700 ]'

done_testing
