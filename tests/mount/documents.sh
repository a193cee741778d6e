#!/bin/bash
# The sessions of Databend's documents, commands word for word, with their
# users and buckets, against a real object store on port 9000: PRESIGN to the
# user stage, to an internal and to an external stage, LIST after each, curl
# with the URL as given. Then the same stages under a mount that is running.
. "$(dirname "$0")/lib.sh"
OTHER_KEY=ROOTUSER
OTHER_SECRET=CHANGEME123
PORT_9000=http://127.0.0.1:9000

# The store's own port, or a way there from 9000.
if [[ $ENDPOINT != *:9000 ]]; then
	(exec 3<>/dev/tcp/127.0.0.1/9000) 2>/dev/null &&
		bail 'port 9000 is held by someone else'
	/usr/bin/python3 "$HERE/forward.py" 9000 "${ENDPOINT#*://}" >"$T/forward" 2>&1 &
	FORWARD=$!
	at_exit+=("kill $FORWARD 2>/dev/null")
	until_ok 20 "grep -q up $T/forward" || bail 'nothing listens on port 9000'
fi

# documents make|empty|keys|get KEY: their buckets, by boto3.
documents() {
	/usr/bin/python3 - "$@" <<-END
	import sys, boto3
	from botocore.config import Config
	s3 = boto3.resource("s3", endpoint_url="$PORT_9000", aws_access_key_id="$OTHER_KEY",
	    aws_secret_access_key="$OTHER_SECRET", region_name="us-east-1",
	    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
	have = {b.name for b in s3.buckets.all()}
	for name in "databend", "databend-toronto":
	    if sys.argv[1] == "make" and name not in have:
	        s3.create_bucket(Bucket=name)
	    if sys.argv[1] == "empty":
	        s3.Bucket(name).objects.all().delete()
	    if sys.argv[1] == "keys":
	        for o in s3.Bucket(name).objects.all():
	            print(name + "/" + o.key)
	if sys.argv[1] == "get":
	    bucket, key = sys.argv[2].split("/", 1)
	    sys.stdout.buffer.write(s3.Object(bucket, key).get()["Body"].read())
	END
}
documents make || bail 'the buckets of the documents cannot be made'
documents empty
at_exit+=('documents empty >/dev/null 2>&1')

(umask 077; cat >"$CONF") <<-END
[stagefs]
user = root
metadata_ttl = 1
log = $LOG
log_level = debug
spill_dir = $T/spill
[storage]
url = s3://databend-toronto/
aws_key_id = $OTHER_KEY
aws_secret_key = $OTHER_SECRET
END
export STAGEFS_CONFIG=$CONF AWS_ENDPOINT_URL_S3=$PORT_9000
random_file "$LOCAL/books.parquet" 998
cd "$LOCAL" || exit 1
MD5=$(md5sum <books.parquet | cut -d' ' -f1)

sql() {
	timeout 60 "$STAGEFS" sql "$@"
}
# url STATEMENT: the third column, as Databend's own scripts take it.
url() {
	sql "$1" 2>/dev/null | cut -f 3
}

# session STAGE KEY: upload by PRESIGN, and LIST; KEY is where it must lie.
session() {
	local stage=$1 key=$2
	sql "PRESIGN UPLOAD @$stage/books.parquet;" >"$T/row" 2>"$T/err"
	is "@$stage: PRESIGN UPLOAD answers PUT" "$(cut -f1 "$T/row")" PUT
	is "@$stage: without headers to send" "$(cut -f2 "$T/row")" '{}'
	like "@$stage: and a URL of the object" "$(cut -f3 "$T/row")" \
		"^$PORT_9000/$key\\?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ROOTUSER%2F[0-9]{8}%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=[0-9]{8}T[0-9]{6}Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=[0-9a-f]{64}\$"
	is "@$stage: one row, nothing else said" "$(wc -l <"$T/row") $(cat "$T/err")" '1 '
	is "@$stage: old servers had the host among the headers" \
		"$(sql "PRESIGN UPLOAD @$stage/books.parquet;" --compat-host | cut -f2)" \
		'{"host":"127.0.0.1:9000"}'
	is "@$stage: curl uploads with it" \
		"$(curl -sS -o "$T/answer" -w '%{http_code}' -X PUT -T books.parquet "$(cut -f3 "$T/row")")" 200
	ok "@$stage: it lies where Databend has it" "documents get $key | cmp - books.parquet"
	sql "LIST @$stage;" >"$T/list"
	like "@$stage: LIST has name, size, md5, last_modified, creator" "$(cat "$T/list")" \
		"^books\\.parquet	998	\"$MD5\"	20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} \\+0000	\$"
	is "@$stage: under these names" "$(sql "LIST @$stage;" --header | head -1)" \
		'name	size	md5	last_modified	creator'
	is "@$stage: the creator is NULL" \
		"$(sql "LIST @$stage;" --format json | jq -c '.[0] | [.name, .size, .creator]')" \
		'["books.parquet",998,null]'
	ok "@$stage: PRESIGN downloads" \
		"curl -fsS \"\$(url 'PRESIGN @$stage/books.parquet')\" | cmp - books.parquet"
	is "@$stage: and answers GET" "$(sql "PRESIGN DOWNLOAD @$stage/books.parquet" | cut -f1)" GET
	like "@$stage: for as long as is asked" \
		"$(url "PRESIGN DOWNLOAD @$stage/books.parquet EXPIRE = 7200;")" 'X-Amz-Expires=7200&'
}

# ---- the documents

session '~' databend-toronto/stage/user/root/books.parquet

is 'CREATE STAGE of an internal stage says nothing' "$(sql 'CREATE STAGE my_internal_stage;' 2>&1)" ''
session my_internal_stage databend-toronto/stage/internal/my_internal_stage/books.parquet

cat >"$T/create.sql" <<'END'
CREATE STAGE my_external_stage url = 's3://databend' CONNECTION =(ENDPOINT_URL= 'http://127.0.0.1:9000' aws_key_id='ROOTUSER' aws_secret_key='CHANGEME123');
END
is 'CREATE STAGE with CONNECTION says nothing in a script' "$(sql -f "$T/create.sql" 2>&1)" ''
session my_external_stage databend/books.parquet
is 'SHOW STAGES has both' "$(sql 'SHOW STAGES' | cut -f1,2,3,4 | tr '\n' ' ')" \
	'my_external_stage	External	s3	s3://databend/ my_internal_stage	Internal		 '
is 'DESC STAGE masks the secret' "$(sql 'DESC STAGE my_external_stage' --format json |
	jq -r '.[0].storage_params | fromjson | .secret_access_key')" '***'
