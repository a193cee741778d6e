/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roff for man(7): a text is escaped where it enters (manual_text()), so a
 * table may hold anything. The pages have what tables cannot say between their
 * rows.
 */
#include "cli/manual.h"

#include <string.h>

#include "base/buf.h"
#include "cli/cmd.h"
#include "cli/completion.h"
#include "cli/help.h"
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
		BUF_LOCAL form = BUF_INIT(BUF_MESSAGE);
		BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);

		if (row->alias_of)
			continue;
		option_describe(table, row, &form, &text);
		manual_entry(out, buf_str(&form), buf_str(&text));
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

static void manual_entries(FILE *out, const char *title,
			   const struct help_entry *rows)
{
	fprintf(out, ".SH %s\n", title);
	for (; rows->form; rows++)
		manual_entry(out, rows->form, rows->text);
}

static void manual_examples(FILE *out)
{
	fputs(".SH EXAMPLES\n", out);
	for (const struct help_entry *e = help_examples; e->form; e++) {
		fputs(".PP\n", out);
		manual_text(out, e->text);
		fputs(":\n.PP\n.RS\n.nf\n", out);
		manual_text(out, e->form);
		fputs("\n.fi\n.RE\n", out);
	}
}

static void manual_man1(const struct command *const *commands, FILE *out)
{
	manual_header(out, "STAGEFS", 1,
		      "stagefs - stages of an object store as directories");
	fputs(".SH SYNOPSIS\n", out);
	for (const struct command *const *c = commands; *c; c++)
		manual_synopsis(out, *c);
	fputs(".SH DESCRIPTION\n"
	      "A stage is a named place in an object store. A mount shows "
	      "every stage as a directory; every file in it hands out "
	      "pre\\-signed URLs as its extended attributes\n"
	      ".B user.presign.download\nand\n.BR user.presign.upload .\n"
	      "The verbs do the same without a mount. A first word that is a "
	      "verb is the verb: write ./list for a mountpoint of that "
	      "name.\n",
	      out);
	manual_examples(out);
	fputs(".SH VERBS\n", out);
	for (const struct command *const *c = commands; *c; c++)
		manual_verb(out, *c);
	manual_entries(out, "STORES", help_stores);
	manual_entries(out, "EXTENDED ATTRIBUTES", help_attributes);
	fputs("getfattr(1) reads them by name:\n.PP\n.RS\n.nf\n"
	      "getfattr \\-\\-only\\-values \\-n user.presign.download FILE\n"
	      ".fi\n.RE\n",
	      out);
	manual_entries(out, "ENVIRONMENT", help_environment);
	manual_entries(out, "FILES", help_files);
	manual_entries(out, "EXIT STATUS", help_exits);
	fputs(".SH SIGNALS\n"
	      "SIGTERM or SIGINT detaches a mount. Its daemon ends when no "
	      "file is open\nfor writing any more, when nothing was written "
	      "for a minute, or at a second\nsignal. A file that is still "
	      "open for writing then is not published: the old\nobject "
	      "stays, and the log names the file.\n"
	      ".SH SEE ALSO\n"
	      ".BR stagefs.conf (5),\n.BR mount.stagefs (8),\n"
	      ".BR getfattr (1),\n.BR mount (8)\n",
	      out);
}

static const char *const man5_example =
	".SH EXAMPLE\n.RS\n.nf\n"
	"[stagefs]\n"
	"user = root                 ; whose stage ~ is\n"
	"metadata_ttl = 1m\n"
	"\n"
	"[storage]                   ; the user stage and internal stages\n"
	"url = s3://databend\\-toronto/\n"
	"endpoint_url = https://s3.us\\-east\\-2.amazonaws.com\n"
	"credentials = profile:data  ; or keys here, or the environment\n"
	"\n"
	"[stage sales]               ; one more: the directory sales\n"
	"url = s3://company/sales/\n"
	"endpoint_url = http://127.0.0.1:9000\n"
	"access_key_id = ROOTUSER\n"
	"secret_access_key = ${file:/etc/stagefs/secret}\n"
	".fi\n.RE\n"
	".SH COMMENTS\n"
	"A line that begins with ; or # is a comment. Within a line a ; behind "
	"white space begins one; a # does not. A value that has such a ; is "
	"kept in a file of its own and named by ${file:PATH}.\n"
	".SH FSTAB\n"
	"The type is fuse.stagefs (or stagefs, by\n.BR mount.stagefs (8));\n"
	"_netdev tells systemd that it needs the network.\n.PP\n.RS\n.nf\n"
	"stagefs      /mnt/stages  fuse.stagefs  _netdev,allow_other  0 0\n"
	"@sales       /mnt/sales   fuse.stagefs  _netdev,nofail,ro    0 0\n"
	"s3://b/path  /mnt/bucket  fuse.stagefs  _netdev,nofail       0 0\n"
	"/etc/o.conf  /mnt/other   fuse.stagefs  _netdev,nofail       0 0\n"
	".fi\n.RE\n";

