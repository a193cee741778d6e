#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What open, write and close leave in the store, and when: on an S3 stage (the
# stand-in, which counts) and on a directory of this machine.
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$TOP/tests/standin/server.py" --s3 --bucket standin \
	--min-part 5242880 >"$T/port" 2>"$T/standin.err" &
standin=$!
at_exit+=("kill $standin")
until_ok 20 '[ -s "$T/port" ]' || bail 'the stand-in does not start'
AT=http://127.0.0.1:$(cat "$T/port")
s3_standin() {
	STAGEFS_TEST_S3_ENDPOINT=$AT STAGEFS_TEST_S3_BUCKET=standin \
		STAGEFS_TEST_S3_ACCESS_KEY=standin \
		STAGEFS_TEST_S3_SECRET_KEY=standin-secret s3 "$@"
}
fault() {	# JSON
	curl -fsS -X POST -d "$1" "$AT/_fault" >/dev/null
}
good_again() {
	curl -fsS -X POST "$AT/_reset" >/dev/null
}
puts() {	# KEY: how often it was put since good_again
	curl -fsS "$AT/_requests" | jq --arg key "/$1" '
		[.[] | select(.method == "PUT" and (.path | endswith($key)))] |
		length'
}
py() { /usr/bin/python3 - "$@"; }

mkdir "$T/disk"
(umask 077 && cat >"$CONF") <<-END
	[stagefs]
	user = tester
	log = $LOG
	log_level = debug
	spill_dir = $T/spill
	metadata_ttl = 1
	[storage]
	url = fs://$T/storage/
	[stage s3]
	url = s3://standin/s3/
	endpoint_url = $AT
	region = us-east-1
	aws_key_id = standin
	aws_secret_key = standin-secret
	deadline = 5
	[stage disk]
	url = fs://$T/disk/
END
head -c 50000 /dev/urandom >"$T/data"
mount_up

# stored STAGE NAME: what the store itself has there.
stored() {
	case $1 in
	s3) s3_standin get "s3/$2" ;;
	disk) cat "$T/disk/$2" ;;
	alter_s3) s3_standin get "alter/$2" ;;
	alter_s3_sub) s3_standin get "alter/sub/$2" ;;
	alter_disk) cat "$T/alter/$2" ;;
	alter_disk_sub) cat "$T/alter/sub/$2" ;;
	esac
}

# ---- an open that cannot write

for s in s3 disk; do
	E=$MNT/$s
	ok "$s: flock makes its file" 'flock $E/lock true && [ -f $E/lock ] &&
		stored $s lock | cmp - /dev/null'
	flock -F "$E/held" sleep 60 &
	ok '... which others have while it is open' '
		until_ok 20 "[ -f $E/held ]" && stored $s held | cmp - /dev/null'
	kill $!
	wait $! 2>/dev/null
	is "$s: of two with O_CREAT | O_EXCL one has it" "$(py "$E/excl" <<-END
		import os, sys
		def take():
		    try:
		        os.close(os.open(sys.argv[1], os.O_CREAT | os.O_EXCL))
		        return 1
		    except FileExistsError:
		        return 0
		pids = []
		for k in range(8):
		    pid = os.fork()
		    if not pid:
		        os._exit(take())
		    pids.append(pid)
		print(sum(os.WEXITSTATUS(os.waitpid(p, 0)[1]) for p in pids))
		END
		)" 1
	ok "$s: O_TRUNC with O_RDONLY empties" 'echo old >$E/trunc &&
		py $E/trunc <<-END &&
		import os, sys
		os.close(os.open(sys.argv[1], os.O_RDONLY | os.O_TRUNC))
		END
		[ ! -s $E/trunc ] && stored $s trunc | cmp - /dev/null'
done
fault '{"match": {"method": "PUT", "key": "/refused$", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied", "message": "x"}}'
fails 'a lock file that the store refuses is no lock' 'Permission denied' \
	'flock $MNT/s3/refused true'
ok '... nor a file' '[ ! -e $MNT/s3/refused ]'
good_again

# ---- mappings

for s in s3 disk; do
	E=$MNT/$s
	ok "$s: a mapping of an O_APPEND descriptor changes what it shows" '
		head -c 10000 /dev/zero >$E/mapped && py $E/mapped <<-END &&
		import mmap, os, sys
		f = os.open(sys.argv[1], os.O_RDWR | os.O_APPEND)
		m = mmap.mmap(f, 10000)
		m[0:2] = b"ab"
		m[9998:10000] = b"yz"
		m.flush()
		os.write(f, b"end")
		m[4:5] = b"c"
		m.flush()
		os.close(f)
		END
		(printf "ab\\0\\0c"; head -c 9993 /dev/zero; printf yzend) |
			cmp - $E/mapped && stored $s mapped | cmp - $E/mapped'
