#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cp, mv, cat, and the options that they share with get and put.
#
# Covers: cli/cmd_copy.c cli/transfer_verb.c transfer/transfer_copy.c
# Covers: transfer/transfer_filter.c
. "$(dirname "$0")/lib.sh"
start_server
good_config
cat >>"$STAGEFS_CONFIG" <<END
[stage far]
url = s3://bucket/far/
endpoint_url = http://127.0.0.1:$PORT
aws_key_id = AKTEST
aws_secret_key = $SECRET
[stage near]
url = s3://other/near/
endpoint_url = http://127.0.0.1:$PORT
access_key_id = AKTEST
secret_access_key = $SECRET
END
mkdir "$DIR/local" && cd "$DIR/local" || exit 1
names() {
	"$STAGEFS" list "$1" | cut -f1 | tr '\n' ' '
}
here() {	# DIR: its files
	(cd "$1" && find . -type f | LC_ALL=C sort | sed 's|^\./||' | tr '\n' ' ')
}
quiet() {
	[ "$RC" = 0 ] && [ ! -s "$DIR/err" ]
}
requests() {	# METHOD: how many since the last reset
	admin _requests | python3 -c '
import json, sys
print(sum(r["method"] == sys.argv[1] for r in json.load(sys.stdin)))' "$1"
}
reset() {
	admin _reset x >/dev/null
}
printf one >a.csv
printf two >b.txt
mkdir -p tree/sub tree/empty
printf 3 >tree/c.csv
printf 4 >tree/sub/d.csv
printf 5 >tree/sub/e.log

# ---- to a stage, and back

run cp a.csv @ext
holds 'cp is silent' quiet
is 'to a stage it keeps its name' "$(names @ext)" 'a.csv '
run cp a.csv @ext/new
is 'to a name that is not there it has that name' "$(names @ext)" 'a.csv new '
run cp a.csv b.txt @ext/dir
is 'several are put below it' "$(names @ext/dir)" 'dir/a.csv dir/b.txt '
run cp b.txt @ext/dir
is 'one too, where it is a directory' "$(names @ext/dir)" 'dir/a.csv dir/b.txt '
run cp -r tree @ext/copy
is 'a tree takes a new name' "$(names @ext/copy)" 'copy/c.csv copy/sub/d.csv copy/sub/e.log '
run cp -r tree @ext/copy
is 'or is put below one that is there' "$(names @ext/copy/tree)" 'copy/tree/c.csv copy/tree/sub/d.csv copy/tree/sub/e.log '
run cp @ext/new back.csv
is 'from a stage to a name' "$(cat back.csv)" one
mkdir into
run cp @ext/a.csv @ext/dir/b.txt into
is 'several into a directory' "$(here into)" 'a.csv b.txt '
run cp -r @ext/dir got
is 'a tree to a name that is not there' "$(here got)" 'a.csv b.txt '
run cp -r @ext/dir got
is '... and below one that is' "$(here got)" 'a.csv b.txt dir/a.csv dir/b.txt '
run cp '@ext/*.csv' into/
is 'a pattern' "$RC$(here into)" '0a.csv b.txt '
printf piped | timeout 60 "$STAGEFS" cp - @ext/piped
is 'standard input and output' "$("$STAGEFS" cp @ext/piped -)" piped
run cat @ext/a.csv @ext/dir/b.txt
is 'cat prints one after the other' "$(cat "$DIR/out")" onetwo
run cat '@ext/d*/*.csv'
is '... and what matches' "$(cat "$DIR/out")" one
run put a.csv @ext/2026.csv
is 'put to a name of the same suffix makes that file' "$(names @ext/2026)" '2026.csv '
run put a.csv @ext/2027
is '... to another a file in that directory, as Databend has it' "$(names @ext/2027)" '2027/a.csv '

# ---- from stage to stage

reset
run cp @ext/a.csv @ext/dup.csv
holds 'within a stage' quiet
is '... the server copies: two look-ups, and no bytes' "$(requests GET) $("$STAGEFS" cat @ext/dup.csv)" '2 one'
reset
run cp -r @ext/dir @near/d
is 'to another stage of the same bucket' "$RC$(names @near)" '0d/a.csv d/b.txt '
is '... the server copies' "$(admin _requests | python3 -c '
import json, sys
print(sum("x-amz-copy-source" in {k.lower() for k in r["headers"]} for r in json.load(sys.stdin)))')" 2
run cp -r @ext/copy/ @far
is 'to another bucket' "$RC$(names @far)" '0c.csv sub/d.csv sub/e.log tree/c.csv tree/sub/d.csv tree/sub/e.log '
is '... with its bytes' "$("$STAGEFS" cat @far/sub/d.csv)" 4
is 'nothing is left in $TMPDIR' "$(ls -d "${TMPDIR:-/tmp}"/stagefs-copy.* 2>/dev/null)" ''
fails 'onto itself' 1 'cannot copy @ext/a.csv to @ext/a.csv: it is the same file' cp @ext/a.csv @ext/a.csv
fails 'onto itself by mv' 1 'it is the same file' mv @ext/a.csv @ext/
is '... and it is there' "$("$STAGEFS" cat @ext/a.csv)" one

