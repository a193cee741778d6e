/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories in a store that has none: one is there while a key lies below
 * it, so a caller that takes the last one away leaves a marker, a zero-byte key
 * ending in '/'.
 */
#include "fs/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "fs/names/inode_meta.h"
#include "stage/catalog.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "store/attr_meta.h"

#define HIDDEN_MS 60000 /* between two lines of the log on one directory */

int marker_put(struct fs *fs, struct inode *dir)
{
	static const struct store_body nothing = { .data = "", .fd = -1 };
	static const struct store_cond absent = { .if_absent = true };
	struct store_meta meta = { .content_type = PROP_TYPE_DIR };
	struct object_info info;
	struct store_owner owner;
	struct attr_meta attributes;
	struct store_attr a;
	INODE_OBJECT_LOCAL o;
	struct inode_view v;
	int rc = inode_object(fs->tree, dir, &o);

	inode_view(fs->tree, dir, &v);
	owner = (struct store_owner){ v.uid, v.gid, v.mode };
	if (v.policy->keeps_owner)
		meta.owner = &owner;
	if (v.policy->in_metadata) {
		inode_meta_take(fs->tree, dir, &a);
		attr_meta_write(&a, &attributes);
		meta.headers = attributes.fields;
		meta.n_headers = attributes.n;
	}
	if (!rc)
		rc = store_put(o.stage->store, buf_str(&o.key), &nothing, &meta,
			       &absent, &info);
	/* One that waits is tried again, with all of them; and where a marker
	 * is there, by an attempt before a crash, it lacks what was changed
	 * since. */
	if (v.policy->in_metadata && rc && v.pending)
		inode_meta_untake(fs->tree, dir);
	else if (v.policy->in_metadata)
		inode_meta_stored(fs->tree, dir, rc);
	if (rc == -EEXIST && v.policy->implied_dirs)
		rc = 0;
	else if (!rc)
		inode_attr_made(fs->tree, dir, &info);
	if (!rc)
		inode_set_marker(fs->tree, dir, true);
	return rc;
}

/* Keys below dir that are neither its marker nor `but`, nor below it if that is
 * a directory's: 1, none: 0. found, if it is not NULL: such a one, or what
 * several begin with. */
static int marker_other_key(struct fs *fs, struct inode *dir, const char *but,
			    struct buf *found)
{
	struct list_query q = { .delimiter = '/', .page = 3 };
	STORE_LIST_LOCAL *list = NULL;
	INODE_OBJECT_LOCAL o;
	struct list_entry e;
	int rc = inode_object(fs->tree, dir, &o);

	q.prefix = buf_str(&o.key);
	if (!rc) /* what is removed does not count */
		rc = removals_wait_dir(fs->removals, dir);
	if (!rc)
		rc = store_list_open(o.stage->store, &q, &list);
	if (rc)
		return rc;
	while ((rc = store_list_next(list, &e)) > 0) {
		if (strcmp(e.key, q.prefix) && strcmp(e.key, but))
			break;
		if (!strcmp(e.key, q.prefix))
			inode_set_marker(fs->tree, dir, true);
	}
	if (rc > 0 && found)
		buf_adds(found, e.key);
	if (!rc && list->lost)
		rc = 1;
	return rc;
}

/* ---- keys that no path can name ---- */

/* Once in HIDDEN_MS for each directory, as far as these are remembered. */
static bool marker_may_log(struct fs *fs, const char *dir)
{
	int64_t now_ms = clock_mono_ms();
	uint32_t hash = (uint32_t)hash_string(HASH_START, dir);
	struct fs_locked *g;
	bool said = false;

	lock_take(&fs->lock);
	g = fs_locked(fs);
	for (unsigned k = 0; k < HIDDEN_SAID; k++)
		said = said || (g->hidden[k].dir == hash &&
				g->hidden[k].until_ms > now_ms);
	if (!said) {
		unsigned k = g->n_hidden++ % HIDDEN_SAID;

		g->hidden[k].dir = hash;
		g->hidden[k].until_ms = now_ms + HIDDEN_MS;
	}
	lock_drop(&fs->lock);
	return !said;
}

