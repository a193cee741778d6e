/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUT and COPY: a file without a name is filled, then takes its place
 * (local_commit.c). A process that is killed leaves nothing.
 */
#include <errno.h>
#include <unistd.h>

#include "store/local/local_commit.h"
#include "store/local/local_error.h"
#include "store/local/local_file.h"
#include "store/local/local_ops.h"
#include "store/local/local_path.h"
#include "store/local/local_record.h"
#include "store/local/local_root.h"
#include "store/store_check.h"

/* The caller's own file becomes the object, if it is one of ours. */
static int put_adopt(const struct store_body *body)
{
	struct stat st;
	int fd = dup(body->fd);

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && !st.st_nlink &&
	    (uint64_t)st.st_size == body->len)
		return fd;
	close(fd);
	return -EINVAL;
}

static int put_fill(struct local *l, const char *key,
		    const struct store_body *body)
{
	int fd, rc;

	if (body->adopt)
		return put_adopt(body);
	fd = local_file_make(l, key);
	if (fd < 0)
		return fd;
	rc = local_file_write(body, fd, 0);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

/* A file that is filled takes its place, or a folder is made. */
static int put_place(struct local *l, const char *key, int fd,
		     const struct store_meta *meta,
		     const struct store_cond *cond,
		     const struct local_props *kept, struct object_info *out)
{
	const struct local_commit commit = {
		.l = l,
		.what = "write",
		.key = key,
		.owner = meta ? meta->owner : NULL,
		.cond = cond,
		.kept = kept,
		.inherit = meta && meta->inherit,
		.fd = fd,
	};

	return store_check_is_dir(key)
		       ? local_commit_dir(l, key, meta, cond, kept, out)
		       : local_commit(&commit, out);
}

static int put_check(struct local *l, const char *key, uint64_t len)
{
	const char *why = NULL;
	int rc = local_root_writable(l, "write", key);

	if (rc)
		return rc;
	rc = local_path_check(key, &why);
	if (!rc && store_check_is_dir(key) && len) {
		why = "a directory has no bytes of its own";
		rc = -EISDIR;
	}
	return rc ? local_error(l, "write", key, rc, why) : 0;
}

int local_put(struct store *s, const char *key, const struct store_body *body,
	      const struct store_meta *meta, const struct store_cond *cond,
	      struct object_info *out)
{
	struct local *l = local_of(s);
	struct local_props kept;
	FD_LOCAL fd = -1;
	int rc = put_check(l, key, body->len);

	if (rc)
		return rc;
	rc = local_record_props(&kept, meta);
	if (rc)
		return local_error(l, "write", key, rc,
				   rc == -EINVAL ? "content-md5 is no MD5"
						 : NULL);
	if (!store_check_is_dir(key)) {
		fd = put_fill(l, key, body);
		if (fd < 0)
			rc = local_error(l, "write", key, fd, NULL);
	}
	if (!rc)
		rc = put_place(l, key, fd, meta, cond, &kept, out);
	return rc;
}

/* The bytes of from, in a file of their own; its record. */
static int put_fill_from(struct local *l, const char *from, const char *etag,
			 const char *to, struct local_record *record)
{
	struct object_info info;
	struct stat st;
	FD_LOCAL source = -1;
	int fd, rc = local_read_open(&l->base, from, etag, &source, &info);

	if (rc)
		return rc;
	if (fstat(source, &st))
		return -errno;
	local_record_read(source, &st, record);
	fd = local_file_make(l, to);
	rc = fd < 0 ? fd : 0;
	if (!rc)
		rc = local_file_copy(source, 0, fd, 0, info.size);
	if (!rc)
		rc = local_read_same(&l->base, source, info.etag);
	if (rc && fd >= 0)
		close(fd);
	return rc ? local_error(l, "copy", from, rc, NULL) : fd;
}

/* A type that the source has by its name alone is the copy's too, unless it is
 * to go with the name. */
static void put_keep_type(const struct local *l, const char *from,
			  const struct store_retype *retype,
			  struct local_props *kept)
{
	const char *type = local_read_type(l, from);

	if (props_get(&kept->props, PROP_TYPE))
		props_retype(&kept->props, retype);
	else if (type && !retype)
		props_set(&kept->props, PROP_TYPE, type);
}

int local_put_copy(struct store *s, const char *from,
		   const struct object_info *known, const char *to,
		   const struct store_retype *retype,
		   const struct store_cond *cond, struct object_info *out)
{
	const char *etag = known && *known->etag ? known->etag : NULL;
	struct local *l = local_of(s);
	struct local_record record;
	struct local_props kept;
	struct stat st;
	int rc = put_check(l, to, 0), fd;

	if (rc)
		return rc;
	fd = put_fill_from(l, from, etag, to, &record);
	if (fd < 0)
		return fd;
	local_record_props_of(&kept, &record);
	put_keep_type(l, from, retype, &kept);
	if (fstat(fd, &st))
		rc = -errno;
	if (!rc)
		rc = put_check(l, to, st.st_size);
	if (!rc)
		rc = put_place(l, to, fd, NULL, cond, &kept, out);
	close(fd);
	return rc;
}

int local_put_scratch(struct store *s, const char *key, int *fd)
{
	struct local *l = local_of(s);
	const char *why = NULL;
	int rc = local_root_writable(l, "write", key);

	if (rc)
		return rc;
	rc = local_path_check(key, &why);
	*fd = rc ? rc : local_file_make(l, key);
	if (*fd >= 0)
		return 0;
	rc = *fd;
	*fd = -1;
	return local_error(l, "write", key, rc, why);
}
