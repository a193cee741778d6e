#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A mount that others serve: NFS is refused, Samba works (where it is installed:
# samba and smbclient, which ./check does not install).
#
# Covers: fuse/init_patch.c
. "$(dirname "$0")/lib.sh"
chmod 755 "$T"
write_config 'metadata_ttl = 5'
mount_up -o allow_other
E=$MNT/ext

# ---- NFS: a server of it asks for files by handles (open_by_handle_at(2))

echo text >"$E/file"
newer() {	# VERSION: the kernel is that, or newer
	printf '%s\n' "$1" "$(uname -r)" | sort -CV
}
if newer 6.9; then
	is 'a mount has no handles for NFS' "$(/usr/bin/python3 -c '
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
handle = (ctypes.c_uint * 34)(128)
mount = ctypes.c_int()
rc = libc.name_to_handle_at(-100, sys.argv[1].encode(), handle,
                            ctypes.byref(mount), 0)
print(errno.errorcode[ctypes.get_errno()] if rc else "a handle")' "$E/file")" \
		ENOTSUP
else
	skip 'a mount has no handles for NFS' "Linux $(uname -r) does not know of that"
fi

# ---- Samba

PATH=$PATH:/usr/sbin:/sbin
if ! command -v smbd smbclient >/dev/null; then
	skip 'Samba serves a mount' 'samba and smbclient are not installed'
	done_testing
	exit
fi
S=$T/samba
PORT=$(free_port)
mkdir -p "$S"/{state,cache,lock,private,pid,ncalrpc} "$LOCAL"/{in,out}
cat >"$S/smb.conf" <<END
[global]
	state directory = $S/state
	cache directory = $S/cache
	lock directory = $S/lock
	private dir = $S/private
	pid directory = $S/pid
	ncalrpc dir = $S/ncalrpc
	map to guest = Bad User
	guest account = root
	bind interfaces only = yes
	interfaces = lo
	smb ports = $PORT
	load printers = no
[share]
	path = $E
	guest ok = yes
	read only = no
END
smbd -s "$S/smb.conf" -D -l "$S" >"$S/out" 2>&1 || bail 'smbd does not start'
at_exit=('kill $(cat "$S/pid/smbd.pid") 2>/dev/null' "${at_exit[@]+"${at_exit[@]}"}")
smb() {		# COMMANDS
	(cd "$LOCAL/in" && timeout 120 smbclient -s "$S/smb.conf" -N -p "$PORT" \
		//127.0.0.1/share -c "$1")
}
until_ok 60 'smb ls' || bail "smbd does not answer: $(smb ls 2>&1)"
for n in 1 2 3; do
	random_file "$LOCAL/in/f$n" $((n * 100000))
done
random_file "$LOCAL/in/big" 20000000
ok 'a client of Samba puts files' '
	smb "mkdir d; cd d; prompt off; mput *" && diff -r $LOCAL/in $E/d &&
	s3 get ${EXT}d/big | cmp - $LOCAL/in/big'
ok '... and gets them' '
	smb "lcd ../out; cd d; prompt off; mget *" && diff -r $LOCAL/in $LOCAL/out'
ok '... puts one over another' '
	smb "put f3 d\\f1" && cmp $LOCAL/in/f3 $E/d/f1'
ok '... renames, also into a directory' '
	smb "cd d; rename f1 g; mkdir sub; rename g sub\\g; rename sub sub2" &&
	cmp $LOCAL/in/f3 $E/d/sub2/g && [ ! -e $E/d/f1 ] && [ ! -e $E/d/sub ]'
ok '... lets the server copy' '
	smb "scopy d\\big d\\copy" && cmp $LOCAL/in/big $E/d/copy'
ok '... sets a time' '
	smb "utimes d\\f2 -1 -1 2001:02:03-04:05:06 -1" &&
	[ "$(date -d @$(stat -c %Y $E/d/f2) +%F_%T)" = 2001-02-03_04:05:06 ]'
ok '... reads and lists a file that is open' '
	exec 7>$E/d/open && echo hello >&7 && smb "get d\\open -" >$T/open &&
	smb "ls d\\*" >$T/list && exec 7>&- && grep -qx hello $T/open &&
	grep -qE "open +[A-Z]* +6 " $T/list'
ok '... and removes' '
	smb "del d\\f2; deltree d\\sub2" && [ ! -e $E/d/f2 ] && [ ! -e $E/d/sub2 ] &&
	smb "deltree d" && [ "$(ls $E)" = file ]'
kill "$(cat "$S/pid/smbd.pid")"
until_ok 60 '! ls "$S/pid/smbd.pid" || ! kill -0 $(cat "$S/pid/smbd.pid")'

done_testing
