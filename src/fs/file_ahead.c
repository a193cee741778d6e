/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run is one program (or several) going through files: a cursor in the tree,
 * and a queue of what was started behind it and is not opened yet. A trail is
 * what may become one: the file that was opened last, and how many before it
 * followed each other.
 *
 * Who opens some files of a directory and passes over others, or stops after a
 * few, is in order too, and most of what is fetched for him is in vain: after
 * each such run the next one takes twice as many files that follow each other.
 */
#include "fs/file_ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "fs/cache/block.h"
#include "fs/cache/prefetch.h"
#include "fs/content/file_map.h"
#include "fs/names.h"
#include "fs/names/dircache.h"
#include "fs/subtree.h"
#include "stage/stage.h"

#define RUNS_MAX 4
#define TRAILS_MAX 4
#define TRAIL_MIN 3U /* files in a row that make a run */
#define TRAIL_NEAR 3 /* so many files behind one another */
#define WINDOW_FIRST 4
#define WINDOW_MAX 32
#define USEFUL_MIN 32 /* files opened of a run that was worth it */
#define USEFUL 10 /* ... for each one that was passed over */
#define FAILED_MAX 5 /* then it takes 96 in a row to begin a run */
#define WALK_STEPS 256 /* for one file */

/* A place in the tree, in the order of listings; both referenced. */
struct cursor {
	struct inode *dir;
	struct inode *at; /* in dir; NULL: before its first entry */
};

/* A file that was asked for, or whose bytes are here yet. */
struct ahead_entry {
	struct inode *inode; /* referenced */
	struct block_source *source;
	char etag[STORE_ETAG_SIZE];
	int64_t began_ms;
	bool asked_for;
	uint64_t asked; /* the tree's clock */
};

struct run {
	bool busy; /* a thread tops it up: the cursor is its */
	bool ended; /* there is nothing behind the cursor */
	bool left; /* it is to be freed when it is not busy */
	struct cursor cursor;
	const struct inode *starting; /* to be in the queue soon, or NULL */
	struct ahead_entry queue[WINDOW_MAX]; /* in order; oldest first */
	unsigned n, window, hits;
	unsigned passed; /* the first of the queue, before what was opened */
	unsigned opened;
	bool failed; /* that was told */
	uint64_t used;
};

struct trail {
	struct inode *last; /* referenced; NULL: free */
	unsigned length;
	uint64_t used;
};

struct file_ahead_locked {
	struct run *runs[RUNS_MAX]; /* NULL: none */
	struct trail trails[TRAILS_MAX];
	unsigned failed; /* runs since one that was worth it; FAILED_MAX */
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

static void ahead_cursor_clear(struct tree *t, struct cursor *c)
{
	inode_unref(t, c->at);
	inode_unref(t, c->dir);
	c->at = c->dir = NULL;
}

/* Takes over the reference to `at`. */
static void ahead_cursor_set(struct tree *t, struct cursor *c, struct inode *at)
{
	inode_unref(t, c->at);
	c->at = at;
}

static bool ahead_cursor_may_enter(struct fs *fs, struct inode *dir, bool fill)
{
	return dircache_complete(fs->tree, dir) ||
	       (fill && subtree_fill(fs->subtrees, dir) > 0);
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

/* The next file, with its attributes, referenced; NULL: none is known. fill:
 * directories that a traversal will come to may be asked for. */
static struct inode *ahead_cursor_next(struct fs *fs, struct cursor *c,
				       bool fill, struct inode_view *v)
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
		    ahead_cursor_may_enter(fs, i, fill)) {
			inode_unref(fs->tree, c->dir);
			c->dir = i;
			c->at = NULL;
		}
	}
	return NULL;
}

/* Is i one of the few files behind `last`? */
static bool ahead_trail_is_near(struct fs *fs, struct inode *last,
				struct inode *i)
{
	struct cursor c = { .dir = inode_parent(fs->tree, last, NULL),
			    .at = inode_ref(fs->tree, last) };
	struct inode_view v;
	bool near = false;

	for (unsigned k = 0; c.dir && k < TRAIL_NEAR && !near; k++) {
		struct inode *next = ahead_cursor_next(fs, &c, false, &v);

		near = next == i;
		inode_unref(fs->tree, next);
		if (!next)
			break;
	}
	ahead_cursor_clear(fs->tree, &c);
	return near;
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

/* Half of what it may have waits for who has gone on. */
static bool ahead_run_is_passed(const struct run *r)
{
	return 2 * r->passed >= r->window && r->passed;
}

static void ahead_run_tell_failed(struct file_ahead *a, struct run *r)
	REQUIRES(a->lock)
{
	if (!r->failed && ahead_locked(a)->failed < FAILED_MAX)
		ahead_locked(a)->failed++;
	r->failed = true;
}

/* The file that stood there in the queue was opened. */
static void ahead_run_hit(struct file_ahead *a, struct run *r, unsigned at)
	REQUIRES(a->lock)
{
	r->used = ++ahead_locked(a)->uses;
	r->passed = at < r->passed ? r->passed - 1 : at;
	r->opened++;
	if (r->opened < USEFUL * r->passed && ahead_run_is_passed(r)) {
		ahead_run_tell_failed(a, r);
	} else if (r->opened >= USEFUL_MIN && r->opened >= USEFUL * r->passed) {
		ahead_locked(a)->failed = 0;
		r->failed = false;
	}
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

		for (unsigned n = 0; r && n < r->n; n++) {
			if (r->queue[n].inode != i)
				continue;
			*out = ahead_run_remove(r, n);
			ahead_run_hit(a, r, n);
			return r;
		}
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
	ahead_cursor_clear(a->fs->tree, &r->cursor);
	free(r);
}

/* A run from file i on, busy; what stood in its place is *old. NULL: all are
 * busy, or there is no memory. */
static struct run *ahead_run_begin(struct file_ahead *a, struct inode *i,
				   struct run **old) REQUIRES(a->lock)
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
	if (*old && (*old)->opened < (*old)->n)
		ahead_run_tell_failed(a, *old);
	*place = r;
	r->busy = true;
	r->used = ++ahead_locked(a)->uses;
	r->window = WINDOW_FIRST;
	r->cursor.dir = inode_parent(a->fs->tree, i, NULL);
	r->cursor.at = inode_ref(a->fs->tree, i);
	r->ended = !r->cursor.dir;
	return r;
}

