#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The manual pages and the completion say what the program takes.
#
# Covers: cli/manual.c cli/completion.c main.c
. "$(dirname "$0")/lib.sh"

for page in man1 man5 man8 completion; do
	"$STAGEFS" --generate "$page" >"$DIR/$page"
done
verbs=$("$STAGEFS" --help | sed -n 's/^  \([a-z]\+\)\(, [a-z]*\)\?  .*/\1/p')

has() {	# PAGE LINE-BEGINNING: as roff writes it
	awk -v want="${2//-/\\\\-}" 'index($0, want) == 1 { found = 1 }
		END { exit !found }' "$DIR/$1"
}

complete_for() {	# [VERB] WORD: what the shell offers
	(
		. "$DIR/completion"
		COMP_WORDS=(stagefs "$@")
		COMP_CWORD=$#
		_stagefs
		printf '%s\n' "${COMPREPLY[@]}"
	) | grep -qxe "${!#}"
}

is 'there are verbs' "$([ "$(wc -w <<<"$verbs")" -ge 10 ] && echo yes)" yes
for verb in $verbs; do
	holds "the manual has the verb $verb" has man1 ".SS \"stagefs $verb\""
	holds "$verb is completed" complete_for "$verb"
	for word in $("$STAGEFS" "$verb" --help | sed -n 's/^  \(-[a-zA-Z0-9], \)*\(--[-a-z0-9]*\).*/\2/p'); do
		holds "... $word stands in the manual" grep -qE -- "^\\.B (\\\\-., )*${word//-/\\\\-}(=|$)" "$DIR/man1"
		holds "... and is completed" complete_for "$verb" "$word"
	done
done
for key in $("$STAGEFS" help options | sed -n 's/^  \([a-z_]*\)=.*/\1/p'); do
	holds "stagefs.conf(5) has the key $key" has man5 ".B $key="
done
# offers SENTENCE WORD... -- WANTED: all that the shell offers.
offers() {
	local sentence=$1 words=() got
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	got=$(cd "$DIR/files" && . "$DIR/completion" && COMP_WORDS=(stagefs "${words[@]}") &&
		COMP_CWORD=${#words[@]} && _stagefs && echo "${COMPREPLY[*]}")
	is "$sentence" "$got" "$2"
}
mkdir "$DIR/files" && touch "$DIR/files/a.csv"
offers 'an empty word is a file' put '' -- a.csv
offers '... or the beginning of one' get -r a -- a.csv
offers 'presign has two words of its own' presign u -- upload
offers 'an option has its choices' presign --format c -- 'csv curl'
offers '... those of the verb' list --format c -- csv
offers '... behind an = as well' presign @s/a --method = H -- HEAD
offers '... all of them' presign --method = -- 'GET PUT HEAD DELETE auto'
offers 'a setting of create' create x regi -- region=
offers '... and of a mount' /mnt -o metadata -- metadata_ttl=
offers 'ls as list' ls --sort t -- time
start_server
good_config
printf 1 | put @ext/2026/a.csv
printf 1 | put @ext/2026/b.csv
printf 1 | put @ext/2027
PATH=$(dirname "$STAGEFS"):$PATH
offers 'stages' list @e -- @ext/
offers '... which are all there are' get @ -- '@~/ @ext/'
offers 'what is in one' get @ext/ -- '@ext/2026/ @ext/2027'
offers '... and in a directory of it' get @ext/2026/a -- @ext/2026/a.csv
line() {	# LINE WORD...: as readline cuts it
	(
		. "$DIR/completion"
		COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
		_stagefs
		echo "${COMPREPLY[*]}"
	)
}
is 'bash cuts at the @, readline does not' "$(line 'stagefs get @ext/20' stagefs get @ ext/20)" '@ext/2026/ @ext/2027'
for shell in zsh fish; do
	"$STAGEFS" --generate $shell >"$DIR/$shell"
	holds "$shell: has the verbs" grep -q presign "$DIR/$shell"
	! command -v $shell >/dev/null || holds "$shell: is its language" $shell -n "$DIR/$shell"
done
offers 'a value of another option is a file' sql -f '' -- a.csv
for section in EXAMPLES 'EXTENDED ATTRIBUTES' ENVIRONMENT FILES 'EXIT STATUS'; do
	holds "stagefs(1) has $section" has man1 ".SH $section"
done
for section in EXAMPLE COMMENTS FSTAB; do
	holds "stagefs.conf(5) has $section" has man5 ".SH $section"
done
awk '/^\.SH EXAMPLE/ { on = 1 } /^\.SH COMMENTS/ { on = 0 } on && !/^\./' "$DIR/man5" |
	sed 's/\\-/-/g; s|${file:.*}|x|' | write_config "$DIR/example.conf"
run show --config "$DIR/example.conf" --format tsv
is 'the example of stagefs.conf(5) is a configuration' "$(grep -c '^sales	External' "$DIR/out")$(grep -c 'configuration:' "$DIR/err")" 10
run --help
is 'the page fits 80 columns' "$(awk 'length > 80' "$DIR/out")" ''
for verb in $verbs options xattrs stores environment files; do
	run help "$verb"
	is "help $verb fits 80 columns" "$RC$(awk 'length > 80' "$DIR/out")" 0
	is '... and breaks no line within brackets' \
		"$(awk '/^$/ { exit } gsub(/\[/, "&") != gsub(/\]/, "&")' "$DIR/out")" ''
done
run status /nowhere
is 'status of no mount has no empty table' "$RC$(cat "$DIR/out")" 1
run --generate man9
is 'an unknown page is a usage error' "$RC" 2
if command -v groff >/dev/null; then
	cp "$top_srcdir/docs/stagefs-security.7" "$DIR/man7"
	for page in man1 man5 man7 man8; do
		# as man(1) has it printed on a terminal of 80 columns
		groff -t -man -Tascii -rLL=80n -P-c -P-b -P-u "$DIR/$page" >"$DIR/text"
		is "$page fits 80 columns" "$(wc -l <"$DIR/text" | grep -xc '[1-9][0-9]*')$(awk 'length > 80' "$DIR/text")" 1
	done
	is 'groff has nothing to say about the pages' \
		"$(groff -man -Tascii -ww -z "$DIR"/man[1578] 2>&1)" ''
fi
finish
