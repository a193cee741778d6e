#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The upload API of a mounting daemon: into folders of this machine and on into
# an object store, by curl and by python's requests, seen by the mount at once.
. "$(dirname "$0")/lib.sh"

HASH=$(echo 'correct horse' | "$STAGEFS" passwd) || bail 'no hash'
PORT=$(free_port)
API=http://127.0.0.1:$PORT/v1/upload_to_stage
mkdir -m 755 "$T/data"
chmod 755 "$T"
(umask 077 && cat >"$CONF") <<END
[stagefs]
user = tester
log = $LOG
log_level = debug
spill_dir = $T/spill
listen = 127.0.0.1:$PORT
memory = 32M
allow_other = yes
[storage]
url = fs://$T/data/
[stage ext]
url = s3://$BUCKET/$EXT
$(connection)
upload_api = yes
[stage shut]
url = s3://$BUCKET/${PREFIX}shut/
$(connection)
[user bob]
password_hash = $HASH
write = my_stage ext shut
END
mount_up
mkdir "$MNT/my_stage"
random_file "$LOCAL/books.parquet" 3000000
random_file "$LOCAL/large" 30000000
printf 'a,b\n' >"$LOCAL/a.csv"

# up CURL-ARGUMENT...: `STATUS BODY`.
up() {
	timeout 600 curl -sS -o "$T/answer" -w '%{http_code} ' "$@" "$API" &&
		cat "$T/answer"
}
BOB=(-u 'bob:correct horse')

# ---- as the document has it

like 'curl -F by PUT, as root without a password' \
	"$(up -u root: -XPUT -H stage_name:my_stage -F "upload=@$LOCAL/books.parquet")" \
	'^200 \{"id":"[-0-9a-f]{36}","stage_name":"my_stage","state":"SUCCESS","files":\["books.parquet"\]\}$'
ok 'the mount has it at once' 'cmp $LOCAL/books.parquet $MNT/my_stage/books.parquet'
ok 'and the folder' \
	'cmp $LOCAL/books.parquet $T/data/stage/internal/my_stage/books.parquet'
like 'by POST, without any login, with the other names of the headers' \
	"$(up -H x-databend-stage-name:my_stage -H x-databend-relative-path:x/y \
		-F "f=@$LOCAL/a.csv")" '^200 .*"files":\["a.csv"\]'
ok 'in its folder' 'cmp $LOCAL/a.csv $MNT/my_stage/x/y/a.csv'
ls "$MNT/my_stage" >"$T/.out"
like 'several files in one request' \
	"$(up -H stage_name:my_stage -H relative_path:many \
		-F "a=@$LOCAL/a.csv" -F "b=@$LOCAL/large" -F "c=@$LOCAL/a.csv;filename=c d.csv")" \
	'^200 .*"files":\["a.csv","large","c d.csv"\]'
ok 'each of them whole' '
	cmp $LOCAL/a.csv $MNT/my_stage/many/a.csv &&
	cmp $LOCAL/large $MNT/my_stage/many/large &&
	cmp $LOCAL/a.csv "$MNT/my_stage/many/c d.csv"'
like 'the user stage' "$(up -H stage_name:~ -F "upload=@$LOCAL/a.csv")" '^200 '
ok 'is the mount'"'"'s' 'cmp $LOCAL/a.csv $MNT/~/a.csv'
like 'the user stage of who has come with a password' \
	"$(up "${BOB[@]}" -H stage_name:~ -F "upload=@$LOCAL/a.csv;filename=b.csv")" '^200 '
ok 'is theirs' 'cmp $LOCAL/a.csv $T/data/stage/user/bob/b.csv && ! [ -e $MNT/~/b.csv ]'

# ---- an object store

like 'into a stage of an object store, with a password' \
	"$(up "${BOB[@]}" -H stage_name:ext -H relative_path:d \
		-F "upload=@$LOCAL/large" -F "upload=@$LOCAL/a.csv")" \
	'^200 .*"files":\["large","a.csv"\]'
ok 'another client finds them' '
	s3 get ${EXT}d/large | cmp - $LOCAL/large &&
	s3 get ${EXT}d/a.csv | cmp - $LOCAL/a.csv'
