#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad input, full disks and killed daemons: one clear line, an exit status, and
# nothing changed.
#
# Covers: fs/names/refusal.c
. "$(dirname "$0")/lib.sh"
CONF_MORE=''
write_config
mount_up
E=$MNT/ext
random_file "$LOCAL/data" 20000000
cp "$LOCAL/data" "$E/data"
echo small >"$E/small"
mount_down
before=$(s3 list "$PREFIX")

# refused SENTENCE REGEX [ARGUMENT...]: the mount fails with status 1 (or
# WANT_STATUS) and one line on stderr, which says that and starts with the
# program's name; nothing is mounted, no daemon is left.
refused() {
	local sentence=$1 regex=$2 status
	shift 2
	mount_try "$@"
	status=$?
	if [ $status = "${WANT_STATUS-1}" ] && ! mounted &&
		[ "$(wc -l <"$T/mount.err")" = 1 ] &&
		grep -qE '^stagefs: ' "$T/mount.err" &&
		grep -qiE -- "$regex" "$T/mount.err" &&
		! grep -qF "$SECRET" "$T/mount.err" "$T/mount.out" &&
		until_ok 30 '[ -z "$(daemon_pids)" ]'; then
		pass "$sentence"
	else
		fail "$sentence" < <(
			echo "status $status; want one line with /$regex/; got:"
			cat "$T/mount.err"
			mounted && echo 'it is mounted'
		)
		mounted && mount_down
	fi
}

# ---- the store

write_config
sed -i 's/^aws_key_id = .*/aws_key_id = NOBODY/' "$CONF"
refused 'a wrong key is refused' 'storage.*(InvalidAccessKeyId|key)'
write_config
sed -i 's/^aws_secret_key = .*/aws_secret_key = wrong-secret-of-mine/' "$CONF"
refused 'a wrong secret is refused' 'storage.*(SignatureDoesNotMatch|secret)'
ok 'and the message does not tell it' '! grep -q wrong-secret-of-mine $T/mount.err $LOG'
write_config
sed -i "s|s3://$BUCKET/$STORAGE|s3://no-such-bucket-here/x/|" "$CONF"
refused 'a missing bucket is refused' 'no-such-bucket-here|NoSuchBucket'
write_config
sed -i "/^\[storage\]/,/^\[stage/s|^endpoint_url = .*|endpoint_url = http://127.0.0.1:1|" "$CONF"
refused 'an unreachable endpoint is refused' '127\.0\.0\.1:1.*(refused|connect)|(refused|connect).*127\.0\.0\.1:1' \
	-o deadline=5
write_config
sed -i "/^\[storage\]/,/^\[stage/s|^endpoint_url = .*|endpoint_url = http://nowhere.invalid|" "$CONF"
refused 'a host name that is none is refused' 'nowhere\.invalid|resolve' -o deadline=5
write_config
sed -i "/^\[stage ext\]/,\$s/^aws_secret_key = .*/aws_secret_key = wrong/" "$CONF"
refused 'check = all looks at external stages too' 'ext.*(SignatureDoesNotMatch|secret|denied)' \
	-o check=all
SOURCE=@ext refused '@stage as the source must answer' \
	'ext.*(SignatureDoesNotMatch|secret|denied)' -o "config=$CONF"
ok 'else an external stage with a wrong secret does not stop the mount' 'mount_try'
is 'it is EACCES where it is used' "$(sys read "$E/small")" EACCES
is 'also for its listing' "$(sys listdir "$E")" EACCES
is 'and to write to' "$(sys create "$E/new")" EACCES
ok 'the other stages work' 'echo x >$MNT/~/x && rm $MNT/~/x'
ok 'the log has stage, code and request id' '
	grep -E "stage=ext" $LOG | grep -E "SignatureDoesNotMatch|AccessDenied" |
		grep -qE "request=[^ ]"'
mount_down
write_config
SOURCE=@none refused 'a stage that is not configured is refused as the source' \
	'none' -o "config=$CONF"

# ---- the configuration

write_config 'metadata_tll = 5'
line=$(grep -n metadata_tll "$CONF" | cut -d: -f1)
refused 'an unknown key is named with its file and line' \
	"$CONF.*\\b$line\\b.*metadata_tll|metadata_tll.*$CONF.*\\b$line\\b"
ok 'with the one that was meant' 'grep -q metadata_ttl $T/mount.err'
write_config 'metadata_ttl = -3'
refused 'a value out of bounds is named' "$CONF.*metadata_ttl"
write_config 'memory = lots'
refused 'a size that is none is named' "$CONF.*memory"
write_config 'this line has no sign of equality'
refused 'a line that is no setting is named' "$CONF"
write_config
refused 'a spill directory that cannot be is named' 'spill_dir /proc/none' \
	-o spill_dir=/proc/none
