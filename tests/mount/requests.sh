#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How many requests names and small files take, counted on the way to the
# server. Never how long.
. "$(dirname "$0")/lib.sh"
proxy_up 0
# The stage is not asked for by the mount itself, at some time after it.
write_config 'metadata_ttl = 3600' 'check = none'
mount_up
E=$MNT/ext
for d in {10..49}; do
	mkdir -p "$LOCAL/tree/d$d"
	for f in 0 1 2 3 4 5 6 7 8 9; do
		echo "text of d$d f$f" >"$LOCAL/tree/d$d/f$f"
	done
done
cp -r "$LOCAL/tree" "$E/tree"
cp -r "$LOCAL/tree/d10" "$E/d"

# cold: nothing is known of the tree, nothing is counted yet.
cold() {
	remount
	proxy_counts >/dev/null
}
# count METHOD|all: requests since it was asked last.
counts=
take_counts() {
	counts=$(proxy_counts)
}
count() {
	jq -r --arg m "$1" 'if $m == "all" then .requests
		else .by_method[$m] // 0 end' <<<"$counts"
}
# costs SENTENCE MOST SHELL-TEXT: it succeeds with so many requests at most.
costs() {
	local n
	if ! (eval "$3") >"$T/.out" 2>&1 </dev/null; then
		fail "$1" <"$T/.out"
		return
	fi
	take_counts
	n=$(count all)
	if [ "$n" -le "$2" ]; then
		pass "$1"
	else
		fail "$1" < <(echo "$n requests, at most $2 wanted: $counts")
	fi
}

# ---- names

cold
costs 'find takes a few listings for 40 directories' 8 '
	[ $(find $E/tree -type f | wc -l) = 400 ]'
costs 'du right after takes none' 0 'du -s $E/tree'
costs 'nor does a name that is not there' 0 '! stat $E/tree/d20/absent'
cold
costs 'ls -R as few' 8 '[ $(ls -R $E/tree | grep -c ^f) = 400 ]'
cold
costs 'directories that are only looked at cost two requests each at most' 16 '
	for d in 10 11 12 13 14; do ls $E/tree/d$d || exit 1; done'
cold
costs 'a name in each, which a pattern finds, takes few listings too' 44 '
	[ $(/usr/bin/python3 -c "
import glob, sys
print(*glob.glob(sys.argv[1]))" "$E/tree/*/f1" | xargs cat | wc -l) = 40 ]'
cold
costs '... by bash too, which goes through it backwards' 46 '
	[ $(cat $E/tree/*/f1 | wc -l) = 40 ]'

# ---- one name

cold
costs 'a file in a directory takes a listing and a GET' 2 'cat $E/d/f3'
costs '... read again none' 0 'cat $E/d/f3'
cold
costs 'each file of a small directory that nobody lists a GET, one a listing' 11 '
	for f in 9 8 7 6 5 4 3 2 1 0; do cat $E/d/f$f || exit 1; done'
cold
costs 'a name that is not there, in no directory, one for the path' 1 '
	! stat $E/none/at/all'
costs 'one in a directory that is there: its directory says so' 1 '
	! stat $E/d/absent && ! stat $E/d/none'
cold
costs 'look-ups of a name at the same time share a request' 1 '
	for n in 1 2 3 4 5 6 7 8; do stat $E/d/f3 & done; wait'

# In a directory that has more names than its look-up has shown.
s3 plant "${EXT}wide/f" 3000
s3 plant "${EXT}a/b/c/d/f" 1200
s3 plant "${EXT}mixed/a/f" 20
s3 plant "${EXT}mixed/f" 300
s3 plant "${EXT}flat/f" 300
cold
costs 'a name that is not there in a large directory: a listing each' 4 '
	! stat $E/wide/none && ! stat $E/wide/.git && ! stat $E/wide/index.html'
cold
costs '... one like those of its files: a GET and a listing' 3 '
	! stat $E/wide/f9999'
costs '... and from then on a listing' 2 '
	! stat $E/wide/f9998 && ! stat $E/wide/f9997'
cold
costs 'programs that open nothing get few bytes: one request for each name' 43 '
	for n in {1200..1239}; do stat $E/wide/f$n || exit 1; done'
cold
costs '... in one of less than a page few: then all are listed' 11 '
	for n in {0250..0299}; do stat $E/flat/f$n || exit 1; done'