ok 'and the mount' 'cmp $LOCAL/large $MNT/ext/d/large'
ok 'with its type' '
	up "${BOB[@]}" -H stage_name:ext -F "upload=@$LOCAL/a.csv;type=text/csv;filename=t.csv" &&
	[ "$(xa user.stage.content_type $MNT/ext/t.csv)" = text/csv ]'
like 'not without a password' \
	"$(up -H stage_name:ext -F "upload=@$LOCAL/a.csv;filename=no")" \
	'^401 \{"error":\{"code":5100,"message":"stage ext is not on this machine'
like 'not where upload_api is not set' \
	"$(up "${BOB[@]}" -H stage_name:shut -F "upload=@$LOCAL/a.csv;filename=no")" \
	'^403 \{"error":\{"code":403,"message":"stage shut takes no uploads'

# ---- who is refused

like 'a wrong password' \
	"$(up -u bob:wrong -H stage_name:my_stage -F "upload=@$LOCAL/a.csv;filename=no")" \
	'^401 \{"error":\{"code":5100,"message":"wrong user or password"\}\}$'
like 'a user who is none' \
	"$(up -u eve:wrong -H stage_name:my_stage -F "upload=@$LOCAL/a.csv;filename=no")" \
	'^401 .*"wrong user or password"'
cp "$LOCAL/a.csv" "$T/for-all.csv" && chmod 644 "$T/for-all.csv"
like 'another user of this machine' \
	"$(runuser -u nobody -- curl -sS -w ' %{http_code}' -H stage_name:my_stage \
		-F "upload=@$T/for-all.csv;filename=no" "$API")" \
	'"code":5100,.*programs of root and of the server.s own user.* 401$'
like 'another user of this machine who says root' \
	"$(runuser -u nobody -- curl -sS -w ' %{http_code}' -u root: -H stage_name:my_stage \
		-F "upload=@$T/for-all.csv;filename=no" "$API")" ' 401$'
# Its socket is root's in the kernel's books once it has closed it.
runuser -u nobody -- python3 - "$PORT" <<'END'
import socket, sys
for _ in range(50):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    body = (b"--b\r\nContent-Disposition: form-data; name=u; filename=no\r\n\r\n"
            b"x\r\n--b--\r\n")
    s.sendall(b"PUT /v1/upload_to_stage HTTP/1.1\r\nHost: localhost\r\n"
              b"stage_name: my_stage\r\n"
              b"Content-Type: multipart/form-data; boundary=b\r\n"
              b"Content-Length: %d\r\n\r\n" % len(body) + body)
    s.close()
END
sleep 1
like 'another user with a password' \
	"$(runuser -u nobody -- curl -sS -w ' %{http_code}' "${BOB[@]}" -H stage_name:my_stage \
		-F "upload=@$T/for-all.csv;filename=nobody.csv" "$API")" ' 200$'
like 'a page of another origin' \
	"$(up -H Origin:http://evil.example -H stage_name:my_stage \
		-F "upload=@$LOCAL/a.csv;filename=no")" '^403 '
like 'a way out' \
	"$(up -H stage_name:my_stage -F "upload=@$LOCAL/a.csv;filename=../../no")" \
	'^500 .*leads out of its folder'
like 'no @ before the file' \
	"$(up -H stage_name:my_stage -F "upload=$LOCAL/a.csv")" \
	'^400 .*expected a file upload with a filename'
like 'no stage' "$(up -F "upload=@$LOCAL/a.csv;filename=no")" \
	'^400 \{"error":\{"code":400,"message":"\[HTTP-STAGE\] Missing required parameter'
like 'a stage that is not there' \
	"$(up -H stage_name:nowhere -F "upload=@$LOCAL/a.csv;filename=no")" \
	'^500 .*Unknown stage nowhere'
is 'nothing of them is there' "$(find "$T/data" -name no; s3 list "$PREFIX" | grep -w no)" ''

# ---- another client

ok 'python requests' 'python3 - "$API" "$LOCAL" <<"END"
import requests, sys
api, local = sys.argv[1:]
with open(local + "/large", "rb") as large:
    r = requests.put(api, headers={"stage_name": "my_stage", "relative_path": "py"},
                     files=[("u", ("große.bin", large)), ("v", ("two.csv", b"1,2"))],
                     timeout=60)
