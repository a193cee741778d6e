/*
 * `stagefs get`: files of stages to this machine, by pre-signed URLs. The
 * last word is where they go, unless it is a location itself: then that is
 * the current directory.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "stage/location.h"
#include "transfer/transfer_file.h"
#include "transfer/transfer_glob.h"
#include "cli/cmd_transfer.h"

static const struct option options[] = {
	TRANSFER_ROWS,
	TRANSFER_ROW("--no-clobber", BOOL, no_clobber, .def = "no",
		     .help = "leave files that are there as they are"),
	TRANSFER_ROW("-n", BOOL, no_clobber, .alias_of = "--no-clobber",
		     .help = "the same as --no-clobber"),
	TRANSFER_ROW("--row", STRING, row,
		     .help = "download what PRESIGN's rows in this file say "
			     "(- is standard input); no configuration is "
			     "read"),
	{ 0 },
};

struct target {
	const char *local;
	unsigned sources; /* words */
	bool into; /* a directory, whatever is found */
};

static bool get_is_directory(const char *path)
{
	struct stat st;

	return text_ends_with(path, "/") ||
	       (!stat(path, &st) && S_ISDIR(st.st_mode));
}

static struct target get_read_target(const struct transfer_words *w, bool rows)
{
	const char *last = w->n ? w->word[w->n - 1] : "";
	struct target t = { .local = ".", .sources = w->n };

	if (w->n && (rows || *last != '@')) {
		/* a file behind it would be replaced under who writes on */
		t.local = strcmp(last, "/dev/stdout") ? last : "-";
		t.sources--;
	}
	t.into = strcmp(t.local, "-") &&
		 (t.sources > 1 || get_is_directory(t.local));
	return t;
}

static int get_check(const struct transfer_options *o,
		     const struct transfer_words *w)
{
	struct target t = get_read_target(w, o->row);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct location where;
	int status = STATUS_OK;

	if (o->row && t.sources)
		buf_adds(&why, "with --row there is only the local name");
	else if (!o->row && !t.sources)
		buf_adds(&why, "which files? name them as @stage/path");
	else if (!*t.local)
		buf_adds(&why, "the local name is empty");
	for (unsigned i = 0; i < t.sources && !why.len; i++)
		if (!location_parse(w->word[i], &where, &why))
			location_clear(&where);
	if (why.len)
		status = cmd_usage(&get_command, buf_str(&why));
	buf_clear(&why);
	return status;
}

static int get_plan(struct transfer_plan *p, const struct transfer_options *o,
		    const struct transfer_words *w)
{
	struct target t = get_read_target(w, false);
	int rc = 0;

	p->unique = t.sources > 1;
	for (unsigned i = 0; i < t.sources; i++)
		if (!o->no_glob && transfer_glob_is(w->word[i]))
			p->unique = true;
	if (!strcmp(t.local, "-"))
		p->unique = false;
	for (unsigned i = 0; i < t.sources && !rc; i++)
		rc = transfer_find(p, w->word[i], t.local, t.into);
	return rc;
}

/* ---- rows ---- */

static void get_row_name(const struct target *t, bool into,
			 const struct transfer_row *row, struct buf *out)
{
	struct buf name = BUF_INIT(BUF_URL);

	if (!into) {
		buf_adds(out, t->local);
		return;
	}
	transfer_row_name(row, &name);
	if (location_name_visible(buf_str(&name), name.len)) {
		buf_adds(out, t->local);
		if (!text_ends_with(t->local, "/"))
			buf_addc(out, '/');
		buf_adds(out, buf_str(&name));
	}
	buf_clear(&name);
}

static void get_refuse(struct transfer_plan *p, const struct transfer_row *row,
		       const char *why)
{
	struct buf what = BUF_INIT(BUF_MESSAGE);

	buf_adds(&what, "cannot download ");
	transfer_row_key(row, &what);
	transfer_fail(p->t, buf_str(&what), why);
	buf_clear(&what);
}

static int get_plan_row(struct transfer_plan *p, struct transfer_row *row,
			const char *local, bool into)
{
	struct transfer_job *job;
	int rc;

	if (strcmp(row->method, "GET")) {
		get_refuse(p, row,
			   "the row is for something else (its method)");
		return 0;
	}
	if (!*local) {
		get_refuse(p, row, "no file here can have its name");
		return 0;
	}
	if (p->unique && !transfer_plan_take(p, local)) {
		get_refuse(p, row, "another file has that name here already");
		return 0;
	}
	rc = into ? transfer_file_make_dirs(local, false) : 0;
	if (rc) {
		get_refuse(p, row, strerror(-rc));
		return 0;
	}
	job = transfer_plan_row(p, row, local);
	if (!job)
		return -ENOMEM;
	job->run = transfer_get;
	return transfer_add(p->t, job);
}

static int get_plan_rows(struct transfer_plan *p,
			 const struct transfer_options *o,
			 const struct transfer_words *w,
			 struct transfer_rows *rows)
{
	struct target t = get_read_target(w, true);
	bool standard = !strcmp(t.local, "-");
	bool into = !standard && (rows->n > 1 || t.into);
	int rc = 0;

	p->unique = rows->n > 1 && !standard;
	for (unsigned i = 0; i < rows->n && !rc; i++) {
		struct buf local = BUF_INIT(BUF_LINE + BUF_URL);

		get_row_name(&t, into, &rows->at[i], &local);
		rc = get_plan_row(p, &rows->at[i], buf_str(&local), into);
		buf_clear(&local);
	}
	return rc;
}

static int get_run(int argc, char **argv)
{
	static const struct transfer_verb_ops ops = {
		.command = &get_command,
		.what = "download",
		.method = "GET",
		.check = get_check,
		.plan = get_plan,
		.plan_rows = get_plan_rows,
	};

	return cmd_transfer(&ops, argc, argv);
}

const struct command get_command = {
	.verb = "get",
	.synopsis = "@STAGE/PATH... [LOCAL] | --row FILE [LOCAL]",
	.help = "Files of a stage to this machine, by pre-signed URLs; names "
		"may have * ? [...] in quotes",
	.options = options,
	.run = get_run,
};
