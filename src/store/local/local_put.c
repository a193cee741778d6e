/*
 * PUT and COPY: a file without a name is filled, then takes its place
 * (local_commit.c). A process that is killed leaves nothing.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/local/local_impl.h"
#include "store/store_check.h"

/* The caller's own file becomes the object, if it is one of ours. */
static int adopt(const struct store_body *body)
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

static int fill(struct local *l, const char *key, const struct store_body *body)
{
	int fd, err;

	if (body->adopt)
		return adopt(body);
	fd = local_tmpfile(l, key);
	if (fd < 0)
		return fd;
	err = local_write_body(body, fd, 0);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* A file that is filled takes its place, or a folder is made. */
static int place(struct local *l, const char *key, int fd,
		 const struct store_meta *meta, const struct store_cond *cond,
		 const struct local_kept *kept, struct object_info *out)
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
		       ? local_put_dir(l, key, meta, cond, kept, out)
		       : local_commit(&commit, out);
}

static int check(struct local *l, const char *key, uint64_t len)
{
	const char *why = NULL;
	int err = local_writable(l, "write", key);

	if (err)
		return err;
	err = local_key_check(key, &why);
	if (!err && store_check_is_dir(key) && len) {
		why = "a directory has no bytes of its own";
		err = -EISDIR;
	}
	return err ? local_failed(l, "write", key, err, why) : 0;
}

int local_put(struct store *s, const char *key, const struct store_body *body,
	      const struct store_meta *meta, const struct store_cond *cond,
	      struct object_info *out)
{
	struct local *l = local_of(s);
	struct local_kept kept;
	int err = check(l, key, body->len), fd = -1;

	if (err)
		return err;
	err = local_kept_init(&kept, meta);
	if (err)
		return local_failed(l, "write", key, err,
				    err == -EINVAL ? "content-md5 is no MD5"
						   : NULL);
	if (!store_check_is_dir(key)) {
		fd = fill(l, key, body);
		if (fd < 0)
			err = local_failed(l, "write", key, fd, NULL);
	}
	if (!err)
		err = place(l, key, fd, meta, cond, &kept, out);
	if (fd >= 0)
		close(fd);
	return err;
}

/* The bytes of from, in a file of their own; its note. */
static int fill_from(struct local *l, const char *from, const char *etag,
		     const char *to, struct local_note *note)
{
	struct object_info info;
	struct stat st;
	int source, fd, err = local_open(&l->base, from, etag, &source, &info);

	if (err)
		return err;
	if (fstat(source, &st)) {
		close(source);
		return -errno;
	}
	local_note_read(source, &st, note);
	fd = local_tmpfile(l, to);
	err = fd < 0 ? fd : 0;
	if (!err)
		err = local_copy_range(source, 0, fd, 0, info.size);
	if (!err)
		err = local_same(&l->base, source, info.etag);
	close(source);
	if (err && fd >= 0)
		close(fd);
	return err ? local_failed(l, "copy", from, err, NULL) : fd;
}

/* A type that the source has by its name alone is the copy's too, unless it is
 * to go with the name. */
static void keep_type(const struct local *l, const char *from,
		      const struct store_retype *retype,
		      struct local_kept *kept)
{
	const char *type = local_type(l, from);

	if (props_get(&kept->props, PROP_TYPE))
		props_retype(&kept->props, retype);
	else if (type && !retype)
		props_set(&kept->props, PROP_TYPE, type);
}

int local_copy(struct store *s, const char *from, const char *etag,
	       const char *to, const struct store_retype *retype,
	       const struct store_cond *cond, struct object_info *out)
{
	struct local *l = local_of(s);
	struct local_note note;
	struct local_kept kept;
	struct stat st;
	int err = check(l, to, 0), fd;

	if (err)
		return err;
	fd = fill_from(l, from, etag, to, &note);
	if (fd < 0)
		return fd;
	local_kept_of(&kept, &note);
	keep_type(l, from, retype, &kept);
	if (fstat(fd, &st))
		err = -errno;
	if (!err)
		err = check(l, to, st.st_size);
	if (!err)
		err = place(l, to, fd, NULL, cond, &kept, out);
	close(fd);
	return err;
}
