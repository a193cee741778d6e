#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sessions of Databend's documents on the embedded store, with nothing
# configured: PRESIGN to the user stage and an internal stage, LIST after each,
# uploads to http://localhost:8000/v1/upload_to_stage, commands word for word and
# answers field by field; the external stage is in a real object store.
. "$(dirname "$0")/lib.sh"
. "$HERE/documents-lib"
[ ! -e /etc/stagefs/stagefs.conf ] || bail 'this machine has stages of its own'
(exec 3<>/dev/tcp/127.0.0.1/8000) 2>/dev/null && bail 'port 8000 is held by someone else'
documents_up
random_file "$LOCAL/books.parquet" 998
cd "$LOCAL" || exit 1
DATA=$XDG_DATA_HOME/stagefs
HOST=127.0.0.1:8000
ORIGIN='http://127\.0\.0\.1:8000/storage'
SIGNER='[A-Za-z0-9]+'
MD5='(NULL)?'
stored() {
	cat "$DATA/$1"
}

# ---- nothing to configure

SOURCE=stagefs
timeout -k 5 60 "$STAGEFS" "$MNT" >"$T/said" 2>"$T/mount.err" </dev/null ||
	bail "cannot mount: exit status $?"
is 'a mount with nothing configured says three lines' "$(wc -l <"$T/said") $(cat "$T/mount.err")" '3 '
like 'where the data lies' "$(sed -n 1p "$T/said")" "$DATA"
like 'what the mount is called, and the gateway' "$(sed -n 2p "$T/said")" "$MNT.*http://127\\.0\\.0\\.1:8000"
like 'one command to try' "$(sed -n 3p "$T/said")" "^try: .*$MNT/"
URL=$(sh -c "$(sed -n '3s/^[^:]*: *//p' "$T/said")")
ok 'which shows a URL that works' 'curl -fsS "$URL" | cmp - "$MNT/~/hello"'
rm "$MNT/~/hello"
ok 'the data directory is its own' '[ "$(stat -c %a "$DATA/.stagefs")" = 700 ]'
is "the mount has the user's stage" "$(ls "$MNT")" '~'

# ---- the documents

session '~' stage/user/root/books.parquet
is 'CREATE STAGE of an internal stage says nothing' "$(sql 'CREATE STAGE my_internal_stage;' 2>&1)" ''
session my_internal_stage stage/internal/my_internal_stage/books.parquet
ok 'the mount has what URLs have uploaded' 'cmp "$MNT/~/books.parquet" books.parquet &&
	cmp $MNT/my_internal_stage/books.parquet books.parquet'

# upload STAGE KEY CURL-ARGUMENT...: the answer field by field, then the file.
upload() {
	local stage=$1 key=$2
	shift 2
	is "@$stage: upload_to_stage ($*) answers 200" "$(curl -sS -o "$T/answer" -w '%{http_code} %{content_type}' "$@")" \
		'200 application/json'
	is "@$stage: with id, stage_name, state and files" "$(jq -c 'keys_unsorted' "$T/answer")" \
		'["id","stage_name","state","files"]'
	like "@$stage: the id is a UUID" "$(jq -r .id "$T/answer")" \
		'^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
	is "@$stage: the rest as in the documents" "$(jq -c 'del(.id)' "$T/answer")" \
		"{\"stage_name\":\"$stage\",\"state\":\"SUCCESS\",\"files\":[\"books.parquet\"]}"
	ok "@$stage: and it lies there" "stored $key | cmp - books.parquet"
}
sql 'REMOVE @my_internal_stage/books.parquet' >/dev/null
upload my_internal_stage stage/internal/my_internal_stage/books.parquet \
	-H "stage_name:my_internal_stage" -F "upload=@books.parquet" -XPUT "http://localhost:8000/v1/upload_to_stage"
upload my_internal_stage stage/internal/my_internal_stage/sub/books.parquet \
	-H "x-databend-stage-name:my_internal_stage" -H "x-databend-relative-path:sub" \
	-F "update=@books.parquet" -XPOST "http://root:@localhost:8000/v1/upload_to_stage"
upload '~' stage/user/root/up/books.parquet \
	-H "stage_name:~" -H "relative_path:up" -F "upload=@books.parquet" -XPUT "http://localhost:8000/v1/upload_to_stage"
like 'LIST has both' "$(sql 'LIST @my_internal_stage;' | cut -f1,2 | tr '\n\t' '  ')" \
	'^books.parquet 998 sub/books.parquet 998 $'
ok 'and the mount' 'cmp $MNT/my_internal_stage/sub/books.parquet books.parquet && cmp "$MNT/~/up/books.parquet" books.parquet'
is 'without a stage the documented error comes' \
	"$(curl -sS -F upload=@books.parquet -XPUT http://localhost:8000/v1/upload_to_stage)" \
	"{\"error\":{\"code\":400,\"message\":\"[HTTP-STAGE] Missing required parameter 'stage-name' in request headers\"}}"

# ---- the external stage

cat >"$T/create.sql" <<'END'
CREATE STAGE my_external_stage url = 's3://databend' CONNECTION =(ENDPOINT_URL= 'http://127.0.0.1:9000' aws_key_id='ROOTUSER' aws_secret_key='CHANGEME123');
END
is 'CREATE STAGE with CONNECTION says nothing in a script' "$(sql -f "$T/create.sql" 2>&1)" ''
ORIGIN=$PORT_9000
HOST=127.0.0.1:9000
SIGNER=ROOTUSER
MD5="\"$(md5sum <books.parquet | cut -d' ' -f1)\""
stored() {
	documents get "$1"
}
session my_external_stage databend/books.parquet
ok 'the mount has it without a remount' 'until_ok 20 "cmp $MNT/my_external_stage/books.parquet books.parquet"'
like 'SHOW STAGES has both' "$(sql 'SHOW STAGES' | cut -f1,2 | tr '\n\t' '  ')" \
	'^my_external_stage External my_internal_stage Internal $'
sql 'DROP STAGE my_external_stage;'
cd "$T" || exit 1
done_testing
