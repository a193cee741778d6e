/*
 * Directories as stages. A directory has many names (symbolic links, bind
 * mounts), so two of them are compared by where they lie: the device of the
 * file system and the path within it, which the mount table tells. What does
 * not exist yet lies below the last directory that does.
 */
#include "stage/conf/conn_local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/local/local.h"

/* ---- the URL ---- */

static const char *segment_fault(const char *s, size_t n)
{
	if (n > NAME_MAX)
		return "a name in the path is longer than 255 bytes";
	if (s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.')))
		return "`.` and `..` are not names of directories here: write "
		       "the whole path";
	if (local_is_folder(s, n))
		return "`" LOCAL_FOLDER "` is a store's own folder";
	return NULL;
}

/* Empty segments are dropped. */
static const char *add_segments(const char *path, struct buf *out)
{
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		const char *fault = n ? segment_fault(p, n) : NULL;

		if (fault)
			return fault;
		if (n) {
			buf_addc(out, '/');
			buf_add(out, p, n);
		}
		p += n + (p[n] == '/');
	}
	if (!out->len)
		return "a directory of its own, not the whole file system: "
		       "fs:///DIRECTORY/";
	return NULL;
}

static const char *read_path(const char *path, struct buf *out)
{
	struct buf raw = BUF_INIT(PATH_MAX);
	const char *fault;

	if (*path != '/')
		fault = "three slashes, and no host: fs:///DIRECTORY/";
	else if (strpbrk(path, "?#"))
		fault = "a `?` or `#` in the path is written %3F or %23";
	else if (text_percent_decode(&raw, path, strlen(path)))
		fault = "a % that is no escape; % itself is written %25";
	else if (text_has_control(buf_str(&raw)))
		fault = "a control byte in the path";
	else if (!raw.len || raw.data[raw.len - 1] != '/')
		fault = "the path must end in '/'";
	else
		fault = add_segments(buf_str(&raw), out);
	buf_clear(&raw);
	return fault;
}

int conn_local_place(const char *url, struct conn_location *out,
		     struct buf *err)
{
	struct buf root = BUF_INIT(PATH_MAX - 1);
	const char *fault = read_path(strstr(url, "://") + 3, &root);

	if (!fault && buf_err(&root) == -EMSGSIZE)
		fault = "the path is too long";
	if (!fault) {
		out->root = buf_detach(&root);
		out->prefix = strdup("");
	}
	buf_clear(&root);
	if (fault)
		return conn_refuse_url(url, fault, err);
	return out->root && out->prefix ? 0 : -ENOMEM;
}

/* ---- keys of servers ---- */

/* Of all the others a directory would know nothing. */
static const char *const own_keys[] = {
	"url",           "public_endpoint_url", "ro",           "upload_api",
	"allow_overlap", "part_size",           "content_type", "comment",
	"file_format",   "copy_options",        "created_on",   NULL,
};

static bool is_own(const char *name)
{
	for (const char *const *own = own_keys; *own; own++)
		if (!strcmp(*own, name))
			return true;
	return false;
}

/* The first that differs from its default, or NULL. */
static const char *foreign_key(const struct conn *c,
			       const struct conn *defaults)
{
	for (const struct option *row = conn_options; row->name; row++) {
		struct buf value = BUF_INIT(BUF_LINE);
		struct buf usual = BUF_INIT(BUF_LINE);
		bool differs;

		if (row->alias_of || is_own(row->name))
			continue;
		option_show(row, c, &value);
		option_show(row, defaults, &usual);
		differs = value.len && strcmp(buf_str(&value), buf_str(&usual));
		buf_wipe(&value);
		buf_clear(&usual);
		if (differs)
			return row->name;
	}
	return NULL;
}

int conn_local_check(const struct conn *c, struct buf *err)
{
	struct conn defaults = { 0 };
	int rc = option_defaults(conn_options, &defaults);
	const char *key = rc ? NULL : foreign_key(c, &defaults);

	option_clear(conn_options, &defaults);
	if (!key)
		return rc;
	buf_addf(err,
		 "%s: a local directory (fs://) has no use for it: it is for "
		 "servers",
		 key);
	return -EINVAL;
}

/* ---- where it really lies ---- */

/* The longest part of path that exists, resolved; *rest: what follows it. */
static int resolve(const char *path, char out[PATH_MAX], const char **rest)
{
	char *copy = strdup(path);
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
	free(copy);
	return rc;
}

struct mount {
	char device[32];
	char root[PATH_MAX]; /* what of the file system is mounted ... */
	char point[PATH_MAX]; /* ... where */
};

static int find_mount(uint64_t id, struct mount *out)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	unsigned long long found;
	char *line = NULL;
	size_t room = 0;
	int rc = -ENOENT;

	while (table && rc && getline(&line, &room, table) > 0)
		if (sscanf(line, "%llu %*u %31s %4095s %4095s", &found,
			   out->device, out->root, out->point) == 4 &&
		    found == id)
			rc = 0;
	free(line);
	if (table)
		fclose(table);
	if (!rc) {
		text_unescape_octal(out->root);
		text_unescape_octal(out->point);
	}
	return rc;
}

/* `/` at its end alone counts for nothing. */
static const char *unless_root(const char *path)
{
	return strcmp(path, "/") ? path : "";
}

/* Device and path of what exists; false: nobody tells. */
static bool locate(const char *path, struct buf *out)
{
	struct mount *m = calloc(1, sizeof(*m));
	struct statx stx;
	bool found;

	found = m &&
		!statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) &&
		stx.stx_mask & STATX_MNT_ID && !find_mount(stx.stx_mnt_id, m);
	if (found) {
		size_t n = strlen(unless_root(m->point));

		found = !strncmp(path, m->point, n);
		if (found)
			buf_addf(out, "%s\n%s%s", m->device,
				 unless_root(m->root), unless_root(path + n));
	}
	free(m);
	return found;
}

int conn_local_keys(const char *root, const char *below, struct buf *out)
{
	char *real = malloc(PATH_MAX);
	const char *rest = "";
	int rc = real ? resolve(root, real, &rest) : -ENOMEM;

	if (rc == -ENOMEM)
		return rc;
	buf_adds(out, "fs\n");
	if (rc)
		buf_addf(out, "\n%s", root);
	else if (!locate(real, out))
		buf_addf(out, "\n%s", unless_root(real));
	buf_addf(out, "%s/%s", rest, below);
	free(real);
	return buf_err(out);
}
