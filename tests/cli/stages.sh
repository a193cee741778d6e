#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The life of stages: CREATE, ALTER, SHOW, DESC, DROP, as statements and verbs.
#
# Covers: cli/cmd_statement.c client/stages.c client/stages_conn.c
# Covers: client/stages_show.c
. "$(dirname "$0")/lib.sh"
start_server --page 7
good_config
E=http://127.0.0.1:$PORT
D=$DIR/stages.d
sql() {
	run sql "$@"
}
# One column of the one row of DESC.
desc() {
	"$STAGEFS" desc "$1" --format json | python3 -c '
import json, sys
v = json.load(sys.stdin)[0][sys.argv[1]]
print(v if isinstance(v, str) else json.dumps(v))' "$2"
}
shown() {
	"$STAGEFS" show | cut -f1 | tr '\n' ' '
}
# silent SENTENCE: the last run succeeded and said nothing.
silent() {
	is "$1" "$RC$(cat "$DIR/out" "$DIR/err")" 0
}

# ---- internal ----

sql 'CREATE STAGE my_internal_stage;'
silent 'an internal stage'
is 'is shown' "$(shown)" 'ext my_internal_stage '
is 'with its type' "$(desc my_internal_stage stage_type)" Internal
is 'and no place' "$(desc my_internal_stage url)" null
is 'and may be named as a location' "$(desc @my_internal_stage/ stage_type)" Internal
sql 'CREATE STAGE my_internal_stage'
is 'a second time' "$RC $(head -1 "$DIR/err")" \
	"1 stagefs: SQL:1:14: [2502] Stage 'my_internal_stage' already exists."
sql 'CREATE STAGE IF NOT EXISTS my_internal_stage'
silent 'unless it may be there'
printf x | put @my_internal_stage/a/b
printf x | put @my_internal_stage/c
sql 'CREATE OR REPLACE STAGE my_internal_stage'
silent 'OR REPLACE'
is 'removes its files' "$("$STAGEFS" list @my_internal_stage)" ''
is 'and the stage is there' "$(shown)" 'ext my_internal_stage '
printf x | put @my_internal_stage/c
fails 'the verb drops no files' 1 'cannot drop my_internal_stage: there are files in it \(--recursive' \
	drop my_internal_stage
sql 'DROP STAGE my_internal_stage'
silent 'DROP STAGE does'
is 'and it is gone' "$(shown)" 'ext '
sql 'DROP STAGE my_internal_stage'
is 'twice' "$RC $(cat "$DIR/err")" \
	"1 stagefs: SQL:1:12: [2501] Stage 'my_internal_stage' does not exist."
sql 'DROP STAGE IF EXISTS my_internal_stage'
silent 'unless it may be gone'
run create inner && run drop inner
silent 'the verbs do it too'

# ---- what is kept with an internal one

# kept NAME: all of it, and whether there is a time of creation.
kept() {
	"$STAGEFS" desc "$1" --format json | jq -r '.[0] |
		[.comment, .file_format_options, .copy_options, .created_on != null] |
		map(tostring) | join("|")'
}
sql "CREATE STAGE inner COMMENT = 'it''s 100% ; über' FILE_FORMAT = (TYPE = CSV) COPY_OPTIONS = (PURGE = TRUE)"
silent 'clauses of an internal stage'
is 'are kept' "$(kept inner)" "it's 100% ; über|TYPE = CSV|PURGE = TRUE|true"
is 'and shown' "$("$STAGEFS" show --format json | jq -r '.[] | select(.name == "inner").comment')" "it's 100% ; über"
sql "ALTER STAGE inner SET COMMENT = 'new'"
silent 'ALTER of an internal stage'
is 'changes what it names and keeps the rest' "$(kept inner)" 'new|TYPE = CSV|PURGE = TRUE|true'
sql 'ALTER STAGE inner UNSET COMMENT, FILE_FORMAT'
is 'UNSET takes away' "$(kept inner)" '|null|PURGE = TRUE|true'
printf x | put @inner/a
long=$(printf '%2000s' '' | tr ' ' x)
sql "CREATE OR REPLACE STAGE inner COMMENT = '$long'"
is 'more than an object holds is refused' "$RC" 1
holds 'and why' grep -E '\[1006\] COMMENT, FILE_FORMAT .* take 2[0-9]+ bytes' "$DIR/err"
sql "ALTER STAGE inner SET COMMENT = '$long'"
holds 'by ALTER too' grep -E '\[1006\] COMMENT, FILE_FORMAT .* take 2[0-9]+ bytes' "$DIR/err"
is 'and changes nothing' "$("$STAGEFS" list @inner | cut -f1)$(kept inner)" 'a|null|PURGE = TRUE|true'
sql "CREATE OR REPLACE STAGE inner COMMENT = 'again'"
is 'OR REPLACE replaces it all' "$("$STAGEFS" list @inner)$(kept inner)" 'again|null|null|true'
run remove --recursive @inner/
is 'REMOVE of all files leaves it' "$(kept inner)" 'again|null|null|true'
run drop inner
run create inner comment=verb
is 'the verb keeps it too' "$(kept inner)" 'verb|null|null|true'
run drop inner
write_config "$DIR/raw.conf" <<-END
	[stage raw]
	url = s3://bucket/root/stage/internal/
	endpoint_url = $E
	aws_key_id = AKTEST
	aws_secret_key = $SECRET
