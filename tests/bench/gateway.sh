#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How fast does the gateway give out a file? The same file by nginx (sendfile,
# as many workers as there are processors) and by `stagefs serve`, one after
# the other, ROUNDS times; the ratio of the two is what counts: 0.8 is the least
# that we want for files of a MiB and more.
#
#	gateway.sh [SECONDS]	of each run (2); ROUNDS (5)
#
# Exit status 1 when the ratio is less. Small files are shown, and promised
# nothing: each request of ours is verified, and nginx has nothing to verify.
set -u
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}
STAGEFS=${STAGEFS:-$top_builddir/stagefs}
SECONDS_EACH=${1:-2}
ROUNDS=${ROUNDS:-5}
WANTED=0.8
DIR=$(mktemp -d /tmp/stagefs-bench.XXXXXX)
pids=()
status=0

cleanup() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	wait
	rm -rf "$DIR"
}
trap cleanup EXIT
unset "${!AWS_@}" STAGEFS_CONFIG 2>/dev/null
export HOME=$DIR

free_port() {
	python3 -c '
import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}
PORT=$(free_port) NGINX_PORT=$(free_port)
mkdir "$DIR/data"
chmod 755 "$DIR" "$DIR/data"
cat >"$DIR/stagefs.conf" <<END
[stagefs]
user = bench
listen = 127.0.0.1:$PORT
[storage]
url = fs://$DIR/data/
END
chmod 600 "$DIR/stagefs.conf"
cat >"$DIR/nginx.conf" <<END
daemon off;
worker_processes auto;
pid $DIR/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	client_body_temp_path $DIR/t1;
	proxy_temp_path $DIR/t2;
	fastcgi_temp_path $DIR/t3;
	uwsgi_temp_path $DIR/t4;
	scgi_temp_path $DIR/t5;
	server {
		listen 127.0.0.1:$NGINX_PORT;
		root $DIR/data;
	}
}
END
"$STAGEFS" serve --config "$DIR/stagefs.conf" >"$DIR/serve.out" &
pids+=($!)
nginx -p "$DIR" -c "$DIR/nginx.conf" 2>"$DIR/nginx.err" &
pids+=($!)
for port in $PORT $NGINX_PORT; do
	for _ in $(seq 100); do
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
		sleep 0.1
	done
done

FOLDER=stage/user/bench
mkdir -p "$DIR/data/$FOLDER"
chmod -R a+rX "$DIR/data/stage"

rate() {	# URL CONNECTIONS FIELD: requests (1) or MiB (2) a second
	"$top_builddir/tests/bench/bench_get" "$1" "$2" "$SECONDS_EACH" |
		cut -d' ' -f"$3"
	return "${PIPESTATUS[0]}"
}

median() {
	sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# compare SIZE CONNECTIONS FIELD UNIT PROMISED
compare() {
	local name=f$1 ours theirs i url verdict
	head -c "$1" /dev/urandom >"$DIR/data/$FOLDER/$name"
	chmod 644 "$DIR/data/$FOLDER/$name"
	sync
	url=$("$STAGEFS" presign "@~/$name" --config "$DIR/stagefs.conf" --format url)
	for ((i = 0; i < ROUNDS; i++)); do
		ours=$(rate "$url" "$2" "$3") || { echo "the gateway fails" >&2; return 1; }
		theirs=$(rate "http://127.0.0.1:$NGINX_PORT/$FOLDER/$name" "$2" "$3") ||
			{ echo "nginx fails" >&2; return 1; }
		echo "$ours $theirs $(awk "BEGIN { print $ours / $theirs }")"
	done >"$DIR/runs"
	verdict=$(cut -d' ' -f3 "$DIR/runs" | median)
	printf '%11s %11s %12s %12s %7.2f  %s\n' "$1" "$2" \
		"$(cut -d' ' -f1 "$DIR/runs" | median)" \
		"$(cut -d' ' -f2 "$DIR/runs" | median)" "$verdict" "$4"
	[ "$5" = no ] || awk "BEGIN { exit $verdict < $WANTED }"
}

echo "# GET by a pre-signed URL, of the gateway and of nginx; medians of $ROUNDS"
printf '%11s %11s %12s %12s %7s\n' bytes connections stagefs nginx ratio
compare 4096 1 1 requests/s no || status=1
compare 4096 16 1 requests/s no || status=1
compare 1048576 16 2 MiB/s yes || status=1
compare 268435456 1 2 MiB/s yes || status=1
compare 268435456 16 2 MiB/s yes || status=1
[ $status = 0 ] || echo "# the gateway is slower than $WANTED of nginx"
exit $status
