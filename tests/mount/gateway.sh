#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pre-signed URLs of stages on a local disk: a mounting daemon answers them, or
# `stagefs serve`. By curl, python's requests and boto3; and by those who may
# not come in.
#
# Covers: mount/cmd_serve.c
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"

PORT=$(free_port)
AT=http://127.0.0.1:$PORT
mkdir -m 755 "$T/data"
chmod 755 "$T"
(umask 077 && cat >"$CONF") <<END
[stagefs]
user = tester
log = $LOG
log_level = debug
spill_dir = $T/spill
listen = 127.0.0.1:$PORT
cors_origins = https://app.example.com
allowed_hosts = stages.example.com
[storage]
url = fs://$T/data/
END
mount_up
mkdir "$MNT/my_stage"
S=$T/data/stage/internal/my_stage
random_file "$LOCAL/books.parquet" 3000000
printf 'a,b\n' >"$LOCAL/a.csv"
cp "$LOCAL/books.parquet" "$MNT/my_stage/"

down() {	# FILE-ON-THE-MOUNT
	getfattr --absolute-names --only-values -n user.presign.download "$MNT/$1"
}
to() {		# FOLDER NAME
	getfattr --absolute-names --only-values -n "user.presign.upload?path=$2" "$MNT/$1"
}
status() {	# CURL-ARGUMENT...
	timeout 60 curl -sS -o "$T/answer" -w '%{http_code}' "$@"
}

# ---- curl

URL=$(down my_stage/books.parquet)
like 'the URL is the gateway'"'"'s' "$URL" "^$AT/storage/stage/internal/my_stage/books.parquet\?X-Amz-"
ok 'curl gets the file' 'curl -sSf "$URL" | cmp - $LOCAL/books.parquet'
ok 'goes on where it stopped' '
	head -c 1000000 $LOCAL/books.parquet >$T/part &&
	curl -sSf -C - -o $T/part "$URL" && cmp $T/part $LOCAL/books.parquet'
ok 'gets the end of it' '
	[ "$(curl -sSf -r -100 "$URL" | sha256sum)" = \
		"$(tail -c 100 $LOCAL/books.parquet | sha256sum)" ]'
ok 'uploads to an upload URL' 'curl -sSf -T $LOCAL/a.csv "$(to my_stage b.csv)"'
ok 'and the mount has it at once' 'cmp $LOCAL/a.csv $MNT/my_stage/b.csv'
ok 'as a plain file' 'cmp $LOCAL/a.csv $S/b.csv'
ok 'in chunks, from a pipe' '
	cat $LOCAL/books.parquet | curl -sSf -T - "$(to my_stage piped)" &&
	cmp $LOCAL/books.parquet $MNT/my_stage/piped'
ok 'a name with everything in it' '
	f="ä b+c%d&e=f?g#h;i.csv"
	cp $LOCAL/a.csv "$MNT/my_stage/$f" &&
	curl -sSf "$(down "my_stage/$f")" | cmp - $LOCAL/a.csv'
is 'a file that is not there' \
	"$(status "$(getfattr --absolute-names --only-values -n 'user.presign.download?path=no' "$MNT/my_stage")")" 404
like 'says so as S3 does' "$(cat "$T/answer")" '<Code>NoSuchKey</Code>'

# ---- requests, boto3

cat >"$T/clients.py" <<'END'
import os, sys
import boto3, requests
from botocore.config import Config

at, keys, path, down, up = sys.argv[1:]
data = open(path, 'rb').read()
r = requests.get(down)
assert r.status_code == 200 and r.content == data, r
tag = r.headers['ETag']
r = requests.get(down, headers={'Range': 'bytes=10-19'})
assert r.status_code == 206 and r.content == data[10:20], r
assert requests.get(down, headers={'If-None-Match': tag}).status_code == 304
assert requests.put(up, data=iter([b'a' * 70000, b'b'])).status_code == 200

# The key of a store is a file as Amazon's tools read it.
os.environ['AWS_SHARED_CREDENTIALS_FILE'] = keys
s3 = boto3.client('s3', endpoint_url=at, region_name='us-east-1',
    config=Config(signature_version='s3v4', s3={'addressing_style': 'path'}))

def sign(call, method=None, **more):
    return s3.generate_presigned_url(call, Params={'Bucket': 'storage',
        'Key': 'stage/internal/my_stage/boto ä.bin', **more}, ExpiresIn=60)

r = requests.put(sign('put_object', ContentType='text/x-boto',
    Metadata={'color': 'blue'}), data=data,
    headers={'Content-Type': 'text/x-boto', 'x-amz-meta-color': 'blue'})
