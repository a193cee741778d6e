#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# du and tree; alter.
#
# Covers: cli/cmd_tree.c
. "$(dirname "$0")/lib.sh"
start_server --page 3
good_config
put_bytes() {	# NAME BYTES
	head -c "$2" /dev/zero | put "@ext/$1"
}
put_bytes a.csv 1000
put_bytes 2026/01/x.csv 2000
put_bytes 2026/01/y.csv 3000
put_bytes 2026/02/z.csv 4000
put_bytes 2026/all.csv 5000
put_bytes 2027/b 1024
mark @ext/empty/
put_bytes 'z	z' 1

run du @ext
is 'du: the directories of the first level, and all' "$(cat "$DIR/out")" "14000	4	@ext/2026/
1024	1	@ext/2027/
0	0	@ext/empty/
16025	7	@ext/"
run du @ext/2026 -d 2
is '... deeper' "$(cat "$DIR/out")" "5000	2	@ext/2026/01/
4000	1	@ext/2026/02/
14000	4	@ext/2026/"
run du -s @ext/2026/
is '... the sum alone' "$(cat "$DIR/out")" "14000	4	@ext/2026/"
run du -sh @ext
is '... for people' "$(cat "$DIR/out")" "15.6 KiB	7	@ext/"
run du -d 0 @ext --format json
is '... JSON' "$(jq -c '.[0] | [.size, .files, .name]' "$DIR/out")" '[16025,7,"@ext/"]'
run tree @ext
is 'tree' "$(cat "$DIR/out")" '@ext
├── 2026/
│   ├── 01/
│   │   ├── x.csv
│   │   └── y.csv
│   ├── 02/
│   │   └── z.csv
│   └── all.csv
├── 2027/
│   └── b
├── a.csv
├── empty/
└── z\tz

5 directories, 7 files, 15.6 KiB'
run tree @ext/2026/ -L 1 -s
is '... not as deep, with sizes' "$(cat "$DIR/out")" '@ext/2026/
├── 01/
├── 02/
└── all.csv  (4.8 KiB)

2 directories, 1 file, 4.8 KiB'
run du -s @ext/2026 @ext/nix @ext/2027/
is 'du of several: what fails is named, the rest is there' "$RC $(cat "$DIR/err") $(tr '\t\n' ' ,' <"$DIR/out")" \
	'1 stagefs: cannot list @ext/nix: there is no such directory 14000 4 @ext/2026/,1024 1 @ext/2027/,'
run tree @ext/2026/02 @ext/nix @ext/2027 -s
is 'tree of several: one sum' "$RC $(cat "$DIR/err") $(cat "$DIR/out")" \
	'1 stagefs: cannot list @ext/nix: there is no such directory @ext/2026/02
└── z.csv  (3.9 KiB)
@ext/2027
└── b  (1.0 KiB)

0 directories, 2 files, 4.9 KiB'
for verb in du tree; do
	fails "$verb of several, one of which is no location" 2 'ext' $verb @ext ext
	fails "$verb of nothing" 2 'which stage' $verb
	fails "$verb of what is not there" 1 'cannot list @ext/nix: there is no such directory' $verb @ext/nix
	fails "$verb of a stage that is not there" 1 'cannot list @nix: .*does not exist' $verb @nix
	fails "$verb of a word" 2 'ext' $verb ext
done

# ---- alter

"$STAGEFS" create mine "url=s3://bucket/mine/" "endpoint_url=http://127.0.0.1:$PORT" comment=old
run alter mine comment=new
is 'alter is silent' "$RC$(cat "$DIR/out" "$DIR/err")" 0
run show mine --format ndjson
is '... and alters' "$(jq -r .comment "$DIR/out")" new
run alter mine --unset comment,file_format
run show mine --format ndjson
is '... and forgets' "$RC$(jq -r .comment "$DIR/out")" 0
fails 'alter without a change' 2 'what shall change' alter mine
fails 'alter of what cannot be forgotten' 2 'unset: url' alter mine --unset url
fails 'alter without a name' 2 'which stage' alter
fails 'alter of an unknown key' 1 'regoin' alter mine regoin=x
fails 'alter of what is not there' 1 'does not exist' alter nix comment=x
run alter nix comment=x --if-exists
is '... if it is there' "$RC" 0
finish
