#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad weather between a mount and its server: one request in ten is refused,
# one is reset, one answer in ten is cut in half, one in fifty stalls; the
# server is away for a while; it is gone. Programs read and write what is
# right, or end, and one that is interrupted ends at once.
#
# WEATHER=long (make check-long): 2 GiB in 200 files, and 2,000 small ones, and
# stalls of a minute, which a store that is written to is given.
# shellcheck disable=SC2016
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"
case ${WEATHER-short} in
long) LARGE=200 MIB=2048 SMALL=2000 AWAY_S=20 STALL_S=60 ;;
*) LARGE=50 MIB=48 SMALL=120 AWAY_S=5 STALL_S=3 ;;
esac
# What takes minutes: an upload of many parts that is never answered.
long() {
	[ "${WEATHER-short}" = long ]
}

# The server, with what a real one would hold, and what is in front of it: the
# way to it, which can be cut without what it holds being lost.
/usr/bin/python3 "$TOP/tests/standin/server.py" --s3 --bucket standin \
	--min-part 5242880 --page 100 >"$T/port" 2>"$T/standin.err" &
at_exit+=("kill $!")
until_ok 60 '[ -s "$T/port" ]' || bail 'the stand-in does not start'
AT=http://127.0.0.1:$(cat "$T/port")
WAY=$(free_port)
way=
way_up() {	# it does not keep our file open
	"$TOP/tests/bench/latency.py" --rtt 0 --port "$WAY" \
		--to "${AT#http://}" >>"$T/way.out" 2>&1 7<&- &
	way=$!
	until_ok 60 'curl -sS -o /dev/null "http://127.0.0.1:$WAY/"' ||
		bail 'no way to the stand-in'
}
way_down() {
	kill -KILL $way
	wait $way 2>/dev/null
}
at_exit+=('kill -KILL $way')
way_up
ENDPOINT=http://127.0.0.1:$WAY
BUCKET=standin KEY_ID=standin SECRET=standin-secret
export STAGEFS_TEST_S3_ENDPOINT=$AT STAGEFS_TEST_S3_BUCKET=$BUCKET
export STAGEFS_TEST_S3_ACCESS_KEY=$KEY_ID STAGEFS_TEST_S3_SECRET_KEY=$SECRET

fault() {	# JSON
	curl -fsS -X POST -d "$1" "$AT/_fault" >/dev/null
}
good_again() {
	curl -fsS -X POST "$AT/_reset" >/dev/null
}
# weather REGEX: from now on, for requests of the methods that it matches.
weather() {
	local m=
	good_again
	for m in "$@"; do
		fault '[{"match": {'"$m"'"every": 10, "nth": 3, "count": 0}, "action":
		{"type": "status", "status": 503, "code": "SlowDown", "message": "x"}},
		{"match": {'"$m"'"every": 10, "nth": 6, "count": 0},
		"action": {"type": "reset"}},
		{"match": {'"$m"'"every": 10, "nth": 9, "count": 0},
		"action": {"type": "cut", "after": "half"}},
		{"match": {'"$m"'"every": 50, "nth": 20, "count": 0},
		"action": {"type": "stall", "when": "answer",
		"seconds": '$STALL_S'}}]'
	done
}
# met JQ-EXPRESSION: requests that it holds for; $f is the kind of its fault.
met() {
	curl -fsS "$AT/_requests" | jq "[.[] | .fault as \$f | select($1)] | length"
}
LISTED_ALL='(.query | contains("list-type=2")) and (.query | contains("delimiter") | not)'

# settings DEADLINE IDLE_TIMEOUT: of the stage, from the next mount on.
settings() {
	CONF_EXT="deadline = $1
idle_timeout = $2" write_config 'metadata_ttl = 300'
}

# ---- what is there

