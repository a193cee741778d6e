/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run is one program (or several) going through files: a cursor in the tree,
 * and a queue of what was started behind it and is not opened yet. It begins
 * where a trail has proved an order (fs/names/trail.h).
 *
 * In the directory where it is a run has as many files ahead as were opened of
 * those that it had fetched, twice what it had before. Beyond that directory it
 * is not known that its program will go on: what waits there is a tenth of what
 * was opened, in bytes. The same holds everywhere where a directory beside was
 * left amid its files.
 */
#include "fs/file_ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/number.h"
#include "fs/cache/block.h"
#include "fs/cache/prefetch.h"
#include "fs/content/file_map.h"
#include "fs/names.h"
#include "fs/names/dircache.h"
#include "fs/names/trail.h"
#include "fs/subtree.h"
#include "stage/stage.h"

#define RUNS_MAX 8
#define WINDOW_FIRST 2
#define WINDOW_MAX 32
#define BEYOND 10 /* files opened for one that may be in vain */
#define WALK_STEPS 256 /* for one file */

/* A place in the tree, in the order of listings; both referenced. */
struct cursor {
	struct inode *dir;
	struct inode *at; /* in dir; NULL: before its first entry */
};

/* A file that was asked for, or whose bytes are here yet. */
struct ahead_entry {
	struct inode *inode; /* referenced */
	const struct inode *dir; /* its own: an address, no more */
	uint64_t size;
	struct block_source *source; /* NULL: it is not asked for yet */
	char etag[STORE_ETAG_SIZE];
	int64_t began_ms;
	uint64_t asked; /* the tree's clock */
};

struct run {
	bool busy; /* a thread tops it up: the cursor is its */
	bool ended; /* there is nothing behind the cursor */
	bool left; /* it is to be freed when it is not busy */
	bool stopped; /* its files are opened in another order */
	struct cursor cursor;
	const struct inode *starting; /* to be in the queue soon, or NULL */
	struct ahead_entry queue[WINDOW_MAX]; /* in order; oldest first */
	struct ahead_entry next; /* what comes behind it, or nothing */
	unsigned n, window, hits;
	unsigned passed; /* the first of the queue, before what was opened */
	const struct inode *here; /* the directory of what was opened last */
	unsigned row; /* files opened, with those before it */
	uint64_t bytes; /* in them */
	bool timid;
	uint64_t used;
};

struct file_ahead_locked {
	struct run *runs[RUNS_MAX]; /* NULL: none */
	struct trails trails;
	uint64_t uses;
};

struct file_ahead {
	struct fs *fs;
	struct lock lock;
	struct file_ahead_locked guarded_;
};

LOCK_GUARDS(ahead_locked, file_ahead, file_ahead_locked);

static int64_t file_ahead_ttl_ms(const struct file_ahead *a)
{
	return a->fs->set.metadata_ttl_s * 1000LL;
}

/* ---- the order of files ---- */

/* Takes over the reference to `at`. */
static void ahead_cursor_set(struct tree *t, struct cursor *c, struct inode *at)
{
	inode_unref(t, c->at);
	c->at = at;
}

/* Out of a directory that has no more; false at the stage's root. */
static bool ahead_cursor_leave(struct fs *fs, struct cursor *c)
{
	struct inode *up = inode_parent(fs->tree, c->dir, NULL);

	if (!up || names_is_root(fs, up)) {
		inode_unref(fs->tree, up);
		return false;
	}
	ahead_cursor_set(fs->tree, c, c->dir);
	c->dir = up;
	return true;
}

/* The next file, with its attributes, referenced; NULL: none is known.
 * Directories that a traversal will come to may be asked for. */
static struct inode *ahead_cursor_next(struct fs *fs, struct cursor *c,
				       struct inode_view *v)
{
	for (unsigned step = 0; step < WALK_STEPS; step++) {
		struct inode *i = dircache_behind(fs->tree, c->dir, c->at);

		if (!i) {
			if (!ahead_cursor_leave(fs, c))
				return NULL;
			continue;
		}
		ahead_cursor_set(fs->tree, c, i);
		inode_view(fs->tree, i, v);
		if (v->kind == INODE_FILE)
			return inode_ref(fs->tree, i);
		if (v->kind == INODE_DIR &&
		    (dircache_complete(fs->tree, i) ||
		     subtree_fill(fs->subtrees, i) > 0)) {
			inode_unref(fs->tree, c->dir);
			c->dir = i;
			c->at = NULL;
		}
	}
	return NULL;
}

/* ---- runs ---- */

/* What was fetched is given up, unless a file has adopted it. */
static void ahead_entry_clear(struct file_ahead *a, struct ahead_entry *e,
			      bool adopted)
{
	inode_unref(a->fs->tree, e->inode);
	if (!adopted)
		block_source_leave(e->source);
	memset(e, 0, sizeof(*e));
}

