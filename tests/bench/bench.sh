#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How long the same work takes on stagefs, on s3fs and rclone mount where they
# are installed, each as it comes, and by curl and boto3 without any file
# system; what it costs in requests, bytes, processor time and memory.
#
#	make bench [ROWS='find dd'], or: tests/mount/run tests/bench/bench.sh
#
# Rows (tests/bench/rows.sh) and the servers that they are for:
#
#	far	find grep cp tar cat missing ls random new cpnew mv: Ceph RGW behind a
#		proxy that adds RTT milliseconds and counts (latency.py)
#	rgw	ddrgw write: RGW itself
#	fast	dd dd4 random16: nginx, which gives out files of this disk, with
#		ranges; in place of LIST it has answers that were written before,
#		for each prefix that there is
#	sink	sink: sink.c, which takes parts and forgets them (SINK_OPTIONS=--no-md5:
#		without reading them either)
#
# and, with tables of their own, local cache presign gateway: the benches beside this
# one. "Cold" is a new mount: nothing is known of the names, nothing of the
# bytes. Processor time is the daemon's within the row, peak memory since its
# mount. A ratio is curl's time divided by the client's.
#
# ROWS (all), CLIENTS (curl stagefs s3fs rclone), BENCH_OUT (the folder for
# bench.tsv and bench.svg; the current one), LIMIT (100: seconds, then a row is
# not done), RTT (20). Sizes: DIRS (1000), FILES (10), LARGE (100000), NEW (1000),
# BIG_MIB (128), BENCH_MIB (1024). BENCH_OPTIONS (for stagefs -o).
# shellcheck disable=SC2034
OUT=${BENCH_OUT:-$PWD}
LOG_LEVEL=warn
. "$(dirname "$0")/../mount/lib.sh"
RTT=${RTT:-20}
LIMIT=${LIMIT:-100}
BENCH=$TOP/tests/bench
OURS=$STAGEFS
TSV=$OUT/bench.tsv
OTHERS='local cache presign gateway'
. "$BENCH/rows.sh"
ROWS=${ROWS:-$ALL_ROWS $OTHERS}
for id in $ROWS; do
	[[ " $ALL_ROWS $OTHERS " == *" $id "* ]] ||
		bail "no such row: $id; there are $ALL_ROWS $OTHERS"
done

# ---- servers: ENDPOINT, the bucket, and what was asked of it since mark()

