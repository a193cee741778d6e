# SPDX-License-Identifier: Apache-2.0
# For the mount tests: sourced by each of tests/mount/*.sh. A test file speaks
# TAP, works under a prefix of its own in the test bucket and mounts on a
# folder of its own, so that files can run alone and in any order.
#
# Set by tests/mount/run or ./check: STAGEFS (the program),
# STAGEFS_TEST_DIR (scratch; removed at the end), STAGEFS_TEST_S3_*. A file that
# works on directories of this machine says NEEDS_S3=no before it sources this.
# shellcheck shell=bash disable=SC2034
set -u
NAME=$(basename "$0" .sh)
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
export LC_ALL=C.UTF-8 TZ=UTC
unset "${!AWS_@}"
export AWS_EC2_METADATA_DISABLED=true

: "${STAGEFS:?is not set: run tests/mount/run $NAME}"
needs_s3() {
	[ "${NEEDS_S3-yes}" = yes ]
}
if needs_s3; then
	: "${STAGEFS_TEST_S3_ENDPOINT:?is not set: run tests/mount/run $NAME}"
	ENDPOINT=$STAGEFS_TEST_S3_ENDPOINT
	BUCKET=$STAGEFS_TEST_S3_BUCKET
	KEY_ID=$STAGEFS_TEST_S3_ACCESS_KEY
	SECRET=$STAGEFS_TEST_S3_SECRET_KEY
fi
T=${STAGEFS_TEST_DIR:-$(mktemp -d "/tmp/stagefs-$NAME.XXXXXX")}
mkdir -p "$T" || exit 1
# Some names of the tests are long already; T itself has no symlink in it.
T=$(cd "$T" && pwd -P)

# The mount under test, its configuration, its log, and files to copy.
MNT=$T/mnt
CONF=$T/stagefs.conf
LOG=$T/stagefs.log
LOCAL=$T/local
# Keys: everything of this run is under PREFIX.
PREFIX=t/$NAME-$$-$RANDOM/
STORAGE=${PREFIX}storage/
EXT=${PREFIX}ext/
USER_PREFIX=${STORAGE}stage/user/tester/
INTERNAL_PREFIX=${STORAGE}stage/internal/

# Nothing of the machine's own stagefs or AWS set-up, and nothing left in it.
export HOME=$T/home XDG_CONFIG_HOME=$T/xdg/config XDG_STATE_HOME=$T/xdg/state
export XDG_CACHE_HOME=$T/xdg/cache XDG_DATA_HOME=$T/xdg/data
mkdir -p "$MNT" "$LOCAL" "$HOME" "$T/spill" "$T/xdg"
cd "$T" || exit 1

# ---- TAP

tests_run=0
tests_failed=0

# What a failing test leaves for the reader: at most so many lines.
diag() {
	head -n 40 | cut -c1-400 | sed 's/^/# /'
}

pass() {
	tests_run=$((tests_run + 1))
	printf 'ok %d - %s\n' $tests_run "$1"
}

# Not at the end of a pipe: it counts.
fail() {	# SENTENCE, diagnostics on stdin
	tests_run=$((tests_run + 1))
	tests_failed=$((tests_failed + 1))
	printf 'not ok %d - %s\n' $tests_run "$1"
	diag
}

skip() {	# SENTENCE WHY
	tests_run=$((tests_run + 1))
	printf 'ok %d - %s # SKIP %s\n' $tests_run "$1" "$2"
}

# ok SENTENCE SHELL-TEXT: the text, run in a shell of its own, must succeed.
ok() {
	if (eval "$2") >"$T/.out" 2>&1 </dev/null; then
		pass "$1"
	else
		fail "$1" < <(echo "exit status $? of: $2"; cat "$T/.out")
	fi
}

