# SPDX-License-Identifier: Apache-2.0
# The rows of bench.sh, which sources this: for each ID prepare_ID(), which puts
# into the store what it needs, and row_ID(), for one client.
# shellcheck shell=bash disable=SC2016,SC2154,SC2317
DIRS=${DIRS:-1000}
FILES=${FILES:-10}
LARGE=${LARGE:-100000}
NEW=${NEW:-1000}
BIG_MIB=${BIG_MIB:-128}
MIB=${BENCH_MIB:-1024}
RANDOM_CALLS=${RANDOM_CALLS:-256}
[ $((MIB % 64)) = 0 ] || bail 'BENCH_MIB is a multiple of 64'
ALL_ROWS='find grep cp tar cat missing ls random new cpnew mv
	dd dd4 random16 ddrgw write sink'
ALL_ROWS=$(echo $ALL_ROWS)

server_of() {	# ROW
	case $1 in
	dd | dd4 | random16) echo fast ;;
	ddrgw | write) echo rgw ;;
	sink) echo sink ;;
	*) echo far ;;
	esac
}
sizes() {
	echo "$DIRS directories of $FILES files; $LARGE objects in one directory;" \
		"$NEW new files; random reads of $BIG_MIB MiB; dd of $MIB MiB"
}
MB=$(awk -v m="$MIB" 'BEGIN { print m * 1.048576 }')

# ---- what is in the store

have=''
need() {	# WHAT: makes it once
	local what
	for what in "$@"; do
		[[ $have != *" $what "* ]] || continue
		have+=" $what "
		"make_$what" || bail "cannot make $what"
	done
}
# presigned download|upload: URLs of the names on stdin, of the server in use.
presigned() {
	sed 's|^|@ext/|' | "$OURS" presign --config "$CONF" "$1" - \
		--expire 36000 --format url
}
# What curl transfers, many at once over few connections.
curl_all() {	# CONFIG
	curl -fsS --no-progress-meter -Z --parallel-max 32 -K "$1"
}
# Upload of the files that stand beside their URLs.
as_puts() {
	awk -F '\t' '{ printf "url = \"%s\"\nupload-file = \"%s\"\n", $1, $2 }'
}
as_gets() {
	sed 's|.*|url = "&"\noutput = /dev/null|'
}
make_top() {	# s3fs mounts a prefix only when it has an object.
	: >"$T/empty"
	s3 put "$EXT" "$T/empty" content_type=application/x-directory
	echo text >"$T/text"
}
make_tree() {
	need top
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
	find "$T/tree" -type f -printf 'tree/%P\n' | sort >"$T/names"
	presigned upload <"$T/names" |
		paste - <(sed "s|^|$T/|" "$T/names") | as_puts >"$T/puts"
	curl_all "$T/puts" >/dev/null
	rm -r "$T/tree"
	presigned download <"$T/names" | as_gets >"$T/gets"
	# No client is the first that the store lists it for.
	s3 list "${EXT}tree/" >/dev/null
}
make_flat() {
	need top
	seq -f 'flat/object-%06g' "$LARGE" | presigned upload |
		sed "s|\$|	$T/text|" | as_puts >"$T/puts"
	curl_all "$T/puts" >/dev/null
	s3 list "${EXT}flat/" >/dev/null
}
make_big() {
	need top
	random_file "$T/big" $((BIG_MIB << 20))
	s3 multipart "${EXT}big" "$T/big" $((16 << 20))
	rm "$T/big"
}
make_data() {
	random_file "$T/data" $((MIB << 20))
}
make_gib() {
	need top data
	s3 multipart "${EXT}data" "$T/data" $((16 << 20))
}
make_parts() {	# curl cannot send a range of a file
	need top data
	mkdir -p "$T/parts"
	split -b 16M -d -a 4 "$T/data" "$T/parts/p"
}
make_thousand() {
	local k
	need top
	mkdir "$T/thousand" "$T/hundred"
	for k in $(seq -w "$NEW"); do
		head -c 4096 /dev/zero >"$T/thousand/f$k"
	done
	for k in $(seq -w 100); do
		echo text >"$T/hundred/f$k"
	done
}
# Ranges of 4 KiB at random, one after the other on one connection.
ranges() {	# URL MIB COUNT SEED
	/usr/bin/python3 - "$@" <<-'END'
	import random, sys
	url, mib, count, seed = sys.argv[1], *map(int, sys.argv[2:])
	dice = random.Random(seed)
	for k in range(count):
	    at = dice.randrange(mib << 8) << 12
	    print('url = "%s"\noutput = /dev/null\nfail\nrange = %d-%d\n%s' % (
	        url, at, at + 4095, "next" if k < count - 1 else ""))
	END
}
# Ranges of a file side by side, as many as that.
curl_ranges() {	# URL COUNT
	local step=$(((MIB << 20) / $2)) i
	for i in $(seq 0 $(($2 - 1))); do
		echo "curl -fsS -o /dev/null -r $((i * step))-$(((i + 1) * step - 1))" \
			"'$1' & pids+=(\$!);"
	done
	echo 'for p in "${pids[@]}"; do wait $p || exit 1; done'
}
is_curl() { [ "$client" = curl ]; }
LIST() { echo "STAGEFS_TEST_S3_ENDPOINT=$ENDPOINT /usr/bin/python3 $HERE/s3.py list $1"; }

