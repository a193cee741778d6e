#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stages that are directories of this machine (fs://): what people do with
# files on the mount, and what then lies in the directory itself; what other
# programs put there; ways out of it; disks that cannot hold a store; a daemon
# that is killed; two daemons on one directory.
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"

STORE=$T/store
EXT=$T/ext
write_local() {	# [LINE-OF-[stagefs]...]
	rm -f "$CONF"
	(umask 077 && cat >"$CONF") <<-END
	[stagefs]
	user = tester
	log = $LOG
	log_level = debug
	spill_dir = $T/spill
	metadata_ttl = 1
	$(printf '%s\n' "$@")
	[storage]
	url = fs://$STORE/
	[stage ext]
	url = fs://$EXT/
	${CONF_MORE-}
	END
}
sf() {
	"$STAGEFS" "$@"
}
export STAGEFS_CONFIG=$CONF
write_local
mount_up
E=$MNT/ext
U=$MNT/\~
UD=$STORE/stage/user/tester

# ---- files

# What an object was given stays over edits; other types are those of names.
echo x >"$LOCAL/typed"
sf put -q --content-type=text/x-mine "$LOCAL/typed" @ext/
echo more >>"$E/typed" && echo anew >"$E/typed" && mv "$E/typed" "$E/typed2"
is 'a content type stays over >>, > and mv' \
	"$(xa user.stage.content_type "$E/typed2")" text/x-mine
if grep -q '^text/html[[:space:]].*html' /etc/mime.types; then
	echo x >"$E/name.html"
	is 'a file has the type of its name' \
		"$(xa user.stage.content_type "$E/name.html")" text/html
	mv "$E/name.html" "$E/name.css"
	is '... also after mv' \
		"$(xa user.stage.content_type "$E/name.css")" text/css
else
	skip 'types by name' 'there is no /etc/mime.types'
fi
rm -f "$E/typed2" "$E/name.css"

# both SENTENCE SHELL-TEXT: the text in a local folder and in one on the mount;
# then that one, the store's directory and the local one hold the same.
mkdir "$LOCAL/both" "$E/both"
both() {
	ok "$1" "(export D=$LOCAL/both; cd \$D && $2) &&
		(export D=$E/both; cd \$D && $2) &&
		diff -r $LOCAL/both $E/both && diff -r $LOCAL/both $EXT/both"
}
mkdir -p "$LOCAL/tree/deep/deeper" "$LOCAL/tree/empty"
random_file "$LOCAL/big" 20000000
random_file "$LOCAL/tree/one" 70000
random_file "$LOCAL/tree/deep/two" 1
: >"$LOCAL/tree/deep/deeper/nothing"
for i in $(seq 40); do
	echo "$i" >"$LOCAL/tree/deep/file-$i"
done

ok 'the store has made its directory' '[ -d $STORE/.stagefs ] && [ -d $EXT/.stagefs ]'
is 'its folder is closed to others' "$(stat -c %a "$EXT/.stagefs")" 700
is 'the root shows the external stage and the user stage' \
	"$(ls "$MNT" | tr '\n' ' ')" 'ext ~ '
both 'cp writes a file' 'cp $LOCAL/big big'
ok 'the user stage lies below stage/user' '
	cp $LOCAL/big $U/big && cmp $UD/big $LOCAL/big'
ok 'mkdir at the root makes an internal stage' '
	mkdir $MNT/books && cp $LOCAL/big $MNT/books/b &&
	cmp $STORE/stage/internal/books/b $LOCAL/big'
is 'rmdir of a stage with a file is refused' "$(sys rmdir "$MNT/books")" ENOTEMPTY
ok 'an empty one goes, its directory too' '
	rm $MNT/books/b && rmdir $MNT/books && [ ! -e $STORE/stage/internal/books ]'
