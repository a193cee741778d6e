/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times decide, not bytes: a target that was written after the source is what
 * came from it, when it has its size. So nothing is read, and a clock that is
 * off sends too much rather than too little, unless the target's runs ahead.
 */
#include "transfer/transfer_sync.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "base/buf.h"
#include "base/text.h"
#include "client/failure.h"
#include "client/walk.h"
#include "stage/stage.h"
#include "store/store.h"
#include "transfer/transfer_plan.h"

struct sync_name {
	UT_hash_handle hh;
	uint64_t size;
	struct timespec mtime;
	bool wanted;
	char *etag; /* behind text */
	char text[]; /* below the target */
};

struct transfer_sync {
	struct sync_name *names;
	struct stage *stage; /* a reference; NULL: a directory */
	char *top; /* the path in it, or the directory, with its '/' */
};

static int sync_add(struct transfer_sync *s, const char *name, uint64_t size,
		    struct timespec mtime, const char *etag)
{
	size_t n = strlen(name), m = strlen(etag);
	struct sync_name *x = calloc(1, sizeof(*x) + n + m + 2);

	if (!x)
		return -ENOMEM;
	memcpy(x->text, name, n);
	x->etag = x->text + n + 1;
	memcpy(x->etag, etag, m);
	x->size = size;
	x->mtime = mtime;
	HASH_ADD_KEYPTR(hh, s->names, x->text, n, x);
	return 0;
}

static struct transfer_sync *sync_new(const char *top)
{
	struct transfer_sync *s = calloc(1, sizeof(*s));
	bool slash = !*top || text_ends_with(top, "/");

	if (s && asprintf(&s->top, "%s%s", top, slash ? "" : "/") < 0) {
		free(s);
		s = NULL;
	}
	return s;
}

void transfer_sync_free(struct transfer_sync *s)
{
	struct sync_name *x, *next;

	if (!s)
		return;
	HASH_ITER(hh, s->names, x, next) {
		HASH_DEL(s->names, x);
		free(x);
	}
	stage_unref(s->stage);
	free(s->top);
	free(s);
}

/* ---- the target ---- */

static int sync_each(void *arg, const struct list_entry *e, const char *name,
		     struct failure *f)
{
	struct transfer_sync *s = arg;
	int rc = sync_add(s, name + strlen(s->top), e->info.size, e->info.mtime,
			  e->info.etag);

	return rc ? failure_set(f, CODE_STORAGE, rc, "%s", strerror(-rc)) : 0;
}

int transfer_sync_stage(struct transfer_plan *p, struct stage *stage,
			const char *path)
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	struct walk w = { .stage = stage, .each = sync_each };
	int rc;

	p->sync = sync_new(path);
	if (!p->sync)
		return -ENOMEM;
	p->sync->stage = stage_ref(stage);
	w.path = p->sync->top;
	w.arg = p->sync;
	rc = walk_files(&w, &failure);
	if (rc && rc != -EINTR && rc != -ENOMEM) {
		transfer_fail(p->t, buf_str(&failure.why), "cannot list @%s/%s",
			      stage->name, w.path);
		rc = 0;
	} else if (!rc) {
		rc = 1;
	}
	return rc;
}

static int sync_add_tree(struct transfer_plan *p, FTS *fts)
{
	struct transfer_sync *s = p->sync;
	FTSENT *e;
	int rc = 1;

	while (rc > 0 && (e = fts_read(fts))) {
		const struct stat *st = e->fts_statp;

		if (e->fts_info == FTS_F &&
		    !text_ends_with(e->fts_name, ".part") &&
		    !text_ends_with(e->fts_name, ".part.state"))
			rc = sync_add(s, e->fts_path + strlen(s->top),
				      (uint64_t)st->st_size, st->st_mtim, "")
				     ?: 1;
		else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR ||
			 e->fts_info == FTS_NS) {
			if (e->fts_errno == ENOENT && !e->fts_level)
				break;
			transfer_fail(p->t, strerror(e->fts_errno),
				      "cannot read %s", e->fts_path);
			rc = 0;
		}
	}
	return rc;
}

