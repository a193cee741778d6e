#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# attributes = posix: modes, owners, times and symbolic links in the metadata of
# objects, as s3fs keeps them; what they cost; and s3fs on the same bucket.
. "$(dirname "$0")/lib.sh"
DIRECT=$ENDPOINT
proxy_up 0
CONF_EXT='attributes = posix'
SETTINGS=('metadata_ttl = 3600' 'check = none' 'allow_other = yes')
write_config "${SETTINGS[@]}"
chmod 755 "$T"	# another user comes through it
mount_up
E=$MNT/ext

# seen PATH FORMAT: what stat(1) says.
seen() {
	stat -c "$2" "$E/$1"
}
# The server's own view of one header of s3fs'.
meta() {	# KEY NAME
	s3 head "$EXT$1" | /usr/bin/python3 -c '
import json, sys
print(json.load(sys.stdin)["Metadata"].get(sys.argv[1], ""))' "$2"
}
again() {
	remount
	proxy_counts >/dev/null
}
counts=
take_counts() {
	counts=$(proxy_counts)
}
count() {	# METHOD|all
	jq -r --arg m "$1" 'if $m == "all" then .requests
		else .by_method[$m] // 0 end' <<<"$counts"
}
# What was changed is stored when the directory was flushed.
flush() {	# [DIRECTORY]
	sync "$E/${1-.}"
}

# ---- what a program sets lasts

echo text >"$E/f"
chmod 4751 "$E/f"
chown 1234:567 "$E/f"
chmod 4751 "$E/f"
touch -m -d '2001-02-03 04:05:06.123456789' "$E/f"
touch -a -d '2002-02-03 04:05:06.5' "$E/f"
mkdir -m 2750 "$E/d"
touch -d '2003-03-03 03:03:03' "$E/d"
mkdir "$E/sub" && ln -s ../f "$E/sub/l" && chown -h 77:78 "$E/sub/l"
is 'a symbolic link is what it was made' "$(readlink "$E/sub/l")" ../f
is '... and leads there' "$(cat "$E/sub/l")" text
flush
flush sub
is 'the mode of an object is in its metadata' "$(meta f mode)" 35305
is '... its owner' "$(meta f uid):$(meta f gid)" 1234:567
is '... its time' "$(meta f mtime)" 981173106.123456789
is 'a directory is an object with a mode' "$(meta d/ mode)" 17896
is '... of its type' "$(s3 head "${EXT}d/" | jq -r .ContentType)" \
	application/x-directory
is 'a link is one whose text is its target' "$(s3 get "${EXT}sub/l")" ../f
is '... with the mode of one' "$(meta sub/l mode)" 41471
again
is 'after another mount a file has its mode' "$(seen f %a)" 4751
is '... its owner' "$(seen f %u:%g)" 1234:567
is '... its times' "$(seen f '%.9Y %.9X')" \
	'981173106.123456789 1012709106.500000000'
is '... its bytes and one link' "$(cat "$E/f") $(seen f %h)" 'text 1'
is 'a directory its mode and time' "$(seen d '%a %Y')" '2750 1046660583'
is 'a link its target and owner' "$(readlink "$E/sub/l") $(seen sub/l %u:%g)" \
	'../f 77:78'
is 'find knows it from its listing' "$(find "$E/sub" -type l)" "$E/sub/l"
is 'a directory that keys alone imply has the settings'\'' mode' "$(
	s3 put "${EXT}implied/k" "$E/f" && seen implied %a)" 755

# ---- what else is done to a file keeps it

echo more >>"$E/f"
is '>> keeps mode and owner, but for set-id bits where it must' \
	"$(seen f %u:%g) $(meta f mode)" '1234:567 35305'
ok '... and moves its time' '[ $(seen f %Y) -gt 1700000000 ]'
chmod 640 "$E/f"
mv "$E/f" "$E/d/g"
flush d
is 'mv keeps them' "$(meta d/g mode) $(meta d/g uid)" '33184 1234'
truncate -s 3 "$E/d/g"
is 'truncate too' "$(meta d/g mode) $(meta d/g uid)" '33184 1234'
mv "$E/d" "$E/e"
flush
again
is '... and mv of its directory, with that'\''s own' \
	"$(seen e/g '%a %u') $(seen e '%a %g')" '640 1234 2750 0'