done

# ---- one close of several

# once SENTENCE NAME SHELL-TEXT: the text, with $F for a new file, puts it once,
# and the store then has what one reads.
once() {
	F=$E/$2
	good_again
	ok "$1" "$3"
	is '... by one PUT' "$(puts "s3/$2")" 1
	ok '... whole' 'stored s3 $(basename $F) | cmp - $F'
}
E=$MNT/s3
once 'a loop of a shell that writes by children' loop '
	(for i in $(seq 60); do date; done) >$F && [ "$(wc -l <$F)" = 60 ]'
once '... of the main shell' loop2 'bash -c "
	for i in 1 2 3; do echo builtin; date; done >\"$F\"; [ -s \"$F\" ]"'
once 'a program behind >' simple 'seq 1000 >$F'
once 'a group behind a pipe' group 'seq 10 | (head -n 2; cat) >$F'
once 'tee beside others' tee 'seq 1000 | tee $F | wc -l'
once 'children that outlive who started them' orphans '
	(sh -c "sleep 0.5; seq 500" >$F &) && until_ok 20 "[ \$(stored s3 orphans | wc -l) = 500 ]"'
once 'exec and a descriptor that is written to by turns' turns 'bash -c "
	exec 3>\"$F\"; date >&3; echo builtin >&3; date >&3; exec 3>&-"'
once 'dd' dd 'dd if=/dev/zero of=$F bs=10000 count=3 status=none'
once 'a child that inherited it, and its parent that closes' inherited '
	py $F <<-END
	import os, subprocess, sys
	with open(sys.argv[1], "w") as f:
	    for k in range(3):
	        subprocess.run(["date"], stdout=f, check=True)
	        subprocess.run(["true"], pass_fds=[f.fileno()], check=True)
	    print("last", file=f)
	END'
once 'a new program that closes it on exec' exec '
	py $F <<-END
	import os, sys
	f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	os.write(f, b"bytes")
	os.execv("/bin/true", ["true"])
	END'
once 'one of two threads closes' threads '
	py $F <<-END
	import os, sys, threading
	f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	t = threading.Thread(target=lambda: (os.write(f, b"x"), os.close(os.dup(f))))
	t.start(); t.join()
	os.write(f, b"y")
	os.close(f)
	END'
once 'a process with many descriptors' many '
	py $F <<-END
	import os, resource, sys
	resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))
	f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	more = [os.open("/dev/null", os.O_RDONLY) for _ in range(2000)]
	os.write(f, b"bytes")
	os.close(f)
	END'
mkdir "$T/bound" && mount --bind "$MNT/s3" "$T/bound"
once 'the same through a bind mount, in a namespace of its own' bound '
	unshare -m sh -c "(for i in 1 2 3; do date; done) >$T/bound/bound"'
umount "$T/bound"

# A child that inherits a file for writing begins another program: its
# descriptor is closed while the kernel keeps it in execve(2), where a daemon
# that followed a link of its /proc would wait for it, and it for the daemon.
for s in s3 disk; do
	is "$s: a program begins with a file that closes on exec" "$(py "$MNT/$s/begins" <<-END
		import os, sys, time
		fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
		os.write(fd, b"one")
		for k in range(20):
		    pid = os.fork()
		    if not pid:
		        os.execv("/bin/true", ["true"])
		    end = time.time() + 60
		    while os.waitpid(pid, os.WNOHANG) == (0, 0):
		        if time.time() > end:
		            print("it hangs", flush=True)
		            os._exit(1)
		        time.sleep(0.005)
		os.close(fd)
		END
		)" ''
	is '... which has it whole' "$(stored $s begins)" one
done

ok 'who writes and closes has it stored, though the same file is open elsewhere' '
	py $MNT/disk/then $T/disk/then <<-END
	import os, sys
	held = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	with open(sys.argv[1], "w") as f:
	    f.write("then")
	assert open(sys.argv[2]).read() == "then"
	END'

R='{"match": {"method": "PUT", "key": "/refuse[0-9]*$", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied", "message": "x"}}'
fault "$R"
fails 'cp is told that the store refuses' 'Permission denied' \
	'cp $T/data $E/refuse1'
