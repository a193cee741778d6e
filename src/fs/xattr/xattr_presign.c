/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-signed URLs by name. A URL is a bearer secret that outlives the check,
 * so the caller's own permissions are looked at here: the kernel has asked for
 * read permission only, and knows nothing of the names in `?path=`.
 *
 * `?path=` is walked as a lookup would. A store of files is asked for each
 * component, since owner and mode are kept there and another program may have
 * closed one a moment ago; the file or directory that has the attribute, which
 * the kernel has reached, is asked for again as well. An object store keeps
 * neither, so signing asks it nothing: what a caller set through the mount the
 * tree has, and a name that it does not know has the default mode and owner.
 *
 * A URL holds for whatever will have its name. So a download of what is not
 * there is judged as a new file: the mount's default, or, where owner and mode
 * will be chosen later (a store of files), one that only the daemon may read.
 *
 * A directory has no URL: without `?path=` the answer is -EINVAL.
 */
#include "fs/xattr/xattr.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fs/access.h"
#include "fs/attr/attr_learn.h"
#include "stage/stage.h"

void xattr_presign_write_url(const struct store_presigned *p,
			     enum presign_action action, struct buf *out)
{
	buf_adds(out, p->url);
}

void xattr_presign_write_headers(const struct store_presigned *p,
				 enum presign_action action, struct buf *out)
{
	buf_adds(out, p->headers && *p->headers ? p->headers : "{}");
}

void xattr_presign_write_method(const struct store_presigned *p,
				enum presign_action action, struct buf *out)
{
	buf_adds(out, p->method);
}

void xattr_presign_write_json(const struct store_presigned *p,
			      enum presign_action action, struct buf *out)
{
	presign_row_json(p, out);
}

int xattr_presign_allowed(const struct fs *fs, const struct stage *stage,
			  enum presign_action action)
{
	enum fs_presign only = action == PRESIGN_UPLOAD ? FS_PRESIGN_UPLOAD
							: FS_PRESIGN_DOWNLOAD;

	if (fs->set.presign != FS_PRESIGN_BOTH && fs->set.presign != only)
		return -EPERM;
	return action == PRESIGN_UPLOAD ? names_writable_stage(fs, stage) : 0;
}

int64_t xattr_presign_expire(const struct fs *fs, const struct inode_place *at)
{
	return at->expire ? at->expire : fs->set.presign_expire;
}

/* ---- may the caller? ---- */

/* Where a walk stands: the nearest directory that exists, or may. */
struct walk {
	struct xattr_call *c;
	struct inode *dir; /* referenced; NULL: the tree knows none */
	bool asks; /* the store, which keeps owner and mode */
	bool absent; /* what follows does not exist */
};

static int presign_may_view(const struct xattr_call *c,
			    const struct inode_view *v, unsigned want)
{
	return access_check(c->caller, v->mode, v->uid, v->gid, want);
}

static int presign_may(const struct xattr_call *c, struct inode *i,
		       unsigned want)
{
	struct inode_view v;

	inode_view(c->fs->tree, i, &v);
	return presign_may_view(c, &v, want);
}

/* An inode that the tree does not know. */
static int presign_may_unknown(const struct xattr_call *c, bool dir,
			       unsigned want)
{
	const struct fs_settings *s = &c->fs->set;

	return access_check(c->caller, dir ? s->dir_mode : s->file_mode, s->uid,
			    s->gid, want);
}

static int presign_may_dir(const struct walk *w, unsigned want)
{
	return w->dir ? presign_may(w->c, w->dir, want)
		      : presign_may_unknown(w->c, true, want);
}

/* What is not there: an upload needs the directory alone. */
static int presign_may_absent(const struct walk *w)
{
	uid_t uid = w->c->caller->uid;

	if (w->c->row->action == PRESIGN_UPLOAD)
		return 0;
	if (!w->asks)
		return presign_may_unknown(w->c, false, ACCESS_READ);
	return !uid || uid == geteuid() ? 0 : -ENOENT;
}

/* *i is as its metadata says, where that is where owner and mode are. */
static int presign_learn(const struct walk *w, struct inode **i)
{
	int rc = attr_learn(w->c->fs->tree, i);

	if (rc) {
		inode_unref(w->c->fs->tree, *i);
		*i = NULL;
	}
	return rc;
}

/* What is there by a name, where the walk stands: 0 or -errno. */
static int presign_look(struct walk *w, const char *name,
			enum tree_answer *answer, struct inode **out)
{
	int rc = 0;

	*out = NULL;
	if (w->absent) {
		*answer = TREE_ABSENT;
	} else if (w->asks) {
		rc = resolve_ask(w->c->fs, w->dir, name, out);
		if (!rc)
			rc = presign_learn(w, out);
		*answer = rc ? TREE_ABSENT : TREE_KNOWN;
	} else {
		*answer = w->dir ? tree_guess(w->c->fs->tree, w->dir, name, out)
				 : TREE_UNKNOWN;
	}
	return rc == -ENOENT ? 0 : rc;
}

static int presign_step_into(struct walk *w, const char *name)
{
	enum tree_answer answer;
	struct inode_view v;
	struct inode *below;
	int rc = presign_may_dir(w, ACCESS_SEARCH);

	if (!rc)
		rc = presign_look(w, name, &answer, &below);
	if (rc)
		return rc;
	if (answer == TREE_ABSENT) {
		w->absent = true;
		return 0;
	}
	if (answer == TREE_KNOWN) {
		inode_view(w->c->fs->tree, below, &v);
		if (v.kind == INODE_FILE)
			rc = -ENOTDIR;
	}
	inode_unref(w->c->fs->tree, w->dir);
	w->dir = below;
	return rc;
}