both 'cp -r copies a tree, empty directories too' 'cp -r $LOCAL/tree .'
both 'cp -a within the mount' 'cp -a tree tree2'
both 'mv of a file' 'mv tree2/one tree2/uno'
both 'mv of a file over another' 'mv tree2/uno tree2/deep/two'
both 'mv of a directory with what is in it' 'mv tree2 moved'
both 'mv of a directory into another' 'mv moved tree/'
both 'rm -r of a tree' 'rm -r tree/moved/deep'
both 'rmdir' 'rmdir tree/empty'
both 'tar out and in' 'mkdir t && tar -C $LOCAL -cf - tree | tar -C t -xf -'
both 'append' 'echo one >a; echo two >>a; echo three >>a'
both 'truncate shorter, longer and to nothing' '
	cp big cut && truncate -s 12345 cut && cp cut long && truncate -s 54321 long &&
	cp cut zero && truncate -s 0 zero'
ok 'a file that grows by 5 GiB takes no room on the disk' '
	echo hi >$E/grown && truncate -s +5G $E/grown && echo x >>$E/grown &&
	[ "$(stat -c %s $EXT/grown)" = 5368709125 ] &&
	[ "$(du -k $EXT/grown | cut -f1)" -lt 1000 ] && rm $E/grown'
both 'dd into the middle' '
	dd if=$LOCAL/tree/one of=big bs=1000 seek=7 conv=notrunc status=none'
both 'dd behind the end' '
	printf x | dd of=a bs=1 seek=100000 conv=notrunc status=none'
both 'dd with conv=fsync' 'dd if=$LOCAL/big of=synced bs=1M conv=fsync status=none'
both 'sed -i' 'sed -i s/1/eleven/ tree/deep/file-1*'
both 'names with blanks, quotes and UTF-8' '
	echo x >"a b"; echo y >"c'\''d\"e"; echo z >ä; mkdir "f g" && echo w >"f g/h  i"'
both 'a name of 255 bytes' 'echo long >$(printf "n%.0s" $(seq 255))'
is 'find sees on the mount what lies in the directory' \
	"$(cd "$E" && find . | sort)" \
	"$(cd "$EXT" && find . -path ./.stagefs -prune -o -print | sort)"
is 'md5sum of all files is the same' \
	"$(cd "$E" && find . -type f -print0 | sort -z | xargs -0 md5sum)" \
	"$(cd "$EXT" && find . -path ./.stagefs -prune -o -type f -print0 |
		sort -z | xargs -0 md5sum)"
is 'du --apparent-size -b of the files too' \
	"$(cd "$E" && find . -type f -printf '%s\n' | paste -sd+ | bc)" \
	"$(cd "$EXT" && find . -path ./.stagefs -prune -o -type f -printf '%s\n' |
		paste -sd+ | bc)"
ok 'du works' 'du -s $E/both'
ok 'a file is a plain one, of who made it' '
	[ "$(stat -c "%F %u %g %s" $EXT/both/a)" = "regular file 0 0 100001" ]'
ok 'chmod and touch reach the inode' '
	chmod 640 $E/both/a && touch -d "2020-02-03 04:05:06" $E/both/a &&
	[ "$(stat -c "%a %Y" $EXT/both/a)" = "640 1580702706" ] &&
	[ "$(stat -c "%a %Y" $E/both/a)" = "640 1580702706" ]'
ok 'df tells the disk'"'"'s own size' '
	[ "$(df -P $E | awk "NR == 2 { print \$2 }")" = \
		"$(df -P $EXT | awk "NR == 2 { print \$2 }")" ]'

# ---- what others put there

echo theirs >"$EXT/theirs"
ok 'a file of another program appears' '
	until_ok 60 "grep -qx theirs $E/theirs" && [ -n "$(ls $E/theirs)" ]'
etag=$(xa user.stage.etag "$E/theirs")
echo 'theirs, and more' >>"$EXT/theirs"
ok 'what it changes in place is read' '
	until_ok 60 "grep -qx \"theirs, and more\" $E/theirs" &&
	[ "$(stat -c %s $E/theirs)" = 24 ]'
