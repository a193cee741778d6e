#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs check`, and what every verb says of a configuration or a server that
# is wrong: one line, with what failed, where and why.
#
# Covers: cli/cmd.c cli/cmd_check.c client/failure.c client/message.c
# Covers: client/session.c
. "$(dirname "$0")/lib.sh"
start_server
good_config

# ---- all is well ----

run check
is 'everything answers' "$RC$(cat "$DIR/err")" 0
is 'a line for each' "$(cut -f1,2,4 "$DIR/out")" \
	"[storage]	s3://bucket/root/stage/	ok
ext	s3://other/data/	ok"
is 'with server, region and where the keys come from' "$(cut -f3 "$DIR/out" | uniq)" \
	"http://127.0.0.1:$PORT, region us-east-1, credentials: static"
run check --format json
holds 'JSON' python3 -c '
import json, sys
a, b = json.load(open(sys.argv[1]))
assert list(a) == ["name", "url", "server", "status"] and b["status"] == "ok"' "$DIR/out"
admin _reset x >/dev/null
run check
is 'each server is asked once, the storage also for hidden stages and twice for any' \
	"$(admin _stats | grep -o '"requests": [0-9]*')" '"requests": 6'

# ---- one stage is wrong ----

# wrong NAME SENTENCE REGEX < settings of [stage NAME]
wrong() {
	(umask 077 && {
		sed '/^\[stage /,$d' "$STAGEFS_CONFIG"
		echo '[stage bad]'
		cat
	} >"$DIR/wrong.conf")
	run check --config "$DIR/wrong.conf"
	is "$1: check fails" "$RC" 1
	holds "$1: says why" grep -qP "^bad\t.*\t.*$2" "$DIR/out"
	is "$1: the others are well" "$(grep -c '	ok$' "$DIR/out")" 1
	fails "$1: list says why" 1 "cannot list @bad: .*$2" list @bad --config "$DIR/wrong.conf"
}
keys="endpoint_url = http://127.0.0.1:$PORT
access_key_id = AKTEST
secret_access_key = $SECRET"
wrong 'a wrong key' 'does not know the access key id' <<END
url = s3://other/data/
endpoint_url = http://127.0.0.1:$PORT
access_key_id = AKWRONG
secret_access_key = $SECRET
END
# What an INI file makes of it.
ini() {	# SENTENCE EXPRESSION-ON-STDERR KEY-LINE
	(umask 077 && {
		sed '/^\[stage /,$d' "$STAGEFS_CONFIG"
		printf '[stage ini]\nurl = s3://other/data/\nendpoint_url = http://127.0.0.1:%s\naccess_key_id = AKTEST\n%s\n' "$PORT" "$3"
	} >"$DIR/ini.conf")
	run check --config "$DIR/ini.conf"
	holds "$1" grep -qE "$2" "$DIR/err"
	is "$1: one line" "$(wc -l <"$DIR/err")" 1
}
ini 'a value in quotes' "^stagefs: .*ini.conf:[0-9]+: secret_access_key: quotes are part of a value: write it without them\$" "secret_access_key = \"$SECRET\""
is '... is an error' "$RC" 1
ini 'a secret that a comment cuts' "^stagefs: warning: .*ini.conf:[0-9]+: secret_access_key ends before a .;., which begins a comment: " "secret_access_key = $SECRET ;0123"
is '... is a warning' "$RC" 0
ini 'a space behind the semicolon makes no difference' "^stagefs: warning: .*ini.conf:[0-9]+: secret_access_key ends before a .;., which begins a comment: " "secret_access_key = $SECRET ; more"
is '... is a warning' "$RC" 0
ini 'a number sign begins no comment' "^stagefs: warning: .*ini.conf:[0-9]+: secret_access_key has a . #.: that is no comment\$" "secret_access_key = $SECRET # more"
is '... so the secret is another' "$RC" 1
sed -i "s/^secret_access_key.*/secret_access_key = $SECRET/" "$DIR/ini.conf"
sed -i 's/^access_key_id/; a comment\n&/' "$DIR/ini.conf"
run check --config "$DIR/ini.conf"
is 'a comment on a line of its own' "$(grep -c warning "$DIR/err")" 0
wrong 'a wrong secret' 'the secret key is wrong' <<END
url = s3://other/data/
endpoint_url = http://127.0.0.1:$PORT
access_key_id = AKTEST
secret_access_key = ${SECRET}x
END
wrong 'a bucket that is not there' 'there is no bucket' <<END
url = s3://nosuch/data/
$keys
END
wrong 'nobody listens' 'connection (is )?refused' <<END
url = s3://other/data/
endpoint_url = http://127.0.0.1:1
access_key_id = AKTEST
secret_access_key = $SECRET
deadline = 2
END
wrong 'no credentials anywhere' 'no credentials: AWS_ACCESS_KEY_ID is not in the environment' <<END
url = s3://other/data/
endpoint_url = http://127.0.0.1:$PORT
END
run check --config "$DIR/wrong.conf"
is 'and says so once' "$(grep -o 'AWS_ACCESS_KEY_ID is not' "$DIR/out" | wc -l)" 1
admin _fault '{"action": {"type": "skew", "seconds": 3600}}' >/dev/null
run check
is 'a clock that is an hour off is corrected' "$RC" 0
holds 'and said' grep -qE "this machine's clock is (3599|3600|3601) seconds behind the store's, and over plain http pre-signed URLs" "$DIR/out"
admin _reset x >/dev/null
admin _fault '{"action": {"type": "skew", "seconds": 600}}' >/dev/null
run check
is 'one that is minutes off is served' "$RC" 0
holds '... and said all the same' grep -qE "this machine's clock is (599|600|601) seconds behind the store's, and over plain http pre-signed URLs" "$DIR/out"
timeout 90 python3 "$(dirname "$0")/terminal.py" 80 "$STAGEFS" check </dev/null >"$DIR/out"
holds '... on a terminal too, below the table' grep -qE "ext: this machine's clock is (599|600|601) seconds behind" "$DIR/out"
admin _reset x >/dev/null

