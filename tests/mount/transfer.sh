#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# get and put, which need no mount, against the store: bytes that boto3 reads,
# trees, rows that boto3 signed, and a get that is killed.
. "$(dirname "$0")/lib.sh"
write_config
: >"$LOG"

verb() {
	local v=$1
	shift
	timeout 300 "$STAGEFS" "$v" --config "$CONF" "$@" 2>"$T/err" </dev/null || {
		set -- $?
		cat "$T/err" >&2
		return "$1"
	}
}

mkdir "$LOCAL/tree" "$T/back"
: >"$LOCAL/tree/empty"
printf x >"$LOCAL/tree/one"
random_file "$LOCAL/tree/hundred" $((100 << 20))
mkdir -p "$LOCAL/tree/a b/ü/c" "$LOCAL/tree/void" "$LOCAL/tree/+%#&;"
random_file "$LOCAL/tree/a b/ü/c/sp ace.csv" 54321
random_file "$LOCAL/tree/+%#&;/q'\"?*.csv" 999
for i in $(seq 50); do
	printf '%s' "$i" >"$LOCAL/tree/a b/$i"
done

# ---- both ways

ok 'put of a tree' 'verb put -r $LOCAL/tree @ext && [ ! -s $T/err ]'
ok 'is what boto3 reads' 's3 compare ${EXT}tree/ $LOCAL/tree'
ok 'get of it' 'verb get -r @ext/tree $T/back && [ ! -s $T/err ]'
ok 'brings it back as it was, empty directories too' 'diff -r $LOCAL/tree $T/back/tree'
ok 'no part is left' '[ -z "$(find $T/back -name "*.part*")" ]'
ok 'a single file, to standard output' '
	verb get @ext/tree/hundred - | cmp - $LOCAL/tree/hundred'
ok 'from standard input, of a size that nobody told' '
	timeout 100 "$STAGEFS" put --config $CONF - @ext/piped <$LOCAL/tree/hundred 2>&1 &&
	cat $LOCAL/tree/hundred | timeout 100 "$STAGEFS" put --config $CONF - @ext/piped &&
	s3 get ${EXT}piped | cmp - $LOCAL/tree/hundred'
ok 'to the user stage' '
	verb put $LOCAL/tree/one @~/x/y && [ "$(s3 get ${USER_PREFIX}x/y/one)" = x ]'
ok 'a pattern' 'verb get "@ext/tree/a b/[1-4]?" $T/some && [ "$(ls $T/some | wc -l)" = 40 ]'
ok '--skip-existing sends nothing again' '
	before=$(s3 head ${EXT}tree/hundred | jq -r .LastModified) && sleep 1 &&
	verb put -r --skip-existing $LOCAL/tree @ext &&
	[ "$(s3 head ${EXT}tree/hundred | jq -r .LastModified)" = "$before" ]'
ok 'nor fetches' '
	ls -i $T/back/tree/hundred >$T/inode && verb get -r --skip-existing @ext/tree $T/back &&
	ls -i $T/back/tree/hundred | cmp - $T/inode'
ok '--content-type, of one part and of many' '
	verb put $LOCAL/tree/one $LOCAL/tree/hundred @ext/typed --content-type text/x &&
	[ "$(s3 head ${EXT}typed/one | jq -r .ContentType)" = text/x ] &&
	[ "$(s3 head ${EXT}typed/hundred | jq -r .ContentType)" = text/x ]'

# ---- rows of another client

s3 put "${EXT}theirs" "$LOCAL/tree/hundred"
ok 'get by a URL of boto3' '
	s3 url get ${EXT}theirs 600 |
		timeout 100 "$STAGEFS" get --row - $T/theirs && cmp $T/theirs $LOCAL/tree/hundred'
ok 'an empty object by a URL' '
	s3 url get ${EXT}tree/empty 600 | timeout 60 "$STAGEFS" get --row - $T/nothing &&
	[ -f $T/nothing ] && [ ! -s $T/nothing ]'
