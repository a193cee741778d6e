#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The verbs, which need no mount: presign, list and check against the store.
#
# Covers: client/mount_presign.c client/daemon.c
. "$(dirname "$0")/lib.sh"
write_config
random_file "$LOCAL/data" 54321
random_file "$LOCAL/new" 999
s3 put "${EXT}file" "$LOCAL/data"
s3 put "${EXT}sub/a b+c%.csv" "$LOCAL/data" content_type=text/csv
s3 put "${EXT}sub/ü.csv" "$LOCAL/new"
s3 put "${INTERNAL_PREFIX}books/b.txt" "$LOCAL/new"
s3 put "${USER_PREFIX}mine" "$LOCAL/new"

# verb VERB ARGUMENT...: with the test's configuration, and an end.
verb() {
	local v=$1
	shift
	timeout 60 "$STAGEFS" "$v" --config "$CONF" "$@" 2>"$T/err" </dev/null || {
		set -- $?
		cat "$T/err" >&2
		return "$1"
	}
}

# ---- presign

ok 'curl downloads by presign' '
	curl -fsS "$(verb presign @ext/file --format url)" | cmp - $LOCAL/data'
ok 'download is what presign does when nothing is said' '
	[ "$(verb presign download @ext/file --format json | jq -r .[0].method)" = GET ]'
ok 'curl uploads by presign upload' '
	curl -fsS -T $LOCAL/new "$(verb presign upload @ext/new/x.bin --format url)" &&
	s3 get ${EXT}new/x.bin | cmp - $LOCAL/new'
ok 'a name with every odd byte' '
	curl -fsS "$(verb presign "@ext/sub/a b+c%.csv" --format url)" |
		cmp - $LOCAL/data &&
	curl -fsS "$(verb presign "@ext/sub/ü.csv" --format url)" | cmp - $LOCAL/new'
ok 'the user stage and internal stages too' '
	curl -fsS "$(verb presign @~/mine --format url)" | cmp - $LOCAL/new &&
	curl -fsS "$(verb presign @books/b.txt --format url)" | cmp - $LOCAL/new'
like '--expire is in the URL' "$(verb presign @ext/file --expire 77 --format url)" \
	'X-Amz-Expires=77&'
like 'an hour is the default' "$(verb presign @ext/file --format url)" \
	'X-Amz-Expires=3600&'
ok 'TSV is method, headers and URL without a header line' '
	verb presign @ext/file >$T/row && [ "$(wc -l <$T/row)" = 1 ] &&
	[ "$(cut -f1 $T/row)" = GET ] && cut -f2 $T/row | jq -e . &&
	curl -fsS "$(cut -f3 $T/row)" | cmp - $LOCAL/data'
