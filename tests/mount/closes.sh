#!/bin/bash
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
mount_up

# stored STAGE NAME: what the store itself has there.
stored() {
	case $1 in
	s3) s3_standin get "s3/$2" ;;
	disk) cat "$T/disk/$2" ;;
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

done_testing
