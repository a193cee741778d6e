#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs sql`: statements as they are written for Databend.
#
# Covers: cli/cmd_sql.c client/statement.c
. "$(dirname "$0")/lib.sh"
start_server --page 7
good_config
sql() {
	run sql "$@"
}
out() {
	cat "$DIR/out"
}

# ---- PRESIGN ----

sql 'PRESIGN UPLOAD @~/books.parquet;'
holds 'method, headers, url of an upload' grep -qE \
	"^PUT	\{\}	http://127.0.0.1:$PORT/bucket/root/stage/user/root/books.parquet\?.*X-Amz-Expires=3600&" "$DIR/out"
sql 'presign @ext/a\ b.csv expire = 0x1C20 EXPIRE=7200 -- the last one' --format url
holds 'a download, an escape and the last option' grep -qE \
	"^http://127.0.0.1:$PORT/other/data/a%20b.csv\?.*X-Amz-Expires=7200&" "$DIR/out"
sql $'-- the second\nPRESIGN @ext/c.csv' --format url
holds 'a statement that begins with a comment' grep -q '/other/data/c.csv?' "$DIR/out"
sql "PRESIGN '@ext/a (1), b.csv'" --format url
holds 'a quoted location' grep -q '/other/data/a%20%281%29%2C%20b.csv?' "$DIR/out"
for bad in 'PRESIGN @ext//x' 'PRESIGN @ext/x//y' 'REMOVE @ext//x' \
	'LIST @ext/x//y' "PRESIGN UPLOAD '@ext/x//'"; do
	sql "$bad"
	is "$bad names no other object" \
		"$RC $(grep -c 'an empty name between slashes' "$DIR/err")$(out)" '1 1'
done
sql "PRESIGN UPLOAD @ext/t CONTENT_TYPE = 'text/csv'" --format json
holds 'a content type is signed' python3 -c '
import json, sys
row, = json.load(open(sys.argv[1]))
assert row["headers"] == {"content-type": "text/csv"}, row
assert row["method"] == "PUT" and row["expires_at"]' "$DIR/out"
sql "PRESIGN @ext/t CONTENT_TYPE = 'text/csv'" --format url
holds 'the answer to a download says it' grep -q \
	'/t?response-content-type=text%2Fcsv&' "$DIR/out"
sql "PRESIGN @ext/t CONTENT_TYPE = 'text/csv\\nx: y'"
is 'and no second header' "$RC $(grep -c 'content-type: a control byte' "$DIR/err")$(out)" '1 1'
sql 'PRESIGN @ext' --format url
holds 'a stage has the URL of its prefix, as in Databend' \
	grep -q '/other/data/?' "$DIR/out"
sql 'PRESIGN @ext/t' --compat-host
is 'the host among the headers' "$(cut -f2 "$DIR/out")" "{\"host\":\"127.0.0.1:$PORT\"}"
sql 'PRESIGN UPLOAD @ext/up.csv' --format url
printf 'hello' >"$DIR/body"
holds 'curl uploads by it' curl -sf -T "$DIR/body" "$(out)"
sql 'PRESIGN DOWNLOAD @ext/up.csv' --format curl
is 'and a pasted line downloads' "$(cd "$DIR" && sh "$DIR/out" 2>/dev/null && cat up.csv)" hello