assert r.status_code == 200, r.text
assert r.json()["state"] == "SUCCESS", r.text
assert r.json()["files"] == ["große.bin", "two.csv"], r.text
r = requests.post(api, headers={"stage_name": "ext"}, timeout=60,
                  auth=("bob", "correct horse"), files={"u": ("py.csv", b"3,4")})
assert r.status_code == 200, r.text
r = requests.put(api, headers={"stage_name": "my_stage"}, timeout=60,
                 auth=("bob", "wrong"), files={"u": ("no", b"3,4")})
assert r.status_code == 401 and r.json()["error"]["code"] == 5100, r.text
END'
ok 'its files are there' '
	cmp $LOCAL/large "$MNT/my_stage/py/große.bin" &&
	[ "$(cat $MNT/my_stage/py/two.csv)" = 1,2 ] &&
	[ "$(s3 get ${EXT}py.csv)" = 3,4 ]'

# ---- large, many, broken off

hwm() {		# MiB
	awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$(daemon_pids)/status"
}
# From here on the most that it takes counts.
echo 5 >"/proc/$(daemon_pids)/clear_refs"
truncate -s 1G "$LOCAL/gigabyte"
like 'a gigabyte' \
	"$(up "${BOB[@]}" -H stage_name:ext -F "upload=@$LOCAL/gigabyte")" '^200 '
ok 'is there' '[ "$(stat -c %s $MNT/ext/gigabyte)" = 1073741824 ]'
ok 'a stream of unknown length' 'python3 - "$PORT" <<"END"
import base64, http.client, sys
def body():
    yield (b"--b\r\nContent-Disposition: form-data; name=u; filename=stream\r\n"
           b"\r\n")
    for _ in range(300):
        yield bytes(1 << 20)
    yield b"\r\n--b--\r\n"
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=600)
c.request("PUT", "/v1/upload_to_stage", body=body(), encode_chunked=True, headers={
    "stage_name": "ext", "Transfer-Encoding": "chunked",
    "Authorization": "Basic " + base64.b64encode(b"bob:correct horse").decode(),
    "Content-Type": "multipart/form-data; boundary=b"})
r = c.getresponse()
text = r.read()
assert r.status == 200, text
END'
ok 'is there too' '[ "$(stat -c %s $MNT/ext/stream)" = 314572800 ]'
if grep -qE '__[at]san_init' "$STAGEFS"; then
	skip 'all that within 96 MiB' 'a sanitizer needs more'
else
	ok 'all that within 96 MiB' 'hwm; [ "$(hwm)" -le 96 ]'
fi

ok 'an upload that is broken off' '
	timeout 2 curl -sS --limit-rate 8M "${BOB[@]}" -H stage_name:ext \
		-F "upload=@$LOCAL/gigabyte;filename=broken" "$API"
	timeout 2 curl -sS --limit-rate 8M -H stage_name:my_stage \
		-F "upload=@$LOCAL/gigabyte;filename=broken" "$API"
	true'
ok 'leaves nothing' '
	until_ok 60 "[ -z \"\$(s3 uploads $PREFIX)\" ]" &&
	! s3 list "$PREFIX" | grep broken &&
	! find $T/data -name "*broken*" | grep . &&
	until_ok 60 "[ -z \"\$(find $T/data/.stagefs -size +1M)\" ]"'

ok '200 uploads at once' '
	mkdir $T/crowd
	for i in $(seq 200); do
		stage=my_stage
		[ $((i % 4)) = 0 ] && stage=ext
		printf "file %s\n" $i >$T/crowd/$i
		echo "$stage $i"
	done >$T/list
	xargs -P 200 -L 1 bash -c "
		curl -sS --retry 0 -m 600 -o $T/crowd/\$1.out -w \"%{http_code}\n\" \
			-u \"bob:correct horse\" -H stage_name:\$0 -H relative_path:crowd \
			-F upload=@$T/crowd/\$1 $API" <$T/list >$T/codes
	sort $T/codes | uniq -c
	[ "$(sort $T/codes | uniq -c | awk "{ print \$1, \$2 }")" = "200 200" ]'
