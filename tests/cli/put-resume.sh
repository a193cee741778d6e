#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs put` of a large file that breaks off goes on where it was: after a
# refusal, an interrupt and a kill, by the count of what travels again.
#
# Covers: transfer/transfer_resume.c transfer/transfer_put.c store/s3/s3_upload.c
. "$(dirname "$0")/lib.sh"
start_server --page 2
good_config
LEFT=$DIR/state/stagefs/uploads
cd "$DIR" || exit 1
head -c 36000000 /dev/urandom >big # parts of 8 MiB: five
cp -p big first

fault() {
	admin _reset x >/dev/null
	admin _fault "$1" >/dev/null
}
part() {
	printf '{"match": {"method": "PUT", "query": "partNumber=%s&", "count": 0}, "action": {%s}}' "$1" "$2"
}
refused='"type": "status", "status": 403, "code": "AccessDenied"'
stalled='"type": "stall", "seconds": 60'
# What was asked for: uploads begun, listings of parts, parts by number, uploads
# completed and aborted.
asked() {
	admin _requests | python3 -c '
import json, re, sys
log = json.load(sys.stdin)
def of(method, pattern):
    return [r for r in log
            if r["method"] == method and re.search(pattern, r["query"])]
parts = sorted(int(re.search("partNumber=([0-9]+)", r["query"])[1])
               for r in of("PUT", "partNumber="))
print(len(of("POST", "uploads")), len(of("GET", "uploadId=")),
      ",".join(map(str, parts)) or "-", len(of("POST", "uploadId=")),
      len(of("DELETE", "uploadId=")))'
}
# until_part N: it has come to the server.
until_part() {
	for _ in $(seq 600); do
		admin _requests | grep -q "partNumber=$1&" && return
		sleep 0.1
	done
	echo "Bail out! part $1 was not sent"
	exit 1
}
# ended SIGNAL: a put that stands at its fourth part, and is sent that (INT is
# ignored in a script's background).
ended() {
	fault "$(part 4 "$stalled")"
	"$STAGEFS" put --parallel 1 big @ext 2>err &
	local put=$!
	until_part 4
	kill -"$1" "$put"
	wait "$put" 2>/dev/null
	RC=$?
}
again() {
	admin _reset x >/dev/null
	run put --parallel 1 "$@" big @ext
}
arrived() {
	"$STAGEFS" get --quiet @ext/big - | cmp - big
}
left() {
	ls "$LEFT" | wc -l
}
# ---- what breaks off, and goes on ----

fault "$(part 4 "$refused")"
fails 'a part that is refused' 1 'AccessDenied.*; the same command goes on there$' put --parallel 1 big @ext
is 'leaves the parts that have arrived' "$(asked) $(left)" '1 0 1,2,3,4 0 0 1'
is 'and a record that is closed to others' "$(stat -c %a "$LEFT"/*.put) $(grep -c X-Amz "$LEFT"/*.put)" '600 0'
again
is 'the same command goes on: two pages of parts, and the rest' "$RC $(asked)" '0 0 2 4,5 1 0'
holds 'the object is the file' arrived
is 'and no record is left' "$(left)" 0

ended TERM
is 'an interrupt' "$RC $(cat err)" '130 stagefs: cannot upload big to @ext/big: interrupted
stagefs: interrupted: the same command again goes on where it ended (--skip-existing: past what has arrived; --abort: nothing is kept)'
is 'leaves the upload' "$(asked) $(left)" '1 0 1,2,3,4 0 0 1'
again --json
is 'and the same command goes on' "$RC $(asked) $(grep -c '"status":"done"' out)" '0 0 2 4,5 1 0 1'
holds 'the object is the file' arrived

# ---- a week later ----