cold
costs 'sixteen programs that look for one name share its request' 2 '
	for n in {1..16}; do stat $E/wide/f2222 & done; wait'
cold
costs '... that read it, too' 2 '
	for n in {1..16}; do cat $E/wide/f2222 & done; wait'

# When metadata_ttl is over, one listing tells that the file is the same and all
# that is above it still there, and no byte of it comes again.
random_file "$LOCAL/text" 200000
cp "$LOCAL/text" "$E/d/text"
mkdir "$E/larger"
for f in {100..249}; do
	cp "$LOCAL/text" "$E/larger/f$f"
done
write_config 'metadata_ttl = 5' 'check = none'
cold
costs 'a file is read' 2 'cmp $E/d/text $LOCAL/text'
costs '... one of many' 2 '[ "$(cat $E/wide/f2222)" = ${EXT}wide/f2222 ]'
costs '... one of many deep down' 2 '
	[ "$(cat $E/a/b/c/d/f0999)" = ${EXT}a/b/c/d/f0999 ]'
costs '... one of many beside directories' 2 '
	[ "$(cat $E/mixed/f0250)" = ${EXT}mixed/f0250 ]'
costs '... one of many larger ones' 2 'cmp $E/larger/f240 $LOCAL/text'
# A machine that is busy may let go of it meanwhile: one of some tries has it.
again() { # PATH
	take_counts
	cat "$E/$1" >"$T/again" && take_counts && echo "$1 $counts" &&
		[ "$(count all)" -le 1 ] &&
		[ "$(jq .received <<<"$counts")" -lt 100000 ]
}
unseen=(d/text wide/f2222 a/b/c/d/f0999)
for n in 1 2 3 4 5 6; do
	sleep 6
	for k in "${!unseen[@]}"; do
		again "${unseen[k]}" >>"$T/again.out" && unset "unseen[k]"
	done
	[ ${#unseen[@]} != 0 ] || break
done
ok '... and each again later by one request without its bytes' '
	echo "not ${unseen[*]-}"; cat $T/again.out; [ ${#unseen[@]} = 0 ]'
write_config 'metadata_ttl = 3600' 'check = none'
rm "$E/d/text"

# ---- small files

cold
costs 'cp -r gets each file once, and little more' 425 '
	cp -r $E/tree $LOCAL/copy && diff -r $LOCAL/tree $LOCAL/copy'
ok '... some of them side by side' '[ $(jq .most <<<$counts) -ge 2 ]'
cold
costs 'grep -r too' 425 '[ $(grep -rh text $E/tree | wc -l) = 400 ]'
cold
costs 'two cp -r at the same time share what is fetched: a tenth in vain at most' 440 '
	cp -r $E/tree $LOCAL/one & cp -r $E/tree $LOCAL/two && wait $! &&
		diff -r $LOCAL/tree $LOCAL/one && diff -r $LOCAL/tree $LOCAL/two'
for seed in 1 2 3; do
	random=$(find "$LOCAL/tree" -type f -printf '%P\n' | sort |
		/usr/bin/python3 -c "
import random, sys
files = sys.stdin.read().split()
print(*random.Random($seed).sample(files, 60))")
	cold
	ls "$E"/tree/* >/dev/null
	take_counts
	ok "files that are opened in no order are read ($seed)" '
		for f in $random; do cmp $E/tree/$f $LOCAL/tree/$f || exit 1; done'
	take_counts
	is '... and no other is fetched' "$(count GET)" 60
done

# Files of several sizes, in bytes: `opens SENTENCE PERCENT` opens those that its
# input names, each once. Headers are allowed for.
/usr/bin/python3 - "$LOCAL/sizes" <<'END'
import os, random, sys
dice = random.Random(1)
for d in range(20):
    os.makedirs(f"{sys.argv[1]}/d{d:02}")
    for f in range(20):
        with open(f"{sys.argv[1]}/d{d:02}/f{f:02}", "wb") as out:
            out.write(dice.randbytes(dice.randrange(4096, 32768)))
END
cp -r "$LOCAL/sizes" "$E/sizes"
opens() {
	local files bytes most
	files=$(cat)
	cold
	ls "$E"/sizes/* >/dev/null
	take_counts
	(cd "$E/sizes" && for f in $files; do head -c1 "$f" || exit 1; done) \
		>"$T/.out" 2>&1 || fail "$1: they are opened" <"$T/.out"
	take_counts
	# shellcheck disable=SC2086
	bytes=$(cd "$LOCAL/sizes" && cat $files | wc -c)
	most=$((bytes * (100 + $2) / 100 + $(count GET) * 1024))
	ok "$1: at most $2 of 100 bytes in vain" '
		echo "$bytes bytes in $(wc -w <<<"$files") files: $counts"
		[ $(jq .received <<<$counts) -le $most ]'
}
for n in 3 4 5 10; do
	(cd "$LOCAL/sizes" && for d in *; do
		printf "$d/%s\n" $(ls "$d" | head -n "$n")
	done) >"$T/files"
	opens "the first $n files of each directory" 10 <"$T/files"
done
for seed in 1 2 3; do
	(cd "$LOCAL/sizes" && /usr/bin/python3 -c "
import os, random
dice = random.Random($seed)
for d in sorted(os.listdir()):
    for f in dice.sample(sorted(os.listdir(d)), 10):
        print(d + '/' + f)") >"$T/files"
	opens "10 of 20 files at random ($seed)" 1 <"$T/files"
	sort "$T/files" >"$T/sorted"
	opens "... in order ($seed)" 10 <"$T/sorted"
done
ls -d "$LOCAL"/sizes/d0[0-4]/* | sed "s|$LOCAL/sizes/||" >"$T/files"
opens 'all files of some directories' 10 <"$T/files"

# ---- large files

random_file "$LOCAL/large" $((32 << 20))
s3 multipart "${EXT}large" "$LOCAL/large" $((8 << 20))
cold
ls "$E" >/dev/null
take_counts
costs 'a read anywhere in a large file is one request' 65 '
	/usr/bin/python3 -c "
import os, random, sys
dice = random.Random(2)
fds = [os.open(p, os.O_RDONLY) for p in sys.argv[1:]]
for k in range(64):
    at = dice.randrange(8192) << 12
    one, other = (os.pread(fd, 4096, at) for fd in fds)
    assert one == other and len(one) == 4096
" $E/large $LOCAL/large'
ok '... of little more bytes than are asked for' '
	echo "$counts"; [ $(jq .received <<<$counts) -lt $((64 * 8192)) ]'

# Its open asks by one, and its publication whether it still is that one, once,
# however many parts the server copies.
random_file "$LOCAL/amid" $((96 << 20))
s3 multipart "${EXT}amid" "$LOCAL/amid" $((8 << 20))
cold
ls "$E" >/dev/null
take_counts
costs 'a change amid a large file: each part that is copied is one request' 22 '
	for f in $E/amid $LOCAL/amid; do
		printf X | dd of=$f bs=1 seek=50000000 conv=notrunc status=none ||
			exit 1
	done'
ok '... and it has it' 'cmp $E/amid $LOCAL/amid'
rm "$E/amid"
take_counts

# ---- writing

mkdir "$E/known"
echo one >"$E/known/first"
cold
ls -l "$E/known" >/dev/null
take_counts
costs 'the first append of a mount takes two requests' 2 'echo two >>$E/known/first'
is '... and is no new file' "$(tr '\n' ' ' <"$E/known/first")" 'one two '
take_counts
costs 'a small new file takes one request' 1 'echo new >$E/known/f'
costs '... something appended to it two' 2 'echo more >>$E/known/f'
is '... and has both' "$(tr '\n' ' ' <"$E/known/f")" 'new more '
take_counts
costs 'a directory one' 1 'mkdir $E/known/d'

costs 'cp -r puts each file and each directory once' 441 '
	cp -r $LOCAL/tree $E/known/tree'

# ---- moving

# A name that was listed a second ago is asked for again. A machine that is busy
# may take as long from one command to the next: one of some tries has it.
# just SENTENCE MOST BEFORE SHELL-TEXT: both are of the try $try, on a new mount.
try=
just() {
	for try in 1 2 3 4 5 6; do
		cold
		(eval "$3") >"$T/.out" 2>&1 && take_counts &&
			(eval "$4") >"$T/.out" 2>&1 </dev/null || break
		take_counts
		if [ "$(count all)" -le "$2" ]; then
			pass "$1"
			return
		fi
	done
	fail "$1" < <(cat "$T/.out"; echo "at most $2 wanted: $counts")
}
mkdir "$LOCAL/hundred"
for f in {1..100}; do
	echo "text of $f" >"$LOCAL/hundred/f$f"
done
for n in 1 2 3 4 5 6; do
	cp -r "$LOCAL/hundred" "$E/hundred$n"
	s3 plant "${EXT}plain$n/f" 100
done
cp -r "$LOCAL/tree/d10" "$E/files"

just 'mv of a file that was listed takes its copy and its removal' 2 \
	'ls $E/files' 'mv $E/files/f$try $E/files/g$try'
cold
ls "$E/files" >/dev/null
sleep 1.2
take_counts
costs '... one more when that was a while ago' 3 'mv $E/files/f0 $E/files/g0'
costs '... also of what was moved here' 3 'mv $E/files/g0 $E/files/f0'
just 'mv of a directory of 100 files takes a copy of each, a listing, a batch' 102 \
	'ls $E $E/plain$try' 'mv $E/plain$try $E/plain-moved$try'
is '... which leaves nothing' "$(s3 list "${EXT}plain$try/")" ''
is '... and has all' "$(s3 list "${EXT}plain-moved$try/" | wc -l)" 100
just '... and a copy of the object that stands for it, if there is one' 103 \
	'ls $E $E/hundred$try' 'mv $E/hundred$try $E/moved$try'
is '... which leaves nothing, too' "$(s3 list "${EXT}hundred$try/")" ''
ok '... and has all' 'diff -r $LOCAL/hundred $E/moved$try'
cold
costs 'of one that is not known at all two more listings, and what finds it' 108 '
	mv $E/moved$try $E/moved && [ ! -e $E/moved$try ]'
ok '... and has all' 'diff -r $LOCAL/hundred $E/moved'
take_counts

# ---- removing

# Batches leave 100 ms after the first name of theirs, so there is one more for
# each 100 ms that rm takes; where rm itself rests for so long, the next name is
# again the first of a burst, which is asked for alone.
mkdir "$LOCAL/many"
for f in {1..1000}; do
	echo "text of $f" >"$LOCAL/many/f$f"
done
costs 'cp -r of 1,000 files takes one each, and two for their directory' 1002 '
	cp -r $LOCAL/many $E/many'
take_counts
began=$(date +%s%3N)
ok 'rm -rf removes a directory of 1,000 files' '
	rm -rf $E/many && [ ! -e $E/many ]'
batches=$((1 + ($(date +%s%3N) - began) / 100))
take_counts
echo "$counts, $batches batches allowed" | diag
ok '... by batches' '
	[ $(count POST) -ge 1 ] && [ $(count POST) -le $batches ]'
ok '... and a DELETE for the first of each burst and the directory' '
	[ $(count DELETE) -le $((1 + batches)) ] &&
	[ $(count all) = $(($(count DELETE) + $(count POST))) ]'
is '... which leave nothing' "$(s3 list "${EXT}many")" ''
cp -r "$LOCAL/hundred" "$E/hundred"
cold
ok 'a directory that is not known is removed' 'rm -rf $E/hundred'
take_counts
ok '... by one listing of it, though rm opens it twice, and a look at the end' '
	echo "$counts"; [ $(count GET) -le 3 ]'
cp -r "$LOCAL/tree/d10" "$E/single"
take_counts
costs 'one file is removed by one request' 1 'rm $E/single/f0'
ok '... at once' '! s3 list "${EXT}single/" | grep -q f0'
# The directory grows old every second meanwhile.
write_config 'metadata_ttl = 1' 'check = none'
cold
began=$(date +%s)
ok '1,000 files are copied in a time of many metadata_ttl' '
	cp -r $LOCAL/many $E/many'
old=$(($(date +%s) - began + 1))
take_counts
echo "$counts, $old times old" | diag
ok '... for one request each, and a listing each time' '
	[ $(count PUT) = 1001 ] && [ $(count all) -le $((1003 + old)) ]'
write_config 'metadata_ttl = 3600' 'check = none'
cold
ok 'stagefs remove takes away a prefix' '
	"$STAGEFS" remove --config "$CONF" --recursive @ext/many'
take_counts
echo "$counts" | diag
ok '... by its listing and its batches' '[ $(count all) -le 6 ]'

done_testing