# ---- names and small files, far away

prepare_find() { need tree; }
row_find() {
	local total=$((DIRS * FILES))
	if is_curl; then
		row 'find, cold' "$(LIST "${EXT}tree/")"
		return
	fi
	cold "$E"
	! row 'find, cold' "[ \$(find $E/tree -type f | wc -l) = $total ]" ||
		row 'du -s right after find' "du -s $E/tree"
}
prepare_grep() { need tree; }
row_grep() {
	is_curl || cold "$E"
	if is_curl; then
		row 'grep -rc, cold' "$(declare -f curl_all); curl_all $T/gets"
	else
		row 'grep -rc, cold' \
			"[ \$(grep -rc words $E/tree | wc -l) = $((DIRS * FILES)) ]"
	fi
}
prepare_cp() { need tree; }
row_cp() {
	! is_curl || return
	cold "$E"
	row 'cp -r, cold' "cp -r $E/tree $T/copy"
	rm -rf "$T/copy"
}
prepare_tar() { need tree; }
row_tar() {
	! is_curl || return
	cold "$E"
	row 'tar c, cold' "tar cf - -C $E tree | cat >/dev/null"
}
prepare_cat() { need tree; }
row_cat() {
	local d
	d=$(printf 'tree/d%05d' $((DIRS / 2)))
	if is_curl; then
		echo "$d/f1" | presigned download | as_gets >"$T/get"
		row 'cat d/f, cold' "curl -fsS -K $T/get"
		return
	fi
	cold "$E/tree"
	row 'cat d/f, cold' "cat $E/$d/f1"
	row 'cat d/f again' "cat $E/$d/f1"
	sleep 11
	row 'cat d/f after 11 s' "cat $E/$d/f1"
}
prepare_missing() { need tree; }
row_missing() {
	local d
	d=$(printf '%s/tree/d%05d' "$E" $((DIRS / 2)))
	! is_curl || return
	cold "$E/tree"
	row 'missing name, unknown directory' "! stat $d/absent"
	ls "$d" >/dev/null
	row 'missing name, listed directory' "! stat $d/missing"
}
prepare_ls() { need flat; }
row_ls() {
	if is_curl; then
		row "ls -l of $LARGE" "$(LIST "${EXT}flat/")"
		return
	fi
	cold "$E"
	row "ls -l of $LARGE" "[ \$(ls -l $E/flat | grep -c object) = $LARGE ]"
}
random_reads='import os, random, sys
dice = random.Random(2)
f = os.open(sys.argv[1], os.O_RDONLY)
for k in range(64):
    assert len(os.pread(f, 4096, dice.randrange(int(sys.argv[2]) << 8) << 12)) == 4096'
prepare_random() { need big; }
row_random() {
	if is_curl; then
		ranges "$(echo big | presigned download)" "$BIG_MIB" 64 2 \
			>"$T/ranges"
		row '64 random reads of 4 KiB' "curl -sS -K $T/ranges"
		return
	fi
	cold "$E"
	row '64 random reads of 4 KiB' \
		"/usr/bin/python3 -c '$random_reads' $E/big $BIG_MIB"
}

# ---- what is made, changed and removed, far away

prepare_new() { need top; }
row_new() {
	local d=known-$client
	if is_curl; then
		echo "$d/new" | presigned upload | sed "s|\$|	$T/text|" |
			as_puts >"$T/put"
		row 'small new file' "curl -fsS -K $T/put"
		return
	fi
	cold "$E"
	mkdir "$E/$d" && echo text >"$E/$d/old"
	cold "$E/$d"
	ls -l "$E/$d" >/dev/null
	row 'small new file' "echo text >$E/$d/new"
	row 'append to it' "echo more >>$E/$d/new"
	row 'mkdir' "mkdir $E/$d/made"
}
prepare_cpnew() { need thousand; }
row_cpnew() {
	if is_curl; then
		find "$T/thousand" -type f -printf '%f\n' >"$T/new"
		sed 's|^|curl-new/|' "$T/new" | presigned upload |
			paste - <(sed "s|^|$T/thousand/|" "$T/new") | as_puts >"$T/puts"
		row "cp -r of $NEW files of 4 KiB, sync" \
			"$(declare -f curl_all); curl_all $T/puts"
		return
	fi
	cold "$E"
	row "cp -r of $NEW files of 4 KiB, sync" \
		"cp -r $T/thousand $E/new-$client && sync -f $E" ||
		return
	row 'rm -rf of them' "rm -rf $E/new-$client"
	[ "$client" = stagefs ] || return
	# What geesefs does always: close returns before the store has it.
	BENCH_OPTIONS=${BENCH_OPTIONS:+$BENCH_OPTIONS,}write_back=yes cold "$MNT"
	row "cp -r of $NEW files of 4 KiB, flush (write_back)" \
		"cp -r $T/thousand '$MNT/~/later' && $STAGEFS flush $MNT"
}
prepare_mv() { need thousand; }
row_mv() {
	local d=mv-$client
	! is_curl || return
	cold "$E"
	mkdir "$E/$d" && cp -r "$T/hundred" "$E/$d/dir" && echo text >"$E/$d/file"
	cold "$E/$d"
	ls -l "$E/$d" "$E/$d/dir" >/dev/null
	row 'mv of a file' "mv $E/$d/file $E/$d/moved"
	row 'mv of a directory of 100 files' "mv $E/$d/dir $E/$d/moved-dir"
}

