#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs get` and `stagefs put` against the stand-in server: what they name,
# what they do when the server misbehaves, and rows from elsewhere.
#
# Covers: cli/cmd_transfer.c transfer/transfer.c transfer/transfer_file.c
# Covers: transfer/transfer_find.c transfer/transfer_get.c transfer/transfer_index.c
# Covers: transfer/transfer_local.c transfer/transfer_plan.c
# Covers: transfer/transfer_put.c transfer/transfer_remote.c
# Covers: transfer/transfer_sink.c transfer/transfer_walk.c
. "$(dirname "$0")/lib.sh"
start_server
good_config
L=$DIR/local
mkdir -p "$L"
cd "$L" || exit 1

# files DIR: its files with their sums, in order.
files() {
	(cd "$1" && find . -type f | LC_ALL=C sort | sed 's|^\./||' | tr '\n' ' ')
}
names() {
	"$STAGEFS" list "$1" | cut -f1 | tr '\n' ' '
}
quiet() {
	[ "$RC" = 0 ] && [ ! -s "$DIR/err" ]
}
fault() {
	admin _fault "$1" >/dev/null
}
reset() {
	admin _reset x >/dev/null
}

# ---- one file ----

printf 'hello' >a.txt
run put a.txt @ext
holds 'put of a file is silent' quiet
is 'it goes into the stage under its name' "$(names @ext)" 'a.txt '
run put a.txt @ext/d/e
is 'a path is a directory, as for PUT of Databend' "$(names @ext)" 'a.txt d/e/a.txt '
run put a.txt @ext/other.txt --exact
is '--exact: the path is the name' "$(names @ext/other)" 'other.txt '
mkdir out
run get @ext/a.txt out
holds 'get of a file is silent' quiet
is 'and brings it' "$(cat out/a.txt)" hello
run get @ext/a.txt out/b.txt
is 'under another name' "$(cat out/b.txt)" hello
run get @ext/d/e/a.txt new/dir/
is 'directories are made when the target ends in a slash' "$RC$(cat new/dir/a.txt)" 0hello
is 'no part is left' "$(find . -name '*.part*')" ''
run get @ext/a.txt -
is 'a dash is standard output' "$(cat "$DIR/out")" hello
printf 'piped' | "$STAGEFS" put - @ext/piped.txt
is 'and standard input' "$("$STAGEFS" get @ext/piped.txt -)" piped
: >empty
run put /proc/self/cmdline @ext/proc && run get @ext/proc/cmdline -
holds 'a file that only says it is empty' grep -q put "$DIR/out"
run put empty @ext && run get @ext/empty out
is 'an empty file' "$RC $(stat -c %s out/empty)" '0 0'
run put "a.txt" '@ext/q u'\''o,t"e'
is 'a directory with odd bytes' "$("$STAGEFS" get '@ext/q u'\''o,t"e/a.txt' -)" hello
run put a.txt @ext --content-type text/csv
is '--content-type is the object'\''s' "$(curl -s -D - -o "$DIR/x" "$("$STAGEFS" presign @ext/a.txt --format url)" |
	tr -d '\r' | sed -n 's/^content-type: //Ip')" text/csv
is 'requests of bytes carry no Authorization' "$(admin _requests | python3 -c '
import json, sys
print(sum("authorization" in r["headers"] for r in json.load(sys.stdin)
      if "X-Amz-Signature" in r["query"]))')" 0

# ---- directories and globs ----

mkdir -p tree/sub/deep tree/void
for f in tree/one tree/sub/two tree/sub/deep/three 'tree/sp ace' tree/ü.csv; do
	printf '%s' "$f" >"$f"
