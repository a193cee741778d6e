#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What people do all day with files, on a mount, and what the server then has.
#
# Covers: fuse/init_patch.c fuse/op.c fuse/ops.c fuse/ops_file.c
. "$(dirname "$0")/lib.sh"
write_config
mount_up
E=$MNT/ext
U=$MNT/\~

# both SENTENCE SHELL-TEXT: the text with $D for a local folder and with $D for
# one on the mount, and then both folders hold the same.
mkdir "$LOCAL/both" "$E/both"
both() {
	ok "$1" "(export D=$LOCAL/both; cd \$D && $2) &&
		(export D=$E/both; cd \$D && $2) &&
		diff -r $LOCAL/both $E/both"
}

# ---- the root

is 'the root shows the external stage and the user stage' \
	"$(ls "$MNT" | tr '\n' ' ')" 'ext ~ '
ok 'ls -la of the root works' 'ls -la $MNT | grep -q " ext$"'
ok 'mkdir makes an internal stage' 'mkdir $MNT/books && [ -d $MNT/books ]'
ok 'a new stage is listed' 'ls $MNT | grep -qx books'
ok 'a file in a new internal stage is under stage/internal on the server' '
	echo hi >$MNT/books/a.txt && s3 head ${INTERNAL_PREFIX}books/a.txt'
is 'rmdir of a stage that has a file is refused' \
	"$(sys rmdir "$MNT/books")" ENOTEMPTY
ok 'an internal stage that somebody else made is there' '
	s3 put ${INTERNAL_PREFIX}others/b.txt /etc/hostname
	until_ok 30 "cmp $MNT/others/b.txt /etc/hostname"'
ok 'rmdir drops an empty stage' '
	rm $MNT/books/a.txt && rmdir $MNT/books && [ ! -e $MNT/books ]'
is 'a dropped stage is not listed' "$(ls "$MNT" | grep -cx books)" 0
is 'rmdir of the user stage is refused' "$(sys rmdir "$U")" EPERM
is 'rmdir of an external stage is refused' "$(sys rmdir "$E")" EPERM
is 'a stage that is there already cannot be made' "$(sys mkdir "$E")" EEXIST
is 'a stage name that starts with a digit is refused' \
	"$(sys mkdir "$MNT/1st")" EINVAL
is 'a stage name with a hyphen is refused' "$(sys mkdir "$MNT/a-b")" EINVAL
for name in v1 health metrics storage; do
	is "the reserved stage name $name is refused" \
		"$(sys mkdir "$MNT/$name")" EINVAL
done
is 'a file at the root is refused' "$(sys create "$MNT/file")" EPERM
is 'a stage cannot be renamed' "$(sys rename "$MNT/others" "$MNT/mine")" EXDEV
fails 'mv of an external stage copies nothing' 'not permitted' '
	echo x >$E/left && mv $E $U/'
ok '... and leaves all' '[ ! -e $U/ext ]'
is 'a stage that is not there is ENOENT' "$(sys listdir "$MNT/none")" ENOENT
ok 'df shows the mount' 'df -P $MNT | grep -q " $MNT$" && df -h $E'

# ---- small things

echo 'Hello, stage.' >"$LOCAL/hello"
ok 'cp writes a file that cat reads' '
	cp $LOCAL/hello $U/hello && [ "$(cat $U/hello)" = "Hello, stage." ]'
ok 'the server has it under the key of the user stage' '
	s3 get ${USER_PREFIX}hello | cmp - $LOCAL/hello'
ok 'ls -l shows its size' 'ls -l $U | grep -qE " 14 .* hello$"'
ok 'stat shows size, type and a time of now' '
	[ "$(stat -c "%s %F" $U/hello)" = "14 regular file" ] &&
	age=$(($(date +%s) - $(stat -c %Y $U/hello))) &&
	[ $age -gt -60 ] && [ $age -lt 600 ]'
ok 'an empty file is one' ': >$E/empty && [ -f $E/empty ] && [ ! -s $E/empty ] &&
	[ "$(s3 head ${EXT}empty | jq .ContentLength)" = 0 ]'
