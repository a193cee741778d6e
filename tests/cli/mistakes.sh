#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What people type who are wrong, as a table: what it is, the exit status, a
# regular expression for the one line on stderr, and the words.
#
# Covers: cli/cmd.c cli/help.c main.c
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
# ---- options in front of the verb
an option that the verb has not|2|list: unknown option --patern; did you mean --pattern|--patern=x list @ext
one that wants a value, and gets the verb|2|no MOUNTPOINT behind @ext: |--config list @ext
a mount's option, and a verb's name as the mountpoint|1|cannot mount|-o ro list
# ---- what an attribute's name has in front of its path
an expiry behind the path|2|presign: `&expire=60` would be part of the file's name: say `--expire 60`, or --literal|presign '@ext/a.csv&expire=60'
a type behind it|2|say `--content-type text/csv`|presign upload '@ext/a.csv&content_type=text/csv'
... behind a path on a mount|2|say `--expire 60`|presign './a.csv&expire=60'
TABLE

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
