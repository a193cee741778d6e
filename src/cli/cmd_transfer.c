/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs get` and `stagefs put`: files between stages and this machine, by
 * pre-signed URLs. get's last word is where they go, unless it is a location
 * itself: then that is the current directory. put's is the stage's directory,
 * as for Databend's PUT; with --exact, from standard input, or when it has the
 * file's own suffix, it is the file's own name.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/transfer_verb.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "store/store.h"
#include "transfer/transfer_file.h"
#include "transfer/transfer_glob.h"
#include "transfer/transfer_plan.h"

/* ---- get ---- */

static const struct option get_options[] = {
	TRANSFER_RECURSIVE_ROWS,
	TRANSFER_ROWS,
	TRANSFER_SKIP_ROW,
	TRANSFER_ROW("--no-clobber", BOOL, set.no_clobber, .def = "no",
		     .help = "leave files that are there as they are"),
	TRANSFER_ROW("-n", BOOL, set.no_clobber, .alias_of = "--no-clobber"),
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

static bool transfer_get_is_directory(const char *path)
{
	struct stat st;

	return text_ends_with(path, "/") ||
	       (!stat(path, &st) && S_ISDIR(st.st_mode));
}

static struct target transfer_get_read_target(const struct cmd_words *w,
					      bool rows)
{
	const char *last = w->n ? w->word[w->n - 1] : "";
	struct target t = { .local = ".", .sources = w->n };

	if (w->n && (rows || *last != '@')) {
		/* a file behind it, to which another process may be
		 * writing, would be replaced */
		t.local = strcmp(last, "/dev/stdout") ? last : "-";
		t.sources--;
	}
	t.into = strcmp(t.local, "-") &&
		 (t.sources > 1 || transfer_get_is_directory(t.local));
	return t;
}

static void transfer_get_check(const struct transfer_options *o,
			       const struct cmd_words *w, struct buf *why)
{
	struct target t = transfer_get_read_target(w, o->row);

	if (o->row && t.sources)
		buf_adds(why, "with --row there is only the local name");
	else if (!o->row && !t.sources)
		buf_adds(why, "which files? name them as @stage/path");
	else if (!*t.local)
		buf_adds(why, "the local name is empty");
	for (unsigned i = 0; i < t.sources && !why->len; i++)
		location_check(w->word[i], why);
}

static int transfer_get_plan(struct transfer_plan *p,
			     const struct transfer_options *o,
			     const struct cmd_words *w)
{
	struct target t = transfer_get_read_target(w, false);
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

static void transfer_get_row_name(const struct target *t, bool into,
				  const struct transfer_row *row,
				  struct buf *out)
{
	BUF_LOCAL name = BUF_INIT(BUF_URL);

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
}

/* Others go on. */
static int transfer_get_refuse(struct transfer_plan *p,
			       const struct transfer_row *row, const char *why)
{
	BUF_LOCAL key = BUF_INIT(BUF_URL);

	transfer_row_key(row, &key);
	transfer_fail(p->t, why, "cannot download %s", buf_str(&key));
	return 0;
}

static int transfer_get_plan_row(struct transfer_plan *p,
				 struct transfer_row *row, const char *local,
				 bool into)
{
	struct transfer_job *job;
	int rc;

	if (strcmp(row->method, "GET"))
		return transfer_get_refuse(
			p, row, "the row is for something else (its method)");
	if (!*local)
		return transfer_get_refuse(p, row,
					   "no file here can have its name");
	if (p->unique && !transfer_plan_take(p, local))
		return transfer_get_refuse(
			p, row, "another file has that name here already");
	rc = into ? transfer_file_make_dirs(local, false) : 0;
	if (rc)
		return transfer_get_refuse(p, row, strerror(-rc));
	job = transfer_plan_row(p, row, local);
	if (!job)
		return -ENOMEM;
	job->run = transfer_get;
	return transfer_add(p->t, job);
}

static int transfer_get_plan_rows(struct transfer_plan *p,
				  const struct transfer_options *o,
				  const struct cmd_words *w,
				  struct transfer_rows *rows)
{
	struct target t = transfer_get_read_target(w, true);
	bool standard = !strcmp(t.local, "-");
	bool into = !standard && (rows->n > 1 || t.into);
	int rc = 0;

	p->unique = rows->n > 1 && !standard;
	for (unsigned i = 0; i < rows->n && !rc; i++) {
		BUF_LOCAL local = BUF_INIT(BUF_LINE + BUF_URL);

		transfer_get_row_name(&t, into, &rows->at[i], &local);
		rc = transfer_get_plan_row(p, &rows->at[i], buf_str(&local),
					   into);
	}
	return rc;
}

const struct command get_command = {
	.verb = "get",
	.group = GROUP_FILES,
	.brief = "files of a stage to this machine",
	.synopsis = "@STAGE/PATH... [LOCAL] | --row FILE [LOCAL]",
	.help = "Files of a stage to this machine, by pre-signed URLs; names "
		"may have * ? [...] in quotes",
	.options = get_options,
	.run = transfer_verb_run,
	.how =
		&(const struct transfer_verb_ops){
			.method = "GET",
			.again = "the same command again goes on where it "
				 "ended",
			.check = transfer_get_check,
			.plan = transfer_get_plan,
			.plan_rows = transfer_get_plan_rows,
		},
};

/* ---- put ---- */

static const struct option put_options[] = {
	TRANSFER_RECURSIVE_ROWS,
	TRANSFER_ROWS,
	TRANSFER_SKIP_ROW,
	TRANSFER_ROW("--content-type", STRING, content_type, .max = 255,
		     .help = "the type of what is uploaded (default: by its "
			     "name, unless the stage says content_type = off)"),
	TRANSFER_ROW("--abort", BOOL, set.abort, .def = "no",
		     .help = "send nothing: remove what an interrupted put of "
			     "these has left unfinished"),
	TRANSFER_ROW("--exact", BOOL, exact, .def = "no",
		     .help = "the location is the file's own name"),
	TRANSFER_ROW("--row", STRING, row,
		     .help = "upload by PRESIGN's rows in this file (- is "
			     "standard input), one a file; no configuration "
			     "is read"),
	{ 0 },
};

static bool transfer_put_is_standard(const char *word)
{
	return !strcmp(word, "-");
}

static const char *transfer_put_fault_rows(const struct transfer_options *o,
					   const struct cmd_words *w)
{
	if (!w->n)
		return "which files?";
	if (o->recursive || o->exact || o->set.skip_existing || o->set.abort ||
	    o->content_type)
		return "a row says all of it: no --recursive, --exact, "
		       "--skip-existing, --abort or --content-type with --row";
	for (unsigned i = 0; i < w->n; i++)
		if (transfer_put_is_standard(w->word[i]) &&
		    transfer_put_is_standard(o->row))
			return "standard input is the row already";
	return NULL;
}

static const char *transfer_put_fault(const struct transfer_options *o,
				      const struct cmd_words *w)
{
	const char *where = w->n ? w->word[w->n - 1] : "";
	bool many = w->n > 2;

	if (w->n < 2 || *where != '@')
		return "say which files, and last where they go: "
		       "@stage/path";
	if (o->exact && many)
		return "one name is for one file (--exact)";
	for (unsigned i = 0; i + 1 < w->n; i++) {
		if (!transfer_put_is_standard(w->word[i]))
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

static void transfer_put_check(const struct transfer_options *o,
			       const struct cmd_words *w, struct buf *why)
{
	const char *f = o->row ? transfer_put_fault_rows(o, w)
			       : transfer_put_fault(o, w);

	if (f)
		buf_adds(why, f);
	else if (!o->row)
		location_check(w->word[w->n - 1], why);
}

/* The last name's suffix with its dot, or "". */
static const char *transfer_put_suffix(const char *path)
{
	const char *slash = strrchr(path, '/'),
		   *dot = strrchr(slash ? slash : path, '.');

	return dot ? dot : "";
}

/*
 * `put a.csv @s/2026.csv`: one file, and a name with the same suffix where no
 * directory is. It is the file's name, as cp has it. 1, 0 or -errno.
 */
static int transfer_put_is_name(const struct transfer_options *o,
				const struct cmd_words *w, struct stage *stage,
				const char *path)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX);
	struct name_info there;
	struct stat st;
	int rc;

	if (o->exact)
		return 1;
	if (w->n != 2 || !*transfer_put_suffix(path) ||
	    strcasecmp(transfer_put_suffix(path),
		       transfer_put_suffix(w->word[0])) ||
	    stat(w->word[0], &st) || S_ISDIR(st.st_mode))
		return 0;
	rc = stage_key(stage, path, &key);
	if (!rc)
		rc = store_stat(stage->store, buf_str(&key), &there);
	return rc ? rc : !there.is_prefix;
}

static int transfer_put_plan(struct transfer_plan *p,
			     const struct transfer_options *o,
			     const struct cmd_words *w)
{
	const char *word = w->word[w->n - 1];
	LOCATION_LOCAL where = { 0 };
	STAGE_LOCAL *stage = NULL;
	int exact,
		rc = transfer_plan_stage(p, "upload to", word, &where, &stage);

	if (rc <= 0)
		return rc;
	exact = transfer_put_is_name(o, w, stage, where.path);
	/* what else it is, the upload says */
	rc = exact == -EINTR || exact == -ENOMEM ? exact : 0;
	p->unique = w->n > 2 || strpbrk(w->word[0], "*?[");
	p->n_words = w->n - 1;
	for (unsigned i = 0; i + 1 < w->n && !rc; i++)
		rc = transfer_walk(p, w->word[i], stage, where.path, exact > 0);
	return rc;
}

/* ---- rows ---- */

static int transfer_put_plan_row(struct transfer_plan *p,
				 struct transfer_row *row, const char *local)
{
	struct transfer_job *job;

	if (strcmp(row->method, "PUT") && strcmp(row->method, "POST")) {
		transfer_fail(p->t,
			      "the row is for something else (its method)",
			      "cannot upload %s", local);
		return 0;
	}
	job = transfer_plan_row(p, row, local);
	if (!job)
		return -ENOMEM;
	job->action = TRANSFER_UPLOAD;
	job->run = transfer_put;
	return transfer_add(p->t, job);
}

static int transfer_put_plan_rows(struct transfer_plan *p,
				  const struct transfer_options *o,
				  const struct cmd_words *w,
				  struct transfer_rows *rows)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (rows->n != w->n) {
		buf_addf(&why, "%u rows are there for %u files", rows->n, w->n);
		transfer_fail(p->t, buf_str(&why), "cannot upload");
		return 0;
	}
	for (unsigned i = 0; i < rows->n && !rc; i++)
		rc = transfer_put_plan_row(p, &rows->at[i], w->word[i]);
	return rc;
}

const struct command put_command = {
	.verb = "put",
	.group = GROUP_FILES,
	.brief = "files of this machine to a stage",
	.synopsis = "LOCAL... @STAGE[/DIRECTORY] | --row FILE LOCAL...",
	.help = "Files of this machine to a stage, by pre-signed URLs; LOCAL "
		"may be a quoted pattern, or - for standard input",
	.options = put_options,
	.run = transfer_verb_run,
	.how =
		&(const struct transfer_verb_ops){
			.method = "PUT",
			.again = "the same command again goes on where it "
				 "ended (--skip-existing: past what has "
				 "arrived; --abort: nothing is kept)",
			.check = transfer_put_check,
			.plan = transfer_put_plan,
			.plan_rows = transfer_put_plan_rows,
		},
};