ok 'touch makes a file' 'touch $E/touched && [ -f $E/touched ]'
ok 'touch -d sets the time' '
	touch -d "2020-02-03 04:05:06" $E/touched &&
	[ "$(stat -c %Y $E/touched)" = "$(date -d "2020-02-03 04:05:06" +%s)" ]'
ok 'chmod succeeds' 'chmod 600 $E/touched && [ "$(stat -c %a $E/touched)" = 600 ]'
ok 'mkdir and rmdir work' 'mkdir $E/dir && [ -d $E/dir ] && rmdir $E/dir && [ ! -e $E/dir ]'
ok 'mkdir -p makes a deep one' 'mkdir -p $E/d1/d2/d3 && [ -d $E/d1/d2/d3 ]'
is 'mkdir of what is there says so' "$(sys mkdir "$E/d1")" EEXIST
is 'rmdir of a directory with something in it is refused' \
	"$(sys rmdir "$E/d1")" ENOTEMPTY
is 'rmdir of a file says that it is none' "$(sys rmdir "$E/empty")" ENOTDIR
is 'unlink of a directory is refused' "$(sys unlink "$E/d1" |
	sed 's/EPERM/EISDIR/')" EISDIR
is 'a path through a file is refused' "$(sys stat "$E/empty/x")" ENOTDIR
is 'what is not there is ENOENT' "$(sys stat "$E/none")" ENOENT
is 'rm of what is not there is ENOENT' "$(sys unlink "$E/none")" ENOENT
is 'O_EXCL refuses a file that is there' "$(sys create "$E/empty")" EEXIST
is 'a hard link is refused' "$(sys link "$E/empty" "$E/link")" EPERM
is 'a named pipe is refused' "$(sys mkfifo "$E/fifo")" EPERM
ok 'rm removes a file, here and there' '
	rm $E/empty && [ ! -e $E/empty ] && ! s3 head ${EXT}empty'

# ---- bytes: the sizes round which the program's ways change

for bytes in 1 4095 4096 4097 131072 1048577 5242880 8388608 8388609 20000000; do
	random_file "$LOCAL/f$bytes" $bytes
	ok "a file of $bytes bytes comes back as it went" "
		cp $LOCAL/f$bytes $E/ && cmp $LOCAL/f$bytes $E/f$bytes"
done
remount
ok 'after a remount all of them are what they were' '
	for f in $LOCAL/f*; do cmp $f $E/$(basename $f) || exit; done'
ok 'the server has the same bytes' '
	for f in $LOCAL/f*; do s3 get $EXT$(basename $f) | cmp - $f || exit; done'
F=20000000
is 'head -c reads the start' "$(head -c 100000 "$E/f$F" | md5sum)" \
	"$(head -c 100000 "$LOCAL/f$F" | md5sum)"
is 'tail -c reads the end' "$(tail -c 100000 "$E/f$F" | md5sum)" \
	"$(tail -c 100000 "$LOCAL/f$F" | md5sum)"
is 'dd reads from the middle' \
	"$(dd if="$E/f$F" bs=4k skip=2000 count=3 2>/dev/null | md5sum)" \
	"$(dd if="$LOCAL/f$F" bs=4k skip=2000 count=3 2>/dev/null | md5sum)"
ok 'reads here and there agree' '/usr/bin/python3 - $LOCAL/f$F $E/f$F <<-END
	import random, sys
	a, b = (open(p, "rb", buffering=0) for p in sys.argv[1:])
	random.seed(7)
	for i in range(200):
	    at, n = random.randrange(20000100), random.choice((1, 100, 4096, 70000))
	    a.seek(at), b.seek(at)
	    assert a.read(n) == b.read(n), (at, n)
	END'
ok 'md5sum -c is content' '(cd $LOCAL && md5sum f*) | (cd $E && md5sum -c --quiet)'

# ---- numbers

mkdir "$E/numbers"
number_tests "$E/numbers"

# ---- changes to files that are there

both '>> appends to a small file' 'echo one >app; echo two >>app; echo three >>app'
cp "$LOCAL/f20000000" "$LOCAL/both/big"
cp "$LOCAL/f20000000" "$E/both/big"
both '>> appends to a file of many parts' 'echo tail >>big'
both 'dd conv=notrunc writes into the middle' '
	head -c 5000 <(yes middle) | dd of=big bs=1000 seek=12345 conv=notrunc status=none'
