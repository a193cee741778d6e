/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A word of the far side. Without wildcards it is the file that has exactly
 * that name, or with --recursive the directory. What goes below a local
 * directory keeps its last name, and a directory's files theirs below it; a
 * trailing '/' (or the stage alone) means what is in the directory.
 *
 * Keys that no path can have (`a//b`, `..`) are failures of their own: they
 * must not leave the directory, nor be passed over in silence.
 */
#include "transfer/transfer_plan.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/stage.h"
#include "client/statement.h"
#include "client/walk.h"
#include "store/store.h"
#include "transfer/transfer_file.h"
#include "transfer/transfer_glob.h"
#include "transfer/transfer_sync.h"

#define PATH_BYTES (STORE_KEY_MAX + BUF_LINE)

struct find {
	struct transfer_plan *plan;
	const char *word, *local;
	struct stage *stage;
	const char *path; /* in the stage, without a '/' at its end */
	bool wild, contents, into;
	uint64_t found;
};

static void find_say(struct find *f, const char *key, const char *why)
{
	if (key)
		transfer_fail(f->plan->t, why, "cannot download @%s/%s",
			      f->stage->name, key);
	else
		transfer_fail(f->plan->t, why, "cannot download %s", f->word);
}

/* Can a file of this machine have that path? A '/' at its end is fine. */
static bool find_is_local_name(const char *name)
{
	while (*name) {
		size_t n = strcspn(name, "/");

		if (!location_name_visible(name, n))
			return false;
		name += n;
		name += *name == '/';
	}
	return true;
}

/* A directory that holds nothing else, in the other stage. */
static int find_queue_marker(struct find *f, const char *path)
{
	struct transfer_plan *p = f->plan;
	struct transfer_job *job = transfer_plan_job(p, p->to, path, "");

	if (!job)
		return -ENOMEM;
	job->action = TRANSFER_UPLOAD;
	job->run = transfer_put;
	job->directory = true;
	job->move = false;
	job->info.size = 0;
	return transfer_add(p->t, job);
}

static int find_queue(struct find *f, const char *name, const char *rest,
		      const char *local, const struct object_info *info)
{
	struct transfer_plan *p = f->plan;
	struct transfer_job *job;

	if (p->unique && !transfer_plan_take(p, local)) {
		find_say(f, name, "another file has that name here already");
		return 0;
	}
	job = p->to ? transfer_plan_copy(p, f->stage, name, local)
		    : transfer_plan_job(p, f->stage, name, local);
	if (!job)
		return -ENOMEM;
	if (!p->to)
		job->run = transfer_get;
	job->info = *info;
	if (transfer_sync_current(p->sync, rest, info)) {
		transfer_skip(p->t, job);
		return 0;
	}
	return transfer_add(p->t, job);
}

/* One object below the local directory, its directories made. rest: its name
 * there. */
static int find_place(struct find *f, const char *name, const char *rest,
		      const struct object_info *info)
{
	BUF_LOCAL local = BUF_INIT(PATH_BYTES);
	bool marker = text_ends_with(name, "/");
	int rc;

	f->found++;
	if (!f->plan->to && !strcmp(f->local, "-"))
		return marker ? 0 : find_queue(f, name, "", f->local, info);
	if (!*rest && marker)
		return 0; /* the directory's own */
	if (!*rest || !find_is_local_name(rest)) {
		find_say(f, name, "no file here can have that name");
		return 0;
	}
	buf_adds(&local, f->local);
	if (local.len && local.data[local.len - 1] != '/')
		buf_addc(&local, '/');
	buf_adds(&local, rest);
	if (marker && !f->plan->to)
		buf_truncate(&local, local.len - 1);
	rc = buf_err(&local);
	if (!rc && f->plan->to) {
		rc = marker ? find_queue_marker(f, buf_str(&local))
			    : find_queue(f, name, rest, buf_str(&local), info);
	} else if (!rc) {
		if (!f->plan->dry_run)
			rc = transfer_file_make_dirs(buf_str(&local), marker);
		if (rc) {
			find_say(f, name, strerror(-rc));
			rc = 0;
		} else if (!marker) {
			rc = find_queue(f, name, rest, buf_str(&local), info);
		}
	}
	return rc;
}

