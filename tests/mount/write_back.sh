#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# write_back: what is accepted and sent later. KILLS in the environment: how
# many daemons are killed amid work; CUTS: how often the power of the disk with
# the journal goes as well (500 and 200 in `make check-long`).
#
# Covers: cli/cmd_recover.c
. "$(dirname "$0")/lib.sh"
KILLS=${KILLS-6}
CUTS=${CUTS-3}
DIRECT=$ENDPOINT
proxy_up 20
CONF_EXT='write_back = yes'
CONF_MORE="[stage other]
url = s3://$BUCKET/${PREFIX}other/
$(connection)
write_back = yes"
write_config 'metadata_ttl = 3600' 'check = none'
sed "s|$ENDPOINT|$DIRECT|" "$CONF" >"$T/direct.conf"
chmod 600 "$T/direct.conf"
E=$MNT/ext
flush() {
	timeout 300 "$STAGEFS" flush "$MNT"
}
# What the store has, by a client of its own.
stored() {	# PATH LOCAL-FILE
	timeout 60 "$STAGEFS" cat --config "$T/direct.conf" "@ext/$1" |
		cmp - "$2"
}
mkdir "$LOCAL/thousand" "$LOCAL/pool"
for n in {1..1000}; do
	head -c 4096 /dev/zero | tr '\0' "$((n % 10))" >"$LOCAL/thousand/f$n"
done
for n in {0..19}; do
	random_file "$LOCAL/pool/f$n" $((n * n * 700))
done
mount_up

# ---- what it costs

proxy_counts >/dev/null
ok 'a thousand small files are copied' 'cp -r $LOCAL/thousand $E/thousand'
ok '... and sent when they are flushed' 'flush'
counts=$(proxy_counts)
ok '... with a request for each' '
	[ $(jq .by_method.PUT <<<$counts) -le 1001 ] &&
	[ $(jq .requests <<<$counts) -le 1010 ]'
ok '... whole' '
	stored thousand/f1 $LOCAL/thousand/f1 &&
	stored thousand/f1000 $LOCAL/thousand/f1000 &&
	diff -r $LOCAL/thousand $E/thousand'
random_file "$LOCAL/large" 30000000
ok 'a large file is too' 'cp $LOCAL/large $E/large && flush && stored large $LOCAL/large'
ok 'and a change amid it' '
	printf "#####" >$T/piece && cp $LOCAL/large $LOCAL/large2 &&
	for f in $LOCAL/large2 $E/large; do
		dd if=$T/piece of=$f bs=1 seek=12345678 conv=notrunc status=none
	done && flush && stored large $LOCAL/large2'
ok 'umount sends all' '
	cp $LOCAL/pool/f5 $E/last && mount_down && stored last $LOCAL/pool/f5'
ok '... and leaves nothing' '[ ! -e $T/spill/write_back ] ||
	[ -z "$(ls $T/spill/write_back)" ]'

# ---- what cannot be sent, and no network: the scripted stand-in

cp "$CONF" "$T/real.conf"
/usr/bin/python3 "$TOP/tests/standin/server.py" --s3 --bucket standin \
	>"$T/port" 2>"$T/standin.err" &
standin=$!
at_exit+=("kill $standin")
until_ok 60 '[ -s "$T/port" ]' || bail 'the stand-in does not start'
AT=http://127.0.0.1:$(cat "$T/port")
refuse() {
	curl -fsS -X POST -d '{"match": {"method": "PUT", "count": 0}, "action":
		{"type": "status", "status": 403, "code": "AccessDenied",
		 "message": "x"}}' "$AT/_fault" >/dev/null
}
allow() {
	curl -fsS -X POST "$AT/_reset" >/dev/null
}
# at ENDPOINT: the configuration reaches the stand-in there, or nothing.
at() {
	sed "s|^endpoint_url = .*|endpoint_url = $1|
		s|^aws_key_id = .*|aws_key_id = standin|
		s|^aws_secret_key = .*|aws_secret_key = standin-secret\ndeadline = 5|
		s|s3://$BUCKET/|s3://standin/|
		s|^metadata_ttl = .*|metadata_ttl = 1|" "$T/real.conf" >"$T/other.conf"
	cat "$T/other.conf" >"$CONF"
}
there() {	# PATH LOCAL-FILE
	timeout 60 "$STAGEFS" cat --config "$CONF" "@ext/$1" | cmp - "$2"
}
at "$AT"
mount_up
refuse
ok 'what the store refuses is accepted all the same' '
	mkdir $E/later && cp $LOCAL/pool/f7 $E/later/a && cp $LOCAL/pool/f19 $E/later/b'
