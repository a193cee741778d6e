/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs sql`: statements as they are written for Databend. A script is
 * parsed to its end first, so that a slip in its last line does not leave it
 * half done; then it runs, up to the first failure, and references to secrets
 * become what they name.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ini.h"
#include "cli/cmd.h"
#include "cli/sql_prompt.h"
#include "client/message.h"
#include "client/session.h"
#include "client/statement.h"

struct sql_options {
	char *config, *file;
	int format;
	bool header, compat_host;
};

#define ROW(...) OPTION_ROW(sql_options, __VA_ARGS__)
static const struct option options[] = {
	CMD_CONFIG_ROW(sql_options),
	ROW("--file", STRING, file,
	    .help = "read the statements from FILE; - is standard input. "
		    "${env:NAME} and ${file:PATH} in it bring secrets"),
	ROW("-f", STRING, file, .alias_of = "--file",
	    .help = "the same as --file"),
	ROW("--format", CHOICE, format, .choices = OUTPUT_FORMATS,
	    .def = "auto",
	    .help = "auto is a table on a terminal, else TSV; url and curl "
		    "are PRESIGN's"),
	ROW("--header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	ROW("--compat-host", BOOL, compat_host, .def = "no",
	    .help = "the host is among PRESIGN's headers, as old servers had "
		    "it"),
	{ 0 },
};

/* The statements, and what they are called in messages. */
struct source {
	const char *name; /* the file's, or SQL */
	struct buf text;
	bool script; /* of -f */
};

/* ---- errors ---- */

/* `NAME:LINE:COLUMN: [CODE] why`, and the place itself. */
static void sql_tell(const struct source *src, struct sql_span span, bool caret,
		     int code, const char *what, const char *why)
{
	const char *text = buf_str(&src->text);
	BUF_LOCAL where = BUF_INIT(BUF_MESSAGE), shown = BUF_INIT(BUF_LINE);
	BUF_LOCAL all = BUF_INIT(2 * BUF_MESSAGE);
	unsigned line, column;

	sql_show_place(text, src->text.len, span.at, &line, &column);
	buf_addf(&where, "%s:%u:%u", src->name, line, column);
	buf_addf(&all, "[%d] %s%s%s", code, what ? what : "", what ? ": " : "",
		 why);
	message(buf_str(&where), buf_str(&all));
	if (caret) {
		sql_show(text, src->text.len, span, &shown);
		fputs(buf_str(&shown), stderr);
	}
}

static int sql_tell_error(const struct source *src, const struct sql_error *e)
{
	sql_tell(src, e->span, true, e->code, NULL, buf_str(&e->message));
	return STATUS_FAILED;
}

static int sql_tell_failure(const struct source *src,
			    const struct sql_statement *q,
			    const struct failure *f)
{
	struct sql_span span = f->span;

	if (!span.len)
		span = q->location.s ? q->location.span
		       : q->name.s   ? q->name.span
				     : q->span;
	sql_tell(src, span, f->span.len, f->code, f->what, buf_str(&f->why));
	return STATUS_FAILED;
}

/* ---- running ---- */

static struct sql_script sql_begin(const struct source *src)
{
	return (struct sql_script){
		.text = buf_str(&src->text),
		.len = src->text.len,
	};
}

static int sql_no_memory(void)
{
	message("sql", strerror(ENOMEM));
	return STATUS_FAILED;
}

/* Syntax, to the end. Says once that others may see a secret. */
static int sql_check(const struct source *src)
{
	struct sql_script script = sql_begin(src);
	struct sql_error error = SQL_ERROR_INIT;
	struct sql_statement q;
	int status = STATUS_OK, rc;
	bool seen = false;

	while ((rc = sql_next(&script, &q, &error)) > 0) {
		seen = seen || statement_secret(&q);
		sql_statement_clear(&q);
	}
	if (rc == -EINVAL)
		status = sql_tell_error(src, &error);
	else if (rc)
		status = sql_no_memory();
	else if (seen && !src->script)
		message("warning", "others can see a secret on a command "
				   "line: use `stagefs sql -f FILE`");
	buf_clear(&error.message);
	return status;
}

static int sql_run_one(const struct source *src, struct session *s,
		       const struct sql_statement *q, const struct output *o)
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	int status = STATUS_OK;

	if (statement_run(s, q, o, &failure))
		status = sql_tell_failure(src, q, &failure);
	return status;
}

static int sql_run_all(const struct source *src, struct session *s,
		       const struct output *o)
{
	struct sql_script script = sql_begin(src);
	struct sql_error error = SQL_ERROR_INIT;
	struct sql_statement q;
	int status = STATUS_OK, rc;

	script.expand = ini_expand;
	while (!status && (rc = sql_next(&script, &q, &error)) > 0) {
		status = sql_run_one(src, s, &q, o);
		sql_statement_clear(&q);
	}
	if (!status && rc == -EINVAL)
		status = sql_tell_error(src, &error);
	else if (!status && rc)
		status = sql_no_memory();
	buf_clear(&error.message);
	return status;
}

static int sql_run_source(const struct sql_options *o, const struct source *src)
{
	const struct output output = { .format = o->format,
				       .header = o->header,
				       .brief = output_is_for_person(o->format),
				       .compat_host = o->compat_host };
	SESSION_LOCAL s = { 0 };
	int status = sql_check(src);

	if (status)
		return status;
	status = cmd_status(session_open(o->config, &s));
	if (!status)
		status = sql_run_all(src, &s, &output);
	return status;
}

/* ---- the text ---- */

static int sql_read_source(const struct sql_options *o,
			   const struct cmd_words *words, struct source *src)
{
	const char *file = o->file;
	int rc = 0;

	if (!file && words->n && !strcmp(words->word[0], "-"))
		file = "-";
	else if (file && words->n)
		return cmd_usage(&sql_command,
				 "statements on the command line, or -f");
	if (!file && !words->n)
		file = "-"; /* a pipe: a terminal has its prompt */
	src->script = file != NULL;
	src->name = !file ? "SQL" : strcmp(file, "-") ? file : "(stdin)";
	if (file)
		rc = cmd_read(file, &src->text);
	else
		buf_adds(&src->text, words->word[0]);
	if (!rc)
		rc = buf_err(&src->text);
	if (rc)
		message(src->name, strerror(-rc));
	return rc ? STATUS_FAILED : STATUS_OK;
}

/* ---- the prompt ---- */

struct prompt_arg {
	struct session *session;
	const struct output *output;
};

/* One text of the prompt, which may have several statements. */
static int sql_run_typed(void *arg, const char *text)
{
	struct prompt_arg *a = arg;
	struct source src = { .name = "SQL",
			      .text = BUF_INIT(SQL_TEXT_MAX),
			      .script = true };
	struct sql_script script;
	struct sql_error error = SQL_ERROR_INIT;
	struct sql_statement q;
	bool secret = false;

	buf_adds(&src.text, text);
	a->session->settled = false;
	if (!sql_check(&src))
		sql_run_all(&src, a->session, a->output);
	script = sql_begin(&src);
	while (sql_next(&script, &q, &error) > 0) {
		secret = secret || statement_secret(&q);
		sql_statement_clear(&q);
	}
	/* what cannot be parsed may have one */
	secret = secret || error.message.len;
	buf_clear(&error.message);
	buf_wipe(&src.text);
	return !secret;
}

static int sql_run_prompt(const struct sql_options *o)
{
	const struct output output = { .format = o->format,
				       .header = o->header,
				       .brief = output_is_for_person(o->format),
				       .compat_host = o->compat_host };
	SESSION_LOCAL s = { 0 };
	struct prompt_arg arg = { &s, &output };
	int status = cmd_status(session_open(o->config, &s));

	if (!status)
		puts("Statements end with `;`. LIST, REMOVE, PRESIGN, SHOW "
		     "STAGES, DESC, CREATE, ALTER, DROP STAGE; exit ends.");
	if (!status && sql_prompt(sql_run_typed, &arg))
		status = sql_no_memory();
	return status;
}

static int sql_run(const struct command *c, int argc, char **argv)
{
	struct source src = { .text = BUF_INIT(SQL_TEXT_MAX) };
	struct sql_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&sql_command, argc, argv, &o, &words, 1);

	if (!status && !o.file && !words.n && isatty(STDIN_FILENO)) {
		status = sql_run_prompt(&o);
	} else if (!status) {
		status = sql_read_source(&o, &words, &src);
		if (!status)
			status = sql_run_source(&o, &src);
	}
	option_clear(options, &o);
	buf_wipe(&src.text);
	return status;
}

const struct command sql_command = {
	.verb = "sql",
	.group = GROUP_STAGES,
	.brief = "LIST, PRESIGN, CREATE STAGE ... as written for Databend",
	.synopsis = "[STATEMENT[;...] | -f FILE]",
	.help = "Runs PRESIGN, LIST, REMOVE, SHOW STAGES, DESC, CREATE, ALTER "
		"and DROP STAGE as written for Databend; without any from a "
		"pipe, or at a prompt with a history",
	.options = options,
	.run = sql_run,
};