static struct ahead_entry ahead_run_remove(struct run *r, unsigned k)
{
	struct ahead_entry e = r->queue[k];

	r->n--;
	memmove(&r->queue[k], &r->queue[k + 1],
		(r->n - k) * sizeof(r->queue[0]));
	return e;
}

static struct ahead_entry ahead_run_take_next(struct run *r)
{
	struct ahead_entry e = r->next;

	memset(&r->next, 0, sizeof(r->next));
	return e;
}

/* Half of what it may have was fetched for a program that has passed it by. */
static bool ahead_run_is_passed(const struct run *r)
{
	return 2 * r->passed >= r->window && r->passed;
}

/* The file that stood there in the queue was opened. */
static void ahead_run_hit(struct file_ahead *a, struct run *r,
			  const struct ahead_entry *e, unsigned at)
	REQUIRES(a->lock)
{
	r->used = ++ahead_locked(a)->uses;
	r->passed = at < r->passed ? r->passed - 1 : at;
	r->here = e->dir;
	r->row++;
	r->bytes += e->size;
	trails_begun(&ahead_locked(a)->trails, e->inode);
	if (++r->hits >= r->window && r->window < WINDOW_MAX) {
		r->window *= 2;
		r->hits = 0;
	}
}

/* An open of this file goes on with the run that has it: it is taken out. */
static struct run *ahead_run_find(struct file_ahead *a, struct inode *i,
				  struct ahead_entry *out) REQUIRES(a->lock)
{
	for (unsigned k = 0; k < RUNS_MAX; k++) {
		struct run *r = ahead_locked(a)->runs[k];
		unsigned n = 0;

		while (r && n < r->n && r->queue[n].inode != i)
			n++;
		if (!r || (n == r->n && r->next.inode != i))
			continue;
		*out = n < r->n ? ahead_run_remove(r, n)
				: ahead_run_take_next(r);
		ahead_run_hit(a, r, out, n);
		return r;
	}
	return NULL;
}

/* True: no run has the file; this one has it, and is to start it. */
static bool ahead_run_claim(struct file_ahead *a, struct run *r,
			    const struct inode *i)
{
	bool has = false;

	lock_take(&a->lock);
	for (unsigned k = 0; k < RUNS_MAX; k++) {
		const struct run *x = ahead_locked(a)->runs[k];

		has = has || (x && x->starting == i);
		for (unsigned n = 0; x && n < x->n; n++)
			has = has || x->queue[n].inode == i;
	}
	if (!has)
		r->starting = i;
	lock_drop(&a->lock);
	return !has;
}

static void ahead_run_free(struct file_ahead *a, struct run *r)
{
	if (!r)
		return;
	while (r->n) {
		struct ahead_entry e = ahead_run_remove(r, r->n - 1);

		ahead_entry_clear(a, &e, false);
	}
	ahead_entry_clear(a, &r->next, false);
	inode_unref(a->fs->tree, r->cursor.at);
	inode_unref(a->fs->tree, r->cursor.dir);
	free(r);
}

/* A run behind that trail, which i belongs to, busy; what stood in its place is
 * *old. NULL: all are busy, or there is no memory. */
static struct run *ahead_run_begin(struct file_ahead *a, struct inode *i,
				   const struct trail *trail, struct run **old)
	REQUIRES(a->lock)
{
	struct run **place = NULL, *r;

	for (unsigned k = 0; k < RUNS_MAX && (!place || *place); k++) {
		struct run **at = &ahead_locked(a)->runs[k];

		if (!*at ||
		    (!(*at)->busy && (!place || (*at)->used < (*place)->used)))
			place = at;
	}
	r = place ? calloc(1, sizeof(*r)) : NULL;
	if (!r)
		return NULL;
	*old = *place;
	*place = r;
	r->busy = true;
	r->used = ++ahead_locked(a)->uses;
	r->window = WINDOW_FIRST;
	r->row = trail->row;
	r->bytes = trail->bytes;
	r->timid = trail->timid;
	r->cursor.dir = inode_parent(a->fs->tree, trail->last, NULL);
	r->cursor.at = inode_ref(a->fs->tree, trail->last);
	r->here = r->cursor.dir;
	r->ended = !r->here;
	trails_begun(&ahead_locked(a)->trails, i);
	if (*old && (*old)->n)
		trails_in_vain(&ahead_locked(a)->trails, i);
	return r;
}

/* Files of that directory are opened in no order. */
static void ahead_runs_stop(struct file_ahead *a, const struct inode *dir)
	REQUIRES(a->lock)
{
	for (unsigned k = 0; dir && k < RUNS_MAX; k++) {
		struct run *r = ahead_locked(a)->runs[k];

		if (r && r->here == dir)
			r->stopped = true;
	}
}

