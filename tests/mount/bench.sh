#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The frame of `make bench` with little to do: each row is run, counted and
# shown. How long anything takes is of no matter here.
. "$(dirname "$0")/lib.sh"
mkdir "$T/out"
DIRS=2 FILES=2 LARGE=20 NEW=4 BIG_MIB=1 BENCH_MIB=64 RTT=0 RANDOM_CALLS=4 \
	LIMIT=300 CLIENTS='curl stagefs' BENCH_OUT=$T/out \
	ROWS='find grep cp tar cat missing ls random new cpnew mv dd dd4 ddrgw write' \
	STAGEFS_TEST_DIR=$T/bench timeout 900 bash "$TOP/tests/bench/bench.sh" \
	>"$T/bench.out" 2>&1
is 'it runs to its end' "$(echo $?; grep 'Bail out' "$T/bench.out")" 0
# column WORK CLIENT NAME
column() {
	awk -F '\t' -v work="$1" -v client="$2" -v name="$3" '
		NR == 1 { for (k = 1; k <= NF; k++) at[$k] = k }
		$at["work"] == work && $at["client"] == client {
			print $at[name] }' "$T/out/bench.tsv"
}
is 'every row is done' "$(grep -E '(not done|failed)' "$T/out/bench.tsv"
	grep -A3 'exit status' "$T/bench.out")" ''
is 'there are as many as there shall be' "$(wc -l <"$T/out/bench.tsv")" 36
is 'requests are counted behind the proxy' \
	"$(column 'grep -rc, cold' curl requests)" 4
is '... by nginx' "$(column 'dd of 64 MiB, nginx' curl requests)" 4
is '... and by RGW' "$(column 'dd of 64 MiB, RGW' curl requests)" 16
is 'bytes too' "$(column 'dd of 64 MiB, RGW' curl received)" $((64 << 20))
like 'a ratio stands beside it' \
	"$(column 'find, cold' stagefs ratio)" '^[0-9]+\.[0-9]+$'
ok 'the table has all works' \
	'[ $(grep -c "^| " $T/bench.out) = $(($(cut -f3 $T/out/bench.tsv | sort -u |
		wc -l))) ]'
ok 'the chart is drawn' '/usr/bin/python3 -c "
import sys, xml.dom.minidom as m
assert len(m.parse(sys.argv[1]).getElementsByTagName(\"rect\")) > 34" \
	$T/out/bench.svg'
fails 'a row that there is not is refused' 'no such row: fnid' '
	ROWS=fnid STAGEFS_TEST_DIR=$T/bench bash $TOP/tests/bench/bench.sh'
done_testing