done
ln -s one tree/link
fails 'a directory wants --recursive' 1 'cannot upload tree: a directory' put tree @ext/t
run put -r tree @ext/t
holds 'put of a tree' quiet
run get -r @ext/t/tree back
holds 'get of a tree' quiet
rm tree/link
printf tree/one >tree/link
holds 'comes back as it was, the empty directory too' diff -r tree back/tree
run get -r @ext/t/tree/ flat
holds 'a trailing slash means what is in it' diff -r tree flat
run put -r tree/ @ext/t2
is 'for put as well' "$(names @ext/t2/sub)" 't2/sub/deep/three t2/sub/two '
fails 'get of a directory wants it too' 1 'cannot download @ext/t: a directory' get @ext/t out
run put 'tree/*' @ext/g --quiet
is 'put leaves directories of a pattern out, and says so' "$RC $(wc -l <"$DIR/err")" '1 2'
is 'the others go' "$(names @ext/g/)" 'g/link g/one g/sp ace g/ü.csv '
fails 'a pattern that matches nothing' 1 'cannot upload x\*: no file matches' put 'x*' @ext
run get '@ext/g/?.csv' globbed
is 'a question mark is a character' "$(files globbed)" 'ü.csv '
run get '@ext/g/[lo]*' globbed2
is 'a set, and a star' "$(files globbed2)" 'link one '
run get -r '@ext/t/*/s*' globbed3
is 'stars in directories, with --recursive' "$(files globbed3)" 'sp ace sub/deep/three sub/two '
fails 'nothing matches' 1 'cannot download @ext/zz\*: no file of the stage matches' get '@ext/zz*' out
printf star >'a*b'
run put --no-glob 'a*b' @ext/s
run get --no-glob '@ext/s/a*b' out
is '--no-glob takes a name as it is' "$(cat 'out/a*b')" star
run get '@ext/s/a\*b' -
is 'so does a backslash' "$RC$(cat "$DIR/out")" 0star
run get '@ext/s/a*' -
is 'what matches goes to standard output' "$RC$(cat "$DIR/out")" 0star
run get -r @ext/s -
is 'and so do the files of a directory' "$RC$(cat "$DIR/out")$(find . -name -)" 0star
run get @ext/a.txt @ext/d/e/a.txt twice
is 'two files of one name: one of them is refused' "$RC $(grep -c 'has that name here already' "$DIR/err")" '1 1'
mkdir -p meet/a meet/b && echo a >meet/a/f && echo b >meet/b/f
run put meet/a/f meet/b/f @ext/meet
is '... there as well' "$RC $(cat "$DIR/err")" \
	'1 stagefs: cannot upload meet/b/f: another file has that name there already'
run put -r meet/a/ meet/b/ @ext/meet
is '... of trees' "$RC $(grep -c 'has that name there already' "$DIR/err")" '1 1'
run put 'meet/*/f' @ext/meet
is '... and of a pattern' "$RC $(grep -c 'has that name there already' "$DIR/err")" '1 1'
run get @ext/meet/f -
is 'the first one is there' "$(cat "$DIR/out")" a
{ "$STAGEFS" get @ext/meet/f /dev/stdout && echo behind; } >"$DIR/out" 2>&1
is '/dev/stdout is standard output, a file as well' "$(paste -sd ' ' "$DIR/out")" 'a behind'
run get @ext/a.txt @ext/nix @ext/other.txt some
is 'one that is missing does not stop the others' "$RC $(files some)" '1 a.txt other.txt '
is 'and has its line' "$(cat "$DIR/err")" 'stagefs: cannot download @ext/nix: no such file'

# ---- files that are there ----

printf old >out/a.txt
run get @ext/a.txt out --no-clobber
is '--no-clobber leaves it' "$RC$(cat out/a.txt)" 0old
chmod 600 out/a.txt
run get @ext/a.txt out
is 'else it is replaced, its mode kept' "$(cat out/a.txt) $(stat -c %a out/a.txt)" 'hello 600'
inode=$(stat -c %i out/a.txt)
run get @ext/a.txt out --skip-existing
is '--skip-existing passes over what is equal' "$RC $(stat -c %i out/a.txt)" "0 $inode"
printf jello >out/a.txt
run get @ext/a.txt out --skip-existing
is 'and not over what has the same size' "$(cat out/a.txt)" hello
reset
run put a.txt @ext --skip-existing
is 'put too' "$RC $(admin _requests | grep -c '"method": "PUT"')" '0 0'
printf world >a.txt
run put a.txt @ext --skip-existing
is 'what is new goes' "$("$STAGEFS" get @ext/a.txt -)" world
long=$(printf 'n%.0s' {1..255})
run put a.txt "@ext/$long" --exact
run get "@ext/$long" out
is 'a name of 255 bytes' "$RC$(cat "out/$long")" 0world
rm "out/$long"
ln -s a.txt out/link
run get @ext/other.txt out/link
is 'a symbolic link stays one' "$(readlink out/link) $(cat out/a.txt)" 'a.txt hello'
: >foreign.part
printf keep >foreign.part
run put a.txt @ext/foreign --exact
fails 'a .part that is not ours is left alone' 1 'is in the way' get @ext/foreign foreign
is 'with what is in it' "$(cat foreign.part)" keep
mkdir -p clash/a.txt
fails 'a directory in the place of a file' 1 'cannot download @ext/a.txt to clash/a.txt: .*Is a directory' get @ext/a.txt clash