/* ---- what is fetched ---- */

static bool file_ahead_is_small(const struct inode_view *v)
{
	return v->policy->asked_by_etag && v->published && !v->dirty &&
	       !v->orphan && *v->info.etag && v->info.size &&
	       v->info.size <= PREFETCH_WHOLE;
}

/* May it be fetched before it is opened? */
static bool file_ahead_may(const struct inode_view *v)
{
	return file_ahead_is_small(v) && v->fresh && !v->open;
}

static struct block_source *file_ahead_source(struct fs *fs, struct inode *i,
					      const struct inode_view *v)
{
	struct block_source *s = NULL;
	INODE_OBJECT_LOCAL o;

	if (!inode_object(fs->tree, i, &o))
		s = block_source_new(fs->blocks, o.stage->store,
				     buf_str(&o.key), v->info.etag,
				     v->info.size);
	return s;
}

/* Asks for the bytes of e, unless they are here: -EALREADY. */
static int ahead_entry_start(struct file_ahead *a, struct ahead_entry *e,
			     const struct inode_view *v)
{
	struct block *b;
	uint64_t end;
	int rc;

	e->began_ms = clock_mono_ms();
	e->asked = tree_clock(a->fs->tree);
	strcpy(e->etag, v->info.etag);
	e->source = file_ahead_source(a->fs, e->inode, v);
	if (!e->source)
		return -ENOMEM;
	if (block_present(e->source, 0, &end))
		return -EALREADY;
	rc = block_get(e->source, 0, 0, v->info.size, BLOCK_AHEAD, &b);
	if (!rc)
		block_unref(b);
	return rc;
}

/* Takes over what is next. False: there is no room for more. */
static bool ahead_run_start(struct file_ahead *a, struct run *r,
			    struct ahead_entry *next,
			    const struct inode_view *v)
{
	struct ahead_entry e = *next;
	int rc = ahead_entry_start(a, &e, v);

	lock_take(&a->lock);
	r->starting = NULL;
	if (!rc)
		r->queue[r->n++] = e;
	lock_drop(&a->lock);
	if (rc)
		ahead_entry_clear(a, &e, false);
	return !rc || rc == -EALREADY;
}

/* What was not opened in its time; the window shrinks. */
static void ahead_run_expire(struct file_ahead *a, struct run *r)
{
	int64_t since = clock_mono_ms() - file_ahead_ttl_ms(a);
	struct ahead_entry e;
	bool any;

	do {
		lock_take(&a->lock);
		any = r->n && r->queue[0].began_ms < since;
		if (any) {
			e = ahead_run_remove(r, 0);
			r->passed -= r->passed > 0;
			r->window = r->window > 2 ? r->window / 2 : 1;
			r->hits = 0;
		}
		lock_drop(&a->lock);
		if (any)
			ahead_entry_clear(a, &e, false);
	} while (any);
}

static unsigned ahead_run_most(const struct run *r)
{
	unsigned few = number_max(r->row / BEYOND, 2U);

	return r->timid ? number_min(few, r->window) : r->window;
}

static bool ahead_run_wants(struct file_ahead *a, struct run *r)
{
	return LOCK_UNDER(&a->lock, r->n < ahead_run_most(r) && !r->stopped &&
					    !ahead_run_is_passed(r));
}

/* May it be in vain, beyond the directory where the run is? */
static bool ahead_run_affords(const struct run *r, const struct ahead_entry *e)
{
	uint64_t bytes = e->size;

	for (unsigned k = 0; k < r->n; k++)
		if (r->queue[k].dir != r->here)
			bytes += r->queue[k].size;
	return e->dir == r->here || bytes <= r->bytes / BEYOND;
}

/* The next file that may be fetched, and is not yet. False: there is none, or
 * it is too early for it. */
static bool ahead_run_next(struct file_ahead *a, struct run *r,
			   struct ahead_entry *out, struct inode_view *v)
{
	bool goes;

	*out = LOCK_UNDER(&a->lock, ahead_run_take_next(r));
	if (out->inode) {
		inode_view(a->fs->tree, out->inode, v);
	} else {
		out->inode = ahead_cursor_next(a->fs, &r->cursor, v);
		out->dir = r->cursor.dir;
		out->size = v->info.size;
	}
	r->ended = !out->inode;
	if (r->ended || !file_ahead_may(v))
		return !r->ended;
	lock_take(&a->lock);
	goes = ahead_run_affords(r, out);
	if (!goes)
		r->next = *out;
	lock_drop(&a->lock);
	return goes;
}

/* The run is not the caller's any more. */
static void ahead_run_end(struct file_ahead *a, struct run *r)
{
	bool left;

	lock_take(&a->lock);
	r->busy = false;
	left = r->left;
	for (unsigned k = 0; left && k < RUNS_MAX; k++)
		if (ahead_locked(a)->runs[k] == r)
			ahead_locked(a)->runs[k] = NULL;
	lock_drop(&a->lock);
	if (left)
		ahead_run_free(a, r);
}