assert r.status_code == 200, r.text
r = requests.get(sign('get_object',
    ResponseContentDisposition='attachment; filename="x.bin"'))
assert r.status_code == 200 and r.content == data, r.text
assert r.headers['Content-Disposition'] == 'attachment; filename="x.bin"'
assert r.headers['Content-Type'] == 'text/x-boto', r.headers
assert r.headers['x-amz-meta-color'] == 'blue', r.headers
r = requests.head(sign('head_object'))
assert r.status_code == 200 and r.headers['Content-Length'] == str(len(data))
for call in 'delete_object', 'get_object_acl':
    r = requests.get(sign(call))
    assert r.status_code in (403, 405, 501), (call, r)
END
ok 'requests, and URLs that boto3 signs with the key of the store' '
	python3 "$T/clients.py" $AT $T/data/.stagefs/keys $LOCAL/books.parquet \
		"$URL" "$(to my_stage req)"'
ok 'are seen by the mount' 'cmp $LOCAL/books.parquet "$MNT/my_stage/boto ä.bin"'
is 'all of it' "$(stat -c %s "$MNT/my_stage/req")" 70001

# ---- who may not

cp "$T/.out" "$T/for-all" && chmod 644 "$T/for-all"
nobody() {
	runuser -u nobody -- timeout 60 "$@"
}
fails 'another user of this machine does not read the key' 'denied' \
	'nobody cat $T/data/.stagefs/keys'
is 'gets nothing without a signature' \
	"$(nobody curl -sS -o /dev/null -w '%{http_code}' "${URL%%\?*}")" 403
is 'writes nothing' \
	"$(nobody curl -sS -o /dev/null -w '%{http_code}' -T "$T/for-all" "${URL%%\?*}")" 403
is 'but whoever has the URL may' \
	"$(nobody curl -sS -o /dev/null -w '%{http_code}' "$URL")" 200
is 'a download URL does not write' "$(status -T "$LOCAL/a.csv" "$URL")" 403
is 'a URL for another file' "$(status "${URL/books/looks}")" 403
is 'a URL that lives longer' "$(status "${URL/Expires=3600/Expires=604800}")" 403
is 'metadata that is not signed' \
	"$(status -H x-amz-meta-a:b -T "$LOCAL/a.csv" "$(to my_stage no)")" 403
is 'a forged Host' "$(status -H Host:evil.example.com "$AT/health")" 421
is 'localhost is us' "$(status "http://localhost:$PORT/health")" 200
is 'and so is what allowed_hosts names' "$(status -H Host:stages.example.com "$AT/health")" 200
is 'a page of another origin asks whether it may' \
	"$(status -X OPTIONS -H Origin:https://evil.example.com \
		-H Access-Control-Request-Method:PUT "$URL")" 403
like 'one of cors_origins may' "$(curl -sSi -X OPTIONS -H Origin:https://app.example.com \
	-H Access-Control-Request-Method:PUT "$URL" | tr -d '\r')" \
	'204 No Content.*Access-Control-Allow-Origin: https://app.example.com'
echo '<script>alert(1)</script>' >"$LOCAL/page.html"
ok 'a page is stored' '
	curl -sSf -H Content-Type:text/html -T $LOCAL/page.html "$(to my_stage page.html)"'
PAGE=$(curl -sSi "$(down my_stage/page.html)" | tr -d '\r')
like 'and shown as what it is' "$PAGE" 'Content-Type: text/html'
like 'in a sandbox' "$PAGE" 'Content-Security-Policy: sandbox'
like 'without guesses' "$PAGE" 'X-Content-Type-Options: nosniff'
ln -s /etc/shadow "$S/shadow"
ln -s /etc "$S/etc"
mkfifo "$S/fifo"
presign() {	# METHOD KEY: what the mount does not see is signed all the same
	AWS_SHARED_CREDENTIALS_FILE=$T/data/.stagefs/keys python3 - $AT "$@" <<-'END'
	import sys, boto3
	from botocore.config import Config
	at, method, key = sys.argv[1:]
	print(boto3.client('s3', endpoint_url=at, region_name='us-east-1',
	    config=Config(signature_version='s3v4', s3={'addressing_style': 'path'}),
	    ).generate_presigned_url(method, Params={'Bucket': 'storage', 'Key': key}))
	END
}
for key in shadow etc/shadow fifo; do
	like "a planted $key is not followed" \
		"$(status "$(presign get_object "stage/internal/my_stage/$key")")" '^40[34]$'
	ok '... and nothing of it is told' '! grep -q root: $T/answer'
