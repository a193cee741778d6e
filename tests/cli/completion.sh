#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What Tab makes of a line in bash, zsh and fish; of bash at a terminal: the
# line is typed for `args`, which has stagefs's completion and prints its words.
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
cat >"$DIR/bashrc" <<'END'
. ../stagefs.bash
args() { printf '<%s>' "$@"; echo; }
complete -F _stagefs args
PS1='> '
END
types() {	# LINE: the words that came of it, in bash
	cd "$DIR/here" || exit
	printf '%s\nexit\n' "$1" |
		timeout 90 python3 "$HERE/terminal.py" 80 bash --noprofile \
			--rcfile ../bashrc -i |
		tr -d '\r' | sed -n 's/^\(> .*\)\{0,1\}\(<.*>\)$/\2/p'
}
while IFS='|' read -r line words; do
	is "bash: $line" "$(types "${line//TAB/$'\t'}")" "$words"
done <<'END'
args presTAB|<presign>
args help xaTAB|<help><xattrs>
args help zzTAB|<help><zz>
args list --format nTAB|<list><--format><ndjson>
args list --format=jTAB|<list><--format=json>
args create s endpTAB|<create><s><endpoint_url=>
args create s attributes=poTAB|<create><s><attributes=posix>
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
args put myTAB|<put><my file>
END
# compinit's function is the file itself: it must answer when first called.
in_zsh() {	# WORD...: what is offered for the last
	zsh -f -c 'fpath=($1 $fpath); shift
		compdef() { }; compset() { PREFIX=${PREFIX#*=} }; _files() { print FILES }
		compadd() { while [[ $1 == -* ]]; do
			[[ $1 != -S ]] || shift; shift; done
			print -rl -- ${(M)@:#${(Q)PREFIX}*} }
		words=(stagefs "$@") CURRENT=$((1 + $#)) PREFIX=${@[-1]}
		autoload -Uz _stagefs && _stagefs' zsh "$DIR/zsh" "$@"
}
if command -v zsh >/dev/null; then
	is 'zsh: a verb' "$(in_zsh pres | grep -v FILES)" presign
	is 'zsh: a topic' "$(in_zsh help xa)" xattrs
	is 'zsh: a stage' "$(in_zsh ls @e)" @ext/
	is 'zsh: a path' "$(in_zsh ls '@ext/with\ s')" '@ext/with space.csv'
	is 'zsh: a key' "$(in_zsh create s endp | grep .)" endpoint_url=
	is 'zsh: a value' "$(in_zsh create s attributes=po)" posix
else
	echo '# no zsh here'
fi
if command -v fish >/dev/null; then
	complete_in_fish() {
		fish --no-config -c "source $DIR/stagefs.fish
			complete -C '$1'" | cut -f1
	}
	is 'fish: a topic' "$(complete_in_fish 'stagefs help xa')" xattrs
	is 'fish: no file is one' \
		"$(cd "$DIR/here" && complete_in_fish 'stagefs help my')" ''
	is 'fish: a stage' "$(complete_in_fish 'stagefs ls @e')" @ext/
	is 'fish: a path' "$(complete_in_fish 'stagefs ls @ext/w')" \
		'@ext/with space.csv'
else
	echo '# no fish here'
fi
is 'no name of a file was a command' "$(find "$DIR" -name taken)" ''
finish
