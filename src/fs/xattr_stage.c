/*
 * What the store knows of an object. What LIST tells comes from the tree; what
 * only a HEAD tells is asked for each time and not kept.
 */
#include "fs/xattr.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "stage/stage.h"

/* Fresh facts of an object that the store has; -ENODATA without one. */
static int xattr_stage_refresh(struct xattr_call *c)
{
	int err;

	if (c->view.kind != INODE_FILE)
		return -ENODATA;
	err = resolve_refresh(c->fs, c->inode);
	if (err)
		return err;
	inode_view(c->fs->tree, c->inode, &c->view);
	return c->view.published ? 0 : -ENODATA;
}

static int xattr_stage_value(struct xattr_call *c, const char *s)
{
	if (!*s)
		return -ENODATA;
	buf_adds(c->out, s);
	return buf_err(c->out);
}

int xattr_stage_etag(struct xattr_call *c)
{
	int err = xattr_stage_refresh(c);

	return err ? err : xattr_stage_value(c, c->view.info.etag);
}

int xattr_stage_md5(struct xattr_call *c)
{
	struct stage *stage;
	size_t before = c->out->len;
	int err = xattr_stage_refresh(c);

	if (err)
		return err;
	stage = inode_stage(c->fs->tree, c->inode);
	if (stage)
		store_md5(stage->store, &c->view.info, c->out);
	stage_unref(stage);
	return c->out->len == before ? -ENODATA : buf_err(c->out);
}

int xattr_stage_url(struct xattr_call *c)
{
	struct buf key = NAMES_KEY;
	struct stage *stage = inode_stage(c->fs->tree, c->inode);
	int err = stage ? inode_key(c->fs->tree, c->inode, &key) : -ENODATA;

	if (!err) {
		store_locate(stage->store, buf_str(&key), c->out);
		err = buf_err(c->out);
	}
	stage_unref(stage);
	buf_clear(&key);
	return err;
}

int xattr_stage_name(struct xattr_call *c)
{
	if (c->view.kind == INODE_ROOT)
		return -ENODATA;
	return inode_path(c->fs->tree, c->inode, c->out);
}

int xattr_stage_size(struct xattr_call *c)
{
	struct stat st;
	int err = c->view.kind == INODE_FILE ? resolve_refresh(c->fs, c->inode)
					     : -ENODATA;

	if (err)
		return err;
	names_stat(c->fs, c->inode, &st);
	buf_addf(c->out, "%llu", (unsigned long long)st.st_size);
	return buf_err(c->out);
}

/* Databend's LIST has had the column empty since it lists by the store. */
int xattr_stage_creator(struct xattr_call *c)
{
	return -ENODATA;
}

static int xattr_stage_details(struct xattr_call *c, struct object_details *out)
{
	struct buf key = NAMES_KEY;
	struct stage *stage;
	int err = xattr_stage_refresh(c);

	if (err)
		return err;
	stage = inode_stage(c->fs->tree, c->inode);
	err = stage ? inode_key(c->fs->tree, c->inode, &key) : -ENOENT;
	if (!err)
		err = store_head(stage->store, buf_str(&key), out);
	stage_unref(stage);
	buf_clear(&key);
	return err == -ENOENT ? -ENODATA : err;
}

/* The store's own time, also when a caller has set another. */
int xattr_stage_last_modified(struct xattr_call *c)
{
	char text[TIME_LIST_SIZE];
	struct object_details d;
	int err = xattr_stage_refresh(c);

	if (err)
		return err;
	d.info = c->view.info;
	if (c->view.own_mtime)
		err = xattr_stage_details(c, &d);
	if (err)
		return err;
	time_list(d.info.mtime, text);
	return xattr_stage_value(c, text);
}

int xattr_stage_content_type(struct xattr_call *c)
{
	struct object_details d;
	int err = xattr_stage_details(c, &d);

	return err ? err
		   : xattr_stage_value(c, props_get(&d.props, PROP_TYPE) ?: "");
}

int xattr_stage_storage_class(struct xattr_call *c)
{
	struct object_details d;
	int err = xattr_stage_details(c, &d);

	return err ? err
		   : xattr_stage_value(c,
				       props_get(&d.props, PROP_CLASS) ?: "");
}

int xattr_stage_version_id(struct xattr_call *c)
{
	struct object_details d;
	int err = xattr_stage_details(c, &d);

	return err ? err : xattr_stage_value(c, d.version_id);
}