/* The first whole key that begins so. */
static void marker_first_key(struct store *s, struct buf *key)
{
	struct list_query q = { .prefix = buf_str(key), .page = 1 };
	STORE_LIST_LOCAL *list = NULL;
	struct list_entry e;

	if (store_list_open(s, &q, &list))
		return;
	if (store_list_next(list, &e) > 0) {
		buf_reset(key);
		buf_adds(key, e.key);
	}
}

/* A directory that looks empty is not: of a key that nothing shows, the log has
 * to tell. found: what marker_other_key() has found in dir. */
static void marker_log_hidden(struct fs *fs, struct inode *dir,
			      struct buf *found)
{
	INODE_OBJECT_LOCAL o;
	const char *rest;

	if (inode_object(fs->tree, dir, &o) || buf_err(found) ||
	    found->len <= o.key.len)
		return;
	rest = buf_str(found) + o.key.len;
	if (location_name_visible(rest, strcspn(rest, "/")) ||
	    !marker_may_log(fs, buf_str(&o.key)))
		return;
	marker_first_key(o.stage->store, found);
	log_at(LOG_LEVEL_WARN,
	       &(struct log_where){ .stage = o.stage->name,
				    .key = buf_str(found) },
	       "a directory is not empty: it holds this key, which no path can "
	       "name");
}

int marker_each_open(struct fs *fs, struct inode *dir, marker_each *each)
{
	struct inode **open;
	unsigned n;
	int rc = inode_file_list(fs->tree, dir, &open, &n);

	for (unsigned k = 0; k < n; k++) {
		if (!rc)
			rc = each(fs, open[k]);
		inode_unref(fs->tree, open[k]);
	}
	free(open);
	return rc;
}

/* Something that the store cannot know of yet: 1. */
static int marker_is_dirty(struct fs *fs, struct inode *i)
{
	return fs_is_dirty(fs, i);
}

int marker_empty(struct fs *fs, struct inode *dir)
{
	BUF_LOCAL found = NAMES_KEY;
	int rc = removals_settle(fs->removals, dir, true);
	struct inode_view v;

	inode_view(fs->tree, dir, &v);
	if (!rc && v.pending_below)
		rc = 1;
	if (!rc)
		rc = marker_each_open(fs, dir, marker_is_dirty);
	if (!rc && !dircache_emptied(fs->tree, dir)) {
		rc = marker_other_key(fs, dir, "", &found);
		if (rc > 0)
			marker_log_hidden(fs, dir, &found);
	}
	return rc > 0 ? -ENOTEMPTY : rc;
}

static void marker_keep_stage(struct fs *fs, struct inode *root)
{
	STAGE_LOCAL *stage = inode_stage(fs->tree, root);

	if (stage && fs->catalog)
		catalog_keep(fs->catalog, stage);
}

/* Does only i (NULL: nothing) imply dir, as far as is known? i leaves it. */
static bool marker_is_missed(struct fs *fs, struct inode *dir, struct inode *i)
{
	struct inode_view v;

	inode_view(fs->tree, dir, &v);
	if (v.stage_root)
		marker_keep_stage(fs, dir);
	return !v.stage_root && !v.has_marker && !v.pending &&
	       v.policy->implied_dirs && !v.orphan &&
	       dir != tree_root(fs->tree) && !inode_has_child(fs->tree, dir, i);
}

bool marker_can_wait(struct fs *fs, struct inode *dir, struct inode *i,
		     bool *keeps)
{
	*keeps = marker_is_missed(fs, dir, i);
	return !*keeps || dircache_complete(fs->tree, dir);
}

int marker_keep_empty(struct fs *fs, struct inode *dir)
{
	int rc = marker_is_missed(fs, dir, NULL) ? marker_put(fs, dir) : 0;

	return rc == -EACCES ? 0 : rc;
}

int marker_keep(struct fs *fs, struct inode *dir, struct inode *i)
{
	BUF_LOCAL key = NAMES_KEY;
	int rc;

	if (!marker_is_missed(fs, dir, i))
		return 0;
	rc = dircache_complete(fs->tree, dir) ? 0
					      : inode_key(fs->tree, i, &key);
	if (!rc && key.len)
		rc = marker_other_key(fs, dir, buf_str(&key), NULL);
	if (!rc)
		rc = marker_put(fs, dir);
	if (rc == -EACCES) /* what may not be listed does not vanish */
		rc = 0;
	return rc < 0 ? rc : 0;
}