ok 'and has another ETag' '
	[ -n "$etag" ] && [ "$(xa user.stage.etag $E/theirs)" != "'"$etag"'" ]'
mkdir -p "$EXT/tree/of/theirs" && echo x >"$EXT/tree/of/theirs/x"
ok 'a tree too' 'until_ok 60 "cmp $E/tree/of/theirs/x $EXT/tree/of/theirs/x"'
rm -r "$EXT/tree"
ok 'and it goes' 'until_ok 60 "[ ! -e $E/tree ]"'

# ---- ways out

mkdir "$T/outside" && echo secret >"$T/outside/file"
ln -s "$T/outside/file" "$EXT/link"
ln -s "$T/outside" "$EXT/dirlink"
ln -s ../outside/file "$EXT/relative"
mkfifo "$EXT/fifo"
mknod "$EXT/device" c 1 3
/usr/bin/python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$EXT/socket"
sleep 1.2
is 'symlinks and special files are not shown' \
	"$(ls "$E" | grep -xE 'link|dirlink|relative|fifo|device|socket')" ''
for name in link dirlink relative fifo device socket; do
	like "$name is not there" "$(sys stat "$E/$name")" '^(ENOENT|EACCES)$'
	fails "$name cannot be had by get" 'no such file|not permitted|denied' \
		"sf get @ext/$name $T/got"
done
like 'nothing is read through a link' "$(sys read "$E/dirlink/file")" '^(ENOENT|EACCES|ENOTDIR)$'
fails 'nor by get' 'cannot download' 'sf get @ext/dirlink/file $T/got'
(echo overwritten >"$E/link") 2>/dev/null
(echo planted >"$E/dirlink/planted") 2>/dev/null
(mkdir "$E/dirlink/dir") 2>/dev/null
(mv "$E/theirs" "$E/dirlink/") 2>/dev/null
(rm "$E/dirlink/file") 2>/dev/null
sf put "$CONF" @ext/dirlink 2>/dev/null
sf remove @ext/dirlink/file 2>/dev/null
is 'nothing is written through a link' \
	"$(ls -A "$T/outside"; cat "$T/outside/file")" $'file\nsecret'
is 'LIST has none of them' "$(sf list @ext | cut -f1 |
	grep -E '^(link|dirlink|relative|fifo|device|socket)')" ''
rm -f "$EXT"/{link,dirlink,relative,fifo,device,socket}
mkdir "$E/held"
ln -s nowhere "$EXT/held/link"
is 'a directory that holds one looks empty and is not' \
	"$(ls "$E/held"; sys rmdir "$E/held")" ENOTEMPTY
ok '... and the log names it' 'grep "not empty" $LOG | grep -q "held/link"'
rm -r "$EXT/held"

is "the store's own folder is not shown" "$(ls -A "$E" | grep -x .stagefs)" ''
like 'nor entered' "$(sys listdir "$E/.stagefs")" '^(ENOENT|EPERM|EACCES)$'
like 'nor made' "$(sys mkdir "$E/.stagefs")" '^(EPERM|EEXIST|EACCES)$'
like 'nor read' "$(sys read "$E/.stagefs/keys")" '^(ENOENT|EPERM|EACCES)$'
fails 'no URL for its key' "store's own" 'sf presign @ext/.stagefs/keys'
fails 'no get' 'cannot download' 'sf get @ext/.stagefs/keys -'
fails 'no put' "store's own folder" 'sf put $CONF @ext/.stagefs'

# ---- names that cannot be

echo file >"$E/file"
is 'a file is no directory' "$(sys create "$E/file/below")" ENOTDIR
is 'a directory is not replaced by a file' "$(sys rename "$E/file" "$E/both")" EISDIR
is 'a name of 256 bytes' "$(sys create "$E/$(printf 'n%.0s' $(seq 256))")" ENAMETOOLONG
fails 'put below a file says so' 'a file has the name of one of its directories' \
	'sf put $CONF @ext/file'