# ---- a server that misbehaves ----

head -c 20000000 /dev/urandom >big
run put big @ext
holds 'put of a file of many parts' quiet
mkdir f
run get @ext/big f
holds 'and get, in ranges' cmp big f/big
rm f/big
reset
fault '{"match": {"method": "GET", "key": "big", "nth": 2}, "action": {"type": "cut", "after": 1000000}}'
run get @ext/big f
holds 'a body that is cut is gone on with' cmp big f/big
rm f/big
reset
fault '[{"match": {"method": "GET", "key": "big"}, "action": {"type": "status", "status": 503, "code": "SlowDown"}},
	{"match": {"method": "GET", "key": "big", "nth": 2}, "action": {"type": "reset", "when": "body", "after": 70000}},
	{"match": {"method": "PUT"}, "action": {"type": "status", "status": 503, "code": "SlowDown"}}]'
run get @ext/big f
holds '503 and a reset are tried again' cmp big f/big
run put a.txt @ext/again
is 'for put as well' "$RC $("$STAGEFS" get @ext/again/a.txt -)" '0 world'
reset

printf before >f/big
# ---- answers that are not of the size that is known ----

G='"method": "GET", "key": "a.txt", "count": 0'
odd() {	# ACTION
	rm -f out/odd
	fault '{"match": {'"$G"'}, "action": {"type": "no_length", '"$1"'}}'
	run get @ext/a.txt out/odd
	reset
}
odd '"as": "whole"'
is 'a body that tells no length comes whole' "$RC $(cat out/odd)" '0 world'
odd '"append": 7'
is 'one that is longer than listed is an error, soon' \
	"$RC $(grep -c 'longer than the object' "$DIR/err") $(ls out/odd 2>&1 | grep -c 'No such')" '1 1 1'
odd '"close": true'
is 'one whose end cannot be told is an error' \
	"$RC $(grep -c 'does not say where it ends' "$DIR/err")" '1 1'
odd '"headers": {"Content-Encoding": "gzip"}'
is 'one that was packed on the way is an error' \
	"$RC $(grep -c 'encoded on the way' "$DIR/err")" '1 1'
rm -f out/odd
fault '{"match": {"method": "GET", "query": "list-type", "count": 0},
	"action": {"type": "rewrite", "from": "<ETag>.", "to": "<ETag>X-"}}'
run get -r @ext/d out/etags
is 'a listing with ETags of its own does for get' "$RC $(files out/etags)" '0 d/e/a.txt '
reset
"$STAGEFS" presign @ext/a.txt --format json >row.json
row() {	# ACTION
	rm -f out/odd
	fault '{"match": {'"$G"'}, "action": {"type": "no_length", '"$1"'}}'
	run get --row row.json out/odd
	reset
}
row '"as": "whole"'
is 'by a URL too: whole' "$RC $(cat out/odd)" '0 world'
row '"as": "whole", "close": true'
is 'by a URL too: no end that can be told' "$RC $(ls out/odd 2>&1 | grep -c 'No such')" '1 1'

fault '{"match": {"method": "GET", "key": "big", "nth": 2, "count": 0}, "action": {"type": "status", "status": 412, "code": "PreconditionFailed"}}'
fails 'an object that changes between ranges is an error' 1 \
	'cannot download @ext/big to f/big: the object changed meanwhile' get @ext/big f
