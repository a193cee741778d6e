#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stages that are directories: every verb and statement, without a server.
#
# Covers: cli/cmd_keys.c
. "$(dirname "$0")/lib.sh"
S=$DIR/store
X=$DIR/ext
write_config "$DIR/stagefs.conf" <<-END
	[stagefs]
	user = root
	[storage]
	url = fs://$S/
	[stage ext]
	url = fs://$X/
END
export STAGEFS_CONFIG=$DIR/stagefs.conf
sql() {
	run sql "$@"
}
desc() {
	"$STAGEFS" desc "$1" --format json | python3 -c '
import json, sys
v = json.load(sys.stdin)[0][sys.argv[1]]
print(v if isinstance(v, str) else json.dumps(v))' "$2"
}
shown() {
	"$STAGEFS" show | cut -f1 | tr '\n' ' '
}
silent() {
	is "$1" "$RC$(cat "$DIR/out" "$DIR/err")" 0
}
files() {	# of a directory, without what is ours
	(cd "$1" && find . -path ./.stagefs -prune -o -type f -printf '%P\n' | sort)
}
names() {
	"$STAGEFS" list "$@" | cut -f1
}

run check
is 'check says ok of both' "$RC $(cut -f1,2,4 "$DIR/out")" "0 [storage]	fs://$S/stage/	ok
ext	fs://$X/	ok"
holds 'and whose URLs they are' grep -q "files in $X" "$DIR/out"
if ! setfattr -n user.x -v y "$X" 2>/dev/null; then
	echo '1..0 # SKIP the disk of TMPDIR keeps no user xattrs'
	exit 0
fi

# ---- put and get ----

mkdir -p "$DIR/in/sub" "$DIR/in/empty"
head -c 70000000 /dev/urandom >"$DIR/in/big"
echo small >"$DIR/in/sub/small"
: >"$DIR/in/nothing"
run put -r "$DIR/in" @ext/a
silent 'put of a tree'
holds 'is a copy' diff -r "$DIR/in" "$X/a/in"
run get -r @ext/a/in "$DIR/out1"
silent 'get of a tree'
holds 'is one too' diff -r "$DIR/in" "$DIR/out1/in"
run put "$DIR/in/big" @~/
silent 'put to the user stage'
holds 'lies below stage/user' cmp "$S/stage/user/root/big" "$DIR/in/big"
echo piped | "$STAGEFS" put - @ext/piped
is 'put from a pipe' "$(cat "$X/piped")" piped
is 'get to standard output' "$("$STAGEFS" get @ext/a/in/sub/small -)" small
"$STAGEFS" get @ext/a/in/big - | cmp - "$DIR/in/big"
result $? 'a large one too'
run put --content-type text/x "$DIR/in/sub/small" @ext/a
silent 'put with a type'
run get '@ext/a/in/*' "$DIR/out2/"
silent 'get by wildcards'
is 'has the files' "$(ls "$DIR/out2" | tr '\n' ' ')" 'big nothing '
run get --no-clobber @ext/piped "$DIR/out2/big"
holds '--no-clobber leaves it' cmp "$DIR/out2/big" "$DIR/in/big"
ino=$(stat -c %i "$X/a/in/big")
run put --skip-existing "$DIR/in/big" @ext/a/in
is '--skip-existing compares the bytes' "$RC $(stat -c %i "$X/a/in/big")" "0 $ino"
printf x | dd of="$DIR/in/big" bs=1 seek=30000000 conv=notrunc status=none
run put --skip-existing "$DIR/in/big" @ext/a/in
holds 'one byte that differs counts' cmp "$X/a/in/big" "$DIR/in/big"
run get --skip-existing @ext/a/in/big "$DIR/out2"
holds 'on the way back as well' cmp "$DIR/out2/big" "$DIR/in/big"
is 'nothing of the way is left' \
	"$(find "$DIR/out1" "$DIR/out2" -name '*.part*'; find "$X/.stagefs/tmp" -type f)" ''

(umask 022; chmod 600 "$DIR/in/nothing"; run put --exact "$DIR/in/nothing" @ext/closed)
is 'what is closed to others stays so' "$(stat -c %a "$X/closed")" 600
(umask 022; run get @ext/closed "$DIR/closed")
is 'on the way back too' "$(stat -c %a "$DIR/closed")" 600
chmod 755 "$DIR/in/sub/small"
(umask 027; run put --exact "$DIR/in/sub/small" @ext/closed)
is 'what is replaced keeps its mode' "$(stat -c %a "$X/closed")" 600
(umask 027; run put --exact "$DIR/in/sub/small" @ext/x/y/open)
is 'the umask counts' "$(stat -c %a "$X/x/y/open")" 750
run remove @ext/closed && run remove @ext/x/y/open && rmdir -p "$X/x/y" 2>/dev/null