# ---- bandwidth

prepare_dd() { :; }
row_dd() {
	if is_curl; then
		row "dd of $MIB MiB, nginx" \
			"$(curl_ranges "$ENDPOINT/fast/ext/data" 4)" "$MB"
		return
	fi
	cold "$E"
	row "dd of $MIB MiB, nginx" "dd if=$E/data of=/dev/null bs=1M" "$MB"
}
prepare_dd4() { :; }
row_dd4() {
	local text='pids=();' k command
	is_curl || cold "$E"
	for k in 0 1 2 3; do
		command="dd if=$E/q$k of=/dev/null bs=1M"
		! is_curl || command="curl -fsS -o /dev/null $ENDPOINT/fast/ext/q$k"
		text+=" $command & pids+=(\$!);"
	done
	row "four dd of $((MIB / 4)) MiB, nginx" \
		"$text for p in \"\${pids[@]}\"; do wait \$p || exit 1; done" "$MB"
}
prepare_random16() { :; }
row_random16() {
	local text='pids=();' k work="16 x $RANDOM_CALLS random reads of 4 KiB, nginx"
	if is_curl; then
		for k in $(seq 16); do
			ranges "$ENDPOINT/fast/ext/data" "$MIB" "$RANDOM_CALLS" "$k" \
				>"$T/ranges$k"
			text+=" curl -sS -K $T/ranges$k & pids+=(\$!);"
		done
		row "$work" \
			"$text for p in \"\${pids[@]}\"; do wait \$p || exit 1; done"
		return
	fi
	cold "$E"
	row "$work" "'$BENCH_NAMES' $E/data read 16 $RANDOM_CALLS"
}
prepare_ddrgw() { need gib; }
row_ddrgw() {
	if is_curl; then
		row "dd of $MIB MiB, RGW" "$(curl_ranges \
			"$(echo data | presigned download)" 16)" "$MB"
		return
	fi
	cold "$E"
	row "dd of $MIB MiB, RGW" "dd if=$E/data of=/dev/null bs=1M" "$MB"
}
prepare_write() { need parts; }
row_write() {
	# What is sent stands in memory.
	cat "$T/data" "$T/parts"/* >/dev/null
	if is_curl; then
		s3 part-urls "${EXT}curl" $((MIB / 16)) >"$T/part-urls"
		row "dd of $MIB MiB onto RGW, conv=fsync" \
			"paste -d' ' <(tail -n +2 $T/part-urls) <(ls $T/parts/*) |
			xargs -P 16 -n 2 sh -c 'curl -fsS -o /dev/null -T \"\$1\" \"\$0\"'" \
			"$MB"
		s3 complete "${EXT}curl" "$(head -n 1 "$T/part-urls")"
		s3 delete "${EXT}curl"
		return
	fi
	cold "$E"
	row "dd of $MIB MiB onto RGW, conv=fsync" \
		"dd if=$T/data of=$E/written bs=1M conv=fsync" "$MB"
	down
	[ "$(s3 head "${EXT}written" | jq .ContentLength)" = $((MIB << 20)) ] ||
		echo "$client: what was written is not there"
	s3 delete "${EXT}written"
}

prepare_sink() {
	need data
	mkdir -p "$T/parts"
	[ -e "$T/parts/p0000" ] || split -b 16M -d -a 4 "$T/data" "$T/parts/p"
}
row_sink() {
	cat "$T/data" "$T/parts"/* >/dev/null
	if is_curl; then
		row "dd of $MIB MiB onto a sink, conv=fsync" \
			"ls $T/parts/* | xargs -P 16 -I % curl -fsS -o /dev/null \
			-T % '$ENDPOINT/sink/ext/curl?partNumber=1&uploadId=sink'" \
			"$MB"
		return
	fi
	cold "$E"
	row "dd of $MIB MiB onto a sink, conv=fsync" \
		"dd if=$T/data of=$E/written bs=1M conv=fsync" "$MB"
}
