#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 100,000 operations, by several processes, against a model of a file system
# (tests/mount/model): on a directory of this machine and on S3 (the stand-in).
# The same operations each time, so that none fails by chance; MODEL_SEED picks
# others, MODEL_OPERATIONS how many. MODEL=long (make check-long) does twenty
# times as many, other ones each time; what fails can be done again by its seed.
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"
SEED=${MODEL_SEED-1}
OPERATIONS=${MODEL_OPERATIONS-100000}
if [ "${MODEL-short}" = long ]; then
	SEED=${MODEL_SEED-$RANDOM$RANDOM}
	OPERATIONS=$((OPERATIONS * 20))
fi
# A fifth of them on S3, where each file that is closed is a request, and half of
# these with what such a stage can do otherwise.
ON_S3=$((OPERATIONS / 5))

model() {	# ARGUMENT...
	timeout -k 5 3600 /usr/bin/python3 "$HERE/model" --seed "$SEED" "$@"
}
# run SENTENCE ARGUMENT...: says how many they were.
run() {
	local sentence=$1
	shift
	if model "$@" >"$T/model.out" 2>&1; then
		pass "$sentence"
		tail -n 1 "$T/model.out" | sed "s/^/# seed $SEED: /"
	else
		fail "$sentence" < <(cat "$T/model.out"; tail -n 5 "$LOG" 2>/dev/null)
	fi
}

# ---- the model itself, and that a fault is found

mkdir "$T/plain" "$T/planted"
run 'the model does what a file system of Linux does' --top "$T/plain" \
	--store "fs:$T/plain" --direct 0 --operations 10000
ok 'a fault that is planted is found' '
	! SEED=1 model --top $T/planted --store fs:$T/planted --direct 0 \
		--processes 1 --operations 100000 --plant lost-write \
		--save $T/shortest >$T/planted.out'
ok '... by a few operations that are printed' '
	cat $T/planted.out; grep -q "are enough" $T/planted.out &&
	[ $(wc -l <$T/shortest) -le 8 ] && grep -q ^rename $T/shortest &&
	[ $(sed "s/^ *//" $T/planted.out | grep -cxFf $T/shortest) = \
		$(wc -l <$T/shortest) ]'
ok '... which are wrong again' '
	! model --top $T/planted --store fs:$T/planted --plant lost-write \
		--replay $T/shortest'
ok '... and are right without it' '
	model --top $T/planted --store fs:$T/planted --replay $T/shortest'

# ---- the mounts

/usr/bin/python3 "$TOP/tests/standin/server.py" --s3 --bucket standin \
	--min-part 5242880 >"$T/port" 2>"$T/standin.err" &
at_exit+=("kill $!")
until_ok 60 '[ -s "$T/port" ]' || bail 'the stand-in does not start'
BUCKET=standin KEY_ID=standin SECRET=standin-secret
ENDPOINT=http://127.0.0.1:$(cat "$T/port")
export STAGEFS_TEST_S3_ENDPOINT=$ENDPOINT STAGEFS_TEST_S3_BUCKET=$BUCKET
export STAGEFS_TEST_S3_ACCESS_KEY=$KEY_ID STAGEFS_TEST_S3_SECRET_KEY=$SECRET
CONF_MORE="[stage disk]
url = fs://$T/disk/
[stage later]
url = s3://$BUCKET/${PREFIX}later/
$(connection)
write_back = yes
attributes = posix"
mkdir "$T/disk"

# The mounts differ in how long they believe a name, and in where bytes stay.
settings() {	# COUNT
	case $(($1 % 3)) in
	0) write_config 'metadata_ttl = 1' ;;
	1) write_config 'metadata_ttl = 60' "cache_dir = $T/blocks" ;;
	2) write_config 'metadata_ttl = 0' ;;
	esac
}
again() {	# COUNT
	curl -fsS -X POST "$ENDPOINT/_reset" >/dev/null # its log only grows
	: >"$LOG"
	settings "$1"
	mount_try && mounted
}
anew() {	# COUNT
	mount_down && again "$1"
}
# The daemon is killed with what waits to be sent; what is gathered for a moment
# only (removals, attributes) has left by then.
killed() {	# COUNT
	find "$MNT/later" -type d -exec sync {} + &&
		kill -KILL $(daemon_pids) && umount -l "$MNT" &&
		until_ok 60 '[ -z "$(daemon_pids)" ]' && again "$1" &&
		timeout 300 "$STAGEFS" flush "$MNT"
}
settings 0
mount_up
export -f again anew killed mount_down mounted until_ok daemon_pids settings write_config \
	connection mount_try
export T MNT CONF LOG STAGEFS ENDPOINT BUCKET KEY_ID SECRET CONF_MORE STORAGE EXT
export PREFIX

run 'a directory of this machine is as the model' --top "$MNT/disk" \
	--store "fs:$T/disk" --remount 'anew "$1"' \
	--operations $((OPERATIONS - ON_S3))
run 'a stage on S3 is as the model' --top "$MNT/ext" --store "s3:$EXT" \
	--remount 'anew "$1"' --operations $((ON_S3 / 2))
run 'one with write_back and attributes = posix, too' --top "$MNT/later" \
	--store "s3:${PREFIX}later/" --flush '"$STAGEFS" flush "$MNT"' \
	--remount 'anew "$1"' --operations $((ON_S3 / 2))
mkdir "$MNT/later/killed"
run '... also when the daemon is killed again and again' \
	--top "$MNT/later/killed" --store "s3:${PREFIX}later/killed/" \
	--flush '"$STAGEFS" flush "$MNT"' --remount 'killed "$1"' --each 60 \
	--operations $((ON_S3 / 8))
is 'no multipart upload is left on the server' "$(s3 uploads '')" ''
done_testing
