#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs presign`: every option, against a server that verifies what was
# signed and sends what was asked for.
. "$(dirname "$0")/lib.sh"
start_server
good_config

# status ARG...: of a request by curl.
status() {
	curl -s -o /dev/null -w '%{http_code}' "$@"
}

# answer HEADER: what a HEAD or GET of $DIR/out says.
answer() {
	curl -s -D - -o /dev/null "$(cat "$DIR/out")" | tr -d '\r' |
		sed -n "s/^$1: //Ip"
}

printf 'some bytes' >"$DIR/file"
put @ext/a.csv <"$DIR/file"
put '@ext/d/é "x".csv' <"$DIR/file"

# ---- methods ----

run presign @ext/a.csv --method HEAD --format url
holds 'a HEAD URL' curl -sfI "$(cat "$DIR/out")"
is 'is not for GET' "$(status "$(cat "$DIR/out")")" 403
run presign @ext/a.csv --method PUT --format url
holds '--method PUT is upload' curl -sf -T "$DIR/file" "$(cat "$DIR/out")"
run presign upload @ext/a.csv --method PUT --format tsv
is 'saying both is fine' "$RC $(cut -f1 "$DIR/out")" '0 PUT'
fails 'saying two things is not' 2 'download is GET, and --method says otherwise' \
	presign download @ext/a.csv --method PUT
fails 'a method that is none' 2 'one of GET' presign @ext/a.csv --method POST
printf x | put @ext/gone
run presign @ext/gone --method DELETE --format curl
holds 'a DELETE line deletes' sh "$DIR/out"
run presign @ext/gone --format url
is 'what it names' "$(status "$(cat "$DIR/out")")" 404
run presign @ext/a.csv --method HEAD --format curl
holds 'a HEAD line shows the headers' sh -c "sh '$DIR/out' | grep -i '^etag'"

# ---- downloads ----

run presign @ext/a.csv --content-type 'text/x; charset=utf-8' --format url
is 'a download with its type' "$(answer content-type)" 'text/x; charset=utf-8'
run presign @ext/a.csv --content-disposition attachment --format url
is 'attachment has the name of the file' "$(answer content-disposition)" \
	'attachment; filename="a.csv"'
run presign '@ext/d/é "x".csv' --content-disposition attachment --format url
is 'and UTF-8 as RFC 6266 has it' "$(answer content-disposition)" \
	"attachment; filename=\"_ _x_.csv\"; filename*=UTF-8''%C3%A9%20%22x%22.csv"
run presign @ext/a.csv --cache-control no-store --content-encoding x \
	--content-language de --http-expires 'Fri, 24 May 2013 00:00:00 GMT' \
	--format url
is 'Cache-Control' "$(answer cache-control)" no-store
is 'Content-Encoding' "$(answer content-encoding)" x
is 'Content-Language' "$(answer content-language)" de
is 'Expires' "$(answer expires)" 'Fri, 24 May 2013 00:00:00 GMT'
run presign @ext/a.csv --version-id 'v/1+' --format url
holds 'a version' grep -q 'versionId=v%2F1%2B&' "$DIR/out"

# ---- uploads ----

run presign upload @ext/b --content-length 10 --format url
url=$(cat "$DIR/out")
holds 'an upload of the length that was signed' curl -sf -T "$DIR/file" "$url"
printf 'other byte' >"$DIR/other"
printf x >"$DIR/short"
is 'of another' "$(status -T "$DIR/short" "$url")" 403
run presign upload @ext/b --content-type text/csv --content-length 10 \
	--content-disposition inline --cache-control no-cache \
	--storage-class GLACIER --meta Who=me --meta 'what=a b=c' \
	--send 'X-Amz-Tagging: a=b' --format json
holds 'all headers are in the row' python3 -c '
import json, sys
(row,) = json.load(open(sys.argv[1]))
want = {"content-type": "text/csv", "content-length": "10",
        "content-disposition": "inline", "cache-control": "no-cache",
        "x-amz-storage-class": "GLACIER", "x-amz-meta-who": "me",
        "x-amz-meta-what": "a b=c", "x-amz-tagging": "a=b"}