done
like 'nor written through' \
	"$(status -T "$LOCAL/a.csv" "$(presign put_object stage/internal/my_stage/etc/cron.d/x)")" \
	'^40[0-9]$'
ok '... there is nothing' '! [ -e /etc/cron.d/x ]'
is 'the folder of ours is no object' "$(status "$(presign get_object .stagefs/keys)")" 403
rm "$S/shadow" "$S/etc" "$S/fifo"

# ---- broken uploads

timeout 2 bash -c 'head -c 100000 /dev/zero; sleep 30' |
	timeout 1 curl -sS -T - "$(to my_stage broken)" >/dev/null 2>&1
ok 'a broken upload leaves nothing' '
	until_ok 60 "[ -z \"\$(find $T/data/.stagefs/tmp -type f)\" ]" &&
	! [ -e $S/broken ]'

# ---- constant memory

peak() {	# KiB that the daemon has ever had
	awk '/^VmHWM/ { print $2 }' "/proc/$(daemon_pids | head -n 1)/status"
}
before=$(peak)
ok 'a gigabyte that comes in chunks' '
	head -c 1G /dev/zero | curl -sSf -T - "$(to my_stage big)" &&
	[ "$(stat -c %s $S/big)" = 1073741824 ]'
ok 'and goes out' '[ "$(curl -sSf "$(down my_stage/big)" | wc -c)" = 1073741824 ]'
# Under a sanitizer memory that was freed is kept for a while.
ok 'takes less than 24 MiB of memory' '[ $(($(peak) - before)) -lt 24576 ]'
rm "$MNT/my_stage/big"

# ---- many at once

random_file "$LOCAL/load" 200000
cp "$LOCAL/load" "$MNT/my_stage/load"
is 'a thousand downloads at once, and each is whole' \
	"$(python3 "$HERE/load.py" get "$(down my_stage/load)" "$LOCAL/load" 1000 2>&1)" 1000
for n in $(seq 200); do
	to my_stage "up-$n"
	echo
done >"$T/urls"
is 'two hundred uploads at once' \
	"$(python3 "$HERE/load.py" put "$LOCAL/load" <"$T/urls" 2>&1)" 200
ok 'and each is there, and whole' '
	for n in $(seq 200); do cmp $LOCAL/load $S/up-$n || exit 1; done'

# ---- operators

like 'health' "$(curl -sS "$AT/health")" '"status":"ok"'
curl -sS "$AT/metrics" >"$T/metrics"
ok 'metrics count what was done' '
	[ "$(awk "/^stagefs_gateway_requests_total.kind=.object.,method=.GET.,status=.200./ { print \$2 }" $T/metrics)" -ge 1000 ]'
ok 'and tell no URL, no key, no name' '! grep -E "my_stage|X-Amz|http:" $T/metrics'

status "${URL/\?/%3f}" >/dev/null
ok 'the log tells requests' 'grep -q "GET /storage/stage/.*: status 200" $LOG'
ok 'and no query, nor one whose question mark was escaped' '
	grep -q "GET /storage/stage/.*%3f\.\.\.: status" $LOG && ! grep X-Amz- $LOG'

# ---- several of them

serve() {	# CONFIGURATION: in the background; SERVER
	timeout 120 "$STAGEFS" serve --config "$1" >"$T/serve.out" 2>"$T/serve.err" &
	SERVER=$!
	at_exit+=("kill $SERVER 2>/dev/null")
}
serve "$CONF"
ok 'another gateway of the same store shares the address' \
	'until_ok 10 "grep -q answers $T/serve.out"; grep -q "answers at $AT" $T/serve.out'
URL=$(down my_stage/books.parquet)
(
	exec 3<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' \
		"${URL#"$AT"}" "$PORT" >&3
	IFS= read -r -N 1 -u 3 first
	printf '%s' "$first"
	: >"$T/slow.begun"
	sleep 2
	cat <&3
) >"$T/slow" &
slow=$!
until_ok 60 '[ -e $T/slow.begun ]'
mount_down
ok 'the mount is gone' '! mounted'
wait $slow
ok 'a download that was under way has ended well' '
	tail -c 3000000 $T/slow | cmp - $LOCAL/books.parquet'
ok 'the other one takes over' 'until_ok 10 "curl -sSf -o /dev/null \"$URL\""'
kill -TERM "$SERVER"
wait "$SERVER"
is 'SIGTERM ends it well' $? 0

(ulimit -n 100 && exec timeout 60 "$STAGEFS" serve --config "$CONF") >"$T/serve.out" 2>"$T/serve.err" &
SERVER=$!
at_exit+=("kill $SERVER 2>/dev/null")
until_ok 10 "grep -q answers $T/serve.out"
ok 'where few files may be open the longest silent make room' '
	timeout 30 python3 -c "