/* Starts what comes next; the run is the caller's. What lies behind many files
 * that are not fetched is far from the reader. */
static void ahead_run_top_up(struct file_ahead *a, struct run *r)
{
	struct ahead_entry e;
	unsigned passed = 0;
	struct inode_view v;
	bool more = !r->ended;

	ahead_run_expire(a, r);
	while (more && ahead_run_wants(a, r) && passed++ < WALK_STEPS &&
	       ahead_run_next(a, r, &e, &v)) {
		if (file_ahead_may(&v) && ahead_run_claim(a, r, e.inode))
			more = ahead_run_start(a, r, &e, &v);
		else
			inode_unref(a->fs->tree, e.inode);
	}
	ahead_run_end(a, r);
}

/* ---- a file that is opened ---- */

/* The bytes of e become those of f, once all are here: what was fetched before
 * the open is not asked for again, which may find another version. What the
 * disk had is good as long as the name is believed. */
static int file_ahead_take(struct file_ahead *a, struct inode *i,
			   const struct ahead_entry *e, struct file *f,
			   const struct inode_view *v)
{
	int64_t age = clock_mono_ms() - e->began_ms;
	struct block *b;
	bool asked;
	int rc;

	if (strcmp(e->etag, v->info.etag))
		return -EAGAIN;
	b = block_hold(e->source);
	if (!b)
		return -EAGAIN;
	rc = block_wait_all(b);
	asked = !block_from_disk(b);
	if (!rc &&
	    (asked ? age > file_ahead_ttl_ms(a) : !v->fresh || v->changes))
		rc = -EAGAIN;
	if (!rc && !file_map_adopt(f, e->source, b, e->etag))
		rc = -EAGAIN;
	if (!rc && asked)
		tree_refresh_confirm(a->fs->tree, i, e->etag, e->asked,
				     e->began_ms);
	if (rc)
		block_release(b);
	return rc;
}

int file_ahead_open(struct file_ahead *a, struct inode *i, struct file *f,
		    const struct inode_view *v)
{
	struct ahead_entry e = { 0 };
	struct run *r;
	bool tops_up;
	int rc = -EAGAIN;

	if (!file_ahead_ttl_ms(a))
		return -EAGAIN;
	lock_take(&a->lock);
	ahead_runs_stop(a,
			trails_step(&ahead_locked(a)->trails, a->fs->tree, i));
	r = ahead_run_find(a, i, &e);
	tops_up = r && !r->busy;
	if (tops_up)
		r->busy = true;
	lock_drop(&a->lock);
	if (tops_up)
		ahead_run_top_up(a, r);
	if (e.source)
		rc = file_ahead_take(a, i, &e, f, v);
	ahead_entry_clear(a, &e, !rc);
	return rc;
}

void file_ahead_missed(struct file_ahead *a, struct inode *i,
		       const struct inode_view *v)
{
	struct run *old = NULL, *r = NULL;
	const struct trail *trail;

	if (!file_ahead_is_small(v) || !file_ahead_ttl_ms(a))
		return;
	lock_take(&a->lock);
	trail = trails_ready(&ahead_locked(a)->trails, i);
	if (trail)
		r = ahead_run_begin(a, i, trail, &old);
	lock_drop(&a->lock);
	ahead_run_free(a, old);
	if (r)
		ahead_run_top_up(a, r);
}

struct file_ahead *file_ahead_new(struct fs *fs)
{
	struct file_ahead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->fs = fs;
	lock_init(&a->lock, LOCK_FILE_AHEAD);
	return a;
}

void file_ahead_forget(struct file_ahead *a)
{
	struct run *runs[RUNS_MAX] = { NULL };
	struct inode *lasts[TRAILS_MAX];
	unsigned n;

	lock_take(&a->lock);
	for (unsigned k = 0; k < RUNS_MAX; k++) {
		struct run **at = &ahead_locked(a)->runs[k];

		if (!*at)
			continue;
		(*at)->left = true; /* by the thread that it is busy with */
		if ((*at)->busy)
			continue;
		runs[k] = *at;
		*at = NULL;
	}
	n = trails_clear(&ahead_locked(a)->trails, lasts);
	lock_drop(&a->lock);
	for (unsigned k = 0; k < RUNS_MAX; k++)
		ahead_run_free(a, runs[k]);
	for (unsigned k = 0; k < n; k++)
		inode_unref(a->fs->tree, lasts[k]);
}

void file_ahead_free(struct file_ahead *a)
{
	if (!a)
		return;
	file_ahead_forget(a);
	lock_destroy(&a->lock);
	free(a);
}