ended TERM
touch -d '8 days ago' "$LEFT"/*.put
again
is 'what is a week old is aborted, and sent anew' "$RC $(asked) $(left)" '0 1 0 1,2,3,4,5 1 1 0'
ended TERM
touch -d '8 days ago' "$LEFT"/*.put
admin _reset x >/dev/null
run put --parallel 1 big @ext/other
is 'so it is by a put of another file' "$RC $(asked) $(left)" '0 1 0 1,2,3,4,5 1 1 0'
ended TERM
touch -d '8 days ago' "$LEFT"/*.put
admin _reset x >/dev/null
run put --parallel 1 big @~/other
is '... but not of another stage' "$RC $(left)" '0 1'
touch -d '6 days ago' "$LEFT"/*.put
again
is 'what is younger is gone on with' "$RC $(asked) $(left)" '0 0 2 4,5 1 0 0'

ended KILL
again
is 'a kill does not hurt either' "$RC $(asked) $(left)" '0 0 2 4,5 1 0 0'
holds 'the object is the file' arrived

# ---- other bytes ----

ended TERM
printf x | dd of=big bs=1 seek=20000000 conv=notrunc status=none
again
is 'a file that changed goes anew, and its old parts are aborted' "$RC $(asked) $(left)" '0 1 0 1,2,3,4,5 1 1 0'
holds 'the object is the file' arrived

ended TERM
touch -r big stamp
printf y | dd of=big bs=1 seek=10000000 conv=notrunc status=none
touch -r stamp big
again
is 'bytes that changed under the same time are sent again' "$RC $(asked)" '0 0 2 2,4,5 1 0'
holds 'the object is the file' arrived

ended TERM
again --content-type text/x-other
is 'another type begins anew' "$RC $(asked)" '0 1 0 1,2,3,4,5 1 1'

ended TERM
cp first other
admin _reset x >/dev/null
run put --parallel 1 other @ext/big --exact
is 'so does another file' "$RC $(left)" '0 0'
holds 'which is there' sh -c '"$0" get --quiet @ext/big - | cmp - other' "$STAGEFS"

# ---- what the server does ----

ended TERM
admin "_reset?objects=1" x >/dev/null
run put --parallel 1 big @ext
is 'an upload that the server has not any more begins anew' "$RC $(asked)" '0 1 1 1,2,3,4,5 1 0'

ended TERM
fault '{"match": {"method": "GET", "query": "uploadId", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied"}}'
run put --parallel 1 big @ext
is 'keys that may not look begin anew' "$RC $(asked)" '0 1 1 1,2,3,4,5 1 1'

ended TERM
fault '{"match": {"method": "GET", "query": "uploadId", "count": 0}, "action": {"type": "rewrite", "from": "[0-9a-f]{32}", "to": "0123456789abcdef0123456789abcdef"}}'
run put --parallel 1 big @ext
is 'parts whose ETags are no MD5 of the bytes are sent again' "$RC $(asked)" '0 0 2 1,2,3,4,5 1 0'
holds 'the object is the file' arrived

# ---- nothing is kept ----

ended TERM
admin _reset x >/dev/null
run put --abort big @ext
is '--abort removes what is left' "$RC$(cat "$DIR/err") $(asked) $(left)" '0 0 0 - 0 1 0'
run put --abort big @ext
is 'and is silent where nothing is' "$RC$(cat "$DIR/err") $(asked)" '0 0 0 - 0 1'

fault "$(part 1 "$refused")"
fails 'no part has arrived' 1 'AccessDenied.*\)$' put --parallel 1 big @ext
is 'then nothing is kept' "$(asked) $(left)" '1 0 1 0 1 0'

fault "$(part 4 "$refused")"
XDG_STATE_HOME=/proc/none fails 'nor where there is no place for it' 1 'AccessDenied.*\)$' put --parallel 1 big @ext
is 'the upload is aborted then' "$(asked)" '1 0 1,2,3,4 0 1'

fault "$(part 4 "$stalled")"
"$STAGEFS" put --parallel 1 big @ext 2>err &
put=$!
until_part 4
fails 'what is under way is not aborted by another' 1 'another stagefs sends it' put --abort big @ext
kill -TERM $put
wait $put 2>/dev/null
is 'and stays' "$(left)" 1

finish
