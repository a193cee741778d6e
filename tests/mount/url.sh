#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs s3://bucket/prefix MOUNTPOINT`: a bucket without a configuration, by
# the keys of the environment or of a profile, by hand and from fstab.
#
# Covers: cli/cmd_status.c fs/xattr/xattr_stage.c
. "$(dirname "$0")/lib.sh"
random_file "$LOCAL/data" 54321
s3 put "${EXT}sub/a file" "$LOCAL/data"
export AWS_ACCESS_KEY_ID=$KEY_ID AWS_SECRET_ACCESS_KEY=$SECRET AWS_REGION=us-east-1
URL=s3://$BUCKET/${EXT%/}
mount_url() {	# SOURCE [ARGUMENT...]
	SOURCE=$1 mount_try "${@:2}" -o "log=$LOG,spill_dir=$T/spill" || {
		cat "$T/mount.err"
		return 1
	}
}

ok 'a bucket is mounted with the keys of the environment' '
	mount_url $URL -o endpoint_url=$ENDPOINT && cmp "$MNT/sub/a file" $LOCAL/data'
is 'its own names are at the root, as nothing else is' "$(ls "$MNT")" sub
is 'df shows the URL' "$(findmnt -no SOURCE "$MNT")" "$URL"
is 'status names the mount' "$("$STAGEFS" status "$MNT" | cut -f1,2,4)" "$MNT	$URL	none"
like '... and how long it has been there' "$("$STAGEFS" status "$MNT" | cut -f3)" '^[0-9]+ s$'
ok '... what is being written' '
	exec 7>$MNT/open && echo 1 >&7 && $STAGEFS status $MNT | cut -f4 >$T/status && exec 7>&- &&
	grep -qE "^1 file: @[a-zA-Z0-9_]+/open$" $T/status && rm $MNT/open'
ok '... and all mounts' '$STAGEFS status | cut -f1 | grep -qxF "$MNT"'
fails '... of which this is none' 'no mount of stagefs' '$STAGEFS status $T'
ok '... or that there is none' '
	unshare --mount sh -c "umount -l -a -t fuse.stagefs && exec $STAGEFS status" \
		2>$T/none && grep -qx "stagefs: status: no mount of stagefs on this machine" $T/none'
pid=$(daemon_pids)
kill -STOP "$pid"
is '... one that does not answer' "$(timeout 60 "$STAGEFS" status "$MNT" | cut -f4)" 'does not answer'
kill -CONT "$pid"
ok 'what is written is below the prefix' '
	cp $LOCAL/data $MNT/new && s3 get ${EXT}new | cmp - $LOCAL/data'
ok 'a URL for it is signed' '
	curl -fsS "$(xa user.presign.download $MNT/new)" | cmp - $LOCAL/data'
mount_down
ok 'the server of the environment will do' '
	AWS_ENDPOINT_URL_S3=$ENDPOINT mount_url $URL/ && cmp $MNT/new $LOCAL/data'
mount_down
ok 'no configuration is read that is not named' '
	STAGEFS_CONFIG=/nonexistent AWS_ENDPOINT_URL=$ENDPOINT mount_url $URL -o ro &&
	cmp $MNT/new $LOCAL/data && ! touch $MNT/x'
mount_down
printf '[profile mine]\naws_access_key_id = %s\naws_secret_access_key = %s\nendpoint_url = %s\n' \
	"$KEY_ID" "$SECRET" "$ENDPOINT" >"$T/aws"
chmod 600 "$T/aws"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
export AWS_CONFIG_FILE=$T/aws AWS_PROFILE=mine
ok 'the keys and the server of a profile' 'mount_url $URL && cmp $MNT/new $LOCAL/data'
mount_down
installed_in /usr/local/bin stagefs
printf '%s %s fuse.stagefs _netdev,nofail,ro,log=%s 0 0\n' "$URL" "$MNT" "$LOG" >"$T/fstab"
ok 'from fstab' 'timeout 60 mount -T $T/fstab -a && cmp $MNT/new $LOCAL/data && ! touch $MNT/x'
mount_down
mkdir -p "$T/files/one"
cp "$LOCAL/data" "$T/files/one/data"
ok 'a directory of this machine' '
	mount_url fs://$T/files/one && cmp $MNT/data $LOCAL/data && echo 1 >$MNT/more &&
	[ "$(cat $T/files/one/more)" = 1 ]'
mount_down
for scheme in azblob gcs; do
	fails "$scheme:// is not supported yet" "^stagefs: cannot mount: url = $scheme://b/p/: .*not supported yet" \
		"mount_url $scheme://b/p"
done
fails 'another is not known' 'url = ftp://b/p/: .* no other scheme' 'mount_url ftp://b/p'
fails 'a bucket that is not there' 'stage no_such_bucket' 'mount_url s3://no-such-bucket/'
done_testing