static int presign_reach_object(struct walk *w, const char *name)
{
	bool upload = w->c->row->action == PRESIGN_UPLOAD;
	unsigned want = upload ? ACCESS_WRITE : ACCESS_READ;
	enum tree_answer answer;
	struct inode_view v;
	struct inode *i;
	int rc = presign_may_dir(w, ACCESS_SEARCH);

	if (!rc && upload)
		rc = presign_may_dir(w, ACCESS_WRITE);
	if (!rc)
		rc = presign_look(w, name, &answer, &i);
	if (rc)
		return rc;
	switch (answer) {
	case TREE_ABSENT:
		return presign_may_absent(w);
	case TREE_UNKNOWN:
		return presign_may_unknown(w->c, false, want);
	case TREE_KNOWN:
		inode_view(w->c->fs->tree, i, &v);
		rc = v.kind == INODE_FILE ? presign_may(w->c, i, want)
					  : -EISDIR;
		inode_unref(w->c->fs->tree, i);
	}
	return rc;
}

/* May the caller have a URL for `path` below `dir`? */
static int presign_may_path(struct xattr_call *c, struct inode *dir, bool asks,
			    const char *path)
{
	struct walk w = { .c = c,
			  .dir = inode_ref(c->fs->tree, dir),
			  .asks = asks };
	char name[XATTR_NAME_SIZE];
	int rc;

	for (;;) {
		size_t len = strcspn(path, "/");

		memcpy(name, path, len);
		name[len] = '\0';
		if (!path[len])
			break;
		rc = presign_step_into(&w, name);
		if (rc)
			goto out;
		path += len + 1;
	}
	rc = presign_reach_object(&w, name);
out:
	inode_unref(c->fs->tree, w.dir);
	return rc;
}

/* ---- which key? ---- */

/* At the root of stages a path begins with a stage: *dir becomes its root,
 * and *path what follows. */
static int presign_enter_stage(struct xattr_call *c, struct inode **dir,
			       const char **path)
{
	size_t len = strcspn(*path, "/");
	char name[XATTR_NAME_SIZE];
	int rc;

	if (!(*path)[len])
		return -EINVAL; /* a stage is no file */
	rc = presign_may_view(c, &c->at.view, ACCESS_SEARCH);
	if (rc)
		return rc;
	memcpy(name, *path, len);
	name[len] = '\0';
	*path += len + 1;
	*dir = tree_peek(c->fs->tree, c->inode, name);
	return *dir ? 0 : stages_resolve(c->fs, name, dir);
}

static int xattr_presign_sign(struct xattr_call *c,
			      const struct inode_place *at, const char *path)
{
	struct presign_request req = {
		.action = c->row->action,
		.expire = c->args->expire,
		.expire_max = c->fs->set.presign_expire_max,
		.content_type = c->args->content_type,
	};
	BUF_LOCAL whole = NAMES_KEY, why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p = { 0 };
	int rc = at->stage ? at->rc : -ENODATA;

	if (!req.expire)
		req.expire = xattr_presign_expire(c->fs, at);
	buf_add(&whole, at->path.data, at->path.len);
	if (!rc && path) {
		if (whole.len)
			buf_addc(&whole, '/');
		buf_adds(&whole, path);
		rc = buf_err(&whole) == -EMSGSIZE ? -ENAMETOOLONG
						  : buf_err(&whole);
	}
	if (!rc)
		rc = presign(at->stage, buf_str(&whole), &req, &p, &why);
	if (!rc) {
		c->row->write(&p, req.action, c->out);
		rc = buf_err(c->out);
	} else if (why.len) {
		log_at(LOG_LEVEL_INFO,
		       &(struct log_where){ .stage = at->stage->name,
					    .key = buf_str(&whole),
					    .rc = rc },
		       "no pre-signed URL: %s", buf_str(&why));
	}
	store_presign_clear(&p);
	return rc;
}

static int presign_sign_below(struct xattr_call *c, struct inode *dir,
			      struct inode_place *at, const char *path)
{
	int rc = xattr_presign_allowed(c->fs, at->stage, c->row->action);

	if (!rc)
		rc = resolve_renew(c->fs, dir, at);
	if (!rc)
		rc = presign_may_path(c, dir,
				      policy_has_owners(at->view.policy), path);
	return rc ? rc : xattr_presign_sign(c, at, path);
}

/* Below a directory, which is c->inode or, at the root, one of its stages. */
static int presign_sign_path(struct xattr_call *c)
{
	const char *path = c->args->path;
	INODE_PLACE_LOCAL at = { 0 };
	struct inode *dir;
	int rc;

	if (c->at.view.kind != INODE_ROOT)
		return presign_sign_below(c, c->inode, &c->at, path);
	rc = presign_enter_stage(c, &dir, &path);
	if (rc)
		return rc;
	inode_look(c->fs->tree, dir, &at);
	rc = presign_sign_below(c, dir, &at, path);
	inode_unref(c->fs->tree, dir);
	return rc;
}

int xattr_presign_get(struct xattr_call *c)
{
	bool upload = c->row->action == PRESIGN_UPLOAD;
	int rc = xattr_presign_allowed(c->fs, c->at.stage, c->row->action);

	if (rc)
		return rc;
	if ((c->at.view.kind == INODE_FILE) == (c->args->path != NULL))
		return -EINVAL;
	if (c->args->path)
		return presign_sign_path(c);
	rc = resolve_renew(c->fs, c->inode, &c->at);
	if (!rc)
		rc = presign_may_view(c, &c->at.view,
				      upload ? ACCESS_WRITE : ACCESS_READ);
	return rc ? rc : xattr_presign_sign(c, &c->at, NULL);
}