mkdir -p "$LOCAL/large"
random_file "$LOCAL/all" $((MIB << 20))
split -n $LARGE -d -a 3 "$LOCAL/all" "$LOCAL/large/f"
rm "$LOCAL/all"
(cd "$LOCAL/large" && md5sum f*) >"$T/sums"
/usr/bin/python3 - "$LOCAL/small" $SMALL <<'PY'
import os, random, sys
dice = random.Random(3)
for k in range(int(sys.argv[2])):
    folder = "%s/d%03d" % (sys.argv[1], k // 20)
    os.makedirs(folder, exist_ok=True)
    with open("%s/f%02d" % (folder, k % 20), "wb") as out:
        out.write(dice.randbytes(dice.choice((0, 5, 300, 4096, 30000))))
PY
settings 120 1
(cd "$LOCAL" && find large small -type f | sort) >"$T/names"
sed 's|^|@ext/|' "$T/names" | "$STAGEFS" presign --config "$CONF" upload - \
	--expire 3600 --format url | paste - "$T/names" |
	awk -F '\t' -v top="$LOCAL" '{
		printf "url = \"%s\"\nupload-file = \"%s/%s\"\n", $1, top, $2
	}' >"$T/puts"
curl -fsS --no-progress-meter -Z --parallel-max 8 -K "$T/puts" >/dev/null ||
	bail 'cannot fill the stand-in'
mount_up
E=$MNT/ext

# ---- reading

weather ''
ok "md5sum of $LARGE files, $MIB MiB in all, is right" '
	(cd $E/large && timeout 1800 md5sum --quiet -c $T/sums)'
for kind in status reset cut stall; do
	ok "... and there was weather: $kind" "[ \$(met '\$f == \"$kind\"') != 0 ]"
done
remount
weather ''
ok "cp -r of $SMALL small files is right" '
	timeout 1800 cp -r $E/small $T/copy && diff -r $LOCAL/small $T/copy'
rm -rf "$T/copy"
for kind in status reset cut stall; do
	ok "... and there was weather: $kind" "[ \$(met '\$f == \"$kind\"') != 0 ]"
done
# Pages of a listing, and no others: how many there are depends on when the
# traversal is seen as one, so what fails is the second, and what is asked
# right after it: its repetition at the least.
remount
good_again
fault '[{"match": {"query": "list-type=2", "every": 6, "nth": 2, "count": 0},
"action": {"type": "status", "status": 503, "code": "SlowDown", "message": "x"}},
{"match": {"query": "list-type=2", "every": 6, "nth": 3, "count": 0},
"action": {"type": "reset"}},
{"match": {"query": "list-type=2", "every": 6, "nth": 4, "count": 0},
"action": {"type": "cut", "after": "half"}}]'
ok 'find sees every name' '
	[ $(timeout 600 find $E -type f | wc -l) = $((LARGE + SMALL)) ]'
ok '... by listings of all that is below' "[ \$(met '$LISTED_ALL') -ge 2 ]"
ok '... of which some failed' "[ \$(met '\$f != null') -ge 3 ]"
# The bodies of small files, which are fetched ahead, and nothing else.
remount
weather '"method": "GET", "key": "small/", '
ok 'files that are fetched ahead are right' '
	timeout 1800 cp -r $E/small $T/copy && diff -r $LOCAL/small $T/copy'
ok '... of which some failed' "[ \$(met '\$f != null') -ge 10 ]"
rm -rf "$T/copy"

# ---- writing