fails 'below a file' 1 'cannot upload .*: a file has the name of one of its directories$' \
	put "$DIR/in/nothing" @ext/piped/
fails 'over a directory' 1 'a directory has that name$' put --exact "$DIR/in/nothing" @ext/a
fails 'a long name' 1 'more than 255 bytes$' \
	put --exact "$DIR/in/nothing" "@ext/$(printf 'n%.0s' $(seq 256))"
fails "the store's own folder" 1 "own folder$" put --exact "$DIR/in/nothing" @ext/.stagefs/x
fails 'its key is not to be had' 1 "own folder|no such file" get @ext/.stagefs/keys -
fails 'what is not there' 1 'no such file' get @ext/none "$DIR/none"

# ---- LIST, REMOVE, PRESIGN ----

is 'LIST' "$(names @ext)" 'a/in/big
a/in/nothing
a/in/sub/small
a/small
piped'
is 'a prefix' "$(names @ext/p)" piped
is 'a pattern' "$("$STAGEFS" sql "LIST @ext PATTERN = '.*small'" | cut -f1,2)" 'a/in/sub/small	6
a/small	6'
is 'no MD5 that nobody computed' "$("$STAGEFS" list @ext/piped --format json |
	python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["md5"])')" None
run remove @ext/a/small
holds 'REMOVE' test ! -e "$X/a/small"
run sql 'REMOVE @ext/a/in/sub/'
is 'of a directory' "$(names @ext/a)" 'a/in/big
a/in/nothing'
fails 'of what is not there' 1 'no such file' remove @ext/none
run presign @ext/a/b --format url
holds 'PRESIGN works without a gateway' grep -qE '^http://127.0.0.1:8000/ext/a/b\?X-Amz-Algorithm=AWS4-HMAC-SHA256&' \
	"$DIR/out"
holds 'and warns of it' grep -q '^stagefs: warning: no gateway' "$DIR/err"
run sql "PRESIGN UPLOAD @~/a (b).csv" 2>/dev/null
run sql "PRESIGN UPLOAD '@~/a (b).csv' EXPIRE = 60"
holds 'the user stage is in [storage]' \
	grep -q '/storage/stage/user/root/a%20%28b%29.csv?X-Amz-' "$DIR/out"

# ---- the life of stages ----

sql "CREATE STAGE inner COMMENT = 'hello'"
silent 'an internal stage'
holds 'is a directory' test -d "$S/stage/internal/inner"
is 'with its comment' "$(desc inner comment)" hello
run put "$DIR/in/sub/small" @inner
is 'that files do not disturb' "$(desc inner comment)" hello
sql "ALTER STAGE inner SET COMMENT = '$(printf 'c%.0s' $(seq 1900))'"
silent 'a long one'
is 'is kept whole' "$(desc inner comment | wc -c)" 1901
fails 'drop wants it empty' 1 'there are files in it' drop inner
sql 'DROP STAGE inner'
silent 'DROP STAGE takes the files too'
holds 'and the directory' test ! -e "$S/stage/internal/inner"
sql "CREATE STAGE mine URL = 'fs://$DIR/mine/' COMMENT = 'a folder'"
silent 'an external stage'
is 'is shown' "$(shown)" 'ext mine '
is 'with its type' "$(desc mine stage_type) $(desc mine storage_type)" 'External fs'
is 'its place' "$(desc mine url)" "fs://$DIR/mine/"
is 'no server' "$(desc mine endpoint)" null
is 'no credentials' "$(desc mine has_credentials)" false
run put "$DIR/in/sub/small" @mine
is 'takes files' "$(files "$DIR/mine")" small
fails 'a second time' 1 'already exists' create mine "url=fs://$DIR/mine2/"
run create blank "url=fs://$DIR/a%20b%25/"
silent 'the verb, and a name that is escaped'
holds 'is that directory' test -d "$DIR/a b%/.stagefs"
sql 'DROP STAGE blank; DROP STAGE mine'
silent 'dropped'
is 'the files stay' "$(files "$DIR/mine")" small

# refused SENTENCE REGEX STATEMENT: and nothing was made.
refused() {
	local before
	before=$(shown)
	sql "$3"
	[ "$RC" = 1 ] && grep -qE -- "$2" "$DIR/err" && [ "$(shown)" = "$before" ]
	result $? "$1" "$(cat "$DIR/err")"
}
refused 'no slash at the end' "path in URL must end with '/'" \
	"CREATE STAGE s URL = 'fs://$DIR/mine'"
