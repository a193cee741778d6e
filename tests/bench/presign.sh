#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Speed of pre-signed URLs: docs/performance.md, section `Pre-signed URLs`.
# Needs root for a mount; the store is the stand-in server, which nothing here
# asks for anything but the mount itself.
#
#	presign.sh [NAMES]	how many go through standard input (1000000)
#
# Exit status 1 when something is slower than promised.
set -u
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}
STAGEFS=${STAGEFS:-$top_builddir/stagefs}
NAMES=${1:-1000000}
DIR=$(mktemp -d /tmp/stagefs-bench.XXXXXX)
SERVER=
status=0

cleanup() {
	mountpoint -q "$DIR/mnt" && umount "$DIR/mnt"
	[ -z "$SERVER" ] || kill "$SERVER"
	rm -rf "$DIR"
}
trap cleanup EXIT
unset "${!AWS_@}" STAGEFS_CONFIG 2>/dev/null
export HOME=$DIR AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent

echo "# in-process, URLs a second of one core; 300000 is promised"
"$top_builddir/tests/bench/bench_sign" || status=1

python3 "$top_srcdir/tests/standin/server.py" --s3 --access-key AKTEST \
	--secret bench --bucket bucket >"$DIR/port" &
SERVER=$!
for _ in $(seq 100); do
	[ -s "$DIR/port" ] && break
	sleep 0.1
done
(
	umask 077
	cat >"$DIR/stagefs.conf" <<-END
	[stage ext]
	url = s3://bucket/data/
	endpoint_url = http://127.0.0.1:$(cat "$DIR/port")
	access_key_id = AKTEST
	secret_access_key = bench
	END
)

echo "# stagefs presign - of $NAMES names, names a second of one core; 100000 is promised"
seq -f '@ext/year=2026/month=11/day=21/part-%010.0f.snappy.pqt' "$NAMES" >"$DIR/names"
for format in url tsv ndjson; do
	/usr/bin/env bash -c 'TIMEFORMAT="%U %S"; time "$@" >/dev/null' - \
		"$STAGEFS" presign - --config "$DIR/stagefs.conf" --format $format \
		<"$DIR/names" 2>"$DIR/time" || status=1
	awk -v names="$NAMES" -v format=$format '
		{ rate = names / ($1 + $2) }
		END { printf "stream-%s %.0f names/s\n", format, rate
		      exit rate < 100000 }' "$DIR/time" || status=1
done

echo "# getxattr from 1 and from 4 clients; a ratio of 1.5 is promised"
mkdir "$DIR/mnt"
"$STAGEFS" "$DIR/stagefs.conf" "$DIR/mnt" || exit 2
echo bytes >"$DIR/mnt/ext/file.csv"
"$top_builddir/tests/bench/bench_xattr" "$DIR/mnt/ext/file.csv" || status=1
exit $status