# ---- what a store does not know ----

admin _fault '{"match": {"header": "if-none-match: |x-amz-checksum-", "count": 0}, "action": {"type": "status", "status": 501, "body": ""}}' >/dev/null
run check
is 'a check alone writes nothing' "$RC$(admin _requests | grep -c '"PUT"')" 00
run check --write
is 'one that may write does' "$RC" 0
is 'and says what the store does not know' "$(grep -c 'does not know If-None-Match.*refuses x-amz-checksum.*upload_checksum' "$DIR/out")" 2
admin _reset x >/dev/null
is 'and leaves nothing' "$("$STAGEFS" list @ext)" ''
run check --write
is 'of one that knows it all it says that' "$RC $(grep -c '; the store knows If-None-Match, If-Match, x-amz-checksum, DeleteObjects, encoding-type	ok$' "$DIR/out")" '0 2'
# lacks_is SENTENCE {"WORD": STATUS} REGEX: what a probe says of such a store.
lacks_is() {
	admin _lacks "$2" >/dev/null
	run check --write
	is "$1: it is served" "$RC" 0
	is "$1: it is said" "$(grep -cE "$3" "$DIR/out")" 2
	admin _lacks '{}' >/dev/null
	is "$1: nothing is left" "$("$STAGEFS" list @ext)" ''
}
for status in 501 400; do
	lacks_is "$status for If-None-Match" "{\"absent\": $status}" \
		'does not know If-None-Match.*; the store knows If-Match, x-amz-checksum, DeleteObjects, encoding-type	ok'
	lacks_is "$status for If-Match" "{\"match\": $status}" \
		'does not know If-Match.*; the store knows If-None-Match, x-amz-checksum, DeleteObjects, encoding-type	ok'
	lacks_is "$status for checksums" "{\"checksum\": $status}" \
		'refuses x-amz-checksum.*; the store knows If-None-Match, If-Match, DeleteObjects, encoding-type	ok'
	lacks_is "$status for batches" "{\"batch\": $status}" \
		'does not know DeleteObjects.*; the store knows If-None-Match, If-Match, x-amz-checksum, encoding-type	ok'
	lacks_is "$status for encoding-type" "{\"encoding\": $status}" \
		'does not know encoding-type.*; the store knows If-None-Match, If-Match, x-amz-checksum, DeleteObjects	ok'