fails '... flush says so, with its name' \
	': 3 of 3 changes cannot be sent: @ext/later.*: Permission denied; @ext/later' \
	flush
stat_is() {	# NAME LEAST MOST
	"$STAGEFS" stats "$MNT" | awk -v name="stagefs_$1" -v least="$2" \
		-v most="$3" '$1 == name { found = $2 >= least && $2 <= most }
		END { exit !found }'
}
size=$((7 * 7 * 700 + 19 * 19 * 700))
ok '... and the counters' '
	until_ok 60 "stat_is pending_failed 3 3" && stat_is pending_names 3 3 &&
	stat_is pending_bytes $size $size && stat_is pending_files 1 1'
ok '... with what bounds them' '
	stat_is pending_limit_names 16384 16384 &&
	stat_is pending_limit_files 1 16384 &&
	stat_is pending_limit_bytes $size 1e15'
ok '... and what they take of the disk' '
	stat_is journal_bytes $((7 * 7 * 700)) 1e7 &&
	stat_is spill_files 1 1 && stat_is spill_bytes $((19 * 19 * 700)) 1e6 && stat_is spill_room_bytes 1 1e18'
is '... and the name itself' "$(xa user.stage.pending "$E/later/a")" \
	'Permission denied'
# unless they are just being tried again
ok '... and the status' '
	until_ok 60 "\"$STAGEFS\" status $MNT | grep -q \"3 to be sent, 3 cannot be\""'
ok '... and the log, once' '
	[ $(grep "later/a" $LOG | grep -c "cannot be sent yet") = 1 ]'
ok '... and it can be read' 'cmp $LOCAL/pool/f7 $E/later/a'
ok 'umount keeps it' 'mount_down'
ok '... check tells' '
	"$STAGEFS" check --config "$CONF" 2>&1 |
		grep -q "3 files were written and not sent"'
like '... so does recover' "$("$STAGEFS" recover --config "$CONF")" '@ext/later/a'
mount_up
ok 'the next mount has it' '
	cmp $LOCAL/pool/f7 $E/later/a && cmp $LOCAL/pool/f19 $E/later/b'
ok '... it can be removed' 'rm $E/later/b'
mount_down
ok 'or taken out' '
	"$STAGEFS" recover --config "$CONF" --to $T/out &&
	cmp $T/out/ext/later/a $LOCAL/pool/f7 && [ ! -e $T/out/ext/later/b ]'
is '... then nothing is left' "$("$STAGEFS" recover --config "$CONF")" ''
mount_up
ok 'what is refused once' '
	cp $LOCAL/pool/f9 $E/right && ! flush'
allow
ok '... is sent when it is allowed' 'flush && there right $LOCAL/pool/f9'
ok '... then nothing waits, nor is on the disk' '
	stat_is pending_names 0 0 && stat_is pending_bytes 0 0 &&
	until_ok 60 "stat_is spill_files 0 0" && stat_is spill_bytes 0 0'

crash() {
	kill -KILL $(daemon_pids)
	umount -l "$MNT"
	until_ok 60 '[ -z "$(daemon_pids)" ]'
}
refuse
ok 'files wait' '
	mkdir -p $E/far/off && cp $LOCAL/pool/f4 $E/far/off/f &&
	mv $E/far/off/f $E/far/off/g'
