#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A configuration that changes while its mount runs: SIGHUP, `stagefs reload`,
# and keys, which are read again by themselves.
#
# Covers: fuse/op_counts.c net/http_counts.c auth/signer.c mount/cmd_control.c mount/mount_control.c
# Covers: mount/mount_reload.c mount/mount_remount.c mount/mount_stats.c stage/external_configure.c
. "$(dirname "$0")/lib.sh"
write_config
mount_up
E=$MNT/ext
pid=$(daemon_pids)
echo before >"$E/file"
reload() {
	"$STAGEFS" reload "$MNT" >"$T/said" 2>"$T/reload.err"
}
mkdir -p "$T/disk"
secret=$(sed -n 's/^aws_secret_key = //p' "$CONF" | head -n 1)
secret_is() {	# SECRET
	sed -i "s|^\\(aws_secret_key\\) = .*|\\1 = $1|" "$CONF"
}

# ---- asked for

ok 'what is as it was changes nothing' 'reload && ! [ -s $T/said ] && ! [ -s $T/reload.err ]'
exec 8<>"$E/open"
printf '[stage more]\nurl = fs://%s/disk/\n' "$T" >>"$CONF"
ok 'a stage more is there' 'reload && grep -qx "stage more is new" $T/said && echo x >$MNT/more/x'
sed -i 's/^\[stage more\]/[stage else]/' "$CONF"
kill -HUP "$pid"
ok 'SIGHUP reads it too: a stage has another name' '
	until_ok 60 "[ -e $MNT/else/x ] && ! [ -e $MNT/more ]"'
echo still >&8
ok 'what is open goes on' 'exec 8>&-; [ "$(cat $E/open)" = still ]'
exec 8>&-
like 'the daemon is the same' "$(daemon_pids)" "^$pid\$"
sed -i 's/^log_level = debug/log_level = info\nallow_other = yes\nmetadata_ttl = 17/' "$CONF"
ok 'a setting that needs another mount is said' '
	reload && grep -qx "allow_other = yes needs another mount" $T/said'
ok '... and others change' '
	grep -qx "metadata_ttl is 17 s" $T/said && grep -qx "log_level is another" $T/said'
sed -i 's/^metadata_ttl = 17/metadata_ttl = 18/' "$CONF"
ln -s "$STAGEFS" "$T/mount.stagefs"
remount() {	# OPTIONS
	timeout 60 "$T/mount.stagefs" stagefs "$MNT" -o "$1" >"$T/said" 2>"$T/reload.err"
}
ok 'a remount by mount(8) reads it too' '
	remount rw,remount && grep -qx "metadata_ttl is 18 s" $T/said && ! [ -s $T/reload.err ]'
ok '... and what it cannot change is said to stay' '
	remount remount,noexec,user_id=0,config=$CONF,memory=64M &&
	grep -qx "as it was mounted stay: noexec,memory" $T/said'
ok '... what it can is as it says' '
	remount remount,metadata_ttl=5 && grep -qx "metadata_ttl is 5 s" $T/said &&
	! grep stay $T/said'
ok '... and stays so when the configuration is read again' '
	reload && ! grep metadata_ttl $T/said'
ok '... what is no value is an error, and changes nothing' '
	remount remount,metadata_ttl=long; [ $? = 32 ] &&
	grep -q "cannot remount: -o: metadata_ttl = long: " $T/reload.err &&
	reload && ! grep metadata_ttl $T/said'
ok '... but not for what is writable and shall not be' '
	remount remount,ro; [ $? = 32 ] && ! [ -s $T/said ] &&
	grep -q "^stagefs: $MNT: cannot remount: a mount becomes read-only by another one only" $T/reload.err'
ok '... nor where no mount is' '
	! "$STAGEFS" $T -o remount >$T/said 2>$T/reload.err &&
	grep -q "cannot remount: .*no mount of stagefs" $T/reload.err'
ok 'the same daemon serves on' '[ "$(daemon_pids)" = $pid ] && [ "$(cat $E/file)" = before ]'
mv "$LOG" "$LOG.1"
ok 'the log is opened anew' 'reload && [ -s $LOG ] && grep -q "was read again" $LOG'
# what etc/stagefs.logrotate runs, and finds: this mount
mkdir "$T/bin"
printf '#!/bin/sh\necho "%s"\n' "$MNT" >"$T/bin/findmnt"
printf '#!/bin/sh\nexit 1\n' >"$T/bin/systemctl"
ln -s "$STAGEFS" "$T/bin/stagefs"
chmod +x "$T/bin/"*
sed -n '/postrotate/,/endscript/{//d;p}' "$TOP/etc/stagefs.logrotate" >"$T/rotated"
mv "$LOG" "$LOG.2"
ok '... by logrotate, whoever mounted it' '
	PATH=$T/bin:$PATH timeout 60 sh -e $T/rotated && [ -e $LOG ]'

# ---- counters

