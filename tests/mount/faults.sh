#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a mount makes of a server that does what no good server does: the
# scripted stand-in of tests/standin.
#
# Covers: net/http_outage.c
. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$TOP/tests/standin/server.py" --s3 --bucket standin \
	--min-part 5242880 >"$T/port" 2>"$T/standin.err" &
standin=$!
at_exit+=("kill $standin")
until_ok 20 '[ -s "$T/port" ]' || bail 'the stand-in does not start'
AT=http://127.0.0.1:$(cat "$T/port")

# The server's own view, through boto3.
s3_standin() {
	STAGEFS_TEST_S3_ENDPOINT=$AT STAGEFS_TEST_S3_BUCKET=standin \
		STAGEFS_TEST_S3_ACCESS_KEY=standin \
		STAGEFS_TEST_S3_SECRET_KEY=standin-secret s3 "$@"
}
fault() {	# JSON
	curl -fsS -X POST -d "$1" "$AT/_fault" >/dev/null
}
good_again() {
	curl -fsS -X POST "$AT/_reset" >/dev/null
}

CONF_EXT='deadline = 20
idle_timeout = 5' write_config 'metadata_ttl = 1'
sed -i "s|^endpoint_url = .*|endpoint_url = $AT|
	s|^aws_key_id = .*|aws_key_id = standin|
	s|^aws_secret_key = .*|aws_secret_key = standin-secret|
	s|s3://$BUCKET/|s3://standin/|" "$CONF"
mount_up
E=$MNT/ext
random_file "$LOCAL/data" 20000000
random_file "$LOCAL/other" 20000000
head -c 100000 "$LOCAL/data" >"$LOCAL/small"
ok 'a mount of the stand-in works' '
	cp $LOCAL/data $LOCAL/small $E/ && cmp $E/data $LOCAL/data &&
	s3_standin get ${EXT}data | cmp - $LOCAL/data'

# A class that is not the server's own.
s3_standin put "${EXT}cold" "$LOCAL/small" storage_class=STANDARD_IA who=me
class() {
	s3_standin head "$EXT$1" | grep -o '"StorageClass": "[^"]*"'
}
IA='"StorageClass": "STANDARD_IA"'
echo more >>"$E/cold"
is 'an object keeps its storage class over >>' "$(class cold)" "$IA"
mv "$E/cold" "$E/cold2"
is '... over mv' "$(class cold2)" "$IA"
mkdir "$E/d" && mv "$E/cold2" "$E/d/" && mv "$E/d" "$E/d2"
is '... and over that of its directory' "$(class d2/cold2)" "$IA"

# Reads: each fault, and the bytes are right all the same. A mount of its own
# each, so that nothing is cached.
reread() {	# SENTENCE FAULT
	fault "$2"
	ok "$1" 'cmp $E/data $LOCAL/data'
	good_again
	remount
}
remount
G='"method": "GET", "key": "/data$"'
reread 'a read survives two SlowDown' \
	'{"match": {'"$G"', "count": 2}, "action": {"type": "status", "status": 503, "code": "SlowDown", "message": "slow"}}'
reread 'a read survives a 500' \
	'{"match": {'"$G"'}, "action": {"type": "status", "status": 500, "code": "InternalError", "message": "x"}}'
reread 'a read survives a connection that is reset' \
	'{"match": {'"$G"'}, "action": {"type": "reset"}}'
reread 'a read survives a body that ends early' \
	'{"match": {'"$G"', "count": 2}, "action": {"type": "cut", "after": 5000}}'
reread 'a read survives a body that stalls' \
	'{"match": {'"$G"'}, "action": {"type": "stall", "when": "body", "after": 5000, "seconds": 60}}'

fault '{"match": {'"$G"', "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied", "message": "x"}}'
is 'a read that is denied is EACCES' "$(sys read "$E/data")" EACCES
good_again
fault '{"match": {'"$G"', "count": 0}, "action": {"type": "status", "status": 500, "code": "InternalError", "message": "x"}}'
like 'a server that only fails is EIO in the end' "$(sys read "$E/data")" '^(EIO|ETIMEDOUT)$'
good_again
ok 'and when it is good again the mount is' 'cmp $E/data $LOCAL/data'

