/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local store: its making, and the table of what it does.
 *
 * An object is a plain file at its key below the root. What a file cannot say
 * of itself (ETag, content type, metadata) is its record, an attribute of it.
 * All else is in `.stagefs` at the root, which no key can name:
 *
 *   keys      the signing key of the root's URLs
 *   gateway   the address of the gateway that answers them
 *   locks     an empty file; its byte ranges are locked, one for each key
 *   tmp       names that stand for microseconds
 *   uploads   a folder for each multipart upload
 *
 * Why a power cut loses nothing: bytes and record go to a file without a name
 * or to one in `uploads`. The file is flushed, then takes its place by link or
 * rename, one step of the file system's, and then the folder is flushed. The
 * two flushes are in this order because a name that reached the disk before
 * the bytes would be an object that is neither old nor new, and a PUT that was
 * answered before the name would be lost. Names in `tmp` are left only by a
 * process that died between two calls; the next start sweeps them.
 *
 * Files by noun: local_root (the disk, at start), local_folder (`.stagefs`),
 * local_path (from a key to a folder), local_record (the attribute),
 * local_lock, local_file (single calls, bytes), local_commit (a file takes its
 * place), local_put, local_upload, local_pending (the folders of uploads),
 * local_read, local_names (removals, moves, flushes), local_attr (owner, mode,
 * times), local_scan and local_list, local_key, local_address, local_presign.
 */
#include "store/local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/lock.h"
#include "store/local/local_address.h"
#include "store/local/local_file.h"
#include "store/local/local_folder.h"
#include "store/local/local_key.h"
#include "store/local/local_ops.h"
#include "store/local/local_root.h"

/* ---- small calls ---- */

static int local_check(struct store *s, const char *prefix, struct buf *why)
{
	struct local *l = local_of(s);
	FD_LOCAL fd = local_file_openat(l->root_fd, "", O_RDONLY | O_DIRECTORY);
	struct stat st;
	int rc = fd < 0 ? fd : fstat(fd, &st) ? -errno : 0;

	if (!rc && !st.st_nlink)
		rc = -ENOENT; /* removed since it was opened */
	if (rc)
		buf_addf(why, "%s: %s", *l->root ? l->root : "/",
			 strerror(-rc));
	return rc;
}

static int local_statfs(struct store *s, struct statvfs *out)
{
	return fstatvfs(local_of(s)->root_fd, out) ? -errno : 0;
}

static void local_locate(struct store *s, const char *key, struct buf *out)
{
	struct local *l = local_of(s);

	buf_addf(out, "fs://%s/%s", l->root, key);
}

static int local_describe(struct store *s, struct buf *out)
{
	struct local *l = local_of(s);
	BUF_LOCAL origin = BUF_INIT(1024);
	bool known = l->public_url || !local_address(s, &origin);

	known = l->public_url || (known && origin.len);
	buf_reset(&origin);
	local_address_origin(l, &origin);
	buf_addf(out, "files in %s%s, URLs ", *l->root ? l->root : "/",
		 l->ro_rc ? " (read-only)" : "");
	if (known)
		buf_addf(out, "of %s", buf_str(&origin));
	else
		buf_addf(out, "of %s, where no gateway has answered yet",
			 buf_str(&origin));
	return buf_err(out);
}

/* ---- the table ---- */

static void local_free(struct store *s)
{
	struct local *l = local_of(s);

	if (l->root_fd >= 0)
		close(l->root_fd);
	if (l->folder_fd >= 0)
		close(l->folder_fd);
	lock_take(&l->lock);
	wipe(&local_locked(l)->key, sizeof(local_locked(l)->key));
	free(local_locked(l)->address);
	lock_drop(&l->lock);
	lock_destroy(&l->lock);
	free(l->root);
	free(l->url_name);
	free(l->public_url);
	store_fini(s);
	free(l);
}

static const char *local_error_words(int rc)
{
	switch (-rc) {
	case EINVAL:
		return "an empty name, `.` or `..` is in the path";
	case EPERM:
		return "`" LOCAL_FOLDER "` is a store's own folder";
	case EISDIR:
		return "a directory has that name";
	case ENOTDIR:
		return "a file has the name of one of its directories";
	case ENAMETOOLONG:
		return "a name in the path has more than 255 bytes";
	case ESTALE:
		return "the file changed meanwhile";
	default:
		return NULL;
	}
}

