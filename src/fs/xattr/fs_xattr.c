/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: a table of names and functions. Those of the table are
 * not stored; each is computed when it is asked for by name. listxattr shows
 * those that the tree knows the value of, and no URL unless told to, so that cp
 * -a and backups never copy a bearer secret. Setting or removing one of them on
 * a file here is answered as if it were done: rsync -X, which copies what is
 * shown, fails of a name that it cannot set or remove.
 *
 * Any other name of user. is a caller's own, and stored.
 *
 * security.* and system.* are refused before anything else: `ls -l` asks for
 * two of them with every file, and stops when it hears -EOPNOTSUPP.
 */
#include "fs/xattr/fs_xattr.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "fs/access.h"
#include "fs/xattr/xattr.h"
#include "store/props.h"

#define EXPLAIN_MS 60000
#define EXPIRE_NAME "user.presign.expire"

static int xattr_get_expire(struct xattr_call *c)
{
	buf_addf(c->out, "%lld",
		 (long long)xattr_presign_expire(c->fs, &c->at));
	return buf_err(c->out);
}

#define URLS(name_, action_) \
	URL(name_, action_, xattr_presign_write_url), \
		URL(name_ ".headers", action_, xattr_presign_write_headers), \
		URL(name_ ".method", action_, xattr_presign_write_method), \
		URL(name_ ".json", action_, xattr_presign_write_json), \
		URL(name_ ".curl", action_, presign_row_curl)
#define URL(name_, action_, write_) \
	{ \
		.name = name_, .get = xattr_presign_get, \
		.flags = XATTR_TAKES_ARGS | XATTR_OF_FILES, .action = action_, \
		.write = write_ \
	}

#define OBJECTS (XATTR_SHOWN | XATTR_OF_FILES | XATTR_OF_OBJECTS)
#define NAMES (XATTR_SHOWN | XATTR_OF_FILES | XATTR_OF_DIRS)

#define HEADER(prop_) xattr_props_get, XATTR_SETTABLE, .prop = prop_

static const struct xattr_row rows[] = {
	URLS("user.presign.download", PRESIGN_DOWNLOAD),
	URLS("user.presign.upload", PRESIGN_UPLOAD),
	{ EXPIRE_NAME, xattr_get_expire, XATTR_OF_FILES | XATTR_OF_DIRS },
	{ "user.stage.md5", xattr_stage_md5, OBJECTS,
	  .has = xattr_stage_has_md5 },
	{ "user.stage.etag", xattr_stage_etag, OBJECTS },
	{ "user.stage.url", xattr_stage_url, NAMES },
	{ "user.stage.name", xattr_stage_name, NAMES },
	{ "user.stage.size", xattr_stage_size, XATTR_SHOWN | XATTR_OF_FILES },
	{ "user.stage.last_modified", xattr_stage_last_modified, OBJECTS },
	{ "user.stage.creator", xattr_stage_creator },
	{ "user.stage.status", xattr_stage_status },
	{ "user.stage.pending", xattr_stage_pending },
	{ "user.stage.content_type", HEADER(PROP_TYPE) },
	{ "user.stage.content_encoding", HEADER(PROP_ENCODING) },
	{ "user.stage.content_disposition", HEADER(PROP_DISPOSITION) },
	{ "user.stage.cache_control", HEADER(PROP_CACHE) },
	{ "user.stage.storage_class", xattr_props_get, .prop = PROP_CLASS },
	{ "user.stage.version_id", xattr_stage_version_id },
};

/* The row of a name, whatever follows its `?`; NULL: there is none. */
static const struct xattr_row *xattr_find_row(const char *name)
{
	size_t len = strcspn(name, "?");

	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++)
		if (strlen(rows[k].name) == len &&
		    !memcmp(rows[k].name, name, len))
			return &rows[k];
	return NULL;
}

/* Of our prefixes, and none of ours. */
static bool xattr_is_reserved(const char *name)
{
	return text_starts_with(name, "user.stage.") ||
	       text_starts_with(name, "user.presign.");
}

/* What the kernel alone sets, if at all. */
static bool xattr_is_foreign(const char *name)
{
	return !text_starts_with(name, "user.");
}

static int64_t xattr_expire_max(const struct fs *fs)
{
	int64_t max = fs->set.presign_expire_max;

	return max > 0 && max < PRESIGN_EXPIRE_MAX ? max : PRESIGN_EXPIRE_MAX;
}

/* What an errno cannot say, now and then. */
static void xattr_explain(struct fs *fs, const char *name, const char *text)
{
	BUF_LOCAL form = BUF_INIT(BUF_MESSAGE);
	int64_t now_ms = clock_mono_ms();

	if (xattr_args_explain(text, &form) &&
	    now_ms - atomic_load(&fs->explained_ms) >= EXPLAIN_MS) {
		atomic_store(&fs->explained_ms, now_ms);
		log_warn("%s?%s: path= comes last, as in %s%s (literal_path= "
			 "is for a name that ends like that)",
			 name, text, name, buf_str(&form));
	}
}