ok '--format json is an array of rows' '
	verb presign @ext/file --format json |
		jq -e "length == 1 and (.[0] | .method == \"GET\" and
			(.url | startswith(\"http\")) and (.headers | type == \"object\"))"'
ok '--format curl runs under sh' '
	mkdir $T/dl && cd $T/dl && verb presign @ext/file --format curl | sh &&
	cmp $T/dl/file $LOCAL/data'
ok '--content-type is signed and shown in the headers' '
	verb presign upload @ext/t.csv --content-type text/csv --format json >$T/row &&
	jq -e ".[0].headers | to_entries |
		any((.key | ascii_downcase) == \"content-type\" and
			.value == \"text/csv\")" $T/row &&
	curl -fsS -T $LOCAL/new -H "Content-Type: text/csv" \
		"$(jq -r ".[0].url" $T/row)" &&
	[ "$(s3 head ${EXT}t.csv | jq -r .ContentType)" = text/csv ]'
ok 'another type is refused by the server' '
	! curl -fsS -T $LOCAL/data -H "Content-Type: text/html" \
		"$(jq -r ".[0].url" $T/row)"'
for bad in 0 604801 -1 x 1.5 ''; do
	ok "--expire '$bad' is refused in one line" '
		! verb presign @ext/file --expire "$bad" >$T/out && [ ! -s $T/out ] &&
		[ "$(wc -l <$T/err)" = 1 ] && grep -q "^stagefs: .*expire" $T/err'
done
for bad in '@ext/../x' '@ext/a//b' 'ext/file' '@' '@none/x'; do
	ok "presign of '$bad' is refused in one line" '
		! verb presign "$bad" >$T/out && [ ! -s $T/out ] &&
		[ "$(wc -l <$T/err)" = 1 ] && grep -q "^stagefs: " $T/err'
done

# ---- list

is 'list shows what is in a stage, with sizes' \
	"$(verb list @ext/sub/ | cut -f1,2 | tr '\t\n' ' ;')" \
	'sub/a b+c%.csv 54321;sub/ü.csv 999;'
ok 'list of a stage has every file of it' '
	diff <(verb list @ext | cut -f1 | sort) \
		<(s3 list $EXT | cut -f2 | sort)'
ok 'list shows the ETag' '
	verb list @ext/file --format json | jq -r ".[0].md5" |
		grep -q "$(md5sum <$LOCAL/data | cut -d" " -f1)"'
ok 'its time is RFC 3339 and that of the object' '
	[ "$(date -d "$(verb list @ext/file --format json |
		jq -r ".[0].last_modified")" +%s)" = \
	"$(date -d "$(s3 head ${EXT}file | jq -r .LastModified)" +%s)" ]'
is '--pattern takes a regular expression' \
	"$(verb list @ext/ --pattern '.*\.csv' | cut -f1 | tr '\n' ';')" \
	'sub/a b+c%.csv;sub/ü.csv;t.csv;'
is 'what matches nothing is no error' "$(verb list @ext/none; echo $?)" 0
ok 'ndjson is a row a line' '
	verb list @ext --format ndjson >$T/rows && jq -e .name $T/rows &&
	[ "$(wc -l <$T/rows)" = "$(s3 list $EXT | wc -l)" ]'
is '--header names the columns' \
	"$(verb list @ext/file --header --format tsv | head -n 1 | tr '\t' ' ')" \
	'name size md5 last_modified creator'
ok 'more than a page is listed whole' '
	/usr/bin/python3 - <<-END
	import os, sys
	sys.argv = ["s3.py"]
	sys.path.insert(0, "$HERE")
	import s3
	from concurrent.futures import ThreadPoolExecutor
	with ThreadPoolExecutor(8) as pool:
	    list(pool.map(lambda i: s3.S3.put_object(
	        Bucket=s3.BUCKET, Key="${EXT}many/%04d" % i, Body=b""), range(1203)))
	END
	[ "$(verb list @ext/many/ | wc -l)" = 1203 ]'
fails 'a pattern that is none is refused' '^stagefs: .*pattern' '
	verb list @ext --pattern "("'

# ---- check

ok 'check succeeds on a good configuration' 'verb check'
ok 'and names the stages' 'verb check | grep -q ext'
sed -i "/^\[stage ext\]/,\$s/^aws_secret_key = .*/aws_secret_key = wrong/" "$CONF"
ok 'check fails on a wrong secret, naming stage and reason' '
	! verb check >$T/out && cat $T/out $T/err | grep ext |
		grep -qE "SignatureDoesNotMatch|secret|denied"'
ok 'list fails on it in one line' '
	! verb list @ext && [ "$(wc -l <$T/err)" = 1 ] && grep -q "^stagefs: " $T/err'
write_config
printf '[stage books]\nurl = s3://%s/%sbooks/\n%s\n' "$BUCKET" "$PREFIX" \
	"$(connection)" >>"$CONF"
ok 'check says that an external stage hides an internal one' '
	verb check >$T/out; cat $T/out $T/err | grep -i books | grep -iqE "hid|internal"'

# ---- beside a mount, which gathers removals for a moment

write_config
mount_up
gather() {	# DIRECTORY: 40 files there are removed, 39 of them not yet in the store
	mkdir -p "$MNT/ext/$1" && (cd "$MNT/ext/$1" && touch {1..40} && rm {1..40})
}
ok 'what a mount has just removed is not listed' '
	gather gone && [ -z "$(verb list @ext/gone/)" ]'
echo put >"$LOCAL/40"
ok 'what is put where a mount has just removed stays' '
	gather gone && verb put -q "$LOCAL/40" @ext/gone/ && umount "$MNT" &&
	until_ok 60 "[ -z \"\$(daemon_pids)\" ]" && [ "$(s3 get "${EXT}gone/40")" = put ]'
mount_up
mkfifo "$T/typing"
ok 'so it is with each statement that is typed' '
	mkdir "$MNT/ext/late"; touch "$MNT/ext/late/other"
	timeout 90 script -qec "$STAGEFS sql --config=$CONF" /dev/null \
		<"$T/typing" >"$T/typed" & exec 7>"$T/typing"
	echo "LIST @ext/late;" >&7
	until_ok 60 "grep -q late/other $T/typed" && gather late &&
		printf "LIST @ext/late;\nexit;\n" >&7
	exec 7>&-; wait; cat "$T/typed"
	[ "$(grep -c "late/other" "$T/typed")" = 2 ] && ! grep "late/[1-9]" "$T/typed"'

# A daemon that is stopped answers nobody: what says so has waited for it.
waits() {	# VERB WORD...: yes or no
	verb "$@" >"$T/out" || return
	grep -q "^stagefs: $MNT: its daemon does not say that it has sent what" "$T/err" &&
		echo yes || echo no
}
kill -STOP $(daemon_pids)
while read -r wait words; do
	is "beside a mount that hangs, does $words wait for it" "$(waits $words)" "$wait"
done <<'END'
no presign @ext/file
no presign download @ext/file
no show
no desc ext
no check
yes list @ext/sub/
yes presign upload @ext/hung
yes presign -r @ext/sub/
yes du @ext/sub
yes cat @ext/file
yes rm -f @ext/none
END
ok '... a script of statements once' '
	verb sql "LIST @ext/sub; LIST @ext/sub" >$T/out; cat "$T/err"
	[ "$(grep -c "its daemon" "$T/err")" = 1 ]'
ok '... and says what it waits for, to a person' '
	script -qec "$STAGEFS list --config=$CONF @ext/sub/" /dev/null </dev/null >"$T/typed"
	cat "$T/typed"
	grep -q "$MNT: waiting for its daemon, which may have changes of names to send" "$T/typed"'
is '... those that find no room at its socket too' \
	"$(for _ in 1 2 3; do waits list @ext/sub/; done | paste -sd' ')" 'yes yes yes'
kill -CONT $(daemon_pids)
mount_down

# ---- credentials from elsewhere

write_config
sed -i '/^aws_/d' "$CONF"
ok 'credentials from the environment' '
	export AWS_ACCESS_KEY_ID=$KEY_ID AWS_SECRET_ACCESS_KEY=$SECRET
	verb list @ext/file | grep -q "^file"'
mkdir "$HOME/.aws"
printf '[work]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
	"$KEY_ID" "$SECRET" >"$HOME/.aws/credentials"
ok 'from ~/.aws/credentials with AWS_PROFILE' '
	export AWS_PROFILE=work; verb list @ext/file | grep -q "^file"'
sed -i '/^\[storage\]\|^\[stage /a credentials = profile:work' "$CONF"
ok 'and with credentials = profile:NAME' 'verb list @ext/file | grep -q "^file"'
printf '[profile other]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
	"$KEY_ID" "$SECRET" >"$HOME/.aws/config"
sed -i 's/profile:work/profile:other/' "$CONF"
ok 'and from ~/.aws/config' 'verb list @ext/file | grep -q "^file"'
sed -i 's/profile:other/profile:none/' "$CONF"
ok 'a profile that is not there is named' '
	! verb list @ext/file && [ "$(wc -l <$T/err)" = 1 ] && grep -q none $T/err'
sed -i '/^credentials/d' "$CONF"
rm -r "$HOME/.aws"
ok 'without any credentials the message says so' '
	! verb list @ext/file && [ "$(wc -l <$T/err)" = 1 ] &&
	grep -qi "credential\|key" $T/err'

done_testing
