/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing of all keys that begin with the name, one page of it:
 *
 *   d         the object
 *   d-x d.y   before '/' in the order of bytes: neighbours
 *   d/a d/b   what is below
 *   d0        behind it: what was not shown is not there
 *
 * Where the page does not come so far, or one must not list, or the listing has
 * no ETags or is in no order, the store is asked for the name alone.
 *
 * Where small files have names like the one that is looked up it will be
 * another, and opened next: it is asked for by a GET, which has all that the
 * open needs. What that does not find may be a directory, and is asked for by
 * the listing.
 */
#include "fs/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/scope.h"
#include "base/text.h"
#include "fs/cache/block.h"
#include "fs/names/dir_levels.h"
#include "fs/names.h"
#include "store/attr_meta.h"

#define LOOK_PAGE 100 /* keys */
#define LOOK_PERMILLE 500 /* of the budget may be taken for a look-up */

struct look {
	struct dir_levels levels;
	struct store_list *list;
	const char *key;
	char below[STORE_KEY_MAX + 2]; /* the key with a '/' */
	struct name_info *found;
};

/* 1: go on, 0: the name is behind, or -errno. */
static int look_take(struct look *l, const struct list_entry *e)
{
	int rc;

	if (!strcmp(e->key, l->key)) {
		l->found->is_object = true;
		l->found->info = e->info;
		return 1;
	}
	if (text_starts_with(e->key, l->below))
		l->found->is_prefix = true;
	else if (strcmp(e->key, l->below) > 0)
		return 0;
	if (!strcmp(e->key, l->below))
		l->found->has_marker = true;
	l->levels.lost = l->list->lost;
	rc = dir_levels_take(&l->levels, e);
	return rc ? rc : 1;
}

/* Nothing more is to come of the page, and there is another. */
static bool look_ends_amid(const struct look *l)
{
	return l->list->pages && !l->list->left && l->list->more;
}

/* 0, -EAGAIN: it does not tell, or -errno. */
static int look_read(struct look *l)
{
	struct list_entry e;
	int rc;

	do {
		rc = store_list_next(l->list, &e);
		if (rc > 0)
			rc = look_take(l, &e);
	} while (rc > 0 && !look_ends_amid(l));
	if (rc < 0)
		return rc;
	if (rc > 0 && (l->list->unordered || !l->found->is_prefix))
		return -EAGAIN;
	if (!l->found->is_prefix &&
	    (l->list->lost || (l->found->is_object && !*l->found->info.etag)))
		return -EAGAIN;
	l->levels.lost = l->list->lost;
	return rc ? 0 : dir_levels_leave(&l->levels, NULL);
}

static int look_list(struct fs *fs, const struct ask *ask, const char *key,
		     struct inode *dir, struct name_info *out)
{
	const struct list_query q = { .prefix = key,
				      .page = LOOK_PAGE,
				      .quiet = true };
	struct look l = { .key = key, .found = out };
	int rc = dir_levels_init(&l.levels, fs->tree, dir, &ask->at);

	memset(out, 0, sizeof(*out));
	strcpy(l.below, key);
	strcat(l.below, "/");
	l.levels.page = ask->page;
	if (!rc)
		rc = store_list_open(ask->at.stage->store, &q, &l.list);
	if (!rc)
		rc = look_read(&l);
	store_list_close(l.list);
	dir_levels_clear(&l.levels);
	return rc;
}

static bool look_may_list(const struct fs *fs, const struct ask *ask)
{
	return ask->at.view.policy->implied_dirs && fs->set.metadata_ttl_s &&
	       !store_lacks(ask->at.stage->store, STORE_LACKS_LISTING);
}

int look_name(struct fs *fs, const struct ask *ask, const char *key,
	      struct inode *dir, struct name_info *out)
{
	struct store *store = ask->at.stage->store;
	int listed = -EAGAIN, rc;

	if (look_may_list(fs, ask))
		listed = look_list(fs, ask, key, dir, out);
	if (listed != -EAGAIN && listed != -EACCES)
		return listed;
	rc = store_stat(store, key, out);
	/* It is the listing that is refused, and not all that is signed so. */
	if (listed == -EACCES && (rc != -EACCES || out->unlisted))
		store_learn_lack(store, STORE_LACKS_LISTING);
	return rc;
}

/* ---- by its bytes ---- */

/* All there is to know of a file, of which n bytes have come. */
static bool look_tells(const struct object_info *info, size_t n)
{
	return *info->etag && !text_starts_with(info->etag, "W/") && n &&
	       info->size != STORE_SIZE_UNKNOWN &&
	       n == (info->size < DIRCACHE_SMALL ? info->size : DIRCACHE_SMALL);
}

static int look_fetch(struct fs *fs, const struct ask *ask, const char *key,
		      void *bytes, struct object_details *d,
		      struct look_file *out)
{
	struct store *store = ask->at.stage->store;
	size_t n = 0;
	int rc =
		store_get_whole(store, key, NULL, bytes, DIRCACHE_SMALL, &n, d);

	if (rc < 0 || !look_tells(&d->info, n))
		return rc == -EINTR ? rc : -EAGAIN;
	out->at.is_object = true;
	out->at.info = d->info;
	out->has_attr = !rc && ask->at.view.policy->in_metadata;
	if (out->has_attr)
		attr_meta_read(&d->props, false, &out->attr);
	if (d->info.size == n)
		block_give(fs->blocks, store, key, d->info.etag, bytes, n);
	return 0;
}

int look_file(struct fs *fs, const struct ask *ask, const char *key,
	      struct inode *dir, struct look_file *out)
{
	struct pool *pool = block_cache_pool(fs->blocks);
	MEM_LOCAL struct object_details *d = NULL;
	void *bytes;
	int rc = -EAGAIN;

	memset(out, 0, sizeof(*out));
	if (!look_may_list(fs, ask))
		return -EAGAIN;
	d = malloc(sizeof(*d));
	bytes = pool_try_idle(pool, DIRCACHE_SMALL, LOOK_PERMILLE);
	if (d && bytes)
		rc = look_fetch(fs, ask, key, bytes, d, out);
	if (bytes)
		pool_put(pool, bytes, DIRCACHE_SMALL);
	if (rc || out->at.info.size > DIRCACHE_SMALL)
		dircache_no_small_file(fs->tree, dir);
	return rc;
}