random_file "$LOCAL/big" 20000000
cp -p "$LOCAL/big" "$E/e/big"
chmod 600 "$E/e/big"
flush e
is 'an object of several parts has them' "$(meta e/big mode)" 33152
ok '... its bytes' 'cmp "$LOCAL/big" "$E/e/big"'
again
is '... after another mount' "$(seen e/big '%a %.9Y')" \
	"600 $(stat -c %.9Y "$LOCAL/big")"
ok '... and its bytes' 'cmp "$LOCAL/big" "$E/e/big"'
ok 'a reader goes on while the server copies it for its new mode' '
	exec 9<"$E/e/big" && dd bs=1000 count=1 status=none <&9 >"$T/read" &&
	chmod 604 "$E/e/big" && flush e && cat <&9 >>"$T/read" &&
	cmp "$LOCAL/big" "$T/read"'
ok 'another user reads what the mode allows, and nothing else' '
	mkdir "$E/open" && chmod 755 "$E/open" &&
	echo a >"$E/open/a" && echo b >"$E/open/b" && chmod 600 "$E/open/b" &&
	setpriv --reuid 4321 --regid 4321 --clear-groups cat "$E/open/a" &&
	! setpriv --reuid 4321 --regid 4321 --clear-groups cat "$E/open/b"'
ok 'writing to a file clears its set-id bits' '
	cp /bin/true "$E/open/suid" && chmod 6777 "$E/open/suid" &&
	setpriv --reuid 4321 --regid 4321 --clear-groups \
		/usr/bin/python3 -c "open(\"$E/open/suid\", \"ab\").write(b\"x\")" &&
	[ $(seen open/suid %a) = 777 ] && flush open &&
	[ $(meta open/suid mode) = 33279 ]'
is 'umask holds' "$(umask 027; echo >"$E/masked"; seen masked %a)" 640
is 'a hard link is refused' "$(sys link "$E/masked" "$E/hard")" EPERM
is 'a link where something is, too' "$(sys symlink x "$E/masked")" EEXIST
ok 'a link goes like a file' '
	ln -s nowhere "$E/gone" && mv "$E/gone" "$E/gone2" &&
	[ $(readlink "$E/gone2") = nowhere ] && rm "$E/gone2" && [ ! -L "$E/gone2" ]'

# ---- what it costs

mkdir -p "$LOCAL/tree"
for f in {100..299}; do
	echo "text $f" >"$LOCAL/tree/$f"
