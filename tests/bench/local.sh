#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How fast is a mount over `fs://`? Beside the least that FUSE costs on the same
# disk: tests/bench/passthrough.c, a file system that only hands requests on.
# 0.8 of it is the least that we want (the closing lines say so). The two by
# turns, each RUNS times; the quickest counts, because what else the machine and
# its disk do only makes one slower.
#
#	make bench-local
#
# Needs root. STAGEFS, PASSTHROUGH, BENCH_NAMES (the programs), BENCH_DIR (a folder on the
# disk that is measured, /var/tmp), BENCH_MIB (1024), BENCH_FILES (1000), RUNS
# (5), STAGEFS_BEFORE (another version of the program, beside which the rows of
# 16 clients stand), ROWS (bytes names: which rows).
#
# "Cold" is a mount that has read nothing; the file stands in the disk's own
# page cache, so that FUSE is what is measured. "From the disk": there neither.
set -u
: "${STAGEFS:?is not set}" "${PASSTHROUGH:?is not set}"
: "${BENCH_NAMES:?is not set}"
MIB=${BENCH_MIB:-1024}
FILES=${BENCH_FILES:-1000}
RUNS=${RUNS:-5}
T=$(mktemp -d "${BENCH_DIR:-/var/tmp}/stagefs-bench.XXXXXX") || exit 1
ROWS=${ROWS:-bytes names}
OURS=$T/ours
BARE=$T/bare
BEFORE=$T/before
export HOME=$T XDG_STATE_HOME=$T/state XDG_CACHE_HOME=$T/cache
ulimit -n "$(ulimit -Hn)"
mkdir -p "$OURS" "$BARE" "$BEFORE" "$T/result"
for who in ours bare before; do
	mkdir -p "$T/disk/$who"
	(umask 077 && cat >"$T/$who.conf") <<-END
	[stagefs]
	log = $T/log
	[stage disk]
	url = fs://$T/disk/$who/
	END
done

bail() {
	printf 'local.sh: %s\n' "$*" >&2
	exit 1
}
down() {
	local dir
	for dir in "$OURS" "$BARE" "$BEFORE"; do
		! mountpoint -q "$dir" || umount "$dir" || umount -l "$dir"
	done
}
trap 'down; rm -rf "$T"' EXIT
up() {	# [sync]: all
	"$STAGEFS" --config "$T/ours.conf" @disk "$OURS" || bail 'cannot mount'
	[ -z "${STAGEFS_BEFORE-}" ] ||
		"$STAGEFS_BEFORE" --config "$T/before.conf" @disk "$BEFORE" ||
		bail "cannot mount by $STAGEFS_BEFORE"
	"$PASSTHROUGH" "$T/disk/bare" "$BARE" ${1:+-o sync} ||
		bail 'cannot mount the passthrough'
}
now_us() { echo $(($(date +%s%N) / 1000)); }
timed() {	# WHAT WHO COMMAND...
	local start key="$T/result/$1.$2"
	shift 2
	start=$(now_us)
	"$@" || bail "this failed: $*"
	echo $(($(now_us) - start)) >>"$key"
}
forget() { dd if="$1" iflag=nocache count=0 status=none; }
in_memory() { cat "$1" >/dev/null; }