/* The file follows others, or begins to: true when it makes a run. *left: one
 * that the caller drops without the lock. */
static bool ahead_trail_step(struct file_ahead *a, struct inode *i,
			     struct inode **left) REQUIRES(a->lock)
{
	struct trail *oldest = ahead_locked(a)->trails, *t = NULL;

	for (unsigned k = 0; k < TRAILS_MAX && !t; k++) {
		struct trail *at = &ahead_locked(a)->trails[k];

		if (at->last &&
		    (at->last == i || ahead_trail_is_near(a->fs, at->last, i)))
			t = at;
		if (at->used < oldest->used)
			oldest = at;
	}
	if (!t) {
		t = oldest;
		t->length = 0;
	}
	if (t->last != i)
		t->length++;
	*left = t->last;
	t->last = inode_ref(a->fs->tree, i);
	t->used = ++ahead_locked(a)->uses;
	if (t->length < TRAIL_MIN << ahead_locked(a)->failed)
		return false;
	t->length = 0;
	return true;
}

/* ---- what is fetched ---- */

static bool file_ahead_is_small(const struct inode_view *v)
{
	return v->policy->asked_by_etag && v->published && !v->dirty &&
	       !v->orphan && *v->info.etag && v->info.size &&
	       v->info.size <= PREFETCH_WHOLE;
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

/* Takes over the reference. False: there is no room for more. */
static bool ahead_run_start(struct file_ahead *a, struct run *r,
			    struct inode *i, const struct inode_view *v)
{
	struct ahead_entry e = { .inode = i,
				 .began_ms = clock_mono_ms(),
				 .asked = tree_clock(a->fs->tree) };
	struct block *b;
	uint64_t end;
	int rc = -ENOMEM;

	strcpy(e.etag, v->info.etag);
	e.source = file_ahead_source(a->fs, i, v);
	if (e.source) {
		e.asked_for = !block_present(e.source, 0, &end);
		rc = block_get(e.source, 0, 0, v->info.size, BLOCK_AHEAD, &b);
	}
	if (!rc)
		block_unref(b);
	lock_take(&a->lock);
	r->starting = NULL;
	if (!rc) {
		r->queue[r->n++] = e;
		e = (struct ahead_entry){ 0 };
	}
	lock_drop(&a->lock);
	if (e.inode)
		ahead_entry_clear(a, &e, false);
	return !rc;
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

static bool ahead_run_wants(struct file_ahead *a, struct run *r)
{
	bool wants;

	lock_take(&a->lock);
	wants = r->n < r->window && !ahead_run_is_passed(r);
	lock_drop(&a->lock);
	return wants;
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
 * that are not fetched is far from who reads. */
static void ahead_run_top_up(struct file_ahead *a, struct run *r)
{
	unsigned passed = 0;
	struct inode_view v;
	bool more = !r->ended;

	ahead_run_expire(a, r);
	while (more && ahead_run_wants(a, r) && passed++ < WALK_STEPS) {
		struct inode *i =
			ahead_cursor_next(a->fs, &r->cursor, true, &v);

		r->ended = !i;
		if (!i)
			break;
		if (file_ahead_is_small(&v) && v.fresh && !v.open &&
		    ahead_run_claim(a, r, i))
			more = ahead_run_start(a, r, i, &v);
		else
			inode_unref(a->fs->tree, i);
	}
	ahead_run_end(a, r);
}

/* ---- a file that is opened ---- */

/* The bytes of e become those of f, once all are here: what was fetched before
 * the open is not asked for again, which may find another version. What the
 * disk had, or was here before, is good as long as the name is believed. */
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
	asked = e->asked_for && !block_from_disk(b);
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

	if (!file_ahead_is_small(v) || !file_ahead_ttl_ms(a))
		return -EAGAIN;
	lock_take(&a->lock);
	r = ahead_run_find(a, i, &e);
	tops_up = r && !r->busy;
	if (tops_up)
		r->busy = true;
	lock_drop(&a->lock);
	if (tops_up)
		ahead_run_top_up(a, r);
	if (e.inode)
		rc = file_ahead_take(a, i, &e, f, v);
	ahead_entry_clear(a, &e, !rc);
	return rc;
}

void file_ahead_missed(struct file_ahead *a, struct inode *i,
		       const struct inode_view *v)
{
	struct run *old = NULL, *r = NULL;
	struct inode *left = NULL;

	if (!file_ahead_is_small(v) || !file_ahead_ttl_ms(a))
		return;
	lock_take(&a->lock);
	if (ahead_trail_step(a, i, &left))
		r = ahead_run_begin(a, i, &old);
	lock_drop(&a->lock);
	inode_unref(a->fs->tree, left);
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
	for (unsigned k = 0; k < TRAILS_MAX; k++) {
		lasts[k] = ahead_locked(a)->trails[k].last;
		ahead_locked(a)->trails[k].last = NULL;
	}
	lock_drop(&a->lock);
	for (unsigned k = 0; k < RUNS_MAX; k++)
		ahead_run_free(a, runs[k]);
	for (unsigned k = 0; k < TRAILS_MAX; k++)
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
