/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file goes on with the trail that it stands nearest behind, a few files at
 * most: several threads open them a little out of order, so what was passed
 * over just now and is opened then is no gap. Any other file begins a trail,
 * with what was learnt in its directory, or else at the last place.
 *
 * A program that leaves a directory amid its files may be another one beside
 * one that goes on there: what was learnt so is taken back when that one does.
 */
#include "fs/names/trail.h"

#include <string.h>

#include "base/number.h"
#include "fs/names/tree.h"

#define NEAR 8U /* so many files behind one another */
#define NEAR_BITS ((1U << NEAR) - 1)
#define STEPS 64U /* names that are looked at for that */
#define WHOLE_MIN 3U /* files of a directory that tells of others */

/* Does a program that opens all files open it, so that it costs a GET? */
static bool trail_counts(const struct inode *i)
{
	const uint32_t flags = INODE_PUBLISHED | INODE_WRITTEN | INODE_LINK;

	return i->kind == INODE_FILE && i->size &&
	       (i->flags & flags) == INODE_PUBLISHED;
}

/* The name behind that one where a tree is gone through. */
static const struct inode *trail_next(const struct inode *i)
{
	if (i->kind == INODE_DIR && i->dir->first)
		return i->dir->first;
	while (!i->next && i->parent && i->parent->kind == INODE_DIR)
		i = i->parent;
	return i->next;
}

/* How many files behind `from` file i is, in one directory or across some: 0:
 * it is not near. */
static unsigned trail_distance(const struct inode *from, const struct inode *i)
{
	bool same = from->parent == i->parent;
	unsigned n = 0;

	for (unsigned k = 0; from && from->parent && k < STEPS && n < NEAR;
	     k++) {
		from = same ? from->next : trail_next(from);
		if (!from || !trail_counts(from))
			continue;
		n++;
		if (from == i)
			return n;
	}
	return 0;
}

/* Is it the first file of its directory, or the last? */
static bool trail_is_at_end(const struct inode *i, bool last)
{
	for (unsigned k = 0; k < STEPS; k++) {
		i = last ? i->next : i->prev;
		if (!i)
			return true;
		if (trail_counts(i))
			return false;
	}
	return false;
}

static unsigned trail_twice(unsigned needs)
{
	return number_min(2 * needs, TRAIL_NEEDS_MAX);
}

/* ---- a trail that goes on ---- */

/* Files that were passed over, and may yet be opened. */
static bool trail_has_gap(const struct trail *r)
{
	uint32_t span = r->span < NEAR ? (1U << r->span) - 1 : NEAR_BITS;

	return (r->opened & span) != span;
}

/* It leaves a directory: was that opened whole? */
static bool trail_leave(const struct trail *r)
{
	return r->whole && r->here >= WHOLE_MIN && !trail_has_gap(r) &&
	       trail_is_at_end(r->last, true);
}

static void trail_trust(struct trail *r)
{
	r->needs = TRAIL_ROW;
	r->timid = false;
}

static void trail_restart(struct trail *r)
{
	r->needs = trail_twice(r->needs);
	r->row = r->here = r->begun = r->span = r->opened = 0;
	r->bytes = 0;
	r->whole = false;
}

static void trail_add(struct trail *r, const struct inode *i)
{
	r->row++;
	r->here++;
	r->bytes += i->size;
	r->latest = i;
}

/* So many files on, few. What was passed over and is far behind is a gap. */
static void trail_advance(struct trail *r, unsigned n)
{
	uint32_t far = ((1U << n) - 1) << NEAR;

	r->span += n;
	r->opened <<= n;
	if (r->span < 2 * NEAR)
		far &= (1U << r->span) - 1;
	if (far & ~r->opened)
		trail_restart(r);
	r->span += !r->span;
	r->opened = (r->opened & NEAR_BITS) | 1;
}

/* i is so many files behind the last one; it has a reference for that. */
static struct inode *trail_go_on(struct trail *r, struct inode *i, unsigned n)
{
	struct inode *old = r->last;

	if (old->parent != i->parent) {
		if (trail_leave(r))
			trail_trust(r);
		r->here = 0;
		r->whole = n == 1;
	}
	trail_advance(r, n);
	trail_add(r, i);
	if (r->heir) {
		r->heir->needs = r->needs;
		r->heir->timid = r->timid;
		r->heir = NULL;
	}
	r->last = i;
	return old;
}

/* Is i one of the few files before the last one, since its first? 0: it is not;
 * how many before it. */
static unsigned trail_before(const struct trail *r, const struct inode *i)
{
	unsigned d = 0;

	if (r->last && r->last->parent == i->parent)
		d = trail_distance(i, r->last);
	return d < r->span && d < NEAR ? d : 0;
}

static void trail_fill_gap(struct trail *r, const struct inode *i, unsigned d)
{
	if (r->opened & (1U << d))
		return;
	r->opened |= 1U << d;
	trail_add(r, i);
}

/* ---- one that begins ---- */

/* The latest in its directory, or else anywhere; NULL: there is none. */
static struct trail *trail_latest(struct trails *t, const struct inode *i)
{
	struct trail *here = NULL, *any = NULL;

	for (unsigned k = 0; k < TRAILS_MAX; k++) {
		struct trail *r = &t->at[k];

		if (!r->last)
			continue;
		if (!any || r->used > any->used)
			any = r;
		if (r->last->parent == i->parent &&
		    (!here || r->used > here->used))
			here = r;
	}
	return here ? here : any;
}

