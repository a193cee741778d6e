#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Extended attributes: pre-signed URLs that curl uses against a server that
# verifies them, what the store knows, expiry and its inheritance, who may.
. "$(dirname "$0")/lib.sh"
write_config 'metadata_ttl = 1'
mount_up -o allow_other
E=$MNT/ext
D=user.presign.download
P=user.presign.upload
random_file "$LOCAL/data" 54321
random_file "$LOCAL/new" 6789
cp "$LOCAL/data" "$E/file"
F=$E/file

# The status that the server gives a URL: status URL [CURL-ARGUMENT...]
status() {
	local url=$1
	shift
	curl -sS -o "$T/.body" -w '%{http_code}' -m 60 "$@" "$url"
}
# query NAME URL: the value of a query parameter, as it stands.
query() {
	grep -oE "[?&]$1=[^&]*" <<<"$2" | cut -d= -f2-
}

# ---- the URLs

ok 'curl downloads by user.presign.download' '
	curl -fsS "$(xa $D $F)" | cmp - $LOCAL/data'
ok 'curl uploads by user.presign.upload' '
	curl -fsS -X PUT -T $LOCAL/new "$(xa $P $F)" &&
	s3 get ${EXT}file | cmp - $LOCAL/new'
ok 'the mount shows what was uploaded' 'until_ok 60 "cmp $F $LOCAL/new"'
ok 'a value has no newline at its end' '
	[ "$(xa $D $F | tail -c 1 | xxd -p)" != 0a ]'
like 'the URL is for the endpoint and the key, path-style' \
	"$(xa $D "$F")" "^$ENDPOINT/$BUCKET/${EXT}file\\?X-Amz-Algorithm="
is 'the query stands in the order of Databend' \
	"$(xa $D "$F" | cut -d'?' -f2 | tr '&' '\n' | cut -d= -f1 | tr '\n' ' ')" \
	'X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders X-Amz-Signature '
is 'it is good for an hour' "$(query X-Amz-Expires "$(xa $D "$F")")" 3600
is 'a download URL does not upload' \
	"$(status "$(xa $D "$F")" -X PUT -T "$LOCAL/data")" 403
is 'an upload URL does not download' "$(status "$(xa $P "$F")")" 403
url=$(xa $D "$F")
is 'a changed signature is refused by the server' "$(
	last=${url: -1}
	[ "$last" = 0 ] && other=1 || other=0
	status "${url%?}$other")" 403
is 'a changed expiry is refused by the server' \
	"$(status "${url/X-Amz-Expires=3600/X-Amz-Expires=3601}")" 403
cp "$LOCAL/data" "$E/filf"
is 'the URL of another key is refused by the server' \
	"$(status "${url/file?/filf?}")" 403
short=$(xa "$D?expire=1" "$F")
sleep 3
is 'an expired URL is refused by the server' "$(status "$short")" 403
short=$(xa "$P?expire=1" "$F")
sleep 3
is 'an expired upload URL too' "$(status "$short" -X PUT -T "$LOCAL/data")" 403
ok 'and neither changed the object' 'cmp $F $LOCAL/new'

# ---- the companions