refused 'a host' 'three slashes, and no host' "CREATE STAGE s URL = 'fs://data/x/'"
refused 'dots' 'not names' "CREATE STAGE s URL = 'fs:///data/../x/'"
refused 'a path alone' 'is written fs:///' "CREATE STAGE s URL = '/data/'"
refused 'file:' 'not file:' "CREATE STAGE s URL = 'file:///data/'"
refused 'keys of servers' 'region: a local directory' \
	"CREATE STAGE s URL = 'fs://$DIR/s/' CONNECTION = (REGION = 'x')"
refused 'a key that it knows nothing of' 'access_key_id: a local directory' \
	"CREATE STAGE s URL = 'fs://$DIR/s/' CONNECTION = (aws_key_id = 'x' aws_secret_key = '$SECRET')"
refused 'within another stage' 'overlap' "CREATE STAGE s URL = 'fs://$X/a/'"
ln -s "$X" "$DIR/link"
refused 'within it by a symlink' "ext and s overlap: fs://$X/ and fs://$DIR/link/new/" \
	"CREATE STAGE s URL = 'fs://$DIR/link/new/'"
refused 'in the storage' '\[storage\] and s overlap' \
	"CREATE STAGE s URL = 'fs://$S/stage/user/'"
holds 'none of them was made' test ! -e "$DIR/s"

sql "CREATE STAGE moves URL = 's3://bucket/' CONNECTION = (endpoint_url = 'http://127.0.0.1:9' aws_key_id = 'a' aws_secret_key = 'b')"
sql "ALTER STAGE moves SET URL = 'fs://$DIR/moves/' COMMENT = 'here now'"
silent 'ALTER from a server to a directory'
is 'leaves its connection behind' \
	"$(desc moves storage_params) $(desc moves comment)" '{"type":"fs"} here now'
sql "ALTER STAGE moves SET URL = 's3://bucket/'"
silent 'and back'
is 'without keys' "$(desc moves storage_type) $(desc moves has_credentials)" 's3 false'
sql 'DROP STAGE moves'

# ---- keys ----

key() {
	"$STAGEFS" presign "$1" --format url 2>/dev/null |
		sed -n 's/.*Credential=\([^%]*\)%2F.*/\1/p'
}
one=$(key @ext/x)
two=$(key @~/x)
run keys rotate @ext
silent 'keys rotate'
holds 'is another key' test "$(key @ext/x)" != "$one" -a -n "$one"
is 'of that store alone' "$(key @~/x)" "$two"
run keys rotate
holds 'without a word it is the storage' test "$(key @~/x)" != "$two" -a -n "$two"
two=$(key @~/x)
run keys rotate @~
holds '@~ is the storage too' test "$(key @~/x)" != "$two"
cd "$DIR" && run keys rotate ext
silent 'by a directory'
run keys rotate "fs://$X/"
silent 'by a URL'
fails 'no store' 1 'no local store' keys rotate "$DIR/in"
fails 'no stage' 1 'does not exist' keys rotate @none
fails 'a file' 1 'name the stage alone' keys rotate @ext/piped
fails 'a bucket' 1 'only stores of fs://' keys rotate s3://bucket/
fails 'another word' 2 'rotate' keys show
fails 'no word' 2 'rotate' keys

# ---- what cannot be opened ----

echo file >"$DIR/file"
write_config "$DIR/bad.conf" <<-END
	[storage]
	url = fs://$DIR/file/store/
	[stage ext]
	url = fs://$X/
END
run check --config "$DIR/bad.conf"
is 'check tells it in its row' "$RC $(cut -f1,4 "$DIR/out" | sed 's/\t.*: /\t/')" \
	'1 [storage]	Not a directory
ext	ok'
is 'other stages work' "$(names --config "$DIR/bad.conf" @ext/piped)" piped
fails 'it does not' 1 'Not a directory' list --config "$DIR/bad.conf" @~
fails 'nor sign' 1 'Not a directory' presign --config "$DIR/bad.conf" @~/x
fails 'nor take' 1 'cannot upload' put --config "$DIR/bad.conf" "$DIR/file" @~

# ---- nothing configured ----

unset STAGEFS_CONFIG
export HOME=$DIR/home
H=$HOME/.local/share/stagefs
[ "$(id -u)" != 0 ] || export XDG_DATA_HOME=$HOME/.local/share
run check
is 'a store of the person'"'"'s own' "$RC $(cut -f1,2,4 "$DIR/out")" "0 [storage]	fs://$H/stage/	ok"
run put "$DIR/file" @~
silent 'takes files'
is 'in the data folder' "$(cat "$H/stage/user/$(id -un)/file")" file
run create docs "url=fs://$DIR/docs/"
silent 'and stages, though there is no folder for them yet'
is 'that are kept' "$(shown)" 'docs '
is 'closed to others' "$(stat -c %a "$HOME/.config/stagefs")" 700
export XDG_DATA_HOME=/dev/null/data
fails 'a data folder that cannot be' 1 'Not a directory' list @~
finish