# ---- mv

run mv @ext/dup.csv @ext/moved.csv
is 'mv within a stage' "$RC$(names @ext/dup)$(names @ext/moved)" '0moved.csv '
run mv back.csv @ext/
is 'mv to a stage' "$RC$(names @ext/back)$(ls back.csv 2>/dev/null)" '0back.csv '
run mv @ext/back.csv .
is 'mv from a stage' "$RC$(names @ext/back)$(cat back.csv)" 0one
cp -r tree moving
run mv -r moving @ext/
is 'a tree to a stage' "$RC$(names @ext/moving)$(ls -d moving 2>/dev/null)" '0moving/c.csv moving/sub/d.csv moving/sub/e.log '
run mv -r @ext/moving @ext/there
is 'a tree within a stage' "$RC$(names @ext/moving)$(names @ext/there)" '0there/c.csv there/sub/d.csv there/sub/e.log '
run mv -r @ext/there back
is 'a tree from a stage' "$RC$(names @ext/there)$(here back)" '0c.csv sub/d.csv sub/e.log '
holds '... the empty directory too' test -d back/empty
admin _fault '{"match": {"method": "PUT", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied"}}' >/dev/null
run mv a.csv @ext/nope.csv
is 'what could not be copied stays' "$RC$(cat a.csv)" 1one
reset

# ---- options

run cp -r tree @ext/only --include '*.csv'
is '--include' "$(names @ext/only)" 'only/c.csv only/sub/d.csv '
run get -r @ext/only/ fewer --exclude sub
is '--exclude a directory' "$(here fewer)" 'c.csv '
run get -r @ext/only/ fewer2 --exclude 'sub/d*' --exclude nothing
is '--exclude a path' "$(here fewer2)" 'c.csv '
run put -r tree @ext/log --include '*.log' --include 'c.*' --exclude 'c*'
is 'both, repeated' "$(names @ext/log)" 'log/tree/sub/e.log '
run get -r @ext/copy/sub dry --dry-run
is '--dry-run shows' "$RC $(LC_ALL=C sort "$DIR/out" | tr '\n' ,)" \
	'0 @ext/copy/sub/d.csv	dry/sub/d.csv	1,@ext/copy/sub/e.log	dry/sub/e.log	1,'
is '... and does nothing' "$(ls -d dry 2>/dev/null)" ''
run mv -r tree @ext/dry --dry-run
is '... nor does mv' "$RC$(here tree)$(names @ext/dry)" '0c.csv sub/d.csv sub/e.log '
run put a.csv nix @ext --json
is '--json' "$RC $(jq -c '[.from, .to, .size, .status, .error]' "$DIR/out" | tr '\n' ' ')" \
	'1 ["a.csv","@ext/a.csv",3,"done",null] '
run put a.csv @ext --json --skip-existing
is '... of what is there' "$(jq -r .status "$DIR/out")" skipped
head -c 300000 /dev/zero >zeros
begin=$(date +%s%N)
run put zeros zeros @ext/z1 --limit-rate 200K
run cp zeros @ext/z2 --limit-rate 1M
"$STAGEFS" get @ext/z2 zeros2 --limit-rate 200K
is '--limit-rate brings the same' "$(cmp zeros zeros2 && echo same)" same
holds '... and no sooner than it may' test $((($(date +%s%N) - begin) / 1000000)) -ge 1000
admin _fault '{"match": {"method": "GET", "key": "a.csv", "count": 0}, "action": {"type": "stall", "seconds": 20}}' >/dev/null
timeout -s INT 2 "$STAGEFS" get @ext/a.csv stalled 2>"$DIR/err" &
wait $!
timeout --preserve-status -s INT 2 "$STAGEFS" get @ext/a.csv stalled 2>"$DIR/err"
is 'Ctrl-C is 130, and says how to go on' "$? $(tail -1 "$DIR/err")" \
	'130 stagefs: interrupted: the same command again goes on where it ended'
reset

# ---- mistakes

while IFS='|' read -r sentence status regex words; do
	eval "set -- $words"
	fails "$sentence" "$status" "$regex" "$@"
done <<'TABLE'
cp of one word|2|say what, and last where it goes|cp @ext/a.csv
cp here|2|neither is in a stage|cp a.csv c.csv
cp of a directory|1|cannot upload tree/: a directory \(--recursive|cp tree @ext/nowhere
cp of a directory of a stage|1|cannot download @ext/copy: a directory \(--recursive|cp @ext/copy x
cp of nothing|1|cannot upload nix: No such file|cp nix @ext
cp from nothing|1|cannot download @ext/nix: no such file|cp @ext/nix .
cp to a stage that is not there|1|cannot copy to @nix/x: .*does not exist|cp a.csv @nix/x
mv of a stream|2|a standard stream cannot be moved|mv - @ext/x
mv to a stream|2|a standard stream cannot be moved|mv @ext/a.csv -
cat of a local file|2|a.csv|cat a.csv
cat of nothing|2|which files|cat
cat of what is not there|1|cannot download @ext/nix: no such file|cat @ext/nix
a bad rate|2|limit-rate = fast: a number of bytes|get @ext/a.csv --limit-rate fast
TABLE
finish