fails 'put over a directory says so' 'a directory has that name' \
	'sf put --exact $CONF @ext/both'
fails 'put of a long name says so' 'more than 255 bytes' \
	'sf put --exact $CONF @ext/$(printf "n%.0s" $(seq 256))'
is 'a named pipe is refused' "$(sys mkfifo "$E/fifo")" EPERM

# ---- attributes and URLs

sf put --content-type text/csv "$LOCAL/tree/one" @ext/typed
is 'user.stage.url' "$(xa user.stage.url "$E/typed/one")" "fs://$EXT/typed/one"
is 'user.stage.name' "$(xa user.stage.name "$E/typed/one")" typed/one
is 'user.stage.size' "$(xa user.stage.size "$E/typed/one")" 70000
is 'user.stage.content_type' "$(xa user.stage.content_type "$E/typed/one")" text/csv
like 'user.stage.etag' "$(xa user.stage.etag "$E/typed/one")" '^".+"$'
is 'user.stage.md5 is not there where nobody computed one' \
	"$(sys getxattr "$E/typed/one" user.stage.md5)" ENODATA
like 'user.stage.last_modified' \
	"$(xa user.stage.last_modified "$E/typed/one")" '^20..-..-.. ..:..:..\.... \+0000$'
is 'LIST has no MD5 either' "$(sf list @ext/typed/ | cut -f1-3)" $'typed/one\t70000\t'
like 'a URL names the section and the key' \
	"$(xa user.presign.download "$E/typed/one")" '^http://127\.0\.0\.1:[0-9]+/ext/typed/one\?X-Amz-'
like 'one of the user stage is in [storage]' \
	"$(xa user.presign.upload "$U/big")" \
	'^http://127\.0\.0\.1:[0-9]+/storage/stage/user/tester/big\?X-Amz-'

key_of() {
	sed -n 's/.*X-Amz-Credential=\([^%]*\)%2F.*/\1/p' <<<"$1"
}
before=$(key_of "$(xa user.presign.download "$E/typed/one")")
storage_before=$(key_of "$(xa user.presign.download "$U/big")")
ok 'keys rotate @stage' 'sf keys rotate @ext'
after=$(key_of "$(xa user.presign.download "$E/typed/one")")
ok 'the running daemon signs with the new one' \
	'[ -n "'"$before"'" ] && [ -n "'"$after"'" ] && [ "'"$before"'" != "'"$after"'" ]'
is 'the storage keeps its own' "$(key_of "$(xa user.presign.download "$U/big")")" \
	"$storage_before"
ok 'keys rotate alone is for the storage' 'sf keys rotate'
ok 'and does so' '[ "$(key_of "$(xa user.presign.download $U/big)")" != "$storage_before" ]'
ok 'by a directory' "sf keys rotate $EXT"
ok 'by a URL' "sf keys rotate fs://$EXT/"
ok 'each time another' '[ "$(key_of "$(xa user.presign.download $E/typed/one)")" != "$after" ]'
is 'the key is for its owner alone' "$(stat -c %a "$EXT/.stagefs/keys")" 600
fails 'a directory that is no store' 'no local store' "sf keys rotate $T/outside"
fails 'a stage that is not there' 'does not exist' 'sf keys rotate @none'
fails 'a file has no key' 'one key for all' 'sf keys rotate @ext/typed/one'
fails 'a bucket has none of ours' 'only stores of fs://' 'sf keys rotate s3://bucket/'

# ---- kill -9 while a file is replaced