is 'and leaves the file that was there, and no part' "$(cat f/big) $(ls f)" 'before big'
reset
fault '{"match": {"method": "GET", "key": "big", "nth": 2, "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied",
	"message": "Request has expired, see http://h/?X-Amz-Signature=1"}}'
fails 'an error has the code of the store and no URL' 1 \
	'^stagefs: cannot download @ext/big to f/big: AccessDenied \(HTTP 403\)$' get @ext/big f
is 'what came is kept for the next run' "$(cat f/big) $(ls f | tr '\n' ' ')" 'before big big.part big.part.state '
reset
run get @ext/big f
holds 'which goes on' cmp big f/big
is 'without the first range' "$(admin _requests | python3 -c '
import json, sys
ranges = [r["headers"].get("range") for r in json.load(sys.stdin)
          if r["method"] == "GET" and "X-Amz-Signature" in r["query"]]
print(len(ranges), None in ranges, any(r.startswith("bytes=0-") for r in ranges if r))')" '2 False False'
is 'and nothing is left' "$(ls f)" big
rm f/big
fault '{"match": {"method": "GET", "key": "big", "nth": 2, "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied"}}'
run get @ext/big f
reset
head -c 20000000 /dev/zero >big2
cp big2 changed
run put changed @ext/big --exact
run get @ext/big f
holds 'a new object is not mixed with an old part' cmp big2 f/big
fault '{"match": {"method": "PUT", "query": "partNumber=2", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied"}}'
fails 'a part that is refused' 1 'cannot upload big to @ext/big: AccessDenied' put big @ext
run put --abort big @ext
is 'and given up is aborted' "$(admin _requests | python3 -c '
import json, sys
print(sum(r["method"] == "DELETE" and "uploadId" in r["query"] for r in json.load(sys.stdin)))')" 1
run get @ext/big f
holds 'and the object is as it was' cmp big2 f/big
reset
mkdir -p many/sub
for n in $(seq 1997); do echo "$n" >"many/$n"; done
for n in a b c; do echo "$n" >"many/sub/$n"; done
run put -r many @ext/there
reset
run put -r --skip-existing many @ext/there
is '--skip-existing lists what is there: 2,000 files, 2 requests' "$RC $(admin _requests | grep -o '"method"' | wc -l)" '0 2'
echo new >many/sub/a
rm many/7 && echo another >many/1998
run put -r --skip-existing many/ @ext/there/many
is '... and sends what is new' "$RC $("$STAGEFS" get @ext/there/many/sub/a -) $("$STAGEFS" get @ext/there/many/1998 -)" '0 new another'
reset
run put --skip-existing many/1 many/2 many/3 @ext/there/many
is '... of a few files too, if the directory is not large' "$RC $(admin _requests | grep -o '"method": "[A-Z]*"' | sort | uniq -c | tr -s ' \n' ' ')" '0  2 "method": "GET" '
reset
run put --skip-existing many/1 @ext/there/many
is '... while one is asked for' "$RC $(admin _requests | grep -c '"HEAD"')" '0 1'
fault '{"match": {"query": "list-type=2", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied"}}'
run put --skip-existing many/1 many/2 many/3 many/sub/b @ext/there/many
is '... and each where keys may not list' "$RC $("$STAGEFS" get @ext/there/many/b -)" '0 b'
reset
run put big @ext --skip-existing
run put big @ext --skip-existing
is '--skip-existing knows the ETag of parts' "$RC $(admin _requests | grep -c 'partNumber=1"')" '0 0'

# ---- rows ----

row() {
	"$STAGEFS" presign "$@"
}
mkdir rows
printf row >r.txt
for format in json ndjson tsv csv url; do
	row upload @ext/rows/$format --format $format >"$DIR/row"
	STAGEFS_CONFIG=/nonexistent run put r.txt --row "$DIR/row"
	is "put by a row as $format, without a configuration" "$RC$(cat "$DIR/err")" 0
	row @ext/rows/$format --format $format >"$DIR/row"
	STAGEFS_CONFIG=/nonexistent timeout 60 "$STAGEFS" get --row - rows/$format <"$DIR/row"
	is "get by a row as $format, from standard input" "$(cat rows/$format)" row
