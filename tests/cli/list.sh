#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs list`: Databend's LIST, in pages, in every format.
. "$(dirname "$0")/lib.sh"
start_server --page 7
good_config

for name in ab.csv ab/cd.csv ab/cd.csv.bk ab/x.parquet b.csv; do
	printf '%s' "$name" | put "@ext/$name"
done
mark @ext/ab/
mark @ext/empty/
printf 998 | put @~/books.parquet

names() {
	run list "$@"
	cut -f1 "$DIR/out" | tr '\n' ' '
}

# ---- which rows ----

is 'a stage, without the markers of directories' "$(names @ext)" \
	'ab.csv ab/cd.csv ab/cd.csv.bk ab/x.parquet b.csv '
is 'a slash after the stage is the same' "$(names @ext/)" "$(names @ext)"
is 'a prefix need not be a directory' "$(names @ext/ab)" \
	'ab.csv ab/cd.csv ab/cd.csv.bk ab/x.parquet '
is 'with a slash only what is below' "$(names @ext/ab/)" \
	'ab/cd.csv ab/cd.csv.bk ab/x.parquet '
is 'a file, and what begins with its name' "$(names @ext/ab/cd.csv)" \
	'ab/cd.csv ab/cd.csv.bk '
run list @ext/zzz
is 'nothing there is no error' "$RC$(cat "$DIR/out")" 0
is 'the user stage' "$(names @~)" 'books.parquet '
is 'a pattern is for the whole rest' "$(names @ext --pattern '.*[.]csv')" \
	'ab.csv ab/cd.csv b.csv '
is 'a part of the name does not match' "$(names @ext --pattern '[.]csv')" ''
is 'the rest begins after the listed path' "$(names @ext/ab/ --pattern 'cd.*')" \
	'ab/cd.csv ab/cd.csv.bk '
is 'the exact file comes whatever the pattern says' \
	"$(names @ext/ab/cd.csv --pattern 'nothing')" 'ab/cd.csv '
is 'anchors have no group' "$(names @ext --pattern 'ab[.]|x.parquet')" \
	'ab.csv ab/x.parquet '

# ---- an internal stage ----

fails 'an internal stage that is not there' 1 \
	'cannot list @inner: Stage .inner. does not exist' list @inner