ok 'put by one, in one piece' '
	s3 url put ${EXT}ours 600 >$T/url &&
	timeout 100 "$STAGEFS" put --row $T/url $LOCAL/tree/hundred &&
	s3 get ${EXT}ours | cmp - $LOCAL/tree/hundred'
ok 'put by a row of PRESIGN' '
	verb presign upload "@ext/r/a b" --content-type text/csv --format ndjson >$T/row &&
	timeout 60 "$STAGEFS" put --row - $LOCAL/tree/one <$T/row &&
	[ "$(s3 head "${EXT}r/a b" | jq -r .ContentType)" = text/csv ]'
s3 url get "${EXT}theirs" 1 >"$T/url"
sleep 2.5
fails 'a URL that is too old' '^stagefs: cannot download .*theirs to .*/late: .*(AccessDenied|Expired|HTTP 403)' '
	timeout 60 "$STAGEFS" get --row $T/url $T/late'
ok 'says so without the URL, and leaves nothing' '
	! grep -q "X-Amz\|://" $T/.out && ! ls $T/late* 2>/dev/null'
fails 'a wrong URL has the code of the store' 'SignatureDoesNotMatch' '
	s3 url get ${EXT}theirs 600 | sed "s/Signature=.*/Signature=0/" | timeout 60 "$STAGEFS" get --row - $T/late'

# ---- killed, and once more

random_file "$LOCAL/large" $((200 << 20))
s3 multipart "${EXT}large" "$LOCAL/large" $((16 << 20))
# How far the state says that the part is.
noted() {
	sed -n 2p "$T/large.part.state" | cut -d' ' -f1
}
# From so far away that it takes 50 s, however quick the machine is.
DIRECT=$ENDPOINT
proxy_up 2000
sed "s|$DIRECT|$ENDPOINT|" "$CONF" >"$T/far.conf"
chmod 600 "$T/far.conf"
ENDPOINT=$DIRECT
ok 'a get that is killed leaves a part' '
	"$STAGEFS" get --config $T/far.conf --parallel 1 @ext/large $T/large & pid=$!
	until_ok 300 "[ \$(noted) -gt 16000000 ]"; kill -KILL $pid; wait $pid
	[ ! -e $T/large ] && [ $(noted) -lt $((200 << 20)) ]'
ok 'the next goes on with it' '
	verb get @ext/large $T/large && cmp $T/large $LOCAL/large && ! ls $T/large.part*'
ok 'not when the object is another one' '
	printf "stagefs-get 1\n5000000 9000000\n\"0123\"\n" >$T/one.part.state &&
	head -c 5000000 /dev/zero >$T/one.part && verb get @ext/theirs $T/one &&
	cmp $T/one $LOCAL/tree/hundred'
# ended SIGNAL: a put of which two parts or more have arrived; its status.
ended() {
	"$STAGEFS" put --config $T/far.conf --parallel 1 $LOCAL/large @ext/cut 2>$T/err &
	pid=$!
	until_ok 300 "[ \$(s3 parts ${EXT}cut) -ge $((16 << 20)) ]"
	kill -$1 $pid
	wait $pid
}
sent() {
	proxy_counts | jq .sent
}
ok 'a put that is killed leaves its parts' '
	ended KILL; [ $? = 137 ] && [ $(s3 uploads ${EXT}cut | wc -l) = 1 ]'
ok 'the next sends the others, and no byte again' '
	have=$(s3 parts ${EXT}cut) && proxy_counts >$T/counts &&
	verb put --config $T/far.conf --parallel 16 $LOCAL/large @ext/cut &&
	[ $(sent) -lt $(((200 << 20) - have + (1 << 20))) ] && [ -z "$(s3 uploads ${EXT}cut)" ] &&
	s3 get ${EXT}cut/large | cmp - $LOCAL/large'
ok 'one that is interrupted says how to go on, and --abort removes it' '
	ended TERM; [ $? = 130 ] && grep -q "the same command again goes on" $T/err &&
	[ $(s3 uploads ${EXT}cut | wc -l) = 1 ] &&
	verb put --config $T/far.conf --abort $LOCAL/large @ext/cut && [ -z "$(s3 uploads ${EXT}cut)" ]'
done_testing
