#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One stage whose endpoint accepts connections and never answers: two hundred
# readers hang on it, and programs elsewhere do not notice.
. "$(dirname "$0")/lib.sh"

# Listens, takes connections, says nothing. Its port is its first line.
/usr/bin/python3 -c '
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(1024)
print(s.getsockname()[1], flush=True)
held = []
while True:
    held.append(s.accept())
' >"$T/dead.port" &
dead=$!
at_exit+=("kill $dead")
until_ok 20 '[ -s "$T/dead.port" ]' || bail 'the dead endpoint does not start'

CONF_MORE="[stage dead]
url = s3://dead-bucket/x/
endpoint_url = http://127.0.0.1:$(cat "$T/dead.port")
region = us-east-1
aws_key_id = none
aws_secret_key = nothing
idle_timeout = 300
deadline = 300" write_config 'metadata_ttl = 0'
ok 'a dead external stage does not stop the mount' 'mount_try && mounted'
mounted || bail 'nothing is mounted'
E=$MNT/ext
echo alive >"$E/file"

is 'ls of the root shows the dead stage without asking it' \
	"$(ls "$MNT" | tr '\n' ' ')" 'dead ext ~ '
readers=()
for i in $(seq 200); do
	cat "$MNT/dead/file$i" >/dev/null 2>&1 &
	readers+=($!)
done
stuck() {
	local n=0 pid
	for pid in "${readers[@]}"; do
		grep -qs '^State:.[RSD]' "/proc/$pid/status" && n=$((n + 1))
	done
	echo $n
}
# Each has asked the file system when nothing of it is left to start.
until_ok 60 '[ "$(for p in '"${readers[*]}"'; do cat /proc/$p/comm; done |
	grep -cx cat)" = 200 ]'
sleep 2
is 'two hundred readers are stuck on it' "$(stuck)" 200

# Each of these would wait for minutes behind a reader; 30 s are for a machine
# that is busy with two hundred processes.
ok 'ls of another stage answers meanwhile' 'timeout 30 ls -l $E | grep -q file'
ok 'a file of another stage can be read' '[ "$(timeout 30 cat $E/file)" = alive ]'
ok 'and written' 'echo more | timeout 30 dd of=$E/new status=none &&
	s3 get ${EXT}new | grep -qx more'
ok 'a stage can be made' 'timeout 30 mkdir $MNT/made && timeout 30 rmdir $MNT/made'
ok 'a URL of another stage can be had' '
	timeout 30 getfattr --only-values -n user.presign.download $E/file >/dev/null'
ok 'even a URL of the dead stage, for a name in it' '
	timeout 30 getfattr --only-values -n "user.presign.upload?path=x" \
		$MNT/dead >/dev/null'
is 'the readers are still stuck' "$(stuck)" 200

kill -KILL "${readers[0]}"
ok 'a reader that is killed dies' 'until_ok 30 "! [ -d /proc/${readers[0]} ] ||
	grep -q \"^State:.Z\" /proc/${readers[0]}/status"'
timeout 2 cat "$MNT/dead/interrupted" >/dev/null 2>&1 &
interrupted=$!
ok 'one that is asked to end ends too' 'until_ok 30 "! [ -d /proc/$interrupted ] ||
	grep -q \"^State:.Z\" /proc/$interrupted/status"'
# The kernel tells us of the first signal only, and it is one that is handled.
dies_after_a_handled() {	# SIGNAL SENTENCE
	/usr/bin/python3 -c '
import ctypes, os, signal, sys
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
print("up", flush=True)
ctypes.CDLL(None).open(sys.argv[1].encode(), os.O_RDONLY)
' "$MNT/dead/handled$1" >"$T/handled" 2>/dev/null &
	local pid=$!
	until_ok 30 '[ -s "$T/handled" ]'
	sleep 0.5
	kill -USR1 $pid
	sleep 0.5
	ok "a reader goes on waiting when it handles a signal, $2" \
		"until_ok 60 \"grep -q '^State:.[SD]' /proc/$pid/status\""
	kill -"$1" $pid
	ok '... and dies of one that it does not' "until_ok 30 '! [ -d /proc/$pid ] ||
		grep -q \"^State:.Z\" /proc/$pid/status'"
	rm -f "$T/handled"
}
dies_after_a_handled KILL 'before SIGKILL'
dies_after_a_handled QUIT 'before SIGQUIT'
kill -KILL "${readers[@]}" 2>/dev/null
ok 'all of them die' 'until_ok 60 "[ \$(stuck) = 0 ]"'
ok 'the mount still works' '[ "$(cat $E/file)" = alive ]'
ok 'and comes down' 'mount_down'

done_testing
