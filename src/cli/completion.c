/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words come from the tables that are parsed by; stages and paths from
 * `show` and `list --one-level`, which have three seconds.
 */
#include "cli/completion.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/help.h"
#include "config/config.h"
#include "stage/conf/conn.h"

/* For bash and zsh: names of stages; lines that begin with what is typed. */
static const char *const completion_locations =
	"_stagefs_stages()\n{\n"
	"\ttimeout 3 stagefs show --format tsv 2>/dev/null | cut -f1\n}\n"
	"_stagefs_locations()\n{\n"
	"\tcase $1 in\n"
	"\t@*/*)\n"
	"\t\ttimeout 3 stagefs list --one-level --format tsv -- \"$1\" "
	"2>/dev/null |\n"
	"\t\t\tcut -f1 | sed \"s|^|${1%%/*}/|\" ;;\n"
	"\t*)\n"
	"\t\techo '@~/'\n"
	"\t\t_stagefs_stages | sed 's|.*|@&/|' ;;\n"
	"\tesac\n}\n";

static bool completion_is_verb(const struct command *c)
{
	return *c->verb;
}

/* Verbs whose words are settings. */
static bool completion_takes_keys(const struct command *c)
{
	return strstr(c->synopsis, "KEY=VALUE");
}

/* Verbs whose first word is a stage that there is, without an `@`. */
static bool completion_takes_stages(const struct command *c)
{
	return !strncmp(c->synopsis + (*c->synopsis == '['), "STAGE", 5);
}

static void completion_verbs(const struct command *const *commands, FILE *out)
{
	for (const struct command *const *c = commands; *c; c++) {
		if (completion_is_verb(*c))
			fprintf(out, " %s", (*c)->verb);
		if ((*c)->also)
			fprintf(out, " %s", (*c)->also);
	}
}

static void completion_names(const struct option *table, const char *end,
			     FILE *out)
{
	for (const struct option *row = table; row && row->name; row++)
		if (!row->alias_of || *row->name == '-')
			fprintf(out, " %s%s", row->name, end);
}

static void completion_choices(const struct option *row, FILE *out)
{
	fputc(' ', out);
	for (const char *p = row->choices; *p; p++)
		fputc(*p == '|' ? ' ' : *p, out);
}

/* `verb)`, or `verb|also)`. */
static void completion_case(const struct command *c, FILE *out)
{
	fprintf(out, "\t%s%s%s)", c->verb, c->also ? "|" : "",
		c->also ? c->also : "");
}

/* Cases of `verb:option`, for options with a few words to choose from. */
static void completion_values(const struct command *c, FILE *out)
{
	for (const struct option *row = c->options; row && row->name; row++) {
		if (row->type != OPTION_CHOICE)
			continue;
		fprintf(out, "\t%s:%s", c->verb, row->name);
		if (c->also)
			fprintf(out, "|%s:%s", c->also, row->name);
		fputs(") values='", out);
		completion_choices(row, out);
		fputs("' ;;\n", out);
	}
}

/* Cases of `*:key`, for keys with a few words to choose from. */
static void completion_key_values(const struct option *row, FILE *out)
{
	for (; row->name; row++) {
		if (row->type != OPTION_CHOICE || row->alias_of)
			continue;
		fprintf(out, "\t*:%s) values='", row->name);
		completion_choices(row, out);
		fputs("' ;;\n", out);
	}
}

static void completion_words(const struct command *c, FILE *out)
{
	completion_case(c, out);
	fputs(" opts='--help", out);
	completion_names(c->options, "", out);
	fputc('\'', out);
	if (completion_takes_keys(c)) {
		fputs(" keys='", out);
		completion_names(conn_options, "=", out);
		fputc('\'', out);
	}
	if (completion_takes_stages(c))
		fputs(" stages=1 files=", out);
	fputs(" ;;\n", out);
}

/* What both shells set by the verb and the word before: words, keys, values. */
static void completion_cases(const struct command *const *commands, FILE *out)
{
	fputs("\tcase $verb:$prev in\n", out);
	for (const struct command *const *c = commands; *c; c++)
		completion_values(*c, out);
	fputs("\thelp:help) values='", out);
	completion_verbs(commands, out);
	help_topic_words(out);
	fputs("' files= ;;\n", out);
	completion_key_values(config_mount_options, out);
	completion_key_values(conn_options, out);
	fputs("\t*:-o) keys='", out);
	completion_names(config_mount_options, "=", out);
	completion_names(conn_options, "=", out);
	fputs("' ;;\n\tesac\n\tcase $verb in\n", out);
	for (const struct command *const *c = commands; *c; c++)
		if (completion_is_verb(*c))
			completion_words(*c, out);
	fputs("\t*) opts='-f -o --config' ;;\n\tesac\n"
	      "\t[ -z \"$values\" ] || keys=\n",
	      out);
}

