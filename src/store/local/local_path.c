/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a key to a folder and a name in it.
 *
 * Every path goes through openat2() beneath the root's descriptor, where no
 * symlink is followed and no mount is entered: a store is one tree of one file
 * system, and a link that is planted in it leads nowhere.
 *
 * Folders come in two kinds. Those that a PUT of a deeper key needed are
 * "implied", by a flag in their record: as in any object store they go with the
 * last key below them. All others (a marker, a folder that another program
 * made) stay until they are removed themselves.
 */
#include "store/local/local_path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/text.h"
#include "store/local/local.h"
#include "store/local/local_file.h"
#include "store/local/local_lock.h"
#include "store/local/local_record.h"
#include "store/local/local_root.h"

int local_path_check(const char *key, const char **why)
{
	const char *p = key;

	do {
		size_t n = strcspn(p, "/");

		if (!n) {
			*why = "an empty name between slashes";
			return -EINVAL;
		}
		if (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.'))) {
			*why = "`.` and `..` are no names of files";
			return -EINVAL;
		}
		if (n >= LOCAL_NAME_SIZE) {
			*why = "a name between slashes has over 255 bytes";
			return -ENAMETOOLONG;
		}
		if (local_path_is_folder(p, n)) {
			*why = LOCAL_FOLDER " is a store's own";
			return -EPERM;
		}
		p += n;
		p += *p == '/';
	} while (*p);
	return 0;
}

/* Splits a key that was checked into its folder's path and its name. */
static size_t path_split(const char *key, struct local_path *out)
{
	size_t n = strlen(key), end, begin;

	out->dir = -1;
	out->is_dir = key[n - 1] == '/';
	end = n - out->is_dir;
	for (begin = end; begin && key[begin - 1] != '/'; begin--)
		;
	memcpy(out->name, key + begin, end - begin);
	out->name[end - begin] = '\0';
	return begin;
}

static int path_open_folder(struct local *l, const char *key, size_t n,
			    int flags)
{
	char path[STORE_KEY_MAX + 1];

	memcpy(path, key, n);
	path[n] = '\0';
	return local_file_openat(l->root_fd, path, flags | O_DIRECTORY);
}

int local_path_open(struct local *l, const char *key, struct local_path *out)
{
	size_t n = path_split(key, out);

	out->dir = path_open_folder(l, key, n, O_PATH);
	return out->dir < 0 ? out->dir : 0;
}

void local_path_close(struct local_path *p)
{
	if (p->dir >= 0)
		close(p->dir);
	p->dir = -1;
}

/* ---- making folders ---- */

/* One folder: its owner, its flag, and its name on the disk. */
static int path_make_one(int at, const char *name,
			 const struct store_owner *owner)
{
	struct local_props none = { 0 };
	char etag[STORE_ETAG_SIZE];
	struct stat st;
	bool made;
	int fd = local_file_mkdir(at, name, owner, false, &made), rc;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd; /* pruned meanwhile */
	if (!made) {
		close(fd);
		return 0;
	}
	rc = fstat(fd, &st) ? -errno : 0;
	if (!rc)
		rc = local_record_write(fd, &st, &none, true, XATTR_CREATE,
					etag);
	/* Another process has made a marker of it meanwhile. */
	if (rc == -EEXIST)
		rc = 0;
	close(fd);
	if (!rc && fsync(at))
		rc = -errno;
	if (rc)
		unlinkat(at, name, AT_REMOVEDIR);
	return rc;
}

/* The folder of the first n bytes of key, made where it is not there. */
static int path_make_folder(struct local *l, const char *key, size_t n,
			    const struct store_owner *owner)
{
	int fd = local_file_openat(l->root_fd, "", O_RDONLY | O_DIRECTORY);
	size_t at = 0;

	while (fd >= 0 && at < n) {
		char name[LOCAL_NAME_SIZE];
		size_t len = strcspn(key + at, "/");
		int next;

		memcpy(name, key + at, len);
		name[len] = '\0';
		next = local_file_openat(fd, name, O_RDONLY | O_DIRECTORY);
		if (next == -ENOENT) {
			next = path_make_one(fd, name, owner);
			if (!next)
				next = local_file_openat(
					fd, name, O_RDONLY | O_DIRECTORY);
		}
		close(fd);
		fd = next;
		at += len + 1;
	}
	return fd;
}

