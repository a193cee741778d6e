#!/bin/bash
# How fast is a mount? Each of ours beside what curl does with the same object
# store at the same time of day, sixteen at once: half of that is the least
# that we want (the closing lines say so). Medians of RUNS.
#
#	make bench, or: tests/mount/run tests/bench/bench.sh
#
# BENCH_MIB (1024), RUNS (3), BENCH_OPTIONS (for -o).
. "$(dirname "$0")/../mount/lib.sh"
MIB=${BENCH_MIB:-1024}
RUNS=${RUNS:-3}
PARTS=$((MIB / 16))
BYTES=$((MIB << 20))
[ $PARTS -ge 16 ] || bail 'BENCH_MIB is 256 at least: sixteen parts of 16 MiB'
write_config
random_file "$T/data" $BYTES
# The parts that curl sends, as files: it cannot send a range of one.
mkdir "$T/parts"
split -b 16M -d -a 4 "$T/data" "$T/parts/p"
# The disk is not what is measured: nothing of this is still to be written, and
# what is sent stands in memory.
sync
in_memory() { cat "$T/data" "$T/parts"/* >/dev/null; }

now_ms() { date +%s%3N; }
timed() {	# COMMAND...: milliseconds, in $ms
	local start
	start=$(now_ms)
	"$@" || bail "this failed: $*"
	ms=$(($(now_ms) - start))
}
rate() { awk -v b=$BYTES -v ms="$1" 'BEGIN { printf "%.0f", b / 1e3 / ms }'; }
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
cpu_s() {	# of the daemon, user and system
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, "")
		printf "%.2f", ($12 + $13) / hz }' "/proc/$(daemon_pids)/stat"
}
hwm_mib() {
	awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$(daemon_pids)/status"
}
# Requests that the gateway logged since a line: their verbs and numbers.
log_lines() { wc -l <"${STAGEFS_TEST_S3_LOG:-/dev/null}"; }
requests_since() {
	tail -n "+$(($1 + 1))" "${STAGEFS_TEST_S3_LOG:-/dev/null}" |
		grep -oE '"(GET|PUT|POST|HEAD|DELETE) ' | tr -d '" ' | sort | uniq -c |
		awk '{ printf "%s%s %d", sep, $2, $1; sep = ", " }'
}

curl_ranges() {
	local url step=$((BYTES / 16)) i pids=()
	url=$(s3 url get "${EXT}data" 3600)
	for i in $(seq 0 15); do
		curl -fsS -o /dev/null -r "$((i * step))-$(((i + 1) * step - 1))" \
			"$url" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || return
	done
}

curl_parts() {
	paste -d' ' <(tail -n +2 "$T/urls") <(ls "$T/parts"/*) |
		xargs -P 16 -n 2 sh -c 'curl -fsS -o /dev/null -T "$1" "$0"'
}

row() { printf '%-34s %7s  %6s  %7s  %9s  %s\n' "$@"; }

s3 multipart "${EXT}data" "$T/data" $((16 << 20))
: >"$T/read.curl" >"$T/read.ours" >"$T/write.curl" >"$T/write.ours"
for run in $(seq "$RUNS"); do
	timed curl_ranges
	rate $ms >>"$T/read.curl"; echo >>"$T/read.curl"
	mount_up ${BENCH_OPTIONS:+-o "$BENCH_OPTIONS"}
	ls "$MNT/ext" >/dev/null
	lines=$(log_lines)
	before=$(cpu_s)
	timed dd if="$MNT/ext/data" of=/dev/null bs=1M status=none
	rate $ms >>"$T/read.ours"; echo >>"$T/read.ours"
	read_cpu=$(awk -v a="$before" -v b="$(cpu_s)" 'BEGIN { printf "%.2f", b - a }')
	read_hwm=$(hwm_mib)
	mount_down
	read_requests=$(requests_since "$lines")

	s3 part-urls "${EXT}curl" $PARTS >"$T/urls"
	in_memory
	timed curl_parts
	rate $ms >>"$T/write.curl"; echo >>"$T/write.curl"
	s3 complete "${EXT}curl" "$(head -n 1 "$T/urls")"
	s3 delete "${EXT}curl"
	mount_up ${BENCH_OPTIONS:+-o "$BENCH_OPTIONS"}
	ls "$MNT/ext" >/dev/null
	lines=$(log_lines)
	before=$(cpu_s)
	in_memory
	timed dd if="$T/data" of="$MNT/ext/ours" bs=1M conv=fsync status=none
	rate $ms >>"$T/write.ours"; echo >>"$T/write.ours"
	write_cpu=$(awk -v a="$before" -v b="$(cpu_s)" 'BEGIN { printf "%.2f", b - a }')
	write_hwm=$(hwm_mib)
	mount_down
	write_requests=$(requests_since "$lines")
	[ "$(s3 head "${EXT}ours" | jq .ContentLength)" = $BYTES ] ||
		bail 'what dd wrote is not there'
	s3 delete "${EXT}ours"
done

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
rc=$(median <"$T/read.curl") ro=$(median <"$T/read.ours")
wc=$(median <"$T/write.curl") wo=$(median <"$T/write.ours")
echo "$MIB MiB, medians of $RUNS, $(nproc) cores"
row what MB/s ratio 'CPU s' 'VmHWM MiB' requests
row 'curl, 16 ranges at once' "$rc" '' '' '' ''
row 'dd from the mount, cold' "$ro" "$(ratio "$ro" "$rc")" "$read_cpu" \
	"$read_hwm" "$read_requests"
row 'curl, 16 parts of 16 MiB at once' "$wc" '' '' '' ''
row 'dd onto the mount, conv=fsync' "$wo" "$(ratio "$wo" "$wc")" "$write_cpu" \
	"$write_hwm" "$write_requests"
verdict() {
	awk -v r="$2" 'BEGIN { exit r < 0.5 }' && echo "$1: at least half of curl" ||
		echo "$1: less than half of curl"
}
verdict reading "$(ratio "$ro" "$rc")"
verdict writing "$(ratio "$wo" "$wc")"