/*
 * The word is taken from the line, and the one before it, without quotes: bash
 * cuts words at `@`, `=` and `:`. What readline will not replace, up to the
 * last of `=` and `:` and to before the last `@`, is cut off from the answers.
 * Names of files and stages are never expanded, as `compgen -W` would; they are
 * quoted, unless within quotes.
 */
static const char *const completion_bash_word =
	"_stagefs_word()\n{\n"
	"\tlocal line=${COMP_LINE-} c i\n"
	"\twhole= before= q= line=${line:0:${COMP_POINT:-0}}\n"
	"\tfor ((i = 0; i < ${#line}; i++)); do\n"
	"\t\tc=${line:i:1}\n"
	"\t\tif [[ $q == \\\\ ]]; then whole+=$c q=\n"
	"\t\telif [[ $c == \"$q\" ]]; then q=\n"
	"\t\telif [[ $c == \\\\ && $q != \\' ]]; then q=\\\\\n"
	"\t\telif [[ -z $q && $c == [\\\"\\'] ]]; then q=$c\n"
	"\t\telif [[ -z $q && $c == [[:space:]] ]]; then\n"
	"\t\t\t[[ -z $whole ]] || before=$whole\n\t\t\twhole=\n"
	"\t\telse whole+=$c; fi\n"
	"\tdone\n}\n"
	"_stagefs_complete_location()\n{\n"
	"\tlocal line tail=$whole\n"
	"\t[[ $COMP_WORDBREAKS != *:* ]] || tail=${tail##*:}\n"
	"\t[[ $COMP_WORDBREAKS != *=* ]] || tail=${tail##*=}\n"
	"\t[[ $COMP_WORDBREAKS != *@* || $tail != *@* ]] || "
	"tail=@${tail##*@}\n"
	"\twhile IFS= read -r line; do\n"
	"\t\t[[ $line == \"$whole\"* ]] || continue\n"
	"\t\tline=${line#\"${whole%\"$tail\"}\"}\n"
	"\t\t[[ -n $q ]] || printf -v line %q \"$line\"\n"
	"\t\tCOMPREPLY+=(\"$line\")\n"
	"\tdone < <(_stagefs_locations \"$whole\")\n"
	"\tcompopt -o nospace 2>/dev/null\n}\n"
	/* -o KEY=VALUE,...: the last of them; what is before it and behind the
	 * last `=` is put back. */
	"_stagefs_setting()\n{\n"
	"\tlocal item=${whole##*,}\n"
	"\tprev=-o cur=${whole##*=}\n"
	"\tif [[ $item == *=* ]]; then prev=${item%%=*} cur=${item#*=}\n"
	"\telse head=${cur%\"$item\"} cur=$item; fi\n}\n"
	"_stagefs_complete_stage()\n{\n"
	"\tlocal line\n"
	"\twhile IFS= read -r line; do\n"
	"\t\t[[ $line != \"$cur\"* ]] || "
	"COMPREPLY+=(\"$(printf %q \"$line\")\")\n"
	"\tdone < <(_stagefs_stages)\n}\n";

static void completion_bash(const struct command *const *commands, FILE *out)
{
	fputs("# bash completion for stagefs\n", out);
	fputs(completion_locations, out);
	fputs(completion_bash_word, out);
	fputs("_stagefs()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} opts= values= keys= "
	      "head= stages= files=1\n"
	      "\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]} "
	      "verb=${COMP_WORDS[1]} whole before q\n"
	      "\tCOMPREPLY=()\n"
	      "\t_stagefs_word\n\t: \"${whole:=$cur}\"\n"
	      "\tif [[ $whole == @* ]]; then "
	      "_stagefs_complete_location; return 0; fi\n"
	      "\tif [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD - "
	      "2]}; fi\n"
	      "\tif [ \"$cur\" = = ]; then cur=; fi\n"
	      "\tif [[ $before == -o ]]; then _stagefs_setting; fi\n"
	      "\tif [ \"$COMP_CWORD\" = 1 ]; then values='",
	      out);
	completion_verbs(commands, out);
	fputs("'; verb=; fi\n", out);
	completion_cases(commands, out);
	fputs("\t[ \"$verb$values\" != presign ] || "
	      "values=\"$values download upload\"\n"
	      "\t[[ -z $stages || $COMP_CWORD != 2 ]] || keys=\n"
	      "\t[[ -z $keys ]] || stages=\n"
	      "\t[ \"${cur#-}\" = \"$cur\" ] || values=\"$values $opts\"\n"
	      "\tif [ -n \"$keys\" ]; then values=\"$values $keys\"; "
	      "compopt -o nospace 2>/dev/null; fi\n"
	      "\tCOMPREPLY=($(compgen -P \"$head\" -W \"$values\" -- "
	      "\"$cur\"))\n"
	      "\t[[ -z $stages || $cur == -* ]] || _stagefs_complete_stage\n"
	      "\tif [[ ${#COMPREPLY[@]} == 0 && -n $files ]]; then\n"
	      "\t\tlocal IFS=$'\\n'\n"
	      "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	      "\t\tcompopt -o filenames 2>/dev/null\n\tfi\n"
	      "\treturn 0\n}\ncomplete -F _stagefs stagefs\n",
	      out);
}