END
printf x | STAGEFS_CONFIG=$DIR/raw.conf put @raw/implied/a
is 'a stage that its files imply has nothing' "$(kept implied)" '|null|null|false'
sql "ALTER STAGE implied SET FILE_FORMAT = (TYPE = CSV)"
silent 'ALTER makes its marker'
is 'with what it names' "$(kept implied)" '|TYPE = CSV|null|false'
run drop --recursive implied

# ---- external ----

cat >"$DIR/c.sql" <<-END
	CREATE STAGE my_external_stage url = 's3://bucket/x/' CONNECTION = (ENDPOINT_URL = '$E'
	    aws_key_id = 'AKTEST' aws_secret_key = '$SECRET')
	    FILE_FORMAT = (type = CSV, field_delimiter = ';') COMMENT = 'it''s mine';
END
sql -f "$DIR/c.sql"
silent 'an external stage'
is 'a file closed to others' "$(stat -c %a "$D/my_external_stage.conf" "$D" | tr '\n' ' ')" '600 700 '
is 'and nothing else' "$(ls -A "$D")" my_external_stage.conf
printf hello | put @my_external_stage/f
is 'it works' "$("$STAGEFS" list @my_external_stage | cut -f1,2)" 'f	5'
is 'SHOW has it' "$(shown)" 'ext my_external_stage '
is 'its place' "$(desc my_external_stage url)" 's3://bucket/x/'
is 'its server' "$(desc my_external_stage endpoint)" "$E"
is 'its keys' "$(desc my_external_stage has_credentials)" true
is 'masked' "$(desc my_external_stage storage_params | grep -o '"secret_access_key":"[^"]*"')" \
	'"secret_access_key":"***"'
is 'nothing else is told' "$(desc my_external_stage storage_params)" \
	"{\"type\":\"s3\",\"endpoint_url\":\"$E\",\"access_key_id\":\"AKTEST\",\"secret_access_key\":\"***\",\"credentials\":\"static\"}"
is 'its comment' "$(desc my_external_stage comment)" "it's mine"
is 'what was kept' "$(desc my_external_stage file_format_options)" \
	"type = CSV, field_delimiter = ';'"
holds 'when it was made' grep -qE '^20[0-9]{2}-[0-9-]{5} [0-9:.]{12} \+0000$' \
	<("$STAGEFS" desc my_external_stage | cut -f11)
holds 'in JSON as RFC 3339 has it' grep -qE '^20[0-9]{2}-[0-9-]{5}T[0-9:.]{12}Z$' \
	<(desc my_external_stage created_on)
made=$(desc my_external_stage created_on)
run show --format table
holds 'a table of them' grep -qE '^my_external_stage +External +s3 +s3://bucket/x/ ' "$DIR/out"
"$STAGEFS" show >"$DIR/all"; "$STAGEFS" desc my_external_stage >>"$DIR/all"
result "$(grep -c "$SECRET" "$DIR/all")" 'no secret in any of that'
sql 'DESC STAGE nosuch'
silent 'DESC of nothing is no row'
fails 'the verb says so' 1 "cannot describe nosuch: Stage 'nosuch' does not exist" desc nosuch

AWS_REGION=eu-west-7 sql "ALTER STAGE my_external_stage SET COMMENT = 'other'"
silent 'ALTER'
is 'changes that' "$(desc my_external_stage comment)" other
is 'and nothing else' "$(desc my_external_stage created_on)$("$STAGEFS" list @my_external_stage | cut -f1)" "${made}f"
holds 'nor does it write down what is the session'"'"'s' bash -c "! grep -qE 'deadline|region' $D/my_external_stage.conf"
sql 'ALTER STAGE my_external_stage UNSET COMMENT, FILE_FORMAT'
is 'UNSET' "$(desc my_external_stage comment)$(desc my_external_stage file_format_options)" null
sql "ALTER STAGE my_external_stage SET URL = 's3://bucket/y/'"
is 'a new place' "$("$STAGEFS" list @my_external_stage)" ''
sql "ALTER STAGE nosuch SET COMMENT = 'x'"
is 'ALTER of nothing' "$RC $(head -1 "$DIR/err")" \
	"1 stagefs: SQL:1:13: [2501] Stage 'nosuch' does not exist."
sql "ALTER STAGE IF EXISTS nosuch SET COMMENT = 'x'"
silent 'unless it may be gone'
sql "CREATE STAGE my_external_stage URL='s3://bucket/z/'"
is 'it cannot be made twice' "$RC $(head -1 "$DIR/err")" \
	"1 stagefs: SQL:1:14: [2502] Stage 'my_external_stage' already exists."
sql 'DROP STAGE my_external_stage'
silent 'DROP'
is 'takes its file' "$(ls -A "$D")" ''
sql -f "$DIR/c.sql"
is 'and leaves its objects' "$("$STAGEFS" list @my_external_stage | cut -f1)" f
run drop my_external_stage

# ---- who is asked for credentials ----

export AWS_ACCESS_KEY_ID=AMBIENT AWS_SECRET_ACCESS_KEY=AMBIENTSECRET
sql "CREATE STAGE open URL = 's3://bucket/o/' CONNECTION = (ENDPOINT_URL = '$E')"
is 'without keys a URL is plain' "$("$STAGEFS" presign @open/a --format url)" "$E/bucket/o/a"
is 'and SHOW says so' "$(desc open has_credentials)" false
sql "CREATE OR REPLACE STAGE open URL = 's3://bucket/o/' CONNECTION = (ENDPOINT_URL = '$E' credentials = 'env')"
holds 'what the machine has, when it is asked for' grep -q 'Credential=AMBIENT' \
	<("$STAGEFS" presign @open/a --format url)
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
run drop open
AWS_ENDPOINT_URL_S3=$E sql "CREATE STAGE here URL = 's3://bucket/h/'"
is 'AWS_ENDPOINT_URL_S3 is the default, and stays' "$(desc here endpoint)" "$E"
run drop here

# ---- secrets ----

sql "CREATE STAGE k URL = 's3://bucket/k/' CONNECTION = (ENDPOINT_URL = '$E' aws_key_id = 'AKTEST' aws_secret_key = '$SECRET')"
is 'a secret on the command line works, with a warning' "$RC $(cat "$DIR/err")" \
	'0 stagefs: warning: others can see a secret on a command line: use `stagefs sql -f FILE`'
run drop k
(umask 077; printf '%s\n' "$SECRET" >"$DIR/secret")
export K_SECRET=$SECRET
sql "CREATE STAGE r URL = 's3://bucket/r/' CONNECTION = (ENDPOINT_URL = '$E' aws_key_id = 'AKTEST' aws_secret_key = '\${env:K_SECRET}')"
silent 'a reference there is none'
holds 'and becomes what it names' grep -qx "secret_access_key = $SECRET" "$D/r.conf"
unset K_SECRET
run drop r
printf "CREATE STAGE k URL = 's3://bucket/k/' CONNECTION = (ENDPOINT_URL = '\${env:ENDPOINT}' aws_key_id = 'AKTEST' aws_secret_key = '\${file:%s}')" \
	"$DIR/secret" >"$DIR/k.sql"
ENDPOINT=$E sql -f "$DIR/k.sql"
silent 'references in a script'
printf x | put @k/a
is 'are what they name' "$("$STAGEFS" list @k | cut -f1)" a
run drop k
run create k url=s3://bucket/k/ "endpoint_url=$E" aws_key_id=AKTEST "aws_secret_key=\${file:$DIR/secret}" comment=hi
silent 'and for the verb'
is 'which makes the same' "$("$STAGEFS" list @k | cut -f1)$(desc k comment)" ahi
run drop k
run create k url=s3://bucket/k/ "endpoint_url=$E" aws_key_id=AKTEST "aws_secret_key=$SECRET"
holds 'a plain one is warned of' grep -q 'warning: others can see' "$DIR/err"
run drop k

# ---- what is refused ----

# refused SENTENCE REGEX STATEMENT
refused() {
	run sql -f - <<<"$3"
	[ "$RC" = 1 ] && head -1 "$DIR/err" | grep -qE -- "$2" && ! grep -q "$SECRET" "$DIR/err" &&
		[ -z "$(ls -A "$D")" ]
	result $? "$1" "$RC $(cat "$DIR/err")"
}
C="CONNECTION = (ENDPOINT_URL = '$E')"
refused 'a place inside the storage' '\[1006\] \[storage\] and q overlap' \
	"CREATE STAGE q URL = 's3://bucket/root/stage/internal/x/' $C"
refused 'a place inside another stage' '\[1006\] ext and q overlap' \
	"CREATE STAGE q URL = 's3://other/data/x/' $C"
refused 'a path without its slash' "\[4000\] path in URL must end with '/' when CREATE STAGE. Got '/tb101'" \
	"CREATE STAGE q URL = 's3://b/tb101' $C"
refused 'what may be a secret of a URL is not shown' "Got '/tb101\?\*\*\*'" \
	"CREATE STAGE q URL = 's3://b/tb101?sig=abc' $C"
refused 'another scheme' '\[4000\] url = ' "CREATE STAGE q URL = 'ftp://b/'"
refused 'an unknown key' '\[4000\] connection params invalid: expected \[.*aws_secret_key.*\], got \[aws_secret\]' \
	"CREATE STAGE q URL = 's3://b/' CONNECTION = (aws_secret = '$SECRET')"
refused 'a key without its secret' '\[4000\] access_key_id without secret' \
	"CREATE STAGE q URL = 's3://b/' CONNECTION = (aws_key_id = 'x')"
refused 'a bad value' '\[1006\] enable_virtual_host_style = maybe' \
	"CREATE STAGE q URL = 's3://b/' CONNECTION = (enable_virtual_host_style = 'maybe')"
refused 'a syntax error hides the secret' '\[1005\] no statement has this' \
	"CREATE STAGE q URL = 's3://b/' CONNECTION = (aws_secret_key = '$SECRET' %)"
refused 'a comment that a file cannot hold' '\[1006\] comment cannot be kept' \
	"CREATE STAGE q URL = 's3://b/' COMMENT = 'a ; b'"
refused 'a reserved name' "\[1006\] 'v1' cannot be the name" "CREATE STAGE v1"
refused 'the user stage' '\[2506\] user stage is not allowed in CREATE STAGE' 'CREATE STAGE ~'
refused 'dropping it' '\[2506\] user stage is not allowed in DROP STAGE' 'DROP STAGE ~'
refused 'a stage of the configuration' "\[2506\] stage 'ext' is in the configuration file" 'DROP STAGE ext'
refused 'replacing it' "\[2506\] stage 'ext' is in the configuration file" \
	"CREATE OR REPLACE STAGE ext URL = 's3://b/'"
refused 'making it again' "\[2502\] Stage 'ext' already exists" "CREATE STAGE ext URL = 's3://b/'"
refused 'a variable that is not set' '\[1006\] \$\{env:NOSUCH_VARIABLE\}: it is not set' \
	"CREATE STAGE q URL = 's3://b/' CONNECTION = (region = '\${env:NOSUCH_VARIABLE}')"
refused 'a bucket in front of an address' '\[4000\] enable_virtual_host_style: a bucket cannot stand in front of an address' \
	"CREATE STAGE q URL = 's3://b/' CONNECTION = (ENDPOINT_URL = '$E' enable_virtual_host_style = 'true')"
refused 'in front of the one that URLs name' '\[4000\] public_addressing: a bucket cannot stand in front of an address' \
	"CREATE STAGE q URL = 's3://b/' CONNECTION = (ENDPOINT_URL = 'https://h.example' public_endpoint_url = '$E' public_addressing = 'virtual')"
fails 'a verb without a name' 2 "what is the stage's name" create
fails 'a setting that is none' 2 'a setting is KEY=VALUE' create q url
fails 'settings without a url' 2 'settings without url' create q region=x

# ---- files made by hand ----

printf '[stage odd]\nurl = s3://odd/\nurll = x\n' >"$D/odd.conf"
run list @ext
is 'a file that is wrong costs no other stage' "$RC$(cat "$DIR/err")" 0
run sql "CREATE STAGE other URL = 's3://bucket/other/' $C"
silent 'nor a statement'
run drop other
WHY='stages.d/odd.conf:3: unknown key urll; did you mean url'
fails 'its own says why' 1 "$WHY" list @odd
fails 'whatever is asked of it' 1 "$WHY" presign @odd/x
fails 'to take a file too' 1 "$WHY" put "$DIR/c.sql" @odd
run check
is 'check says it' "$RC $(grep -c "^odd.*$WHY" "$DIR/out") $(grep -c 'ok$' "$DIR/out")" '1 1 2'
is 'it is shown' "$(shown)" 'ext odd '
run drop odd
silent 'and can be dropped'
printf '[stage odd]\nurl = s3://odd/\nurll = x\n' >"$D/odd.conf"
run sql "CREATE OR REPLACE STAGE odd URL = 's3://bucket/other/' $C"
silent 'or replaced'
run drop odd
printf '[stage odd]\nurl = s3://other/data/x/\nendpoint_url = %s\n' "$E" >"$D/odd.conf"
fails 'one that holds the keys of another stage' 1 'ext and odd overlap' list @odd
run list @ext
is 'takes none from that' "$RC$(cat "$DIR/err")" 0
printf '[stage odd]\nurl = s3://odd/\n' >"$D/o-d.conf"
printf '[stage ext]\nurl = s3://odd/\n' >"$D/ext.conf"; rm "$D/odd.conf"
run list @ext
is 'a name of the configuration, and none of a stage' "$RC$(cat "$DIR/err")" 0
run check
holds 'are no stages: the one' grep -qE 'warning: a file is no stage: .*/stages.d/ext.conf: \[stage ext\] is there a second time \(first in .*:8\)' "$DIR/err"
holds 'and the other' grep -qE 'warning: a file is no stage: .*/stages.d/o-d.conf: no stage can have that name' "$DIR/err"
rm "$D/ext.conf" "$D/o-d.conf"

(umask 077; printf '[stage hand]\nurl = s3://bucket/hand/\nendpoint_url = %s\naccess_key_id = AKTEST\nsecret_access_key = ${file:%s}\n' \
	"$E" "$DIR/secret" >"$D/hand.conf")
run sql "ALTER STAGE hand SET COMMENT = 'x'"
silent 'ALTER of a stage whose secret is elsewhere'
holds 'leaves it there' grep -qxF "secret_access_key = \${file:$DIR/secret}" "$D/hand.conf"
printf x | put @hand/a
is 'and it works' "$("$STAGEFS" list @hand | cut -f1)" a
run sql "ALTER STAGE hand SET CONNECTION = (secret_access_key = 'other')"
holds 'unless it is given anew' grep -qx 'secret_access_key = other' "$D/hand.conf"
rm "$D/hand.conf"

# ---- two at once ----

for i in $(seq 8); do
	"$STAGEFS" sql "CREATE STAGE same URL = 's3://bucket/same/' $C" >/dev/null 2>&1 &&
		echo "$i" >>"$DIR/won" &
done
wait $(jobs -p | grep -vx "$SERVER")
is 'of eight at once one wins' "$(wc -l <"$DIR/won")" 1
is 'and its file is whole' "$(desc same url)" s3://bucket/same/
finish
