#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs presign`: URLs that a server takes, every format, every bad input.
#
# Covers: cli/cmd_presign.c client/presign_job.c
. "$(dirname "$0")/lib.sh"
start_server
good_config

# ---- the URL works ----

echo 'some bytes' >"$DIR/file"
run presign upload @ext/books.parquet --format url
holds 'an upload URL takes a file' curl -sf -T "$DIR/file" "$(cat "$DIR/out")"
run presign @ext/books.parquet --format url
is 'a download URL gives it back' "$(curl -sf "$(cat "$DIR/out")")" 'some bytes'
is 'a changed byte in it is refused' \
	"$(curl -s -o /dev/null -w '%{http_code}' "$(sed 's/books/cooks/' "$DIR/out")")" 403
run presign download @~/none --format url
is 'a file that is not there is signed all the same' \
	"$(curl -s -o /dev/null -w '%{http_code}' "$(cat "$DIR/out")")" 404

admin '_reset' x >/dev/null
run presign @~/a
run presign upload @ext/a
is 'signing asks the server nothing' \
	"$(admin _stats | grep -o '"requests": [0-9]*')" '"requests": 0'

n=0
for name in 'a b' "it's" 'p%41q' 'a+b' 'q?x=1&y' 'h#h' 'été' 'tab	x' 'd/e/f' \
	'$(id)' '-K' 'a[1]{2}' '~'; do
	n=$((n + 1))
	printf '%s' "$n" | put "@ext/odd/$name"
	run presign "@ext/odd/$name" --format url
	is "a file named $name" "$(curl -sg "$(cat "$DIR/out")")" "$n"
done

# ---- what is in it ----

run presign @~/a --expire 60 --format url
holds 'the key of the user stage' grep -q '/bucket/root/stage/user/root/a?' "$DIR/out"
holds '--expire is in the URL' grep -q 'X-Amz-Expires=60&' "$DIR/out"
run presign @~/a --format=url
holds 'an hour by default' grep -q 'X-Amz-Expires=3600&' "$DIR/out"
holds 'only the host is signed' grep -q 'X-Amz-SignedHeaders=host&' "$DIR/out"
holds 'the signature comes last' grep -qE 'X-Amz-Signature=[0-9a-f]{64}$' "$DIR/out"
run presign upload @ext/t --content-type text/csv --format url
url=$(cat "$DIR/out")
is 'a signed type that is not sent is refused' \
	"$(curl -s -o /dev/null -w '%{http_code}' -T "$DIR/file" "$url")" 403
holds 'a signed type that is sent is taken' \
	curl -sf -T "$DIR/file" -H 'Content-Type: text/csv' "$url"

# ---- formats ----

run presign upload @ext/a
is 'TSV where no terminal is: the method' "$(cut -f1 "$DIR/out")" PUT
is 'TSV: the headers' "$(cut -f2 "$DIR/out")" '{}'
holds 'TSV: the URL' grep -qP '^PUT\t\{\}\thttp://127.0.0.1:\d+/other/data/a\?\S+$' "$DIR/out"
run presign @ext/a --header
is 'TSV with a header' "$(head -1 "$DIR/out")" 'method	headers	url'
run presign @ext/a --format csv --header
is 'CSV' "$(head -1 "$DIR/out" | tr -d '\r')" 'method,headers,url'
run presign @ext/a --format table
holds 'a table' grep -qE '^method +headers +url$' "$DIR/out"
run presign upload @ext/a --content-type text/csv --expire 100 --format json
holds 'JSON is an array of one row' python3 -c '
import datetime, json, sys
(row,) = json.load(open(sys.argv[1]))
assert sorted(row) == ["expires_at", "headers", "method", "url", "warnings"]
assert row["method"] == "PUT" and row["headers"] == {"content-type": "text/csv"}
assert row["warnings"] == []
end = datetime.datetime.strptime(row["expires_at"], "%Y-%m-%dT%H:%M:%SZ")
left = (end - datetime.datetime.utcnow()).total_seconds()
assert 80 < left <= 100, left' "$DIR/out"
run presign @ext/a --format ndjson
holds 'NDJSON is a row a line' python3 -c '
import json, sys
(line,) = open(sys.argv[1])
assert json.loads(line)["method"] == "GET"' "$DIR/out"
(cd "$DIR" && echo typed >'a b')
run presign upload "@ext/c/a b" --content-type 'text/plain' --format curl
holds 'a curl line uploads' sh -c "cd '$DIR' && sh ./out"
rm "$DIR/a b"
run presign "@ext/c/a b" --format curl
holds 'a curl line downloads' sh -c "cd '$DIR' && sh ./out"
is 'what it downloads is what was uploaded' "$(cat "$DIR/a b")" typed