cat "$LOCAL"/large/* | head -c 40000000 >"$T/parts"
writing() {
	remount
	weather ''
	ok 'small files are written' '
		mkdir $E/new && for d in 000 001 002; do
			timeout 600 cp -r $LOCAL/small/d$d $E/new/ || exit 1
		done'
	ok 'a file of many parts is written' '
		timeout 600 cp $T/parts $E/parts'
	ok 'names are changed' '
		timeout 600 mv $E/new $E/newer && timeout 60 rm $E/newer/d001/f0[0-4] &&
		timeout 60 mkdir $E/newer/made && echo appended >>$E/newer/d002/f07'
	weather '"method": "PUT", "query": "partNumber=", ' \
		'"method": "POST", "query": "upload", '
	ok 'parts and completions fail and are sent again' '
		timeout 600 cp $T/parts $E/parts2 && timeout 600 cp $T/parts $E/parts3'
	ok '... of which some failed' "[ \$(met '\$f != null') -ge 4 ]"
	good_again
	for d in 000 001 002; do
		mkdir -p "$T/newer" && cp -r "$LOCAL/small/d$d" "$T/newer/"
	done
	rm "$T"/newer/d001/f0[0-4]
	echo appended >>"$T/newer/d002/f07"
	ok 'all of it is there' "s3 compare ${EXT}newer/ $T/newer"
	ok '... the parts too' 'for p in parts parts2 parts3; do
		s3 get $EXT$p | cmp - $T/parts || exit 1; done'
}
writing

# ---- a program that has a timer

remount
weather ''
want=$(cd "$LOCAL/small" && find . -mindepth 1 | wc -l)
for kind in restart urg; do
	mkdir "$E/$kind"
	is "no readdir and no close fails for a signal ($kind)" "$(
		timeout 600 /usr/bin/python3 "$HERE/ticking.py" "$E/$kind" \
			$kind "$E/small" 20 2>&1)" "hello world 1 $want ticked"
	remount
done
good_again
is 'what was closed is there' "$(s3 list "${EXT}urg/" | grep -v '	$' |
	wc -l) $(s3 get "${EXT}urg/007")" '20 007'

# ---- the server is away for a while

remount
exec 7<"$E/large/f000"
dd bs=64K count=1 of="$T/head" status=none <&7
way_down
(cd "$E/large" && exec timeout 600 md5sum --quiet -c "$T/sums") \
	>"$T/md5.out" 2>&1 &
md5=$!
timeout 600 cp -r "$E/small" "$T/copy" >"$T/cp.out" 2>&1 &
cp=$!
timeout 600 cp "$T/parts" "$E/while-away" >"$T/away.out" 2>&1 &
away=$!
timeout 600 cat <&7 >"$T/tail" &
tail=$!
sleep $AWAY_S
ok 'they wait while the server is away' "
	kill -0 $md5 && kill -0 $cp && kill -0 $away"
way_up
ended() {	# PID OUTPUT SENTENCE
	wait "$1"
	is "$3" "$? $(head -n 3 "$2")" '0 '
}
ended $md5 "$T/md5.out" 'md5sum goes on, and all is right'
ended $cp "$T/cp.out" 'cp -r goes on'
ok '... and all is right' 'diff -r $LOCAL/small $T/copy'
ended $tail /dev/null 'an open file is read on'
ok '... and is right' 'cat $T/head $T/tail | cmp - $LOCAL/large/f000'
ended $away "$T/away.out" 'a write ends well'
ok '... and is right' 's3 get ${EXT}while-away | cmp - $T/parts'
exec 7<&-
rm -rf "$T/copy"

# ---- the server is gone

# What a program does when there is a file GO, to a file that it has open.
cat >"$T/opened.py" <<'PY'
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_DFL)
path, go, text, what = sys.argv[1:]
fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
os.write(fd, text.encode())
open(go + what, "w").close()
while not os.path.exists(go):
    time.sleep(0.1)
getattr(os, what)(fd)
PY
names=() pids=()
begin() {	# SENTENCE COMMAND...
	names+=("$1")
	shift
	# what a shell starts in the background ignores SIGINT
	/usr/bin/python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' "$@" >>"$T/gone.out" 2>&1 &
	pids+=($!)
}
# A new mount that knows something, and programs that have files open.
prepare() {
	good_again
	remount
	rm -rf "$T/go"* "$T/gone"
	names=() pids=()
	rm -rf "$E/gone"
	mkdir -p "$E/gone/full"
	for f in file appended full/file; do
		echo text >"$E/gone/$f"
	done
	ls "$E/large" >/dev/null
	exec 7<"$E/large/f001"
	for f in close fsync; do
		begin "$f" /usr/bin/python3 "$T/opened.py" "$E/gone/$f" "$T/go" \
			"$f" "$f"
		until_ok 60 "[ -e $T/go$f ]"
	done
}
each_call() {
	begin 'a look-up' stat "$E/unknown/name"
	begin 'a listing' ls "$E/small/d003"
	begin 'an open' cat "$E/large/f002"
	begin 'a read of an open file' bash -c 'exec cat <&7'
	begin 'find' find "$E/small" -type f
	# it goes on with each other file
	begin 'cp -r' cp -r "$E/small/d004" "$T/gone"
	begin 'a new file' cp "$T/head" "$E/gone/new"
	{ [ "${1-}" = silent ] && ! long; } ||
		begin 'a new file of many parts' cp "$T/parts" "$E/gone/parts"
	begin 'an append' bash -c "echo more >>'$E/gone/appended'"
	begin 'mkdir' mkdir "$E/gone/made"
	begin 'mv' mv "$E/gone/file" "$E/gone/moved"
	begin 'mv of a directory' mv "$E/gone/full" "$E/gone/fuller"
	begin 'rmdir' rmdir "$E/gone/full"
	: >"$T/go"
	exec 7<&-
}
gone() {	# PID
	! [ -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}
all_gone() {	# SECONDS SENTENCE: each has ended by then
	local k end=$((SECONDS + $1))
	for k in "${!pids[@]}"; do
		until_ok $((end > SECONDS ? end - SECONDS : 0)) "gone ${pids[k]}"
		ok "$2: ${names[k]}" "gone ${pids[k]} || {
			cat /proc/${pids[k]}/task/*/stack; exit 1; }"
	done
	kill -KILL "${pids[@]}" 2>/dev/null
}
heeds_int() {	# PID: it has come so far that it does not ignore SIGINT
	[ $((0x$(sed -n 's/^SigIgn:.//p' "/proc/$1/status") & 2)) = 0 ]
}
# Those that have not ended yet wait for the file system, or for one that does.
all_wait() {
	local pid
	for pid in "${pids[@]}"; do
		gone "$pid" || { heeds_int "$pid" &&
			{ grep -q '^State:.D' "/proc/$pid/status" ||
				grep -q fuse "/proc/$pid/stack"; }; } ||
			gone "$pid" || {
			cat "/proc/$pid/stack"
			return 1
		}
	done
}