random_file "$LOCAL/old" 60000000
random_file "$LOCAL/new" 60000000
# The daemon dies first: what it would still do for a mount that goes does not
# count here.
kill_daemon() {
	local pid
	for pid in $(daemon_pids); do
		kill -KILL "$pid"
	done
	mount_kill "$MNT"
}
halves=0
for delay in 0.02 0.06 0.1 0.15 0.2 0.3; do
	mounted || mount_up
	cp "$LOCAL/old" "$E/victim"
	cp "$LOCAL/new" "$E/victim" 2>/dev/null &
	copier=$!
	sleep $delay
	kill_daemon
	wait $copier 2>/dev/null
	cmp -s "$EXT/victim" "$LOCAL/old" || cmp -s "$EXT/victim" "$LOCAL/new" ||
		halves="$halves $(stat -c %s "$EXT/victim") after $delay"
done
is 'kill -9 during cp leaves the old file or the new one' $halves 0
halves=0
for delay in 0.05 0.15 0.25; do
	mount_up
	cp "$LOCAL/new" "$E/fresh-$delay" 2>/dev/null &
	copier=$!
	sleep $delay
	kill_daemon
	wait $copier 2>/dev/null
	[ ! -e "$EXT/fresh-$delay" ] || [ ! -s "$EXT/fresh-$delay" ] ||
		cmp -s "$EXT/fresh-$delay" "$LOCAL/new" || halves=$((halves + 1))
done
is 'and no half of a new one' $halves 0
rm -f "$EXT"/victim "$EXT"/fresh-*
mount_up
is 'nothing of them is in the stage' "$(ls "$E" | grep -E 'victim|fresh')" ''

# ---- two daemons, one writer each

MNT2=$T/mnt2
mkdir "$MNT2"
one() {
	local M=$1 i
	for i in $(seq 40); do
		printf '%s %s\n' "$2" "$(printf "$i%.0s" $(seq 3000))" >"$M/ext/shared" ||
			echo "write $i of $2 failed"
		cp "$LOCAL/tree/one" "$M/ext/own-$2-$i" || echo "copy $i of $2 failed"
	done
}
ok 'a second daemon mounts the same directories' \
	"timeout 60 $STAGEFS $CONF $MNT2 && mounted $MNT2"
(one "$MNT" A >"$T/one.A" 2>&1) &
a=$!
(one "$MNT2" B >"$T/one.B" 2>&1) &
b=$!
torn=0
while kill -0 $a 2>/dev/null || kill -0 $b 2>/dev/null; do
	# it is one line of one writer, whole
	[ ! -e "$EXT/shared" ] || /usr/bin/python3 - "$EXT/shared" <<-'END' || torn=$((torn + 1))
	import re, sys
	s = open(sys.argv[1]).read()
	m = re.fullmatch(r"[AB] (\d+)\n", s)
	ok = m and any(m[1] == str(i) * 3000 for i in range(1, 41))
	sys.exit(0 if ok or s == "" else 1)
	END
done
wait $a $b
is 'two writers of one file: always a whole one' $torn 0
is 'no write failed' "$(cat "$T"/one.?)" ''
ok 'the last is one of the two last' '
	grep -qE "^[AB] (40){3000}$" $EXT/shared || grep -qE "^[AB] " $EXT/shared'
is 'all files of both are there' "$(ls "$EXT" | grep -c '^own-[AB]-')" 80
ok 'each sees the other'"'"'s' '
	until_ok 60 "[ \$(ls $MNT/ext | grep -c ^own-B-) = 40 ]" &&
	until_ok 60 "[ \$(ls $MNT2/ext | grep -c ^own-A-) = 40 ]" &&
	cmp $MNT/ext/own-B-7 $LOCAL/tree/one && cmp $MNT2/ext/own-A-7 $LOCAL/tree/one'
ok 'and what it changes' '
	echo again >$MNT/ext/own-A-1 && until_ok 60 "grep -qx again $MNT2/ext/own-A-1"'