static struct trail *trail_oldest(struct trails *t, const struct trail *but)
{
	struct trail *oldest = NULL;

	for (unsigned k = 0; k < TRAILS_MAX; k++) {
		struct trail *r = &t->at[k];

		if (r != but && (!oldest || r->used < oldest->used))
			oldest = r;
	}
	for (unsigned k = 0; k < TRAILS_MAX; k++)
		if (t->at[k].heir == oldest)
			t->at[k].heir = NULL;
	return oldest;
}

/* r begins where `from` was, or after it. True: files there are opened in no
 * order. */
static bool trail_learn(struct trail *r, struct trail *from)
{
	bool same = from->last->parent == r->last->parent;

	r->needs = from->needs;
	r->timid = from->timid;
	if (same && from->row < TRAIL_ROW && !r->whole) {
		r->needs = trail_twice(r->needs);
		return true;
	}
	if (!same && trail_leave(from)) {
		trail_trust(r);
	} else if (!same && from->begun && !trail_is_at_end(from->last, true)) {
		if (trail_twice(from->here) > r->needs)
			r->needs = trail_twice(from->here);
		r->timid = true;
		from->heir = r;
	}
	return false;
}

/* What is opened in no order there tells of all trails there. */
static void trail_spread(struct trails *t, const struct trail *r)
{
	for (unsigned k = 0; k < TRAILS_MAX; k++) {
		struct trail *x = &t->at[k];

		if (x->last && x->last->parent == r->last->parent &&
		    x->needs < r->needs)
			x->needs = r->needs;
	}
}

static struct inode *trail_begin(struct trails *t, struct inode *i,
				 bool *disorder)
{
	struct trail *from = trail_latest(t, i), *r = trail_oldest(t, from);
	struct inode *old = r->last;

	*r = (struct trail){ .last = i,
			     .needs = TRAIL_ROW,
			     .opened = 1,
			     .span = 1,
			     .whole = trail_is_at_end(i, false),
			     .used = ++t->uses };
	trail_add(r, i);
	*disorder = from && trail_learn(r, from);
	if (*disorder)
		trail_spread(t, r);
	return old;
}

/* ---- which ---- */

/* The trail that i goes on with; *n: so many files behind its last one. */
static struct trail *trail_behind(struct trails *t, const struct inode *i,
				  unsigned *n)
{
	struct trail *found = NULL;

	*n = NEAR + 1;
	for (unsigned k = 0; k < TRAILS_MAX; k++) {
		struct trail *r = &t->at[k];
		unsigned d = r->last ? trail_distance(r->last, i) : 0;

		if (!d || d >= *n)
			continue;
		*n = d;
		found = r;
	}
	return found;
}

/* The trail that has just passed i: *d files before its last one. */
static struct trail *trail_past(struct trails *t, const struct inode *i,
				unsigned *d)
{
	*d = 0;
	for (unsigned k = 0; k < TRAILS_MAX; k++) {
		struct trail *r = &t->at[k];

		if (r->last == i)
			return r;
		*d = trail_before(r, i);
		if (*d)
			return r;
	}
	return NULL;
}

/* What was the last one instead of i, or i itself. */
static struct inode *trail_step(struct trails *t, struct inode *i,
				bool *disorder)
{
	unsigned n;
	struct trail *r = trail_past(t, i, &n);

	if (r) {
		trail_fill_gap(r, i, n);
		r->used = ++t->uses;
		return i;
	}
	r = trail_behind(t, i, &n);
	if (!r)
		return trail_begin(t, i, disorder);
	r->used = ++t->uses;
	return trail_go_on(r, i, n);
}

static const struct inode *trail_opened_locked(struct trails *t,
					       struct tree *tree,
					       struct inode *i)
	REQUIRES(tree->lock)
{
	bool disorder = false;
	struct inode *old;

	if (!i->parent || !trail_counts(i))
		return NULL;
	old = trail_step(t, inode_ref_locked(tree, i), &disorder);
	if (old)
		inode_unref_locked(tree, old);
	return disorder ? i->parent : NULL;
}

const struct inode *trails_step(struct trails *t, struct tree *tree,
				struct inode *i)
{
	return TREE_UNDER(tree, trail_opened_locked(t, tree, i));
}

static struct trail *trail_find(struct trails *t, const struct inode *i)
{
	for (unsigned k = 0; k < TRAILS_MAX; k++)
		if (t->at[k].last && t->at[k].latest == i)
			return &t->at[k];
	return NULL;
}

const struct trail *trails_ready(struct trails *t, const struct inode *i)
{
	const struct trail *r = trail_find(t, i);

	if (!r || trail_has_gap(r) || r->row < r->begun + r->needs)
		return NULL;
	return r;
}

void trails_begun(struct trails *t, const struct inode *i)
{
	struct trail *r = trail_find(t, i);

	if (r)
		r->begun = r->row;
}

void trails_in_vain(struct trails *t, const struct inode *i)
{
	struct trail *r = trail_find(t, i);

	if (!r)
		return;
	r->needs = trail_twice(r->needs);
	r->timid = true;
}

unsigned trails_clear(struct trails *t, struct inode *lasts[TRAILS_MAX])
{
	unsigned n = 0;

	for (unsigned k = 0; k < TRAILS_MAX; k++)
		if (t->at[k].last)
			lasts[n++] = t->at[k].last;
	memset(t, 0, sizeof(*t));
	return n;
}
