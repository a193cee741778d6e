/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store knows of an object. What LIST tells comes from the tree; what
 * only a HEAD tells is asked for each time and not kept.
 */
#include "fs/xattr/xattr.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fs/state.h"
#include "stage/stage.h"

#define STATUS_FILES_MAX 16

/* Fresh facts of an object that the store has; -ENODATA without one. */
static int xattr_stage_refresh(struct xattr_call *c)
{
	int rc;

	if (c->at.view.kind != INODE_FILE)
		return -ENODATA;
	rc = resolve_refresh(c->fs, c->inode, &c->at.view);
	return rc ? rc : c->at.view.published ? 0 : -ENODATA;
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
	int rc = xattr_stage_refresh(c);

	return rc ? rc : xattr_stage_value(c, c->at.view.info.etag);
}

bool xattr_stage_has_md5(const struct inode_place *at)
{
	BUF_LOCAL md5 = BUF_INIT(BUF_MESSAGE);

	if (at->stage)
		store_md5(at->stage->store, &at->view.info, &md5);
	return md5.len != 0;
}

int xattr_stage_md5(struct xattr_call *c)
{
	size_t before = c->out->len;
	int rc = xattr_stage_refresh(c);

	if (rc)
		return rc;
	if (c->at.stage)
		store_md5(c->at.stage->store, &c->at.view.info, c->out);
	return c->out->len == before ? -ENODATA : buf_err(c->out);
}

int xattr_stage_url(struct xattr_call *c)
{
	BUF_LOCAL key = NAMES_KEY;
	int rc = c->at.stage ? inode_place_key(&c->at, NULL, &key) : -ENODATA;

	if (!rc) {
		store_locate(c->at.stage->store, buf_str(&key), c->out);
		rc = buf_err(c->out);
	}
	return rc;
}

int xattr_stage_name(struct xattr_call *c)
{
	if (c->at.view.kind == INODE_ROOT)
		return -ENODATA;
	buf_add(c->out, c->at.path.data, c->at.path.len);
	return c->at.rc ? c->at.rc : buf_err(c->out);
}

int xattr_stage_size(struct xattr_call *c)
{
	struct stat st;
	int rc = c->at.view.kind == INODE_FILE
			 ? resolve_refresh(c->fs, c->inode, &c->at.view)
			 : -ENODATA;

	if (rc)
		return rc;
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
	BUF_LOCAL key = NAMES_KEY;
	int rc = xattr_stage_refresh(c);

	if (rc)
		return rc;
	rc = inode_place_key(&c->at, NULL, &key);
	if (!rc)
		rc = store_head(c->at.stage->store, buf_str(&key), out);
	return rc == -ENOENT ? -ENODATA : rc;
}

/* The store's own time, also when a caller has set another. */
int xattr_stage_last_modified(struct xattr_call *c)
{
	char text[TIME_LIST_SIZE];
	struct object_details d;
	int rc = xattr_stage_refresh(c);

	if (rc)
		return rc;
	d.info = c->at.view.info;
	if (c->at.view.own_mtime)
		rc = xattr_stage_details(c, &d);
	if (rc)
		return rc;
	clock_list(d.info.mtime, text);
	return xattr_stage_value(c, text);
}

int xattr_stage_version_id(struct xattr_call *c)
{
	struct object_details d;
	int rc = xattr_stage_details(c, &d);

	return rc ? rc : xattr_stage_value(c, d.version_id);
}

/* Whether a change waits to be sent, and why it does if that has failed. */
int xattr_stage_pending(struct xattr_call *c)
{
	int state = write_back_state(c->fs->write_back, c->inode);

	if (!state)
		return -ENODATA;
	return xattr_stage_value(c, state > 0 ? "waiting" : strerror(-state));
}

/* ---- the mount ---- */

/* What the daemon does, for `stagefs status`. Lines: `uptime SECONDS`, `writing
 * FILES`, `pending NAMES`, `failed NAMES` of these, and `file @stage/path` for
 * the first that are open. */
int xattr_stage_status(struct xattr_call *c)
{
	struct fs_writers w;
	struct fs_pending p;

	if (c->inode != fs_root(c->fs))
		return -ENODATA;
	fs_writers(c->fs, &w);
	fs_pending(c->fs, &p);
	buf_addf(c->out, "uptime %lld\nwriting %u\npending %u\nfailed %u\n",
		 (long long)(clock_mono_ms() - c->fs->began_ms) / 1000, w.open,
		 p.names, p.failed);
	/* Names of files are for callers that may see all of them. */
	if (!c->caller->uid || c->caller->uid == geteuid())
		fs_writer_names(c->fs, "file ", STATUS_FILES_MAX, c->out);
	return buf_err(c->out);
}