int transfer_sync_local(struct transfer_plan *p, const char *directory)
{
	char *tops[2] = { NULL, NULL };
	FTS *fts;
	int rc;

	p->sync = sync_new(directory);
	if (!p->sync)
		return -ENOMEM;
	tops[0] = p->sync->top;
	fts = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	rc = fts ? sync_add_tree(p, fts) : -errno;
	if (fts)
		fts_close(fts);
	return rc;
}

/* ---- what it tells ---- */

static bool sync_is_older(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec
				    : a.tv_nsec < b.tv_nsec;
}

bool transfer_sync_current(struct transfer_sync *s, const char *name,
			   const struct object_info *source)
{
	struct sync_name *x;

	if (!s)
		return false;
	HASH_FIND(hh, s->names, name, strlen(name), x);
	if (!x)
		return false;
	x->wanted = true;
	return x->size == source->size &&
	       (!sync_is_older(x->mtime, source->mtime) ||
		(*x->etag && !strcmp(x->etag, source->etag)));
}

/* ---- what is left over ---- */

#define BATCH 1000 /* S3's */

/* Objects go by the thousand, before their jobs are queued, which tell of them
 * then. */
struct sync_batch {
	struct transfer_plan *plan;
	struct transfer_job *jobs[BATCH];
	unsigned n;
};

static int sync_run_remove(struct transfer *t, struct transfer_job *job,
			   struct buf *why)
{
	if (job->remote.stage)
		return job->removed;
	return unlink(job->local) ? -errno : 0;
}

static void sync_remove_objects(struct sync_batch *b)
{
	const char *keys[BATCH];
	int results[BATCH];

	if (!b->n || !b->plan->sync->stage ||
	    transfer_settings(b->plan->t)->dry_run)
		return;
	for (unsigned i = 0; i < b->n; i++)
		keys[i] = b->jobs[i]->remote.key;
	store_remove_many(b->plan->sync->stage->store, keys, b->n, results);
	for (unsigned i = 0; i < b->n; i++)
		b->jobs[i]->removed = results[i];
}

/* Removes and queues what is gathered; after an error frees it. */
static int sync_batch_end(struct sync_batch *b, int rc)
{
	if (!rc)
		sync_remove_objects(b);
	for (unsigned i = 0; i < b->n; i++) {
		if (!rc)
			rc = transfer_add(b->plan->t, b->jobs[i]);
		else
			transfer_job_free(b->jobs[i]);
	}
	b->n = 0;
	return rc;
}

static int sync_remove_one(struct sync_batch *b, const char *name)
{
	struct transfer_sync *s = b->plan->sync;
	BUF_LOCAL path = BUF_INIT(2 * BUF_LINE);
	struct transfer_job *job = NULL;

	buf_addf(&path, "%s%s", s->top, name);
	if (!buf_err(&path))
		job = s->stage ? transfer_plan_job(b->plan, s->stage,
						   buf_str(&path), "")
			       : transfer_plan_local(buf_str(&path));
	if (!job)
		return -ENOMEM;
	job->action = TRANSFER_REMOVE;
	job->run = sync_run_remove;
	job->move = false;
	b->jobs[b->n++] = job;
	return b->n == BATCH ? sync_batch_end(b, 0) : 0;
}

int transfer_sync_remove(struct transfer_plan *p)
{
	MEM_LOCAL struct sync_batch *b = calloc(1, sizeof(*b));
	struct sync_name *x, *next;
	int rc = b ? 0 : -ENOMEM;

	if (!b)
		return rc;
	b->plan = p;
	HASH_ITER(hh, p->sync->names, x, next) {
		if (!rc && !x->wanted &&
		    transfer_filter_wants(&p->filter, x->text))
			rc = sync_remove_one(b, x->text);
	}
	return sync_batch_end(b, rc);
}
