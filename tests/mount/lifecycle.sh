#!/bin/bash
# A mount's life: by hand, by mount(8) and fstab, its options, its end while
# something is still going up, and the next one at the same place.
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

for how in umount SIGTERM; do
	mount_up
	pid=$(daemon_pids)
	# The last close is umount's business too: the copy is in the daemon
	# when cp says so, so the writer is one that has not closed yet.
	exec 7>"$E/open-$how"
	cat "$LOCAL/large" >&7
	case $how in
	umount)
		umount -l "$MNT"
		exec 7>&-
		;;
	SIGTERM)
		kill -TERM "$pid"
		;;
	esac
	ok "$how finishes what is being uploaded" '
		until_ok 120 "! [ -d /proc/$pid ]" &&
		s3 get ${EXT}open-$how | cmp - $LOCAL/large'
	exec 7>&-
	mounted && umount -l "$MNT"
	ok "... and leaves no upload after $how" '[ -z "$(s3 uploads $EXT)" ]'
	is "... and nothing mounted after $how" "$(mounted && echo mounted)" ''
done

mount_up
pid=$(daemon_pids)
for _ in 1 2 3 4; do
	cp "$LOCAL/large" "$E/closed-$_" &
done
until_ok 30 '[ -n "$(s3 uploads $EXT)" ]'
until_ok 120 'umount $MNT'
wait
ok 'a second mount of the same waits for the old daemon and works' '
	mount_try && mounted && until_ok 30 "! [ -d /proc/$pid ]"'
ok 'what was copied is whole' 'for n in 1 2 3 4; do
	[ ! -e $E/closed-$n ] || cmp $E/closed-$n $LOCAL/large || exit; done'
mount_down

mount_up
pid=$(daemon_pids)
kill -KILL "$pid"
until_ok 30 "! [ -d /proc/$pid ]"
ok 'a daemon that was killed leaves a dead mountpoint' '
	until_ok 30 "[ \$(sys stat $MNT) = ENOTCONN ]"'
ok 'which the next mount detaches' 'mount_try && [ "$(cat $E/fg)" = fg ] &&
	[ "$(grep -c " $MNT " /proc/self/mountinfo)" = 1 ]'
mount_down

# ---- mount(8) and fstab

# mount(8) looks for helpers in its own folders and in no PATH of ours; in
# ./check this is a namespace of its own.
link() {	# PATH: to the program, for the test's time
	ln -s "$STAGEFS" "$1" && at_exit+=("rm -f $1")
}
if [ -e /usr/local/bin/stagefs ]; then
	mount --bind "$STAGEFS" "$(readlink -f /usr/local/bin/stagefs)"
	at_exit+=('umount "$(readlink -f /usr/local/bin/stagefs)"')
else
	link /usr/local/bin/stagefs
fi
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

helper=/sbin/mount.stagefs
[ -e $helper ] || link $helper
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
until_ok 30 '[ -e $E/gone ]'
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