import socket, urllib.request
held = [socket.create_connection((\"127.0.0.1\", $PORT)) for _ in range(200)]
print(urllib.request.urlopen(\"$AT/health\", timeout=10).status)" | grep -q 200'
kill -TERM "$SERVER"
wait "$SERVER"

# ---- keys, sockets, TLS

mount_up
URL=$(down my_stage/books.parquet)
ok 'the key is exchanged' '"$STAGEFS" keys rotate --config $CONF'
is 'the old URL dies' "$(status "$URL")" 403
like 'and says why' "$(cat "$T/answer")" '<Code>InvalidAccessKeyId</Code>'
ok 'a new one works' 'curl -sSf "$(down my_stage/books.parquet)" | cmp - $LOCAL/books.parquet'
mount_down

cat >"$T/activate.py" <<'END'
import os, socket, sys
notify, program, conf = sys.argv[1:]
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(64)
print(s.getsockname()[1], flush=True)
n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
n.bind(notify)
pid = os.fork()
if not pid:
    if s.fileno() != 3:
        os.dup2(s.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=notify)
    os.dup2(2, 1)
    os.execv(program, [program, 'serve', '--config', conf])
n.settimeout(20)
print(n.recv(100).decode(), flush=True)
sys.stdin.read()
os.kill(pid, 15)
print(n.recv(100).decode(), flush=True)
print('exit', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
mkfifo "$T/hold"
timeout 60 python3 "$T/activate.py" "$T/notify" "$STAGEFS" "$CONF" <"$T/hold" >"$T/activated" 2>"$T/serve.err" &
exec 4>"$T/hold"
ok 'a socket of a socket unit, and READY=1' 'until_ok 20 "grep -q READY=1 $T/activated"'
is 'is answered at' "$(status "http://127.0.0.1:$(head -n 1 "$T/activated")/health")" 200
exec 4>&-
ok 'STOPPING=1 at the end, which is a good one' '
	until_ok 20 "grep -q ^exit $T/activated"; grep -q STOPPING=1 $T/activated &&
	grep -q "^exit 0" $T/activated'

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
	-keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
chmod 600 "$T/key.pem"
TLS_PORT=$(free_port)
sed "s/^listen.*/listen = 0.0.0.0:$TLS_PORT\ntls_certificate = ${T//\//\\/}\/cert.pem\ntls_key = ${T//\//\\/}\/key.pem/" \
	"$CONF" >"$T/tls.conf"
chmod 600 "$T/tls.conf"
serve "$T/tls.conf"
ok 'HTTPS, beyond this machine' '
	until_ok 10 "curl -sSf --cacert $T/cert.pem https://localhost:$TLS_PORT/health"'
URL=$("$STAGEFS" presign @my_stage/books.parquet --config "$T/tls.conf" --format url)
like 'URLs are of that kind' "$URL" "^https://"
ok 'and work' 'curl -sSf --cacert $T/cert.pem "$URL" | cmp - $LOCAL/books.parquet'
tls() {		# VERSION: as s_client names it
	timeout 10 openssl s_client -connect "127.0.0.1:$TLS_PORT" "-$1" \
		-cipher ALL:@SECLEVEL=0 </dev/null >"$T/tls.out" 2>&1
}
ok 'TLS 1.2 and 1.3 are spoken' 'tls tls1_2 && tls tls1_3'
ok 'older versions are not' '! tls tls1_1 && grep -q CONNECTED $T/tls.out && ! tls tls1'
is 'plain HTTP gets nothing there' "$(status "http://127.0.0.1:$TLS_PORT/health" 2>/dev/null)" 000
kill -TERM "$SERVER"
wait "$SERVER"
sed -i '/^tls/d' "$T/tls.conf"
fails 'without TLS not' 'tls_certificate and tls_key, or allow_plain_http' \
	'timeout 20 "$STAGEFS" serve --config $T/tls.conf'
fails 'and a mount not at all' 'stagefs serve' \
	'mount_try -o listen=0.0.0.0:$TLS_PORT || { cat $T/mount.err; false; }'
chmod 644 "$T/key.pem"
printf 'tls_certificate = %s/cert.pem\ntls_key = %s/key.pem\n' "$T" "$T" >"$T/add"
sed -i "/^\[stagefs\]/r $T/add" "$T/tls.conf"
fails 'a key that others may read is refused' 'closed to others' \
	'timeout 20 "$STAGEFS" serve --config $T/tls.conf'
done_testing
