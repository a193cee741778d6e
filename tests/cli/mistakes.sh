#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What people type who are wrong, as a table: what it is, the exit status, a
# regular expression for the one line on stderr, and the words.
#
# Covers: cli/cmd.c cli/help.c main.c config/config_foreign.c
. "$(dirname "$0")/lib.sh"
start_server
good_config
cd "$DIR" || exit 1
mkdir empty

while IFS='|' read -r sentence status regex words; do
	case $sentence in '' | \#*) continue ;; esac
	eval "set -- $words"
	fails "$sentence" "$status" "$regex" "$@"
done <<'TABLE'
# ---- the first word
a verb with a slip|2|lsit: neither a verb nor a file or directory that is here; did you mean `stagefs list`\?|lsit @ext
another|2|did you mean `stagefs presign`|presing @ext/a
nothing like it|2|^stagefs: frobnicate: neither a verb nor a file or directory that is here \(see `stagefs --help`\)$|frobnicate
it is no mountpoint, with a mountpoint behind it either|2|frobnicate: neither a verb|frobnicate empty
a word of other programs|2|did you mean `stagefs get`|download @ext/a
... for what has no verb|2|did you mean `stagefs SOURCE MOUNTPOINT`|mount @ext empty
... and its contrary|2|did you mean `umount\(8\)|umount empty
an empty word|2|no|''
a path that is not there is a mountpoint that is not|1|cannot mount: ./nowhere: |./nowhere
an unknown topic of help|2|frob: neither a verb nor options|help frob
# ---- names
a wildcard for rm, which takes none|1|there is no such file \(\* \? \[ are themselves here: --prefix and --pattern|rm '@ext/*.csv'
a word of several that is no location|2|list: "ext": a location begins with @|ls @ext ext
another|2|remove: "ext/a": a location begins with @|rm @ext/a ext/a
# ---- options
an unknown option|2|list: unknown option --patern; did you mean --pattern\?|list @ext --patern x
letters of which one is none|2|list: unknown option -rz|list @ext -rz
an option without its value|2|list: --pattern: a value is missing|list @ext --pattern
a time that is none|2|expire = 1y: a whole number of seconds from 1 to 604800, or as 15m, 1h, 7d|presign @ext/a --expire 1y
a time that is too long|2|expire = 8d: |presign @ext/a --expire 8d
a size that is none|1|content-length = 1X: |presign upload @ext/a --content-length 1X
# ---- what to mount
a bucket, and nowhere to see it|2|^stagefs: no MOUNTPOINT behind s3://bucket/path: the directory|s3://bucket/path
a stage, and nowhere to see it|2|^stagefs: no MOUNTPOINT behind @ext: |@ext
a URL with one slash|1|s3:/bucket/path: No such file or directory \(a SOURCE is s3://BUCKET/PATH, @STAGE or a|s3:/bucket/path empty
a remote of another program|2|remote:path: neither a verb nor a file or directory that is here|remote:path empty
a key by half its name|1|-o: unknown key endpoint; did you mean endpoint_url\?|s3://bucket/path empty -o endpoint=http://127.0.0.1:1
a scheme that is to come|1|azblob://c/p/: Azure and Google are not supported yet: this version knows s3:// and fs://|azblob://c/p empty
a secret for all to see|1|a secret is not taken from a command line|s3://bucket/path empty -o secret_access_key=x
an option as Amazon's program has it|2|unknown option --endpoint-url; did you mean -o endpoint_url=VALUE|s3://bucket/path empty --endpoint-url http://h
options without -o|2|not `region=x` as well \(options are one word behind -o|s3://bucket/path empty region=x
a space behind a comma|2|not `ro=yes` as well \(options are one word|s3://bucket/path empty -o region=x, ro=yes
what s3fs calls its server|1|http://h: the bucket is written s3://BUCKET/PATH/, and its server is the key endpoint_url|s3://bucket/path empty -o url=http://h
the URL of a bucket in a browser|1|its server is the key endpoint_url|https://b.s3.amazonaws.com/p empty
a word of fstab without its stroke|1|unknown key netdev; did you mean _netdev|s3://bucket/path empty -o netdev
a user of more, as others say it|1|unknown key allow_root; did you mean allow_other|s3://bucket/path empty -o allow_root
a profile|1|unknown key profile; did you mean credentials = profile:NAME|s3://bucket/path empty -o profile=data
a secret by its name in ~/.aws|1|unknown key aws_secret_access_key; did you mean secret_access_key|s3://bucket/path empty -o aws_secret_access_key=x
a cache by the name that s3fs has|1|unknown key use_cache; did you mean cache_dir|s3://bucket/path empty -o use_cache=/tmp
a mode that is none|1|umask = 999: an octal mode of at most 0777|s3://bucket/path empty -o umask=999
a user that is none|1|-o: uid = nix: a user.s name or number|s3://bucket/path empty -o uid=nix
the bucket left out|1|the bucket is missing: s3://BUCKET/PATH/|s3:// empty
a file as the mountpoint|1|stagefs.conf: not a directory|s3://bucket/path stagefs.conf -o endpoint_url=http://127.0.0.1:1
two sources|2|one SOURCE and one MOUNTPOINT, not|s3://bucket/path @ext empty
a file for check without its option|2|check: too many arguments; did you mean --config stagefs.conf|check stagefs.conf
a stage without its @|2|a location begins with @, as @stage/path|ls ext
a bucket where a stage belongs|2|a location begins with @, as @stage/path|ls s3://bucket
a directory without -r|1|/etc: a directory \(--recursive takes what is in it\)|cp /etc @ext/
two directories of this machine|2|cp: neither is in a stage|cp a b
# ---- options in front of the verb
an option that the verb has not|2|list: unknown option --patern; did you mean --pattern|--patern=x list @ext
one that wants a value, and gets the verb|2|no MOUNTPOINT behind @ext: |--config list @ext
a mount's option, and a verb's name as the mountpoint|1|cannot mount|-o ro list
# ---- what an attribute's name has in front of its path
an expiry behind the path|2|presign: `&expire=60` would be part of the file's name: say `--expire 60`, or --literal|presign '@ext/a.csv&expire=60'
a type behind it|2|say `--content-type text/csv`|presign upload '@ext/a.csv&content_type=text/csv'
... behind a path on a mount|2|say `--expire 60`|presign './a.csv&expire=60'
TABLE

# ---- what is in the configuration: the line, and what check says of it

# says SENTENCE REGEX < lines of [stage s]
says() {
	write_config "$DIR/c.conf" <<-END
	[stage s]
	access_key_id = AKTEST
	secret_access_key = $SECRET
	$(cat)
	END
	run check --config "$DIR/c.conf"
	holds "$1" sh -c "cat out err | grep -qE -- '$2' && [ $RC = 1 ]"
}
while IFS='|' read -r sentence regex lines; do
	says "$sentence" "$regex" <<-END
		url = s3://other/
		endpoint_url = http://127.0.0.1:$PORT
		$lines
	END
done <<'TABLE'
a key of ~/.aws/config|c.conf:6: unknown key aws_region; did you mean region|aws_region = x
a key of rclone|unknown key force_path_style; did you mean addressing = path|force_path_style = true
a region with blanks|region = US East: a word without spaces|region = US East
a profile without its kind|credentials = data: auto, static, anonymous, or a list of|credentials = data
a variable of the shell|neither \$\{env:NAME\} nor \$\{file:PATH\}|session_token = ${TOKEN}
TABLE
says 'a comment of another kind' 'a comment begins with ` ;`' <<-END
	url = s3://other/ # where
END
says 'the URL of a web page' 'its server is the key endpoint_url' <<-END
	url = https://other.s3.amazonaws.com/
END
says 'no scheme, and no TLS there' 'the TLS handshake failed \(if it speaks no TLS, write endpoint_url = http://' <<-END
	url = s3://other/
	endpoint_url = 127.0.0.1:$PORT
	deadline = 1
END
says 'the bucket in the endpoint too' 'is the bucket in endpoint_url as well' <<-END
	url = s3://other/
	endpoint_url = http://127.0.0.1:$PORT/other
END

# ---- a start that fails, as systemd's journal has it

for words in '@nix empty|<3>stagefs: cannot mount: ' 'list @nix|<3>stagefs: ' \
	'list|<3>stagefs: list: ' 'serve --config nix|<3>stagefs: '; do
	: >"$DIR/err"
	JOURNAL_STREAM=$(stat -c %d:%i "$DIR/err") \
		timeout 60 "$STAGEFS" ${words%|*} >"$DIR/out" 2>>"$DIR/err"
	holds "an error for the journal: ${words%|*}" \
		grep -q "^${words#*|}" "$DIR/err"
done

# ---- and what is right

for words in '--config $STAGEFS_CONFIG list @ext' '--config=$STAGEFS_CONFIG ls @ext' \
	'--config $STAGEFS_CONFIG --format tsv --header list @ext'; do
	eval "run $words"
	is "options in front of the verb: $words" "$RC$(cat "$DIR/err")" 0
done
run sql "PRESIGN '@ext/a.csv&expire=60'"
is 'in SQL it is refused with the right form' "$RC $(grep -c 'say EXPIRE = SECONDS behind the location' "$DIR/err")" '1 1'
run show stages
is 'show stages, as in SQL' "$RC $(cut -f1 "$DIR/out")" '0 ext'
for words in 'desc stage ext' 'DESC ext' 'desc stage @ext'; do
	run ${words,,}
	is "$words" "$RC $(cut -f1 "$DIR/out")" '0 ext'
done
run create stage made && run create stage && run show
is 'create stage, and of a stage that is called so' "$RC $(cut -f1 "$DIR/out" | paste -sd ,)" '0 ext,made,stage'
run drop stage made && run drop stage && run show
is 'drop stage' "$RC $(cut -f1 "$DIR/out")" '0 ext'
fails 'more words than a verb has' 2 'drop: too many arguments' drop stage ext ext
run presign --literal '@ext/a.csv&expire=60' --format url
holds 'a name that ends like an argument' grep -q '/a.csv%26expire%3D60?' "$DIR/out"

run ls @ext
is 'ls is list' "$RC$(cat "$DIR/err")" 0
for words in '-l @ext' '-la @ext' '-lh @ext/'; do
	run ls $words
	is "ls $words, as ls(1) has it" "$RC$(cat "$DIR/err")" 0
done
run presign -r @ext --format url
is 'presign -r, as other verbs have it' "$RC$(cat "$DIR/err")" 0
run help rm
holds 'rm is remove' grep -q '^usage: stagefs remove' "$DIR/out"
run presign @ext/a --expire 1h --format url
holds 'an hour' grep -q 'X-Amz-Expires=3600&' "$DIR/out"
run presign upload @ext/a --content-length 2K --format json
is 'two kibibytes' "$(jq -r '.[0].headers | to_entries[] | select(.key | ascii_downcase == "content-length").value' "$DIR/out")" 2048
sed -i 's/^\[stagefs\]/[stagefs]\nmetadata_ttl = 1m/' "$STAGEFS_CONFIG"
run show
is 'a minute in the configuration' "$RC" 0
finish
