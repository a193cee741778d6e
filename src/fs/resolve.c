/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a name to an inode: from what is known while that is fresh, else by one
 * question to the store, whose answer goes into the tree and is read from
 * there, since the tree may know better (write stamps).
 */
#include "fs/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "fs/attr/attr_learn.h"
#include "fs/dirlist.h"
#include "fs/inval_queue.h"
#include "fs/look.h"
#include "fs/names/ask.h"
#include "fs/names/inode_meta.h"
#include "fs/questions.h"
#include "fs/subtree.h"
#include "fs/traversal.h"
#include "stage/location.h"
#include "store/attr_meta.h"

typedef int resolve_how(struct fs *fs, struct inode *dir, const char *name,
			struct inode **out);

int resolve_look(struct fs *fs, const struct ask *ask, struct inode *dir,
		 const char *name, struct name_info *found)
{
	BUF_LOCAL key = NAMES_KEY;
	int rc = inode_place_key(&ask->at, name, &key);

	memset(found, 0, sizeof(*found));
	if (rc)
		return rc == -EILSEQ ? 0 : rc; /* the store has no such key */
	rc = look_name(fs, ask, buf_str(&key), dir, found);
	/* What may not be listed may have something below that may be read:
	 * a directory, which says so when it is read. */
	if (rc == -EACCES && found->unlisted) {
		found->is_prefix = true;
		rc = 0;
	}
	return rc;
}

/* What the store says is at the name of i now. */
static int resolve_ask_again(struct fs *fs, struct inode *i, resolve_how *how,
			     struct inode **now)
{
	char name[256];
	struct inode *dir = inode_parent(fs->tree, i, name);
	int rc = dir ? how(fs, dir, name, now) : -ESTALE;

	/* The kernel, which has i under that name, is to look again. */
	if (rc == -ENOENT || (!rc && *now != i))
		inval_queue_entry(fs->inval_queue, dir, name);
	inode_unref(fs->tree, dir);
	return rc;
}

/*
 * A program that has come through a directory to a name will probably do so
 * again. While that name is there, so are all directories on the way to it, so
 * it is asked for in their place. 1: dir is known again; 0: there is no such
 * name; or why that does not tell.
 */
static int resolve_by_used(struct fs *fs, struct inode *dir)
{
	struct inode *used = dircache_used(fs->tree, dir), *now = NULL;
	struct inode_view v;
	int rc;

	if (!used)
		return 0;
	rc = resolve_ask_again(fs, used, resolve_learn, &now);
	inode_unref(fs->tree, now);
	inode_unref(fs->tree, used);
	inode_view(fs->tree, dir, &v);
	return rc ? rc : v.fresh ? 1 : -ENOENT;
}

/* What was a directory probably is one still, and will be read, or gone
 * through. 1: it is, and is known again; 0: it may be anything; -EINTR. */
static int resolve_dir_again(struct fs *fs, struct inode *dir, const char *name,
			     struct inode **out)
{
	struct inode *known = tree_peek(fs->tree, dir, name);
	struct inode_view v;
	int rc = 0;

	if (!known)
		return 0;
	inode_view(fs->tree, known, &v);
	if (v.kind == INODE_DIR && v.policy->implied_dirs &&
	    fs->set.metadata_ttl_s) {
		rc = subtree_fill(fs->subtrees, known);
		if (!rc)
			rc = resolve_by_used(fs, known);
		if (!rc)
			rc = dirlist_renew(fs, known);
	}
	inode_unref(fs->tree, known);
	if (rc > 0)
		return tree_find(fs->tree, dir, name, out, NULL) == TREE_KNOWN;
	return rc == -EINTR ? rc : 0;
}

int resolve_ask(struct fs *fs, struct inode *dir, const char *name,
		struct inode **out)
{
	struct name_info found;
	struct ask ask;
	int rc;

	if (names_is_root(fs, dir))
		return stages_resolve(fs, name, out);
	rc = resolve_dir_again(fs, dir, name, out);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = ask_begin(fs->tree, dir, name, &ask);
	if (!rc)
		rc = resolve_look(fs, &ask, dir, name, &found);
	if (!rc) {
		*out = ask_answered(fs->tree, &ask, dir, name, &found);
		rc = *out ? 0 : -ENOENT;
	}
	ask_end(fs->tree, &ask);
	return rc;
}

