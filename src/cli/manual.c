/*
 * roff for man(7): a text is escaped where it enters (manual_text()), so a
 * table may hold anything. The pages have what tables cannot say between their
 * rows.
 */
#include "cli/manual.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cmd.h"
#include "config/config.h"
#include "stage/conf/conn.h"

/* Text in a roff page: nothing in it is a request or an escape. */
static void manual_text(FILE *out, const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", out);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", out);
		else if (*s == '-')
			fputs("\\-", out);
		else
			fputc(*s, out);
	}
}

static void manual_header(FILE *out, const char *title, int section,
			  const char *name)
{
	fprintf(out, ".TH %s %d \"\" \"stagefs %s\"\n.SH NAME\n", title,
		section, PACKAGE_VERSION);
	manual_text(out, name);
	fputc('\n', out);
}

static void manual_entry(FILE *out, const char *form, const char *text)
{
	fputs(".TP\n.B ", out);
	manual_text(out, form);
	fputc('\n', out);
	manual_text(out, text);
	fputc('\n', out);
}

static void manual_rows(FILE *out, const struct option *table)
{
	for (const struct option *row = table; row && row->name; row++) {
		struct buf form = BUF_INIT(BUF_MESSAGE);
		struct buf text = BUF_INIT(BUF_MESSAGE);

		if (row->alias_of)
			continue;
		option_describe(table, row, &form, &text);
		manual_entry(out, buf_str(&form), buf_str(&text));
		buf_clear(&form);
		buf_clear(&text);
	}
}

static void manual_synopsis(FILE *out, const struct command *c)
{
	fputs(".B stagefs", out);
	if (*c->verb) {
		fputc(' ', out);
		manual_text(out, c->verb);
	}
	fputc('\n', out);
	manual_text(out, c->synopsis);
	fputs("\n.br\n", out);
}

static void manual_verb(FILE *out, const struct command *c)
{
	fputs(".SS \"stagefs ", out);
	manual_text(out, *c->verb ? c->verb : "[SOURCE] MOUNTPOINT");
	fputs("\"\n", out);
	manual_text(out, c->help);
	fputs(".\n", out);
	manual_rows(out, c->options);
}

static const char *const man1_end =
	".SH EXIT STATUS\n"
	"0; 1 when it failed, with one line on standard error; 2 for a usage\n"
	"error. Called as\n.B mount.stagefs\nby mount(8): 32 when the mount "
	"failed.\n"
	".SH SIGNALS\n"
	"SIGTERM, SIGINT or SIGHUP detaches a mount. Its daemon ends when no "
	"file is open\nfor writing any more, when nothing was written for a "
	"minute, or at a second\nsignal. A file that is still open for writing "
	"then is not published: the old\nobject stays, and the log names the "
	"file.\n"
	".SH FILES\n"
	".TP\n.I $STAGEFS_CONFIG, $XDG_CONFIG_HOME/stagefs/stagefs.conf, "
	"/etc/stagefs/stagefs.conf\nThe configuration: the first that "
	"exists.\n"
	".TP\n.I $XDG_DATA_HOME/stagefs, ~/.local/share/stagefs; of root "
	"/var/lib/stagefs\nThe stages, as plain files, where no "
	"configuration exists.\n"
	".TP\n.I stages.d\nBeside it: the external stages that CREATE STAGE "
	"made.\n"
	".SH SEE ALSO\n"
	".BR stagefs.conf (5),\n.BR getfattr (1),\n.BR mount (8)\n";

static void manual_man1(const struct command *const *commands, FILE *out)
{
	manual_header(out, "STAGEFS", 1,
		      "stagefs - stages of an object store as directories");
	fputs(".SH SYNOPSIS\n", out);
	for (const struct command *const *c = commands; *c; c++)
		manual_synopsis(out, *c);
	fputs(".SH DESCRIPTION\n"
	      "A stage is a named place in an object store. A mount shows "
	      "every "
	      "stage as a directory; every file in it hands out pre\\-signed "
	      "URLs as its extended attributes\n.B user.presign.download\nand\n"
	      ".BR user.presign.upload .\nThe verbs do the same without a "
	      "mount. A first word that is a verb is the verb: write ./list "
	      "for "
	      "a mountpoint of that name.\n.SH VERBS\n",
	      out);
	for (const struct command *const *c = commands; *c; c++)
		manual_verb(out, *c);
	fputs(man1_end, out);
}

