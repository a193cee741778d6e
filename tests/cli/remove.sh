#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs remove`: one file, unless more was asked for.
#
# Covers: client/statement_remove.c client/walk.c
. "$(dirname "$0")/lib.sh"
start_server --page 7
good_config

fill() {
	admin _reset x >/dev/null
	for name in a a.bak d/a d/b d/sub/c dd e; do
		printf '%s' "$name" | put "@ext/$name"
	done
	mark @ext/d/
}
left() {
	"$STAGEFS" list @ext | cut -f1 | tr '\n' ' '
}
removed() {
	run remove "$@"
	printf '%s %s' "$RC" "$(tr '\t\n' '  ' <"$DIR/out")"
}

fill
is 'one file' "$(removed @ext/a)" '0 1 0 '
is 'and no other' "$(left)" 'a.bak d/a d/b d/sub/c dd e '
fails 'a file that is not there' 1 '^stagefs: cannot remove @ext/a: there is no such file' remove @ext/a
is '... which may be so' "$(removed -f @ext/a)$(removed --force @ext/none)" '0 0 0 0 0 0 '
is '... nor is a directory that may be missing' "$(removed -rf @ext/none)" '0 0 0 '
fails 'but not a stage' 1 "Stage 'x' does not exist" remove -rf @x/a
fails 'a directory' 1 'names a directory \(--recursive' remove @ext/d
fails '... with force too' 1 'names a directory' remove -f @ext/d
fails 'a directory with its slash' 1 'names a directory \(--recursive' remove @ext/d/
fails 'a whole stage' 1 'names a directory' remove @ext
is 'a dry run prints' "$(removed @ext/d --recursive --dry-run)" '0 d/a 3 d/b 3 d/sub/c 7 '
is 'and removes nothing' "$(left)" 'a.bak d/a d/b d/sub/c dd e '
is 'a pattern' "$(removed @ext/d/ --recursive --pattern '[ab]')" '0 2 0 '
is 'is for the whole rest' "$(left)" 'a.bak d/sub/c dd e '
is 'a directory' "$(removed @ext/d --recursive)" '0 1 0 '
is 'is not a prefix' "$(left)" 'a.bak dd e '
fails 'a directory that is gone' 1 'no such file or directory' remove @ext/d --recursive
fill
is 'a prefix' "$(removed @ext/d --prefix)" '0 4 0 '
is 'is more' "$(left)" 'a a.bak e '
is 'a stage whole' "$(removed @ext --recursive)" '0 3 0 '
is 'is empty then' "$(left)" ''
fails 'both' 2 'not both' remove @ext/a --recursive --prefix
fails 'a pattern for a file' 2 'goes with --recursive' remove @ext/a --pattern x
fails 'no location' 2 'which file' remove
fails 'a stage that is not there' 1 "Stage 'x' does not exist" remove @x/a

# ---- several
fill
is 'several' "$(removed @ext/a @ext/e)" '0 2 0 '
is '... and no others' "$(left)" 'a.bak d/a d/b d/sub/c dd '
is 'a dry run of several prints locations' "$(removed @ext/d @ext/dd -r --dry-run)" '0 @ext/d/a 3 @ext/d/b 3 @ext/d/sub/c 7 @ext/dd 2 '
is 'one that is not there fails, the rest goes' "$(removed @ext/none @ext/a.bak @ext/d @none/a @ext/dd)" '1 2 0 '
is '... each with its line' "$(sed 's/ (--rec.*//' "$DIR/err")" "stagefs: cannot remove @ext/none: there is no such file
stagefs: cannot remove @ext/d: it names a directory
stagefs: cannot remove @none/a: Stage 'none' does not exist."
is '... and no more' "$(left)" 'd/a d/b d/sub/c '
is 'none of them is there' "$(removed @ext/none @ext/nix)" '1 '
is '... which may be so' "$(removed -f @ext/none @ext/nix)" '0 0 0 '
fails 'one of several that is no location: nothing goes' 2 'begins with @' remove -r @ext/d ext/dd
is '... nothing' "$(left)" 'd/a d/b d/sub/c '
fill
is 'more than a line of words' "$(seq -f '@ext/x%g' 200 | xargs "$STAGEFS" rm -f @ext/a; left)" '1	0
a.bak d/a d/b d/sub/c dd e '

fill
admin _fault '{"match": {"method": "POST", "query": "delete", "count": 0},
	"action": {"type": "status", "status": 403, "code": "AccessDenied"}}' >/dev/null
admin _fault '{"match": {"method": "DELETE", "count": 0},
	"action": {"type": "status", "status": 403, "code": "AccessDenied"}}' >/dev/null
is 'failures are counted' "$(removed @ext --recursive)" '1 0 8 '
is 'and said' "$(cat "$DIR/err")" \
	'stagefs: cannot remove @ext: 8 of 8 files could not be removed: Permission denied'
admin _reset x >/dev/null
cat >"$DIR/ro.conf" <<-END
	[stage ext]
	url = s3://other/data/
	ro = yes
	credentials = anonymous
	endpoint_url = http://127.0.0.1:$PORT
END
fails 'a read-only stage' 1 'stage ext is read-only' remove @ext --recursive --config "$DIR/ro.conf"
finish
