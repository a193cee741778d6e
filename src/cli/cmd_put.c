/*
 * `stagefs put`: files of this machine to a stage, by pre-signed URLs. The
 * last word is the stage's directory, as for Databend's PUT; with --exact, or
 * from standard input, it is the file's own name.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "client/session.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "client/statement.h"
#include "cli/cmd_transfer.h"

static const struct option options[] = {
	TRANSFER_ROWS,
	TRANSFER_ROW("--content-type", STRING, content_type, .max = 255,
		     .help = "the type of what is uploaded (default: by its "
			     "name, unless the stage says content_type = off)"),
	TRANSFER_ROW("--exact", BOOL, exact, .def = "no",
		     .help = "the location is the file's own name"),
	TRANSFER_ROW("--row", STRING, row,
		     .help = "upload by PRESIGN's rows in this file (- is "
			     "standard input), one a file; no configuration "
			     "is read"),
	{ 0 },
};

static bool put_is_standard(const char *word)
{
	return !strcmp(word, "-");
}

static const char *put_fault_rows(const struct transfer_options *o,
				  const struct transfer_words *w)
{
	if (!w->n)
		return "which files?";
	if (o->recursive || o->exact || o->skip_existing || o->content_type)
		return "a row says all of it: no --recursive, --exact, "
		       "--skip-existing or --content-type with --row";
	for (unsigned i = 0; i < w->n; i++)
		if (put_is_standard(w->word[i]) && put_is_standard(o->row))
			return "standard input is the row already";
	return NULL;
}

static const char *put_fault(const struct transfer_options *o,
			     const struct transfer_words *w)
{
	const char *where = w->n ? w->word[w->n - 1] : "";
	bool many = w->n > 2;

	if (w->n < 2 || *where != '@')
		return "say which files, and last where they go: "
		       "@stage/path";
	if (o->exact && many)
		return "one name is for one file (--exact)";
	for (unsigned i = 0; i + 1 < w->n; i++) {
		if (!put_is_standard(w->word[i]))
			continue;
		if (many)
			return "standard input goes alone";
		if (text_ends_with(where, "/") || !strchr(where, '/'))
			return "standard input needs a name: @stage/name";
	}
	if (o->exact && !strchr(where, '/'))
		return "the name is missing (--exact): @stage/name";
	if (o->exact && text_ends_with(where, "/"))
		return "a file's name does not end in a slash (--exact)";
	return NULL;
}

static int put_check(const struct transfer_options *o,
		     const struct transfer_words *w)
{
	const char *f = o->row ? put_fault_rows(o, w) : put_fault(o, w);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct location where;
	int status = STATUS_OK;

	if (f)
		buf_adds(&why, f);
	else if (!o->row && !location_parse(w->word[w->n - 1], &where, &why))
		location_clear(&where);
	if (why.len)
		status = cmd_usage(&put_command, buf_str(&why));
	buf_clear(&why);
	return status;
}

static int put_plan(struct transfer_plan *p, const struct transfer_options *o,
		    const struct transfer_words *w)
{
	struct failure failure = FAILURE_INIT;
	struct buf why = BUF_INIT(BUF_MESSAGE), what = BUF_INIT(BUF_MESSAGE);
	const char *word = w->word[w->n - 1];
	struct location where = { 0 };
	struct stage *stage = NULL;
	int rc = location_parse(word, &where, &why);

	if (!rc)
		rc = session_stage(p->session, where.stage, &stage, &failure);
	if (rc) {
		buf_addf(&what, "cannot upload to %s", word);
		transfer_fail(p->t, buf_str(&what),
			      why.len ? buf_str(&why) : buf_str(&failure.why));
		rc = 0;
	} else {
		p->unique = w->n > 2 || strpbrk(w->word[0], "*?[");
		for (unsigned i = 0; i + 1 < w->n && !rc; i++)
			rc = transfer_walk(p, w->word[i], stage, where.path,
					   o->exact);
		stage_unref(stage);
	}
	location_clear(&where);
	failure_clear(&failure);
	buf_clear(&why);
	buf_clear(&what);
	return rc;
}

/* ---- rows ---- */

static int put_plan_row(struct transfer_plan *p, struct transfer_row *row,
			const char *local)
{
	struct buf what = BUF_INIT(BUF_MESSAGE);
	struct transfer_job *job;

	if (strcmp(row->method, "PUT") && strcmp(row->method, "POST")) {
		buf_addf(&what, "cannot upload %s", local);
		transfer_fail(p->t, buf_str(&what),
			      "the row is for something else (its method)");
		buf_clear(&what);
		return 0;
	}
	job = transfer_plan_row(p, row, local);
	if (!job)
		return -ENOMEM;
	job->run = transfer_put;
	return transfer_add(p->t, job);
}

static int put_plan_rows(struct transfer_plan *p,
			 const struct transfer_options *o,
			 const struct transfer_words *w,
			 struct transfer_rows *rows)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (rows->n != w->n) {
		buf_addf(&why, "%u rows are there for %u files", rows->n, w->n);
		transfer_fail(p->t, "cannot upload", buf_str(&why));
		buf_clear(&why);
		return 0;
	}
	for (unsigned i = 0; i < rows->n && !rc; i++)
		rc = put_plan_row(p, &rows->at[i], w->word[i]);
	return rc;
}

static int put_run(int argc, char **argv)
{
	static const struct transfer_verb_ops ops = {
		.command = &put_command,
		.what = "upload",
		.method = "PUT",
		.check = put_check,
		.plan = put_plan,
		.plan_rows = put_plan_rows,
	};

	return cmd_transfer(&ops, argc, argv);
}

const struct command put_command = {
	.verb = "put",
	.synopsis = "LOCAL... @STAGE[/DIRECTORY] | --row FILE LOCAL...",
	.help = "Files of this machine to a stage, by pre-signed URLs; LOCAL "
		"may be a quoted pattern, or - for standard input",
	.options = options,
	.run = put_run,
};
