/*
 * Moving a directory: every key below it is copied, then the names move in the
 * tree, then the old keys are removed.
 *
 *   COPYING  a failure removes the copies that were made and leaves the old
 *            tree as it was; a daemon that is killed leaves the old tree whole
 *   MOVED    all copies stand; what cannot be removed stays at the old place
 *            and is reported
 *
 * What another machine does meanwhile is its own: the keys are collected first,
 * none is copied over one that has come, and only the objects that were copied,
 * or are copies of ours, are removed. Nobody publishes below meanwhile
 * (tree_move_begin()). Files that the store has never seen go with the names.
 *
 * A store of files moves the directory itself; what is open below has its
 * bytes open too, and only learns its new key.
 */
#include "fs/rename.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fs/keyset.h"
#include "stage/stage.h"

static struct inode *peek_path(struct fs *fs, struct inode *dir,
			       const char *path)
{
	struct inode *at = inode_ref(fs->tree, dir);
	char name[256];

	while (at && *path) {
		size_t len = strcspn(path, "/");
		struct inode *below = NULL;

		if (len && len < sizeof(name)) {
			memcpy(name, path, len);
			name[len] = '\0';
			below = tree_peek(fs->tree, at, name);
		}
		inode_unref(fs->tree, at);
		at = below;
		path += len + (path[len] == '/');
	}
	return at;
}

/* Cached names learn the ETags of the copies. */
static void tell_copies(struct rename *r, struct keyset *keys)
{
	struct tree *tree = r->fs->tree;
	const struct keyset_copy *copies;
	size_t n = keyset_changed(keys, &copies);

	for (size_t c = 0; c < n; c++) {
		const char *rest = keyset_rest(keys, copies[c].k);
		struct inode *i;

		if (!*rest || rest[strlen(rest) - 1] == '/')
			continue; /* a marker */
		i = peek_path(r->fs, r->from, rest);
		if (i)
			inode_copied(tree, i, &copies[c].info);
		inode_unref(tree, i);
	}
}

typedef int each_open(struct fs *fs, struct inode *i);

static int for_open_files(struct rename *r, each_open *each)
{
	struct fs *fs = r->fs;
	struct inode **open;
	unsigned n;
	int err = tree_open_files(fs->tree, r->from, &open, &n);

	for (unsigned k = 0; k < n; k++) {
		if (!err)
			err = each(fs, open[k]);
		inode_unref(fs->tree, open[k]);
	}
	free(open);
	return err;
}

static int publish_open(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);
	uint64_t size;
	int err = 0;

	if (!f)
		return 0;
	if (file_size(f, &size) && !file_unbind(f))
		err = file_publish(f);
	file_close(f);
	return err;
}

static int move_open(struct fs *fs, struct inode *i)
{
	rename_content(fs, i);
	return 0;
}

/* Every copy stands. */
static int move_names(struct rename *r, struct keyset *keys)
{
	int err = 0;

	if (r->dir != r->to_dir)
		err = names_keep_dir(r->fs, r->dir, r->from);
	if (!err)
		err = tree_moved(r->fs->tree, r->from, r->to_dir, r->to_name);
	if (err)
		return err;
	tell_copies(r, keys);
	return for_open_files(r, move_open);
}

static void log_failure(struct rename *r, struct keyset *keys, int err)
{
	struct buf key = NAMES_KEY;

	keyset_failed(keys, &key);
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){ .stage = r->stage->name,
				    .key = buf_str(&key),
				    .err = err },
	       "cannot move the directory \"%s\": it stays as it was", r->name);
	buf_clear(&key);
}

static int move_tree(struct rename *r, struct keyset *keys)
{
	int err = for_open_files(r, publish_open);

	if (!err)
		err = keyset_collect(keys);
	if (!err)
		err = keyset_copy(keys);
	if (!err)
		err = move_names(r, keys);
	if (err == -EEXIST && !r->no_replace)
		err = -ENOTEMPTY; /* since it was looked at */
	if (err) {
		keyset_undo(keys);
		tree_doubt(r->fs->tree, r->to_dir, r->to_name);
		if (err != -EINTR)
			log_failure(r, keys, err);
		return err;
	}
	err = keyset_remove(keys);
	if (err)
		tree_doubt(r->fs->tree, r->dir, r->name);
	return err;
}

int rename_dir(struct rename *r)
{
	int err;

	buf_addc(&r->key, '/');
	buf_addc(&r->to_key, '/');
	err = buf_err(&r->key) ? buf_err(&r->key) : buf_err(&r->to_key);
	if (err)
		return -ENAMETOOLONG;
	err = rename_in_store(r);
	return err ? err : for_open_files(r, move_open);
}

int rename_tree(struct rename *r)
{
	struct keyset keys;
	int err = keyset_init(&keys, r->stage->store, buf_str(&r->key),
			      buf_str(&r->to_key), r->to != NULL);

	if (!err)
		err = move_tree(r, &keys);
	keyset_clear(&keys);
	return err;
}