# Answers that tell no size: a compressing proxy, or a server that makes its
# answers as it sends them.
sizeless() {	# the names of the fault's requests
	fault '[{"match": {"method": "HEAD", "count": 0}, "action": {"type": "no_length"}},
		{"match": {"method": "GET", "key": "/(small|line)$", "count": 0},
		"action": {"type": "no_length"'"$1"'}}]'
	remount
}
printf 'first\n' >$LOCAL/line; s3_standin put ${EXT}line $LOCAL/line
sizeless ''
ok 'a file whose HEAD tells no size is read' 'cmp $E/small $LOCAL/small'
ok 'and is grown, not replaced' 'echo second >>$E/line &&
	[ "$(s3_standin get ${EXT}line)" = "$(printf "first\nsecond")" ]'
sizeless ', "as": "whole"'
ok 'of a server that knows no ranges too' 'cmp $E/small $LOCAL/small'
good_again
remount

# Listings whose ETags are not those of the objects.
remount
printf 'one\n' >$LOCAL/line
s3_standin put ${EXT}o/log $LOCAL/line
s3_standin put ${EXT}o/old $LOCAL/line
fault '{"match": {"method": "GET", "query": "list-type", "count": 0},
	"action": {"type": "rewrite", "from": "<ETag>.", "to": "<ETag>X-"}}'
ok 'what was listed with another ETag is read' '
	ls -l $E/o && cmp $E/o/log $LOCAL/line && ls -l $E/o && cmp $E/o/old $LOCAL/line'
ok 'a listing amid a write leaves the file its own' '
	exec 7>>$E/o/log && ls -l $E/o && sleep 2 && ls -l $E/o &&
	echo two >&7 && exec 7>&- &&
	[ "$(s3_standin get ${EXT}o/log)" = "$(printf "one\ntwo")" ]'
ok 'an open file stays one' '
	exec 7<$E/o/old && i=$(stat -c %i $E/o/old) && sleep 2 && ls -l $E/o &&
	cmp $E/o/old $LOCAL/line && [ "$(stat -c %i $E/o/old)" = "$i" ] &&
	cmp - $LOCAL/line <&7; r=$?; exec 7<&-; (exit $r)'
printf 'new\n' >$LOCAL/line
s3_standin put ${EXT}o/old $LOCAL/line
ok 'one that was replaced is the new one, within metadata_ttl' '
	until_ok 10 "cmp $E/o/old $LOCAL/line"'
remount
ok 'and the directory is renamed' '
	ls -l $E/o && mv $E/o $E/p && cmp $E/p/old $LOCAL/line'
good_again
remount

# Rights that are given in part.
deny() {	# MATCHES...
	local all=
	for match in "$@"; do
		all="$all${all:+, }{\"match\": {$match, \"count\": 0},
			\"action\": {\"type\": \"status\", \"status\": 403,
			\"code\": \"AccessDenied\", \"message\": \"no\"}}"
	done
	good_again
	remount # the storage has to be listed
	fault "[$all]"
}
LISTS='"method": "GET", "query": "list-type"'
s3_standin put ${EXT}far/near/file "$LOCAL/small"
deny "$LISTS"
ok 'what may not be listed is read by its path' 'cmp $E/small $LOCAL/small'
is '... and not listed' "$(sys listdir "$E")" EACCES
ok '... and the log names the right' 'grep -q s3:ListBucket $LOG'
ok '... and it is removed' 'rm $E/line && ! s3_standin head ${EXT}line'
FAR="\"method\": \"GET\", \"query\": \"prefix=${EXT//\//%2F}far"
deny "$FAR&\"" "$FAR%2F&\""
is 'what is permitted below what is not is reached' \
	"$(ls $E/far/near)" file
is '... and what is not says so' "$(sys listdir "$E/far")" EACCES
deny '"method": "HEAD", "key": "/absent$"'
ok 'a file is made where HEAD says 403 of what is not there' '
	cp $LOCAL/small $E/absent && s3_standin get ${EXT}absent | cmp - $LOCAL/small'
good_again # else it is a matter of metadata_ttl whether HEAD is asked
is '... and is then what HEAD says' "$(sys read "$E/absent")" OK
remount

