/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name that is removed waits in the gather of removals, then leaves in a
 * batch of its store, and then the tree learns what became of it.
 *
 * Its absent name in the tree refuses what the store says, and any other claim
 * of the name, for all that time (tree_remove_ahead()). So the store is asked
 * to write to the key again only when the removal has come to its end.
 */
#include "fs/removals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "fs/burst/gather.h"
#include "fs/inval_queue.h"
#include "fs/state.h"
#include "fs/write_back/write_back.h"
#include "stage/stage.h"

struct removal {
	struct gathered g; /* of the directory */
	struct inode *absent;
	char *key;
	bool keeps; /* with it the directory would vanish */
	bool overtaken; /* an object was put there meanwhile */
	uint64_t ending; /* write_back_ending() */
};

struct removals {
	struct fs *fs;
	int (*keep)(struct fs *fs, struct inode *dir);
	struct gather gather;
};

static struct removal *removal_of(struct gathered *e)
{
	return (struct removal *)e;
}

/* ---- a batch ---- */

/* Of a directory that cannot be kept nothing is removed. */
static void removals_keep_dirs(struct removals *r, struct gathered *list)
{
	struct gathered *e, *of;
	int rc;

	DL_FOREACH(list, e) {
		rc = removal_of(e)->keeps ? r->keep(r->fs, e->inode) : 0;
		if (!rc)
			continue;
		DL_FOREACH(list, of)
			if (of->inode == e->inode)
				of->rc = rc;
	}
}

static void removals_ask(struct gathered *list, unsigned most)
{
	const char **keys = calloc(most, sizeof(*keys));
	int *results = calloc(most, sizeof(*results));
	int none = keys && results ? 0 : -ENOMEM;
	struct gathered *e;
	unsigned n = 0;

	DL_FOREACH(list, e) {
		if (none && !e->rc)
			e->rc = none;
		if (!e->rc)
			keys[n++] = removal_of(e)->key;
	}
	if (n)
		store_remove_many(list->store, keys, n, results);
	n = 0;
	DL_FOREACH(list, e)
		if (!e->rc)
			e->rc = results[n++];
	free(keys);
	free(results);
}

/* The name is there again. */
static void removal_failed(struct fs *fs, struct gathered *e)
{
	const struct log_where where = { .stage = e->store->name,
					 .key = removal_of(e)->key,
					 .rc = e->rc };

	inode_set_removed(fs->tree, e->inode, 0);
	inval_queue_entry(fs->inval_queue, e->inode, e->name);
	inval_queue_inode(fs->inval_queue, e->inode, false);
	if (e->rc)
		log_at(LOG_LEVEL_ERROR, &where,
		       "a file was not removed after all: it is there again");
}

static void removals_send(void *arg, struct gathered *list, unsigned n)
{
	struct removals *r = arg;
	struct gathered *e;

	removals_keep_dirs(r, list);
	write_back_sync(r->fs->write_back);
	removals_ask(list, n);
	DL_FOREACH(list, e) {
		bool stays = LOCK_UNDER(&r->gather.lock,
					e->rc || removal_of(e)->overtaken);

		tree_removed(r->fs->tree, removal_of(e)->absent, !stays);
		if (stays)
			removal_failed(r->fs, e);
		write_back_left(r->fs->write_back, removal_of(e)->ending);
	}
}

static void removal_free(struct gathered *e)
{
	free(removal_of(e)->key);
	free(e);
}

static const struct gather_kind removals_kind = {
	.name = "removals",
	.batch = BURST_BATCH,
	.at_once = 4,
	.send = removals_send,
	.free = removal_free,
};

struct removals *removals_new(struct fs *fs,
			      int (*keep)(struct fs *fs, struct inode *dir))
{
	struct removals *r = calloc(1, sizeof(*r));

	if (r) {
		r->fs = fs;
		r->keep = keep;
		gather_init(&r->gather, &removals_kind, r, fs->tree);
	}
	return r;
}

/* ---- the operations ---- */

static bool removals_queue_locked(struct removals *r, struct removal *e,
				  struct inode *i) REQUIRES(&r->gather.lock)
{
	int64_t last_ms = inode_removed_ms(r->fs->tree, e->g.inode);