echo '[storge]' >>"$CONF"
echo 'url = s3://x/' >>"$CONF"
refused 'an unknown section is named' "$CONF.*storge"
write_config
sed -i "s|^url = s3://$BUCKET/$EXT|url = http//nonsense|" "$CONF"
refused 'a stage URL that is none is named' "$CONF.*(ext|url)|ext.*url"
write_config
sed -i "s|^url = s3://$BUCKET/$EXT\$|url = s3://$BUCKET/${EXT%/}|" "$CONF"
refused 'a stage URL without its last slash is refused' "/"
write_config
{
	printf '[stage long]\nurl = s3://%s/l/\nsession_token = ' "$BUCKET"
	head -c 20000 /dev/zero | tr '\0' x
	echo
} >>"$CONF"
refused 'a line over 16 KiB is refused, never cut' "$CONF"
write_config
chmod 644 "$CONF"
refused 'a secret in a file that others can read is refused' "$CONF.*(0600|others|mode|permission|read)"
write_config
refused 'a secret in -o is refused' 'aws_secret_key|secret' \
	-o "aws_secret_key=$KEY_ID-in-option"
refused 'an unknown -o option is refused' 'no_such_option' -o no_such_option=1
refused 'a bad value in -o is refused' 'presign_expire' -o presign_expire=604801
SOURCE=$T/none.conf refused 'a configuration that is missing is named' "$T/none.conf"
write_config
printf '[stage overlap]\nurl = s3://%s/%ssub/\n%s\n' "$BUCKET" "$EXT" \
	"$(connection)" >>"$CONF"
refused 'stages that overlap are refused, with the file where they stand' \
	"$CONF: .*(ext.*overlap|overlap.*ext)"
write_config
refused 'a log that cannot be is named' 'log = /proc/none/log' -o log=/proc/none/log
write_config
printf '[stage bad-name]\nurl = s3://%s/y/\n' "$BUCKET" >>"$CONF"
refused 'a stage name that cannot be is refused' 'bad-name'
write_config
sed -i "s|^aws_secret_key = .*|aws_secret_key = \${file:$T/none}|" "$CONF"
refused '${file:} of a missing file is named' "$T/none"
(umask 077; printf '%s\n' "$SECRET" >"$T/secret")
sed -i "s|\${file:$T/none}|\${file:$T/secret}|" "$CONF"
ok '${file:} gives the secret' 'mount_try && [ "$(cat $E/small)" = small ] && mount_down'
write_config
sed -i 's|^aws_secret_key = .*|aws_secret_key = ${env:MY_OWN_SECRET}|' "$CONF"
ok '${env:} gives the secret' '
	MY_OWN_SECRET=$SECRET mount_try && [ "$(cat $E/small)" = small ] && mount_down'
refused '${env:} of a variable that is not set is named' 'MY_OWN_SECRET'

# ---- the mountpoint

write_config
refused_at() {	# MOUNTPOINT SENTENCE REGEX
	MNT=$1 refused "$2" "$3"
}
refused_at "$T/nowhere" 'a mountpoint that is missing is refused' \
	"$T/nowhere.*No such file"
echo x >"$T/a-file"
refused_at "$T/a-file" 'a mountpoint that is a file is refused' "a-file.*[Nn]ot a directory"
mkdir "$T/full"
echo x >"$T/full/x"
refused_at "$T/full" 'a mountpoint that is not empty is refused' "full.*not empty"
mount_up
mkdir "$T/mnt2"
ok 'a mountpoint that is in use is refused' '
	! timeout 60 $STAGEFS $CONF $MNT 2>$T/err && [ "$(wc -l <$T/err)" = 1 ] &&
	grep -q "$MNT.*in use" $T/err'
ok 'and the mount there lives on' '[ "$(cat $E/small)" = small ]'
ok 'another mount of the same source is fine' '
	timeout 60 $STAGEFS $CONF $T/mnt2 && [ "$(cat $T/mnt2/ext/small)" = small ] &&
	umount $T/mnt2'
mount_down
ok 'what the kernel refuses is told in one line' '
	! timeout 60 unshare -m sh -c "
		mount --bind /dev/null /dev/fuse && exec \"\$0\" \"\$@\"" \
		$STAGEFS $CONF $MNT 2>$T/err && [ "$(wc -l <$T/err)" = 1 ] &&
	grep -qE "cannot mount: $MNT: mount failed: [A-Z]" $T/err'

# ---- what an errno cannot explain

write_config 'log_level = warn'
sed -i '/^log_level = debug/d' "$CONF"
: >"$LOG"
mount_up
ln -s small "$E/link" 2>/dev/null
ln -s small "$E/link2" 2>/dev/null
touch "$MNT/file" 2>/dev/null
mkdir "$MNT/no-stage" 2>/dev/null
touch "$E/$(printf 'latin\344')" 2>/dev/null
for words in 'link is refused: ' \
	'file is refused: only stages are at the root' \
	"no-stage is refused: a stage's name has letters" \
	'latin.* is refused: a name is UTF-8'; do
	is "the log says at the default level why: $words" "$(grep -cE -- "$words" "$LOG")" 1
done
is '... once a minute' "$(grep -c 'link2' "$LOG")" 0
mount_down
write_config

# ---- the command line