# Writes: a failed one leaves the old object and no upload.
unchanged() {	# SENTENCE REGEX FAULT
	fault "$3"
	fails "$1" "$2" 'cp $LOCAL/other $E/data'
	good_again
	ok '... and leaves the old object' 's3_standin get ${EXT}data | cmp - $LOCAL/data'
	ok '... and no multipart upload' 'until_ok 30 "[ -z \"\$(s3_standin uploads \"\")\" ]"'
	ok '... which the mount shows' 'until_ok 30 "cmp $E/data $LOCAL/data"'
}
unchanged 'a part that is denied fails close' 'Permission denied' \
	'{"match": {"method": "PUT", "query": "partNumber=2", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied", "message": "x"}}'
unchanged 'a completion with an error inside a 200 fails close' 'Permission denied' \
	'{"match": {"method": "POST", "query": "uploadId=", "count": 0}, "action": {"type": "error_in_200", "code": "AccessDenied", "message": "x"}}'
unchanged 'an upload that cannot start fails' 'Permission denied' \
	'{"match": {"method": "POST", "query": "uploads", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied", "message": "x"}}'
# A shell closes a copy of its descriptor before the program even starts.
fault '{"match": {"method": "PUT", "query": "partNumber=2", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied", "message": "x"}}'
fails 'the same by a redirection of the shell' 'Permission denied' \
	'cat $LOCAL/other >$E/data'
good_again
ok '... leaves the old object too' 's3_standin get ${EXT}data | cmp - $LOCAL/data'
fault '{"match": {"method": "PUT", "key": "/full$", "count": 0}, "action": {"type": "status", "status": 507, "code": "InsufficientStorage", "message": "x"}}'
fails 'a store that is full is no success' 'cat|error' 'cat $LOCAL/small >$E/full'
good_again
ok 'nothing is there of it' '! s3_standin head ${EXT}full'

survives() {	# SENTENCE FAULT
	fault "$2"
	ok "$1" 'cat $LOCAL/other >$E/again && s3_standin get ${EXT}again | cmp - $LOCAL/other'
	good_again
}
P='"method": "PUT", "query": "partNumber="'
survives 'a write survives SlowDown for parts' \
	'{"match": {'"$P"', "count": 3}, "action": {"type": "status", "status": 503, "code": "SlowDown", "message": "x"}}'
survives 'a write survives a reset in a part' \
	'{"match": {'"$P"', "nth": 2}, "action": {"type": "reset"}}'
survives 'a write survives a completion whose answer is lost' \
	'{"match": {"method": "POST", "query": "uploadId="}, "action": {"type": "lose"}}'
survives 'a write survives InternalError inside a 200' \
	'{"match": {"method": "POST", "query": "uploadId="}, "action": {"type": "error_in_200", "code": "InternalError", "message": "x"}}'

fault '{"match": {"method": "GET", "query": "list-type=2"}, "action": {"type": "garbage"}}'
ok 'a listing survives garbage once' 'ls $E | grep -qx data'
good_again
sleep 2
fault '{"match": {"method": "GET", "query": "list-type=2", "count": 0}, "action": {"type": "garbage"}}'
is 'a server that lists only garbage is EIO' "$(sys listdir "$E")" EIO
good_again

# Signals: a timer that ticks every millisecond, with a handler and SA_RESTART,
# while each request takes 0.2 s.
fault '{"match": {"count": 0}, "action": {"type": "latency", "seconds": 0.2}}'
for kind in restart eintr; do
	is "no call fails for a signal that is handled ($kind)" "$(
		timeout 120 /usr/bin/python3 "$HERE/ticking.py" "$E" $kind 2>&1)" \
		'hello world 1 ticked'
done
good_again
# A close is not broken off: what it publishes is there once and whole.
fault '{"match": {"method": "PUT", "key": "/killed$", "count": 0}, "action": {"type": "latency", "seconds": 3}}'
/usr/bin/python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
os.write(fd, open(sys.argv[2], "rb").read())
print("closing", flush=True)
os.close(fd)
' "$E/killed" "$LOCAL/small" >"$T/closing" 2>/dev/null &
closer=$!
until_ok 30 '[ -s $T/closing ]'
sleep 1
kill -KILL $closer
wait $closer 2>/dev/null
ok 'a process that is killed amid a close has published' '
	until_ok 60 "s3_standin get ${EXT}killed | cmp - $LOCAL/small"'
is '... by one request' "$(curl -fsS "$AT/_requests" | /usr/bin/python3 -c '
import json, sys
print(sum(r["method"] == "PUT" and "/killed" in json.dumps(r)
          for r in json.load(sys.stdin)))')" 1
