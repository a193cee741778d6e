#!/bin/bash
# How long names and small files take when each request has a way to go: a tree
# of DIRS directories with FILES files of 5 bytes to 64 KiB, LARGE objects in
# one directory and one object of 128 MiB, behind a proxy that adds RTT
# milliseconds and counts (latency.py). Of stagefs, and of s3fs and rclone mount
# where they are installed, each as it comes; beside them what curl and boto3
# need for the same, without any file system.
#
#	make bench-names, or: tests/mount/run tests/bench/names.sh
#
# DIRS (1000), FILES (10), LARGE (20000), RTT (20), LIMIT (100: seconds, then a
# row is not done), CLIENTS (curl stagefs s3fs rclone), BENCH_OUT (the folder
# for names.tsv and names.svg; the current one).
#
# "Cold" is a new mount: nothing is known of the names, nothing of the bytes.
# Processor time is the daemon's within the row, peak memory since its mount.
OUT=${BENCH_OUT:-$PWD}
. "$(dirname "$0")/../mount/lib.sh"
DIRS=${DIRS:-1000}
FILES=${FILES:-10}
LARGE=${LARGE:-20000}
RTT=${RTT:-20}
LIMIT=${LIMIT:-100}
BIG_MIB=128
BENCH=$TOP/tests/bench
OURS=$STAGEFS
DIRECT=$ENDPOINT
TSV=$OUT/names.tsv

# ---- the store

# presigned download|upload: URLs of the names on stdin, at ENDPOINT.
presigned() {
	write_config
	sed 's|^|@ext/|' | "$OURS" presign --config "$CONF" "$1" - \
		--expire 36000 --format url
}
# What curl transfers, many at once over few connections.
curl_all() {	# CONFIG
	curl -fsS --no-progress-meter -Z --parallel-max 32 -K "$1"
}
make_tree() {
	/usr/bin/python3 - "$T/tree" "$DIRS" "$FILES" <<-END
	import os, random, sys
	top, dirs, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
	dice = random.Random(1)
	text = b"a line of some words and nothing else\n" * 1800
	for d in range(dirs):
	    os.makedirs("%s/d%05d" % (top, d))
	    for f in range(files):
	        size = int(5 * (65536 / 5) ** dice.random())
	        with open("%s/d%05d/f%d" % (top, d, f), "wb") as out:
	            out.write(text[:size])
	END
}
fill() {
	make_tree || bail 'no room for the tree'
	find "$T/tree" -type f -printf 'tree/%P\n' | sort >"$T/names"
	seq -f 'flat/object-%06g' "$LARGE" >"$T/flat"
	echo text >"$T/text"
	cat "$T/names" "$T/flat" | presigned upload >"$T/urls"
	# s3fs mounts a prefix only when it has an object.
	: >"$T/empty"
	s3 put "$EXT" "$T/empty" content_type=application/x-directory
	{
		sed "s|^|$T/|" "$T/names"
		sed "s|.*|$T/text|" "$T/flat"
	} | paste "$T/urls" - | awk -F '\t' '{
		printf "url = \"%s\"\nupload-file = \"%s\"\n", $1, $2 }' >"$T/puts"
	curl_all "$T/puts" >/dev/null || bail 'cannot fill the store'
	random_file "$T/big" $((BIG_MIB << 20))
	s3 multipart "${EXT}big" "$T/big" $((16 << 20))
	rm -r "$T/tree" "$T/big" "$T/puts"
	# No client is the first that the store lists all this for.
	s3 list "$EXT" >/dev/null
}

# ---- the clients: how each is mounted on MNT, behind the proxy

up_stagefs() {
	mount_up
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
down() {
	! mounted || timeout 30 umount "$MNT" 2>/dev/null || mount_kill "$MNT"
	until_ok 20 '[ -z "$(daemon_pids)" ]' || mount_kill "$MNT"
}
# cold PATH: a mount that knows nothing but PATH.
cold() {
	down
	"up_$client" || bail "cannot mount $client"
	until_ok 20 mounted || bail "$client does not mount"
	stat "$1" >/dev/null
}

# ---- a row

reset_counts() { curl -fsS "http://127.0.0.1:$CONTROL/"; }
cpu_s() {	# PID: user and system
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, "")
		printf "%.2f", ($12 + $13) / hz }' "/proc/$1/stat"
}
# row WORK SHELL-TEXT: runs it, with an end; one line of the TSV.
row() {
	local start status seconds counts pid='' cpu=- peak=- before=0
	[ "$client" = curl ] || pid=$(daemon_pids)
	[ -z "$pid" ] || before=$(cpu_s "$pid")
	reset_counts >/dev/null
	start=$EPOCHREALTIME
	timeout -k 5 "$LIMIT" bash -c "set -o pipefail; $2" >"$T/.out" \
		2>"$T/.err" </dev/null
	status=$?
	seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" \
		'BEGIN { printf "%.2f", b - a }')
	counts=$(reset_counts | jq -r '"\(.requests)\t\(.received)"')
	case $status in
	0) ;;
	124 | 137) seconds='not done' ;;
	*) seconds=failed; echo "$client, $1: exit status $status"
		diag <"$T/.err" ;;
	esac
	if [ -n "$pid" ] && [ -e "/proc/$pid/stat" ]; then
		cpu=$(awk -v a="$before" -v b="$(cpu_s "$pid")" \
			'BEGIN { printf "%.2f", b - a }')
		peak=$(awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$pid/status")
	fi
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$client" "$1" "$seconds" "$counts" \
		"$cpu" "$peak" >>"$TSV"
	printf '%-8s %-36s %s\n' "$client" "$1" "$seconds"
	[ $status = 0 ]
}

