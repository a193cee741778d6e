#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sessions of Databend's documents, commands word for word, with their
# users and buckets, against a real object store on port 9000: PRESIGN to the
# user stage, to an internal and to an external stage, LIST after each, curl
# with the URL as given. Then the same stages under a mount that is running.
. "$(dirname "$0")/lib.sh"
. "$HERE/documents-lib"
documents_up

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
ORIGIN=$PORT_9000
HOST=127.0.0.1:9000
SIGNER=ROOTUSER
MD5="\"$(md5sum <books.parquet | cut -d' ' -f1)\""
stored() {
	documents get "$1"
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
