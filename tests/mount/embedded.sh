#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With nothing configured: stages in plain files, by an ordinary user and by
# root, their gateway, and the lines of fstab.
#
# Covers: mount/mount_gateway.c
. "$(dirname "$0")/lib.sh"
[ ! -e /etc/stagefs/stagefs.conf ] || bail 'this machine has stages of its own'
NOBODY=65534
U=$T/user	# an ordinary user's home, with a mountpoint in it
mkdir -p "$U/stages"
chown -R $NOBODY:$NOBODY "$U"
chmod 711 "$T"
# Where udev runs, everybody may open it.
if ! setpriv --reuid $NOBODY --regid $NOBODY --clear-groups test -w /dev/fuse; then
	mknod -m 666 "$T/fuse" c 10 229 && mount --bind "$T/fuse" /dev/fuse ||
		bail '/dev/fuse is closed to ordinary users'
	at_exit+=('umount /dev/fuse')
fi
as_user() {
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups env -i \
		PATH="$PATH" LC_ALL=C.UTF-8 HOME="$U" USER=nobody "$@" </dev/null
}
stop_user() {
	as_user fusermount3 -u "$U/stages" && until_ok 60 '[ -z "$(daemon_pids $U/stages)" ]'
}

# ---- an ordinary user

as_user timeout 60 "$STAGEFS" "$U/stages" >"$T/said" 2>"$T/err"
is 'an ordinary user mounts with one command' "$? $(cat "$T/err")" '0 '
is 'which says three lines' "$(wc -l <"$T/said")" 3
is 'root is told whose it is, where it asks what a mount does' \
	"$("$STAGEFS" status "$U/stages" | cut -f4)" "another user's (no allow_other)"
fails 'and which user may ask for more' 'only the user who mounted it can' '
	"$STAGEFS" stats $U/stages'
DATA=$U/.local/share/stagefs
ok 'the data lies in ~/.local/share/stagefs, as it says' '[ -d "$DATA/.stagefs" ] && grep -qF "$DATA" "$T/said"'
GATEWAY=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$T/said" | head -1)
like 'and the gateway answers on loopback, as it says' "$(as_user curl -sS "$GATEWAY/health")" '"status" *: *"ok"'
ok 'a stage is made and a file copied in' '
	as_user mkdir "$U/stages/s" && as_user cp /etc/passwd "$U/stages/s/" &&
	cmp /etc/passwd "$DATA/stage/internal/s/passwd"'
is 'both are the user'"'s" "$(stat -c '%u %u' "$DATA/stage/internal/s/passwd" | sort -u)" "$NOBODY $NOBODY"
URL=$(as_user getfattr --absolute-names --only-values -n user.presign.download "$U/stages/s/passwd")
ok 'its URL works for everybody' 'curl -fsS "$URL" | cmp - /etc/passwd'
UP=$(as_user getfattr --absolute-names --only-values -n "user.presign.upload?path=up" "$U/stages/s")
ok 'so does one for an upload, and the mount has it at once' '
	curl -fsS -T /etc/passwd "$UP" && as_user cmp /etc/passwd "$U/stages/s/up"'
echo mine >"$T/mine"
chmod 644 "$T/mine"
ok '@~ is that user on the mount and through the gateway alike' '
	as_user curl -fsS -H stage_name:~ -F upload=@$T/mine "$GATEWAY/v1/upload_to_stage" &&
	as_user cmp $T/mine "$U/stages/~/mine" && cmp $T/mine $DATA/stage/user/nobody/mine'
is 'nobody else may upload without a password' "$(setpriv --reuid 1 --regid 1 --clear-groups \
	curl -s -o "$T/answer" -w '%{http_code}' -H stage_name:s -F "upload=@$T/mine" "$GATEWAY/v1/upload_to_stage")" 401
ok 'programs without the mount use the same stages' '
	[ "$(as_user "$STAGEFS" list @s | cut -f1 | tr "\n" " ")" = "passwd up " ]'
ok 'it ends with fusermount3 -u' 'stop_user'
fails 'and the gateway with it' '' 'curl -fsS "$GATEWAY/health"'
RUN=/run/user/$NOBODY
[ -d "$RUN" ] || { mkdir -p "$RUN" && at_exit+=("rm -r $RUN"); }
chown $NOBODY:$NOBODY "$RUN" && chmod 700 "$RUN"
as_user XDG_RUNTIME_DIR="$RUN" timeout 60 "$STAGEFS" "$U/stages" >"$T/said2" 2>"$T/err"
ok 'root reaches a daemon whose user has a login'"'"'s directory' '
	"$STAGEFS" stats $U/stages | grep -q ^stagefs_build_info && "$STAGEFS" reload $U/stages'
is 'the next mount has what was there' "$(as_user ls "$U/stages/s" | tr '\n' ' ')" 'passwd up '
ok 'and the same address, so URLs still work' 'curl -fsS "$URL" | cmp - /etc/passwd'
ok 'it ends too' 'stop_user'
is 'a data directory that is no directory is an error' \
	"$(as_user env XDG_DATA_HOME=/dev/null timeout 60 "$STAGEFS" "$U/stages" 2>&1 | grep -c '/dev/null/stagefs')" 1

# ---- root, and fstab

installed_in /usr/local/bin stagefs
mount_a() {
	timeout 60 mount -T "$T/fstab" -a >"$T/said" 2>&1
}
printf 'stagefs %s fuse.stagefs _netdev,nofail,allow_other 0 0\n' "$MNT" >"$T/fstab"
ok 'fstab: embedded stages need no configuration' '
	mount_a && mkdir $MNT/s && cp /etc/passwd $MNT/s/ &&
	cmp /etc/passwd $XDG_DATA_HOME/stagefs/stage/internal/s/passwd'
ok 'with a gateway' 'curl -fsS "$(xa user.presign.download $MNT/s/passwd)" | cmp - /etc/passwd'
kill -KILL $(daemon_pids)
unit() {	# KEY: that line of stagefs@.service, of our program and mountpoint
	sed -n "s|/mnt/stages/%I|$MNT|; s|@bindir@/stagefs.*/%I.conf|$STAGEFS stagefs|; s/^$1=//p" \
		"$TOP/etc/stagefs@.service.in"
}
ok 'the unit starts again where the daemon was killed' '
	until_ok 20 "! stat $MNT"
	case $(unit ExecStartPre) in
	-*) $(unit ExecStartPre | cut -c2-) || : ;;
	*) $(unit ExecStartPre) ;;
	esac && timeout 60 $(unit ExecStart) && cmp /etc/passwd $MNT/s/passwd'
mount_down
printf '[stagefs]\nlog = %s\nspill_dir = %s\n[storage]\nurl = fs://%s/files/\n' \
	"$LOG" "$T/spill" "$T" >"$CONF"
printf '%s %s fuse.stagefs _netdev,nofail 0 0\n' "$CONF" "$MNT" >"$T/fstab"
ok 'fstab: a folder of one'"'"'s own' 'mount_a && mkdir $MNT/t && cp /etc/passwd $MNT/t/ &&
	cmp /etc/passwd $T/files/stage/internal/t/passwd'
mount_down
write_config
printf '%s %s fuse.stagefs _netdev,nofail 0 0\n' "$CONF" "$MNT" >"$T/fstab"
ok 'fstab: stages in an object store' 'mount_a && cp /etc/passwd $MNT/ext/ && cmp /etc/passwd $MNT/ext/passwd'
done_testing