# errs SENTENCE REGEX CARET-LINE STATEMENT: status 1, the first line on stderr,
# and the words that the caret is under.
errs() {
	local why= got
	run sql "$4"
	[ "$RC" = 1 ] || why="exit status $RC"
	head -1 "$DIR/err" | grep -qE -- "^stagefs: SQL:$2" || why="$why; not $2"
	got=$(awk '/^[0-9]+ \| / { line = substr($0, index($0, "|") + 2) }
		/^ +\| +\^+$/ {
			c = substr($0, index($0, "|") + 2)
			print substr(line, index(c, "^"), length(c) - index(c, "^") + 1)
		}' "$DIR/err")
	[ "$got" = "$3" ] || why="$why; the caret is under: $got"
	[ -s "$DIR/out" ] && why="$why; output"
	[ -z "$why" ]
	result $? "$1" "$why
$(cat "$DIR/err")"
}
errs 'zero seconds' '1:25: \[1006\] EXPIRE = 0: a whole number of seconds from 1 to 604800$' 0 \
	'PRESIGN @ext/a EXPIRE = 0'
errs 'a second too many' '1:25: \[1006\] EXPIRE = 604801: ' 604801 'PRESIGN @ext/a EXPIRE = 604801'
errs 'a word that is none' '1:9: \[1005\] unexpected `INVALID`, expecting `UPLOAD`, ' INVALID \
	'PRESIGN INVALID @ext'
errs 'a stage that is not there' "1:9: \[2501\] Stage 'nosuch' does not exist\." '' 'PRESIGN @nosuch/a'
errs 'dot dot' '1:6: \[1006\] stage path traversal is not allowed by stage_path_traversal_policy: a/../b$' \
	'@ext/a/../b' 'LIST @ext/a/../b'
errs 'no name' '1:6: \[1006\] stage path must include a stage name$' '@/' 'LIST @/'
errs 'a reserved name' '1:9: \[1006\] stage name `_databend_load` is reserved$' '@_databend_LOAD' \
	'PRESIGN @_databend_LOAD'
errs 'a pattern that is none' '1:21: \[1005\] Pattern format invalid, got:\(: ' "'('" \
	"LIST @ext PATTERN = '('"
errs 'the third line' '3:1: \[1005\] unexpected `SELECT`' SELECT 'LIST @ext;

SELECT 1'

# ---- LIST, REMOVE ----

for name in d/a.csv d/a.csv.bak d/b.csv dd.csv e/x; do
	printf '%s' "$name" | put "@ext/$name"
done
mark @ext/d/
names() {
	sql "$@"
	cut -f1 "$DIR/out" | tr '\n' ' '
}
is 'LIST is the same as list' "$(names 'LIST @ext/d')" 'd/a.csv d/a.csv.bak d/b.csv dd.csv '
is 'LIST with a pattern' "$(names "LIST @ext/d/ PATTERN = '.*\.csv'")" 'd/a.csv d/b.csv '
sql "LIST @ext PATTERN = '$(printf '(%.0s' $(seq 5000))'"
holds 'a pattern that is far too long is told all the same' \
	grep -q '1:21: \[1005\] Pattern format invalid, got:((*: the pattern is' "$DIR/err"
sql "REMOVE @ext/d/ PATTERN = 'b.*'"
is 'REMOVE with a pattern says how many' "$RC $(out)" '0 1	0'
sql 'REMOVE @ext/d/a.csv' --header
is 'a prefix goes whole, as in Databend' "$(out)" 'removed	failed
2	0'
is 'the marker stays while its name does not begin with that' \
	"$(curl -sI "$(run presign @ext/d/ --method HEAD --format url; out)" -o /dev/null -w '%{http_code}')" 200
sql 'REMOVE @ext/d'
is 'a prefix takes the marker too, and does not count it' "$(out)" '1	0'
is 'what else there was is there' "$(names 'LIST @ext')" 'e/x up.csv '
sql 'REMOVE @ext/nothing'
is 'nothing to remove is no error' "$RC $(out)" '0 0	0'

# ---- scripts ----

cat >"$DIR/s.sql" <<-'END'
	-- two statements
	LIST @ext/e; /* and */
	SHOW STAGES LIKE 'e%'
END
sql -f "$DIR/s.sql"
is 'a script' "$RC $(cut -f1 "$DIR/out" | tr '\n' ' ')" '0 e/x ext '
sql -f - <"$DIR/s.sql"
is 'from standard input' "$RC $(cut -f1 "$DIR/out" | tr '\n' ' ')" '0 e/x ext '
printf 'LIST @ext/e;\nLIST @nosuch;\nLIST @ext/up' >"$DIR/s.sql"
sql -f "$DIR/s.sql"
is 'it stops at the first error' "$RC $(cut -f1 "$DIR/out")" '1 e/x'
is 'and names file, line and column' "$(cat "$DIR/err")" \
	"stagefs: $DIR/s.sql:2:6: [2501] Stage 'nosuch' does not exist."
printf 'REMOVE @ext/e;\nLIST @ext' >"$DIR/s.sql"
printf '\nFOO' >>"$DIR/s.sql"
sql -f "$DIR/s.sql"
is 'a slip at the end runs nothing' "$RC $(names 'LIST @ext/e')" '1 e/x '
fails 'no such file' 1 'nosuch: No such file' sql -f "$DIR/nosuch"
run sql </dev/null
is 'nothing to run from an empty pipe' "$RC$(cat "$DIR/out" "$DIR/err")" 0
fails 'both' 2 'on the command line, or -f' sql -f "$DIR/s.sql" 'LIST @ext'
sql ''
is 'an empty statement is nothing' "$RC$(out)" 0
finish