done
chmod 600 "$LOCAL/tree"/*
cp -rp "$LOCAL/tree" "$E/many"
sleep 3	# from when on another change has another time
again
ls "$E/many" >/dev/null
take_counts
is 'ls asks for those of its directory alone' "$(count HEAD)" 1
ls -l "$E/many" >"$T/long"
take_counts
is 'ls -l has them all' "$(grep -c '^-rw------- ' "$T/long")" 200
is '... by one HEAD each' "$(count HEAD)" 200
ls -l "$E/many" >"$T/long"
take_counts
is '... once' "$(count all)" 0
write_config 'metadata_ttl = 3' "${SETTINGS[@]:1}"
again
ls -l "$E/many" >"$T/long"
take_counts
is 'another mount asks again' "$(($(count HEAD) >= 200))" 1
sleep 4
ls -l "$E/many" >"$T/long"
take_counts
is 'what a listing tells to be the same is not asked for again' \
	"$(($(count HEAD) < 100))" 1
s3 put "${EXT}many/200" "$LOCAL/tree/200" mode=33279
sleep 4
is 'what has changed is' "$(ls -l "$E/many" | grep -c '^-rwxrwxrwx ')" 1
write_config "${SETTINGS[@]}"
again
seen many/150 %a >/dev/null
take_counts
is 'a name alone asks for itself' "$(($(count HEAD) <= 2))" 1

mkdir "$E/cost"
proxy_counts >/dev/null
cp -p "$LOCAL/tree/100" "$E/cost/f"
flush cost
take_counts
is 'cp -p is one PUT' "$(count PUT)" 1
proxy_counts >/dev/null
/usr/bin/python3 -c "
import os, shutil
shutil.copyfile('$LOCAL/tree/100', '$E/cost/g')
for k in range(20):
    os.utime('$E/cost/g', ns=(k, k))
    os.chmod('$E/cost/g', 0o600 + k)
os.fsync(os.open('$E/cost', os.O_RDONLY))"
take_counts
ok 'forty changes of a file that is closed are fewer copies' '
	[ $(count PUT) -lt 41 ]'
is '... of which the last is there' "$(meta cost/g mtime)" 0.000000019
echo text >"$E/cost/h"
proxy_counts >/dev/null
chmod 640 "$E/cost/h"
flush cost
take_counts
is 'a mode that is set when a file is closed is one request more' \
	"$(count PUT) $(count all)" '1 1'
is '... and is there' "$(meta cost/h mode)" 33184
# As rsync does. What waits is sent after 100 ms, and a machine that is busy may
# rest for so long between two calls: one of some tries is quick.
replaced() { # NAME
	proxy_counts >/dev/null
	/usr/bin/python3 -c "
import os
name = '$E/cost/.$1.new'
with open(name, 'x') as f:
    f.write('text')
os.utime(name, ns=(7, 7))
os.chmod(name, 0o640)
os.rename(name, '$E/cost/$1')"
	flush cost
	take_counts
	echo "$counts"
	[ "$(count PUT)" = 2 ]
}
ok 'attributes that are set before a rename go along with its copy' '
	for k in 1 2 3 4 5 6 7 8; do replaced r$k && exit; done; exit 1'
is '... and are there' "$(meta cost/r1 mode) $(meta cost/r1 mtime)" \
	'33184 0.000000007'
chmod 623 "$E/cost/g"
flush cost
proxy_counts >/dev/null
chmod 623 "$E/cost/g"
flush cost
take_counts
is 'what is so already costs nothing' "$(count all)" 0

# ---- programs

mkdir -p "$LOCAL/src/a/b"
for f in 1 2 3 4 5 6 7 8; do
	echo "text $f" >"$LOCAL/src/a/f$f"
	chmod 6"$f"0 "$LOCAL/src/a/f$f"
	touch -d "2010-01-0$f 01:02:03.000000$f" "$LOCAL/src/a/f$f"
done
ln -s a/f1 "$LOCAL/src/link"
ln -s nowhere "$LOCAL/src/a/b/dangling"
chmod 700 "$LOCAL/src/a/b"
touch -h -d 2012-01-01 "$LOCAL/src/link" "$LOCAL/src/a/b/dangling"
touch -d 2011-01-01 "$LOCAL/src/a/b" "$LOCAL/src/a" "$LOCAL/src"
chown -hR 55:66 "$LOCAL/src"
same_tree() {	# DIRECTORY
	diff <(cd "$LOCAL/src" && find . -printf '%p %y %m %U:%G %T@ %l\n' | sort) \
		<(cd "$1" && find . -printf '%p %y %m %U:%G %T@ %l\n' | sort) &&
		diff -r --no-dereference "$LOCAL/src" "$1"
}
if command -v rsync >/dev/null; then
	ok 'rsync -a' 'rsync -a "$LOCAL/src/" "$E/rsync/" && same_tree "$E/rsync"'
	ok '... a second one transfers nothing' '
		[ -z "$(rsync -ai "$LOCAL/src/" "$E/rsync/")" ]'
	again
	ok '... also after another mount' '
		[ -z "$(rsync -ai "$LOCAL/src/" "$E/rsync/")" ]'
	ok '... to which all is as it was' 'same_tree "$E/rsync"'
else
	skip 'rsync' 'there is none'
fi
ok 'cp -a' 'cp -a "$LOCAL/src" "$E/cpa" && same_tree "$E/cpa"'
ok 'tar x' 'mkdir "$E/tar" && tar -C "$LOCAL/src" --format=posix -cf - . | tar -C "$E/tar" -xpf - &&
	same_tree "$E/tar"'
again
ok '... after another mount' 'same_tree "$E/cpa" && same_tree "$E/tar"'
ok 'rm -r' 'rm -r "$E/cpa" "$E/tar" && [ ! -e "$E/cpa" ]'

# ---- s3fs on the same bucket

S3FS=$T/s3fs
s3fs_up() {
	mkdir -p "$S3FS" && mkdir -p "$T/s3fs-tmp" &&
	(umask 077 && echo "$KEY_ID:$SECRET" >"$T/s3fs.keys") &&
	timeout 60 s3fs "$BUCKET:/${EXT%/}" "$S3FS" -o url="$DIRECT" \
		-o use_path_request_style -o passwd_file="$T/s3fs.keys" \
		-o tmpdir="$T/s3fs-tmp" -o endpoint=us-east-1 \
		-o max_stat_cache_size=0 -o enable_unsigned_payload=0 \
		>"$T/s3fs.out" 2>&1 ||
	timeout 60 s3fs "$BUCKET:/${EXT%/}" "$S3FS" -o url="$DIRECT" \
		-o use_path_request_style -o passwd_file="$T/s3fs.keys" \
		-o tmpdir="$T/s3fs-tmp" -o endpoint=us-east-1 >"$T/s3fs.out" 2>&1
}
by_s3fs() {
	mountpoint -q "$S3FS" || s3fs_up || return 1
	until_ok 60 'mountpoint -q "$S3FS"'
}
s3fs_down() {
	until_ok 60 'umount "$S3FS" || ! mountpoint -q "$S3FS"'
}
at_exit+=('umount -l "$S3FS" 2>/dev/null')
if ! command -v s3fs >/dev/null; then
	skip 'one bucket, two programs' 'there is no s3fs'
elif ! by_s3fs; then
	skip 'one bucket, two programs' "s3fs does not mount: $(tail -n 1 "$T/s3fs.out")"
else
	again
	mkdir "$E/both"
	echo ours >"$E/both/ours"
	chmod 640 "$E/both/ours"
	chown 12:34 "$E/both/ours"
	touch -d '2005-05-05 05:05:05' "$E/both/ours"
	ln -s ours "$E/both/link"
	mkdir -m 711 "$E/both/dir"
	flush both
	is 's3fs sees our file as it is' \
		"$(stat -c '%F %a %u:%g %Y' "$S3FS/both/ours")" \
		'regular file 640 12:34 1115269505'
	is '... its bytes' "$(cat "$S3FS/both/ours")" ours
	is '... our link' "$(readlink "$S3FS/both/link")" ours
	is '... and our directory' "$(stat -c '%F %a' "$S3FS/both/dir")" \
		'directory 711'
	ok 's3fs makes others' '
		echo theirs >"$S3FS/both/theirs" && chmod 604 "$S3FS/both/theirs" &&
		chown 56:78 "$S3FS/both/theirs" &&
		touch -d "2006-06-06 06:06:06" "$S3FS/both/theirs" &&
		ln -s theirs "$S3FS/both/link2" && mkdir -m 705 "$S3FS/both/dir2" &&
		chmod 600 "$S3FS/both/ours"'
	s3fs_down
	again
	is 'we see the file of s3fs as it is' \
		"$(seen both/theirs '%F %a %u:%g %Y')" \
		'regular file 604 56:78 1149573966'
	is '... its bytes' "$(cat "$E/both/theirs")" theirs
	is '... its link' "$(readlink "$E/both/link2")" theirs
	is '... its directory' "$(seen both/dir2 '%F %a')" 'directory 705'
	is '... and what it changed of ours' "$(seen both/ours '%a %u:%g %Y')" \
		'600 12:34 1115269505'
	echo edited >>"$E/both/theirs"
	flush both
	ok 's3fs reads what we edited' '
		by_s3fs && [ "$(cat "$S3FS/both/theirs")" = "theirs
edited" ] && [ "$(stat -c "%a %u:%g" "$S3FS/both/theirs")" = "604 56:78" ]'
	s3fs_down
fi

# ---- what it is without

CONF_EXT=
write_config "${SETTINGS[@]}" 'log_level = warn'
sed -i '/^log_level = debug/d' "$CONF"
: >"$LOG"
remount
is 'attributes = server refuses a symbolic link' \
	"$(sys symlink target "$E/refused")" EPERM
is '... and says why' \
	"$(grep -c 'refused is refused: .*attributes = posix' "$LOG")" 1
echo x >"$E/server"
chmod 604 "$E/server"
is '... and holds a mode while the mount lasts' "$(seen server %a)" 604
is '... without a request' "$(meta server mode)" ''

done_testing
