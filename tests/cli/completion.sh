#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What Tab makes of a line in bash, zsh and fish; of the first two at a terminal:
# the line is typed for `args`, which has stagefs's completion and prints its
# words.
#
# Covers: cli/completion.c
. "$(dirname "$0")/lib.sh"
HERE=$(cd "$(dirname "$0")" && pwd)
DATA=$DIR/data
mkdir -p "$DATA/2026" "$DATA/year=2026" "$DIR/zsh" "$DIR/bin" "$DIR/here"
touch "$DATA/2026/b.csv" "$DATA/year=2026/z.csv" "$DATA/with space.csv" \
	"$DATA/it's" "$DATA/u@h" "$DATA/\$(touch taken)" "$DIR/here/my file"
write_config "$DIR/stagefs.conf" <<END
[stagefs]
user = root
[stage ext]
url = fs://$DATA/
END
export STAGEFS_CONFIG=$DIR/stagefs.conf TERM=dumb
ln -s "$(realpath "$STAGEFS")" "$DIR/bin/stagefs"
export PATH=$DIR/bin:$PATH
stagefs --generate completion >"$DIR/stagefs.bash"
stagefs --generate zsh >"$DIR/zsh/_stagefs"
stagefs --generate fish >"$DIR/stagefs.fish"
args='args() { printf "<%s>" "$@"; echo; }'
cat >"$DIR/bashrc" <<END
. ../stagefs.bash
$args
complete -F _stagefs args
PS1='> '
END
# Without what zsh writes behind its prompt, and takes back of a line.
cat >"$DIR/.zshrc" <<END
fpath=($DIR/zsh \$fpath)
autoload -Uz compinit && compinit -u -D
$args
compdef _stagefs args
unset zle_bracketed_paste
unsetopt prompt_sp
PS1='> '
END
in_bash() {	# LINE: the words that came of it
	types "$1" bash --noprofile --rcfile ../bashrc -i
}
in_zsh() {
	ZDOTDIR=$DIR types "$1" zsh -d -i
}
types() {	# LINE SHELL...
	cd "$DIR/here" || exit
	printf '%s\nexit\n' "$1" |
		timeout 90 python3 "$HERE/terminal.py" 80 "${@:2}" |
		tr -d '\r' | sed -n 's/^\(> .*\)\{0,1\}\(<.*>\)$/\2/p'
}
in_fish() {	# LINE: what is offered for its last word
	(cd "$DIR/here" && fish --no-config -c "source $DIR/stagefs.fish
		complete -C 'stagefs $1'" | cut -f1 | sort | paste -sd' ')
}
shells=bash
for shell in zsh fish; do
	if command -v $shell >/dev/null; then
		shells+=" $shell"
	else
		echo "# no $shell here"
	fi
done
while IFS='|' read -r line words; do
	for shell in ${shells/ fish/}; do
		is "$shell: $line" "$(in_$shell "${line//TAB/$'\t'}")" "$words"
	done
done <<'END'
args presTAB|<presign>
args help xaTAB|<help><xattrs>
args help zzTAB|<help><zz>
args help myTAB|<help><my>
args list --format nTAB|<list><--format><ndjson>
args list --format=jTAB|<list><--format=json>
args create s endpTAB|<create><s><endpoint_url=>
args create s attributes=poTAB|<create><s><attributes=posix>
args @ext /mnt -o endpTAB|<@ext></mnt><-o><endpoint_url=>
args @ext /mnt -o attributes=poTAB|<@ext></mnt><-o><attributes=posix>
args @ext /mnt -o ro=yes,attributes=poTAB|<@ext></mnt><-o><ro=yes,attributes=posix>
args @ext /mnt -o ro,metadata_tTAB|<@ext></mnt><-o><ro,metadata_ttl=>
args @ext /mnt -o attributes=posix,endpTAB|<@ext></mnt><-o><attributes=posix,endpoint_url=>
args desc eTAB|<desc><ext>
args show eTAB|<show><ext>
args drop --recursive eTAB|<drop><--recursive><ext>
args alter eTABcommenTAB|<alter><ext><comment=>
args desc myTAB|<desc><my>
args desc @eTAB|<desc><@ext/>
args ls @eTAB|<ls><@ext/>
args ls @ext/20TAB|<ls><@ext/2026/>
args cp @ext/20TABbTAB|<cp><@ext/2026/b.csv>
args cp @ext/yeTABzTAB|<cp><@ext/year=2026/z.csv>
args cp @ext/year=2TAB|<cp><@ext/year=2026/>
args cp @ext/with\ sTAB|<cp><@ext/with space.csv>
args cp "@ext/withTAB|<cp><@ext/with space.csv>
args cp @ext/itTAB|<cp><@ext/it's>
args cp @ext/u@TAB|<cp><@ext/u@h>
args cp @ext/\$TAB|<cp><@ext/$(touch taken)>
args rm @ext/uTAB @ext/itTAB|<rm><@ext/u@h><@ext/it's>
args put myTAB|<put><my file>
END
while IFS='|' read -r line words; do
	[ "${shells%fish}" = "$shells" ] ||
		is "fish: $line" "$(in_fish "$line")" "$words"
done <<'END'
presi|presign
help xa|xattrs
help my|
list --format n|ndjson
list --format=n|--format=ndjson
create s endp|endpoint_url=
create s attributes=|attributes=posix attributes=server
@ext /mnt -o endp|endpoint_url=
@ext /mnt -o metadata_t|metadata_ttl=
@ext /mnt -o attributes=po|attributes=posix
@ext /mnt -o ro,attributes=po|ro,attributes=posix
@ext /mnt -o attributes=posix,endp|attributes=posix,endpoint_url=
desc |ext
desc my|
show e|ext
alter ext commen|comment=
ls @e|@ext/
ls @ext/w|@ext/with space.csv
END
is 'no name of a file was a command' "$(find "$DIR" -name taken)" ''
finish