done
lacks_is 'all of it, and Object Lock' '{"absent": 501, "match": 501, "checksum": 501, "batch": 501, "encoding": 501, "lock": 400}' \
	'demands Content-MD5.*	ok'
admin _lacks '{"deaf": 200}' >/dev/null
run check --write
is 'conditions that are ignored are told' "$RC $(grep -c 'the store knows x-amz-checksum, DeleteObjects, encoding-type; the store takes no notice of If-None-Match.*; the store takes no notice of If-Match' "$DIR/out")" '0 2'
admin _lacks '{}' >/dev/null
admin _fault '{"match": {"method": "PUT", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied"}}' >/dev/null
run check --write
is 'or that it cannot be written' "$RC$(grep -c 'cannot be written: Permission denied' "$DIR/out")" 12
admin _reset x >/dev/null

# ---- where credentials come from ----

write_config "$DIR/aws" <<END
[profile prog]
credential_process = echo '{"Version": 1, "AccessKeyId": "AKTEST", "SecretAccessKey": "$SECRET", "Expiration": "2100-01-01T00:00:00Z"}'
[profile sso]
sso_start_url = http://127.0.0.1:1/
sso_region = us-east-1
sso_account_id = 1
sso_role_name = r
END
# check_source PROFILE: `check` of a stage with credentials = profile:PROFILE.
check_source() {
	write_config "$DIR/source.conf" <<-END
	[stage s]
	url = s3://other/data/
	endpoint_url = http://127.0.0.1:$PORT
	region = us-east-1
	credentials = profile:$1
	END
	AWS_CONFIG_FILE=$DIR/aws run check --config "$DIR/source.conf"
}
check_source prog
is 'a program: where the keys come from and until when they live' \
	"$RC $(cut -f3,4 "$DIR/out")" \
	"0 http://127.0.0.1:$PORT, region us-east-1, credentials: profile prog, credential_process until 2100-01-01T00:00:00Z	ok"
holds 'never the secret' sh -c "! grep -q '$SECRET' '$DIR/out' '$DIR/err'"
check_source sso
is 'nobody has signed on: check fails' "$RC" 1
holds 'and says what to run' grep -q 'run `aws sso login --profile sso`' "$DIR/out"

# ---- hidden ----

(umask 077; sed 's/^\[stage ext\]/[stage hider]/' "$STAGEFS_CONFIG" >"$DIR/hider.conf")
url=$(sed 's|^url = s3://bucket/root/|url = s3://other/x/|; s|^url = s3://other/data/|url = s3://bucket/root/stage/internal/|' \
	"$STAGEFS_CONFIG" >"$DIR/inner.conf"; chmod 600 "$DIR/inner.conf"
	"$STAGEFS" presign upload @ext/hider/a --format url --config "$DIR/inner.conf")
curl -sf -T "$STAGEFS_CONFIG" "$url"
run check --config "$DIR/hider.conf"
is 'an external stage that hides an internal one is no failure' "$RC" 0
is 'but said' "$(cat "$DIR/err")" \
	'stagefs: warning: stage hider: it hides an internal stage of that name'

# ---- the configuration is wrong ----

# config_fails SENTENCE REGEX MODE TEXT
config_fails() {
	printf '%b' "$4" >"$DIR/bad.conf"
	chmod "$3" "$DIR/bad.conf"
	for verb in 'check' 'list @ext' 'presign @ext/a'; do
		# shellcheck disable=SC2086 # the words of the verb
		fails "$verb: $1" 1 "^stagefs: configuration: $DIR/bad.conf$2" \
			$verb --config "$DIR/bad.conf"
	done
}
config_fails 'a typo in a key' ':3: unknown key endpont_url; did you mean endpoint_url\?' 600 \
	'[storage]\nurl = s3://b/\nendpont_url = http://h\n'