stat_of() {	# NAME[{LABELS}]
	"$STAGEFS" stats "$MNT" | sed -n "s/^stagefs_$1 //p"
}
puts='requests_total{stage="ext",method="PUT",status="200"}'
bytes='sent_bytes_total{stage="ext"}'
before=$(stat_of "$puts") sent=$(stat_of "$bytes")
printf 'twelve bytes' >"$E/counted"
is 'stats counts a request by method and status' $(($(stat_of "$puts") - before)) 1
is '... and its bytes' $(($(stat_of "$bytes") - sent)) 12
like '... and knows the build' "$("$STAGEFS" stats "$MNT")" 'stagefs_build_info\{version="'
exec 8<>"$E/counted"
# who wrote it before is released a moment after its close
ok '... and who writes' 'until_ok 60 "[ \"\$(stat_of open_for_writing)\" = 1 ]"'
exec 8>&-
ok '... and of what is no mount nothing' '! "$STAGEFS" stats $T 2>$T/reload.err && grep -q "no mount of stagefs" $T/reload.err'

# ---- what the kernel asked, and the log of it

is 'a call that finds nothing is counted as such' "$(
	n=$(stat_of 'fuse_answers_total{op="lookup",result="absent"}')
	stat "$E/absent-$RANDOM" 2>/dev/null
	echo $(($(stat_of 'fuse_answers_total{op="lookup",result="absent"}') - ${n:-0})))" 1
like 'calls have a histogram of their time' "$("$STAGEFS" stats "$MNT")" \
	'stagefs_fuse_seconds_bucket\{op="lookup",le="\+Inf"\} [1-9]'
for file in stagefs-alerts.yml stagefs-dashboard.json; do
	is "$file asks for what there is" "$(
		"$STAGEFS" stats "$MNT" | sed -n 's/^# TYPE \([^ ]*\).*/\1/p' >"$T/known"
		grep -oE 'stagefs_[a-z_]+' "$TOP/etc/$file" | sed 's/_bucket$//' |
			sort -u | grep -vxFf "$T/known")" ''
done
sed -i 's/^log_level = info/log_level = debug\nlog_format = json/' "$CONF"
: >"$LOG"
ok 'the log becomes JSON' 'reload && stat $E/file && cat $E/file'
ok '... each line of it' 'until_ok 60 "grep -q \"\\\"msg\\\":\\\"fuse \" $LOG" && python3 -c "
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert all(l[\"level\"] and l[\"time\"] and l[\"msg\"] for l in lines)
assert any(l[\"msg\"].startswith(\"fuse \") for l in lines), lines
" $LOG'
ok '... that of a request too' '
	printf logged >$E/logged && grep -q "\"msg\":\"request [0-9]*: PUT, attempt 1, 6 bytes sent.*\"stage\":\"ext\",\"status\":200" $LOG'
sed -i 's/^log_format = json/log_format = logfmt/' "$CONF"
ok 'or logfmt' 'reload && printf logged >$E/logged &&
	grep -qE "^time=[^ ]+ level=debug pid=[0-9]+ msg=\"request [0-9]+: PUT" $LOG'
sed -i '/^log_format/d; s/^log_level = debug/log_level = info/' "$CONF"
ok 'and sentences again' '
	reload && tail -n 3 $LOG | grep -q "\]: info: .*was read again"'

# ---- mistakes change nothing

wrong() {	# SENTENCE LINE EXPRESSION
	cp "$CONF" "$T/good.conf"
	printf '%s\n' "$2" >>"$CONF"
	reload
	is "$1" $? 1
	like '... why' "$(cat "$T/reload.err")" "^stagefs: $MNT: cannot reload: .*$3"
	is '... in one line' "$(wc -l <"$T/reload.err")" 1
	ok '... all is as it was' '[ -e $MNT/else/x ] && [ "$(cat $E/file)" = before ] && ! [ -e $MNT/bad ]'
	cp "$T/good.conf" "$CONF"
}
wrong 'no section' '[stage bad' ':[0-9]+: a section without'
wrong 'an unknown key' 'nosuch = 1' ':[0-9]+: unknown key nosuch'
wrong 'stages that overlap' "[stage bad]
url = fs://$T/disk/" 'overlap'
mv "$LOG" "$LOG.2"
wrong 'a mistake when the log is rotated' 'nosuch = 1' 'unknown key nosuch'
ok '... which the new log has' 'grep -q "nothing has changed: .*unknown key nosuch" $LOG'
ok 'a reload of what is no mount' '! "$STAGEFS" reload $T 2>$T/reload.err && grep -q "no mount of stagefs" $T/reload.err'

# ---- keys, by themselves

echo after >"$T/after"
echo file >"$T/file"

reload
secret_is wrong
ok 'other keys are taken when the file changes' '
	until_ok 60 "grep -q \"stage ext has other credentials\" $LOG"'
ok '... and used' '! cp $T/after $E/denied 2>/dev/null'
secret_is "$secret"
ok 'the right ones as well' 'until_ok 60 "cp $T/after $E/file"'
is '... by what is written then' "$(s3 get "${EXT}file")" after
printf %s wrong >"$T/secret"
chmod 600 "$T/secret"
secret_is "\${file:$T/secret}"
until_ok 60 '! cp $T/file $E/denied'
printf %s "$secret" >"$T/secret"
ok 'a file that a key is read from may change' 'until_ok 60 "cp $T/file $E/file"'
like 'a URL is signed with it at once' "$(curl -sf "$(xa user.presign.download "$E/file")")" file
mount_down
done_testing
