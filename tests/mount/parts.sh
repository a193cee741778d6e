#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A store that wants all parts of an upload but the last of one length, as
# Cloudflare's R2 does, and says so only when the upload is completed.
# Covers: fs/content/publish.c fs/content/writer.c store/parts.c
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$TOP/tests/standin/server.py" --s3 --bucket standin \
	--min-part 5242880 --even-parts >"$T/port" 2>"$T/standin.err" &
at_exit+=("kill $!")
until_ok 60 '[ -s "$T/port" ]' || bail 'the stand-in does not start'
AT=http://127.0.0.1:$(cat "$T/port")
(umask 077 && cat >"$CONF") <<-END
	[stagefs]
	user = tester
	log = $LOG
	spill_dir = $T/spill
	[storage]
	url = s3://standin/s/
	endpoint_url = $AT
	region = us-east-1
	aws_key_id = standin
	aws_secret_key = standin-secret
	[stage ext]
	url = s3://standin/ext/
	endpoint_url = $AT
	region = us-east-1
	aws_key_id = standin
	aws_secret_key = standin-secret
END
mount_up
E=$MNT/ext
counted() {	# METHOD QUERY: requests so far
	curl -fsS "$AT/_requests" | jq "[.[] | select(.method == \"$1\" and
		(.query | test(\"$2\")))] | length"
}
said() { grep -c 'the store wants all parts of an upload' "$LOG"; }
# Parts grow at 1 GiB. What lies between the first bytes and the last are zeros
# that the server copies from the object's end.
MIDDLE=$((20 << 20))
grow() {	# FILE
	head -c $MIDDLE /dev/zero >"$1" &&
		truncate -s $(((1 << 30) + MIDDLE)) "$1" && echo end >>"$1"
}
whole() {	# FILE
	[ "$(stat -c %s "$1")" = $(((1 << 30) + MIDDLE + 4)) ] &&
		[ "$(tail -c 6 "$1" | od -An -c | tr -d ' \n')" = '\0\0end\n' ]
}

refused() {
	curl -fsS "$AT/_requests" | jq '[.[] | select(.status == 400)] | length'
}
ok 'a file of parts that grow is written' 'grow $E/a'
is '... the store has refused them' "$(refused)" 1
is '... and that upload was given up' "$(counted DELETE '^uploadId=')" 1
is '... which is said once' "$(said)" 1
ok '... and it is whole' 'whole $E/a'
rm "$E/a"
ok 'the next one is whole' 'grow $E/b && whole $E/b'
is '... of parts of one length from the start' "$(refused)" 1
is '... and nothing more is said' "$(said)" 1
uploads=$(STAGEFS_TEST_S3_ENDPOINT=$AT STAGEFS_TEST_S3_BUCKET=standin \
	STAGEFS_TEST_S3_ACCESS_KEY=standin \
	STAGEFS_TEST_S3_SECRET_KEY=standin-secret s3 uploads '')
is 'no upload is left' "$uploads" ''

done_testing