settings 5 2
prepare
way_down
each_call
all_gone 120 'a call ends when the server is gone'
way_up
ok 'and when it is there again all is well' '
	until_ok 60 "cat $E/large/f002 | cmp - $LOCAL/large/f002"'
silent() {
	prepare
	fault '{"match": {"nth": 6, "count": 0}, "action": {"type": "stall", "seconds": 900}}'
	each_call silent
	all_gone 240 'a call ends when the server says nothing'
	good_again
	ok 'and when it answers again all is well' '
		until_ok 60 "cat $E/large/f003 | cmp - $LOCAL/large/f003"'
}
silent

# ---- programs that are interrupted

# Two minutes beyond which they would end by themselves are far away.
settings 900 900
interrupted() {	# SENTENCE
	until_ok 60 all_wait || fail 'all of them wait' < <(all_wait)
	kill -INT "${pids[@]}" 2>/dev/null # some have ended
	all_gone 60 "$1"
}
prepare
way_down
each_call
interrupted 'Ctrl-C ends what waits for a server that is gone'
way_up
silent_interrupted() {
	prepare
	fault '{"match": {"nth": 6, "count": 0}, "action": {"type": "stall", "seconds": 900}}'
	each_call
	interrupted 'Ctrl-C ends what waits for an answer'
	good_again
}
silent_interrupted
# What was closed is still being sent: on connections that answer.
way_down
way_up
ok 'the mount still works' 'cat $E/large/f004 | cmp - $LOCAL/large/f004'

# ---- what is begun is finished, or taken back: without who was interrupted