static void manual_man5(FILE *out)
{
	manual_header(out, "STAGEFS.CONF", 5,
		      "stagefs.conf - configuration of stagefs");
	fputs(".SH DESCRIPTION\n"
	      "An INI file. A file with a secret in it must belong to root or "
	      "to the caller and be closed to others.\n"
	      ".B ${env:NAME}\nand\n.B ${file:PATH}\nin a value stand for what "
	      "they name. After\n.B \\-o\nof a mount the same keys may be "
	      "given, "
	      "secrets apart; they win over the file, and the file over the "
	      "environment.\n.SH [stagefs]\n",
	      out);
	manual_rows(out, config_mount_options);
	fputs(".SH [storage] AND [stage NAME]\n"
	      "[storage] is where the user stage and internal stages live; "
	      "each "
	      "[stage NAME] is an external stage.\n",
	      out);
	manual_rows(out, conn_options);
	fputs(".SH [user NAME]\n"
	      "Who may come in through the gateway with a password, and what "
	      "is open to them: by the upload API, PUT or POST of a form to\n"
	      ".BR /v1/upload_to_stage ,\n"
	      "with the headers stage_name and relative_path. Their own stage "
	      "is ~.\n",
	      out);
	manual_rows(out, config_user_options);
	fputs(".SH SEE ALSO\n.BR stagefs (1)\n", out);
}

static void manual_words_of(FILE *out, const struct option *table)
{
	for (const struct option *row = table; row && row->name; row++)
		fprintf(out, " %s", row->name);
}

/* `verb:option) values=...`, for options with a few words to choose from. */
static void manual_values_of(FILE *out, const char *verb,
			     const struct option *table)
{
	for (const struct option *row = table; row && row->name; row++) {
		if (row->type != OPTION_CHOICE)
			continue;
		fprintf(out, "\t%s:%s) values='", verb, row->name);
		for (const char *p = row->choices; *p; p++)
			fputc(*p == '|' ? ' ' : *p, out);
		fputs("' ;;\n", out);
	}
}

/*
 * One case a verb. Options come when a dash is there, else files, which is
 * what all other values are for all that we know. Readline cuts `--name=value`
 * at the `=`.
 */
static void manual_completion(const struct command *const *commands, FILE *out)
{
	fputs("# bash completion for stagefs\n"
	      "_stagefs()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words= values=\n"
	      "\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tif [ \"$cur\" = = ]; then\n\t\tcur=\n"
	      "\telif [ \"$prev\" = = ]; then\n"
	      "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
	      "\tcase ${COMP_WORDS[1]}:$prev in\n"
	      "\tpresign:presign) values='download upload' ;;\n",
	      out);
	for (const struct command *const *c = commands; *c; c++)
		manual_values_of(out, (*c)->verb, (*c)->options);
	fputs("\tesac\n\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\tvalues='--help "
	      "--version",
	      out);
	for (const struct command *const *c = commands; *c; c++)
		if (*(*c)->verb)
			fprintf(out, " %s", (*c)->verb);
	fputs("'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", out);
	for (const struct command *const *c = commands; *c; c++) {
		if (!*(*c)->verb)
			continue;
		fprintf(out, "\t\t%s) words='--help", (*c)->verb);
		manual_words_of(out, (*c)->options);
		fputs("' ;;\n", out);
	}
	fputs("\t\t*) words='-f -o --config' ;;\n\t\tesac\n\tfi\n"
	      "\t[ \"${cur#-}\" = \"$cur\" ] || values=\"$values $words\"\n"
	      "\tCOMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n"
	      "\t[ ${#COMPREPLY[@]} != 0 ] || COMPREPLY=($(compgen -f -- "
	      "\"$cur\"))\n}\ncomplete -o filenames -F _stagefs stagefs\n",
	      out);
}

int manual_print(const struct command *const *commands, const char *what,
		 FILE *out)
{
	if (!strcmp(what, "man1"))
		manual_man1(commands, out);
	else if (!strcmp(what, "man5"))
		manual_man5(out);
	else if (!strcmp(what, "completion"))
		manual_completion(commands, out);
	else
		return -EINVAL;
	return 0;
}