/* What the tree knows of it: 0 or -ENOENT; -EAGAIN: nothing. */
static int resolve_known(struct fs *fs, struct inode *dir, const char *name,
			 struct inode **out)
{
	switch (tree_find(fs->tree, dir, name, out, NULL)) {
	case TREE_KNOWN:
		return 0;
	case TREE_ABSENT:
		return -ENOENT;
	default:
		return -EAGAIN;
	}
}

/* All names of dir. -EAGAIN: ask for the name. */
static int resolve_whole_dir(struct fs *fs, struct inode *dir)
{
	int rc, answer;

	rc = questions_begin(fs->questions, dir, "", &answer);
	if (rc <= 0)
		return rc ? rc : answer;
	rc = dirlist_renew(fs, dir);
	rc = rc < 0 ? -EAGAIN : 0; /* that fails so, too, and says why */
	questions_end(fs->questions, dir, "", rc);
	return rc;
}

/* All names of dir, of which none was known, where directories are gone through
 * one after the other by names in them. -EAGAIN: ask for the name. */
static int resolve_traversed(struct fs *fs, struct inode *dir)
{
	enum traversal_entry how = traversal_entered(fs->traversals, dir);
	int rc = 0;

	if (how == TRAVERSAL_IN_ORDER) {
		rc = subtree_fill(fs->subtrees, dir);
	} else if (how == TRAVERSAL_BACKWARDS) {
		struct inode *first = traversal_begins(fs->traversals, dir);

		rc = subtree_fill_from(fs->subtrees, dir, first);
		inode_unref(fs->tree, first);
	}
	if (rc)
		return rc < 0 ? rc : 0;
	if (how)
		traversal_asked(fs->traversals, dir);
	return -EAGAIN;
}

/* What it has that look_file() found. Ends the question. */
static struct inode *resolve_file_answered(struct fs *fs, struct ask *ask,
					   struct inode *dir, const char *name,
					   const struct look_file *found)
{
	uint64_t asked = ask->page.asked;
	struct inode *i = ask_answered(fs->tree, ask, dir, name, &found->at);

	if (!i || !found->has_attr)
		return i;
	inode_unref(fs->tree, i);
	return inode_meta_learn(fs->tree, dir, name, INODE_FILE,
				&found->at.info, &found->attr, asked);
}

/* By the bytes of what is probably a file. -EAGAIN: ask for the name. */
static int resolve_file(struct fs *fs, struct inode *dir, const char *name,
			struct inode **out)
{
	BUF_LOCAL key = NAMES_KEY;
	struct look_file found;
	struct ask ask;
	int rc = ask_begin(fs->tree, dir, name, &ask);

	if (!rc)
		rc = inode_place_key(&ask.at, name, &key) ? -EAGAIN : 0;
	if (!rc)
		rc = look_file(fs, &ask, buf_str(&key), dir, &found);
	if (!rc) {
		*out = resolve_file_answered(fs, &ask, dir, name, &found);
		rc = *out ? 0 : -ENOENT;
	}
	ask_end(fs->tree, &ask);
	return rc;
}

/* As resolve_ask(), for all threads that share the question. top: dir is the
 * root of a stage. */
static int resolve_answer(struct fs *fs, struct inode *dir, bool top,
			  const char *name, struct inode **out)
{
	enum dircache_way way = dircache_way(fs->tree, dir, name);
	int rc = -EAGAIN;

	if (way == DIRCACHE_BY_LISTING)
		rc = resolve_whole_dir(fs, dir);
	if (rc == -EAGAIN && !top)
		rc = resolve_traversed(fs, dir);
	if (!rc)
		rc = resolve_known(fs, dir, name, out);
	if (rc == -EAGAIN && way == DIRCACHE_BY_BYTES)
		rc = resolve_file(fs, dir, name, out);
	return rc == -EAGAIN ? resolve_ask(fs, dir, name, out) : rc;
}

int resolve_learn(struct fs *fs, struct inode *dir, const char *name,
		  struct inode **out)
{
	struct inode_view v;
	int rc, answer;

	inode_view(fs->tree, dir, &v);
	if (!v.policy->implied_dirs || !fs->set.metadata_ttl_s ||
	    names_is_root(fs, dir))
		return resolve_ask(fs, dir, name, out);
	for (;;) {
		rc = questions_begin(fs->questions, dir, name, &answer);
		if (rc < 0)
			return rc;
		if (rc) {
			rc = resolve_answer(fs, dir, v.stage_root, name, out);
			questions_end(fs->questions, dir, name, rc);
			return rc;
		}
		rc = answer && answer != -ENOENT && answer != -EINTR
			     ? answer
			     : resolve_known(fs, dir, name, out);
		if (rc != -EAGAIN)
			return rc;
	}
}