both 'a write at the start leaves the rest' '
	printf START | dd of=big conv=notrunc status=none'
both 'truncate makes a file shorter' 'truncate -s 9000000 big'
both 'truncate makes a file longer, with zeros' 'truncate -s 9500000 big'
both 'truncate to nothing' 'cp big big0; truncate -s 0 big0'
both '> on a file that is there replaces it' 'echo new >big0'
both 'a shorter file replaces a longer one whole' 'seq 100 >seq; seq 5 >seq'
both 'seek and write past the end leaves a hole of zeros' 'python3 -c "
f = open(\"hole\", \"wb\"); f.write(b\"a\"); f.seek(3000000); f.write(b\"z\"); f.close()"'
both 'writes backwards give the same file' 'python3 -c "
f = open(\"back\", \"wb\", buffering=0)
for i in reversed(range(50)):
    f.seek(i * 7001)
    f.write(bytes([i]) * 7001)
"'
both 'a file opened for reading and writing reads what it wrote' 'python3 -c "
f = open(\"rw\", \"wb+\", buffering=0)
f.write(b\"x\" * 1000000); f.seek(500); f.write(b\"here\"); f.seek(498)
assert f.read(8) == b\"xxherexx\"
f.seek(0); assert len(f.read()) == 1000000
"'
both 'ftruncate of an open file holds' 'python3 -c "
f = open(\"ft\", \"wb\"); f.write(b\"abcdef\" * 1000); f.flush(); f.truncate(1234); f.close()"'
both 'fsync in the middle of writing is fine' 'python3 -c "
import os
f = open(\"fs\", \"wb\")
for i in range(4):
    f.write(b\"%d\" % i * 300000); f.flush(); os.fsync(f.fileno())
"'
both 'sed -i edits in place' 'sed -i s/two/TWO/ app'
ok 'what is written and not closed is readable at the same mount' '
	exec 5>$E/open.txt && echo early >&5 &&
	[ "$(cat $E/open.txt)" = early ]; s=$?; exec 5>&-; exit $s'
remount
ok 'after a remount all changes are there' 'diff -r $LOCAL/both $E/both'
ok 'and on the server' 's3 compare ${EXT}both/ $LOCAL/both'

# ---- trees

mkdir -p "$LOCAL/tree"/{a,b/c,d/e/f}
for dir in . a b b/c d/e d/e/f; do
	for i in 1 2 3 4 5; do
		random_file "$LOCAL/tree/$dir/file$i" $((i * 3000))
	done
done
ok 'cp -r copies a tree' 'cp -r $LOCAL/tree $E/ && diff -r $LOCAL/tree $E/tree'
ok 'cp -r copies it back' 'cp -r $E/tree $LOCAL/again && diff -r $LOCAL/tree $LOCAL/again'
is 'find sees every file' "$(find "$E/tree" -type f | wc -l)" 30
is 'find sees every directory' "$(find "$E/tree" -type d | wc -l)" 7
is 'du --apparent-size counts the bytes of files' \
	"$(find "$E/tree" -type f -print0 | du -bc --files0-from=- | tail -n 1)" \
	"$(find "$LOCAL/tree" -type f -print0 | du -bc --files0-from=- | tail -n 1)"
ok 'du -s works' 'du -s $E/tree | grep -qE "^[1-9]"'
ok 'tar x puts a tree there that tar c reads back' '
	mkdir $E/tar $LOCAL/untar && tar cC $LOCAL tree | tar xC $E/tar &&
	tar cC $E/tar tree | tar xC $LOCAL/untar &&
	diff -r $LOCAL/tree $LOCAL/untar/tree'
ok 'cp -a copies a tree' 'cp -a $LOCAL/tree $E/archive && diff -r $LOCAL/tree $E/archive'
ok 'mv renames a file' '
	mv $E/tree/file1 $E/tree/renamed && [ ! -e $E/tree/file1 ] &&
	cmp $E/tree/renamed $LOCAL/tree/file1'
ok 'mv onto a file replaces it' '
	mv $E/tree/renamed $E/tree/file2 && cmp $E/tree/file2 $LOCAL/tree/file1'
ok 'mv moves into a directory' '
	mv $E/tree/file3 $E/tree/a/moved && cmp $E/tree/a/moved $LOCAL/tree/file3'
ok 'mv of a large file keeps its bytes' '
	mv $E/f20000000 $E/moved-big && cmp $E/moved-big $LOCAL/f20000000 &&
	[ ! -e $E/f20000000 ]'
ok 'mv renames a directory with all below it' '
	mv $E/archive $E/moved && diff -r $LOCAL/tree $E/moved && [ ! -e $E/archive ]'
ok 'the server has the tree under its new name' 's3 compare ${EXT}moved/ $LOCAL/tree'
is 'and nothing under the old one' "$(s3 list "${EXT}archive")" ''
ok 'mv replaces an empty directory' '
	mkdir $E/hollow && mv -T $E/moved $E/hollow && diff -r $LOCAL/tree $E/hollow'
is 'a directory does not replace one that has something in it' \
	"$(sys rename "$E/hollow" "$E/tree" | sed s/EEXIST/ENOTEMPTY/)" ENOTEMPTY
is 'a directory cannot move into itself' \
	"$(sys rename "$E/hollow" "$E/hollow/a/x")" EINVAL
is 'a rename between stages of one server is made there' \
	"$(sys rename "$E/hollow/file1" "$U/file1")" OK
ok 'mv between stages too' '
	mv $U/file1 $E/hollow/file1 && mv $E/hollow/file1 $U/file1 &&
	cmp $U/file1 $LOCAL/tree/file1 && [ ! -e $E/hollow/file1 ]'
ok 'rm -r removes a tree, here and there' '
	rm -r $E/hollow && [ ! -e $E/hollow ] && [ -z "$(s3 list ${EXT}hollow)" ]'

# ---- names

names=('with space' ' leading and trailing ' 'plus+plus' 'per%20cent' '100%'
	'hash#tag' 'what?x=1&y=2' 'a;b|c' "quote'double\"" 'back\slash'
	'~tilde' 'equals=' 'at@sign' '$HOME' '*star[0]' '-dash' '.hidden' '...'
	'ümlaut' '日本語' 'emoji🦆' 'résumé.pdf' 'e'$'\xcc\x81' 'tab'$'\t''x'
	'new'$'\n''line' '<xml>&amp;' 'colon:name' 'comma,name' 'caret^`{}')
mkdir "$LOCAL/names" "$E/names"
for name in "${names[@]}"; do
	printf '%s' "$name" >"$LOCAL/names/$name"
	printf -v shown '%q' "$name"
	ok "a file can be called $shown" '
		cp -- "$LOCAL/names/$name" "$E/names/$name" &&
		[ "$(cat "$E/names/$name")" = "$name" ]'
done
remount
ok 'all of these names are listed after a remount' 'diff -r $LOCAL/names $E/names'
ok 'the server has them, byte by byte' 's3 compare ${EXT}names/ $LOCAL/names'
ok 'all of them can be renamed and removed' '
	for name in "${names[@]}"; do
		mv -- "$E/names/$name" "$E/names/x$name" && rm -- "$E/names/x$name" ||
			exit
	done
	[ -z "$(s3 list ${EXT}names/ | grep -v "^0.$")" ]'
ok 'a directory name with odd bytes works' '
	mkdir "$E/names/a b+%&" && cp $LOCAL/hello "$E/names/a b+%&/h#1" &&
	mv "$E/names/a b+%&" "$E/names/c ?=" && cmp "$E/names/c ?=/h#1" $LOCAL/hello'
long=$(printf 'n%.0s' {1..255})
ok 'a name of 255 bytes works' 'echo long >"$E/$long" && [ "$(cat "$E/$long")" = long ]'
is 'a name of 256 bytes is too long' "$(sys create "$E/${long}x")" ENAMETOOLONG
fails 'and the command says so' 'File name too long' 'echo long >"$E/${long}x"'
deep=$E/$long/$long/$long/$long
rm -f "$E/$long"
is 'a key of over 1,024 bytes is too long' "$(
	mkdir -p "$(dirname "$deep")" && sys create "$deep" |
		sed 's/ENOENT/ENAMETOOLONG/')" ENAMETOOLONG

# ---- what other people's keys look like

s3 put "${EXT}implied/sub/file" "$LOCAL/hello"
s3 put "${EXT}both-kinds" "$LOCAL/hello"
s3 put "${EXT}both-kinds/below" "$LOCAL/hello"
s3 put "${EXT}odd//slash" "$LOCAL/hello"
s3 put "${EXT}odd/fine" "$LOCAL/hello"
remount
ok 'directories that only keys imply are there' '
	[ -d $E/implied ] && [ -d $E/implied/sub ] && cmp $E/implied/sub/file $LOCAL/hello'
ok 'a file beside keys below its name shows as the directory' '
	[ -d $E/both-kinds ] && cmp $E/both-kinds/below $LOCAL/hello &&
	[ "$(ls $E | grep -cx both-kinds)" = 1 ]'
is 'a key that no path can name is left out' "$(ls "$E/odd")" fine
ok 'a directory does not vanish with its last file' '
	rm $E/implied/sub/file && [ -d $E/implied/sub ] &&
	ls $E/implied | grep -qx sub && [ -z "$(ls $E/implied/sub)" ] &&
	rmdir $E/implied/sub && rmdir $E/implied && [ ! -e $E/implied ]'
ok 'nor when the file was moved away' '
	mkdir -p $E/from && echo x >$E/from/f && mv $E/from/f $E/f-moved && [ -d $E/from ]'

# ---- read only, and one stage alone

before=$(s3 list "$PREFIX")
remount -o ro
is 'ro: creating is refused' "$(sys create "$E/new")" EROFS
is 'ro: writing is refused' "$(sys write "$E/seq" | sed s/ENOENT/EROFS/)" EROFS
is 'ro: mkdir is refused' "$(sys mkdir "$E/newdir")" EROFS
is 'ro: a stage cannot be made' "$(sys mkdir "$MNT/newstage")" EROFS
is 'ro: rm is refused' "$(sys unlink "$E/f1")" EROFS
is 'ro: truncate is refused' "$(sys truncate "$E/f1" 0)" EROFS
is 'ro: rename is refused' "$(sys rename "$E/f1" "$E/f2")" EROFS
ok 'ro: reading works' 'cmp $E/f4097 $LOCAL/f4097'
is 'ro: nothing changed on the server' "$(s3 list "$PREFIX")" "$before"

mount_down
CONF_EXT='ro = yes' write_config
mount_up
is 'a stage that is ro refuses to be written to' "$(sys create "$E/new")" EROFS
is 'and to be emptied' "$(sys unlink "$E/f1")" EROFS
ok 'while another stage takes it' 'echo x >$U/rw && rm $U/rw'

mount_down
write_config
sed -i '/^\[storage\]/,/^\[stage ext\]/{/^\[stage ext\]/!d}' "$CONF"
mount_up
is 'without [storage] there are external stages only' \
	"$(ls "$MNT" | tr '\n' ' ')" 'ext '
is 'and no stage can be made' "$(sys mkdir "$MNT/newstage")" EROFS
ok '... which the log explains' 'grep -q "newstage is refused: a stage that is made lives in \[storage\]" $LOG'

mount_down
write_config
SOURCE=@ext mount_up -o "config=$CONF"
ok '@stage as the source is that stage alone' '
	cmp $MNT/f4097 $LOCAL/f4097 && [ ! -e $MNT/ext ]'
ok 'and it can be written to at its root' '
	echo here >$MNT/at-root && s3 head ${EXT}at-root'
mount_down
SOURCE=@~ mount_up -o "config=$CONF"
ok '@~ as the source is the user stage alone' 'cmp $MNT/hello $LOCAL/hello'

# ---- a stage as a whole, to another disk: the last, as all of it goes

mount_down
write_config
mount_up
rm -rf "$E/odd" 2>/dev/null	# keys that no path can name stay
"$STAGEFS" --config "$CONF" remove --recursive @ext/odd >/dev/null
count=$(find "$E" -type f | wc -l)
fails 'mv of a stage to another disk moves the files, and fails at the directory' \
	"cannot remove '$MNT/ext': .*not permitted" 'mv $E $T/moved'
is '... no file is lost, and the stage is there and empty' \
	"$(find "$T/moved" -type f | wc -l) $(ls "$E")" "$count "

done_testing
