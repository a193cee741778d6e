/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A word of this side: a file, a directory with --recursive, or a pattern
 * that the shell did not expand because it was quoted. As on the far side a
 * trailing '/' (and `.` and `..`) means what is in the directory.
 *
 * In a tree symlinks to files are followed, those to directories are not: they
 * may lead round. A directory without anything in it becomes a marker, so
 * that a tree comes back as it was.
 */
#include "transfer/transfer_plan.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/number.h"
#include "stage/stage.h"
#include "store/store.h"
#include "transfer/transfer_sync.h"

struct walk_up {
	struct transfer_plan *plan;
	struct stage *stage;
	const char *path; /* in the stage */
	bool exact;
};

static void walk_say(struct walk_up *w, const char *local, const char *why)
{
	transfer_fail(w->plan->t, why, "cannot upload %s", local);
}

/* rest: the name below the location, "" when the location is the name. */
static int walk_queue(struct walk_up *w, const char *local, const char *rest,
		      const struct stat *st, bool directory)
{
	BUF_LOCAL path = BUF_INIT(2 * BUF_LINE);
	struct transfer_job *job = NULL;
	int rc;

	buf_adds(&path, w->path);
	if (*rest && path.len && path.data[path.len - 1] != '/')
		buf_addc(&path, '/');
	buf_adds(&path, rest);
	if (directory)
		buf_addc(&path, '/');
	rc = buf_err(&path);
	if (!rc && !directory && w->plan->unique &&
	    !transfer_plan_take(w->plan, buf_str(&path))) {
		walk_say(w, local, "another file has that name there already");
		return rc;
	}
	if (!rc) {
		job = transfer_plan_job(w->plan, w->stage, buf_str(&path),
					local);
		rc = job ? 0 : -ENOMEM;
	}
	if (rc)
		return rc;
	job->there = transfer_index_find(w->plan->index, job->remote.key,
					 &job->found);
	job->action = TRANSFER_UPLOAD;
	job->run = transfer_put;
	job->directory = directory;
	if (directory)
		job->info.size = 0;
	else if (S_ISREG(st->st_mode))
		job->info.size = st->st_size;
	job->info.mtime = st->st_mtim;
	if (!directory &&
	    transfer_sync_current(w->plan->sync, rest, &job->info))
		transfer_skip(w->plan->t, job);
	else
		rc = transfer_add(w->plan->t, job);
	return rc;
}

/* ---- what is there already ---- */

#define INDEX_MOST 1000000 /* entries: some 150 MB */
#define INDEX_PAGE 1000 /* entries that a request lists */
#define FILES_FEW 2 /* to ask for each is as well */

/* Lists a directory of the stage, if files below it may be passed over. */
static int walk_index(struct walk_up *w, const char *below, bool deep,
		      uint64_t most)
{
	struct transfer_plan *p = w->plan;
	BUF_LOCAL path = BUF_INIT(2 * BUF_LINE);
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX);
	int rc;

	if (!transfer_settings(p->t)->skip_existing ||
	    w->stage->store->limits.files)
		return 0;
	buf_adds(&path, w->path);
	if (path.len && path.data[path.len - 1] != '/')
		buf_addc(&path, '/');
	buf_adds(&path, below);
	if (path.len && path.data[path.len - 1] != '/')
		buf_addc(&path, '/');
	/* What is too long for a key is each file's own error. */
	rc = buf_err(&path) || stage_key(w->stage, buf_str(&path), &key) ? 1
									 : 0;
	if (!rc && !p->index) {
		p->index = transfer_index_new(w->stage->store);
		rc = p->index ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = transfer_index_list(p->index, buf_str(&key), deep, most);
	return rc < 0 ? rc : 0;
}

/* One of several files: a listing is worth as many requests as they are. */
static int walk_index_files(struct walk_up *w)
{
	unsigned n = w->plan->n_words;

	if (w->exact || n <= FILES_FEW)
		return 0;
	return walk_index(w, "", false, (uint64_t)n * 2 * INDEX_PAGE);
}

/* ---- a tree ---- */

static const char *walk_broken_link(int why)
{
	return why == ENOENT ? "a symbolic link to nothing" : strerror(why);
}

