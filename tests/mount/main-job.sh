#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job on real input: this machine's /usr/include and a file of 1 GiB
# go onto a stage and come back, byte by byte, here and through boto3; they are
# listed, and ten of them fetched by pre-signed URLs.
. "$(dirname "$0")/lib.sh"
INPUT=${STAGEFS_TEST_INPUT:-/usr/include}
write_config
mount_up
E=$MNT/ext

# Files and directories as they are, links as what they point to; what is
# broken on the machine is not our input.
mkdir "$LOCAL/include"
cp -rL "$INPUT/." "$LOCAL/include/" 2>/dev/null
files=$(find "$LOCAL/include" -type f | wc -l)
ok "the input is a real tree ($files files)" '[ $files -gt 1000 ]'
random_file "$LOCAL/large" $((1 << 30))

ok 'cp -r copies the tree onto the stage' 'cp -r $LOCAL/include $E/'
is 'find counts its files' "$(find "$E/include" -type f | wc -l)" "$files"

# What it copies comes through a pipe, which has its end when we say so.
mkfifo "$T/pipe"
cp "$T/pipe" "$E/large" &
copy=$!
exec 9>"$T/pipe"
head -c $((1 << 29)) "$LOCAL/large" >&9
ok 'parts of the 1 GiB file are on the server before it is closed' '
	until_ok 120 "[ \$(s3 parts ${EXT}large) -gt 0 ]" && [ -d /proc/$copy ]'
is 'while the object itself is not there yet' \
	"$(s3 list "${EXT}large" | wc -l)" 0
tail -c +$(((1 << 29) + 1)) "$LOCAL/large" >&9
exec 9>&-
wait $copy
is 'cp of 1 GiB succeeds' $? 0
is 'then no upload is left' "$(s3 uploads "$EXT")" ''

peak() {
	awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$(daemon_pids)/status"
}
up=$(peak)
remount
ok 'after a remount the tree is the same, byte by byte' '
	diff -r $LOCAL/include $E/include'
ok 'and the 1 GiB file' 'cmp $E/large $LOCAL/large'
down=$(peak)
ok "the daemon stayed under 600 MiB (writing: $up MiB, reading: $down MiB)" '
	[ $up -lt 600 ] && [ $down -lt 600 ]'
ok 'boto3 reads the same tree' 's3 compare ${EXT}include/ $LOCAL/include'
ok 'boto3 reads the same 1 GiB' 's3 get ${EXT}large | cmp - $LOCAL/large'

ok 'ls -lR lists every file' '
	[ "$(ls -lR $E/include | grep -c "^-")" = $files ]'
ok 'with the same sizes' '
	diff <(cd $LOCAL/include && find . -type f -printf "%s %p\n" | sort) \
		<(cd $E/include && find . -type f -printf "%s %p\n" | sort)'
ok 'stagefs list lists every file with its size' '
	timeout 120 $STAGEFS list --config $CONF @ext/include/ >$T/list &&
	diff <(cd $LOCAL/include && find . -type f -printf "include/%P\t%s\n" | sort) \
		<(cut -f1,2 $T/list | grep -v "/	" | sort)'

fetched=0
find "$E/include" -type f | shuf -n 9 --random-source=<(yes) >"$T/ten"
echo "$E/large" >>"$T/ten"
while read -r file; do
	name=${file#"$E/"}
	ok "getfattr and curl fetch ${name##*/}" '
		curl -fsS "$(getfattr --absolute-names --only-values \
			-n user.presign.download "$file")" | cmp - "$LOCAL/$name"'
	fetched=$((fetched + 1))
done <"$T/ten"
is 'these were ten' $fetched 10

ok 'rm -r removes the tree' 'rm -r $E/include $E/large && [ -z "$(ls $E)" ]'
is 'nothing of it is on the server' "$(s3 list "$EXT" | grep -v '^0.$')" ''

done_testing
