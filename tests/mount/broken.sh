#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each way of writing, with each fault of the server amid it (broken.py): what
# the program sees is what the store has, and nothing is left behind.
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$TOP/tests/standin/server.py" --s3 --bucket standin \
	--min-part 5242880 >"$T/port" 2>"$T/standin.err" &
at_exit+=("kill $!")
until_ok 20 '[ -s "$T/port" ]' || bail 'the stand-in does not start'
BUCKET=standin KEY_ID=standin SECRET=standin-secret
ENDPOINT=http://127.0.0.1:$(cat "$T/port")
export STAGEFS_TEST_S3_ENDPOINT=$ENDPOINT STAGEFS_TEST_S3_BUCKET=$BUCKET
export STAGEFS_TEST_S3_ACCESS_KEY=$KEY_ID STAGEFS_TEST_S3_SECRET_KEY=$SECRET
CONF_EXT='deadline = 20
idle_timeout = 4' write_config 'metadata_ttl = 1'
mount_up
export LOG

n=0
while IFS=$'\t' read -r result sentence wrong; do
	n=$((n + 1))
	if [ "$result" = ok ]; then
		pass "$sentence"
	else
		fail "$sentence" <<<"$wrong"
	fi
done < <(/usr/bin/python3 -B "$HERE/broken.py" "$MNT/ext" "$EXT" "$ENDPOINT" \
	"${WORK-}" 2>"$T/broken.err"; echo $? >"$T/broken.status")
is 'the table was run to its end' "$(cat "$T/broken.status" "$T/broken.err")" 0
done_testing
