#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What ends a traversal amid it, while listings and files are on their way: a
# signal, the stage's end, the mount's.
. "$(dirname "$0")/lib.sh"
DIRECT=$ENDPOINT
proxy_up 300

# 60 directories of 20 files: two pages of keys, and some seconds of GETs.
for d in {10..69}; do
	mkdir -p "$LOCAL/tree/d$d"
	for f in {10..29}; do
		echo "text of d$d f$f" >"$LOCAL/tree/d$d/f$f"
	done
done
write_config 'metadata_ttl = 60'
sed "s|$ENDPOINT|$DIRECT|" "$CONF" >"$T/direct.conf"
chmod 600 "$T/direct.conf"
direct() {	# VERB ARGUMENT...
	timeout 120 "$STAGEFS" "$1" --config "$T/direct.conf" "${@:2}"
}
direct sql 'CREATE STAGE amid' >"$T/out" 2>&1 || bail 'no stage'
fill() {
	direct put -r "$LOCAL/tree" @amid >"$T/out" 2>&1 || bail 'no files'
}
fill
mount_up
TREE=$MNT/amid/tree

# amid WORK: it is begun, and not at its end yet.
amid() {
	setsid bash -c "$1" >"$T/work.out" 2>&1 </dev/null &
	work=$!
	until_ok 60 '[ $(find $T/copy -type f 2>/dev/null | wc -l) -ge 3 ]'
}
# ends SENTENCE: within the time that one request may take, and then some.
ends() {
	ok "$1" 'until_ok 60 "! kill -0 $work"'
	wait "$work" 2>/dev/null
	status=$?
	rm -rf "$T/copy"
}

for signal in HUP TERM KILL; do
	amid "exec cp -r $TREE $T/copy"
	kill -$signal "$work"
	ends "a copy that gets SIG$signal ends"
	ok '... by that' '[ $status -ge 128 ]'
done
ok 'and another one is whole' '
	cp -r $TREE $T/copy && diff -r $LOCAL/tree $T/copy'
rm -rf "$T/copy"

remount
amid "cp -r $TREE $T/copy"
kill -STOP "$work"
ok 'its stage can be dropped meanwhile' '
	direct sql "DROP STAGE amid" && direct sql "CREATE STAGE amid"'
kill -CONT "$work"
ends 'then the copy ends'
ok '... with errors' '[ $status -ne 0 ] && [ -s $T/work.out ]'
ok '... and the mount goes on' '
	mkdir $MNT/amid/new && cp $LOCAL/tree/d10/f10 $MNT/amid/new/f &&
	cmp $MNT/amid/new/f $LOCAL/tree/d10/f10'

fill
remount
amid "cp -r $TREE $T/copy"
umount -l "$MNT"
kill -TERM "$work"
ends 'a copy ends whose mount is taken away'
ok '... and so does the daemon' 'until_ok 60 "[ -z \"\$(daemon_pids)\" ]"'
mount_up
amid "cp -r $TREE $T/copy"
kill -TERM "$(daemon_pids)"
ok 'a daemon that is to end does not wait for readers' '
	until_ok 60 "[ -z \"\$(daemon_pids)\" ]"'
ends '... and they end too'
mount_up
ok 'and all is there' 'cp -r $TREE $T/copy && diff -r $LOCAL/tree $T/copy'

done_testing