usage() {	# SENTENCE ARGUMENT...: status 2 and a word on stderr
	local sentence=$1 status
	shift
	timeout 60 "$STAGEFS" "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	is "$sentence" "$status $([ -s "$T/err" ] && echo said)" '2 said'
}
usage 'no argument is a usage error'
usage 'an unknown option is one' --no-such-option
usage 'presign without a file is one' presign
for bad in 0 604801 -1 x; do
	ok "presign --expire $bad is refused in one line" '
		! timeout 60 $STAGEFS presign --config $CONF @ext/small \
			--expire '"$bad"' >$T/out 2>$T/err &&
		[ "$(wc -l <$T/err)" = 1 ] && [ ! -s $T/out ] &&
		grep -q "^stagefs: .*expire" $T/err'
done
ok 'presign of a stage that is not there is refused' '
	! timeout 60 $STAGEFS presign --config $CONF @none/x 2>$T/err &&
	grep -q "^stagefs: .*none" $T/err'
fails 'list of a stage that is not there is refused' '^stagefs: .*none' '
	timeout 60 $STAGEFS list --config $CONF @none'
ok '--help and --version succeed' '
	$STAGEFS help options | grep -q metadata_ttl && $STAGEFS --version | grep -q stagefs'
ok 'check is content with a good configuration' '
	timeout 60 $STAGEFS check --config $CONF'
sed -i "/^\[stage ext\]/,\$s/^aws_secret_key = .*/aws_secret_key = wrong/" "$CONF"
fails 'check says what is wrong with a stage' 'ext' '
	timeout 60 $STAGEFS check --config $CONF'
ok 'the verbs show no secret' '! grep -qF "$SECRET" $T/out $T/err $T/.out'
is 'after all of this the server has what it had' "$(s3 list "$PREFIX")" "$before"

# ---- names

write_config
mount_up
long=$(printf 'n%.0s' {1..256})
is 'a name over 255 bytes is ENAMETOOLONG' "$(sys create "$E/$long")" ENAMETOOLONG
is 'as a directory too' "$(sys mkdir "$E/$long")" ENAMETOOLONG
is 'and as a new name' "$(sys rename "$E/small" "$E/$long")" ENAMETOOLONG

# ---- a full disk under the spill file

mount_down
mkdir "$T/tiny"
mount -t tmpfs -o size=3m none "$T/tiny"
write_config
sed -i "s|^spill_dir = .*|spill_dir = $T/tiny|" "$CONF"
mount_up
# Backwards, so that it is for a spill file.
backwards='
import os, sys
f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
for i in reversed(range(int(sys.argv[2]))):
    os.pwrite(f, b"B" * (1 << 20), i << 20)
os.close(f)'
fails 'a full disk under the spill file is ENOSPC for who writes' 'No space left' '
	/usr/bin/python3 -c "$backwards" $E/data 20'
ok 'the old object is as it was' 's3 get ${EXT}data | cmp - $LOCAL/data'
ok 'and is what the mount shows again' 'until_ok 30 "cmp $E/data $LOCAL/data"'
ok 'the log names the file' 'grep -E "error|warn" $LOG | grep -q "data"'
ok 'what fits is written' '/usr/bin/python3 -c "$backwards" $E/fits 2 &&
	[ "$(s3 get ${EXT}fits | tr -d B | wc -c)" = 0 ] && rm $E/fits'
ok 'a sequential file needs no spill file' 'cp $LOCAL/data $E/data2 && rm $E/data2'
is 'nothing is left of it' "$(s3 uploads "$PREFIX")" ''
mount_down
umount "$T/tiny"

# ---- SIGKILL during a write

write_config
mount_up
s3 start-upload "${EXT}of-somebody-else" >"$T/foreign"
# One process, for each that ends closes its copy of the descriptor.
/usr/bin/python3 -c '
import os, sys, time
f = open(sys.argv[1], "wb", buffering=0)
for i in range(60):
    f.write(os.urandom(1 << 20))
time.sleep(300)' "$E/data" 2>/dev/null &
writer=$!
ok 'parts of what is being written are on the server' '
	until_ok 60 "[ \$(s3 parts ${EXT}data) -gt 0 ]"'
pid=$(daemon_pids)
kill -KILL "$pid"
until_ok 30 "! [ -d /proc/$pid ]"
kill -KILL $writer 2>/dev/null
ok 'after SIGKILL the old object is intact' 's3 get ${EXT}data | cmp - $LOCAL/data'
ok 'the next mount works all the same' 'mount_try && mounted'
ok 'and shows the old object' 'cmp $E/data $LOCAL/data'
ok 'what was half uploaded is aborted' '
	until_ok 60 "[ -z \"\$(s3 uploads ${EXT}data)\" ]"'
is 'an upload of somebody else is left alone' \
	"$(s3 uploads "${EXT}of-somebody-else" | cut -f2)" "$(cat "$T/foreign")"
aws_s3api abort-multipart-upload --bucket "$BUCKET" \
	--key "${EXT}of-somebody-else" --upload-id "$(cat "$T/foreign")"
ok 'the file can be written anew' '
	head -c 9000000 $LOCAL/data >$E/data && s3 get ${EXT}data |
		cmp - <(head -c 9000000 $LOCAL/data)'

done_testing
