/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers set of a file's headers (extended attributes): a part of what is
 * to be published, if there is something; else the store's object gets it, by a
 * copy onto itself. Of a new object it goes beside what the store is set to.
 *
 * It is a publication: no rename or removal comes between, writes wait, and a
 * reader that meets the new ETag too early asks again (file_map_stale()).
 */
#include "fs/content/file_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fs/content/file_props.h"
#include "fs/content/turn.h"
#include "store/store.h"

/* A new object, or one that is as if it were, has none of its own. */
static int edit_pending(struct file *f, file_edit_fn *edit, void *arg)
	REQUIRES(f->turn)
{
	struct props *p = malloc(sizeof(*p));
	bool beside = false;
	int rc = p ? file_props_learn(f) : -ENOMEM;

	if (!rc) {
		beside = file_props_current(f, p);
		rc = edit(arg, p);
	}
	if (!rc)
		return file_props_give(f, p, beside);
	free(p);
	return rc;
}

/* The object has them: its ETag may be another. */
static int edit_stored(struct file *f, const char *key, struct props *p,
		       const struct object_info *now) REQUIRES(f->turn)
{
	char *name = NULL;
	bool other = LOCK_UNDER(&f->lock, strcmp(file_locked(f)->base.etag,
						 now->etag) != 0);

	if (other)
		name = strdup(key);
	if (other && !name) {
		free(p);
		return -ENOMEM;
	}
	if (other)
		f->ops->forget(f, now, name);
	file_props_stored(f, p, now->etag);
	inode_etag_copied(f->env->tree, f->inode, now);
	return 0;
}

static bool edit_are_same(const struct props *a, const struct props *b)
{
	return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

static int edit_object(struct file *f, const char *key,
		       struct object_details *d, file_edit_fn *edit, void *arg)
	REQUIRES(f->turn)
{
	struct props *was = malloc(sizeof(*was));
	struct object_info now;
	int rc = was ? 0 : -ENOMEM;

	if (!rc) {
		*was = d->props;
		rc = edit(arg, &d->props);
	}
	if (rc || edit_are_same(was, &d->props)) {
		free(was);
		return rc;
	}
	*was = d->props;
	rc = store_set_props(file_store(f), key, d, &now);
	if (!rc)
		return edit_stored(f, key, was, &now);
	free(was);
	return rc;
}

static int edit_at_store(struct file *f, const char *key, file_edit_fn *edit,
			 void *arg) REQUIRES(f->turn)
{
	MEM_LOCAL struct object_details *d = malloc(sizeof(*d));
	const char *etag;
	bool other;
	int rc = d ? store_props(file_store(f), key, d) : -ENOMEM;

	if (!rc) {
		lock_take(&f->lock);
		etag = file_locked(f)->base.etag;
		other = *etag && strcmp(etag, d->info.etag) != 0;
		lock_drop(&f->lock);
		rc = other ? -ESTALE : 0;
	}
	if (!rc)
		rc = edit_object(f, key, d, edit, arg);
	return rc == -ENOENT ? -ESTALE : rc;
}

/* -EAGAIN: an upload has begun with the headers of before. */
static int edit_with_turn(struct file *f, const char *key, file_edit_fn *edit,
			  void *arg)
{
	int rc = turn_begin(f, FILE_PUBLISHING);

	if (rc)
		return rc;
	if (f->turn.before == FILE_CLEAN)
		rc = edit_at_store(f, key, edit, arg);
	else if (content(f)->upload)
		rc = -EAGAIN;
	else
		rc = edit_pending(f, edit, arg);
	turn_end(f, f->turn.before);
	return rc;
}

static int edit_claimed(struct file *f, file_edit_fn *edit, void *arg)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	int rc = claims_publish_begin(f->env->tree, f->inode, &key);

	if (!rc) {
		rc = edit_with_turn(f, buf_str(&key), edit, arg);
		claims_publish_end(f->env->tree, f->inode);
	} else if (rc == -ENOENT) {
		rc = -ESTALE;
	}
	return rc;
}

int file_edit_props(struct file *f, file_edit_fn *edit, void *arg)
{
	int rc = edit_claimed(f, edit, arg);

	/* It is stored with those, and gets the others at once. */
	if (rc == -EAGAIN)
		rc = file_publish(f);
	else
		return rc;
	return rc ? rc : edit_claimed(f, edit, arg);
}
