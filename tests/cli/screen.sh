#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a person sees at a terminal of 80 columns, where nothing else was asked
# for; a pipe gets what it always got.
#
# Covers: client/statement_list.c client/stages_show.c client/qr.c
# Covers: client/presign_page.c cli/sql_prompt.c
. "$(dirname "$0")/lib.sh"
HERE=$(cd "$(dirname "$0")" && pwd)
start_server
good_config
cat >>"$STAGEFS_CONFIG" <<END
[stage broken]
url = s3://other/nope/
endpoint_url = http://127.0.0.1:$PORT
access_key_id = AKTEST
secret_access_key = wrong
comment = a comment
END
head -c 2000 /dev/zero | put @ext/2026/with-a-name-of-some-length/report-of-november-2026.parquet
head -c 3000000 /dev/zero | put @ext/small.csv
head -c 10 /dev/zero | put @ext/young
on_terminal() {	# COLUMNS ARG... < answers
	timeout 90 python3 "$HERE/terminal.py" "$1" "$STAGEFS" "${@:2}" </dev/null >"$DIR/out"
	RC=$?
}
fits() {
	sed 's/\x1b\[[0-9;]*m//g' "$DIR/out" | awk 'length > 80'
}
mask() {	# times, which are no others'
	sed -E 's/20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{5}/DATE TIME/; s/ +$//' "$DIR/out"
}
export TERM=xterm
on_terminal 80 list @ext
is 'list: size, time, name, and a sum' "$(mask)" '   size  last_modified     name
   2000  DATE TIME  2026/with-a-name-of-some-length/report-of-november-2026.parquet
3000000  DATE TIME  small.csv
     10  DATE TIME  young
3 files, 2.8 MiB'
on_terminal 80 ls -h1 --sort size @ext
is 'sizes for people, one level, the largest first' "$(mask)" '   size  last_modified     name
2.8 MiB  DATE TIME  small.csv
   10 B  DATE TIME  young
      -                    2026/
1 directory, 2 files, 2.8 MiB'
run ls -1 @ext
is 'a pipe has the columns that it had' "$(awk -F'\t' '{ print $1, $2, NF }' "$DIR/out" | tr '\n' ,)" '2026/  5,small.csv 3000000 5,young 10 5,'
run ls -1 @ext --format ndjson
is '... in JSON a directory has neither size nor time' "$(jq -c '[.name, .size, .last_modified]' "$DIR/out" | head -1)" '["2026/",null,null]'
run ls -1h @ext --format csv
is '... nor in CSV' "$(head -1 "$DIR/out" | tr -d '\r')" '2026/,,,,'
on_terminal 80 ls -1 @ext
is 'on a terminal it has a dash' "$(mask)" '   size  last_modified     name
      -                    2026/
3000000  DATE TIME  small.csv
     10  DATE TIME  young
1 directory, 2 files, 2.8 MiB'
run ls --sort time @ext
is '... and may be sorted' "$(head -1 "$DIR/out" | cut -f1)" young
run ls -h @ext
is '... with sizes for people' "$(sed -n 2p "$DIR/out" | cut -f2)" '2.8 MiB'
on_terminal 80 rm -r --dry-run @ext/2026 @ext/young
is 'a dry run of rm: the size, and the name, which may be long' "$(cat "$DIR/out")" 'size  name
2000  @ext/2026/with-a-name-of-some-length/report-of-november-2026.parquet
  10  @ext/young'
on_terminal 80 ls -1 @ext/2026 @nix @ext/you
is 'ls of several: headings' "$RC $(mask)" "1 @ext/2026:
size  last_modified  name
   -                 2026/
1 directory, 0 files, 0 B
stagefs: cannot list @nix: Stage 'nix' does not exist.

@ext/you:
size  last_modified     name
  10  DATE TIME  young
1 file, 10 B"
on_terminal 80 show
is 'show: name, type, URL' "$(sed 's/ *$//' "$DIR/out")" 'name    type      url
broken  External  s3://other/nope/
ext     External  s3://other/data/'
on_terminal 80 desc broken
is 'desc stands upright' "$(grep -v '^storage_params\|^ ' "$DIR/out")" "name                 broken
stage_type           External
storage_type         s3
url                  s3://other/nope/
endpoint             http://127.0.0.1:$PORT
has_credentials      yes
comment              a comment"
long=$(printf 'a/rather/long/way/%.0s' {1..9})
cat >>"$STAGEFS_CONFIG" <<END
[stage far]
url = s3://other/$long
endpoint_url = http://127.0.0.1:$PORT
access_key_id = AKTEST
secret_access_key = $SECRET
comment = $(printf 'wörter ohne ende %.0s' {1..9})end
END
for width in 80 120; do
	on_terminal $width desc far
	is "desc at $width columns: further lines stand under the value" \
		"$(awk -v width=$width '{ c = substr($0, 1, 21) } /^[a-z]/ { keys++ } length > width || c !~ / $/ { print }
			END { print keys >= 7 }' "$DIR/out")" 1
	is '... nothing is lost' "$(sed 's/^.\{21\}//' "$DIR/out" | tr -d '\n' | grep -oF "s3://other/$long" | head -1)" "s3://other/$long"
	for q in 'LIST @ext' 'SHOW STAGES' 'DESC STAGE far'; do
		on_terminal $width sql "$q"
		cp "$DIR/out" "$DIR/sql"
		read -ra verb <<<"${q,,}"
		on_terminal $width "${verb[@]}"
		is "sql at $width columns: $q as the verb has it" "$(cat "$DIR/sql")" "$(cat "$DIR/out")"
	done
	run sql 'LIST @ext'
	is '... but in a pipe' "$(awk -F'\t' '{ print NF }' "$DIR/out" | sort -u)" 5
