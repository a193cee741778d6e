#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Exchanges, and moves within a stage and to others: files, symbolic links and
# directories, in the store or waiting to be sent, for and over each other.
. "$(dirname "$0")/lib.sh"

stage() {	# NAME LINE...
	printf '%s\n' "[stage $1]" "url = s3://$BUCKET/$PREFIX$1/" \
		"$(connection)" 'attributes = posix' "${@:2}"
}
CONF_EXT='attributes = posix'
CONF_MORE=$(stage later 'write_back = yes'; stage other 'write_back = yes')
proxy_up 0
CONF_MORE+=$'\n'$(stage far 'write_back = yes')
ENDPOINT=$STAGEFS_TEST_S3_ENDPOINT
write_config
mount_up

flush='timeout 120 "$STAGEFS" flush "$MNT"'
rows() {	# STEP JOB STAGE STAGE
	local result sentence wrong n=0
	while IFS=$'\t' read -r result sentence wrong; do
		n=$((n + 1))
		if [ "$result" = ok ]; then
			pass "$3, $4: $sentence"
		else
			fail "$3, $4: $sentence" <<<"$wrong"
		fi
	done < <(timeout 300 /usr/bin/python3 "$HERE/moves.py" "$1" "$2" \
		"$MNT" "$LOCAL" "$3" "$4" "$flush" 2>"$T/moves.err"
		echo $? >"$T/moves.status")
	is "$3, $4: ... of all kinds" "$n $(cat "$T/moves.status" "$T/moves.err")" '10 0'
}
export STAGEFS MNT
all() {		# STEP
	rows "$1" exchange ext ext
	rows "$1" exchange later later
	rows "$1" move later later
	rows "$1" move later other
	rows "$1" move later far
	rows "$1" move later ext
	rows "$1" move ext later
}
all do
ok 'all of it is sent' "$flush"
mount_down
mount_up
all look
done_testing