start_far() {
	FAR_PORT=$(free_port) FAR_CONTROL=$(free_port)
	"$BENCH/latency.py" --rtt "$RTT" --port "$FAR_PORT" \
		--to "${RGW_ENDPOINT#http://}" --control "$FAR_CONTROL" \
		>"$T/proxy.out" 2>&1 &
	until_ok 20 'curl -fsS http://127.0.0.1:$FAR_CONTROL/' ||
		bail 'no proxy'
}
start_rgw() { :; }
# What stands for LIST: an answer for the prefix of the files, one for the name
# of each as a prefix, and an empty one for all others.
nginx_list() {	# PREFIX FILE...: all in the folder ext
	local f prefix=$1
	shift
	echo '<?xml version="1.0" encoding="UTF-8"?>'
	echo '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
	echo "<Name>fast</Name><Prefix>$prefix</Prefix><MaxKeys>1000</MaxKeys>"
	echo "<KeyCount>$#</KeyCount><IsTruncated>false</IsTruncated>"
	for f in "$@"; do
		echo "<Contents><Key>ext/${f##*/}</Key><LastModified>$(
			date -u -r "$f" +%FT%T.000Z)</LastModified><ETag>\"$(
			printf '%x-%x' $(stat -c '%Y %s' "$f"))\"</ETag><Size>$(
			stat -c %s "$f")</Size><StorageClass>STANDARD</StorageClass></Contents>"
	done
	echo '</ListBucketResult>'
}
start_fast() {
	local nginx port f
	nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || {
		echo 'nginx is not installed (tests/install --bench)'
		return 1
	}
	port=$(free_port)
	mkdir -p "$T/www/fast/ext" "$T/www/lists"
	need data
	ln "$T/data" "$T/www/fast/ext/data"
	split -n 4 -d -a 1 "$T/data" "$T/www/fast/ext/q"
	nginx_list ext/ "$T/www/fast/ext"/* >"$T/www/lists/all.xml"
	for f in "$T/www/fast/ext"/*; do
		nginx_list "ext/${f##*/}" "$f" >"$T/www/lists/of-${f##*/}.xml"
	done
	nginx_list '' >"$T/www/lists/none.xml"
	chmod 755 "$T"
	cat >"$T/nginx.conf" <<-END
	daemon off;
	user root;
	worker_processes auto;
	pid $T/nginx.pid;
	error_log $T/nginx.err;
	events { worker_connections 1024; }
	http {
	map \$arg_prefix \$list {
		default none;
		~^ext(/|%2F)\$ all;
		~^ext(/|%2F)(?<name>data|q[0-3])\$ of-\$name;
	}
	log_format counts '\$request_method \$status \$bytes_sent \$request_length';
	access_log $T/nginx.log counts;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	client_body_temp_path $T/n1;
	proxy_temp_path $T/n2;
	fastcgi_temp_path $T/n3;
	uwsgi_temp_path $T/n4;
	scgi_temp_path $T/n5;
	server {
	listen 127.0.0.1:$port;
	root $T/www;
	default_type application/octet-stream;
	location ~ ^/fast/?\$ {
		default_type application/xml;
		rewrite ^ /lists/\$list.xml break;
	}
	location = /fast/ext/ { default_type application/x-directory; return 200 ''; }
	}
	}
	END
	"$nginx" -c "$T/nginx.conf" -e "$T/nginx.err" >"$T/nginx.out" 2>&1 &
	at_exit+=("kill $!; wait $!")
	FAST_ENDPOINT=http://127.0.0.1:$port
	until_ok 20 'curl -fsS -I $FAST_ENDPOINT/fast/ext/data' ||
		bail "nginx does not start: $(cat "$T/nginx.out" "$T/nginx.err")"
}
# What takes parts as quickly as it can (sink.c).
start_sink() {
	"$SINK" ${SINK_OPTIONS-} >"$T/sink.port" &
	at_exit+=("kill $!")
	until_ok 20 '[ -s "$T/sink.port" ]' || bail 'no sink'
	SINK_ENDPOINT=http://127.0.0.1:$(cat "$T/sink.port")
}
RGW_ENDPOINT=$ENDPOINT RGW_BUCKET=$BUCKET RGW_EXT=$EXT
RGW_LOG=${STAGEFS_TEST_S3_LOG-}
started=''
use() {	# SERVER
	server=$1
	[[ $started == *" $server "* ]] || "start_$server" || return
	started+=" $server "
	BUCKET=$RGW_BUCKET EXT=$RGW_EXT ENDPOINT=$RGW_ENDPOINT
	case $server in
	far) ENDPOINT=http://127.0.0.1:$FAR_PORT ;;
	fast) BUCKET=fast EXT=ext/ ENDPOINT=$FAST_ENDPOINT ;;
	sink) BUCKET=sink EXT=ext/ ENDPOINT=$SINK_ENDPOINT ;;
	esac
	write_config
}
lines_of() { [ ! -e "$1" ] && echo 0 || wc -l <"$1"; }
mark() {
	case $server in
	far) curl -fsS "http://127.0.0.1:$FAR_CONTROL/" >/dev/null ;;
	fast) marked=$(lines_of "$T/nginx.log") ;;
	rgw) marked=$(lines_of "$RGW_LOG") ;;
	sink) ;;
	esac
}
# Requests, bytes that came from the server, and bytes that went there.
counts() {
	case $server in
	far)
		curl -fsS "http://127.0.0.1:$FAR_CONTROL/" |
			jq -r '"\(.requests)\t\(.received)\t\(.sent)"'
		;;
	fast)
		sleep 0.3 # a line comes after the answer
		tail -n "+$((marked + 1))" "$T/nginx.log" | awk '{
			n++; r += $3; s += $4
		} END { printf "%d\t%d\t%d\n", n, r, s }'
		;;
	sink) printf -- '-\t-\t-\n' ;;
	rgw)
		[ -e "$RGW_LOG" ] || { printf -- '-\t-\t-\n'; return; }
		sleep 0.3
		tail -n "+$((marked + 1))" "$RGW_LOG" | awk '
		match($0, /HTTP\/1\.[01]" [0-9]+ [0-9]+/) {
			split(substr($0, RSTART, RLENGTH), f, " ")
			n++; r += f[3]
		} END { printf "%d\t%d\t-\n", n, r }'
		;;
	esac
}

# ---- clients: how each is mounted on MNT

