#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Parts of files, copies, files without names, locks: what programs find on S3 and
# on a disk, and how many bytes travel for it. Never how long.
#
# Covers: fs/fs_range.c
. "$(dirname "$0")/lib.sh"
MIB=$((1 << 20))
proxy_up 0
CONF_MORE="[stage disk]
url = fs://$T/disk/"
write_config 'metadata_ttl = 60' 'memory = 32M' 'check = none'
mount_up
E=$MNT/ext
D=$MNT/disk

# Bytes that went by since it was asked last.
moved() {
	proxy_counts | jq '.sent + .received'
}
# moves SENTENCE MOST SHELL-TEXT: it succeeds, and so many bytes move at most.
moves() {
	local n
	moved >/dev/null
	if ! (eval "$3") >"$T/.out" 2>&1 </dev/null; then
		fail "$1" <"$T/.out"
		return
	fi
	n=$(moved)
	if [ "$n" -le "$2" ]; then
		pass "$1"
	else
		fail "$1" <<<"$n bytes, at most $2 wanted"
	fi
}

random_file "$LOCAL/large" $((100 * MIB))
cp "$LOCAL/large" "$E/large"
cp "$LOCAL/large" "$D/large"
truncate -s 2M "$LOCAL/sparse"
echo end >>"$LOCAL/sparse"

# ---- changes of a large object

moves 'a byte in the middle of 100 MiB moves no more than its part' $((20 * MIB)) '
	printf x | dd of=$E/large bs=1 seek=50000000 conv=notrunc status=none'
printf x | dd of="$LOCAL/large" bs=1 seek=50000000 conv=notrunc status=none
moves 'one at its end too' $((20 * MIB)) 'printf y >>$E/large'
printf y >>"$LOCAL/large"
moves 'so does a hole' $((20 * MIB)) 'fallocate -p -o 30000000 -l 4096 $E/large'
fallocate -p -o 30000000 -l 4096 "$LOCAL/large"
moves 'and a shorter end' $((20 * MIB)) 'truncate -s 90000000 $E/large'
truncate -s 90000000 "$LOCAL/large"
remount
ok '... and all of it is there' 'cmp $E/large $LOCAL/large'

# ---- copies

moves 'cp copies 90 MB in the server' $((2 * MIB)) 'cp $E/large $E/copy'
moves 'so does cp --reflink=auto' $((2 * MIB)) '
	cp --reflink=auto $E/large $E/clone'
remount
ok '... whole' 'cmp $E/copy $LOCAL/large && cmp $E/clone $LOCAL/large'
is '... a new object, with the type of its name' "$(cp "$E/copy" "$E/page.html" &&
	s3 head "${EXT}page.html" | grep -ci 'text/html')" 1
ok 'a copy that is changed is its own' '
	cp $E/copy $E/clone && printf z | dd of=$E/clone bs=1 seek=5 \
		conv=notrunc status=none && cmp $E/copy $LOCAL/large &&
	! cmp -s $E/clone $LOCAL/large && [ $(stat -c %s $E/clone) = 90000000 ]'
ok 'cat of two files into one has both' '
	cat $E/copy $LOCAL/sparse >$E/both &&
	cat $LOCAL/large $LOCAL/sparse | cmp - $E/both'
ok 'cp to a disk and from it has the bytes' '
	cp $E/copy $D/copy && cmp $D/copy $LOCAL/large && cp $D/copy $E/back &&
	cmp $E/back $LOCAL/large'
ok 'cp on a disk too' 'cp $D/large $D/other && cmp $D/large $D/other'
rm "$E/copy" "$E/clone" "$E/both" "$E/back" "$E/page.html" "$D/copy" "$D/other"

# ---- holes