# held SENTENCE MATCH COMMAND: the server has such requests, and says nothing,
# when the command is interrupted; with LOST it has carried them out, and says
# nothing to any other.
held() {
	local hold='"type": "hold"' first=
	good_again
	first=${LOST:+'"type": "stall", "when": "answer", "seconds": 300'}
	fault "{\"match\": {$2, \"count\": 0}, \"action\": {${first:-$hold}}}"
	names=() pids=()
	begin "$1" bash -c "exec $3"
	until_ok 60 "[ \$(met '\$f != null') != 0 ]" ||
		fail "a request is not answered: $1" </dev/null
	[ -z "${LOST-}" ] || fault "{\"match\": {\"count\": 0}, \"action\": {$hold}}"
	kill -INT "${pids[0]}"
	all_gone 60 'Ctrl-C ends it while the server is silent'
}
good_again
remount
mkdir -p "$E/held/full"
for f in one two full/one full/two; do
	echo "text of $f" >"$E/held/$f"
done
cat >"$T/fsync.py" <<'PY'
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o644)
data = open(sys.argv[2], "rb").read()
while data:
    data = data[os.write(fd, data):]
if len(sys.argv) > 3:
    os.ftruncate(fd, int(sys.argv[3]))
os.fsync(fd)
PY
LOST=yes held 'mv of a directory, which copies' \
	'"method": "PUT", "key": "held/fuller/"' "mv $E/held/full $E/held/fuller"
good_again
is 'it is taken back' "$(until_ok 60 '! s3 list ${EXT}held/fuller/ | grep -q .'
	cat "$E"/held/full/{one,two}; ls "$E/held")" \
	"$(printf '%s\n' 'text of full/one' 'text of full/two' full one two)"
held 'mv of a directory, which removes' \
	'"method": "POST", "query": "delete"' "mv $E/held/full $E/held/fuller"
is 'the names have moved already' "$(timeout 60 cat "$E"/held/fuller/{one,two}
	timeout 60 stat "$E/held/full/one" 2>&1 | grep -c 'No such file')" \
	"$(printf '%s\n' 'text of full/one' 'text of full/two' 1)"
good_again
ok 'it is finished' 'until_ok 60 "! s3 list ${EXT}held/full/ | grep -q ." &&
	[ "$(s3 get ${EXT}held/fuller/two)" = "text of full/two" ]'
held 'mv of a file, which removes' '"method": "DELETE"' \
	"mv $E/held/one $E/held/three"
is 'the name has moved already' "$(timeout 60 cat "$E/held/three"
	timeout 60 stat "$E/held/one" 2>&1 | grep -c 'No such file')" \
	"$(printf '%s\n' 'text of one' 1)"
good_again
ok 'it is finished' 'until_ok 60 "! s3 list ${EXT}held/one | grep -q ."'
held 'an fsync that completes an upload' '"method": "POST", "query": "uploadId="' \
	"/usr/bin/python3 $T/fsync.py $E/held/parts $T/parts"
good_again
ok 'what was written is there' '
	until_ok 60 "s3 get ${EXT}held/parts 2>/dev/null | cmp -s - $T/parts"'
held 'a truncation that gives an upload up' '"method": "DELETE", "query": "uploadId="' \
	"/usr/bin/python3 $T/fsync.py $E/held/cut $T/parts 5"
good_again
cat >"$T/open.py" <<'PY'
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o644)
data = open(sys.argv[2], "rb").read()
while data:
    data = data[os.write(fd, data):]
os.open(sys.argv[1], os.O_RDONLY | os.O_TRUNC)
PY
held 'an open that gives an upload up' '"method": "DELETE", "query": "uploadId="' \
	"/usr/bin/python3 $T/open.py $E/held/open $T/parts"
good_again
ok 'what it has emptied is empty' 'until_ok 60 "[ \$(stat -c %s $E/held/open) = 0 ]"'
ok 'the mount still works' 'cat $E/large/f005 | cmp - $LOCAL/large/f005'

done_testing