int resolve_check(const char *name)
{
	/* the kernel lets them through */
	return strlen(name) > NAME_BYTES_MAX ? -ENAMETOOLONG : 0;
}

int resolve_name(struct fs *fs, struct inode *dir, const char *name,
		 struct inode **out)
{
	int rc = resolve_check(name);

	if (rc)
		return rc;
	if (names_is_root(fs, dir))
		return stages_resolve(fs, name, out);
	rc = resolve_known(fs, dir, name, out);
	return rc == -EAGAIN ? resolve_learn(fs, dir, name, out) : rc;
}

int resolve_now(struct fs *fs, struct inode *i, struct inode_view *v,
		struct inode **now)
{
	int rc;

	*now = NULL;
	inode_view(fs->tree, i, v);
	if (v->fresh || v->orphan)
		return 0;
	rc = resolve_ask_again(fs, i, resolve_learn, now);
	inode_view(fs->tree, i, v);
	return rc;
}

/* rc of one of the two: is it i? now may be NULL for that. */
static int resolve_must_be(struct fs *fs, int rc, struct inode *now,
			   struct inode *i)
{
	inode_unref(fs->tree, now);
	if (rc)
		return rc == -ENOENT ? -ESTALE : rc;
	return !now || now == i ? 0 : -ESTALE;
}

int resolve_refresh(struct fs *fs, struct inode *i, struct inode_view *v)
{
	struct inode *now;
	int rc = resolve_now(fs, i, v, &now);

	return resolve_must_be(fs, rc, now, i);
}

/* *a: the owner and mode that the store has for the object that is known there;
 * -ESTALE when it has another object. */
static int resolve_ask_owner(const struct inode_place *at, const char *key,
			     struct store_attr *a)
{
	MEM_LOCAL struct object_details *d = malloc(sizeof(*d));
	struct store *s = at->stage->store;
	struct name_info found;
	int rc;

	if (!d)
		return -ENOMEM;
	memset(a, 0, sizeof(*a));
	if (at->view.policy->in_metadata) {
		rc = store_head(s, key, d);
		if (!rc)
			attr_meta_read(&d->props, false, a);
	} else {
		rc = store_stat(s, key, &found);
		if (!rc && !found.is_object)
			rc = -ENOENT;
		d->info = found.info;
		*a = (struct store_attr){ .which = STORE_SET_MODE |
						   STORE_SET_UID |
						   STORE_SET_GID,
					  .mode = found.info.mode,
					  .uid = found.info.uid,
					  .gid = found.info.gid };
	}
	if (!rc && strcmp(d->info.etag, at->view.info.etag) != 0)
		rc = -ESTALE;
	return rc;
}

/* 0: a file of which the store says what is known, so that nothing is to be
 * learnt; -ESTALE: it may be another, or has other attributes. */
static int resolve_confirm_owner(struct fs *fs, const struct inode_place *at)
{
	const struct inode_view *v = &at->view;
	BUF_LOCAL key = NAMES_KEY;
	struct store_attr a;
	int rc;

	if (v->kind != INODE_FILE || !v->published || v->dirty ||
	    v->unlearned || !*v->info.etag || inode_place_key(at, NULL, &key))
		return -ESTALE;
	rc = resolve_ask_owner(at, buf_str(&key), &a);
	if (rc == -ENOENT || rc == -EACCES ||
	    (!rc && !inode_attr_is(fs->tree, v, &a)))
		rc = -ESTALE;
	return rc;
}

static int resolve_learn_owner(struct fs *fs, struct inode *i,
			       const struct inode_view *v)
{
	struct inode *now = NULL;
	int rc;

	if (v->policy->in_metadata) {
		inode_meta_forget(fs->tree, i);
		now = inode_ref(fs->tree, i);
		rc = attr_learn(fs->tree, &now);
		return resolve_must_be(fs, rc, now, i);
	}
	if (v->stage_root) {
		stages_refresh_root(fs, i);
		return 0;
	}
	rc = resolve_ask_again(fs, i, resolve_ask, &now);
	return resolve_must_be(fs, rc, now, i);
}

int resolve_renew(struct fs *fs, struct inode *i, struct inode_place *at)
{
	int rc;

	if (!policy_has_owners(at->view.policy) || at->view.orphan)
		return 0;
	rc = resolve_confirm_owner(fs, at);
	if (rc != -ESTALE)
		return rc;
	rc = resolve_learn_owner(fs, i, &at->view);
	inode_place_clear(at);
	inode_look(fs->tree, i, at);
	return rc;
}
