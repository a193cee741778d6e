#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs sync`: in all three directions, what it sends and what it leaves.
#
# Covers: cli/cmd_sync.c transfer/transfer_sync.c
. "$(dirname "$0")/lib.sh"
start_server
good_config
mkdir "$DIR/local" && cd "$DIR/local" || exit 1
names() {
	"$STAGEFS" list "$1" | cut -f1 | tr '\n' ' '
}
here() {
	(cd "$1" && find . -type f | LC_ALL=C sort | sed 's|^\./||' | tr '\n' ' ')
}
# sync ARG...: exit status, then each file's state, in order.
sync() {
	run sync "$@" --json
	SAID="$RC$(jq -r '" \(.to):\(.status)"' "$DIR/out" | LC_ALL=C sort | tr -d '\n')"
}
requests() {
	admin _requests | grep -o '"method": "[A-Z]*"' | sort | uniq -c | tr -s ' \n' ' '
}
mkdir -p tree/sub
printf 1 >tree/a
printf 2 >tree/sub/b
printf 3 >tree/sub/c.log
touch -d '2020-01-01' tree/a tree/sub/b tree/sub/c.log

sync tree @ext/t
is 'a new target gets all' "$SAID" '0 @ext/t/a:done @ext/t/sub/b:done @ext/t/sub/c.log:done'
admin _reset x >/dev/null
sync tree/ @ext/t/
is 'a second time nothing is sent' "$SAID" '0 @ext/t/a:skipped @ext/t/sub/b:skipped @ext/t/sub/c.log:skipped'
is '... by one listing' "$(requests)" ' 1 "method": "GET" '
run sync tree/ @ext/t/ --dry-run
is '... and a dry run has nothing to show' "$RC $(cat "$DIR/out")" '0 '
printf 22 >tree/sub/b
touch -d '2020-01-01' tree/sub/b
sync tree @ext/t
is 'what has another size is sent' "$SAID" '0 @ext/t/a:skipped @ext/t/sub/b:done @ext/t/sub/c.log:skipped'
printf 9 >tree/a
touch -d '+1 hour' tree/a
sync tree @ext/t
is 'what is younger is sent' "$SAID" '0 @ext/t/a:done @ext/t/sub/b:skipped @ext/t/sub/c.log:skipped'
is '... with its bytes' "$("$STAGEFS" cat @ext/t/a)" 9
rm tree/sub/c.log
printf x | put @ext/t/more
printf x | put @ext/tea
sync tree @ext/t
is 'what is gone stays' "$(names @ext)" 't/a t/more t/sub/b t/sub/c.log tea '
run sync tree @ext/t --delete --dry-run
is '--delete --dry-run shows it' "$RC $(grep remove "$DIR/out" | LC_ALL=C sort | cut -f1,2 | tr '\t\n' ':,')" \
	'0 (remove):@ext/t/more,(remove):@ext/t/sub/c.log,'
is '... and does nothing' "$(names @ext)" 't/a t/more t/sub/b t/sub/c.log tea '
sync tree @ext/t --delete --exclude '*.log'
is '--delete takes it away, but what is excluded' "$(names @ext)" 't/a t/sub/b t/sub/c.log tea '
touch -d 2020-01-01 tree/a
sync tree @ext/t --delete
is '... and that' "$SAID" '0 @ext/t/a:skipped @ext/t/sub/b:skipped @ext/t/sub/c.log:removed'
mkdir tree/many && (cd tree/many && touch 1 2 3 4 5 6 7 8 9)
sync tree @ext/t
rm -r tree/many
admin _reset x >/dev/null
sync tree @ext/t --delete
is '... many by one request' "$(echo "$SAID" | grep -o removed | wc -l)$(requests)" '9 1 "method": "GET" 1 "method": "POST" '
sync nix @ext/t --delete
is 'a source that is not there removes nothing' "$RC $(names @ext/t/)" '1 t/a t/sub/b '

sync @ext/t back
is 'from a stage' "$SAID $(here back)" '0 back/a:done back/sub/b:done a sub/b '
printf old >back/sub/gone
sync @ext/t back --delete
is '... again' "$SAID" '0 back/a:skipped back/sub/b:skipped back/sub/gone:removed'
printf 333 | put @ext/t/a
sync @ext/t back
is '... what has changed' "$SAID $(cat back/a)" '0 back/a:done back/sub/b:skipped 333'
sync @ext/nix back --delete
is 'a directory of a stage that is not there removes nothing' "$RC $(here back)" '1 a sub/b '
"$STAGEFS" create mine
sync @ext/t @mine/x
is 'from stage to stage' "$SAID" '0 @mine/x/a:done @mine/x/sub/b:done'
sync @ext/t @mine/x --delete
is '... again' "$SAID" '0 @mine/x/a:skipped @mine/x/sub/b:skipped'
mkdir empty
sync empty @mine/x --delete
is 'an empty source, with --delete' "$SAID $(names @mine)" '0 @mine/x/a:removed @mine/x/sub/b:removed '
fails 'one word' 2 'which directory' sync tree
fails 'no stage' 2 'neither is in a stage' sync tree back
fails 'a file' 1 'cannot read tree/a: Not a directory' sync tree/a @ext/t
fails 'a stage that is not there' 1 'does not exist' sync tree @nix/x
finish
