#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs init`: a first configuration, by words and by answers.
#
# Covers: cli/cmd_init.c cli/prompt.c client/storage_hint.c
. "$(dirname "$0")/lib.sh"
start_server
HERE=$(cd "$(dirname "$0")" && pwd)
mkdir "$DIR/home"
export XDG_CONFIG_HOME=$DIR/home/config
FILE=$XDG_CONFIG_HOME/stagefs/stagefs.conf
on_terminal() {	# COLUMNS ARG... < answers
	timeout 90 python3 "$HERE/terminal.py" "$1" "$STAGEFS" "${@:2}" >"$DIR/out"
	RC=$?
}

# ---- by words

AWS_ACCESS_KEY_ID=AKTEST AWS_SECRET_ACCESS_KEY=$SECRET run init s3://bucket/data \
	endpoint_url="http://127.0.0.1:$PORT" region=us-east-1 </dev/null
is 'a URL and settings are enough' "$RC" 0
is 'it says where, and how to go on' "$(cat "$DIR/err")" \
	"wrote $FILE; to mount it: stagefs MOUNTPOINT"
is 'check was run' "$(cut -f1,4 "$DIR/out")" 'bucket	ok'
is 'the file is closed to others' "$(stat -c %a "$FILE")" 600
run show
is 'it is found, and has the stage' "$(cut -f1,4,5 "$DIR/out")" "bucket	s3://bucket/data/	http://127.0.0.1:$PORT"
before=$(cat "$FILE")
fails 'it is never written over' 1 "$FILE: it is there already" init s3://bucket/
is '... and stays' "$(cat "$FILE")" "$before"
rm "$FILE"
mkdir "$DIR/files"
run init "fs://$DIR/files" --storage --config "$DIR/own.conf" </dev/null
is 'a directory, for all stages' "$RC$(cut -f1,4 "$DIR/out")" '0[storage]	ok'
holds 'a [storage]' grep -qx '\[storage\]' "$DIR/own.conf"

while IFS='|' read -r sentence regex words; do
	eval "set -- $words"
	run init "$@" </dev/null
	is "$sentence" "$RC $(grep -cE -- "$regex" "$DIR/err") $(wc -l <"$DIR/err")" '2 1 1'
	holds '... nothing is written' test ! -e "$FILE"
done <<'TABLE'
nothing at all|which bucket or directory\?|
no URL|neither a URL nor KEY=VALUE|bucket
a store of tomorrow|not supported yet|azblob://bucket/
an unknown key|unknown key regoin; did you mean region\?|s3://b/ regoin=x
a secret|secret_access_key: a secret is not taken from a command line|s3://b/ secret_access_key=x
a bad name|1x: no name for a stage|s3://b/ --name 1x
two kinds|--name or --storage|s3://b/ --name x --storage
TABLE

# ---- by answers

on_terminal 80 init <<END
s3://bucket/more
http://127.0.0.1:$PORT
AKTEST
$SECRET

END
is 'what is missing is asked for' "$RC" 0
holds '... the URL, the server, the keys and what for' grep -q 'Where.*' "$DIR/out"
holds '... the secret without an echo' sh -c "! grep -q '$SECRET' '$DIR/out'"
holds '... which the file has' grep -qx "secret_access_key = $SECRET" "$FILE"
run list @bucket
is '... and which works' "$RC" 0
rm "$FILE"
on_terminal 80 init s3://bucket/ endpoint_url="http://127.0.0.1:$PORT" <<END
AKTEST
$SECRET
storage
END
is 'what was given is not asked for' "$RC$(grep -c '^Where\|^Server' "$DIR/out")" 00
holds 'a home for stages' grep -qx '\[storage\]' "$FILE"
finish
