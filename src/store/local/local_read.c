/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is at a key, and its bytes. A reader opens the file, so it has one
 * content whatever is renamed over it meanwhile; what another program writes
 * into that very file shows in size and time, and a read pinned to an ETag
 * looks at them again when it has its bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mime.h"
#include "store/local/local_error.h"
#include "store/local/local_ops.h"
#include "store/local/local_path.h"
#include "store/local/local_record.h"
#include "store/local/local_root.h"
#include "store/store_check.h"

#define DEFAULT_TYPE "binary/octet-stream"

static int read_check_key(struct local *l, const char *what, const char *key)
{
	const char *why;
	int rc = local_path_check(key, &why);

	return rc ? local_error(l, what, key, rc, why) : 0;
}

/* The object, open, and its record; -ENOENT. */
static int read_open_object(struct local *l, const char *key, struct stat *st,
			    struct local_record *record)
{
	int fd = store_check_is_dir(key) ? local_path_open_dir(l, key, st)
					 : local_path_open_file(l, key, st);

	if (fd >= 0)
		local_record_read(fd, st, record);
	return fd;
}

static int read_stat_root(struct local *l, struct name_info *out)
{
	struct stat st;

	if (fstat(l->root_fd, &st))
		return local_error(l, "look up", "", -errno, NULL);
	out->is_prefix = true;
	local_record_info(&st, "", &out->info);
	return 0;
}

int local_read_stat(struct store *s, const char *key, struct name_info *out)
{
	struct local *l = local_of(s);
	struct local_record record;
	LOCAL_PATH_LOCAL p = { .dir = -1 };
	struct stat st;
	int rc;

	if (!*key)
		return read_stat_root(l, out);
	rc = read_check_key(l, "look up", key);
	if (rc)
		return rc;
	rc = local_path_open(l, key, &p);
	if (!rc && fstatat(p.dir, p.name, &st, AT_SYMLINK_NOFOLLOW))
		rc = -errno;
	if (!rc && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
		local_record_read_at(p.dir, p.name, &st, &record);
		out->is_object = S_ISREG(st.st_mode) && !p.is_dir;
		out->is_prefix = S_ISDIR(st.st_mode);
		out->has_marker = out->is_prefix && !record.implied;
		if (out->is_object || out->is_prefix)
			local_record_info(&st, record.etag, &out->info);
	}
	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	return rc ? local_error(l, "look up", key, rc, NULL) : 0;
}

const char *local_read_type(const struct local *l, const char *key)
{
	return l->base.types ? mime_type(key) : NULL;
}

static const char *read_type_of(const struct local *l, const char *key)
{
	const char *type = local_read_type(l, key);

	if (store_check_is_dir(key))
		return PROP_TYPE_DIR;
	return type ? type : DEFAULT_TYPE;
}

int local_read_head(struct store *s, const char *key,
		    struct object_details *out)
{
	struct local *l = local_of(s);
	struct local_record record;
	struct stat st;
	int rc = read_check_key(l, "look up", key), fd;

	if (rc)
		return rc;
	fd = read_open_object(l, key, &st, &record);
	if (fd < 0)
		return local_error(l, "look up", key, fd, NULL);
	close(fd);
	/* What is there for keys below it is no object. */
	if (record.implied)
		return -ENOENT;
	local_record_info(&st, record.etag, &out->info);
	out->props = record.props;
	if (!props_get(&out->props, PROP_TYPE))
		props_set(&out->props, PROP_TYPE, read_type_of(l, key));
	return 0;
}

int local_read_open(struct store *s, const char *key, const char *etag, int *fd,
		    struct object_info *out)
{
	struct local *l = local_of(s);
	struct local_record record;
	struct stat st;
	int rc = read_check_key(l, "open", key), file;

	*fd = -1;
	if (rc)
		return rc;
	file = read_open_object(l, key, &st, &record);
	if (file == -ENOENT && etag)
		file = -ESTALE;
	if (file < 0)
		return local_error(l, "open", key, file, NULL);
	rc = record.implied ? -ENOENT : 0;
	if (!rc && etag && strcmp(etag, record.etag))
		rc = -ESTALE;
	if (rc) {
		close(file);
		return rc;
	}
	*fd = file;
	local_record_info(&st, record.etag, out);
	return 0;
}

int local_read_same(struct store *s, int fd, const char *etag)
{
	struct local_record record;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	local_record_read(fd, &st, &record);
	return strcmp(record.etag, etag) ? -ESTALE : 0;
}

static int read_take(void *arg, const void *bytes, size_t n)
{
	struct store_get *get = arg;

	get->data(get, bytes, n);
	return 0;
}

static int read_send(struct local *l, struct store_get *get, int fd)
{
	int rc = io_each_there(fd, get->offset, get->len, read_take, get);

	return rc ? local_error(l, "read", get->key, rc, NULL) : 0;
}

void local_read_get(struct store *s, struct store_get *get)
{
	struct local *l = local_of(s);
	struct object_info info = { 0 };
	int fd, rc = local_read_open(s, get->key, get->etag, &fd, &info);

	if (!rc && !store_check_is_dir(get->key))
		rc = read_send(l, get, fd);
	if (!rc && get->etag)
		rc = local_read_same(s, fd, get->etag);
	if (fd >= 0)
		close(fd);
	get->done(get, rc, &info);
}

/* A get has ended before its caller can cancel it. */
void local_read_get_cancel(struct store *s, struct store_get *get)
{
}
