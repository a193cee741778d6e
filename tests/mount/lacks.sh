#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stores that do not know a header, or demand one: a mount does all the same, by
# another way, and says once which. The settings of what is made, by each way
# that a mount has. The server is the stand-in, which plays each of them.
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$TOP/tests/standin/server.py" --s3 --bucket standin \
	--min-part 5242880 >"$T/port" 2>"$T/standin.err" &
standin=$!
at_exit+=("kill $standin")
until_ok 60 '[ -s "$T/port" ]' || bail 'the stand-in does not start'
ENDPOINT=http://127.0.0.1:$(cat "$T/port")
BUCKET=standin KEY_ID=standin SECRET=standin-secret
export STAGEFS_TEST_S3_ENDPOINT=$ENDPOINT STAGEFS_TEST_S3_BUCKET=$BUCKET
export STAGEFS_TEST_S3_ACCESS_KEY=$KEY_ID STAGEFS_TEST_S3_SECRET_KEY=$SECRET

admin() {	# PATH [BODY]
	curl -fsS ${2+-d "$2"} "$ENDPOINT/$1"
}
E=$MNT/ext
random_file "$LOCAL/large" 12000000

# ---- what is lacking ----

# What a program does with files, and what must have come of it.
work() {	# DIRECTORY
	local d=$1
	mkdir "$d" "$d/sub" || return 1
	echo one >"$d/new" && echo two >>"$d/new" &&
		[ "$(cat "$d/new")" = "$(printf 'one\ntwo')" ] || return 2
	cp "$LOCAL/large" "$d/large" && printf X |
		dd of="$d/large" bs=1 seek=7 conv=notrunc status=none || return 3
	mv "$d/large" "$d/sub/moved" && mv "$d/sub" "$d/tree" || return 4
	[ "$(cmp "$d/tree/moved" "$LOCAL/large" | wc -l)" = 1 ] || return 5
	[ "$(head -c 8 "$d/tree/moved" | tail -c 1)" = X ] || return 6
	echo odd >"$d/a b+c%41&" && [ "$(ls "$d")" = "$(printf \
		'a b+c%%41&\nnew\ntree')" ] || return 7
	mkdir "$d/many" && (cd "$d/many" && touch 1 2 3 4 5 6 7 8 9) &&
		rm -rf "$d/many" && [ ! -e "$d/many" ] || return 8
	# Only where nothing is.
	echo three >"$d/third" && mv -n "$d/third" "$d/new"
	[ -e "$d/third" ] && [ "$(head -n 1 "$d/new")" = one ] &&
		mv -n "$d/third" "$d/fourth" && [ ! -e "$d/third" ] &&
		rm "$d/fourth" || return 9
	setfattr -n user.comment -v words "$d/new" &&
		[ "$(xa user.comment "$d/new")" = words ] || return 10
}
ALL='{"absent": 501, "match": 501, "checksum": 501, "batch": 501,
	"encoding": 501, "lock": 400}'
# lacks NAME SENTENCE-OF-THE-LOG LACKS [LINE-OF-THE-STAGE]
lacks() {
	local name=$1
	admin _reset '' >/dev/null
	CONF_EXT=${4-} write_config 'metadata_ttl = 1'
	mount_up
	admin _lacks "$3" >/dev/null
	: >"$LOG"
	ok "$name: files are made, edited, moved and removed" "work $E/$name"
	# The storage is a store of its own, which says it of itself.
	is "$name: the log says it once" "$(grep -c "$2.*stage=ext" "$LOG")" 1
	is "$name: nothing failed" "$(grep -c ' error: ' "$LOG")" 0
	remount
	ok "$name: the next mount has what was made" '
		[ "$(cat "$E/'"$name"'/new")" = "$(printf "one\ntwo")" ] &&
		[ "$(xa user.comment "$E/'"$name"'/new")" = words ] &&
		[ "$(ls "$E/'"$name"'")" = "$(printf "a b+c%%41&\nnew\ntree")" ]'
	mount_down
	admin _lacks '{}' >/dev/null
}
for status in 501 400; do
	lacks "absent-$status" 'does not know If-None-Match' \
		"{\"absent\": $status}"
	lacks "match-$status" 'does not know If-Match' "{\"match\": $status}"
	lacks "checksum-$status" 'refuses x-amz-checksum' \
		"{\"checksum\": $status}"
	lacks "batch-$status" 'does not know DeleteObjects' \
		"{\"batch\": $status}"
	lacks "encoding-$status" 'does not know encoding-type' \
		"{\"encoding\": $status}"
done
lacks lock 'demands Content-MD5' '{"lock": 400}' 'upload_checksum = none'
lacks all 'demands Content-MD5' "$ALL"

# ---- settings, as the server sees them ----