done
row @ext/rows/tsv --header >"$DIR/row"
run get --row "$DIR/row" rows/h
is 'TSV with a header' "$(cat rows/h)" row
row upload @ext/rows/typed --content-type 'text/x; a="b,c"' --format csv --header >"$DIR/row"
run put r.txt --row "$DIR/row"
is 'CSV with a header, and quotes and commas in a cell' "$RC$(cat "$DIR/err")" 0
printf '"PUT","{}"\n' >"$DIR/row"
fails 'CSV without a URL' 1 'row 1: the URL is missing or none' put r.txt --row "$DIR/row"
printf '"PUT,{},http://h/x' >"$DIR/row"
fails 'a quote that is not closed' 1 'row 1: the URL is missing or none' put r.txt --row "$DIR/row"
row upload @ext/rows/typed --content-type text/x --format json >"$DIR/row"
run put r.txt --row "$DIR/row"
is 'headers of the row are sent' "$RC" 0
python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))[0]
r["headers"].update(host="elsewhere:1", **{"Content-Length": "99"})
print(json.dumps({"data": [["PUT", json.dumps(r["headers"]), r["url"]]]}))' "$DIR/row" >"$DIR/row2"
run put r.txt --row "$DIR/row2"
is "Databend's answer: host and content-length are not" "$RC$(cat "$DIR/err")" 0
for k in tsv json ndjson; do row @ext/rows/$k; done >"$DIR/row"
run get --row "$DIR/row" rows/many/
is 'several rows into a directory' "$(files rows/many)" 'json ndjson tsv '
run get --row "$DIR/row" rows/many2
is 'which is made' "$(files rows/many2)" 'json ndjson tsv '
row upload @ext/rows/x >"$DIR/row"
fails 'an upload row is not for get' 1 'the row is for something else' get --row "$DIR/row" rows/x
is 'and nothing was sent' "$(names @ext/rows/x)" ''
printf 'stagefs-get 1\n3 3\n"%s"\n' "$(printf old | md5sum | cut -c1-32)" >rows/stale.part.state
printf old >rows/stale.part
row @ext/rows/tsv >"$DIR/row"
run get --row "$DIR/row" rows/stale
is 'a part that is whole is not believed unasked' "$RC$(cat rows/stale)" 0row
row @ext/rows/tsv >"$DIR/row"
fails 'nor a download row for put' 1 'the row is for something else' put r.txt --row "$DIR/row"
echo '{"method":"GET","url":"http://127.0.0.1:1/x?X-Amz-Signature=abc"}' >"$DIR/row"
fails 'a server that is not there' 1 'cannot download x to rows/x: connection refused' get --row "$DIR/row" rows/x
echo 'GET	{}	x?X-Amz-Signature=abc' >"$DIR/row"
fails 'a row that is none' 1 'row 1: the URL is missing or none' get --row "$DIR/row" rows/x
fails 'a file that is none' 1 'No such file' get --row "$DIR/none" rows/x
fails 'rows and files that do not match' 1 '1 rows are there for 2 files' put a.txt r.txt --row <(row upload @ext/rows/x)
sed 's/X-Amz-Signature=.*/X-Amz-Signature=0/' <(row @ext/rows/tsv) >"$DIR/row"
fails 'a signature that does not hold' 1 'cannot download other/data/rows/tsv to rows/x: SignatureDoesNotMatch' get --row "$DIR/row" rows/x

reset
fault '{"match": {"method": "PUT", "query": "partNumber=1"}, "action": {"type": "latency", "seconds": 1}}'
holds 'a terminal sees how far it is' python3 -c '
import os, pty, sys
seen = b""
def read(fd):
    global seen
    data = os.read(fd, 4096)
    seen += data
    return data
status = pty.spawn(sys.argv[1:], read)
assert status == 0 and b"0/1 files, " in seen and b" of 19.0 MiB " in seen, seen
assert seen.rstrip().rpartition(b"\x1b[K")[2].startswith(b"1 file, 19.0 MiB in "), seen' \
	"$STAGEFS" put big @ext/seen
holds 'not with --quiet' python3 -c '
import os, pty, sys
assert pty.spawn(sys.argv[1:], lambda fd: os.read(fd, 1) and sys.exit(1)) == 0' \
	"$STAGEFS" put -q big @ext/seen
