#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs presign`: directories, streams of names, and parts.
#
# Covers: cli/cmd_presign_input.c
. "$(dirname "$0")/lib.sh"
shopt -s lastpipe # `... | stream` sets RC here
start_server
good_config

# ---- a directory ----

for name in d/a d/b/c 'd/it is' dd; do
	printf '%s' "$name" | put "@ext/$name"
done
run presign --recursive @ext/d --format url
is 'a row for each file of a directory' \
	"$(sed 's/?.*//; s,.*/data/,,' "$DIR/out" | paste -sd ' ')" \
	'd/a d/b/c d/it%20is'
is 'each works' "$(xargs -n1 curl -sf <"$DIR/out" | paste -sd ' ')" 'd/ad/b/cd/it is'
run presign --recursive @ext/d/ --format json
holds 'JSON is one array of rows' python3 -c '
import json, sys
assert len(json.load(open(sys.argv[1]))) == 3' "$DIR/out"
run presign --recursive @ext --format url
is 'a whole stage' "$(wc -l <"$DIR/out")" 4
run presign upload --recursive @ext/d --format tsv
is 'uploads of what is there' "$(cut -f1 "$DIR/out" | sort -u)" PUT
run presign --recursive @ext/dd --format url
is 'a file is its own row' "$(xargs -n1 curl -sf <"$DIR/out")" dd
run presign --recursive @ext/none --format json
is 'nothing is no row' "$RC $(cat "$DIR/out")" '0 []'
fails 'a stage that is not there' 1 'does not exist' presign --recursive @no/d
fails 'a directory on a mount' 2 'takes a location' presign --recursive /mnt

# ---- standard input ----

# stream ARG... < names
stream() {
	timeout 60 "$STAGEFS" presign "$@" >"$DIR/out" 2>"$DIR/err"
	RC=$?
}

names() {
	sed 's/?.*//; s,.*/data/,,' "$DIR/out" | paste -sd ' '
}

printf '@ext/%s\n' a b/c 'it is' >"$DIR/names"
stream - --format url <"$DIR/names"
is 'a row for each line, in order' "$RC $(names)" '0 a b/c it%20is'
printf '@ext/a\n@ext/b' | stream - --format url
is 'the last line needs no end' "$RC $(names)" '0 a b'
printf '@ext/a\0@ext/b\nc\0' | stream - -0 --format url
is '-0: names end in NUL' "$RC $(names)" '0 a b%0Ac'
printf '@ext/a%%41\\ b"\x27$(id)\n' | stream - --format url
is 'a line is taken as it is' "$RC $(names)" '0 a%2541%5C%20b%22%27%24%28id%29'
printf '@ext/a\n@~/b\n@ext/c\n' | stream upload - --content-type a/b --format ndjson
is 'options hold for each' "$RC $(grep -c '"content-type":"a/b"' "$DIR/out")" '0 3'
printf '' | stream - --format json
is 'no line is no row' "$RC $(cat "$DIR/out")" '0 []'
printf '@ext/a\nb\n\n@ext/../c\n@no/d\n@ext\n@ext/e\n' | stream - --format url
is 'bad lines have no row, and the rest goes on' "$RC $(names)" '1 a e'
is 'each is told by its number' \
	"$(sed 's/^stagefs: standard input:\([0-9]*\): .*/\1/' "$DIR/err" | paste -sd ' ')" \
	'2 3 4 5 6'
