#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A mount's life: by hand, by mount(8) and fstab, its options, its end while
# something is still going up, and the next one at the same place.
#
# Covers: cli/service.c fuse/guard.c fuse/session.c mount/background.c mount/cmd_mount.c
# Covers: mount/mount_check.c mount/mount_end.c mount/mount_lock.c
# Covers: mount/mount_point.c
. "$(dirname "$0")/lib.sh"
write_config
mount_up
E=$MNT/ext
random_file "$LOCAL/large" 60000000
mountinfo() {
	grep " $MNT " /proc/self/mountinfo | tail -n 1
}

# ---- what the kernel and others see

like 'it is mounted as fuse.stagefs' "$(mountinfo)" ' - fuse\.stagefs '
like 'nosuid and nodev always' "$(mountinfo | cut -d' ' -f6)" 'nosuid.*nodev'
is 'one daemon serves it' "$(daemon_pids | wc -l)" 1
ok 'the daemon holds no folder of ours: its own is /' '
	[ "$(readlink /proc/$(daemon_pids)/cwd)" = / ]'
is 'nor our standard error' "$(readlink "/proc/$(daemon_pids)/fd/2" |
	grep -c mount.err)" 0
mount_down
mount_up -o suid,dev
like 'suid and dev in -o change nothing' "$(mountinfo | cut -d' ' -f6)" 'nosuid.*nodev'
mount_down
write_config 'allow_suid = yes'
mount_up
like 'only the configuration allows them' "$(mountinfo | cut -d' ' -f6 |
	tr ',' '\n' | grep -cE 'nosuid|nodev')" '^0$'
mount_down
write_config
mount_up -o noexec,noatime
like 'noexec and noatime reach the kernel' "$(mountinfo | cut -d' ' -f6)" 'noexec.*noatime|noatime.*noexec'
mount_down
if [ -e /sys/fs/selinux/enforce ]; then
	skip 'context= reaches the kernel' 'SELinux is on'
else
	mount_try -o 'context="system_u:object_r:tmp_t:s0:c1,c2"'
	is 'context= reaches the kernel, which refuses it without SELinux' $? 1
	ok '... and the message says so' '
		[ "$(wc -l <$T/mount.err)" = 1 ] && grep -q SELinux $T/mount.err'
fi
mount_up -o uid=12345,gid=23456,file_mode=640,dir_mode=750
echo x >"$E/modes"
is 'uid, gid, file_mode and dir_mode are what stat shows' \
	"$(remount -o uid=12345,gid=23456,file_mode=640,dir_mode=750
	stat -c '%u %g %a' "$E/modes" "$E" | tr '\n' ' ')" \
	'12345 23456 640 12345 23456 750 '
mount_down

mount_up -o user=somebody
echo x >"$MNT/~/mine"
ok 'user= in -o says whose stage ~ is' '
	s3 head ${STORAGE}stage/user/somebody/mine'
mount_down

timeout 120 "$STAGEFS" "$CONF" "$MNT" -f >"$T/fg.out" 2>&1 &
foreground=$!
ok '-f stays in the foreground' 'until_ok 60 mounted && [ -d /proc/$foreground ]'
ok 'and serves' 'echo fg >$E/fg && s3 head ${EXT}fg'
umount "$MNT"
wait $foreground
is 'it ends well when it is unmounted' $? 0

# ---- the end, while something is going up

# A program that has files open which no child of the shell inherits: a child
# that ends closes them, and each close publishes.
writer_up() {
	coproc W {
		exec /usr/bin/python3 -u -c '
import errno, os, sys
fds = {}
def of(path):
    fds[path] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
def put(path, source, begin, end):
    with open(source, "rb") as f:
        data = f.read()[begin:end]
    while data:
        data = data[os.write(fds[path], data):]
def sync(path): os.fsync(fds[path])
def close(path): os.close(fds.pop(path))
for line in sys.stdin:
    word, *args = line.split()
    args = [int(a) if a.isdigit() else a for a in args]
    try:
        {"open": of, "put": put, "sync": sync, "close": close}[word](*args)
        print("ok")
    except OSError as e:
        print(errno.errorcode.get(e.errno, e.errno))
'
	}
}
tell() {	# open FILE | put FILE FROM BEGIN END | sync FILE | close FILE
	echo "$*" >&"${W[1]}"
	answer=none
	read -r -t 120 answer <&"${W[0]}"
}
writer_down() {
	local in=${W[1]} pid=$W_PID
	exec {in}>&-
	wait "$pid"
}
HALF=30000000
ALL=60000000

