#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The headers that belong to an object: the type of what is new, and what edits,
# renames and uploads keep.
. "$(dirname "$0")/lib.sh"
write_config 'metadata_ttl = 1'
mount_up
E=$MNT/ext
random_file "$LOCAL/big" 20000000

# The server's own view of one header: its word in boto3.
header() {	# KEY NAME
	s3 head "$EXT$1" | /usr/bin/python3 -c '
import json, sys
print(json.load(sys.stdin).get(sys.argv[1], ""))' "$2"
}
put_kept() {	# KEY FILE
	s3 put "$EXT$1" "$2" content_type=text/x-mine cache_control=max-age=60 \
		content_encoding=gzip 'content_disposition=inline; filename="a b"' \
		'tagging=one=1&two=%26%3D' color=blue
}
KEPT='text/x-mine max-age=60 gzip inline; filename="a b" {'\''color'\'': '\''blue'\''}'
kept() {	# KEY
	echo "$(header "$1" ContentType) $(header "$1" CacheControl) $(
		header "$1" ContentEncoding) $(header "$1" ContentDisposition) $(
		header "$1" Metadata)"
}
TAGS='one=1
two=&='

# ---- what is new

HTML=$(sed -n 's/^\(text\/html\)[[:space:]].*\bhtml\b.*/\1/p' /etc/mime.types)
if [ "$HTML" ]; then
	echo '<p>' >"$E/page.html"
	is 'a new file has the type of its name' "$(header page.html ContentType)" \
		text/html
	cp "$LOCAL/big" "$E/big.html"
	is '... in parts too' "$(header big.html ContentType)" text/html
	echo '<p>' >"$E/page.tmp"
	mv "$E/page.tmp" "$E/moved.html"
	is 'mv gives it that of the new name' "$(header moved.html ContentType)" \
		text/html
	mv "$E/moved.html" "$E/moved.txt"
	is '... again' "$(header moved.txt ContentType)" text/plain
	is 'user.stage.content_type says it' \
		"$(xa user.stage.content_type "$E/moved.txt")" text/plain
	echo '<p>' >"$LOCAL/sent.html"
	"$STAGEFS" put -q --config="$CONF" "$LOCAL/sent.html" @ext/
	is 'put gives it too' "$(header sent.html ContentType)" text/html
	"$STAGEFS" put -q --config="$CONF" --content-type text/x-other \
		"$LOCAL/sent.html" @ext
	is '... unless told otherwise' "$(header sent.html ContentType)" \
		text/x-other
	mv "$E/sent.html" "$E/sent.txt"
	is 'a type that was chosen stays over mv' \
		"$(header sent.txt ContentType)" text/x-other
else
	skip 'types by name' 'there is no /etc/mime.types'
fi

# ---- edits

echo small >"$LOCAL/small"
put_kept edit "$LOCAL/small"
is 'what an object has' "$(kept edit)" "$KEPT"
echo more >>"$E/edit"
is 'it has after >>' "$(kept edit)" "$KEPT"
is '... its tags too' "$(s3 tags "${EXT}edit")" "$TAGS"
printf X | dd of="$E/edit" conv=notrunc status=none
is '... after dd conv=notrunc' "$(kept edit)" "$KEPT"
truncate -s 100 "$E/edit"
is '... after truncate' "$(kept edit)" "$KEPT"
echo anew >"$E/edit"
is '... after >' "$(kept edit)" "$KEPT"
cp "$LOCAL/big" "$E/edit"
is '... after cp of a large file over it' "$(kept edit)" "$KEPT"
echo more >>"$E/edit"
is '... after >> to that' "$(kept edit)" "$KEPT"
is '... with its tags' "$(s3 tags "${EXT}edit")" "$TAGS"
mv "$E/edit" "$E/edit2"
is '... after mv' "$(kept edit2)" "$KEPT"
mkdir "$E/d" && mv "$E/edit2" "$E/d/" && mv "$E/d" "$E/e"
is '... after mv of its directory' "$(kept e/edit2)" "$KEPT"
is '... with its tags' "$(s3 tags "${EXT}e/edit2")" "$TAGS"
put_kept replaced "$LOCAL/small"
sed -i 's/a/b/' "$E/replaced"
is 'what a file has that replaces another by rename is its own' \
	"$(header replaced Metadata)" '{}'

# ---- set by programs