fails 'a program behind > too' 'Permission denied' 'cat $T/data >$E/refuse2'
fails 'and who closes what its children wrote' 'PermissionError' '
	py $E/refuse3 <<-END
	import subprocess, sys
	f = open(sys.argv[1], "w")
	subprocess.run(["date"], stdout=f, check=True)
	f.close()
	END'
fails 'a program that opened it and inherited another descriptor of it' \
	'Permission denied' '
	bash -c "exec 9>>\"\$1\"; flock 9; cp $T/data \"\$1\"" - \
		$E/refuse9'
fails 'a program that was handed a descriptor by another' 'PermissionError' '
	py $E/refuse10 <<-END
	import os, socket, sys
	here, there = socket.socketpair()
	if not os.fork():
	    f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	    socket.send_fds(there, [b"x"], [f])
	    here.close()
	    there.recv(1)
	    os._exit(0)
	there.close()
	f = socket.recv_fds(here, 1, 1)[1][0]
	os.write(f, b"bytes")
	os.close(f)
	END'
good_again
fault '{"match": {"method": "POST", "query": "uploads", "count": 0}, "action": {"type": "status", "status": 403, "code": "AccessDenied", "message": "x"}}'
fails 'dd is told that a part cannot be stored' 'Permission denied' \
	'dd if=/dev/zero of=$E/whole bs=1M count=40'
good_again
ok '... and leaves no object of half of it' '! s3_standin head s3/whole'

# Errors that no program was told.
echo old >"$E/refuse4"
echo old >"$E/refuse5"
echo old >"$E/refuse6"
echo old >"$E/refuse8"
fault "$R"
bash -c 'echo builtin >"$1"' - "$E/refuse8"
: 2>/dev/null >"$E/refuse4"
(date; date) >"$E/refuse5"
(date; date) >"$E/refuse7"
! echo data 2>/dev/null | cp /dev/stdin "$E/refuse6" 2>/dev/null
good_again
fails 'a file that could not be emptied: the next open says so' \
	'Permission denied' 'cat $E/refuse4'
is '... once' "$(cat "$E/refuse4")" old
fails 'what a group of commands could not store: the next open says so' \
	'Permission denied' 'cat $E/refuse5'
is '... once' "$(cat "$E/refuse5")" old
fails '... in a new file too' 'Permission denied' \
	'/bin/sh -c "exec cat $T/data >>$E/refuse7"'
ok '... once' 'cat $T/data >>$E/refuse7 && cmp $T/data $E/refuse7'
fails 'what a builtin of a shell has written too' 'Permission denied' \
	'cat $E/refuse8'
is '... once' "$(cat "$E/refuse8")" old
is 'what a program was told by close is not said again' "$(cat "$E/refuse6")" old

# ---- stages that change under an open file

export STAGEFS_CONFIG=$CONF
sql() {
	"$STAGEFS" sql -f - <<<"$1"
}
mkdir "$T/alter"
sql "CREATE STAGE alter_s3 URL = 's3://standin/alter/' CONNECTION = (
	ENDPOINT_URL = '$AT' REGION = 'us-east-1' AWS_KEY_ID = 'standin'
	AWS_SECRET_KEY = 'standin-secret')" || bail 'no stage by a statement'
sql "CREATE STAGE alter_disk URL = 'fs://$T/alter/'"
until_ok 20 ': >$MNT/alter_s3/here && : >$MNT/alter_disk/here'