daemon_ended() {
	until_ok 120 "! [ -d /proc/$pid ]"
}
detached() {
	until_ok 60 '! mounted'
}
no_uploads() {
	[ -z "$(s3 uploads "$EXT")" ]
}
up_with_writer() {
	mount_up
	pid=$(daemon_pids)
	: >"$LOG"
	writer_up
}

# The last close is umount's business too: the copy is in the daemon when cp
# says so, so the writers here are ones that have not closed yet.
up_with_writer
tell open "$E/open"
tell put "$E/open" "$LOCAL/large" 0 $ALL
fails 'umount is refused while a file is open' busy 'umount $MNT'
umount -l "$MNT"
tell close "$E/open"
is 'after umount -l the writer closes its file' "$answer" ok
ok '... which is whole' 'daemon_ended && s3 get ${EXT}open | cmp - $LOCAL/large'
ok '... and there is no upload' no_uploads
writer_down

up_with_writer
echo here >"$E/held"
exec 8<"$E/held"
(cd "$E" && exec sleep 300) &
stays=$!
until_ok 60 '[ "/proc/$stays/cwd" -ef "$E" ]'
tell open "$E/open"
tell put "$E/open" "$LOCAL/large" 0 $HALF
kill -TERM "$pid"
ok 'SIGTERM detaches the mount: nobody new comes in' 'detached && ! [ -e $E/fg ]'
ok '... and the log says which file it waits for' '
	until_ok 60 "grep -q \"waiting until 1 file that is open for writing is closed: @ext/open \" $LOG"'
fails '... nothing is written into the directory below' busy 'until_ok 60 "grep -q stagefs-ending /proc/self/mountinfo"; echo x >$MNT/below'
fails '... nor made there' busy 'mkdir $MNT/ext'
like '... and status says so' "$("$STAGEFS" status "$MNT" | cut -f4)" '^it ends, when'
mount_try -o mount_wait=1
is '... the next mount waits' $? 1
ok '... and says for which file' '
	grep -q "process $pid.*: it waits until @ext/open is closed" $T/mount.err'
ok '... another source is refused' '
	sed "s,^user = .*,user = else," $CONF >$CONF.else && chmod 600 $CONF.else &&
	! "$STAGEFS" $CONF.else $MNT 2>$T/else.err &&
	grep -q "in use: a mount of another source ends there" $T/else.err'
tell put "$E/open" "$LOCAL/large" $HALF $ALL
is 'a file that is open for writing is served further' "$answer" ok
is '... and another is read by who has it open' "$(cat <&8)" here
ok '... and the daemon waits for it' 'sleep 1; [ -d /proc/$pid ]'
tell close "$E/open"
is 'its close has the result' "$answer" ok
ok '... and ends the daemon, whoever reads or stands there' daemon_ended
ok '... and the file is whole' 's3 get ${EXT}open | cmp - $LOCAL/large'
ok '... and there is no upload' no_uploads
ok '... and the place is as it was' '
	! grep -q " $MNT " /proc/self/mountinfo && [ -z "$(ls -A $MNT)" ]'
exec 8<&-
kill $stays
writer_down

# What a daemon leaves that is killed while it waits.
up_with_writer
tell open "$E/killed"
kill -TERM "$pid"
until_ok 60 'grep -q " $MNT .* fuse.stagefs-ending" /proc/self/mountinfo'
kill -KILL "$pid"
ok 'a killed daemon'"'"'s guard is detached by the next mount' '
	daemon_ended; mount_try && mounted && ls $E'