int local_path_make(struct local *l, const char *key,
		    const struct store_owner *owner, struct local_path *out)
{
	size_t n = path_split(key, out);

	out->dir = path_open_folder(l, key, n, O_RDONLY);
	/* Once more if another process prunes what is being made. */
	for (int i = 0; out->dir == -ENOENT && i < 8; i++)
		out->dir = path_make_folder(l, key, n, owner);
	return out->dir < 0 ? out->dir : 0;
}

/* ---- pruning ---- */

static bool path_is_implied(struct local *l, const char *folder)
{
	struct local_record record;
	struct stat st;
	FD_LOCAL fd = local_path_open_dir(l, folder, &st);

	if (fd < 0)
		return false;
	local_record_read(fd, &st, &record);
	return record.implied;
}

/* The folder goes, if it is there for keys only and has none: no process makes
 * a marker of it meanwhile. */
static bool path_prune_one(struct local *l, const char *folder)
{
	LOCAL_PATH_LOCAL up = { .dir = -1 };
	bool gone = false;
	FD_LOCAL lock = -1;

	if (!path_is_implied(l, folder))
		return false;
	lock = local_lock_keys(l, folder, NULL);
	if (lock < 0)
		return false;
	if (path_is_implied(l, folder) && !local_path_open(l, folder, &up))
		gone = !unlinkat(up.dir, up.name, AT_REMOVEDIR);
	return gone;
}

void local_path_prune(struct local *l, const char *key)
{
	char path[STORE_KEY_MAX + 1];
	struct local_path up;
	size_t n = path_split(key, &up);

	memcpy(path, key, n);
	path[n] = '\0';
	while (n && path_prune_one(l, path)) {
		n = path_split(path, &up);
		path[n] = '\0';
	}
}

/* ---- what is there ---- */

int local_path_open_file(struct local *l, const char *key, struct stat *st)
{
	int fd = local_file_openat(
		l->root_fd, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct local_path p;

	if (fd == -EACCES && !local_path_open(l, key, &p)) {
		/* The name itself may be a symlink: nothing is there. */
		if (fstatat(p.dir, p.name, st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st->st_mode))
			fd = -ENOENT;
		local_path_close(&p);
	}
	if (fd == -ENOTDIR || fd == -ENXIO || fd == -ENODEV)
		fd = -ENOENT;
	if (fd < 0)
		return fd;
	if (fstat(fd, st) || !S_ISREG(st->st_mode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

int local_path_open_dir(struct local *l, const char *key, struct stat *st)
{
	int fd = local_file_openat(l->root_fd, key, O_RDONLY | O_DIRECTORY);

	if (fd == -ENOTDIR)
		fd = -ENOENT;
	if (fd >= 0 && fstat(fd, st)) {
		close(fd);
		fd = -errno;
	}
	return fd;
}

/* ---- the name of a store's own folder ---- */

/* Default_Ignorable_Code_Point of Unicode, and the byte order mark. */
static bool path_shows_nothing(unsigned c)
{
	static const struct {
		unsigned from, to;
	} ranges[] = {
		{ 0xad, 0xad },       { 0x34f, 0x34f },
		{ 0x61c, 0x61c },     { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
		{ 0x200b, 0x200f },   { 0x202a, 0x202e },
		{ 0x2060, 0x206f },   { 0x3164, 0x3164 },
		{ 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfff8 },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

/* What a character is with its case folded: one or two letters of ASCII. */
static const char *path_folded(unsigned c, char one[2])
{
	if (c == 0x17f)
		return "s";
	if (c == 0xfb05 || c == 0xfb06)
		return "st";
	one[0] = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c < 0x80 ? c : '\0';
	one[1] = '\0';
	return one;
}

/*
 * Is a name the folder of a store? A disk may take more than one spelling for
 * it: XFS made with ascii-ci folds the case of ASCII, ext4, F2FS and tmpfs in
 * a folder with +F that of Unicode, where U+017F is an `s` and U+FB06 `st`, and
 * where characters that show nothing do not count at all. What one of them
 * takes for it counts on all, so that a store may move from one to another.
 */
bool local_path_is_folder(const char *name, size_t n)
{
	const char *want = LOCAL_FOLDER;

	while (n) {
		char one[2];
		const char *have;
		uint32_t c;
		size_t len = text_utf8_char(name, n, &c);

		if (!len)
			return false;
		name += len;
		n -= len;
		if (path_shows_nothing(c))
			continue;
		have = path_folded(c, one);
		len = strlen(have);
		if (!len || strncmp(want, have, len))
			return false;
		want += len;
	}
	return !*want;
}