/* compinit loads the file as the function itself, at the first Tab: it defines
 * the function then, and calls it. */
static void completion_zsh(const struct command *const *commands, FILE *out)
{
	fputs("#compdef stagefs\n", out);
	fputs(completion_locations, out);
	fputs("_stagefs()\n{\n"
	      "\tlocal opts= values= keys= stages= files=1 verb=${words[2]} "
	      "prev=${words[CURRENT-1]}\n"
	      "\tlocal -a all\n"
	      "\tif [[ $PREFIX == @* ]]; then\n"
	      "\t\tall=(${(f)\"$(_stagefs_locations \"${(Q)PREFIX}\")\"})\n"
	      "\t\tcompadd -S '' -- ${(M)all:#*/}\n"
	      "\t\tcompadd -- ${all:#*/}\n\t\treturn\n\tfi\n"
	      "\t[[ $prev != -o ]] || compset -P '*,'\n"
	      "\tif [[ $PREFIX == [-a-z]*=* ]] && "
	      "(( CURRENT > 2 )); then\n"
	      "\t\tprev=${PREFIX%%=*}\n\t\tcompset -P '*='\n\tfi\n"
	      "\tif (( CURRENT == 2 )); then\n\t\tall=(",
	      out);
	completion_verbs(commands, out);
	fputs(" )\n\t\tcompadd -- $all\n\t\t_files\n\t\treturn\n\tfi\n", out);
	completion_cases(commands, out);
	fputs("\t[[ $verb$values != presign ]] || values=\"$values download "
	      "upload\"\n"
	      "\t(( CURRENT != 3 )) || [[ -z $stages ]] || keys=\n"
	      "\t[[ -z $keys ]] || stages=\n"
	      "\t[[ $PREFIX != -* ]] || compadd -- ${=opts}\n"
	      "\tcompadd -- ${=values}\n"
	      "\t[[ -z $keys ]] || compadd -S '' -- ${=keys}\n"
	      "\t[[ -z $stages ]] || compadd -- "
	      "${(f)\"$(_stagefs_stages)\"}\n"
	      "\t[[ -n $values$keys || -z $files ]] || _files\n}\n"
	      "if [ \"${funcstack[1]-}\" = _stagefs ]; then\n"
	      "\t_stagefs \"$@\"\nelse\n"
	      "\tcompdef _stagefs stagefs\nfi\n",
	      out);
}

/* Text within single quotes. */
static void completion_quoted(const char *s, FILE *out)
{
	fputc('\'', out);
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
	fputc('\'', out);
}

static void completion_fish_option(const char *verb, const struct option *row,
				   FILE *out)
{
	bool letter = row->name[1] != '-';

	fprintf(out,
		"complete -c stagefs -n '__fish_seen_subcommand_from %s' %s %s",
		verb, letter ? "-s" : "-l", row->name + (letter ? 1 : 2));
	if (row->type == OPTION_CHOICE) {
		fputs(" -x -a '", out);
		completion_choices(row, out);
		fputc('\'', out);
	} else if (row->type != OPTION_BOOL) {
		fputs(" -r", out);
	}
	if (row->help) {
		fputs(" -d ", out);
		completion_quoted(row->help, out);
	}
	fputc('\n', out);
}

