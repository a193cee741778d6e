#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `stagefs put` of a file whose parts grow, to a store that wants all parts of
# an upload but the last of one length, as Cloudflare's R2 does, and says so
# only when the upload is completed.
#
# Covers: transfer/transfer_put.c store/parts.c
. "$(dirname "$0")/lib.sh"
start_server --min-part 5242880 --even-parts
good_config
cd "$DIR" || exit 1

# Parts have 8 MiB, and 16 MiB from 1 GiB on.
MIB=$((1 << 20))
truncate -s $((1041 * MIB - 4)) large
echo end >>large

# counted FILTER: requests so far that jq's filter takes.
counted() {
	admin _requests | jq "[.[] | select($1)] | length"
}
begun='.method == "POST" and (.query | test("^uploads"))'
completed='.method == "POST" and (.query | test("^uploadId="))'
aborted='.method == "DELETE" and (.query | test("^uploadId="))'
stored() {
	local url
	url=$("$STAGEFS" presign @ext/large --format url)
	curl -sS -r -6 -D head "$url" | od -An -c | tr -d ' \n'
	tr -d '\r' <head | sed -n 's,^[Cc]ontent-[Rr]ange: bytes , ,p
		s,^[Ee][Tt]ag: "[0-9a-f]*\(-[0-9]*\)", \1,p' | sort | tr -d '\n'
}

timeout 600 "$STAGEFS" put large @ext >out 2>err
is 'a file of parts that grow is sent, without a word' "$? $(cat out err)" '0 '
is '... the store has refused them' "$(counted "$completed and .status == 400")" 1
is '... and that upload was given up' "$(counted "$aborted")" 1
is '... what was cut anew was taken' "$(counted "$completed and .status == 200")" 1
is '... so that none is left' "$(counted "$begun")" 2
is '... it has parts of one length' "$(admin _requests | jq -c '[.[] | .query |
	capture("partNumber=(?<part>[0-9]+).*uploadId=(?<id>[^&]+)")] |
	group_by(.id) | map(map(.part | tonumber) | max)')" '[130,131]'
is '... and it is whole' "$(stored)" \
	"\\0\\0end\\n -131 $((1041 * MIB - 6))-$((1041 * MIB - 1))/$((1041 * MIB))"

finish
