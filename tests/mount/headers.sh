#!/bin/bash
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

# ---- off

mount_down
CONF_EXT='content_type = off' write_config 'metadata_ttl = 1'
mount_up
echo '<p>' >"$E/off.html"
is 'content_type = off gives none' "$(header off.html ContentType)" \
	binary/octet-stream
done_testing