read_all() { dd if="$1/data" of=/dev/null bs=1M status=none; }
write_all() {
	dd if="$T/data" of="$1/new$run" bs=1M conv=fsync status=none
}
small_write() {
	mkdir "$1/small" && python3 - "$1/small" "$FILES" <<-END
	import sys
	folder, n = sys.argv[1], int(sys.argv[2])
	for k in range(n):
	    with open("%s/%06d" % (folder, k), "wb") as f:
	        f.write(b"x" * 4096)
	END
}
small_read() { cat "$1"/small/* >/dev/null; }
small_list() { ls -l "$1/small" >/dev/null; }
both() {	# WHAT COMMAND: now one first, now the other
	local who order='bare ours'
	[ $((run % 2)) = 1 ] || order='ours bare'
	for who in $order; do
		sync -f "$T"
		case $who in
		bare) timed "$1" bare "$2" "$BARE" ;;
		ours) timed "$1" ours "$2" "$OURS" ;;
		esac
	done
}
both_remount() { down; up "$@"; }
names() {	# KIND WHO: calls a second, of 16 clients
	"$BENCH_NAMES" "$T/$2" "$1" 16 "$((FILES / 2))" \
		>>"$T/result/names-$1.$2" || bail "this failed: bench_names $2 $1"
}

bytes_rows() {
	in_memory "$T/disk/ours/data"
	in_memory "$T/disk/bare/data"
	both_remount
	both read-cold read_all
	both read-warm read_all
	both_remount
	for who in bare ours; do
		forget "$T/disk/$who/data"
	done
	both read-disk read_all
	rm -f "$OURS"/new* "$BARE"/new*
	in_memory "$T/data"
	both write write_all
	both_remount sync
	both small-write small_write
	both_remount sync
	both small-list small_list
	both small-read small_read
	rm -r "$OURS/small" "$BARE/small"
}
names_rows() {
	local who kind all='ours bare'
	[ -z "${STAGEFS_BEFORE-}" ] || {
		all='ours before bare'
		[ $((run % 2)) = 1 ] || all='before ours bare'
	}
	both_remount
	for kind in lookup create getxattr; do
		for who in $all; do
			: >"$T/$who/file"
			[ "$kind $who" = 'getxattr bare' ] || names "$kind" "$who"
		done
	done
}
wanted() { [[ " $ROWS " == *" $1 "* ]]; }

head -c "$((MIB << 20))" /dev/urandom >"$T/data" || bail 'no room'
cp "$T/data" "$T/disk/ours/data" && cp "$T/data" "$T/disk/bare/data"
sync -f "$T"
for run in $(seq "$RUNS"); do
	! wanted bytes || bytes_rows
	! wanted names || names_rows
done

best() { sort -n "$1" | head -n 1; }
row() {
	printf '%-38s' "$1"
	shift
	printf ' %11s' "$@"
	echo
}
slow=''
line() {	# WHAT SENTENCE UNIT AMOUNT
	local b o r
	b=$(best "$T/result/$1.bare") o=$(best "$T/result/$1.ours")
	r=$(awk -v b="$b" -v o="$o" 'BEGIN { printf "%.2f", b / o }')
	per() { awk -v n="$1" -v us="$2" 'BEGIN { printf "%.0f", n * 1e6 / us }'; }
	row "$2, $3" "$(per "$4" "$b")" "$(per "$4" "$o")" "$r"
	awk -v r="$r" 'BEGIN { exit r < 0.8 }' || slow="$slow${slow:+, }$2"
}
BYTES_MB=$(awk -v m="$MIB" 'BEGIN { print m * 1.048576 }')
echo "$MIB MiB, $FILES files, the best of $RUNS, $(nproc) cores"
if wanted bytes; then
	row what passthrough stagefs ratio
	line read-cold 'read, cold' MB/s "$BYTES_MB"
	line read-warm 'read, warm' MB/s "$BYTES_MB"
	line read-disk 'read, from the disk' MB/s "$BYTES_MB"
	line write 'write, conv=fsync' MB/s "$BYTES_MB"
	line small-write 'files of 4 KiB made, synced' files/s "$FILES"
	line small-list 'ls -l of them' files/s "$FILES"
	line small-read 'read' files/s "$FILES"
	[ -z "$slow" ] && echo 'all: at least 0.8 of the passthrough' ||
		echo "less than 0.8 of the passthrough: $slow"
fi
most() { sort -n "$T/result/names-$1" 2>/dev/null | tail -n 1; }
if wanted names; then
	row what ${STAGEFS_BEFORE:+before} passthrough stagefs ratio
	for kind in lookup create getxattr; do
		bare=$(most "$kind.bare") ours=$(most "$kind.ours")
		before=$(most "$kind.before")
		row "$kind, 16 clients, calls/s" ${before:+"$before"} \
			"${bare:--}" "$ours" "$(awk -v a="$ours" \
			-v b="${before:-$bare}" 'BEGIN {
				if (b) printf "%.2f", a / b }')"
	done
fi