done
sed -i '/^\[stage far\]/,$d' "$STAGEFS_CONFIG"
on_terminal 80 check
is 'check: a table, and what is wrong below it, in red' "$RC $(sed 's/\x1b\[31m/<r>/g; s/\x1b\[32m/<g>/g; s/\x1b\[0m/<>/g' "$DIR/out" | sed '$s/: .*/: .../')" \
	'1 name       status  url
[storage]  <g>ok<>      s3://bucket/root/stage/
broken     <r>failed<>  s3://other/nope/
ext        <g>ok<>      s3://other/data/
<r>broken: ...'
NO_COLOR=1 on_terminal 80 check
is '... without colours where NO_COLOR says so' "$(grep -c $'\x1b' "$DIR/out")" 0
for verb in 'list @ext' show 'check' 'du @ext' 'tree @ext'; do
	on_terminal 80 $verb
	is "$verb fits 80 columns" "$(fits | grep -v '^broken: \|parquet')" ''
done

# ---- pages, codes, and the prompt

run presign @ext/2026/
is 'presign of a directory: a row for each file' "$RC$(wc -l <"$DIR/out")" 01
run presign @ext/
is '... of a stage' "$RC$(wc -l <"$DIR/out")" 03
fails '... without its slash it is none' 2 'a whole stage has no URL' presign @ext
printf x | put '@ext/<b>"&".csv'
run presign @ext/ --format html --expire 1h
holds 'a page of links' python3 - "$DIR/out" <<'END'
import html.parser, re, sys, urllib.request
rows = []
class Page(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs):
        if tag == "a":
            rows.append([dict(attrs)["href"], ""])
        self.tag = tag
    def handle_data(self, data):
        if getattr(self, "tag", "") == "a":
            rows[-1][1] += data
        elif getattr(self, "tag", "") == "td" and rows:
            rows[-1].append(data.strip())
text = open(sys.argv[1]).read()
p = Page()
p.feed(text)
assert [r[1] for r in rows] == ["2026/with-a-name-of-some-length/report-of-november-2026.parquet", '<b>"&".csv',
                                "small.csv", "young"], rows
assert rows[1][2:4] == ["1 B", rows[1][3]] and re.fullmatch(r"20..-..-..T..:..:..Z", rows[1][3]), rows[1]
for url, name, *_ in rows:
    assert len(urllib.request.urlopen(url).read()) > 0, name
END
run presign @ext/young --qr --format url
is 'a QR code is lines of blocks, as high as it is wide' "$RC $(python3 -c '
import sys
lines = open(sys.argv[1]).read().splitlines()
wide = {len(l) for l in lines}
print(len(wide), abs(2 * len(lines) - wide.pop()) <= 1, set("".join(lines)) <= set(" \u2580\u2584\u2588"))' "$DIR/out")" '0 1 True True'
export HOME=$DIR XDG_STATE_HOME=$DIR/state
timeout 90 python3 "$HERE/terminal.py" 80 "$STAGEFS" sql <<'END' >"$DIR/out"
LIST @ext/young;
LIST
@ext/small.csv;
LIST @nix;
CREATE STAGE s URL='s3://bucket/x/' CONNECTION=(access_key_id='a' secret_access_key='sesame');
exit
END
is 'the prompt of sql' "$? $(grep -c '  young$' "$DIR/out") $(grep -c '  small.csv$' "$DIR/out") $(grep -c '2501' "$DIR/out")" '0 1 1 1'
holds '... has a history' grep -q 'young' "$DIR/state/stagefs/sql_history"
holds '... of whole statements' grep -q 'LIST.*small.csv' "$DIR/state/stagefs/sql_history"
holds '... without secrets' sh -c "! grep -q sesame '$DIR/state/stagefs/sql_history'"
is '... closed to others' "$(stat -c %a "$DIR/state/stagefs/sql_history")" 600
echo 'LIST @ext/young' | timeout 60 "$STAGEFS" sql >"$DIR/out"
is 'a pipe is read without -f' "$(cut -f1 "$DIR/out")" young
finish
