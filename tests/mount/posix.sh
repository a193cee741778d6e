#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# System calls and what they answer, by the table posix.rows, on a store of
# files and on S3: what POSIX asks for, and what the mount refuses by design.
#
# Covers: fuse/killpriv.c
. "$(dirname "$0")/lib.sh"

CONF_MORE="[stage disk]
url = fs://$T/disk/"
write_config 'allow_other = yes' 'allow_suid = yes'
mount_up
chmod 755 "$T"

table() {	# KIND FOLDER
	local result sentence wrong n=0
	mkdir "$2"
	while IFS=$'\t' read -r result sentence wrong; do
		n=$((n + 1))
		if [ "$result" = ok ]; then
			pass "$1: ${sentence#"$1": }"
		else
			fail "$1: ${sentence#"$1": }" <<<"$wrong"
		fi
	done < <(/usr/bin/python3 "$HERE/posix.py" "$HERE/posix.rows" "$2" "$1" 2>"$T/posix.err"
		echo $? >"$T/posix.status")
	is "$1: the table was run to its end" \
		"$(cat "$T/posix.status" "$T/posix.err")" 0
	like "$1: there were hundreds of rows" "$n" '^[2-9][0-9][0-9]$'
}
table fs "$MNT/disk/posix"
table s3 "$MNT/ext/posix"

# ---- set-id bits, as execve has them

# A program that belongs to root is written to by another user and executed,
# with nothing between that would make the kernel ask for its mode.
set_id() {	# KIND FOLDER
	mkdir -m 777 "$2"
	cp /usr/bin/id "$2/id"
	chmod 4777 "$2/id"
	is "$1: a set-user-id program runs as its owner" "$(as_user "$2/id" -u)" 0
	as_user sh -c "printf x >>$2/id; exec $2/id -u" >"$T/id.out"
	is "$1: after a write of another it does not" "$(cat "$T/id.out")" 65501
}
as_user() {
	setpriv --reuid 65501 --regid 65501 --clear-groups -- "$@"
}
set_id fs "$MNT/disk/setid"
set_id s3 "$MNT/ext/setid"
done_testing
