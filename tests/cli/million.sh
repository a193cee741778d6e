#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# LIST of a million objects streams: its memory is that of a few thousand.
. "$(dirname "$0")/lib.sh"

# A sanitizer keeps what is freed for a while, up to 256 MiB: not here.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:quarantine_size_mb=1

# list_of N: ROWS, the last row's name, and KIB of memory at most.
list_of() {
	local port=
	[ -z "$SERVER" ] || kill "$SERVER"
	python3 "$top_srcdir/tests/standin/listing.py" "$1" >"$DIR/port" &
	SERVER=$!
	for _ in $(seq 100); do
		port=$(cat "$DIR/port")
		[ -n "$port" ] && break
		sleep 0.1
	done
	write_config "$DIR/m.conf" <<-END
	[stage m]
	url = s3://b/
	endpoint_url = http://127.0.0.1:$port
	region = us-east-1
	credentials = anonymous
	END
	read -r RC ROWS LAST KIB < <(python3 - "$STAGEFS" "$DIR/m.conf" <<-'END'
	import resource, subprocess, sys
	p = subprocess.Popen([sys.argv[1], "sql", "--config", sys.argv[2], "LIST @m"],
	                     stdout=subprocess.PIPE)
	rows, last = 0, b"-"
	for last in p.stdout:
	    rows += 1
	print(p.wait(), rows, last.split(b"\t")[0].decode(),
	      resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	END
	)
}

list_of 5000
few=$KIB
is 'a few thousand' "$RC $ROWS $LAST" '0 5000 d/00004999.csv'
list_of 1000000
is 'a million' "$RC $ROWS $LAST" '0 1000000 d/00999999.csv'
[ "$KIB" -lt $((few + 16384)) ]
result $? 'cost no more memory' "$KIB KiB, and a few thousand $few KiB"
finish