random_reads='import os, random
dice = random.Random(2)
f = os.open("'$MNT'/ext/big", os.O_RDONLY)
for k in range(64):
    assert len(os.pread(f, 4096, dice.randrange('$BIG_MIB' << 8) << 12)) == 4096'

# all_rows: of the client, whose root is E.
all_rows() {
	local d total=$((DIRS * FILES))
	d=$(printf '%s/tree/d%05d' "$E" $((DIRS / 2)))
	cold "$E"
	! row 'find, cold' "[ \$(find $E/tree -type f | wc -l) = $total ]" ||
		row 'du -s right after find' "du -s $E/tree"
	cold "$E"
	row 'grep -rc, cold' "[ \$(grep -rc words $E/tree | wc -l) = $total ]"
	cold "$E"
	row 'cp -r, cold' "cp -r $E/tree $T/copy"
	rm -rf "$T/copy"
	cold "$E"
	row 'tar c, cold' "tar cf - -C $E tree | cat >/dev/null"
	cold "$E/tree"
	row 'cat d/f, cold' "cat $d/f1"
	row 'cat d/f again' "cat $d/f1"
	sleep 11
	row 'cat d/f after 11 s' "cat $d/f1"
	cold "$E/tree"
	row 'missing name, unknown directory' "! stat $d/absent"
	ls "$d" >/dev/null
	row 'missing name, listed directory' "! stat $d/missing"
	cold "$E"
	row "ls -l of $LARGE" "[ \$(ls -l $E/flat | grep -c object) = $LARGE ]"
	cold "$E"
	row '64 random reads of 4 KiB' "/usr/bin/python3 -c '$random_reads'"
	down
}

# What nobody who waits for the same answers can be faster than: pages of LIST
# one after the other, GETs 32 at once.
limit_rows() {
	local url list="/usr/bin/python3 $HERE/s3.py list"
	presigned download <"$T/names" | sed 's|.*|url = "&"\noutput = /dev/null|' \
		>"$T/gets"
	url=$(echo big | presigned download)
	/usr/bin/python3 - "$url" $BIG_MIB >"$T/ranges" <<-'END'
	import random, sys
	dice = random.Random(2)
	for k in range(64):
	    at = dice.randrange(int(sys.argv[2]) << 8) << 12
	    print('url = "%s"\noutput = /dev/null\nfail\nrange = %d-%d\n%s' % (
	        sys.argv[1], at, at + 4095, "next" if k < 63 else ""))
	END
	export STAGEFS_TEST_S3_ENDPOINT=$ENDPOINT
	row 'find, cold' "$list ${EXT}tree/"
	row 'grep -rc, cold' "curl -fsS -Z --parallel-max 32 -K $T/gets"
	head -n 2 "$T/gets" >"$T/get"
	row 'cat d/f, cold' "curl -fsS -K $T/get"
	row "ls -l of $LARGE" "$list ${EXT}flat/"
	row '64 random reads of 4 KiB' "curl -sS -K $T/ranges"
	export STAGEFS_TEST_S3_ENDPOINT=$DIRECT
}

fill
PORT=$(free_port)
CONTROL=$(free_port)
"$BENCH/latency.py" --rtt "$RTT" --port "$PORT" --to "${DIRECT#http://}" \
	--control "$CONTROL" >"$T/proxy.out" 2>&1 &
ENDPOINT=http://127.0.0.1:$PORT
until_ok 20 'curl -fsS http://127.0.0.1:$CONTROL/' || bail 'no proxy'
write_config
printf 'client\twork\tseconds\trequests\tbytes\tcpu_s\tpeak_mib\n' >"$TSV"
for client in ${CLIENTS:-curl stagefs s3fs rclone}; do
	E=$MNT
	case $client in
	curl) limit_rows; continue ;;
	stagefs) E=$MNT/ext STAGEFS=$OURS ;;
	*) STAGEFS=$(command -v "$client") || {
		printf '%s\tall\tnot installed\t-\t-\t-\t-\n' "$client" >>"$TSV"
		continue
	} ;;
	esac
	random_reads=${random_reads/"$MNT/ext"/"$E"}
	all_rows
done
down
echo
echo "$DIRS directories of $FILES files, a round trip of $RTT ms, a row has" \
	"$LIMIT s, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo
"$BENCH/chart.py" "$TSV" --limit "$LIMIT" --svg "$OUT/names.svg"
