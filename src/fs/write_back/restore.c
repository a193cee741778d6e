/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier daemon had accepted is accepted again, without a word from a
 * store: the directories above a name are there because something is to be
 * sent below them. What cannot be put into the tree stays in the journal.
 */
#include "fs/write_back/queue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "fs/content/seal.h"
#include "fs/names/inode_meta.h"
#include "fs/write_back/journal.h"
#include "fs/write_back/journal_file.h"
#include "fs/write_back/record.h"
#include "stage/stage.h"

/* Is it still the place where the change was to go? */
static int restore_check_place(const struct stage *s, const struct record *r)
{
	BUF_LOCAL place = BUF_INIT(BUF_MESSAGE);
	int rc;

	write_back_place(s, &place);
	rc = strcmp(buf_str(&place), r->place) ? -ENXIO : 0;
	if (!rc && !text_starts_with(r->key, s->prefix))
		rc = -ENXIO;
	return rc;
}

/* The directory of that name in `at`, whose reference goes. */
static int restore_enter(struct tree *t, struct inode **at, const char *name)
{
	struct inode *below = tree_peek(t, *at, name);
	struct inode_view v;

	if (!below)
		below = tree_refresh(t, *at, name, INODE_DIR, NULL, false,
				     tree_clock(t));
	inode_unref(t, *at);
	*at = below;
	if (!below)
		return -ENOMEM;
	inode_view(t, below, &v);
	return v.kind == INODE_DIR ? 0 : -ENOTDIR;
}

/* The directory that the path's last name is in; *name: that one. */
static int restore_walk(struct tree *t, struct inode **at, const char *path,
			char name[256])
{
	int rc = 0;

	for (;;) {
		size_t len = strcspn(path, "/");

		if (rc || !len || len >= 256)
			return rc ? rc : -EINVAL;
		memcpy(name, path, len);
		name[len] = '\0';
		path += len + (path[len] == '/');
		if (!*path)
			return 0;
		rc = restore_enter(t, at, name);
	}
}

/* Where objects keep them, they go with it. */
static void restore_attributes(struct tree *t, struct inode *i,
			       const struct record *r)
{
	const struct store_attr a = {
		.which = STORE_SET_MODE | STORE_SET_UID | STORE_SET_GID |
			 STORE_SET_ATIME | STORE_SET_MTIME,
		.mode = r->mode,
		.uid = r->uid,
		.gid = r->gid,
		.atime = r->seal.atime,
		.mtime = r->seal.mtime,
	};
	struct inode_view v;

	inode_view(t, i, &v);
	if (v.policy->in_metadata)
		inode_meta_set(t, i, &a);
}

static int restore_dir(struct write_back *w, const struct record *r,
		       struct inode *dir, const char *name)
{
	struct tree *t = w->set.env->tree;
	struct inode *i;
	int rc = tree_create(t, dir, name, INODE_DIR, r->mode, r->uid, r->gid,
			     &i);

	if (rc == -EEXIST) { /* something below it came earlier */
		i = tree_peek(t, dir, name);
		rc = i ? 0 : -ENOENT;
	}
	if (rc)
		return rc;
	if (r->seal.mtime.tv_sec)
		restore_attributes(t, i, r);
	/* some of what is in it may have been sent, unlike itself */
	tree_invalidate(t, i, "");
	rc = queue_put(w,
		       &(struct queue_change){ .inode = i,
					       .id = r->id,
					       .delay_ms = w->set.delay_ms });
	tree_dir_made(t, i);
	inode_unref(t, i);
	return rc;
}

static int restore_name(struct tree *t, const struct record *r,
			struct inode *dir, const char *name, struct inode **out)
{
	struct object_info info = { .size = r->seal.base_size,
				    .mtime = r->seal.mtime };
	size_t len = strlen(r->seal.base_etag);

	if (!r->seal.has_base && !r->seal.replaces)
		return tree_create(t, dir, name, INODE_FILE, r->mode, r->uid,
				   r->gid, out);
	if (len < sizeof(info.etag))
		memcpy(info.etag, r->seal.base_etag, len + 1);
	*out = tree_refresh(t, dir, name, INODE_FILE, &info, false,
			    tree_clock(t));
	return *out ? 0 : -EEXIST;
}

static int restore_file(struct write_back *w, const struct record *r,
			struct inode *dir, const char *name)
{
	struct tree *t = w->set.env->tree;
	struct inode *i = NULL;
	struct file *f;
	int fd = -1, rc = 0;

	if (*r->data)
		rc = journal_data_open(w->journal, r->data, &fd);
	if (!rc) {
		rc = restore_name(t, r, dir, name, &i);
		if (rc && fd >= 0)
			close(fd);
	}
	if (!rc)
		rc = file_unseal(w->set.env, i, &r->seal, fd, r->data, &f);
	if (!rc)
		restore_attributes(t, i, r);
	/* Whether one that was about to end has ended is asked at once. */
	if (!rc)
		rc = queue_put(
			w, &(struct queue_change){
				   .inode = i,
				   .file = f,
				   .id = r->id,
				   .bytes = r->seal.size,
				   .spilled = *r->data,
				   .ending = r->ending,
				   .delay_ms = r->ending ? 0 : w->set.delay_ms,
			   });
	inode_unref(t, i);
	return rc;
}

static int restore_place(struct write_back *w, const struct record *r)
{
	struct tree *t = w->set.env->tree;
	struct inode *at = NULL;
	STAGE_LOCAL *stage = NULL;
	char name[256];
	int rc = w->set.find_root(w->set.arg, r->stage, &at, &stage);

	if (!rc)
		rc = restore_check_place(stage, r);
	if (!rc)
		rc = restore_walk(t, &at, r->key + strlen(stage->prefix), name);
	if (!rc && r->kind == RECORD_DIR)
		rc = restore_dir(w, r, at, name);
	else if (!rc)
		rc = restore_file(w, r, at, name);
	inode_unref(t, at);
	return rc;
}

/* What cannot be restored stays in the journal. */
static int restore_change(void *arg, const struct record *r)
{
	struct write_back *w = arg;
	int rc = restore_place(w, r);

	if (!rc)
		return 0;
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){
		       .stage = r->stage, .key = r->key, .rc = rc },
	       "what was written there is kept in the journal, and cannot be "
	       "sent to this mount's stages");
	lock_take(&w->lock);
	queue_locked(w)->n_stranded++;
	lock_drop(&w->lock);
	return 0;
}

static int restore_unread(const struct buf *path, int rc, struct buf *why)
{
	buf_addf(why,
		 "%s: what was written before waits there to be sent, and "
		 "cannot be read: %s",
		 buf_str(path), strerror(-rc));
	return rc;
}

int write_back_restore(struct write_back *w, struct buf *why)
{
	BUF_LOCAL path = BUF_INIT(BUF_MESSAGE);
	int rc;

	if (!w->set.spill_dir || !w->set.mount_name)
		return 0;
	journal_file_path(w->set.spill_dir, w->set.mount_name, &path);
	if (access(buf_str(&path), F_OK))
		return errno == ENOENT ? 0 : restore_unread(&path, -errno, why);
	rc = write_back_open(w);
	if (rc == -EBUSY) /* what is in it is another daemon's to send */
		return 0;
	if (!rc)
		rc = journal_each(w->journal, restore_change, w);
	return rc ? restore_unread(&path, rc, why) : 0;
}