mount_down
writer_down
touch "$MNT/in the way"
mount_try
is 'a directory that is not empty is refused' $? 1
ok '... which names what is in it, and the option' '
	grep -q "not empty: .in the way. is in it (-o nonempty mounts over it)" $T/mount.err'
ok '... that mounts all the same' 'mount_try -o nonempty && mounted && ls $E'
mount_down
rm "$MNT/in the way"

mount_up
pid=$(daemon_pids)
mkfifo "$T/pipe"
(
	cp "$T/pipe" "$E/copied"
	echo $? >"$T/status"
) &
exec 9>"$T/pipe"
head -c $HALF "$LOCAL/large" >&9
until_ok 60 '[ -e $E/copied ]'
kill -TERM "$pid"
detached
tail -c +$((HALF + 1)) "$LOCAL/large" >&9
exec 9>&-
ok 'a cp under way at SIGTERM ends with status 0' '
	until_ok 60 "[ -s $T/status ]" && [ "$(cat $T/status)" = 0 ]'
ok '... and the whole file' 'daemon_ended && s3 get ${EXT}copied | cmp - $LOCAL/large'

# What was only emptied is published at the release, which the kernel does not
# send any more when the file was the last thing that held a detached mount.
emptied() {	# SENTENCE COMMAND
	up_with_writer
	cp "$CONF" "$E/emptied"
	tell open "$E/emptied"
	eval "$2"
	detached
	tell close "$E/emptied"
	ok "$1" 'daemon_ended && s3 get ${EXT}emptied | cmp - /dev/null'
	writer_down
}
emptied 'what was only emptied is empty after SIGTERM' 'kill -TERM $pid'
emptied '... and after umount -l' 'umount -l $MNT'

# What is open when the mount ends for good is not published.
abort_mount() {
	local minor
	minor=$(mountinfo | cut -d' ' -f3 | cut -d: -f2)
	mountpoint -q /sys/fs/fuse/connections ||
		mount -t fusectl none /sys/fs/fuse/connections
	echo 1 >"/sys/fs/fuse/connections/$minor/abort"
}
lost() {	# SENTENCE SHELL-TEXT
	up_with_writer
	cp "$CONF" "$E/kept"
	for name in kept none synced; do
		tell open "$E/$name"
	done
	tell put "$E/kept" "$LOCAL/large" 0 $ALL
	tell put "$E/none" "$CONF" 0 10
	tell put "$E/synced" "$CONF" 0 100
	tell sync "$E/synced"
	tell put "$E/synced" "$CONF" 100 200
	until_ok 60 '! no_uploads'
	ok "$1" "($2) && daemon_ended"
	ok '... and the old object stays' 's3 get ${EXT}kept | cmp - $CONF'
	ok '... a new file is not there' '! s3 head ${EXT}none'
	ok '... what fsync answered for is' '
		s3 get ${EXT}synced | cmp - <(head -c 100 $CONF)'
	ok '... there is no upload' no_uploads
	is '... and the log names each lost file once' \
		"$(grep 'error: not saved' "$LOG" | grep -oE '[^/]*"$' |
			sort | tr '\n' ' ')" 'kept" none" synced" '
	tell close "$E/kept"
	like '... whose close says so' "$answer" '^E(NOTCONN|CONNABORTED|IO)$'
	writer_down
	mounted && umount -l "$MNT"
}
lost 'a second SIGTERM ends it at once' 'kill -TERM $pid && detached &&
	sleep 2 && [ -d /proc/$pid ] && kill -TERM $pid'
lost 'an aborted connection does too' abort_mount
write_config 'stop_timeout = 3'
# Not earlier: the daemon counts from its signal, which is sent after we began.
lost 'and stop_timeout without a word of a writer' 'began=$(date +%s%3N) &&
	kill -TERM $pid && detached && until_ok 60 "! [ -d /proc/$pid ]" &&
	[ $(($(date +%s%3N) - began)) -ge 3000 ] && until_ok 60 "grep -q \"for 3 s (stop_timeout), and 3 files are still open for writing: @ext/\" $LOG"'
write_config