crash
at "http://127.0.0.1:$(free_port)"
# Without it, a later mount would send it over what is newer.
(cd "$T"/spill/write_back/* && mv journal kept && mkdir journal)
fails '... which no mount begins without, if it cannot be read' \
	"$T/spill/write_back/.*cannot be read: Is a directory" '
	mount_try -o check=none || { cat $T/mount.err; false; }'
(cd "$T"/spill/write_back/* && rmdir journal && mv kept journal)
mount_up -o check=none
ok '... and are there after a crash, without network' 'cmp $E/far/off/g $LOCAL/pool/f4'
like '... in their directory too' "$(ls "$E/far/off" 2>/dev/null)" '^g$'
crash
allow
at "$AT"
mount_up
ok '... and sent when it is back' 'flush && there far/off/g $LOCAL/pool/f4'
fails '... under that name alone' . 'there far/off/f $LOCAL/pool/f4'

# ---- killed between what the store does and what it says

printf 'first\n' >"$LOCAL/log"
ok 'a file is there' 'cp $LOCAL/log $E/log && flush'
curl -fsS -X POST -d '{"match": {"method": "PUT", "count": 0}, "action":
	{"type": "stall", "when": "answer", "seconds": 600}}' "$AT/_fault" >/dev/null
printf 'second\n' | tee -a "$LOCAL/log" >>"$E/log"
ok 'what is appended comes to be in the store' '
	until_ok 60 "there log $LOCAL/log 2>/dev/null"'
crash
allow
mount_up
ok '... and is read after a crash before the answer' 'cmp $E/log $LOCAL/log'
printf 'third\n' | tee -a "$LOCAL/log" >>"$E/log"
ok '... and appended to, and sent' 'flush && there log $LOCAL/log'

printf 'first\n' >"$LOCAL/log"
ok 'a file is changed that is there' '
	cp $LOCAL/log $E/gone && flush && refuse && echo second >>$E/gone'
curl -fsS -X POST -d '{"match": {"method": "DELETE", "count": 0}, "action":
	{"type": "stall", "when": "answer", "seconds": 600}}' "$AT/_fault" >/dev/null
rm "$E/gone" 2>/dev/null &
removing=$!
ok '... and its removal comes to the store' '
	until_ok 60 "! there gone $LOCAL/log 2>/dev/null"'
crash
wait $removing
allow
mount_up
ok '... then nothing is left of it after a crash before the answer' '
	flush && [ ! -e $E/gone ] && stat_is pending_names 0 0'

# ---- to another stage of the same server

refuse
ok 'what waits moves to another stage' '
	mkdir -p $E/none $E/some/deep && cp $LOCAL/pool/f3 $E/one &&
	cp $LOCAL/pool/f2 $E/some/deep/f &&
	mv $E/none $E/one $E/some $MNT/other/ && ! ls -d $E/none $E/one $E/some'
crash
mount_up
moved_is_there() {
	diff <(cd $MNT/other && find none one some | sort) \
		<(printf "%s\n" none one some some/deep some/deep/f) &&
		cmp $LOCAL/pool/f3 $MNT/other/one &&
		cmp $LOCAL/pool/f2 $MNT/other/some/deep/f
}
ok '... and is there after a crash' 'moved_is_there'
allow
ok '... and sent' '
	flush && mount_down && rm -rf $T/spill/write_back && mount_up &&
	moved_is_there'
ok 'what is copied by the server does not need its source' '
	cp $LOCAL/pool/f6 $E/source && flush && cp $E/source $E/copy &&
	rm $E/source && flush && there copy $LOCAL/pool/f6'
mount_down
cat "$T/real.conf" >"$CONF"
mount_up

# ---- killed amid work

# Each says in $T/said what was answered, and goes on until it fails. What is to
# outlive a power cut is flushed before.
flushed=:
copies() {	# ROUND
	local n f
	for ((n = 0; ; n++)); do
		f=f$((RANDOM % 20))
		cp "$LOCAL/pool/$f" "$E/kill/$1-$n.new" &&
			mv "$E/kill/$1-$n.new" "$E/kill/$1-$n" &&
			$flushed || return
		echo "$1-$n $f" >>"$T/said"
	done
}
trees() {	# ROUND
	local n
	for ((n = 0; ; n++)); do
		rsync -a "$LOCAL/pool/" "$E/kill/tree$1-$n/" && $flushed ||
			return
		echo "tree$1-$n pool" >>"$T/said"
	done
}
commits() {	# ROUND
	local n
	cd "$E/kill/git" || return
	for ((n = 0; ; n++)); do
		echo "$1 $n" >>file && git add file &&
			git commit -qm "$1 $n" && $flushed || return
		git rev-parse HEAD >>"$T/commits"
	done
}
all_is_there() {
	local name what
	while read -r name what; do
		diff -r "$LOCAL/$([ "$what" = pool ] || echo pool/)$what" \
			"$E/kill/$name" || return 1
	done <"$T/said"
	tail -n 1 "$T/commits" >"$T/head"
	[ ! -s "$T/head" ] || (
		cd "$E/kill/git" && find .git -name "*.lock" -delete &&
			git cat-file -e "$(cat "$T/head")^{commit}" &&
			git merge-base --is-ancestor "$(cat "$T/head")" HEAD &&
			git fsck --no-dangling
	)
}
: >"$T/said"
: >"$T/commits"
ok 'git makes a repository' '
	mkdir $E/kill && git init -q $E/kill/git && cd $E/kill/git &&
	git config user.name t && git config user.email t@t &&
	git config gc.auto 0'
work=(copies trees commits)
failed=
end_by_kill() {
	kill -KILL $(daemon_pids)
}
# killed END FIRST COUNT: rounds; END ends the daemon amid the work.
killed() {
	local round job commits
	for ((round = $2; round < $2 + $3 && ! ${#failed}; round++)); do
		(${work[round % 3]} $round) >"$T/work.out" 2>&1 &
		job=$!
		commits=$(wc -l <"$T/commits")
		until_ok 120 '[ -s "$T/said" ] ||
			[ $(wc -l <"$T/commits") -gt '$commits' ]'
		sleep 0.$((RANDOM % 9 + 1))
		$1
		wait $job
		umount -l "$MNT"
		until_ok 60 '[ -z "$(daemon_pids)" ]'
		[ $1 = end_by_kill ] || power_is_back
		mount_up
		all_is_there >"$T/there.out" 2>&1 || failed=$round
		# what is there stays so; the next rounds look at theirs
		cat "$T/said" >>"$T/all"
		: >"$T/said"
	done
	[ -z "$failed" ]
}
killed end_by_kill 0 "$KILLS" &&
	pass "what was answered is there after $KILLS kills" ||
	fail "what was answered is there after $KILLS kills" < <(
		echo "round $failed"
		cat "$T/there.out"
	)

# The disk with the journal is one of our own, that is shut down without what
# it has not written yet (FS_IOC_SHUTDOWN).
power_up() {
	truncate -s 1G "$T/disk" && mkfs.ext4 -qF "$T/disk" &&
		mount -o loop "$T/disk" "$T/spill" && power_goes &&
		power_is_back
}
power_goes() {
	/usr/bin/python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))' \
		"$T/spill"
}
end_by_power_cut() {
	power_goes || failed='the power stays'
	end_by_kill
}
power_is_back() {
	until_ok 60 'umount "$T/spill"' || bail 'the disk stays'
	# Another process's copy of the mounts may hold the one that is dead.
	until_ok 60 'mount -o loop "$T/disk" "$T/spill" &&
		{ touch "$T/spill/there" || ! umount "$T/spill"; }' ||
		bail 'no disk any more'
}
flush && mount_down || bail 'it does not end'
at_exit+=('umount -l "$T/spill" 2>/dev/null')
[ "$CUTS" = 0 ] || if power_up >"$T/power.out" 2>&1; then
	mount_up
	flushed="sync $E/kill"
	killed end_by_power_cut "$KILLS" "$CUTS" &&
		pass "what was flushed is there after $CUTS power cuts" ||
		fail "what was flushed is there after $CUTS power cuts" < <(
			echo "round $failed"
			cat "$T/there.out"
		)
	flush && mount_down && umount "$T/spill" || bail 'it does not end'
else
	skip 'what was flushed is there after a power cut' 'no disk to cut off'
fi
mount_up
cat "$T/all" >"$T/said"
ok '... of which there was much' '
	[ $(cat $T/said $T/commits | wc -l) -ge $((KILLS + CUTS)) ]'
ok '... at their end too, and sent' 'flush && all_is_there'
ok '... to the store' '
	mount_down && rm -rf $T/spill/write_back && mount_up && all_is_there'

done_testing