	if (!e->key || !gather_takes_locked(&r->gather, e->g.store, last_ms))
		return false;
	e->absent = tree_remove_ahead(r->fs->tree, i);
	if (e->absent)
		gather_put_locked(&r->gather, &e->g);
	return e->absent;
}

int removals_add(struct removals *r, struct inode *dir, struct inode *i,
		 struct stage *stage, const char *key, bool keeps,
		 uint64_t ending)
{
	struct removal *e = calloc(1, sizeof(*e));
	const char *slash;
	bool queued;

	if (!e)
		return 1;
	e->g.store = store_ref(stage->store);
	e->g.inode = inode_ref(r->fs->tree, dir);
	e->key = strdup(key);
	slash = e->key ? strrchr(e->key, '/') : NULL;
	e->g.name = slash ? slash + 1 : e->key;
	e->keeps = keeps;
	e->ending = ending;
	queued = LOCK_UNDER(&r->gather.lock, removals_queue_locked(r, e, i));
	if (!queued)
		gather_drop(&r->gather, &e->g);
	return !queued;
}

void removals_asked(struct removals *r, struct inode *dir)
{
	inode_set_removed(r->fs->tree, dir, clock_mono_ms());
}

int removals_wait_name(struct removals *r, struct inode *dir, const char *name)
{
	const struct gather_want w = { .inode = dir, .name = name };

	return gather_wait(&r->gather, &w);
}

int removals_wait_dir(struct removals *r, struct inode *dir)
{
	const struct gather_want w = { .inode = dir };

	return gather_wait(&r->gather, &w);
}

int removals_wait_below(struct removals *r, struct inode *dir)
{
	const struct gather_want w = { .inode = dir, .below = true };

	return gather_wait(&r->gather, &w);
}

static void removals_leave(struct removals *r, struct inode *dir)
{
	struct gather_queue *l;
	struct gathered *e;

	lock_take(&r->gather.lock);
	DL_FOREACH(gather_locked(&r->gather)->queues, l)
		DL_FOREACH(l->waiting, e)
			if (e->inode == dir)
				removal_of(e)->keeps = false;
	lock_drop(&r->gather.lock);
}

int removals_settle(struct removals *r, struct inode *dir, bool leaves)
{
	const struct gather_want w = { .inode = dir };
	int rc;

	if (!atomic_load(&r->gather.any))
		return 0;
	if (leaves)
		removals_leave(r, dir);
	rc = gather_wait(&r->gather, &w);
	return rc ? rc : gather_take_refusal(&r->gather, &w);
}

int removals_wait_all(struct removals *r, int64_t until_ms)
{
	return gather_wait_all(&r->gather, until_ms);
}

int removals_drain(struct removals *r)
{
	return gather_drain(&r->gather);
}

/* The one of that key waits no more: *stays. One that leaves is told. */
static void removals_overtake_locked(struct removals *r, struct gather_queue *l,
				     const char *key, struct gathered **stays)
	REQUIRES(&r->gather.lock)
{
	struct gather_batch *b;
	struct gathered *e;

	DL_FOREACH(l->leaving, b)
		DL_FOREACH(b->list, e)
			if (!strcmp(removal_of(e)->key, key))
				removal_of(e)->overtaken = true;
	DL_FOREACH(l->waiting, e)
		if (!strcmp(removal_of(e)->key, key))
			break;
	if (!e)
		return;
	tree_removed(r->fs->tree, removal_of(e)->absent, false);
	gather_take_back_locked(&r->gather, l, e);
	*stays = e;
}

void removals_overtaken(struct removals *r, struct store *s, const char *key)
{
	struct gathered *stays = NULL;
	struct gather_queue *l;

	if (!atomic_load(&r->gather.any))
		return;
	lock_take(&r->gather.lock);
	DL_FOREACH(gather_locked(&r->gather)->queues, l)
		if (l->store == s)
			break;
	if (l)
		removals_overtake_locked(r, l, key, &stays);
	lock_drop(&r->gather.lock);
	if (!stays)
		return;
	write_back_left(r->fs->write_back, removal_of(stays)->ending);
	gather_drop(&r->gather, stays);
}

void removals_free(struct removals *r)
{
	if (!r)
		return;
	removals_drain(r);
	gather_destroy(&r->gather);
	free(r);
}