int fs_xattr_get(struct fs *fs, struct inode *i, const char *name,
		 const struct fs_caller *c, struct buf *out)
{
	struct xattr_args args = { 0 };
	struct xattr_call call = {
		.fs = fs, .inode = i, .args = &args, .caller = c, .out = out
	};
	const char *mark;
	int rc = 0;

	if (xattr_is_foreign(name))
		return -EOPNOTSUPP;
	call.row = xattr_find_row(name);
	if (!call.row && xattr_is_reserved(name))
		return -ENODATA;
	if (!call.row) {
		inode_look(fs->tree, i, &call.at);
		rc = xattr_props_get_own(&call, name);
		inode_place_clear(&call.at);
		return rc;
	}
	mark = strchr(name, '?');
	if (mark && !(call.row->flags & XATTR_TAKES_ARGS))
		return -EINVAL;
	if (mark)
		rc = xattr_args_parse(mark + 1, xattr_expire_max(fs), &args);
	if (rc == -EINVAL)
		xattr_explain(fs, call.row->name, mark + 1);
	if (rc)
		return rc;
	inode_look(fs->tree, i, &call.at);
	rc = call.row->get(&call);
	inode_place_clear(&call.at);
	return rc;
}

static bool xattr_is_listed(const struct fs *fs, const struct inode_place *at,
			    const struct xattr_row *row)
{
	unsigned kind =
		at->view.kind == INODE_FILE ? XATTR_OF_FILES : XATTR_OF_DIRS;

	if (!(row->flags & kind) || (!(row->flags & XATTR_SHOWN) &&
				     fs->set.list_xattrs != FS_LIST_URLS))
		return false;
	if ((row->flags & XATTR_OF_OBJECTS) &&
	    !(at->view.published && at->view.info.etag[0]))
		return false;
	/* The root is in no stage. */
	if (row->flags & XATTR_SHOWN && !at->stage)
		return false;
	if (row->write && xattr_presign_allowed(fs, at->stage, row->action))
		return false;
	return !row->has || row->has(at);
}

int fs_xattr_list(struct fs *fs, struct inode *i, struct buf *out)
{
	INODE_PLACE_LOCAL at = { 0 };

	if (fs->set.list_xattrs == FS_LIST_NONE)
		return 0;
	inode_look(fs->tree, i, &at);
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++)
		if (xattr_is_listed(fs, &at, &rows[k]))
			buf_add(out, rows[k].name, strlen(rows[k].name) + 1);
	return buf_err(out) ? buf_err(out) : xattr_props_list(fs, i, out);
}

static int xattr_may_write(struct fs *fs, struct inode *i,
			   const struct fs_caller *c)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	return access_check(c, v.mode, v.uid, v.gid, ACCESS_WRITE);
}

/* value NULL: it is to go. */
static int xattr_change_expire(struct fs *fs, struct inode *i,
			       const struct xattr_change *x)
{
	struct inode_view v;
	uint64_t expire = 0;
	int rc;

	if (x->value &&
	    (parse_duration(x->value, x->len, xattr_expire_max(fs), &expire) ||
	     expire < PRESIGN_EXPIRE_MIN))
		return -EINVAL;
	inode_view(fs->tree, i, &v);
	if ((x->flags & XATTR_CREATE) && v.expire)
		return -EEXIST;
	if ((x->flags & XATTR_REPLACE) && !v.expire)
		return -ENODATA;
	rc = inode_attr_set_expire(fs->tree, i, (int64_t)expire);
	attributes_say_pins(fs);
	return rc;
}

static int xattr_change(struct fs *fs, struct inode *i, struct xattr_change *x,
			const struct fs_caller *c)
{
	int rc;

	x->row = xattr_find_row(x->name);
	if (xattr_is_foreign(x->name))
		return -EOPNOTSUPP;
	if (!x->row && xattr_is_reserved(x->name))
		return x->value ? -EOPNOTSUPP : -ENODATA;
	if (x->row && x->row->flags & XATTR_SHOWN)
		return 0;
	if (x->row && !strcmp(x->name, EXPIRE_NAME)) {
		rc = xattr_may_write(fs, i, c);
		return rc ? rc : xattr_change_expire(fs, i, x);
	}
	if (x->row && (!(x->row->flags & XATTR_SETTABLE) ||
		       strcmp(x->name, x->row->name) != 0))
		return -EPERM;
	rc = names_writable(fs, i);
	if (!rc)
		rc = xattr_may_write(fs, i, c);
	return rc ? rc : xattr_props_change(fs, i, x);
}

int fs_xattr_set(struct fs *fs, struct inode *i, const char *name,
		 const char *value, size_t len, int flags,
		 const struct fs_caller *c)
{
	struct xattr_change x = {
		.name = name, .value = value, .len = len, .flags = flags
	};

	return xattr_change(fs, i, &x, c);
}

int fs_xattr_remove(struct fs *fs, struct inode *i, const char *name,
		    const struct fs_caller *c)
{
	struct xattr_change x = { .name = name, .flags = XATTR_REPLACE };

	return xattr_change(fs, i, &x, c);
}
