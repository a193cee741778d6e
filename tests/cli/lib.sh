# SPDX-License-Identifier: Apache-2.0
# For the tests of the command line: a stand-in S3 server, a configuration for
# it, and TAP. Sourced; the caller prints the plan by `finish`.
set -u
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}
STAGEFS=${STAGEFS:-$top_builddir/stagefs}
SECRET=sesame-open-0123456789
DIR=$(mktemp -d "${TMPDIR:-/tmp}/stagefs-cli.XXXXXX")
SERVER=
COUNT=0

cleanup() {
	[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null
	rm -rf "$DIR"
}
trap cleanup EXIT

# Nothing of the person's own may be read.
unset "${!AWS_@}" STAGEFS_CONFIG XDG_CONFIG_HOME XDG_CACHE_HOME 2>/dev/null
export XDG_STATE_HOME=$DIR/state
export AWS_EC2_METADATA_DISABLED=true
export HOME=$DIR AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent

# start_server [ARG...]: PORT.
start_server() {
	[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null
	python3 "$top_srcdir/tests/standin/server.py" --s3 --access-key AKTEST \
		--secret "$SECRET" --bucket bucket --bucket other "$@" \
		>"$DIR/port" &
	SERVER=$!
	for _ in $(seq 100); do
		PORT=$(cat "$DIR/port" 2>/dev/null)
		[ -n "$PORT" ] && return
		sleep 0.1
	done
	echo "Bail out! the stand-in server did not start"
	exit 1
}

# admin PATH [JSON]: what the server is told or asked.
admin() {
	curl -s ${2+-d "$2"} "http://127.0.0.1:$PORT/$1"
}

# write_config FILE < text: closed to others.
write_config() {
	(umask 077 && cat >"$1")
}

# A configuration with ~, internal stages and the external stage ext.
good_config() {
	write_config "$DIR/stagefs.conf" <<-END
	[stagefs]
	user = root
	[storage]
	url = s3://bucket/root/
	endpoint_url = http://127.0.0.1:$PORT
	aws_key_id = AKTEST
	aws_secret_key = $SECRET
	[stage ext]
	url = s3://other/data/
	endpoint_url = http://127.0.0.1:$PORT
	access_key_id = AKTEST
	secret_access_key = $SECRET
	END
	export STAGEFS_CONFIG=$DIR/stagefs.conf
}

# run ARG...: RC, and $DIR/out and $DIR/err.
run() {
	timeout 60 "$STAGEFS" "$@" >"$DIR/out" 2>"$DIR/err"
	RC=$?
}

result() {
	COUNT=$((COUNT + 1))
	if [ "$1" = 0 ]; then
		echo "ok $COUNT - $2"
	else
		echo "not ok $COUNT - $2"
		[ -z "${3-}" ] || printf '%s\n' "$3" | sed 's/^/# /'
	fi
}

# is SENTENCE GOT WANTED
is() {
	[ "$2" = "$3" ]
	result $? "$1" "got:    $2
wanted: $3"
}

# holds SENTENCE COMMAND...
holds() {
	local sentence=$1
	shift
	"$@" >"$DIR/holds" 2>&1
	result $? "$sentence" "$(head -c 2000 "$DIR/holds")"
}

# fails SENTENCE STATUS REGEX ARG...: one line on stderr that begins with
# `stagefs: `, matches, and tells no secret; nothing on stdout.
fails() {
	local sentence=$1 status=$2 regex=$3 why=
	shift 3
	run "$@"
	[ "$RC" = "$status" ] || why="exit status $RC, wanted $status"
	[ "$(wc -l <"$DIR/err")" = 1 ] || why="$why; not one line"
	grep -q '^stagefs: ' "$DIR/err" || why="$why; not ours"
	grep -qE -- "$regex" "$DIR/err" || why="$why; not $regex"
	grep -qE "$SECRET|X-Amz-Signature" "$DIR/err" && why="$why; a secret"
	[ -s "$DIR/out" ] && why="$why; output"
	[ -z "$why" ]
	result $? "$sentence" "$why
$(cat "$DIR/err")"
}

# put LOCATION < bytes: an upload by its URL.
put() {
	local url
	url=$("$STAGEFS" presign upload "$1" --format url) || return
	cat >"$DIR/body"
	curl -sf -T "$DIR/body" "$url"
}

# mark LOCATION/: a directory's own key. (-T would add a name to the URL.)
mark() {
	curl -sf -X PUT -d '' -H Content-Type: "$("$STAGEFS" presign upload "$1" --format url)"
}

finish() {
	echo "1..$COUNT"
}