# While FILE of STAGE is open, STATEMENT has its effect; then it is finished.
cat >"$T/alter.py" <<-'END'
	import os, subprocess, sys, time
	mount, stage, name, size, sync, statement = sys.argv[1:]
	size = int(size)
	path, here = (f"{mount}/{stage}/{n}" for n in (name, "here"))
	data = os.urandom(size)
	open(os.environ["T"] + "/data", "wb").write(data)
	f = os.open(path, os.O_WRONLY | os.O_CREAT)
	os.write(f, data[:size // 2])
	subprocess.run([os.environ["STAGEFS"], "sql", statement], check=True)
	end = time.time() + 30
	while os.path.exists(here) and time.time() < end:
	    time.sleep(0.1)
	if statement.startswith("ALTER"):
	    with open(path, "w") as new:
	        new.write("new")
	at = size // 2
	while at < size:
	    at += os.write(f, data[at:])
	if sync == "fsync":
	    os.fsync(f)
	os.close(f)
END
export T STAGEFS
while read -r s url kept moved; do
	for size in 100000 12000000; do
		for sync in close fsync; do
			name=f-$size-$sync
			ok "$s: a file of $size bytes is where it was opened, at $sync" '
				/usr/bin/python3 $T/alter.py $MNT $s $name $size \
					$sync "ALTER STAGE $s SET URL = '"'"'${url}sub/'"'"'" &&
				stored $kept $name | cmp - $T/data &&
				[ "$(stored $moved $name)" = new ]'
			sql "ALTER STAGE $s SET URL = '$url'"
			until_ok 20 '[ -e $MNT/$s/here ]'
		done
	done
done <<-END
	alter_s3 s3://standin/alter/ alter_s3 alter_s3_sub
	alter_disk fs://$T/alter/ alter_disk alter_disk_sub
END
ok 'a new comment changes no place' '
	exec 5>$MNT/alter_s3/comment && echo one >&5 &&
	sql "ALTER STAGE alter_s3 SET COMMENT = '"'x'"'" && sleep 2.5 &&
	ls $MNT/alter_s3 && echo two >&5 && exec 5>&- &&
	[ "$(stored alter_s3 comment | tr "\n" " ")" = "one two " ]'
for s in alter_s3 alter_disk; do
	ok "$s: a dropped stage takes what was open in it" '
		/usr/bin/python3 $T/alter.py $MNT $s dropped 12000000 close \
			"DROP STAGE $s" && stored $s dropped | cmp - $T/data'
done

# ---- names that are lost otherwise

E=$MNT/s3
ok 'what cannot be stored at its name any more is an error' '
	echo old >$E/lost && py $E/lost $AT <<-END
	import errno, os, subprocess, sys, time
	f = os.open(sys.argv[1], os.O_WRONLY)
	os.environ.update(STAGEFS_TEST_S3_ENDPOINT=sys.argv[2],
	                  STAGEFS_TEST_S3_BUCKET="standin",
	                  STAGEFS_TEST_S3_ACCESS_KEY="standin",
	                  STAGEFS_TEST_S3_SECRET_KEY="standin-secret")
	subprocess.run(["/usr/bin/python3", "$HERE/s3.py", "delete-prefix",
	                "s3/lost"], check=True)
	end = time.time() + 30
	while os.path.exists(sys.argv[1]) and time.time() < end:
	    time.sleep(0.1)
	try:
	    os.write(f, b"new")
	    sys.exit("written")
	except OSError as e:
	    assert e.errno == errno.ESTALE, e
	END'

# A replaced file shows its number to the one in its place for a while: its
# descriptor must not pass for a duplicate.
is 'disk: a close beside a descriptor of what was replaced stores' "$(
	printf old >"$T/disk/beside"
	until_ok 20 '[ -e "$MNT/disk/beside" ]'
	py "$MNT/disk/beside" "$T/disk/beside" <<-'PY'
	import os, sys
	old = os.open(sys.argv[1], os.O_RDWR)
	os.pread(old, 1, 0)
	with open(sys.argv[2] + '.new', 'w') as f:
	    f.write('another')
	os.rename(sys.argv[2] + '.new', sys.argv[2])
	new = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
	os.write(new, b'mine')
	os.close(new)
	print(open(sys.argv[2]).read())
	PY
)" mine

# A process in execve(2) waits for the daemon: the next mount, which names what
# keeps the daemon, must not wait for that process.
sed -i 's/deadline = 5$/deadline = 300/' "$CONF"
remount
fault '{"match": {"method": "PUT", "key": "/in-exec$"}, "action": {"type": "hold"}}'
py "$MNT/s3/in-exec" "$T/in-exec" <<-END &
	import os, sys
	fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
	os.write(fd, b"one")
	open(sys.argv[2], "w").close()
	os.execv("/bin/true", ["true"])
	END
in_exec=$!
until_ok 20 '[ -e $T/in-exec ]'
until_ok 20 'curl -fsS $AT/_requests | grep -q /in-exec'
umount -l "$MNT"
ok 'while a program begins, the next mount still gives up in time' '
	! mount_try -o mount_wait=1 && grep "waiting up to 1 s" $T/mount.err &&
	grep "has not ended within 1 s" $T/mount.err && [ -d /proc/$in_exec ]'
good_again
wait $in_exec
mount_up -o mount_wait=60

done_testing