assert row["headers"] == want, row["headers"]
signed = row["url"].split("X-Amz-SignedHeaders=")[1].split("&")[0]
assert signed.split("%3B") == sorted(["host", *want]), signed' "$DIR/out"
(cd "$DIR" && cp file b.bin)
run presign upload @ext/b.bin --content-type text/csv --content-length 10 \
	--meta who="it's me" --format curl
holds 'a curl line sends them' sh -c "cd '$DIR' && sh ./out"
holds 'and not the length, which curl counts' \
	sh -c "! grep -qi content-length: '$DIR/out'"
run presign @ext/b.bin --format url
is 'the metadata is there' "$(answer x-amz-meta-who)" "it's me"

sum=$(openssl dgst -sha256 "$DIR/file" | sed 's/.* //')
for kind in "sha256=$sum" \
	"sha256=$(openssl dgst -sha256 -binary "$DIR/file" | base64)" \
	"md5=$(md5sum <"$DIR/file" | cut -d' ' -f1)"; do
	run presign upload @ext/sum --checksum "$kind" --format json
	header=$(python3 -c '
import json, sys
((name, value),) = json.load(open(sys.argv[1]))[0]["headers"].items()
print("%s: %s" % (name, value))' "$DIR/out")
	url=$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))[0]["url"])' "$DIR/out")
	holds "an upload with ${kind%%=*}" curl -sf -T "$DIR/file" -H "$header" "$url"
	is "other bytes are refused by ${kind%%=*}" \
		"$(status -T "$DIR/other" -H "$header" "$url")" 400
done
fails 'a file beyond a single PUT' 1 \
	'a single PUT has at most 5368709120 bytes; .*--parts' \
	presign upload @ext/big --content-length 5368709121
fails 'a checksum that is none' 1 'crc32c=, sha256= or md5=' \
	presign upload @ext/b --checksum md5=xyz
fails 'a length for a download' 1 'content-length: not for a download' \
	presign @ext/b --content-length 5
fails 'metadata without a value' 2 'meta takes KEY=VALUE' \
	presign upload @ext/b --meta who
fails 'metadata with an empty value' 1 'x-amz-meta-who: the value is missing' \
	presign upload @ext/b --meta who=
fails 'metadata that ends its line' 2 'meta = ' \
	presign upload @ext/b --meta 'who=a
b: c'
fails 'a header that no URL can bind' 1 'host: a header that' \
	presign upload @ext/b --send 'Host: other'
fails 'a header without a colon' 2 'send takes .NAME: VALUE' \
	presign upload @ext/b --send host

# ---- places and credentials ----

write_config "$DIR/places.conf" <<END
[stage pub]
url = s3://other/data/
endpoint_url = http://127.0.0.1:$PORT
public_endpoint_url = https://cdn.example
public_addressing = virtual
access_key_id = AKTEST
secret_access_key = $SECRET
[stage inverse]
url = s3://other/inverse/
endpoint_url = http://s3.example:$PORT
public_endpoint_url = https://cdn.example
addressing = virtual
public_addressing = path
access_key_id = AKTEST
secret_access_key = $SECRET
[stage same]
url = s3://other/same/
endpoint_url = http://s3.example:$PORT
addressing = virtual
access_key_id = AKTEST
secret_access_key = $SECRET
[stage cold]
url = s3://other/cold/
endpoint_url = http://127.0.0.1:$PORT
storage_class = STANDARD_IA
sse = AES256
access_key_id = AKTEST
secret_access_key = $SECRET
[stage open]
url = s3://other/open/
endpoint_url = http://127.0.0.1:$PORT
credentials = anonymous
[stage env]
url = s3://other/env/
endpoint_url = http://127.0.0.1:$PORT
credentials = env
END
export STAGEFS_CONFIG=$DIR/places.conf
run presign @pub/a --format url
holds 'URLs by virtual host, I/O by path' \
	grep -q '^https://other.cdn.example/data/a?' "$DIR/out"
run list @pub/ --format tsv
is 'the I/O of such a stage works' "$RC" 0
run presign @inverse/a --format url
holds 'URLs by path, I/O by virtual host' \
	grep -q '^https://cdn.example/other/inverse/a?' "$DIR/out"
run presign @same/a --format url
holds 'the form of I/O when nothing is said' \
	grep -q "^http://other.s3.example:$PORT/same/a?" "$DIR/out"
run presign upload @cold/a --format json
holds 'class and encryption of the stage are signed' grep -q \
	'"headers":{"x-amz-storage-class":"STANDARD_IA","x-amz-server-side-encryption":"AES256"}' "$DIR/out"