static int walk_tree_entry(struct walk_up *w, FTSENT *e, const char *rest)
{
	struct stat st;

	switch (e->fts_info) {
	case FTS_F:
		return walk_queue(w, e->fts_path, rest, e->fts_statp, false);
	case FTS_SL:
		if (stat(e->fts_accpath, &st))
			walk_say(w, e->fts_path, walk_broken_link(errno));
		else if (S_ISREG(st.st_mode))
			return walk_queue(w, e->fts_path, rest, &st, false);
		else
			walk_say(w, e->fts_path,
				 S_ISDIR(st.st_mode)
					 ? "a symbolic link to a directory"
					 : "neither a file nor a directory");
		return 0;
	case FTS_DP:
		/* fts_number counts what was in it */
		if (!e->fts_number && *rest)
			return walk_queue(w, e->fts_path, rest, e->fts_statp,
					  true);
		return 0;
	case FTS_D:
		return 0;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		walk_say(w, e->fts_path, strerror(e->fts_errno));
		return 0;
	default:
		walk_say(w, e->fts_path, "neither a file nor a directory");
		return 0;
	}
}

/* skip: bytes of the paths that are not part of the names in the stage. */
static int walk_tree(struct walk_up *w, const char *top, size_t skip)
{
	char *const tops[] = { (char *)top, NULL };
	FTS *fts = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW,
			    NULL);
	FTSENT *e;
	int rc = fts ? walk_index(w, top + skip, true, INDEX_MOST) : -errno;

	while (!rc && (e = fts_read(fts))) {
		const char *rest = e->fts_path;

		rest += number_min(skip, strlen(rest));
		rest += strspn(rest, "/");
		if (e->fts_info != FTS_D)
			e->fts_parent->fts_number++;
		if (transfer_filter_wants(&w->plan->filter, rest))
			rc = walk_tree_entry(w, e, rest);
	}
	if (fts)
		fts_close(fts);
	return rc;
}

/* Where the name begins that a path has in the stage. */
static size_t walk_name_start(const char *path)
{
	size_t n = strlen(path), at;

	if (!n || path[n - 1] == '/')
		return n;
	for (at = n; at && path[at - 1] != '/'; at--)
		;
	if (!strcmp(path + at, ".") || !strcmp(path + at, ".."))
		return n;
	return at;
}

static int walk_one_path(struct walk_up *w, const char *path)
{
	size_t start = walk_name_start(path);
	struct stat st;
	int rc;

	if (stat(path, &st)) {
		walk_say(w, path, strerror(errno));
		return 0;
	}
	if (S_ISDIR(st.st_mode) && w->exact)
		walk_say(w, path,
			 "a directory has many names (without --exact)");
	else if (S_ISDIR(st.st_mode) && !w->plan->recursive)
		walk_say(w, path,
			 "a directory (--recursive takes what is in it)");
	else if (S_ISDIR(st.st_mode))
		return walk_tree(w, path, start);
	else {
		rc = walk_index_files(w);
		return rc ? rc
			  : walk_queue(w, path, w->exact ? "" : path + start,
				       &st, false);
	}
	return 0;
}

static int walk_expand(struct walk_up *w, const char *word)
{
	glob_t found = { 0 };
	int rc = glob(word, GLOB_ERR, NULL, &found);

	if (rc == GLOB_NOMATCH) {
		walk_say(w, word, "no file matches");
		return 0;
	}
	if (rc) {
		walk_say(w, word, "its directory cannot be read");
		return 0;
	}
	if (found.gl_pathc > w->plan->n_words)
		w->plan->n_words = (unsigned)found.gl_pathc;
	for (size_t i = 0; i < found.gl_pathc && !rc; i++)
		rc = walk_one_path(w, found.gl_pathv[i]);
	globfree(&found);
	return rc;
}

int transfer_walk(struct transfer_plan *p, const char *word,
		  struct stage *stage, const char *path, bool exact)
{
	struct walk_up w = { p, stage, path, exact };
	const struct stat none = { 0 };
	struct stat st;

	if (!strcmp(word, "-"))
		return walk_queue(&w, word, "", &none, false);
	if (!p->literal && lstat(word, &st) && strpbrk(word, "*?["))
		return walk_expand(&w, word);
	return walk_one_path(&w, word);
}

void transfer_walk_clear(const char *top)
{
	char *const tops[] = { (char *)top, NULL };
	FTS *fts = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;

	while (fts && (e = fts_read(fts)))
		if (e->fts_info == FTS_DP)
			rmdir(e->fts_accpath);
	if (fts)
		fts_close(fts);
}