static void manual_man5(FILE *out)
{
	manual_header(out, "STAGEFS.CONF", 5,
		      "stagefs.conf - configuration of stagefs");
	fputs(".SH DESCRIPTION\n"
	      "An INI file. A file with a secret in it must belong to root or "
	      "to the caller and be closed to others.\n"
	      ".B ${env:NAME}\nand\n.B ${file:PATH}\nin a value stand for what "
	      "they name. After\n.B \\-o\nof a mount the same keys may be "
	      "given, secrets apart; they win over the file, and the file "
	      "over the environment. Durations are seconds, or have a unit: "
	      "90, 90s, 15m, 1h, 7d. Sizes are bytes, or have one: 64M, "
	      "1G.\n",
	      out);
	fputs(man5_example, out);
	fputs(".SH [stagefs]\n", out);
	manual_rows(out, config_mount_options);
	fputs(".SH [storage] AND [stage NAME]\n"
	      "[storage] is where the user stage and internal stages live; "
	      "each [stage NAME] is an external stage.\n",
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
	fputs(".SH SEE ALSO\n.BR stagefs (1),\n.BR mount.stagefs (8)\n", out);
}

static void manual_man8(FILE *out)
{
	manual_header(out, "MOUNT.STAGEFS", 8,
		      "mount.stagefs - what mount(8) calls for -t stagefs");
	fputs(".SH SYNOPSIS\n"
	      ".B mount \\-t stagefs\n"
	      "[\\-o OPTION,...] SOURCE MOUNTPOINT\n"
	      ".SH DESCRIPTION\n"
	      "Mounts stages as\n.BR stagefs (1)\ndoes by hand. SOURCE is "
	      "s3://BUCKET/PATH, fs:///DIRECTORY, @STAGE, a configuration "
	      "file, or the word stagefs for all stages of the configuration. "
	      "It is checked, and its store asked, before the mount goes to "
	      "the background; what is wrong is one line on standard error. "
	      "umount(8) returns at once; the daemon sends what is left, and "
	      "the next mount of the same waits for that.\n"
	      ".SH OPTIONS\n"
	      "After\n.B \\-o\nstand the keys of\n.BR stagefs.conf (5),\n"
	      "secrets apart, and mount(8)'s own; these besides:\n",
	      out);
	manual_entry(out, "config=FILE", "the configuration");
	manual_entry(out, "fsname=NAME", "what df(1) shows; else the SOURCE");
	manual_entry(out, "remount",
		     "the mount that is there reads its configuration again, "
		     "as by stagefs reload, with log, log_level, log_format "
		     "and metadata_ttl as they are given now; what stays is "
		     "said");
	manual_entry(out, "_netdev, nofail, x-systemd.automount ...",
		     "mount(8)'s and systemd's");
	fputs(".SH EXIT STATUS\n0; 32 when the mount failed.\n"
	      ".SH SEE ALSO\n.BR stagefs (1),\n.BR stagefs.conf (5),\n"
	      ".BR mount (8)\n",
	      out);
}

int manual_print(const struct command *const *commands, const char *what,
		 FILE *out)
{
	if (!strcmp(what, "man1"))
		manual_man1(commands, out);
	else if (!strcmp(what, "man5"))
		manual_man5(out);
	else if (!strcmp(what, "man8"))
		manual_man8(out);
	else
		return completion_print(commands, what, out);
	return 0;
}
