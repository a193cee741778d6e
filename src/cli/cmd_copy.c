/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs cp`, `mv` and `cat`: files of this machine and of stages, in either
 * direction and from stage to stage, by the rules of cp(1): a last word that is
 * a directory, or ends in '/', is where things go; else it is the new name.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/transfer_verb.h"
#include "client/failure.h"
#include "client/message.h"
#include "client/session.h"
#include "client/walk.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "store/store.h"
#include "transfer/transfer_glob.h"

static bool copy_is_location(const char *word)
{
	return *word == '@';
}

static void copy_check_location(const char *word, struct buf *why)
{
	if (!why->len && copy_is_location(word))
		location_check(word, why);
}

static void copy_check(const struct transfer_options *o,
		       const struct cmd_words *w, struct buf *why)
{
	const char *to = w->n ? w->word[w->n - 1] : "";

	if (w->n < 2)
		buf_adds(why, "say what, and last where it goes; a file of a "
			      "stage is @stage/path");
	else if (!*to)
		buf_adds(why, "the last name is empty");
	for (unsigned i = 0; i < w->n && !why->len; i++) {
		copy_check_location(w->word[i], why);
		if (!why->len && i + 1 < w->n && !copy_is_location(to) &&
		    !copy_is_location(w->word[i]))
			buf_adds(why, "neither is in a stage (@stage/path): "
				      "that is cp(1)'s");
	}
}

static void copy_move_check(const struct transfer_options *o,
			    const struct cmd_words *w, struct buf *why)
{
	copy_check(o, w, why);
	for (unsigned i = 0; i < w->n && !why->len; i++)
		if (!strcmp(w->word[i], "-"))
			buf_adds(why, "a standard stream cannot be moved");
}

/* ---- where it goes ---- */

static bool copy_has_wildcard(const struct transfer_options *o,
			      const struct cmd_words *w)
{
	for (unsigned i = 0; i + 1 < w->n; i++)
		if (!o->no_glob && transfer_glob_is(w->word[i]))
			return true;
	return false;
}

/* Are things put below that word? Only one that goes to a bare name has to
 * ask. 1, 0 or -errno. */
static int copy_is_into_stage(const struct cmd_words *w, bool wild,
			      struct stage *stage, const char *path)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX);
	struct name_info there;
	int rc;

	if (w->n > 2 || wild || !*path || text_ends_with(path, "/"))
		return 1;
	rc = stage_key(stage, path, &key);
	if (!rc)
		rc = store_stat(stage->store, buf_str(&key), &there);
	return rc ? rc : there.is_prefix;
}

static bool copy_is_into_local(const struct cmd_words *w, bool wild)
{
	const char *to = w->word[w->n - 1];
	struct stat st;

	return w->n > 2 || wild || text_ends_with(to, "/") ||
	       (!stat(to, &st) && S_ISDIR(st.st_mode));
}

/* ---- planning ---- */

/* A tree that goes to a name which is not there: what is in it. */
static int copy_from_local(struct transfer_plan *p, const char *word,
			   struct stage *stage, const char *path, bool into)
{
	BUF_LOCAL contents = BUF_INIT(BUF_LINE);
	struct stat st;
	bool tree = !stat(word, &st) && S_ISDIR(st.st_mode);
	int rc;

	buf_addf(&contents, "%s%s", word,
		 tree && !into && !text_ends_with(word, "/") ? "/" : "");
	rc = buf_err(&contents);
	return rc ? rc
		  : transfer_walk(p, buf_str(&contents), stage, path,
				  !into && !tree);
}

static int copy_to_stage(struct transfer_plan *p,
			 const struct transfer_options *o,
			 const struct cmd_words *w)
{
	const char *last = w->word[w->n - 1];
	LOCATION_LOCAL where = { 0 };
	int into, rc = transfer_plan_stage(p, "copy to", last, &where, &p->to);
	char *path;
	size_t n;

	if (rc <= 0)
		return rc;
	into = copy_is_into_stage(w, p->unique, p->to, where.path);
	rc = into < 0 ? into : 0;
	path = where.path;
	n = strlen(path);
	if (n && path[n - 1] == '/')
		path[n - 1] = '\0';
	for (unsigned i = 0; i + 1 < w->n && !rc; i++) {
		if (copy_is_location(w->word[i]))
			rc = transfer_find(p, w->word[i], path, into);
		else
			rc = copy_from_local(p, w->word[i], p->to, path, into);
	}
	if (rc && rc != -EINTR && rc != -ENOMEM) {
		transfer_fail(p->t, store_error_words(p->to->store, rc),
			      "cannot copy to %s", last);
		rc = 0;
	}
	return rc;
}

static int copy_plan(struct transfer_plan *p, const struct transfer_options *o,
		     const struct cmd_words *w)
{
	bool wild = copy_has_wildcard(o, w);
	const char *last = w->word[w->n - 1];
	bool into = copy_is_into_local(w, wild);
	int rc = 0;

	p->unique = w->n > 2 || wild;
	p->as_cp = true;
	if (copy_is_location(last))
		return copy_to_stage(p, o, w);
	if (!strcmp(last, "-"))
		p->unique = into = false;
	for (unsigned i = 0; i + 1 < w->n && !rc; i++)
		rc = transfer_find(p, w->word[i], last, into);
	return rc;
}

#define COPY_LINES \
	"a file of a stage is @STAGE/PATH, - is standard input or output; " \
	"within one bucket the server copies"

static const struct option copy_options[] = {
	TRANSFER_RECURSIVE_ROWS,
	TRANSFER_ROWS,
	TRANSFER_SKIP_ROW,
	TRANSFER_ROW("--no-clobber", BOOL, set.no_clobber, .def = "no",
		     .help = "leave files of this machine that are there as "
			     "they are"),
	TRANSFER_ROW("--content-type", STRING, content_type, .max = 255,
		     .help = "the type of what is uploaded (default: by its "
			     "name)"),
	{ 0 },
};

const struct command cp_command = {
	.verb = "cp",
	.group = GROUP_FILES,
	.brief = "copy: to a stage, from one, between two; -r directories",
	.synopsis = "[-r] SOURCE... TARGET",
	.help = "Copies as cp(1): " COPY_LINES,
	.options = copy_options,
	.run = transfer_verb_run,
	.how =
		&(const struct transfer_verb_ops){
			.again = "with --skip-existing the same command "
				 "passes over what has arrived",
			.check = copy_check,
			.plan = copy_plan,
		},
};

/* ---- mv ---- */

struct move_markers {
	struct store *store;
	int rc;
};

static int copy_move_marker(void *arg, const struct list_entry *e,
			    const char *name, struct failure *f)
{
	struct move_markers *m = arg;
	size_t n = strlen(name);

	if (n && name[n - 1] == '/' && !m->rc)
		m->rc = store_remove(m->store, e->key);
	return 0;
}

/* Of a tree that has gone, what stood for its empty directories. */
static int copy_move_clear_stage(struct transfer_plan *p, const char *word)
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	BUF_LOCAL path = BUF_INIT(STORE_KEY_MAX);
	struct move_markers m = { 0 };
	struct walk walk = { .markers = true,
			     .each = copy_move_marker,
			     .arg = &m };
	LOCATION_LOCAL where = { 0 };
	int rc = location_parse(word, &where, &failure.why);

	if (!rc) {
		rc = session_stage(p->session, where.stage, &walk.stage,
				   &failure);
		buf_addf(&path, "%s%s", where.path,
			 !*where.path || text_ends_with(where.path, "/") ? ""
									 : "/");
		walk.path = buf_str(&path);
	}
	if (!rc) {
		m.store = walk.stage->store;
		rc = walk_files(&walk, &failure);
		stage_unref(walk.stage);
	}
	if (!rc && m.rc) {
		rc = m.rc;
		buf_adds(&failure.why, strerror(-m.rc));
	}
	if (rc)
		message("cannot remove the directory that was moved",
			buf_str(&failure.why));
	return rc ? STATUS_FAILED : STATUS_OK;
}

static int copy_move_after(struct transfer_plan *p,
			   const struct transfer_options *o,
			   const struct cmd_words *w)
{
	int status = STATUS_OK;

	if (!o->recursive || o->set.dry_run || o->include || o->exclude)
		return STATUS_OK;
	for (unsigned i = 0; i + 1 < w->n; i++) {
		if (copy_is_location(w->word[i]) &&
		    !transfer_glob_is(w->word[i]))
			status |= copy_move_clear_stage(p, w->word[i]);
		else if (!copy_is_location(w->word[i]))
			transfer_walk_clear(w->word[i]);
	}
	return status;
}

static const struct option move_options[] = {
	TRANSFER_RECURSIVE_ROWS,
	TRANSFER_ROWS,
	{ 0 },
};

const struct command mv_command = {
	.verb = "mv",
	.group = GROUP_FILES,
	.brief = "move: as cp, then remove what was copied",
	.synopsis = "[-r] SOURCE... TARGET",
	.help = "Copies as cp, and removes each file when it has arrived; "
		"nothing else reads or writes a directory meanwhile: it is not "
		"one step",
	.options = move_options,
	.run = transfer_verb_run,
	.how =
		&(const struct transfer_verb_ops){
			.move = true,
			.again = "what has arrived is moved; the same command "
				 "moves the rest",
			.check = copy_move_check,
			.plan = copy_plan,
			.after = copy_move_after,
		},
};

/* ---- cat ---- */

static void copy_cat_check(const struct transfer_options *o,
			   const struct cmd_words *w, struct buf *why)
{
	if (!w->n)
		buf_adds(why, "which files? name them as @stage/path");
	for (unsigned i = 0; i < w->n && !why->len; i++)
		location_check(w->word[i], why);
}

static int copy_cat_plan(struct transfer_plan *p,
			 const struct transfer_options *o,
			 const struct cmd_words *w)
{
	int rc = 0;

	for (unsigned i = 0; i < w->n && !rc; i++)
		rc = transfer_find(p, w->word[i], "-", false);
	return rc;
}

static const struct option cat_options[] = {
	TRANSFER_RECURSIVE_ROWS,
	TRANSFER_ROW("--config", STRING, config, .word = "FILE",
		     .help = "configuration"),
	TRANSFER_ROW("--parallel", UINT, set.parallel, .min = 1,
		     .max = TRANSFER_PARALLEL_MAX, .def = "8",
		     .help = "requests at once"),
	TRANSFER_ROW("--limit-rate", SIZE, set.rate, .min = 1,
		     .help = "bytes a second"),
	TRANSFER_ROW("--no-glob", BOOL, no_glob, .def = "no",
		     .help = "* ? [ in names are themselves"),
	{ 0 },
};

const struct command cat_command = {
	.verb = "cat",
	.group = GROUP_FILES,
	.brief = "print files of a stage",
	.synopsis = "@STAGE/PATH...",
	.help = "Prints files one after the other; names may have * ? [...] "
		"in quotes",
	.options = cat_options,
	.run = transfer_verb_run,
	.how =
		&(const struct transfer_verb_ops){
			.quiet = true,
			.again = "not all was printed",
			.check = copy_cat_check,
			.plan = copy_cat_plan,
		},
};