# The place is free as soon as the mount is detached.
up_with_writer
echo here >"$E/held"
exec 8<"$E/held"
tell open "$E/open"
kill -TERM "$pid"
detached
mount -t tmpfs none "$MNT"
tell close "$E/open"
ok 'what was mounted there meanwhile stays' 'daemon_ended && mountpoint -q $MNT'
exec 8<&-
umount "$MNT"
writer_down

mount_up
pid=$(daemon_pids)
for _ in 1 2 3 4; do
	cp "$LOCAL/large" "$E/closed-$_" &
	copy=$!
done
until_ok 60 '[ -n "$(s3 uploads $EXT)" ] || ! [ -d /proc/$copy ]'
until_ok 120 'umount $MNT'
wait
ok 'a second mount of the same waits for the old daemon and works' '
	mount_try && mounted && until_ok 60 "! [ -d /proc/$pid ]"'
ok 'what was copied is whole' 'for n in 1 2 3 4; do
	[ ! -e $E/closed-$n ] || cmp $E/closed-$n $LOCAL/large || exit; done'
mount_down

# Another mount namespace, as a container has it, keeps a copy of the mount,
# and with it the daemon.
mount_up
pid=$(daemon_pids)
unshare -m sleep 300 &
holder=$!
until_ok 60 "! [ /proc/$holder/ns/mnt -ef /proc/self/ns/mnt ]"
umount "$MNT"
mount_try -o mount_wait=1
is 'a mount whose last daemon does not end fails in the end' $? 1
ok '... it says early what it waits for, and for how long' '
	head -n 1 $T/mount.err | grep -q "waiting up to 1 s for .*process $pid.*: \
another mount namespace .*process $holder (sleep)\$"'
ok '... and at the end what it waited for' '
	[ "$(wc -l <$T/mount.err)" = 2 ] && tail -n 1 $T/mount.err |
		grep "cannot mount: .*process $pid.* within 1 s .mount_wait" |
		grep "process $holder (sleep)" | grep -q "kill $pid"'
ok '... and nothing is mounted' '! mounted && [ -d /proc/$pid ]'
(sleep 1 && kill $holder) &
ok 'it works as soon as the other namespace has gone' '
	mount_try && mounted && until_ok 60 "! [ -d /proc/$pid ]"'
mount_down

mount_up
pid=$(daemon_pids)
kill -KILL "$pid"
until_ok 60 "! [ -d /proc/$pid ]"
ok 'a daemon that was killed leaves a dead mountpoint' '
	until_ok 60 "[ \$(sys stat $MNT) = ENOTCONN ]"'
ok 'which the next mount detaches' 'mount_try && [ "$(cat $E/fg)" = fg ] &&
	[ "$(grep -c " $MNT " /proc/self/mountinfo)" = 1 ]'
mount_down

# ---- mount(8) and fstab

installed_in /usr/local/bin stagefs
BY_MOUNT='timeout 60 mount'
# What mount(8) passes for these: user adds noexec, nosuid and nodev.
WORDS=_netdev,nofail,noauto,user,relatime,x-systemd.automount
ok 'mount -t fuse.stagefs works with the options of fstab' '
	$BY_MOUNT -t fuse.stagefs $CONF $MNT -o $WORDS && mounted &&
	[ "$(cat $E/fg)" = fg ]'
like 'its source is shown' "$(mountinfo)" " - fuse.stagefs $CONF "
mount_down
ok 'mount -t fuse.stagefs -o ro is read-only' '
	$BY_MOUNT -t fuse.stagefs $CONF $MNT -o ro && [ "$(sys create $E/new)" = EROFS ]'
mount_down
ok 'mount fails when the mount does, and says why' '
	! $BY_MOUNT -t fuse.stagefs $T/none.conf $MNT >$T/err 2>&1 &&
	grep -q "none.conf" $T/err && ! mounted'
printf '%s %s fuse.stagefs %s 0 0\n' "$CONF" "$MNT" "$WORDS" >"$T/fstab"
ok 'mount -T FSTAB MOUNTPOINT works' '
	$BY_MOUNT -T $T/fstab $MNT && [ "$(cat $E/fg)" = fg ]'