sql 'DROP STAGE my_external_stage;'
is 'on the command line it works as well, with a warning' "$(sql "$(cat "$T/create.sql")" 2>&1)" \
	'stagefs: warning: others can see a secret on a command line: use `stagefs sql -f FILE`'
sql 'DROP STAGE my_external_stage;'
ok 'the older credentials = (...), and no endpoint in the statement' '
	sql -f - <<<"create stage my_external_stage url = '\''s3://databend/'\'' credentials=(aws_key_id='\''ROOTUSER'\'' aws_secret_key='\''CHANGEME123'\'');" &&
	[ "$(sql "LIST @my_external_stage;" | cut -f1)" = books.parquet ]'
is 'what its LIST shows as a table' \
	"$(sql 'LIST @my_external_stage;' --format table | head -1 | tr -s ' ')" \
	'name size md5 last_modified creator'
ok 'REMOVE takes it away' '
	[ "$(sql "REMOVE @my_external_stage/books.parquet")" = "1	0" ] &&
	[ -z "$(sql "LIST @my_external_stage")" ]'
sql 'DROP STAGE my_external_stage;'

# ---- a mount that is running

mount_up
ok 'the mount has the internal stage and its file' 'cmp $MNT/my_internal_stage/books.parquet books.parquet'
is 'it has no external one yet' "$(ls "$MNT" | tr '\n' ' ')" 'my_internal_stage ~ '
sql -f "$T/create.sql"
ok 'a created stage comes without a remount' 'until_ok 20 "ls $MNT/my_external_stage"'
ok 'ls of the root shows it' 'until_ok 20 "ls $MNT | grep -qx my_external_stage"'
ok 'files go in' 'cp books.parquet $MNT/my_external_stage/b && documents get databend/b | cmp - books.parquet'
exec 5<"$MNT/my_external_stage/b"
cat >"$T/alter.sql" <<-END
	ALTER STAGE my_external_stage SET URL = 's3://databend/sub/'
END
sql -f "$T/alter.sql"
ok 'an altered stage is where it says now' 'until_ok 20 "! ls $MNT/my_external_stage/b" &&
	cp books.parquet $MNT/my_external_stage/c && documents get databend/sub/c | cmp - books.parquet'
ok 'what was open stays what it was' 'cmp books.parquet - <&5'
exec 5<&-
exec 5<"$MNT/my_external_stage/c"
sql 'DROP STAGE my_external_stage'
ok 'a dropped one is gone' 'until_ok 20 "[ \$(sys stat $MNT/my_external_stage) = ENOENT ]"'
is 'and answers new opens so' "$(sys read "$MNT/my_external_stage/c")" ENOENT
ok 'what was open can be read' 'cmp books.parquet - <&5'
exec 5<&-
ok 'its objects are there' 'documents get databend/sub/c | cmp - books.parquet'
sql 'CREATE STAGE made_by_sql'
ok 'an internal one comes too' 'until_ok 20 "ls $MNT/made_by_sql"'
ok 'and takes files' 'cp books.parquet $MNT/made_by_sql/ &&
	[ "$(sql "LIST @made_by_sql" | cut -f1)" = books.parquet ]'
sql "ALTER STAGE made_by_sql SET COMMENT = 'by SQL'"
is 'a comment is kept with it' "$(sql 'DESC STAGE made_by_sql' --format json | jq -r '.[0].comment')" 'by SQL'
sql 'DROP STAGE made_by_sql'
ok 'and goes' 'until_ok 20 "[ \$(sys stat $MNT/made_by_sql) = ENOENT ]"'
ok 'no secret of the documents is in the log' '! grep -n "$OTHER_SECRET" "$LOG"*'
cd "$T" || exit 1
done_testing