boto() {
	AWS_ACCESS_KEY_ID=AKTEST AWS_SECRET_ACCESS_KEY=$SECRET python3 -W ignore - "$@" <<-END
	import sys, boto3
	from botocore.config import Config
	s3 = boto3.client("s3", endpoint_url="http://127.0.0.1:$PORT", region_name="us-east-1",
	                  config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
	for key in sys.argv[1:]:
	    s3.put_object(Bucket="bucket", Key="root/stage/internal/" + key, Body=b"x" * 5)
	END
}
boto 'inner/a' 'inner/' "inner/q u'o,t\"e	s
x"
is 'an internal stage' "$(names @inner)" "a q u'o,t\"e\\ts\\nx "

# ---- columns and formats ----

run list @inner/a
is 'name, size, md5 with its quotes, last_modified, creator' \
	"$(sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} \+0000/TIME/' "$DIR/out")" \
	"a	5	\"fb0e22c79ac75679e9881e6ba183b354\"	TIME	"
run list @inner/a --header
is 'a header' "$(head -1 "$DIR/out")" 'name	size	md5	last_modified	creator'
run list @inner --format csv
holds 'CSV is read back' python3 -c '
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
assert [r[0] for r in rows] == ["a", "q u\x27o,t\"e\ts\nx"], rows' "$DIR/out"
run list @inner --format json
holds 'JSON is read back' python3 -c '
import json, re, sys
a, b = json.load(open(sys.argv[1]))
assert list(a) == ["name", "size", "md5", "last_modified", "creator"]
assert a["size"] == 5 and a["creator"] is None
assert a["md5"] == "\"fb0e22c79ac75679e9881e6ba183b354\""
assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", a["last_modified"])
assert b["name"] == "q u\x27o,t\"e\ts\nx"' "$DIR/out"
run list @inner --format ndjson
is 'NDJSON is an object a line' "$(wc -l <"$DIR/out")" 2
run list @ext/zzz --format json
is 'JSON of nothing is an empty array' "$(cat "$DIR/out")" '[]'
run list @inner --format table
holds 'a table has a header' grep -qE '^name +size  md5 +last_modified +creator$' "$DIR/out"
is 'a table keeps a row in its line' "$(wc -l <"$DIR/out")" 3

# ---- several ----

run list @ext/ab/ @~
is 'of several, one output, whose names are locations' "$RC $(cut -f1,2 "$DIR/out" | tr '\t\n' ' ,')" \
	'0 @ext/ab/cd.csv 9,@ext/ab/cd.csv.bk 12,@ext/ab/x.parquet 12,@~/books.parquet 3,'
run list @ext/ab/ @~ --format json
is '... an array in JSON' "$(jq -r '.[].name' "$DIR/out" | tr '\n' ' ')" \
	'@ext/ab/cd.csv @ext/ab/cd.csv.bk @ext/ab/x.parquet @~/books.parquet '
run list @ext/b @none @~ @ext --sort size --format table
is '... tables with a heading each; what fails is named, the rest is there' \
	"$RC $(grep -c 'cannot list @none: Stage' "$DIR/err") $(wc -l <"$DIR/err") $(grep -n ':$\|^$' "$DIR/out" | tr '\n' ' ')" \
	'1 1 1 1:@ext/b: 4: 5:@~: 8: 9:@ext: '
run list @none @nix
is '... all that fail' "$RC $(wc -l <"$DIR/err")$(cat "$DIR/out")" '1 2'
fails 'a word of several that is no location' 2 'begins with @' list @ext ext
timeout 60 "$STAGEFS" list @ext @~ @inner >/dev/full 2>"$DIR/err"
is 'a full disk fails once' "$? $(cat "$DIR/err")" \
	'1 stagefs: cannot write: No space left on device'

# ---- many, and memory ----

seq -f 'many/%05g' 3000 | xargs -d '\n' bash -c "$(declare -f boto); PORT=$PORT SECRET=$SECRET; boto \"\$@\"" _
is 'thousands come in order, over hundreds of pages' \
	"$(names @many/ | md5sum)" "$(seq -f '%05g' 3000 | tr '\n' ' ' | md5sum)"

# ---- bad input and bad servers ----

fails 'no stage' 2 'which stage' list
fails 'no at sign' 2 'begins with @' list ext
fails 'dot dot' 2 'is not a name' list @ext/../a
fails 'a key that is too long' 1 'File name too long' list "@ext/$(printf 'x%.0s' {1..1100})"
fails 'a pattern that is none' 2 'no regular expression: .* at byte' list @ext --pattern '('
fails 'an unknown option' 2 'unknown option --patern; did you mean --pattern' list @ext --patern x
run list @ext
admin _fault '{"match": {"method": "GET", "query": "list-type", "count": 0},
	"action": {"type": "status", "status": 403, "code": "AccessDenied"}}' >/dev/null
fails 'a listing that is refused' 1 'cannot list @ext/: ' list @ext/
admin _reset x >/dev/null
admin _fault '{"match": {"method": "GET", "query": "continuation-token", "nth": 2, "count": 0},
	"action": {"type": "status", "status": 403, "code": "AccessDenied"}}' >/dev/null
run list @many
is 'a listing that breaks off fails' "$RC" 1
is 'after what came' "$(wc -l <"$DIR/out")" 14
is 'and says so in a line' "$(grep -c '^stagefs: cannot list @many: ' "$DIR/err")" 1
admin _reset x >/dev/null
timeout 60 "$STAGEFS" list @many >/dev/full 2>"$DIR/err"
is 'a full disk fails' "$?" 1
is 'and says so in a line' "$(cat "$DIR/err")" \
	'stagefs: cannot write: No space left on device'
finish