for s in "$E" "$D"; do
	kind=${s##*/}
	ok "$kind: cp --sparse keeps what a sparse file reads" "
		cp --sparse=always $LOCAL/sparse $s/sparse &&
		cmp $s/sparse $LOCAL/sparse"
	ok "$kind: dd writes behind the end and the gap is zeros" "
		printf a | dd of=$s/gap bs=1 seek=3000000 status=none &&
		[ \$(stat -c %s $s/gap) = 3000001 ] &&
		head -c 3000000 $s/gap | cmp - <(head -c 3000000 /dev/zero)"
	ok "$kind: fallocate makes room, and leaves the size with -n" "
		fallocate -l 1000 $s/room && [ \$(stat -c %s $s/room) = 1000 ] &&
		fallocate -n -l 9000 $s/room && [ \$(stat -c %s $s/room) = 1000 ]"
	ok "$kind: fallocate -z zeroes" "
		cp $LOCAL/sparse $s/zeroed && fallocate -z -o 2097152 -l 3 $s/zeroed &&
		[ \"\$(tail -c 1 $s/zeroed | od -An -c | tr -d ' ')\" = '\\n' ] &&
		head -c 2097155 $s/zeroed | cmp - <(head -c 2097155 /dev/zero)"
done
ok 'a disk keeps the hole of a file as one' '
	[ $(du -k $T/disk/sparse | cut -f1) -lt 1000 ]'
ok '... and tells where it is' '/usr/bin/python3 -c "
import os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
assert os.lseek(f, 0, os.SEEK_DATA) >= 1 << 20
" $D/sparse'

# ---- files that go while they are open

readers=()
# reader FOLDER FILE: a process has it open, and reads all of it when told to.
reader() {
	mkfifo "$T/go.$2" 2>/dev/null
	(exec 9<"$1/$2"; head -c 10 <&9 >"$T/got.$2"; : >"$T/open.$2"
		read -r _ <"$T/go.$2"; cat <&9 >>"$T/got.$2") &
	readers+=($!)
	until_ok 60 "[ -e $T/open.$2 ]"
}
for s in "$E" "$D"; do
	kind=${s##*/}
	cp "$LOCAL/large" "$s/gone"
	cp "$LOCAL/large" "$s/replaced"
	echo small >"$s/new"
	remount
	for f in gone replaced; do
		rm -f "$T/open.$f" "$T/go.$f"
		reader "$s" "$f"
	done
	ok "$kind: a file of 90 MB is removed while it is open" "
		rm $s/gone && [ ! -e $s/gone ]"
	ok "$kind: another is replaced" "
		mv $s/new $s/replaced && [ \"\$(cat $s/replaced)\" = small ]"
	for f in gone replaced; do
		echo >"$T/go.$f"
	done
	wait "${readers[@]}"
	for f in gone replaced; do
		ok "$kind: who has it open reads it to its end: $f" "
			cmp $T/got.$f $LOCAL/large"
	done
done
ok 'a file without a name is read and written' '/usr/bin/python3 -c "
import os, sys
for folder in sys.argv[1:]:
    path = os.path.join(folder, \"nameless\")
    with open(path, \"wb\") as f:
        f.write(b\"x\" * 3000000)
    f = os.open(path, os.O_RDWR)
    os.unlink(path)
    os.pwrite(f, b\"abc\", 1000000)
    os.pwrite(f, b\"end\", 5000000)
    os.fsync(f)
    data = os.pread(f, 6000000, 0)
    assert len(data) == 5000003 and data[999999:1000004] == b\"xabcx\"
    assert data[2999999:3000001] == b\"x\\0\" and data[-3:] == b\"end\"
    os.ftruncate(f, 10)
    assert os.pread(f, 100, 0) == b\"x\" * 10
    assert not os.path.exists(path)
" $E $D'

# ---- one name for another, and other stages

for s in "$E" "$D"; do
	kind=${s##*/}
	mkdir -p "$s/one/sub" "$s/two"
	for n in 1 2 3; do
		echo "one $n" >"$s/one/sub/f$n"
	done
	echo two >"$s/two/g"
	ok "$kind: two directories get each other's name" "
		/usr/bin/python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2))
' $s/one $s/two && [ \"\$(cat $s/one/g)\" = two ] &&
		[ \"\$(cat $s/two/sub/f?)\" = \"\$(printf 'one 1\none 2\none 3')\" ] &&
		[ \$(find $s/one $s/two | wc -l) = 7 ]"
	ok "$kind: ... and nothing stands aside" "! ls -A $s | grep -q exchange"
done
ok 'the server has them so' '
	[ "$(s3 list ${EXT}one | wc -l)" -ge 1 ] && s3 head ${EXT}two/sub/f2'
mkdir "$MNT/first" "$MNT/second"
cp "$LOCAL/large" "$MNT/first/large"
mkdir "$MNT/first/tree"
for n in {1..20}; do
	echo "text $n" >"$MNT/first/tree/f$n"
done
# A file that was written is released a moment after its close.
until_ok 60 '"$STAGEFS" status "$MNT" | cut -f4 | grep -qx none'
moves 'mv of 90 MB to another stage moves none of them' $MIB '
	mv $MNT/first/large $MNT/second/ && [ ! -e $MNT/first/large ]'
ok '... and they are there' 'cmp $MNT/second/large $LOCAL/large'
is 'a directory moves to a stage of another section of that server' \
	"$(sys rename "$MNT/first/tree" "$E/tree")" OK
ok '... with what is in it' '
	[ "$(cat $E/tree/f7)" = "text 7" ] && [ $(ls $E/tree | wc -l) = 20 ] &&
	[ ! -e $MNT/first/tree ]'
is 'a stage on a disk is another device' \
	"$(sys rename "$E/tree" "$D/tree")" EXDEV
exec 9>>"$E/tree/f1"
is 'as is one for what is open' "$(sys rename "$E/tree" "$MNT/second/tree")" EXDEV
exec 9>&-
ok '... which mv then copies' '
	mv $E/tree $D/tree && [ "$(cat $D/tree/f7)" = "text 7" ] && [ ! -e $E/tree ]'

# ---- keys that no path can name

echo odd >"$LOCAL/odd"
s3 put "${EXT}odd//x" "$LOCAL/odd"
s3 put "${EXT}odd/f" "$LOCAL/odd"
remount
ok 'mv of a directory takes a key along that no path can name' '
	mv $E/odd $E/even && s3 head ${EXT}even//x && s3 head ${EXT}even/f &&
	[ -z "$(s3 list ${EXT}odd)" ]'
fails 'rm -r of it says that it is not empty' 'not empty' 'rm -r $E/even'
ok '... and the log which key that is' "grep -q 'even//x' $LOG"

# ---- locks

for s in "$E" "$D"; do
	kind=${s##*/}
	echo text >"$s/lock"
	flock -F "$s/lock" sleep 300 &
	holder=$!
	ok "$kind: a process waits for another's flock" "
		until_ok 60 '! flock -n $s/lock true' && ! flock -n $s/lock true"
	kill $holder
	wait $holder 2>/dev/null
	ok "$kind: ... and has it after it" "flock -w 60 $s/lock true"
	ok "$kind: fcntl locks ranges between processes" "/usr/bin/python3 -c '
import fcntl, os, sys
f = open(sys.argv[1], \"r+b\")
fcntl.lockf(f, fcntl.LOCK_EX, 2, 0)
if not os.fork():
    g = open(sys.argv[1], \"r+b\")
    fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB, 2, 2)
    try:
        fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1)
    except OSError:
        os._exit(0)
    os._exit(1)
assert os.wait()[1] == 0
' $s/lock"
done

ok 'inotify tells of what is done through the mount' '/usr/bin/python3 -c "
import ctypes, os, select, sys
libc = ctypes.CDLL(None)
f = libc.inotify_init1(0)
assert libc.inotify_add_watch(f, sys.argv[1].encode(), 0x3ca) >= 0
path = os.path.join(sys.argv[1], \"watched\")
open(path, \"w\").write(\"x\")
os.rename(path, path + \"2\")
os.unlink(path + \"2\")
seen = b\"\"
while seen.count(b\"watched\") < 5 and select.select([f], [], [], 60)[0]:
    seen += os.read(f, 4096)
assert seen.count(b\"watched\") >= 5, seen
" $E'

# ---- O_DIRECT, O_SYNC, mappings

for s in "$E" "$D"; do
	kind=${s##*/}
	ok "$kind: O_DIRECT reads and writes" "
		head -c $((4 * MIB)) $LOCAL/large >$LOCAL/direct &&
		dd if=$LOCAL/direct of=$s/direct bs=1M oflag=direct status=none &&
		dd if=$s/direct bs=1M iflag=direct status=none | cmp - $LOCAL/direct"
	ok "$kind: O_SYNC is in the store when write returns" "
		dd if=$LOCAL/direct of=$s/sync bs=2M oflag=sync status=none &&
		cmp $s/sync $LOCAL/direct"
	ok "$kind: what is changed in a mapping is in the file" "/usr/bin/python3 -c '
import mmap, os, sys
f = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(f, 0)
m[5000:5003] = b\"map\"
m.flush()
m.close()
os.close(f)
assert open(sys.argv[1], \"rb\").read()[4999:5004][1:4] == b\"map\"
' $s/direct"
	ok "$kind: a file of 1-byte writes is whole" "/usr/bin/python3 -c '
import os, sys
f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
for k in range(3000):
    os.write(f, bytes([k & 255]))
os.close(f)
assert open(sys.argv[1], \"rb\").read() == bytes(k & 255 for k in range(3000))
' $s/bytes"
done

done_testing