static void completion_fish_verb(const struct command *c, const char *verb,
				 FILE *out)
{
	fprintf(out, "complete -c stagefs -n __fish_use_subcommand -a %s -d ",
		verb);
	completion_quoted(c->brief, out);
	fputc('\n', out);
	for (const struct option *row = c->options; row && row->name; row++)
		completion_fish_option(verb, row, out);
	if (completion_takes_keys(c))
		fprintf(out,
			"complete -c stagefs -n "
			"'__fish_seen_subcommand_from %s' -f -a "
			"'(__stagefs_settings)'\n",
			verb);
	if (completion_takes_stages(c))
		fprintf(out,
			"complete -c stagefs -n "
			"'__fish_seen_subcommand_from %s' -f -a "
			"'(__stagefs_stages)'\n",
			verb);
}

/* Cases of a key with a few words to choose from. */
static void completion_fish_values(const struct option *row, FILE *out)
{
	for (; row->name; row++) {
		if (row->type != OPTION_CHOICE || row->alias_of)
			continue;
		fprintf(out, "        case %s\n            printf '%%s\\n'",
			row->name);
		completion_choices(row, out);
		fputc('\n', out);
	}
}

/* Settings of a mount and of a stage, KEY= or KEY=VALUE, the last of a list. */
static void completion_fish_settings(FILE *out)
{
	fputs("function __stagefs_values\n"
	      "    switch $argv[1]\n",
	      out);
	completion_fish_values(config_mount_options, out);
	completion_fish_values(conn_options, out);
	fputs("    end\nend\n"
	      "function __stagefs_settings\n"
	      "    set -l word (commandline -ct)\n"
	      "    set -l item (string replace -r '^.*,' '' -- $word)\n"
	      "    set -l before (string replace -r '[^,]*$' '' -- $word)\n"
	      "    switch $item\n"
	      "        case '*=*'\n"
	      "            set -l key (string replace -r '=.*' '' -- $item)\n"
	      "            string replace -r '^' \"$before$key=\" -- "
	      "(__stagefs_values $key)\n"
	      "        case '*'\n"
	      "            set -l keys",
	      out);
	completion_names(conn_options, "=", out);
	fputs("\n            test \"$argv[1]\" != mount; or set -a keys", out);
	completion_names(config_mount_options, "=", out);
	fputs("\n            string replace -r '^' \"$before\" -- $keys\n"
	      "    end\nend\n",
	      out);
}

/* Options of a mount, which is what has no verb. */
static void completion_fish_mount(const struct command *const *commands,
				  FILE *out)
{
	fputs("set -l verbs", out);
	completion_verbs(commands, out);
	fputs("\nset -l mount \"not __fish_seen_subcommand_from $verbs\"\n"
	      "complete -c stagefs -n $mount -s o -x -a "
	      "'(__stagefs_settings mount)'\n"
	      "complete -c stagefs -n $mount -s f\n"
	      "complete -c stagefs -n $mount -l config -r\n",
	      out);
}

static void completion_fish(const struct command *const *commands, FILE *out)
{
	fputs("function __stagefs_stages\n"
	      "    timeout 3 stagefs show --format tsv 2>/dev/null | cut -f1\n"
	      "end\n"
	      "function __stagefs_locations\n"
	      "    set -l word (commandline -ct)\n"
	      "    switch $word\n"
	      "        case '@*/*'\n"
	      "            set -l stage (string replace -r '/.*' '' -- $word)\n"
	      "            timeout 3 stagefs list --one-level --format tsv -- "
	      "$word 2>/dev/null | cut -f1 | string replace -r '^' "
	      "\"$stage/\"\n"
	      "        case '@*'\n"
	      "            echo '@~/'\n"
	      "            __stagefs_stages | string replace -r '(.*)' "
	      "'@$1/'\n"
	      "    end\nend\n"
	      "complete -c stagefs -a '(__stagefs_locations)'\n",
	      out);
	completion_fish_settings(out);
	completion_fish_mount(commands, out);
	for (const struct command *const *c = commands; *c; c++) {
		if (completion_is_verb(*c))
			completion_fish_verb(*c, (*c)->verb, out);
		if ((*c)->also)
			completion_fish_verb(*c, (*c)->also, out);
	}
	fputs("complete -c stagefs -n '__fish_seen_subcommand_from presign' "
	      "-a 'download upload'\n"
	      "complete -c stagefs -n '__fish_seen_subcommand_from help' "
	      "-f -a '",
	      out);
	completion_verbs(commands, out);
	help_topic_words(out);
	fputs("'\n", out);
}

int completion_print(const struct command *const *commands, const char *shell,
		     FILE *out)
{
	if (!strcmp(shell, "completion"))
		completion_bash(commands, out);
	else if (!strcmp(shell, "zsh"))
		completion_zsh(commands, out);
	else if (!strcmp(shell, "fish"))
		completion_fish(commands, out);
	else
		return -EINVAL;
	return 0;
}