# fails SENTENCE REGEX SHELL-TEXT: the text must fail and say something that
# the extended expression matches.
fails() {
	local status
	(eval "$3") >"$T/.out" 2>&1 </dev/null
	status=$?
	if [ $status != 0 ] && grep -qE -- "$2" "$T/.out"; then
		pass "$1"
	else
		fail "$1" < <(
			echo "exit status $status, want a failure that says /$2/, of: $3"
			cat "$T/.out"
		)
	fi
}

is() {		# SENTENCE GOT WANT
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" < <(printf 'got  %q\nwant %q\n' "$2" "$3")
	fi
}

like() {	# SENTENCE GOT REGEX
	if [[ $2 =~ $3 ]]; then
		pass "$1"
	else
		fail "$1" < <(printf 'got  %q\nwant something like %s\n' "$2" "$3")
	fi
}

# until_ok SECONDS SHELL-TEXT: tries until it succeeds; every wait of the
# tests is this one, and has an end.
until_ok() {
	local end=$((SECONDS + $1))
	until (eval "$2") >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

bail() {
	{
		printf '%s\n' "$*"
		tail -n 15 "$T/mount.err" "$LOG" 2>/dev/null
	} | diag
	printf 'Bail out! %s\n' "$*"
	exit 1
}

# The end of every file: whatever is mounted comes down, and what must hold
# for all of them is looked at.
done_testing() {
	if mounted; then
		ok 'the daemon ends soon after umount' 'mount_down'
	fi
	ok 'no pre-signed URL and no secret is in the log' '
		! grep -nE "X-Amz-Signature|X-Amz-Credential${SECRET:+|$SECRET}" "$LOG"*'
	! needs_s3 || is 'no multipart upload is left on the server' \
		"$(s3 uploads "$PREFIX")" ''
	printf '1..%d\n' $tests_run
	[ $tests_failed = 0 ]
}

# ---- the mount

# write_config [LINE-OF-[stagefs]...]: the usual one, with the user stage, the
# internal ones, and an external stage `ext`. More sections: CONF_MORE; more
# lines for [storage] and [stage ext]: CONF_STORAGE, CONF_EXT. LOG_LEVEL: debug.
write_config() {
	rm -f "$CONF"
	(umask 077 && cat >"$CONF") <<-END
	[stagefs]
	user = tester
	log = $LOG
	log_level = ${LOG_LEVEL-debug}
	spill_dir = $T/spill
	$(printf '%s\n' "$@")
	[storage]
	url = s3://$BUCKET/$STORAGE
	$(connection)
	${CONF_STORAGE-}
	[stage ext]
	url = s3://$BUCKET/$EXT
	$(connection)
	${CONF_EXT-}
	${CONF_MORE-}
	END
}

# The lines that reach the test store.
connection() {
	cat <<-END
	endpoint_url = $ENDPOINT
	region = us-east-1
	aws_key_id = $KEY_ID
	aws_secret_key = $SECRET
	END
}

mounted() {	# [MOUNTPOINT]
	grep -q " ${1-$MNT} .* - fuse\.stagefs " /proc/self/mountinfo
}

# mount_try [ARGUMENT...]: mounts SOURCE (the configuration file) on MNT; the
# exit status is the program's, $T/mount.err what it said.
mount_try() {
	timeout -k 5 120 "$STAGEFS" "${SOURCE-$CONF}" "$MNT" "$@" \
		>"$T/mount.out" 2>"$T/mount.err" </dev/null
}

mount_up() {	# [ARGUMENT...]
	mount_try "$@" || bail "cannot mount: exit status $?"
	mounted || bail 'the program succeeded and nothing is mounted'
}

# The ids of the daemons that serve a mountpoint.
daemon_pids() {	# [MOUNTPOINT]
	local dir name own=${STAGEFS##*/}
	for dir in /proc/[0-9]*; do
		# of others it is not asked: exe waits for one in execve(2)
		read -r name 2>/dev/null <"$dir/comm" &&
			[ "$name" = "${own:0:15}" ] &&
			[ "$dir/exe" -ef "$STAGEFS" ] || continue
		tr '\0' '\n' 2>/dev/null <"$dir/cmdline" |
			grep -qxF -- "${1-$MNT}" && echo "${dir#/proc/}"
	done
}

# Unmounts and waits until the daemon has finished what it uploads.
mount_down() {
	local end=$((SECONDS + 60))
	until umount "$MNT" 2>"$T/umount.err"; do
		mounted || break
		[ $SECONDS -lt $end ] || {
			cat "$T/umount.err"
			return 1
		}
		sleep 0.2
	done
	until_ok 120 '[ -z "$(daemon_pids)" ]'
}

remount() {	# [ARGUMENT...]
	mount_down || bail 'cannot unmount'
	mount_up "$@"
}

# Ends a mount whatever it is stuck in, with its daemon.
mount_kill() {	# MOUNTPOINT
	local pid minor
	minor=$(awk -v m="$1" '$5 == m { split($3, d, ":"); print d[2] }' \
		/proc/self/mountinfo | tail -n 1)
	[ -n "$minor" ] && [ -d /sys/fs/fuse/connections ] && {
		mountpoint -q /sys/fs/fuse/connections ||
			mount -t fusectl none /sys/fs/fuse/connections
		echo 1 >"/sys/fs/fuse/connections/$minor/abort"
	} 2>/dev/null
	umount -l "$1" 2>/dev/null
	for pid in $(daemon_pids "$1"); do
		kill -KILL "$pid" 2>/dev/null
	done
}

at_exit=()	# more shell texts to run at the end
cleanup() {
	local text mnt
	trap - EXIT
	cd / || exit 1
	for text in "${at_exit[@]+"${at_exit[@]}"}"; do
		eval "$text"
	done
	for mnt in $(cut -d' ' -f5 /proc/self/mountinfo | grep "^$T/" | sort -r); do
		mount_kill "$mnt"
	done
	[ -n "$(jobs -p)" ] && kill -KILL $(jobs -p) 2>/dev/null
	! needs_s3 || s3 delete-prefix "$PREFIX" >/dev/null 2>&1
	rm -rf --one-file-system "$T"
}
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# installed_in DIRECTORY NAME: mount(8) looks for helpers in its own folders and in
# no PATH of ours, so the program is there under that name. By a mount: in ./check
# another lane, with a namespace of its own, does not see it come and go.
installed_in() {
	local file
	mkdir -p "$T/own" "$T/real" && mount --bind "$1" "$T/real" || bail "no $1"
	at_exit+=("umount -l $1 $T/real")
	for file in "$T/real"/*; do
		[ ! -e "$file" ] || ln -s "$file" "$T/own/"
	done
	ln -sf "$STAGEFS" "$T/own/$2" && mount --bind "$T/own" "$1" || bail "no $1"
}

# ---- the server's side, by clients that are not ours

s3() {
	/usr/bin/python3 "$HERE/s3.py" "$@"
}

aws_s3api() {
	AWS_ACCESS_KEY_ID=$KEY_ID AWS_SECRET_ACCESS_KEY=$SECRET \
		AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true \
		AWS_PAGER='' /usr/bin/aws --endpoint-url "$ENDPOINT" \
		--output json s3api "$@"
}

# ---- things to write and to ask

# random_file PATH BYTES: bytes that no part of the way can guess or compress.
random_file() {
	head -c "$2" /dev/urandom >"$1"
}

# A port of loopback that is free, and that no connection gets by chance: not
# of those that the kernel gives out.
free_port() {
	/usr/bin/python3 -c 'import errno, random, socket
with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    low = int(f.read().split()[0])
while True:
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(8192, low) if low > 9000 else 0))
        break
    except OSError as e:
        if e.errno != errno.EADDRINUSE:
            raise
print(s.getsockname()[1])'
}

# proxy_up MS: from now on the way to the server, so many milliseconds longer.
proxy_up() {
	local port
	port=$(free_port)
	CONTROL=$(free_port)
	"$HERE/../bench/latency.py" --rtt "$1" --port "$port" \
		--to "${ENDPOINT#http://}" --control "$CONTROL" \
		>"$T/proxy.out" 2>&1 &
	ENDPOINT=http://127.0.0.1:$port
	until_ok 60 proxy_counts || bail 'no proxy'
}

# Requests and bytes that went by since it was asked last, as JSON.
proxy_counts() {
	curl -fsS "http://127.0.0.1:$CONTROL/"
}

# The value of an extended attribute, raw.
xa() {		# NAME PATH
	getfattr --absolute-names --only-values -n "$1" -- "$2"
}

# number_tests DIRECTORY: st_ino is a file's own, in a directory of the mount.
number_tests() {
	ok 'a file keeps its number when it is renamed, and a new one has its own' "
		cd $1 && echo 1 >n1 && n=\$(stat -c %i n1) && mv n1 n2 && echo 2 >n1 &&
		[ \$(stat -c %i n2) = \$n ] && [ \$(stat -c %i n1) != \$n ] &&
		mkdir nd && n=\$(stat -c %i nd) && mv nd ne && mkdir nd &&
		[ \$(stat -c %i ne) = \$n ] && [ \$(stat -c %i nd) != \$n ]"
	ok 'its change time moves on with its mode, its name and its bytes' "
		cd $1 && touch -d 2001-01-01 n1 && t=\$(stat -c %Z n1) &&
		for how in 'chmod 600 n1' 'mv n1 n3; mv n3 n1' 'echo x >>n1' \\
			'truncate -s 1 n1'; do
			before=\$(stat -c %.9Z n1); sleep 0.05; eval \"\$how\"
			[ \$(stat -c %.9Z n1) != \$before ] || { echo \"\$how\"; exit 1; }
		done"
	ok 'a listing shows the numbers that stat shows' "/usr/bin/python3 -c '
import os
seen = set()
for e in os.scandir(\"$1\"):
    assert e.inode() == os.stat(e.path).st_ino > 1, e
    seen.add(e.inode())
assert len(seen) == len(os.listdir(\"$1\"))'"
	ok 'tail -F goes on with the new file when a log is rotated' "
		cd $1 && echo one >log
		timeout 300 tail -n +1 -s 0.2 -F log >$T/tail.out 2>&1 & job=\$!
		until_ok 60 'grep -qx one $T/tail.out' &&
		mv log log.1 && echo two >log &&
		until_ok 60 'grep -qx two $T/tail.out' &&
		echo three >>log && until_ok 60 'grep -qx three $T/tail.out'
		good=\$?; kill \$job; cat $T/tail.out
		[ \$good = 0 ] && [ \$(grep -cx two $T/tail.out) = 1 ]"
}

# sys CALL ARGUMENT...: one system call by python, saying OK or the error's
# name, as ENOENT; what shells and coreutils translate or work around.
sys() {
	/usr/bin/python3 - "$@" <<-'END'
	import errno, os, sys
	calls = {
	    "rename": os.rename, "mkdir": os.mkdir, "rmdir": os.rmdir,
	    "unlink": os.unlink, "link": os.link, "symlink": os.symlink,
	    "stat": os.stat, "listdir": os.listdir,
	    "mkfifo": os.mkfifo,
	    "create": lambda p: os.close(os.open(
	        p, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)),
	    "read": lambda p: open(p, "rb").read(),
	    "write": lambda p: os.close(os.open(p, os.O_WRONLY)),
	    "truncate": lambda p, n: os.truncate(p, int(n)),
	    "getxattr": lambda p, n: os.getxattr(p, n),
	    "setxattr": lambda p, n, v: os.setxattr(p, n, v.encode()),
	    "removexattr": lambda p, n: os.removexattr(p, n),
	}
	try:
	    calls[sys.argv[1]](*sys.argv[2:])
	    print("OK")
	except OSError as e:
	    print(errno.errorcode.get(e.errno, e.errno))
	END
}