mkdir few
for i in $(seq 40); do cp a.txt few/$i; done
run put few/* @ext/many && run get "@ext/many/*" many2 --parallel 3
is 'many files, few at a time' "$RC $(ls many2 | wc -l)" '0 40'

# ---- usage, and a person who has had enough ----

fails 'get of nothing' 2 'which files' get
fails 'put without a location' 2 'say which files' put a.txt
fails 'a stage that is not there' 1 'does not exist' get @nope/x out
fails 'put to one' 1 'does not exist' put a.txt @nope
fails 'standard input without a name' 2 'needs a name' put - @ext
fails '--exact without a name' 2 'the name is missing' put a.txt @ext --exact
mkdir links && ln -s nowhere links/l && ln -s ../tree links/t
run put -r links @ext/links
is 'links that lead to no file are told' "$RC $(sed 's/^.*: a //' "$DIR/err" | sort | paste -sd ,)" \
	'1 symbolic link to a directory,symbolic link to nothing'
fails 'dots in a location' 2 'is not a name' get @ext/../x out
fails '--parallel 0' 2 'parallel' get @ext/a.txt --parallel 0
fails 'a file that is not there' 1 'cannot upload nix: No such file' put nix @ext
reset
fault '{"match": {"method": "PUT", "query": "partNumber", "count": 0}, "action": {"type": "stall", "seconds": 20}}'
timeout -s TERM 3 "$STAGEFS" put big @ext 2>"$DIR/err"
is 'an interrupt ends an upload, and aborts it where no part has arrived' "$(cat "$DIR/err") $(admin _requests | python3 -c '
import json, sys
print(sum(r["method"] == "DELETE" and "uploadId" in r["query"] for r in json.load(sys.stdin)))')" \
	'stagefs: cannot upload big to @ext/big: interrupted
stagefs: interrupted: the same command again goes on where it ended (--skip-existing: past what has arrived; --abort: nothing is kept) 1'
# ---- a bucket of another region ----

for status in 301 307 400; do
	admin _reset x >/dev/null
	admin _fault "{\"match\": {\"method\": \"PUT\", \"count\": 0}, \"action\": {\"type\": \"redirect\", \"status\": $status, \"region\": \"eu-west-$((status % 100 + 1))\"}}" >/dev/null
	printf "%s" $status >"$DIR/there"
	run put "$DIR/there" @ext/regions/
	is "an upload follows a $status to the region that it names" "$RC$(grep -c "warning: the bucket is in region eu-west" "$DIR/err")" 01
	is 'and is there' "$("$STAGEFS" get @ext/regions/there -)" $status
done
admin _reset x >/dev/null

# ---- a bucket with Object Lock ----

lock='{"match": {"method": "PUT", "count": 0, "lacking": "content-md5|x-amz-checksum-"}, "action": {"type": "status", "status": 400, "code": "InvalidRequest", "message": "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"}}'
admin _fault "$lock" >/dev/null
mkdir "$DIR/locked"
printf one >"$DIR/locked/one"
printf two >"$DIR/locked/two"
run put --parallel 1 -r "$DIR/locked" @ext/
is 'uploads have the checksum that such a bucket demands' "$RC" 0
is 'and one of them has found out' "$(admin _requests | grep -o '"fault": "status"' | wc -l)" 1
write_config "$DIR/locked.conf" <<-END
	[stage parts]
	url = s3://other/locked/
	endpoint_url = http://127.0.0.1:$PORT
	access_key_id = AKTEST
	secret_access_key = $SECRET
	part_size = 5M
END
head -c 6000000 /dev/urandom >"$DIR/two-parts"
admin _reset x >/dev/null
admin _fault "$lock" >/dev/null
run put --config "$DIR/locked.conf" "$DIR/two-parts" @parts
is 'so do parts' "$RC$(cat "$DIR/err")" 0
admin _reset x >/dev/null
run get --config "$DIR/locked.conf" @parts/two-parts "$DIR/back"
holds 'which arrive whole' cmp "$DIR/two-parts" "$DIR/back"

finish
