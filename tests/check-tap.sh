#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/tap.awk, which ./check counts with, by a table: a sentence, an exit
# status, the TAP (\n between lines), and the counts passed/failed/skipped.
set -u
awk_file=${top_srcdir:-$(dirname "$0")/..}/tests/tap.awk
n=0
row() {
	local sentence=$1 status=$2 tap=$3 want=$4 got
	got=$(printf '%b' "$tap" | awk -v status="$status" -v name=t -f "$awk_file" |
		awk '{ c[$1]++ } END { print c["PASS"]+0 "/" c["FAIL"]+0 "/" c["SKIP"]+0 }')
	n=$((n + 1))
	if [ "$got" = "$want" ]; then
		echo "ok $n - $sentence"
	else
		echo "not ok $n - $sentence"
		echo "# got $got, want $want"
	fi
}
row 'two passes are two passes' 0 '1..2\nok 1 - a\nok 2 - b\n' 2/0/0
row 'the plan may come last' 0 'ok 1\nok 2\n1..2\n' 2/0/0
row 'a failure is counted once, the exit status with it' 1 \
	'1..2\nok 1 - a\nnot ok 2 - b\n' 1/1/0
row 'a skip is neither passed nor failed' 0 \
	'1..2\nok 1 - a # SKIP no disk\nok 2 - b\n' 1/0/1
row 'a skipped program is one skip' 0 '1..0 # SKIP not root\n' 0/0/1
row 'no other directive excuses a failure' 0 \
	'1..1\nnot ok 1 - a # TO\x44O later\n' 0/1/0
row 'fewer results than planned is a failure' 0 '1..3\nok 1\nok 2\n' 2/1/0
row 'more results than planned is a failure' 0 '1..1\nok 1\nok 2\n' 2/1/0
row 'no plan is a failure' 0 'ok 1\n' 1/1/0
row 'no output is a failure' 0 '' 0/1/0
row 'an empty plan without a reason is a failure' 0 '1..0\n' 0/1/0
row 'a crash after good results is a failure' 139 '1..1\nok 1\n' 1/1/0
row 'the time limit is a failure' 124 '1..2\nok 1\n' 1/2/0
row 'bailing out is a failure' 1 '1..2\nok 1\nBail out! no server\n' 1/1/0
row 'a number out of order is a failure' 0 '1..2\nok 1\nok 3\n' 2/1/0
row 'comments and other output do not count' 0 \
	'# ok 1\n ok 2\nokay\nnot okay\n1..1\nok 1\n' 1/0/0
echo "1..$n"
