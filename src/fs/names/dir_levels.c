/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/names/dir_levels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

struct dir_level {
	struct dir_filler fill;
	struct inode *dir; /* referenced */
	size_t len; /* of the path, with its '/' */
};

int dir_levels_init(struct dir_levels *l, struct tree *t, struct inode *top,
		    const struct inode_place *at)
{
	int rc;

	memset(l, 0, sizeof(*l));
	l->tree = t;
	l->top = top;
	buf_init(&l->path, STORE_KEY_MAX + 1);
	rc = inode_place_key(at, NULL, &l->path);
	l->prefix = strdup(buf_str(&l->path));
	return rc ? rc : l->prefix ? 0 : -ENOMEM;
}

static int dir_level_drop(void *arg, struct inode *i)
{
	inode_unref(arg, i);
	return 0;
}

/* *out: the directory of this name in the innermost level; NULL: this mount has
 * something else there by now, which the listing does not speak of. */
static int dir_levels_enter(struct dir_levels *l, const char *name,
			    struct inode **out)
{
	struct inode_view v;
	int rc = 0;

	if (l->n)
		rc = dir_filler_dir(&l->levels[l->n - 1].fill, name, NULL, out);
	else
		*out = tree_refresh(l->tree, l->top, name, INODE_DIR, NULL,
				    false, l->page.asked);
	if (rc || !*out)
		return rc;
	inode_view(l->tree, *out, &v);
	if (v.kind != INODE_DIR || dircache_moved(l->tree, *out, &l->page)) {
		inode_unref(l->tree, *out);
		*out = NULL;
	}
	return 0;
}

static int dir_levels_push(struct dir_levels *l, const char *name)
{
	struct dir_level *level;
	struct dir_merge merge = l->page;
	struct inode *dir = NULL;
	int rc;

	if (ARRAY_RESERVE(l->levels, l->cap, l->n + 1))
		return -ENOMEM;
	rc = dir_levels_enter(l, name, &dir);
	if (rc || !dir)
		return rc ? rc : -ENOENT;
	buf_addf(&l->path, "%s/", name);
	level = &l->levels[l->n++];
	merge.dir = dir;
	dir_filler_init(&level->fill, l->tree, &merge, dir_level_drop, l->tree);
	level->dir = dir;
	level->len = l->path.len;
	return buf_err(&l->path);
}

/* The innermost level; whole: the listing has left it behind. */
static int dir_levels_pop(struct dir_levels *l, bool whole)
{
	struct dir_level *level = &l->levels[--l->n];
	int rc = whole ? dir_filler_end(&level->fill, l->lost) : 0;

	if (whole && !rc)
		dir_filler_tell(&level->fill, buf_str(&l->path), 0);
	dir_filler_clear(&level->fill);
	inode_unref(l->tree, level->dir);
	buf_truncate(&l->path, l->n ? level[-1].len : strlen(l->prefix));
	return rc;
}

int dir_levels_leave(struct dir_levels *l, const char *key)
{
	int rc = 0;

	while (l->n && !rc &&
	       (!key || !text_starts_with(key, buf_str(&l->path))))
		rc = dir_levels_pop(l, true);
	return rc;
}

void dir_levels_clear(struct dir_levels *l)
{
	while (l->n)
		dir_levels_pop(l, false);
	buf_clear(&l->path);
	free(l->prefix);
	free(l->levels);
}

/* A file in the top directory itself that is known: it is still there. */
static void dir_levels_seen(struct dir_levels *l, const char *name,
			    const struct object_info *info)
{
	struct inode *i = tree_peek(l->tree, l->top, name), *now = NULL;
	struct inode_view v;

	if (!i)
		return;
	inode_view(l->tree, i, &v);
	if (v.kind == INODE_FILE && !dircache_moved(l->tree, l->top, &l->page))
		now = tree_refresh(l->tree, l->top, name, INODE_FILE, info,
				   false, l->page.asked);
	inode_unref(l->tree, now);
	inode_unref(l->tree, i);
}

/* The last part of a key: a file, or nothing for a directory's marker. */
static int dir_levels_take_file(struct dir_levels *l, const char *rest,
				const struct object_info *info)
{
	struct dir_level *level = l->n ? &l->levels[l->n - 1] : NULL;
	char name[256];

	if (level && !*rest) {
		inode_set_marker(l->tree, level->dir, true);
		return 0;
	}
	if (level)
		return dir_filler_name(&level->fill, rest, strlen(rest), name)
			       ? dir_filler_file(&level->fill, name, info)
			       : 0;
	if (*rest && strlen(rest) < sizeof(name))
		dir_levels_seen(l, rest, info);
	return 0;
}

int dir_levels_take(struct dir_levels *l, const struct list_entry *e)
{
	const char *rest, *slash;
	char name[256];
	int rc = dir_levels_leave(l, e->key);

	rest = e->key + l->path.len;
	while (!rc && (slash = strchr(rest, '/'))) {
		if (!dir_filler_name(l->n ? &l->levels[l->n - 1].fill : NULL,
				     rest, slash - rest, name))
			return 0;
		rc = dir_levels_push(l, name);
		rest = slash + 1;
	}
	if (!rc)
		rc = dir_levels_take_file(l, rest, &e->info);
	/* A directory that this mount has removed: not what is below it. */
	return rc == -ENOENT ? 0 : rc;
}