up_stagefs() {
	mount_up ${BENCH_OPTIONS:+-o "$BENCH_OPTIONS"}
}
up_s3fs() {
	(umask 077 && echo "$KEY_ID:$SECRET" >"$T/s3fs.key")
	s3fs "$BUCKET:/${EXT%/}" "$MNT" -o "passwd_file=$T/s3fs.key" \
		-o "url=$ENDPOINT" -o use_path_request_style -o endpoint=us-east-1
}
up_rclone() {
	RCLONE_CONFIG_BENCH_TYPE=s3 RCLONE_CONFIG_BENCH_PROVIDER=Ceph \
		RCLONE_CONFIG_BENCH_ACCESS_KEY_ID=$KEY_ID \
		RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY=$SECRET \
		RCLONE_CONFIG_BENCH_ENDPOINT=$ENDPOINT \
		rclone mount "bench:$BUCKET/$EXT" "$MNT" --daemon \
		--use-server-modtime >"$T/rclone.log" 2>&1
}
there() { mountpoint -q "$MNT"; }
down() {
	! there || timeout 60 umount "$MNT" 2>/dev/null || mount_kill "$MNT"
	until_ok 60 '[ -z "$(daemon_pids)" ]' || mount_kill "$MNT"
}
# cold PATH: a mount that knows nothing but PATH.
cold() {
	down
	"up_$client" || bail "cannot mount $client"
	until_ok 20 there || bail "$client does not mount"
	stat "$1" >/dev/null || bail "$client does not show $1"
}
# For the clients that are there, those of a file system with their root in E.
each_client() {	# FUNCTION
	for client in ${CLIENTS:-curl stagefs s3fs rclone}; do
		E=$MNT STAGEFS=$OURS
		case $client in
		curl) ;;
		stagefs) E=$MNT/ext ;;
		*) STAGEFS=$(command -v "$client") || {
			[[ $missing == *" $client "* ]] ||
				echo "$client is not installed (tests/install --bench)"
			missing+=" $client "
			continue
		} ;;
		esac
		"$1"
		down
	done
	STAGEFS=$OURS
}
missing=''

# ---- a row

cpu_s() {	# PID: user and system
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, "")
		printf "%.2f", ($12 + $13) / hz }' "/proc/$1/stat"
}
# Memory that the hypervisor of this machine has not given yet, or has taken
# back, costs whoever touches it first more than a row does. It takes some
# seconds until it is taken back, so a row finds it there.
touch_memory() {	# MIB
	/usr/bin/python3 - "$1" <<-'END'
	import mmap, sys
	n = int(sys.argv[1]) << 20
	m = mmap.mmap(-1, n, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
	m.madvise(mmap.MADV_HUGEPAGE)
	m[::4096] = bytes(n >> 12)
	END
}
declare -A curl_seconds
# row WORK SHELL-TEXT [MB]: runs it, with an end; a line of the TSV. MB: what it
# moves, where a rate is what one wants to know.
row() {
	local start status seconds pid='' cpu=- peak=- before=0 asked ratio=-
	[ "$client" = curl ] || pid=$(daemon_pids)
	[ -z "$pid" ] || before=$(cpu_s "$pid")
	[ -z "${3-}" ] || touch_memory $((MIB + 512))
	mark
	start=$EPOCHREALTIME
	timeout -k 5 "$LIMIT" bash -c "set -o pipefail; $2" >"$T/.row" \
		2>"$T/.err" </dev/null
	status=$?
	seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" \
		'BEGIN { printf "%.3f", b - a }')
	if [ -n "$pid" ] && [ -e "/proc/$pid/stat" ]; then
		cpu=$(awk -v a="$before" -v b="$(cpu_s "$pid")" \
			'BEGIN { printf "%.2f", b - a }')
		peak=$(awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$pid/status")
	fi
	asked=$(counts)
	case $status in
	0)
		[ "$client" != curl ] || curl_seconds[$1]=$seconds
		[ -z "${curl_seconds[$1]-}" ] || ratio=$(awk -v a="$seconds" \
			-v b="${curl_seconds[$1]}" 'BEGIN { printf "%.2f", b / a }')
		;;
	124 | 137) seconds='not done' ;;
	*) seconds=failed; echo "$client, $1: exit status $status"
		diag <"$T/.err" ;;
	esac
	printf '%s\t' "$id" "$server" "$1" "$client" "$seconds" "$ratio" \
		"$asked" "$cpu" "$peak" >>"$TSV"
	echo "${3--}" >>"$TSV"
	printf '%-8s %-38s %9s %6s  %s\n' "$client" "$1" "$seconds" "$ratio" \
		"$(cut -f1 <<<"$asked") requests"
	[ $status = 0 ]
}

printf '%s\t' row server work client seconds ratio requests received sent \
	cpu_s peak_mib >"$TSV"
echo mb >>"$TSV"
for id in $ROWS; do
	[[ " $OTHERS " != *" $id "* ]] || continue
	use "$(server_of "$id")" || continue
	"prepare_$id"
	each_client "row_$id"
done
down
if [ "$(wc -l <"$TSV")" -gt 1 ]; then
	echo
	echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); a round trip" \
		"to far takes $RTT ms more; a row has $LIMIT s"
	sizes
	echo
	"$BENCH/chart.py" "$TSV" --limit "$LIMIT" --svg "$OUT/bench.svg"
fi

# ---- what has tables of its own

for id in $OTHERS; do
	[[ " $ROWS " == *" $id "* ]] || continue
	printf '\n%s\n' "$id"
	env -u ROWS STAGEFS="$OURS" top_srcdir="$TOP" \
		top_builddir="${top_builddir:-$(dirname "$OURS")}" \
		bash "$BENCH/$id.sh" || bail "$id failed"
done