config_fails 'a typo in a section' ':1: unknown section \[stroage\]' 600 '[stroage]\nurl = s3://b/\n'
config_fails 'a value out of bounds' ':2: metadata_ttl = -3: seconds, or' 600 \
	'[stagefs]\nmetadata_ttl = -3\n[storage]\nurl = s3://b/\n'
config_fails 'a secret that others can read' ':4: aws_secret_key: .*open to others' 644 \
	"[storage]\nurl = s3://b/\naws_key_id = a\naws_secret_key = $SECRET\n"
config_fails 'a url without its slash' ':2: \[storage\]: url = s3://b/x: the path must end' 600 \
	'[storage]\nurl = s3://b/x\n'
config_fails 'stages that overlap' ': \[storage\] and all overlap: ' 600 \
	'[storage]\nurl = s3://b/r/\n[stage all]\nurl = s3://b/\n'
config_fails 'nothing in it' ': there is neither' 600 ''
unset STAGEFS_CONFIG
if [ ! -e /etc/stagefs/stagefs.conf ]; then
	XDG_DATA_HOME=$DIR/data run check
	is 'no configuration anywhere: files in the data directory' "$RC$(cat "$DIR/err")" 0
	holds '... which is there now' test -d "$DIR/data/stagefs/.stagefs"
fi

# ---- a bucket in the place of stages ----

boto() {
	AWS_ACCESS_KEY_ID=AKTEST AWS_SECRET_ACCESS_KEY=$SECRET python3 -W ignore - "$@" <<-END
	import sys, boto3
	from botocore.config import Config
	s3 = boto3.client("s3", endpoint_url="http://127.0.0.1:$PORT", region_name="us-east-1",
	                  config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
	for key in sys.argv[1:]:
	    s3.put_object(Bucket="other", Key=key, Body=b"x" * 5)
	END
}
start_server
write_config "$DIR/bucket.conf" <<END
[storage]
url = s3://other/my-data/
endpoint_url = http://127.0.0.1:$PORT
aws_key_id = AKTEST
aws_secret_key = $SECRET
END
run check --config "$DIR/bucket.conf"
is 'an empty bucket is no reason for a word' "$RC$(cat "$DIR/err")" 0
boto my-data/2026/a.csv my-data/b.csv
run check --config "$DIR/bucket.conf"
is 'one with other keys: it says so and what to write' "$RC $(cat "$DIR/err")" \
	'0 stagefs: warning: [storage]: s3://other/my-data/ has nothing below stage/, but other keys, as 2026/; to see these as a directory, write for [storage]
[stage other]
url = s3://other/my-data/'
sed -i 's/^\[storage\]/[stage other]/' "$DIR/bucket.conf"
run check --config "$DIR/bucket.conf"
is '... and that is right' "$RC$(cat "$DIR/err")" 0
sed -i 's/^\[stage other\]/[storage]/' "$DIR/bucket.conf"
boto my-data/stage/user/me/a
run check --config "$DIR/bucket.conf"
is 'with a stage it has nothing to say' "$RC$(cat "$DIR/err")" 0

# ---- the program ----

run --version
holds 'a version, in a line of its own' grep -qE '^stagefs [0-9]+\.[0-9]+\.[0-9]+$' "$DIR/out"
for word in 'stores: .*S3' 'with: .*gateway' 'libfuse 3\.' 'libcurl/[0-9]'; do
	holds "... and what it is built with: $word" grep -qE "$word" "$DIR/out"
done
run --help
is 'help is no error' "$RC$(cat "$DIR/err")" 0
for word in presign list check init; do
	holds "help names $word" grep -q -- "$word" "$DIR/out"
done
run help options
for word in endpoint_url aws_secret_key metadata_ttl presign_expire_max; do
	holds "help of options names $word" grep -q -- "$word" "$DIR/out"
done
for verb in presign list check; do
	run $verb --help
	holds "help of $verb" grep -q "^usage: stagefs $verb" "$DIR/out"
	holds "$verb takes --config" grep -q -- '--config' "$DIR/out"
done
run
is 'nothing at all is a usage error' "$RC" 2
fails 'check takes no words' 2 'too many' check all
finish