ok 'nothing of them is lost' '
	while read -r stage i; do
		cmp $T/crowd/$i $MNT/$stage/crowd/$i || exit 1
	done <$T/list'

# ---- the mount and the gateway in one memory

memory() {	# bytes, peak_bytes, limit_bytes
	curl -sS "http://127.0.0.1:$PORT/metrics" |
		awk -v name="stagefs_memory_$1" '$1 == name { print $2 }'
}
ok 'uploads, copies and reads at once' '
	for i in $(seq 4); do
		timeout 600 curl -sS -f -o /dev/null "${BOB[@]}" -H stage_name:ext \
			-F "upload=@$LOCAL/large;filename=up.$i" "$API" &
		echo $! >>$T/at-once
		timeout 600 cp "$LOCAL/large" "$MNT/ext/copy.$i" &
		echo $! >>$T/at-once
		timeout 600 cmp "$LOCAL/large" "$MNT/ext/d/large" &
		echo $! >>$T/at-once
	done
	while read -r pid; do
		wait $pid || exit 1
	done <$T/at-once'
ok 'are whole' '
	for i in $(seq 4); do
		s3 get ${EXT}up.$i | cmp - $LOCAL/large &&
			s3 get ${EXT}copy.$i | cmp - $LOCAL/large || exit 1
	done'
is 'memory is what was set' "$(memory limit_bytes)" $((32 << 20))
ok 'and all of it is of one account' '
	memory peak_bytes
	[ $(memory peak_bytes) -le $((32 << 20)) ] &&
		[ $(memory peak_bytes) -gt $((16 << 20)) ]'
# No upload is under way: what is in memory is what the mount has read, of a
# file that is in no memory of the kernel.
s3 put "${EXT}fresh" "$LOCAL/large"
ok 'the mount has its part in it' '
	until_ok 60 "cmp $MNT/ext/fresh $LOCAL/large" && [ $(memory bytes) -gt 0 ]'

# ---- the gateway alone, with all of its stages in an object store

PORT2=$(free_port)
API=http://127.0.0.1:$PORT2/v1/upload_to_stage
(umask 077 && cat >"$T/serve.conf") <<END
[stagefs]
user = tester
listen = 127.0.0.1:$PORT2
log = $LOG.serve
[storage]
url = s3://$BUCKET/$STORAGE
$(connection)
upload_api = yes
[user bob]
password_hash = $HASH
write = books
END
"$STAGEFS" sql --config "$T/serve.conf" 'CREATE STAGE books' || bail 'no stage'
"$STAGEFS" serve --config "$T/serve.conf" >"$T/serve.out" 2>&1 &
SERVER=$!
until_ok 60 "grep -q 'answers at' $T/serve.out" || bail "no server: $(cat "$T/serve.out")"
like 'into an internal stage of an object store' \
	"$(up "${BOB[@]}" -H stage_name:books -F "upload=@$LOCAL/large")" '^200 '
like 'and into the stage of who sends it' \
	"$(up "${BOB[@]}" -H stage_name:~ -F "upload=@$LOCAL/a.csv")" '^200 '
ok 'another client finds them' '
	s3 get ${INTERNAL_PREFIX}books/large | cmp - $LOCAL/large &&
	s3 get ${STORAGE}stage/user/bob/a.csv | cmp - $LOCAL/a.csv'
timeout 300 curl -sS --limit-rate 5M "${BOB[@]}" -H stage_name:books \
	-F "upload=@$LOCAL/gigabyte;filename=broken" "$API" >/dev/null 2>&1 &
CLIENT=$!
ok 'a server that is stopped' "
	until_ok 60 '[ -n \"\$(s3 uploads $PREFIX)\" ]' &&
	kill $SERVER && sleep 1 && kill $SERVER
	until_ok 60 '! kill -0 $SERVER'"
wait $CLIENT $SERVER
is 'leaves no upload behind' "$(s3 uploads "$PREFIX"; s3 list "$PREFIX" | grep broken)" ''
ok 'no password is in the log' '! grep -F "correct horse" $LOG*'
done_testing
