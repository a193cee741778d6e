/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes, between the files that answer them: fs_xattr.c has the
 * table, xattr_presign.c the URLs, xattr_stage.c what the store knows,
 * xattr_props.c what it keeps for callers.
 */
#ifndef FS_XATTR_XATTR_H
#define FS_XATTR_XATTR_H

#include "fs/names.h"
#include "fs/xattr/xattr_args.h"
#include "presign/presign.h"

struct xattr_call;

struct xattr_row {
	const char *name;
	int (*get)(struct xattr_call *c);
	unsigned flags; /* enum xattr_flag */
	/* URLs: what for, and how the answer is written down. */
	enum presign_action action;
	void (*write)(const struct store_presigned *p,
		      enum presign_action action, struct buf *out);
	/* Is there one? NULL: yes. */
	bool (*has)(const struct inode_place *at);
	const char *prop; /* the header that it is, or NULL */
};

enum xattr_flag {
	XATTR_TAKES_ARGS = 1,
	XATTR_OF_FILES = 2, /* shown by listxattr there, if at all */
	XATTR_OF_DIRS = 4,
	XATTR_OF_OBJECTS = 8, /* ... of files that the store has */
	XATTR_SHOWN = 16, /* by default: it needs no request, and copies of it
			   * harm no one */
	XATTR_SETTABLE = 32, /* its header may be another */
};

/* One getxattr. */
struct xattr_call {
	struct fs *fs;
	struct inode *inode;
	struct inode_place at; /* the inode's */
	const struct xattr_row *row;
	const struct xattr_args *args;
	const struct fs_caller *caller;
	struct buf *out;
};

/* Is this kind of URL of that stage handed out at all? 0, -EPERM by the
 * `presign` setting, -EROFS an upload to what is read-only. */
int xattr_presign_allowed(const struct fs *fs, const struct stage *stage,
			  enum presign_action action);
/* The expiry that holds there. */
int64_t xattr_presign_expire(const struct fs *fs, const struct inode_place *at);

int xattr_presign_get(struct xattr_call *c);
void xattr_presign_write_url(const struct store_presigned *p,
			     enum presign_action action, struct buf *out);
void xattr_presign_write_headers(const struct store_presigned *p,
				 enum presign_action action, struct buf *out);
void xattr_presign_write_method(const struct store_presigned *p,
				enum presign_action action, struct buf *out);
void xattr_presign_write_json(const struct store_presigned *p,
			      enum presign_action action, struct buf *out);

/* Is there one? No request. */
bool xattr_stage_has_md5(const struct inode_place *at);
int xattr_stage_etag(struct xattr_call *c);
int xattr_stage_md5(struct xattr_call *c);
int xattr_stage_url(struct xattr_call *c);
int xattr_stage_name(struct xattr_call *c);
int xattr_stage_size(struct xattr_call *c);
int xattr_stage_last_modified(struct xattr_call *c);
int xattr_stage_creator(struct xattr_call *c);
int xattr_stage_status(struct xattr_call *c);
int xattr_stage_pending(struct xattr_call *c);
int xattr_stage_version_id(struct xattr_call *c);

/* The value of a row's header. */
int xattr_props_get(struct xattr_call *c);
/* What a caller has stored under that name: 0, -ENODATA ... */
int xattr_props_get_own(struct xattr_call *c, const char *name);
/* Appends the names of all that callers have stored. */
int xattr_props_list(struct fs *fs, struct inode *i, struct buf *out);
/* Sets (value NULL: removes) a row's header or, row NULL, a caller's own; flags
 * as setxattr(2)'s. */
struct xattr_change {
	const struct xattr_row *row;
	const char *name, *value;
	size_t len;
	int flags;
};
int xattr_props_change(struct fs *fs, struct inode *i,
		       const struct xattr_change *x);

#endif