put_kept set "$LOCAL/small"
ETAG=$(header set ETag)
setfattr -n user.stage.content_type -v text/x-other "$E/set"
is 'a type that is set is the header' "$(header set ContentType)" text/x-other
setfattr -n user.stage.content_type -v text/x-mine "$E/set"
is '... all else stays' "$(kept set)" "$KEPT"
is '... its tags too' "$(s3 tags "${EXT}set")" "$TAGS"
is '... and its bytes' "$(header set ETag)" "$ETAG"
setfattr -n user.stage.cache_control -v no-store "$E/set"
setfattr -x user.stage.content_encoding "$E/set"
setfattr -n user.stage.content_disposition -v attachment "$E/set"
is 'others are set and removed' "$(header set CacheControl):$(
	header set ContentEncoding):$(header set ContentDisposition)" \
	no-store::attachment
setfattr -n user.color -v 'red "blue", {green}' "$E/set"
setfattr -n user.bytes -v 0x00ff0a22 "$E/set"
own() {	# FILE
	echo "$(getfattr --absolute-names -d -m '^user\.(color|bytes)$' -e hex "$1" |
		grep = | LC_ALL=C sort | tr '\n' ' ')"
}
OWN='user.bytes=0x00ff0a22 user.color=0x7265642022626c7565222c207b677265656e7d '
is 'names of a program of its own are listed and read' "$(own "$E/set")" "$OWN"
echo more >>"$E/set"
is '... after an edit' "$(own "$E/set")" "$OWN"
mv "$E/set" "$E/set2"
is '... after mv' "$(own "$E/set2")" "$OWN"
cp -a "$E/set2" "$LOCAL/set2" && cp -a "$LOCAL/set2" "$E/set3"
is '... after cp -a to a disk and back' "$(own "$E/set3")" "$OWN"
rsync -aX "$LOCAL/set2" "$E/set4"
is '... after rsync -aX' "$(own "$E/set4")" "$OWN"
cp "$LOCAL/big" "$E/parts"
setfattr -n user.color -v big "$E/parts" &&
	ok 'a file of several parts has them too' '
		[ "$(xa user.color $E/parts)" = big ] && cmp $E/parts $LOCAL/big'
exec 5<"$E/parts"
setfattr -n user.color -v again "$E/parts"
ok '... and who had it open goes on reading' 'cmp - $LOCAL/big <&5'
exec 5<&-
mkdir "$E/dir"
setfattr -n user.color -v dir "$E/dir"
remount
is 'the next mount has them' "$(own "$E/set2")" "$OWN"
is '... of a directory' "$(xa user.color "$E/dir")" dir
setfattr -x user.color "$E/set2" && setfattr -x user.bytes "$E/set2"
is 'what is removed is gone' "$(own "$E/set2")$(header set2 Metadata)" \
	"{'color': 'blue'}"
fails 'more than a server has room for is ENOSPC' 'No space' '
	setfattr -n user.large -v "$(head -c 3000 /dev/zero | tr "\\0" x)" $E/set2'
if command -v s3fs >/dev/null; then
	mkdir "$T/s3fs"
	(umask 077; echo "$KEY_ID:$SECRET" >"$T/s3fs.passwd")
	s3fs "$BUCKET:/${EXT%/}" "$T/s3fs" -o url="$ENDPOINT" -o use_xattr \
		-o use_path_request_style -o passwd_file="$T/s3fs.passwd" \
		-o umask=022 >"$T/s3fs.out" 2>&1
	at_exit+=("umount -l $T/s3fs")
	ok 's3fs reads what was set here' '
		until_ok 20 "[ -e $T/s3fs/set3 ]" &&
		[ "$(own $T/s3fs/set3)" = "$OWN" ]'
	ok '... and here is read what it sets' '
		setfattr -n user.size -v 5 $T/s3fs/set4 &&
		until_ok 20 "[ \"\$(xa user.size $E/set4)\" = 5 ]" &&
		[ "$(xa user.bytes $E/set4 | xxd -p)" = 00ff0a22 ]'
	umount "$T/s3fs"
else
	skip 's3fs' 'it is not installed'
fi

# ---- off

mount_down
CONF_EXT='content_type = off' write_config 'metadata_ttl = 1'
mount_up
echo '<p>' >"$E/off.html"
is 'content_type = off gives none' "$(header off.html ContentType)" \
	binary/octet-stream
done_testing