static const struct store_ops local_ops = {
	.kind = "fs",
	.free = local_free,
	.check = local_check,
	.stat = local_read_stat,
	.head = local_read_head,
	.list_open = local_list_open,
	.list_next = local_list_next,
	.list_close = local_list_close,
	.get = local_read_get,
	.get_cancel = local_read_get_cancel,
	.put = local_put,
	.upload_open = local_upload_open,
	.part = local_upload_part,
	.part_cancel = local_upload_part_cancel,
	.part_copy = local_upload_part_copy,
	.upload_complete = local_upload_complete,
	.upload_abort = local_upload_abort,
	.upload_free = local_upload_free,
	.upload_id = local_upload_id,
	.pending_abort = local_upload_pending_abort,
	.copy = local_put_copy,
	.set_props = local_attr_set_props,
	.remove = local_names_remove,
	.remove_many = local_names_remove_many,
	.presign = local_presign,
	.open = local_read_open,
	.same = local_read_same,
	.scratch = local_put_scratch,
	.set_attr = local_attr_set,
	.rename = local_names_rename,
	.exchange = local_names_exchange,
	.sync = local_names_sync,
	.statfs = local_statfs,
	.md5 = local_record_md5,
	.locate = local_locate,
	.describe = local_describe,
	.error_words = local_error_words,
};

bool local_is(const struct store *s)
{
	return s->ops == &local_ops;
}

/* What the disk itself refuses (EFBIG) is known to the disk. */
static const struct store_limits local_limits = {
	.put_max = INT64_MAX,
	.part_min = 1,
	.parts_max = 10000,
	.object_max = INT64_MAX,
	.presign = true,
	.files = true,
};

/* ---- making one ---- */

/* A gateway's own address, or the one that stands before it: no path, since
 * the signature covers the whole of it. */
static int local_set_public(struct local *l, const char *text, struct buf *why)
{
	BUF_LOCAL origin = BUF_INIT(1024);
	int rc;

	if (!text || !*text)
		return 0;
	rc = local_address_parse(text, &origin, why);
	l->public_url = rc ? NULL : buf_detach(&origin);
	return rc ? rc : l->public_url ? 0 : -ENOMEM;
}

static int local_set_names(struct local *l, const struct local_settings *set,
			   struct buf *why)
{
	const char *root = set->root ? set->root : "";
	size_t n = strlen(root);

	if (*root != '/')
		return buf_fail(why, -EINVAL,
				"the path of a local store begins with `/`");
	while (n && root[n - 1] == '/')
		n--;
	l->root = strndup(root, n);
	l->base.types = set->types;
	l->url_name = strdup(set->url_name ? set->url_name : "storage");
	if (!l->root || !l->url_name)
		return -ENOMEM;
	return local_set_public(l, set->public_endpoint_url, why);
}

int local_new(const struct local_settings *set, struct store **out,
	      struct buf *why)
{
	struct local *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l || store_init(&l->base, &local_ops, set->name)) {
		free(l);
		return -ENOMEM;
	}
	l->base.limits = local_limits;
	l->root_fd = l->folder_fd = -1;
	lock_init(&l->lock, LOCK_LOCAL);
	rc = local_set_names(l, set, why);
	if (!rc)
		rc = local_root_open(l, why);
	if (rc)
		local_free(&l->base);
	else
		*out = &l->base;
	return rc;
}

int local_key_rotate(const char *root, struct buf *why)
{
	struct local_settings set = { .name = "keys", .root = root };
	struct store *s = NULL;
	char folder[4096];
	struct stat st;
	int rc;

	/* Where there is no store none is made. */
	snprintf(folder, sizeof(folder), "%s/" LOCAL_FOLDER, root);
	if (lstat(folder, &st)) {
		rc = -errno;
		return buf_fail(why, rc, "%s: %s", root,
				rc == -ENOENT ? "there is no local store"
					      : strerror(-rc));
	}
	rc = local_new(&set, &s, why);
	if (rc)
		return rc;
	rc = local_of(s)->ro_rc;
	if (!rc)
		rc = local_key_write(local_of(s), true);
	if (rc)
		buf_addf(why,
			 "%s: cannot write " LOCAL_FOLDER "/" LOCAL_KEYS ": %s",
			 root, strerror(-rc));
	store_unref(s);
	return rc;
}
