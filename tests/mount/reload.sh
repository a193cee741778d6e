#!/bin/bash
# A configuration that changes while its mount runs: SIGHUP, `stagefs reload`,
# and keys, which are read again by themselves.
#
# Covers: net/http_counts.c auth/signer.c mount/cmd_control.c mount/mount_control.c
# Covers: mount/mount_reload.c mount/mount_stats.c stage/external_configure.c
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
	until_ok 10 "[ -e $MNT/else/x ] && ! [ -e $MNT/more ]"'
echo still >&8
ok 'what is open goes on' 'exec 8>&-; [ "$(cat $E/open)" = still ]'
exec 8>&-
like 'the daemon is the same' "$(daemon_pids)" "^$pid\$"
sed -i 's/^log_level = debug/log_level = info\nallow_other = yes\nmetadata_ttl = 17/' "$CONF"
ok 'a setting that needs another mount is said' '
	reload && grep -qx "allow_other = yes needs another mount" $T/said'
ok '... and others change' '
	grep -qx "metadata_ttl is 17 s" $T/said && grep -qx "log_level is another" $T/said'
mv "$LOG" "$LOG.1"
ok 'the log is opened anew' 'reload && [ -s $LOG ] && grep -q "was read again" $LOG'

# ---- counters

stat_of() {	# NAME[{LABELS}]
	"$STAGEFS" stats "$MNT" | sed -n "s/^stagefs_$1 //p"
}
puts='requests_total{stage="ext",method="PUT",status="2xx"}'
bytes='sent_bytes_total{stage="ext"}'
before=$(stat_of "$puts") sent=$(stat_of "$bytes")
printf 'twelve bytes' >"$E/counted"
is 'stats counts a request by method and status' $(($(stat_of "$puts") - before)) 1
is '... and its bytes' $(($(stat_of "$bytes") - sent)) 12
like '... and knows the build' "$("$STAGEFS" stats "$MNT")" 'stagefs_build_info\{version="'
exec 8<>"$E/counted"
is '... and who writes' "$(stat_of open_for_writing)" 1
exec 8>&-
ok '... and of what is no mount nothing' '! "$STAGEFS" stats $T 2>$T/reload.err && grep -q "no mount of stagefs" $T/reload.err'

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
ok 'a reload of what is no mount' '! "$STAGEFS" reload $T 2>$T/reload.err && grep -q "no mount of stagefs" $T/reload.err'

# ---- keys, by themselves

echo after >"$T/after"
echo file >"$T/file"

reload
secret_is wrong
ok 'other keys are taken when the file changes' '
	until_ok 20 "grep -q \"stage ext has other credentials\" $LOG"'
ok '... and used' '! cp $T/after $E/denied 2>/dev/null'
secret_is "$secret"
ok 'the right ones as well' 'until_ok 20 "cp $T/after $E/file"'
is '... by what is written then' "$(s3 get "${EXT}file")" after
printf %s wrong >"$T/secret"
chmod 600 "$T/secret"
secret_is "\${file:$T/secret}"
until_ok 20 '! cp $T/file $E/denied'
printf %s "$secret" >"$T/secret"
ok 'a file that a key is read from may change' 'until_ok 20 "cp $T/file $E/file"'
like 'a URL is signed with it at once' "$(curl -sf "$(xa user.presign.download "$E/file")")" file
mount_down
done_testing