good_again
if command -v git >/dev/null; then
	git init -q "$LOCAL/repo" &&
		cp "$LOCAL/small" "$LOCAL/repo/file" &&
		git -C "$LOCAL/repo" add file &&
		git -C "$LOCAL/repo" -c user.name=t -c user.email=t@t commit -qm x
	ok 'git clone --progress works, which has such a timer' '
		git clone -q --progress "file://$LOCAL/repo" $E/clone &&
		cmp $E/clone/file $LOCAL/small && git -C $E/clone fsck'
	rm -rf "$E/clone"
else
	skip 'git clone --progress works, which has such a timer' 'no git'
fi

# A server without conditions on a write, and one bad file among the stages.
mount_down
mkdir -p "${CONF%/*}/stages.d"
printf '[stage bad]\nurl = s3://standin/bad/\nendpoint_url = http://127.0.0.1\naddressing = virtual\n' \
	>"${CONF%/*}/stages.d/bad.conf"
fault '{"match": {"header": "(?<!-)if-none-match: |x-amz-checksum-", "count": 0}, "action": {"type": "status", "status": 501, "body": ""}}'
ok 'a stage that cannot be used does not hold up the mount' 'mount_try && [ -d "$MNT/ext" ]'
ok '... and is said' 'until_ok 10 "grep -q \"stage bad cannot be used: .*bad.conf: addressing\" $LOG"'
ok '... by its own calls too' '! ls "$MNT/bad" 2>/dev/null'
ok 'a server that knows no condition makes a directory' 'mkdir "$E/plain" && [ -d "$E/plain" ]'
ok '... and files' 'mkdir -p "$E/plain/a" && cp $LOCAL/small "$E/plain/a/f" && rm "$E/plain/a/f" && [ -d "$E/plain/a" ]'
is '... one of which is not made twice' "$(set -C; echo x 2>/dev/null >"$E/plain/x"; echo y 2>/dev/null >"$E/plain/x"; cat "$E/plain/x")" x
ok '... a stage too' 'mkdir "$MNT/conditions" && rmdir "$MNT/conditions"'
is '... and says so once' "$(grep -c 'does not know If-None-Match' "$LOG")" 2
mount_down
rm -r "${CONF%/*}/stages.d"
good_again
mount_up

# Removing in a row: the first is asked at once, the others together.
files() {
	rm -rf "$E/row"
	mkdir "$E/row"
	for f in 1 2 3 4 5 6; do
		echo "$f" >"$E/row/$f"
	done
}
in_a_row() {	# removes all but the first, which was removed; prints why not
	/usr/bin/python3 - "$E/row" <<'END'
import errno, os, sys
d = sys.argv[1]
for name in "123456":
    os.unlink(f"{d}/{name}")
at = os.open(d, os.O_RDONLY)
for k in range(2):
    try:
        os.fsync(at)
        print("kept", end=" ")
    except OSError as e:
        print(errno.errorcode[e.errno], end=" ")
END
}
files
# However many batches they are.
fault '{"match": {"method": "POST", "query": "delete", "count": 0}, "action": {"type": "garbage", "body": "<DeleteResult><Error><Key>'"${EXT}"'row/3</Key><Code>AccessDenied</Code></Error></DeleteResult>"}}'
is 'a removal that is refused is told by fsync of the directory, once' \
	"$(in_a_row)" 'EACCES kept '
ok '... and is in the log with its key' '
	grep "not removed after all" $LOG | grep -q "key=\"${EXT}row/3\""'
ok '... and its name is there again' '[ "$(cat $E/row/3)" = 3 ]'
good_again
files
fault '{"match": {"method": "POST", "query": "delete", "count": 2}, "action": {"type": "status", "status": 503, "code": "SlowDown", "message": "slow"}}'
is 'removing in a row survives two SlowDown' "$(in_a_row)" 'kept kept '
ok '... and leaves nothing' '[ -z "$(s3_standin list ${EXT}row/ | grep row/.)" ]'
good_again
files
fault '{"match": {"method": "POST", "query": "delete"}, "action": {"type": "lose"}}'
is '... an answer that is lost' "$(in_a_row)" 'kept kept '
ok '... and leaves nothing' '[ -z "$(s3_standin list ${EXT}row/ | grep row/.)" ]'
good_again
files
fault '{"match": {"method": "DELETE", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied", "message": "x"}}'
is 'the first one that is refused says so itself' "$(sys unlink "$E/row/1")" EACCES
good_again
files
is '... removed files are gone' "$(in_a_row)" 'kept kept '
ok '... and so is the directory' 'rmdir $E/row && [ ! -e $E/row ]'