# ---- settings ----

write_config "$DIR/other.conf" <<END
[stagefs]
presign_expire = 10
presign_expire_max = 20
[stage ext]
url = s3://other/data/
endpoint_url = http://127.0.0.1:$PORT
public_endpoint_url = https://public.example
access_key_id = AKTEST
secret_access_key = $SECRET
[stage closed]
url = s3://bucket/x/
endpoint_url = http://127.0.0.1:$PORT
access_key_id = AKTEST
secret_access_key = $SECRET
ro = yes
[stage open]
url = s3://other/open/
endpoint_url = http://127.0.0.1:$PORT
credentials = anonymous
END
run presign @ext/a --config "$DIR/other.conf" --format url
holds '--config; public_endpoint_url is the host' \
	grep -q '^https://public.example/other/data/a?.*X-Amz-Expires=10&' "$DIR/out"
run presign @open/a --config "$DIR/other.conf" --format url
is 'an anonymous stage has a plain URL' "$(cat "$DIR/out")" \
	"http://127.0.0.1:$PORT/other/open/a"
fails 'an expiry over the configured maximum' 1 'expire = 21.*from 1 to 20' \
	presign @ext/a --expire 21 --config "$DIR/other.conf"
fails 'an upload to a read-only stage' 1 'read-only' \
	presign upload @closed/a --config "$DIR/other.conf"

# ---- bad input ----

fails 'EXPIRE 0' 2 'expire = 0: .*1 to 604800' presign @~/a --expire 0
fails 'EXPIRE 604801' 2 'expire = 604801: .*1 to 604800' presign @~/a --expire 604801
fails 'EXPIRE -1' 2 'expire = -1: ' presign @~/a --expire -1
fails 'EXPIRE x' 2 'expire = x: ' presign @~/a --expire x
fails 'EXPIRE without a value' 2 'expire: a value is missing' presign @~/a --expire
fails 'no location' 2 'which file' presign
fails 'a whole stage' 2 'a whole stage has no URL' presign @ext
fails 'a whole stage with its slash' 2 'a whole stage has no URL' presign upload @~/
fails 'an empty location' 2 'which file' presign ''
fails 'no at sign, and no path on a mount' 1 'ext/a: it is not on a mount .* begins with @' presign ext/a
fails 'a file that is not on a mount' 1 'it is not on a mount' presign "$DIR/file"
fails 'a new name that is not on a mount' 1 'it is not on a mount' presign upload "$DIR/x/y"
fails 'a path through a file' 1 'Not a directory' presign "$DIR/file/x"
fails 'dot dot' 2 'is not a name' presign @ext/../a
fails 'an action that is none' 2 'download or upload' presign delete @ext/a
fails 'too many words' 2 'too many' presign upload @ext/a b
fails 'an unknown option' 2 'unknown option --expires; did you mean --expire' \
	presign @ext/a --expires=5
fails 'an unknown format' 2 'one of table' presign @ext/a --format xml
fails 'a stage that is not there' 1 'cannot presign @nosuch/a: Stage .nosuch. does not exist' \
	presign @nosuch/a
fails 'a key that is too long' 1 'a key has at most 1024' \
	presign "@ext/$(printf 'x%.0s' $(seq 1100))"
fails 'a configuration that is not there' 1 '/nonexistent/c: No such file' \
	presign @ext/a --config /nonexistent/c
fails 'a line break in a name stays in its line' 1 'does not exist' presign "@no
such/a"
write_config "$DIR/guess.conf" <<END
[stage amazon]
url = s3://amazon/
access_key_id = AKTEST
secret_access_key = $SECRET
[stage told]
url = s3://told/
region = eu-west-1
access_key_id = AKTEST
secret_access_key = $SECRET
[stage named]
url = s3://named/
endpoint_url = https://vpce-1a-2b.s3.eu-west-1.vpce.amazonaws.com
access_key_id = AKTEST
secret_access_key = $SECRET
END
run presign --config "$DIR/guess.conf" @amazon/a --format json
holds 'a region that is guessed is said' grep -q '"warnings":\["no region is known, and the URL is signed for us-east-1' "$DIR/out"
run presign --config "$DIR/guess.conf" @told/a --format json
holds 'one that is given is not' grep -q 'eu-west-1%2Fs3.*"warnings":\[\]' "$DIR/out"
run presign --config "$DIR/guess.conf" @named/a --format json
holds 'nor one that the endpoint names' grep -q 'eu-west-1%2Fs3.*"warnings":\[\]' "$DIR/out"
finish