holds 'with its reason' grep -q 'input:4: .*is not a name in a stage' "$DIR/err"
{
	echo @ext/a
	head -c 20000 /dev/zero | tr '\0' x
	printf '\n@ext/b\n@ext/c\0d\n'
} | stream - --format url
is 'a line without an end is one bad line' "$RC $(names)" '1 a b'
holds 'that is told' grep -q 'input:2: a location of over' "$DIR/err"
holds 'and so is a NUL' grep -q 'input:4: a NUL byte' "$DIR/err"
holds 'a program may ask and read in turn' timeout 30 python3 -c '
import subprocess, sys
p = subprocess.Popen([sys.argv[1], "presign", "-", "--format", "url"],
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for name in "a", "b", "c":
    p.stdin.write(b"@ext/%s\n" % name.encode())
    p.stdin.flush()
    assert ("/data/%s?" % name).encode() in p.stdout.readline()
p.stdin.close()
assert p.wait() == 0' "$STAGEFS"
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1 \
	holds 'many names in constant memory' python3 -c '
import resource, subprocess, sys
def run(count):
    p = subprocess.Popen([sys.argv[1], "presign", "-", "--format", "url"],
                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    names = b"".join(b"@ext/%055d\n" % i for i in range(1000))
    for _ in range(count // 1000):
        p.stdin.write(names)
    p.stdin.close()
    _, status, usage = __import__("os").wait4(p.pid, 0)
    assert status == 0, status
    return usage.ru_maxrss, usage.ru_utime + usage.ru_stime
small, _ = run(1000)
large, seconds = run(200000)
print("%d KiB, %d KiB, %.1f s" % (small, large, seconds))
assert large < small + 8192' "$STAGEFS"
stream - <"$DIR/names" >/dev/null
fails '-0 without a stream' 2 '0 is for' presign -0 @ext/a
fails '--recursive with a stream' 2 'reads names' presign --recursive -
printf '@ext/a\n' >"$DIR/one"
timeout 20 "$STAGEFS" presign - <"$DIR/one" >/dev/full 2>"$DIR/err"
is 'an output that is full ends it' "$? $(grep -c 'cannot write: No space' "$DIR/err")" '1 1'

# ---- parts ----

head -c 12000000 /dev/urandom >"$DIR/big"
run presign upload @ext/big.bin --parts 2 --content-length 12000000 \
	--content-type text/x --meta who=me
holds 'parts by URL make the file' python3 -c '
import json, sys, urllib.request
row = json.load(open(sys.argv[1]))
data = open(sys.argv[2], "rb").read()
assert row["part_size"] == 6000000 and row["warnings"] == []
def send(item, body):
    request = urllib.request.Request(item["url"], body, item["headers"],
                                     method=item["method"])
    return urllib.request.urlopen(request)
tags = []
for part in row["parts"]:
    at = (part["part_number"] - 1) * row["part_size"]
    answer = send(part, data[at:at + part["size"]])
    tags.append((part["part_number"], answer.headers["ETag"]))
body = "<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % "".join(
    "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>" % t for t in tags)
print(send(row["complete"], body.encode()).read())' "$DIR/out" "$DIR/big"
run presign @ext/big.bin --format url
holds 'with all its bytes' sh -c "curl -sf '$(cat "$DIR/out")' | cmp - '$DIR/big'"
is 'and its metadata' "$(curl -sf -D - -o /dev/null "$(cat "$DIR/out")" | tr -d '\r' |
	sed -n 's/^x-amz-meta-who: //Ip; s/^content-type: //Ip' | sort | paste -sd ' ')" 'me text/x'
run presign upload @ext/dropped --parts 3 --format ndjson
holds 'the abort URL ends it' python3 -c '
import json, sys, urllib.error, urllib.request
row = json.load(open(sys.argv[1]))
def send(item):
    return urllib.request.urlopen(urllib.request.Request(
        item["url"], method=item["method"], data=b"x" if item["method"] == "PUT" else None)).status
assert send(row["parts"][2]) == 200
assert send(row["abort"]) == 204
try:
    send(row["parts"][2])
except urllib.error.HTTPError as e:
    assert e.code == 404, e
else:
    sys.exit("the upload is still there")' "$DIR/out"
fails 'parts of a download' 2 'for uploads' presign @ext/a --parts 2
fails 'parts as a table' 2 'prints JSON' presign upload @ext/a --parts 2 --format url
fails 'too many parts' 2 'parts = 10001' presign upload @ext/a --parts 10001
fails 'parts that are too small' 1 'a part has 5242880 to 5368709120' \
	presign upload @ext/a --parts 2 --content-length 100
fails 'a checksum of the whole' 1 'not for parts' \
	presign upload @ext/a --parts 2 --checksum crc32c=AAAAAA==
finish
