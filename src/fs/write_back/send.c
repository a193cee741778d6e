/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change that was about to end when the daemon was killed (RECORD_ENDING): is
 * there what was there, the change waits on; is there nothing, or another
 * object, it has ended with that. An edit whose base is gone could not be sent;
 * and one that needs no base would bring back what was removed, or replace what
 * was renamed over it and has no other name any more.
 *
 * An object that another machine has put there since counts as ours: what it
 * replaced was to go.
 */
#include "fs/write_back/send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "fs/names/inode_meta.h"
#include "fs/write_back/journal.h"
#include "stage/stage.h"

/* ---- one that was about to end ---- */

/* 1: the store has done it; 0: it has not. */
static int send_ending_ask(struct store *s, const char *key, const char *etag)
{
	struct object_details *d = malloc(sizeof(*d));
	struct object_info now;
	int rc = d ? store_head(s, key, d) : -ENOMEM;

	if (rc == -ENOENT)
		rc = *etag != '\0';
	else if (!rc && !*etag)
		rc = 1;
	else if (!rc && strcmp(d->info.etag, etag) != 0)
		rc = store_confirm(s, key, etag, &now);
	free(d);
	return rc == -ESTALE ? 1 : rc;
}

/* The name is what the store has there. */
static void send_ending_drop(struct write_back *w, struct queued *q)
{
	const struct file_env *env = w->set.env;
	FILE_LOCAL *use = inode_file_get(env->tree, q->inode);
	struct inode_given_up g;

	(void)use; /* a reference of our own, until the end */
	file_log(q->file, LOG_LEVEL_INFO, 0,
		 "it was removed or replaced when the daemon was killed: what "
		 "had been written to it before has gone with it");
	file_orphan(q->file);
	inode_file_part(env->tree, q->inode, &g);
	if (g.dir)
		env->given_up(env->arg, q->inode, &g);
	queue_remove(w, q->inode);
}

/* It was not to end, as the journal has it. */
static void send_goes_on(struct write_back *w, const struct queued *q,
			 const char *key)
{
	const struct record r = { .kind = RECORD_MOVE,
				  .id = q->id,
				  .key = key };

	journal_add(w->journal, &r, false);
}

static void send_ending_over(struct write_back *w, struct queued *q)
{
	char *was;

	lock_take(&w->lock);
	was = q->ending;
	q->ending = NULL;
	lock_drop(&w->lock);
	free(was);
}

static int send_ending_settle_claimed(struct write_back *w, struct queued *q,
				      const char *key)
{
	int rc = send_ending_ask(file_stage(q->file)->store, key, q->ending);

	if (rc < 0)
		return rc;
	send_ending_over(w, q);
	if (rc)
		send_ending_drop(w, q);
	else
		send_goes_on(w, q, key);
	return 0;
}

static int send_ending_settle(struct write_back *w, struct queued *q)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	struct tree *tree = w->set.env->tree;
	int rc;

	if (!LOCK_UNDER(&w->lock, q->ending != NULL))
		return 0;
	rc = claims_publish_begin(tree, q->inode, &key);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (queue_find(w, q->inode) == q->id && q->ending)
		rc = send_ending_settle_claimed(w, q, buf_str(&key));
	claims_publish_end(tree, q->inode);
	return rc;
}

/* ---- a change ---- */

static int send_dir(struct write_back *w, struct queued *q)
{
	const struct file_env *env = w->set.env;
	struct tree *tree = env->tree;
	int rc = claims_publish_begin(tree, q->inode, NULL);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (queue_find(w, q->inode) == q->id)
		rc = w->set.make_dir(w->set.arg, q->inode);
	if (!rc) {
		/* before it waits no more: of a listing that was asked before
		 * the marker was there it would be gone */
		tree_dir_made(tree, q->inode);
		queue_remove(w, q->inode);
	}
	claims_publish_end(tree, q->inode);
	/* A change that still took it for one that waits goes by itself. */
	if (!rc && inode_meta_is_dirty(tree, q->inode) && env->attributes_left)
		env->attributes_left(env->arg, q->inode);
	return rc;
}

int send_change(struct write_back *w, struct queued *q)
{
	int rc = send_ending_settle(w, q);

	if (rc || LOCK_UNDER(&w->lock, q->gone))
		return rc;
	return q->file ? file_publish(q->file) : send_dir(w, q);
}
