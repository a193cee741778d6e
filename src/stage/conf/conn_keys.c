/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which keys a connection holds, to compare. A directory has many names
 * (symbolic links, bind mounts), so two of them are compared by where they lie:
 * the device of the file system and the path within it, which the mount table
 * tells. What does not exist yet lies below the last directory that does.
 */
#include "base/mountinfo.h"
#include "stage/conf/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"

/* ---- where a directory really lies ---- */

/* The longest part of path that exists, resolved; *rest: what follows it. */
static int keys_resolve(const char *path, char out[PATH_MAX], const char **rest)
{
	MEM_LOCAL char *copy = strdup(path);
	int rc = copy ? -ENOENT : -ENOMEM;

	for (size_t n = strlen(path); rc == -ENOENT;) {
		copy[n] = '\0';
		if (realpath(n ? copy : "/", out)) {
			*rest = path + n;
			rc = 0;
			break;
		}
		while (n && path[n - 1] != '/')
			n--;
		if (!n) /* not even the root */
			rc = -errno;
		n -= n != 0;
	}
	return rc;
}

/* `/` at its end alone counts for nothing. */
static const char *keys_unless_root(const char *path)
{
	return strcmp(path, "/") ? path : "";
}

/* Device and path of what exists; false: they cannot be known. */
static bool keys_locate(const char *path, struct buf *out)
{
	struct mountinfo_row row;
	MOUNTINFO_LOCAL table = { 0 };
	bool found = false;
	struct statx stx;

	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) ||
	    !(stx.stx_mask & STATX_MNT_ID))
		return false;
	mountinfo_open(&table, "self");
	while (!found && mountinfo_next(&table, &row))
		found = row.id == stx.stx_mnt_id;
	if (found) {
		size_t n = strlen(keys_unless_root(row.point));

		found = !strncmp(path, row.point, n);
		if (found)
			buf_addf(out, "%s\n%s%s", row.device,
				 keys_unless_root(row.root),
				 keys_unless_root(path + n));
	}
	return found;
}

static int keys_of_directory(const char *root, const char *below,
			     struct buf *out)
{
	MEM_LOCAL char *real = malloc(PATH_MAX);
	const char *rest = "";
	int rc = real ? keys_resolve(root, real, &rest) : -ENOMEM;

	if (rc == -ENOMEM)
		return rc;
	buf_adds(out, "fs\n");
	if (rc)
		buf_addf(out, "\n%s", root);
	else if (!keys_locate(real, out))
		buf_addf(out, "\n%s", keys_unless_root(real));
	buf_addf(out, "%s/%s", rest, below);
	return buf_err(out);
}

/* ---- of any connection ---- */

int conn_keys(const struct conn *c, const char *below, struct buf *out,
	      struct buf *why)
{
	CONN_LOCATION_LOCAL place = { 0 };
	int rc = conn_location(c, &place, why);

	if (!rc && place.root) {
		rc = keys_of_directory(place.root, below, out);
	} else if (!rc) {
		buf_adds(out, "s3\n");
		conn_endpoint_identity(c, out);
		buf_addf(out, "\n%s\n%s%s", place.bucket, place.prefix, below);
		rc = buf_err(out);
	}
	return rc;
}

bool conn_keys_overlap(const char *a, const char *b)
{
	return text_starts_with(a, b) || text_starts_with(b, a);
}