run presign upload @cold/a --storage-class STANDARD --format json
holds 'the class that is asked for wins' grep -q \
	'"x-amz-storage-class":"STANDARD","x-amz-server' "$DIR/out"
run presign @cold/a --format json
holds 'a download needs neither' grep -q '"headers":{}' "$DIR/out"
run presign @open/a --format json
holds 'the row of an anonymous stage says that its URL is plain' \
	grep -q '"expires_at":null,"warnings":\["the stage has no credentials' "$DIR/out"
fails 'and such a URL overrides nothing' 1 'has no credentials' \
	presign @open/a --cache-control no-store

export AWS_ACCESS_KEY_ID=AKTEST AWS_SECRET_ACCESS_KEY=$SECRET \
	AWS_SESSION_TOKEN=tok-$SECRET
AWS_CREDENTIAL_EXPIRATION=$(date -u -d '+10 minutes' +%Y-%m-%dT%H:%M:%SZ)
export AWS_CREDENTIAL_EXPIRATION
run presign @env/a --expire 3600 --format json
holds 'expires_at is when the credentials end' \
	grep -q "\"expires_at\":\"$AWS_CREDENTIAL_EXPIRATION\",\"warnings\":\[\"the credentials end at" "$DIR/out"
fails '--strict makes that an error' 1 \
	"the credentials end at $AWS_CREDENTIAL_EXPIRATION, before the URL would" \
	presign @env/a --expire 3600 --strict
run presign @env/a --expire 300 --strict --format json
holds 'and is silent about a URL that lives to its end' \
	grep -q '"warnings":\[\]' "$DIR/out"
run presign @env/a --expire 300 --verbose --format url
holds '--verbose shows the URL on standard error' \
	grep -q "^stagefs: GET: http://127.0.0.1:$PORT/other/env/a?X-Amz-Algorithm=" "$DIR/err"
holds 'without its signature and token' \
	sh -c "! grep -qE 'Signature=[0-9a-f]|$SECRET' '$DIR/err'"
holds 'which are on standard output' grep -qE 'Signature=[0-9a-f]{64}$' "$DIR/out"
unset "${!AWS_@}"

# ---- no other user sees it ----

write_config "$DIR/log.conf" <<END
[stagefs]
log = $DIR/log
log_level = debug
[stage ext]
url = s3://other/data/
endpoint_url = http://127.0.0.1:$PORT
access_key_id = AKTEST
secret_access_key = $SECRET
END
export STAGEFS_CONFIG=$DIR/log.conf
: >"$DIR/errors"
for arguments in '@ext/a --verbose' 'upload @ext/a --verbose --format curl' \
	'upload @ext/p --parts 2' '--recursive @ext/ --verbose' \
	'@ext/../a' '@ext/a --expire 0' 'upload @ext/a --content-length x' \
	'upload @ext/a --meta a=' '@no/a'; do
	run presign $arguments
	cat "$DIR/err" >>"$DIR/errors"
done
holds 'no signature, secret or whole URL in the log or an error' \
	sh -c "! cat '$DIR/log' '$DIR/errors' | grep -E 'Signature=[0-9a-f]|$SECRET'"
holds 'an upload that was begun is no URL in the log either' \
	sh -c "! grep -i 'X-Amz-' '$DIR/log'"
write_config "$DIR/open.conf" <<END
[stagefs]
log = $DIR/log
[stage open]
url = s3://other/data/
endpoint_url = http://127.0.0.1:$PORT
credentials = anonymous
END
chmod 644 "$DIR/open.conf" && chmod 711 "$DIR" && chmod 600 "$DIR/log"
[ "$(id -u)" = 0 ] && as='setpriv --reuid 65534 --regid 65534 --clear-groups' || as=
holds 'who may not write the log can sign all the same' \
	$as "$STAGEFS" presign @open/a --config "$DIR/open.conf"
(sleep 2; echo @ext/a) | "$STAGEFS" presign - --format url >"$DIR/out" &
sleep 1
holds 'the process list shows what was typed' sh -c "! tr '\\0' ' ' </proc/$!/cmdline | grep -i x-amz-"
wait $!
holds 'and the URL came' grep -q 'X-Amz-Signature=' "$DIR/out"
finish
