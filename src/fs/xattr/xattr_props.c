/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of an object as extended attributes: some by names of ours, and what
 * callers store under names of their own, which stands in one header
 * (store/xattrs.h). A directory's are its marker's, which is made for them.
 *
 * Of a file that is yet to be published they are what its next version will
 * have; else the store is asked, each time.
 */
#include "fs/xattr/xattr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/text.h"
#include "fs/content/file_edit.h"
#include "fs/content/file_props.h"
#include "fs/state.h"
#include "stage/stage.h"
#include "store/store.h"
#include "store/xattrs.h"

#define VALUE_MAX 2048 /* of a header: S3 has room for no more */

/* A stage's root has no object, nor has the mount's. */
static bool props_can_be(struct fs *fs, struct inode *i)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	return v.kind == INODE_FILE || (v.kind == INODE_DIR && !v.stage_root);
}

/* ---- reading ---- */

static bool props_pending(struct fs *fs, struct inode *i, struct props *out)
{
	FILE_LOCAL *f = inode_file_get(fs->tree, i);

	return f && file_props_pending(f, out);
}

/* Without its tags. -ENODATA: it has no object. */
static int xattr_props_ask(struct fs *fs, struct inode *i,
			   struct object_details *d)
{
	INODE_OBJECT_LOCAL o = { 0 };
	struct inode_view v;
	int rc = resolve_refresh(fs, i, &v);

	if (rc)
		return rc;
	if (v.kind == INODE_FILE && !v.published)
		return -ENODATA;
	rc = inode_object(fs->tree, i, &o);
	if (!rc)
		rc = store_head(o.stage->store, buf_str(&o.key), d);
	return rc == -ENOENT ? -ENODATA : rc;
}

static int props_read(struct fs *fs, struct inode *i, struct object_details *d)
{
	if (!props_can_be(fs, i))
		return -ENODATA;
	return props_pending(fs, i, &d->props) ? 0 : xattr_props_ask(fs, i, d);
}

int xattr_props_get(struct xattr_call *c)
{
	MEM_LOCAL struct object_details *d = malloc(sizeof(*d));
	int rc = d ? props_read(c->fs, c->inode, d) : -ENOMEM;
	const char *value = rc ? NULL : props_get(&d->props, c->row->prop);

	if (value)
		buf_adds(c->out, value);
	else if (!rc)
		rc = -ENODATA;
	return rc ? rc : buf_err(c->out);
}

int xattr_props_get_own(struct xattr_call *c, const char *name)
{
	MEM_LOCAL struct object_details *d = malloc(sizeof(*d));
	int rc = d ? props_read(c->fs, c->inode, d) : -ENOMEM;

	return rc ? rc : xattrs_get(&d->props, name, c->out);
}

/* One that may not be read shows none. */
int xattr_props_list(struct fs *fs, struct inode *i, struct buf *out)
{
	MEM_LOCAL struct object_details *d = malloc(sizeof(*d));
	int rc = d ? props_read(fs, i, d) : -ENOMEM;

	if (!rc)
		rc = xattrs_list(&d->props, out);
	return rc == -ENODATA || rc == -EACCES || rc == -EIO ? 0 : rc;
}

/* ---- changing ---- */

static int props_change_own(const struct xattr_change *x, struct props *p)
{
	enum xattrs_how how = XATTRS_ANY;

	if (x->flags & XATTR_CREATE)
		how = XATTRS_CREATE;
	else if (x->flags & XATTR_REPLACE)
		how = XATTRS_REPLACE;
	return xattrs_set(p, x->name, x->value, x->len, how);
}

/* A value that a header can have. */
static int props_change_header(const struct xattr_change *x, struct props *p)
{
	const char *was = props_get(p, x->row->prop);
	char value[VALUE_MAX + 1] = "";

	if (was ? x->flags & XATTR_CREATE : x->flags & XATTR_REPLACE)
		return was ? -EEXIST : -ENODATA;
	if (!x->value)
		return props_set(p, x->row->prop, NULL);
	if (!x->len || !text_is_field_value(x->value, x->len))
		return -EINVAL;
	memcpy(value, x->value, x->len);
	value[x->len] = '\0';
	return text_is_ascii(value) ? props_set(p, x->row->prop, value)
				    : -EINVAL;
}

static int props_change(void *arg, struct props *p)
{
	const struct xattr_change *x = arg;

	return x->row ? props_change_header(x, p) : props_change_own(x, p);
}

/* A file's content, that of the object if it is not open. */
static int props_open(struct fs *fs, struct inode *i, struct file **out)
{
	struct inode_view v;
	int rc;

	*out = inode_file_get(fs->tree, i);
	if (*out)
		return 0;
	rc = resolve_refresh(fs, i, &v);
	if (!rc && !v.published)
		rc = -ESTALE;
	return rc ? rc : file_open(&fs->env, i, &v.info, out);
}

static int props_change_file(struct fs *fs, struct inode *i,
			     const struct xattr_change *x)
{
	struct file *f;
	int rc = props_open(fs, i, &f);

	if (rc)
		return rc;
	rc = file_edit_props(f, props_change, (void *)x);
	/* What waits to be sent takes it along, over a crash too. */
	if (!rc && write_back_state(fs->write_back, i))
		rc = names_store(fs, f, false);
	file_close(f);
	/* Another machine has put another object there. */
	if (rc == -ESTALE)
		inode_invalidate(fs->tree, i);
	return rc;
}

static int props_change_marker(struct fs *fs, struct inode *dir,
			       const struct xattr_change *x,
			       struct object_details *d)
{
	INODE_OBJECT_LOCAL o;
	int rc = inode_object(fs->tree, dir, &o);

	if (!rc)
		rc = store_props(o.stage->store, buf_str(&o.key), d);
	if (rc == -ENOENT && x->value) {
		rc = marker_put(fs, dir);
		if (!rc)
			rc = store_props(o.stage->store, buf_str(&o.key), d);
	}
	if (!rc)
		rc = props_change((void *)x, &d->props);
	if (!rc)
		rc = store_set_props(o.stage->store, buf_str(&o.key), d, NULL);
	return rc == -ENOENT ? -ENODATA : rc;
}

static int props_change_dir(struct fs *fs, struct inode *dir,
			    const struct xattr_change *x)
{
	MEM_LOCAL struct object_details *d = malloc(sizeof(*d));
	int rc = d ? claims_publish_begin(fs->tree, dir, NULL) : -ENOMEM;

	if (!rc) {
		rc = props_change_marker(fs, dir, x, d);
		claims_publish_end(fs->tree, dir);
	}
	return rc == -ENOENT ? -ESTALE : rc;
}

int xattr_props_change(struct fs *fs, struct inode *i,
		       const struct xattr_change *x)
{
	struct inode_view v;
	int rc;

	if (!props_can_be(fs, i))
		return -EOPNOTSUPP;
	if (x->value && x->len > VALUE_MAX)
		return -ENOSPC;
	inode_view(fs->tree, i, &v);
	rc = (v.kind == INODE_FILE ? props_change_file
				   : props_change_dir)(fs, i, x);
	/* As a disk says it, of an inode without room for more. */
	return rc == -E2BIG ? -ENOSPC : rc;
}