is 'download.method is GET' "$(xa $D.method "$F")" GET
is 'upload.method is PUT' "$(xa $P.method "$F")" PUT
for a in $D $P; do
	ok "$a.headers is a JSON object of strings" '
		xa $a.headers $F | jq -e "type == \"object\" and
			(to_entries | all(.value | type == \"string\"))"'
	ok "$a.json is the row" '
		xa $a.json $F | jq -e "keys == [\"expires_at\", \"headers\",
			\"method\", \"url\", \"warnings\"] and
			(.headers | type == \"object\") and
			(.warnings == []) and
			(.url | startswith(\"http\")) and
			(.expires_at | fromdateiso8601 - now | . > 3000 and . < 3700)"'
done
ok 'the URL in .json works with its method' '
	xa $D.json $F >$T/row && curl -fsS -X "$(jq -r .method $T/row)" \
		"$(jq -r .url $T/row)" | cmp - $LOCAL/new'
ok 'download.curl, run by sh, leaves the file' '
	mkdir $T/dl && cd $T/dl && xa $D.curl $F | sh && cmp $T/dl/file $LOCAL/new'
ok 'upload.curl, run by sh, uploads the file' '
	mkdir $T/ul && cd $T/ul && cp $LOCAL/data file && xa $P.curl $F | sh &&
	s3 get ${EXT}file | cmp - $LOCAL/data'
odd="it's \$HOME; \`id\` \"q\" & more"
cp "$LOCAL/new" "$E/$odd"
ok 'a name full of shell is only a name in .curl' '
	mkdir $T/odd && cd $T/odd && xa $D.curl "$E/$odd" | sh &&
	cmp "$T/odd/$odd" $LOCAL/new'
for name in 'a b+c%2F' 'ü日本' '~x' 'q?a=1&b#c' "tab$(printf '\t')x" '=@:,;'; do
	cp "$LOCAL/new" "$E/$name"
	ok "the URLs of '$name' work" '
		curl -fsS "$(xa $D "$E/$name")" | cmp - $LOCAL/new &&
		curl -fsS -X PUT -T $LOCAL/data "$(xa $P "$E/$name")" &&
		s3 get "$EXT$name" | cmp - $LOCAL/data'
done

# ---- arguments

is '?expire=600 is in the URL' \
	"$(query X-Amz-Expires "$(xa "$D?expire=600" "$F")")" 600
is '?expire=604800 is the longest' \
	"$(query X-Amz-Expires "$(xa "$D?expire=604800" "$F")")" 604800
is '?expire=1 is the shortest' \
	"$(query X-Amz-Expires "$(xa "$D?expire=1" "$F")")" 1
ok '.json takes arguments too' '
	xa "$D.json?expire=60" $F | jq -e "(.expires_at | fromdateiso8601 - now) |
		. > 0 and . < 120"'
for bad in 0 604801 -1 x '' 1.5 0x10 ' 60' '60 ' 1e3 99999999999999999999; do
	is "?expire=$bad is EINVAL" "$(sys getxattr "$F" "$D?expire=$bad")" EINVAL
done
is 'an unknown argument is EINVAL' "$(sys getxattr "$F" "$D?exp=5")" EINVAL
is 'a repeated argument is EINVAL' \
	"$(sys getxattr "$F" "$D?expire=5&expire=6")" EINVAL
is 'an argument without a value is EINVAL' "$(sys getxattr "$F" "$D?expire")" EINVAL
is 'nothing is percent-decoded in a value' \
	"$(sys getxattr "$F" "$D?expire=%36%30")" EINVAL
url=$(xa "$P?expire=600&content_type=text/csv" "$F")
is '?content_type= is signed' "$(query X-Amz-SignedHeaders "$url")" 'content-type%3Bhost'
is 'such a URL takes that type' \
	"$(status "$url" -X PUT -T "$LOCAL/new" -H 'Content-Type: text/csv')" 200
is 'the object has it' "$(s3 head "${EXT}file" | jq -r .ContentType)" text/csv
is 'and no other type' \
	"$(status "$url" -X PUT -T "$LOCAL/new" -H 'Content-Type: text/html')" 403
is '.headers says what to send' "$(xa "$P.headers?content_type=text/csv" "$F" |
	jq -r '[to_entries[] | select(.key | ascii_downcase == "content-type") |
		.value] | join(" ")')" text/csv
ok '.curl sends it' '
	cd $T/ul && xa "$P.curl?content_type=application/x-test" $F | sh &&
	[ "$(s3 head ${EXT}file | jq -r .ContentType)" = application/x-test ]'
is 'a control byte in ?content_type= is EINVAL' \
	"$(sys getxattr "$F" "$P?content_type=a$(printf '\r\n')b: c")" EINVAL
like 'a name over 255 bytes is refused by the kernel' \
	"$(sys getxattr "$F" "$D?content_type=$(printf 'x%.0s' {1..250})")" \
	'ERANGE|ENAMETOOLONG'

# ---- names that do not exist yet

mkdir "$E/dir"
ok '?path= on a directory uploads a new file' '
	curl -fsS -X PUT -T $LOCAL/new "$(xa "$P?path=new.csv" $E/dir)" &&
	s3 get ${EXT}dir/new.csv | cmp - $LOCAL/new &&
	until_ok 60 "cmp $E/dir/new.csv $LOCAL/new"'
ok '?path= makes directories on its way' '
	curl -fsS -X PUT -T $LOCAL/new "$(xa "$P?path=a/b/c/new.csv" $E/dir)" &&
	until_ok 60 "cmp $E/dir/a/b/c/new.csv $LOCAL/new"'
ok '?literal_path= takes spaces, & and all that follows' '
	curl -fsS -X PUT -T $LOCAL/new \
		"$(xa "$P?expire=60&literal_path=x y&expire=5?q=1.csv" $E/dir)" &&
	s3 get "${EXT}dir/x y&expire=5?q=1.csv" | cmp - $LOCAL/new'
ok '?path= is taken literally, no percent-decoding' '
	curl -fsS -X PUT -T $LOCAL/new "$(xa "$P?path=50%25 ü" $E/dir)" &&
	s3 get "${EXT}dir/50%25 ü" | cmp - $LOCAL/new'
ok '?path= on a stage' '
	curl -fsS -X PUT -T $LOCAL/new "$(xa "$P?path=top.csv" $E)" &&
	s3 get ${EXT}top.csv | cmp - $LOCAL/new'
ok '?path= on the user stage signs its key' '
	curl -fsS -X PUT -T $LOCAL/new "$(xa "$P?path=books/b.csv" $MNT/~)" &&
	s3 get ${USER_PREFIX}books/b.csv | cmp - $LOCAL/new'
ok '?path= for a download of a file that is there' '
	curl -fsS "$(xa "$D?path=dir/new.csv" $E)" | cmp - $LOCAL/new'
for bad in '../file' 'a/../../file' './x' 'a//b' ''; do
	like "?path=$bad is refused" "$(sys getxattr "$E/dir" "$P?path=$bad")" \
		'EINVAL|ENOENT|EISDIR'
done
is '?path= on a file is refused' \
	"$(sys getxattr "$F" "$P?path=x" | sed s/ENOTDIR/EINVAL/)" EINVAL
ok 'a directory itself has no upload URL' '
	[ "$(sys getxattr $E/dir $P)" != OK ]'

# ---- the verb, which asks the mount

# presign FORMAT FILE: the verb's row, without what another second changes
presign() {
	"$STAGEFS" presign "$2" --config "$CONF" --expire 77 --format "$1" |
		sed -E 's/X-Amz-Date=[^&]*|X-Amz-Signature=[0-9a-f]*//g; s/[0-9T:-]{19}Z//g'
}
for format in tsv json ndjson csv curl url; do
	is "the verb's row of a path on the mount, as $format" \
		"$(presign $format "$F")" "$(presign $format "@ext/${F#"$E/"}")"
done
like 'and as a page of links' "$("$STAGEFS" presign "$F" --format html)" \
	"<h1>$F</h1>.*>${F##*/}</a>"

# ---- expiry for many

X=user.presign.expire
is 'a file says the default' "$(xa $X "$F")" 3600
is 'the mount root says it too' "$(xa $X "$MNT")" 3600
ok 'it can be set on a file' 'setfattr -n $X -v 77 $F && [ "$(xa $X $F)" = 77 ]'
is 'and is in its URLs' "$(query X-Amz-Expires "$(xa $D "$F")")" 77
is 'an argument wins over it' \
	"$(query X-Amz-Expires "$(xa "$D?expire=88" "$F")")" 88
is 'another file has not got it' "$(xa $X "$E/filf")" 3600
ok 'set on a directory it is inherited by what is below' '
	setfattr -n $X -v 500 $E/dir && [ "$(xa $X $E/dir/new.csv)" = 500 ] &&
	[ "$(xa $X $E/dir/a/b/c/new.csv)" = 500 ]'
is 'and by names that do not exist yet' \
	"$(query X-Amz-Expires "$(xa "$P?path=none" "$E/dir")")" 500
ok 'set on the stage it is for all that has none nearer' '
	setfattr -n $X -v 600 $E && [ "$(xa $X $E/filf)" = 600 ] &&
	[ "$(xa $X $E/dir/new.csv)" = 500 ] && [ "$(xa $X $F)" = 77 ]'
ok 'set on the mount root it is for the other stages' '
	setfattr -n $X -v 700 $MNT && [ "$(xa $X $MNT/~)" = 700 ] &&
	[ "$(xa $X $E/filf)" = 600 ]'
ok 'removing it lets the next one above hold' '
	setfattr -x $X $F && [ "$(xa $X $F)" = 600 ] &&
	setfattr -x $X $E/dir && [ "$(xa $X $E/dir/new.csv)" = 600 ] &&
	setfattr -x $X $E && [ "$(xa $X $F)" = 700 ] &&
	setfattr -x $X $MNT && [ "$(xa $X $F)" = 3600 ]'
for bad in 0 604801 -1 x 10y; do
	is "setting it to $bad is EINVAL" "$(sys setxattr "$F" $X "$bad")" EINVAL
done
is 'and nothing has changed' "$(xa $X "$F")" 3600
for name in $D $P $D.json $P.curl user.stage.storage_class; do
	is "setting $name is EPERM" "$(sys setxattr "$F" $name x)" EPERM
done
for name in user.stage.md5 user.stage.url user.stage.size; do
	before=$(xa $name "$F")
	is "setting $name changes nothing" \
		"$(sys setxattr "$F" $name x) $(xa $name "$F")" "OK $before"
done
is 'removing one of them is EPERM' "$(sys removexattr "$F" $D)" EPERM

# ---- what the store knows

s3 put "${EXT}known" "$LOCAL/data" content_type=text/markdown
until_ok 60 "[ -f $E/known ]"
aws_s3api head-object --bucket "$BUCKET" --key "${EXT}known" >"$T/head"
S=user.stage
K=$E/known
is 'stage.md5 is the ETag with its quotes' "$(xa $S.md5 "$K")" "$(jq -r .ETag "$T/head")"
is 'stage.etag is the ETag' "$(xa $S.etag "$K" | tr -d '"')" \
	"$(jq -r .ETag "$T/head" | tr -d '"')"
is 'stage.url is the s3:// address' "$(xa $S.url "$K")" "s3://$BUCKET/${EXT}known"
is 'stage.name is the path in the stage' "$(xa $S.name "$E/dir/new.csv")" dir/new.csv
is 'stage.size is the size' "$(xa $S.size "$K")" 54321
is 'stage.content_type is that of the object' "$(xa $S.content_type "$K")" text/markdown
is 'stage.last_modified is that of the object' \
	"$(date -u -d "$(xa $S.last_modified "$K")" +%s)" \
	"$(date -u -d "$(jq -r .LastModified "$T/head")" +%s)"
like 'stage.storage_class is STANDARD, or not there as in the answer' \
	"$(xa $S.storage_class "$K" 2>&1)" 'STANDARD|No such attribute'
like 'stage.version_id is not there without versions' \
	"$(sys getxattr "$K" $S.version_id)" 'ENODATA'
is 'the stage directory has a url' "$(xa $S.url "$E" | sed 's|/*$||')" \
	"s3://$BUCKET/${EXT%/}"
is 'a name that is none of ours is ENODATA' "$(sys getxattr "$F" user.comment)" ENODATA
is 'nor is one of ours with a letter more' \
	"$(sys getxattr "$F" user.presign.downloads)" ENODATA

# ---- no program copies one by accident

is 'listxattr shows what the store knows of a file, and no URL' "$(getfattr --absolute-names -d -m - "$F" |
	grep -oE '^user[^=]*' | tr '\n' ' ')" \
	"$S.etag $S.last_modified $S.md5 $S.name $S.size $S.url "
is '... and of a directory' "$(getfattr --absolute-names -d -m - "$E" |
	grep -oE '^user[^=]*' | tr '\n' ' ')" "$S.name $S.url "
ok 'copies of it are no errors' '
	mkdir -p $LOCAL/x && cp -a --preserve=xattr $F $LOCAL/x/one && mkdir -p $E/xattrs &&
	cp --preserve=xattr $LOCAL/x/one $E/xattrs/two && cmp $F $E/xattrs/two'
is '... nor a word of mv' "$(mv "$LOCAL/x/one" "$E/xattrs/three" 2>&1)" ''
if command -v rsync >/dev/null; then
	ok '... nor of rsync -X, which removes what the source has not' '
		cp $F $LOCAL/x/bare && rsync -aX $LOCAL/x/ $E/xattrs/ &&
		rsync -aX $E/xattrs/ $E/again/ && cmp $F $E/again/two &&
		touch -d yesterday $LOCAL/x/bare && rsync -aX $LOCAL/x/ $E/again/'
fi
ok 'cp -a copies no URL to a file system that would take it' '
	cp -a $F $T/copied && getfattr -d -m - $T/copied | grep user.stage.etag &&
	! getfattr -d -m - $T/copied | grep presign'
for name in security.selinux security.capability system.posix_acl_access \
	system.posix_acl_default system.nfs4_acl; do
	is "$name is EOPNOTSUPP" "$(sys getxattr "$F" $name)" ENOTSUP
done
is 'setting security.selinux is EOPNOTSUPP' \
	"$(sys setxattr "$F" security.selinux x)" ENOTSUP
ok 'ls -l asks for none of them in vain' 'ls -l $E >$T/ls && [ -s $T/ls ]'

# ---- who may

chmod 755 "$T"
other() {
	setpriv --reuid=12345 --regid=12345 --clear-groups "$@"
}
other_xattr() {	# PATH NAME: OK or the error
	other /usr/bin/python3 -c '
import errno, os, sys
try:
    os.getxattr(sys.argv[1], sys.argv[2]); print("OK")
except OSError as e:
    print(errno.errorcode[e.errno])' "$1" "$2"
}
is 'another user with read permission gets a download URL' \
	"$(other_xattr "$F" $D)" OK
is 'and no upload URL without write permission' "$(other_xattr "$F" $P)" EACCES
is 'nor one of the ways to say it' "$(other_xattr "$F" $P.curl)" EACCES
is 'nor a new name in a directory that is not theirs' \
	"$(other_xattr "$E/dir" "$P?path=theirs")" EACCES
is 'nor two directories down' \
	"$(other_xattr "$E/dir" "$P?path=n1/n2/theirs")" EACCES
chmod 600 "$F"
is 'no download URL without read permission' "$(other_xattr "$F" $D)" EACCES
chmod 666 "$F"
is 'an upload URL with write permission' "$(other_xattr "$F" $P)" OK
chmod 644 "$F"
mkdir "$E/open"
cp "$LOCAL/data" "$E/open/closed"
chmod 777 "$E/open"
is 'a new name in a directory that all may write' \
	"$(other_xattr "$E/open" "$P?path=theirs")" OK
is 'but not a file there that they may not write' \
	"$(other_xattr "$E/open" "$P?path=closed")" EACCES
mkdir -p "$E/open/inner/deep"
chmod 777 "$E/open/inner/deep"
chmod 700 "$E/open/inner"
is 'and not through a directory that they may not search' \
	"$(other_xattr "$E/open" "$P?path=inner/deep/x")" EACCES
chmod 640 "$F"
chgrp 23456 "$F"
is 'a supplementary group counts' "$(
	setpriv --reuid=12345 --regid=12345 --groups=23456 \
		getfattr --absolute-names --only-values -n $D "$F" |
		grep -c X-Amz-Signature)" 1
is 'setting the expiry takes write permission' "$(
	other setfattr -n $X -v 5 "$E/dir" 2>&1 | grep -cE 'denied|permitted')" 1

# ---- settings

remount -o ro
is 'a read-only mount hands out no upload URL' "$(sys getxattr "$F" $P)" EROFS
is 'but a download URL' "$(sys getxattr "$F" $D)" OK
remount -o presign=off
like 'presign=off: no URL' "$(sys getxattr "$F" $D) $(sys getxattr "$F" $P)" \
	'^(EPERM|EACCES|ENODATA|EOPNOTSUPP) (EPERM|EACCES|ENODATA|EOPNOTSUPP)$'
is 'presign=off: what the store knows is still there' "$(sys getxattr "$F" $S.size)" OK
remount -o presign=download
like 'presign=download: downloads only' \
	"$(sys getxattr "$F" $D) $(sys getxattr "$F" $P)" '^OK E'
remount -o presign=upload
like 'presign=upload: uploads only' \
	"$(sys getxattr "$F" $D) $(sys getxattr "$F" $P)" '^E[A-Z]+ OK$'
remount -o presign_expire=120,presign_expire_max=900
is 'presign_expire is the default' "$(query X-Amz-Expires "$(xa $D "$F")")" 120
is 'presign_expire_max is the longest' "$(sys getxattr "$F" "$D?expire=901")" EINVAL
is 'also when it is set' "$(sys setxattr "$F" $X 901)" EINVAL
remount -o list_xattrs=no
is 'list_xattrs = no shows nothing' "$(getfattr --absolute-names -d -m - "$F")" ''
remount -o list_xattrs=urls
ok 'list_xattrs = urls lists all' '
	getfattr --absolute-names -m - $F >$T/names
	for name in $D $P $D.json $P.curl $X $S.md5 $S.url; do
		grep -qx $name $T/names || { echo $name; exit 1; }
	done'
mount_down
CONF_EXT='public_endpoint_url = https://files.example.org' write_config
mount_up
like 'public_endpoint_url is the host in the URL' "$(xa $D "$F")" \
	"^https://files\\.example\\.org/$BUCKET/${EXT}file\\?"
ok 'while the mount itself talks to endpoint_url' 'cmp $E/filf $LOCAL/data'

# ---- signing asks the store nothing

mount_down
proxy_up 0
write_config 'metadata_ttl = 3600' 'check = none'
mount_up
ok 'ten signatures of what is known cost no request' '
	stat $F && proxy_counts && for n in 1 2 3 4 5 6 7 8 9 10; do
		xa $P $F || exit 1
	done && [ "$(proxy_counts | jq .requests)" = 0 ]'

done_testing