# From here on nothing ends by itself, however slow the machine is.
sed -i 's/^deadline = .*/deadline = 300/; s/^idle_timeout = .*/idle_timeout = 300/' \
	"$CONF"
remount

# A page of a listing has not come yet: other programs do not wait for it.
s3_standin plant "${EXT}long/f" 1100
s3_standin plant "${EXT}other/f" 20
fault '{"match": {"query": "continuation-token", "count": 0}, "action": {"type": "hold"}}'
ls -l "$E/long" >"$T/long" 2>&1 &
listing=$!
ok 'ls -l waits for the second page of a large directory' "
	until_ok 60 'curl -fsS $AT/_requests | grep -q hold'"
is 'meanwhile a name in another directory is looked up' \
	"$(timeout 60 stat -c %n "$E/other/f0003")" "$E/other/f0003"
is '... and read' "$(timeout 60 cat "$E/other/f0003")" "${EXT}other/f0003"
is '... its directory listed' "$(timeout 60 ls "$E/other" | wc -l)" 20
ok '... a name of the large one, that has come and that has not' '
	timeout 60 stat $E/long/f0003 && timeout 60 cat $E/long/f1050 &&
	! timeout 60 stat $E/long/none'
ok '... while ls -l still waits' 'kill -0 $listing && [ ! -s $T/long ]'
curl -fsS -X POST "$AT/_release" >/dev/null
wait $listing
is '... and then has all of it' "$? $(wc -l <"$T/long")" '0 1101'
good_again

# An outage: one line when it begins, one when it is over.
: >"$LOG"
fault '{"match": {"count": 0}, "action": {"type": "reset"}}'
(ls "$E/nosuch" & ls "$E/nosuch2" & wait) >/dev/null 2>&1 &
asks=$!
ok 'an outage is told' '
	until_ok 60 "grep -q \"warning: http://127.0.0.1:[0-9]* does not answer: \" $LOG"'
sleep 1
good_again
wait $asks
ok '... and its end, with how long it took' '
	until_ok 60 "ls $E >/dev/null; grep -qE \"http://127.0.0.1:[0-9]+ answers again, after [0-9]+ s and [0-9]+ requests that failed\" $LOG"'
is '... and nothing else' "$(grep -vc '\]: debug: ' "$LOG")" 2

# The clock.
fault '{"action": {"type": "skew", "seconds": 3600}}'
ok 'a server whose clock is an hour off is served' '
	cat $LOCAL/small >$E/skewed && cmp $E/skewed $LOCAL/small'
ok 'with a warning' 'grep -iE "warn" $LOG | grep -iq clock'
like 'a pre-signed URL keeps our own time over plain HTTP' "$(
	stamp=$(xa user.presign.download "$E/skewed" |
		grep -oE 'X-Amz-Date=[0-9TZ]+' | cut -d= -f2)
	echo $(($(date +%s) - $(date -u -d "${stamp:0:4}-${stamp:4:2}-${stamp:6:2} ${stamp:9:2}:${stamp:11:2}:${stamp:13:2}" +%s))))" \
	'^-?[0-9]{1,2}$'
ok '... and is warned of beside its row' '
	presign_warns() {
		"$STAGEFS" presign "$E/skewed" --format "$1" 2>&1 |
			grep -c "clock is 3[56][0-9][0-9] seconds behind the store"
	}
	[ "$(presign_warns url)$(presign_warns tsv)$(presign_warns json)" = 111 ]'
mount_down
ok 'a mount of such a server works' 'mount_try && cmp $E/skewed $LOCAL/small'
good_again
mount_down
fault '{"action": {"type": "skew", "seconds": 180000}}'
ok 'a clock that is two days off is refused' '
	! mount_try && [ "$(wc -l <$T/mount.err)" = 1 ] &&
	grep -iqE "clock|skew" $T/mount.err'
mounted && mount_down
good_again
mount_up

done_testing