ok 'the second unmounts' "umount $MNT2 && until_ok 60 '[ -z \"\$(daemon_pids $MNT2)\" ]'"
rm -f "$E"/own-* "$E/shared"
mount_down || bail 'cannot unmount'

# ---- disks and places that cannot be

mkdir "$T/ram" && mount -t ramfs none "$T/ram" || bail 'no ramfs'
at_exit+=('umount -l "$T/ram" 2>/dev/null')
cp "$CONF" "$T/good.conf"
(umask 077; sed "s|url = fs://$STORE/|url = fs://$T/ram/s/|" "$T/good.conf" >"$T/bad.conf")
if setfattr -n user.x -v y "$T/ram" 2>/dev/null; then
	skip 'a disk without user xattrs is refused at start' 'ramfs has them here'
else
	fails 'a disk without user xattrs is refused at start' \
		'\[storage\]: .*/ram/s: .*user extended attributes' \
		"timeout 60 $STAGEFS $T/bad.conf $MNT"
	fails 'check says so in its row' 'ram/s.*user extended attributes' \
		"sf check --config $T/bad.conf"
	ok 'other stages are not held up' "sf list --config $T/bad.conf @ext/both/"
	CONF_MORE="[stage disk]
url = fs://$T/ram/d/" write_local
	ok 'another external stage on such a disk is a warning' '
		mount_up && until_ok 60 "grep -q \"stage disk .*extended attributes\" $LOG" &&
		[ -e $E/both ]'
	like 'and an error where it is used' "$(sys listdir "$MNT/disk")" \
		'^(EOPNOTSUPP|ENOTSUP|EIO)$'
	umount "$T/ram"
	ok 'a disk that comes later is there without another mount' '
		until_ok 60 "echo x >$MNT/disk/x" && grep -qx x $T/ram/d/x'
	mount_down || bail 'cannot unmount'
	write_local
fi

# config SENTENCE REGEX LINE...: a configuration that is refused.
config() {
	local sentence=$1 regex=$2
	shift 2
	(umask 077; printf '%s\n' "$@" >"$T/wrong.conf")
	fails "$sentence" "$regex" "timeout 60 $STAGEFS $T/wrong.conf $MNT"
}
config 'keys of servers' 'wrong.conf:3: \[storage\]: region: a local directory' \
	'[storage]' "url = fs://$STORE/" 'region = x'
config 'a stage within the storage' 'overlap' '[storage]' "url = fs://$STORE/" \
	'[stage in]' "url = fs://$STORE/stage/internal/in/"
config 'a stage around it' 'overlap' '[storage]' "url = fs://$STORE/" \
	'[stage around]' "url = fs://$T/"
ln -s "$EXT" "$T/alias"
config 'two names of one directory, by a symlink' 'a and b overlap' \
	'[stage a]' "url = fs://$EXT/" '[stage b]' "url = fs://$T/alias/sub/"
mkdir -p "$T/bound" "$EXT/both/sub" && mount --bind "$EXT/both" "$T/bound"
at_exit+=('umount -l "$T/bound" 2>/dev/null')
config 'by a bind mount of a part of it' 'a and b overlap' \
	'[stage a]' "url = fs://$EXT/" '[stage b]' "url = fs://$T/bound/sub/"
(umask 077; cat >"$T/two.conf") <<-END
	[stage a]
	url = fs://$EXT/
	allow_overlap = yes
	[stage b]
	url = fs://$T/bound/sub/
	allow_overlap = yes
END
ok 'unless both say that they may' "sf list --config $T/two.conf @b"
umount "$T/bound"

# ---- what a dead daemon left

mount_up
ok 'after all of this the stage still works' '
	cp $LOCAL/big $E/last && cmp $EXT/last $LOCAL/big'
mount_down || bail 'cannot unmount'
is 'nothing unfinished is left in the store' \
	"$(find "$EXT/.stagefs/tmp" "$EXT/.stagefs/uploads" -type f -mmin +2)" ''
done_testing