# Requests that make something and lack a header, of those since the last reset:
# to be none.
without() {	# HEADER
	admin _requests | /usr/bin/python3 -c '
import json, sys
for r in json.load(sys.stdin):
    begins = r["method"] == "POST" and "uploads" in r["query"]
    puts = r["method"] == "PUT" and "partNumber" not in r["query"]
    if (begins or puts) and sys.argv[1] not in r["headers"]:
        print(r["method"], r["path"], r["query"])' "$1"
}
# Requests for what is below DIRECTORY of the stage, since the last reset.
asked() {	# DIRECTORY
	admin _requests | /usr/bin/python3 -c '
import json, sys
from urllib.parse import unquote
for r in json.load(sys.stdin):
    if sys.argv[1] in unquote(r["path"] + r["query"]):
        print(r["method"], r["path"].strip("/"),
              r["query"] and "list-type=2")' "$EXT$1"
}
make_all() {	# DIRECTORY-BELOW-E
	mkdir "$E/$1" && echo x >"$E/$1/small" && echo y >>"$E/$1/small" &&
		cp "$LOCAL/large" "$E/$1/large" && mv "$E/$1/large" "$E/$1/moved" &&
		setfattr -n user.stage.cache_control -v no-store "$E/$1/small" &&
		"$STAGEFS" put -q --config="$CONF" "$LOCAL/large" "@ext/$1/" &&
		"$STAGEFS" put -q --config="$CONF" "$CONF" "@ext/$1/"
}
CONF_EXT='sse = aws:kms
sse_kms_key_id = arn:aws:kms:eu-west-1:111122223333:key/k
sse_kms_context = {"of":"tests"}
acl = bucket-owner-full-control
storage_class = STANDARD_IA
tagging = one=1&two=2
part_size = 5M' write_config 'metadata_ttl = 1'
mount_up
admin _reset '' >/dev/null
ok 'a stage with a key, an ACL and tags takes files by every way' 'make_all set'
for header in x-amz-acl x-amz-storage-class x-amz-server-side-encryption \
	x-amz-server-side-encryption-aws-kms-key-id \
	x-amz-server-side-encryption-context; do
	is "each has $header" "$(without $header)" ''
done
for name in small moved large stagefs.conf; do
	is "$name has the tags" "$(s3 tags "${EXT}set/$name")" 'one=1
two=2'
done
URL=$(xa user.presign.upload "$E/set/small")
ok 'an upload by URL needs them as well' '
	! curl -fsS -T "$CONF" "$URL" &&
	xa user.presign.upload.curl "$E/set/small" | grep -q "x-amz-tagging: one=1&two=2"'
mount_down

CONF_EXT="sse_customer_key = $(head -c 32 /dev/urandom | base64)
part_size = 5M" write_config 'metadata_ttl = 1'
KEY=$(sed -n 's/^sse_customer_key = //p' "$CONF")
mount_up
ok 'a stage with a key of its own takes files by every way' 'make_all own'
ok '... and reads them' '
	cmp "$E/own/moved" "$LOCAL/large" &&
	until_ok 60 "cmp $E/own/large $LOCAL/large" &&
	[ "$(cat "$E/own/small")" = "$(printf "x\ny")" ] &&
	"$STAGEFS" get -q --config="$CONF" @ext/own/moved "$T/got" &&
	cmp "$T/got" "$LOCAL/large"'
fails 'who has no key cannot' '400|InvalidRequest' "s3 get ${EXT}own/small"
fails 'it signs no URL, which would hand the key out' 'sse_customer_key' \
	'"$STAGEFS" presign download @ext/own/small --config="$CONF"'
like '... by no attribute either' "$(sys getxattr "$E/own/small" \
	user.presign.download)" '^E(NOT|OPNOT)SUPP?$'
remount
ok 'the next mount reads them' 'cmp "$E/own/moved" "$LOCAL/large"'
mkdir "$E/wide"
for f in {100..249}; do
	echo "text of $f" >"$E/wide/f$f"
done
remount
admin _reset '' >/dev/null
is 'a name of many is looked up by a GET with the key' \
	"$(cat "$E/wide/f240"; asked wide)" "text of 240
GET $BUCKET list-type=2
GET $BUCKET/${EXT}wide/f240 "
ok 'the key is in no log' '! grep -rF "$KEY" "$LOG" "$T/mount.err"'
mount_down

# ---- a server that takes no notice of Range ----

s3 plant "${EXT}many/f" 200
truncate -s 200M "$LOCAL/huge"
s3 put "${EXT}many/f9000" "$LOCAL/huge"
admin _lacks '{"range": 0}' >/dev/null
DIRECT=$ENDPOINT
proxy_up 0
write_config 'metadata_ttl = 60'
mount_up
ENDPOINT=$DIRECT
admin _reset '' >/dev/null
is 'a small file of many is read by one GET' \
	"$(cat "$E/many/f0150"; echo; asked many)" "${EXT}many/f0150
GET $BUCKET list-type=2
GET $BUCKET/${EXT}many/f0150 "
admin _reset '' >/dev/null
proxy_counts >/dev/null
is 'a huge one is looked up by one' \
	"$(stat -c %s "$E/many/f9000"; asked many)" "$((200 << 20))
GET $BUCKET/${EXT}many/f9000 "
ok '... of which no more is read than is wanted' '
	received=$(proxy_counts | jq .received)
	echo "$received bytes"; [ $received -lt $((100 << 20)) ]'
ok 'and is read right' 'cmp -n 1000000 "$E/many/f9000" "$LOCAL/huge"'
done_testing