/* The last name of the first n bytes. */
static size_t find_last_name(const char *s, size_t n)
{
	while (n && s[n - 1] != '/')
		n--;
	return n;
}

static int find_each(void *arg, const struct list_entry *e, const char *name,
		     struct failure *failure)
{
	struct find *f = arg;
	size_t n =
		f->wild ? transfer_glob_match(f->path, name) : strlen(f->path);
	const char *rest;

	if (f->wild && !n)
		return 0;
	/* a directory that matches is not what was asked for */
	if (name[n] && !f->plan->recursive)
		return 0;
	if (f->contents)
		rest = name + n + (n && name[n] == '/');
	else
		rest = name + find_last_name(name, n);
	if (!transfer_filter_wants(&f->plan->filter, rest)) {
		f->found++;
		return 0;
	}
	return find_place(f, name, rest, &e->info);
}

static int find_list(struct find *f)
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	BUF_LOCAL prefix = BUF_INIT(STORE_KEY_MAX);
	struct walk w = {
		.stage = f->stage,
		.markers = f->plan->recursive,
		.each = find_each,
		.arg = f,
	};
	int rc;

	if (f->wild)
		transfer_glob_prefix(f->path, &prefix);
	else if (*f->path)
		buf_addf(&prefix, "%s/", f->path);
	w.path = buf_str(&prefix);
	rc = walk_files(&w, &failure);
	if (rc && rc != -EINTR && rc != -ENOMEM) {
		transfer_fail(f->plan->t,
			      failure.why.len ? buf_str(&failure.why)
					      : strerror(-rc),
			      "cannot list %s", f->word);
		rc = 0;
	} else if (!rc && !f->found) {
		find_say(f, NULL, "no file of the stage matches");
	}
	return rc;
}

/* A name without wildcards, that may be a file or a directory. */
static int find_look(struct find *f, const struct name_info *there)
{
	if (f->plan->recursive && there->is_prefix) {
		f->contents |= f->plan->as_cp && !f->into;
		return find_list(f);
	}
	if (there->is_object && !f->contents && f->into)
		return find_place(f, f->path,
				  f->path + find_last_name(f->path,
							   strlen(f->path)),
				  &there->info);
	if (there->is_object && !f->contents)
		return find_queue(f, f->path, "", f->local, &there->info);
	if (there->is_prefix)
		find_say(f, NULL,
			 "a directory (--recursive takes what is in it)");
	else
		find_say(f, NULL, "no such file");
	return 0;
}

static int find_exact(struct find *f)
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX);
	struct name_info there;
	int rc;

	if (!*f->path) {
		if (f->plan->recursive)
			return find_list(f);
		find_say(f, NULL, "a stage (--recursive takes what is in it)");
		return 0;
	}
	rc = stage_key(f->stage, f->path, &key);
	if (!rc)
		rc = store_stat(f->stage->store, buf_str(&key), &there);
	if (!rc)
		return find_look(f, &there);
	if (rc == -EINTR || rc == -ENOMEM)
		return rc;
	if (rc == -ENAMETOOLONG)
		failure_set(&failure, CODE_BAD_ARGUMENTS, rc, "%s",
			    strerror(-rc));
	else
		failure_store(&failure, f->stage->store, f->stage->prefix, rc);
	find_say(f, NULL, buf_str(&failure.why));
	return 0;
}

int transfer_find(struct transfer_plan *p, const char *word, const char *local,
		  bool into)
{
	struct find f = { .plan = p, .word = word, .local = local };
	LOCATION_LOCAL where = { 0 };
	size_t n;
	int rc = transfer_plan_stage(p, "download", word, &where, &f.stage);

	if (rc <= 0)
		return rc;
	n = strlen(where.path);
	f.contents = !n || where.path[n - 1] == '/';
	if (n && f.contents)
		where.path[n - 1] = '\0';
	f.path = where.path;
	f.into = into;
	f.wild = !p->literal && transfer_glob_is(f.path);
	if (!p->literal && !f.wild)
		transfer_glob_unescape(where.path);
	rc = f.wild ? find_list(&f) : find_exact(&f);
	stage_unref(f.stage);
	return rc;
}