mount_down
printf '%s %s fuse.stagefs %s 0 0\n' "$CONF" "$MNT" \
	"_netdev,nofail,relatime,x-systemd.mount-timeout=60" >"$T/fstab"
ok 'mount -T FSTAB -a works' '
	$BY_MOUNT -T $T/fstab -a && [ "$(cat $E/fg)" = fg ]'
mount_down
printf 'stagefs %s fuse.stagefs %s 0 0\n' "$MNT" "config=$CONF,_netdev" >"$T/fstab"
ok 'config= works in fstab, with the source `stagefs`' '
	$BY_MOUNT -T $T/fstab -a && [ "$(cat $E/fg)" = fg ]'
mount_down
printf '@ext %s fuse.stagefs %s 0 0\n' "$MNT" "config=$CONF" >"$T/fstab"
ok '@stage works in fstab' '$BY_MOUNT -T $T/fstab -a && [ "$(cat $MNT/fg)" = fg ]'
mount_down

# A link that is there already is another program's, and as good.
helper=/sbin/mount.stagefs
[ -e $helper ] || { ln -s "$STAGEFS" $helper && at_exit+=("rm -f $helper"); }
ok 'mount -t stagefs works with the options of fstab' '
	$BY_MOUNT -t stagefs $CONF $MNT -o $WORDS && [ "$(cat $E/fg)" = fg ]'
mount_down
printf '%s %s stagefs %s 0 0\n' "$CONF" "$MNT" "$WORDS" >"$T/fstab"
ok 'mount -t stagefs from fstab works' '
	$BY_MOUNT -T $T/fstab $MNT && [ "$(cat $E/fg)" = fg ]'
mount_down
ok 'mount -f -t stagefs only checks' '
	$BY_MOUNT -f -t stagefs $CONF $MNT && ! mounted'
$BY_MOUNT -t stagefs "$T/none.conf" "$MNT" >"$T/err" 2>&1
is 'the helper fails with status 32' $? 32
ok 'and says why' 'grep -q "none.conf" $T/err'

# ---- the search for a configuration

mkdir -p "$XDG_CONFIG_HOME/stagefs"
cp -p "$CONF" "$XDG_CONFIG_HOME/stagefs/stagefs.conf"
ok 'stagefs MOUNTPOINT takes $XDG_CONFIG_HOME/stagefs/stagefs.conf' '
	timeout 60 $STAGEFS $MNT && [ "$(cat $E/fg)" = fg ]'
mount_down
sed -i 's/^\[stage ext\]/[stage other]/' "$XDG_CONFIG_HOME/stagefs/stagefs.conf"
ok '$STAGEFS_CONFIG comes before it' '
	STAGEFS_CONFIG=$CONF timeout 60 $STAGEFS $MNT && [ "$(cat $E/fg)" = fg ]'
mount_down
rm -r "$XDG_CONFIG_HOME/stagefs"

# ---- the log

: >"$LOG"
mount_up
sys read "$E/none" >/dev/null
aws_s3api put-object --bucket "$BUCKET" --key "${EXT}gone" --body "$CONF" >/dev/null
until_ok 60 '[ -e $E/gone ]'
s3 delete "${EXT}gone"
xa 'user.presign.upload?path=new' "$E" >/dev/null
xa 'user.presign.download.curl' "$E/fg" >/dev/null
mount_down
ok 'the log is a file of its own, closed to others' '
	[ "$(stat -c %a $LOG)" = 600 ] && [ -s $LOG ]'
ok 'each line of it starts with the program' '! grep -v "stagefs" $LOG'
ok 'it has no query string' '! grep -E "X-Amz-|Signature=" $LOG'
sed -i "/^\[stage ext\]/,\$s/^aws_secret_key = .*/aws_secret_key = wrong/" "$CONF"
mount_up
sys read "$E/fg" >/dev/null
mount_down
ok 'an error has stage, code and request id' '
	grep "stage=ext" $LOG | grep -E "code=(SignatureDoesNotMatch|AccessDenied)" |
		grep -q "request=tx"'
write_config
mount_up

done_testing
