/*
 * Removal. A name goes under its key's lock; the folders that only it needed go
 * with it. It is not flushed: a power cut may bring back what was removed last,
 * as with any file, unless its folder is flushed (local_sync.c).
 *
 * A folder that is not empty stays, -ENOTEMPTY, when it is removed alone.
 * Among many keys it becomes one that is there for its keys only, and goes with
 * the last of them: a listing names a folder before what it holds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "store/local/local_impl.h"

/* etag NULL: whatever is there. */
static int unlink_at(const struct local_path *p, const char *etag)
{
	struct local_note note = { 0 };
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	/* What is something else than the key says is not there. */
	if (p->is_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return 0;
	if (etag) {
		local_note_read_at(p->dir, p->name, &st, &note);
		if (strcmp(note.etag, etag))
			return -ESTALE;
	}
	if (unlinkat(p->dir, p->name, p->is_dir ? AT_REMOVEDIR : 0) &&
	    errno != ENOENT)
		return errno == EEXIST ? -ENOTEMPTY : -errno;
	return 0;
}

/* A folder that is not empty is there for its keys from now on. */
static int make_implied(const struct local_path *p)
{
	int fd = local_openat(p->dir, p->name, O_RDONLY | O_DIRECTORY), err;
	struct local_kept none = { 0 };
	char etag[STORE_ETAG_SIZE];
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = fstat(fd, &st) ? -errno
			     : local_note_write(fd, &st, &none, true, 0, etag);
	close(fd);
	return err;
}

/* A folder that no listing shows anything of is not empty all the same. */
static void say_hidden(struct local *l, const struct local_path *p,
		       const char *key)
{
	int fd = local_openat(p->dir, p->name, O_RDONLY | O_DIRECTORY);
	struct buf what = BUF_INIT(STORE_KEY_MAX + NAME_MAX);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && !what.len && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		    e->d_type != DT_REG && e->d_type != DT_DIR)
			buf_addf(&what, "%s%s", key, e->d_name);
	if (what.len && !buf_err(&what))
		log_at(LOG_LEVEL_WARN,
		       &(struct log_where){ .stage = l->base.name,
					    .key = buf_str(&what) },
		       "a directory is not empty: it holds this name, which is "
		       "neither a file's nor a directory's");
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	buf_clear(&what);
}

static int remove_one(struct local *l, const char *key, const char *etag,
		      bool imply)
{
	struct local_path p = { .dir = -1 };
	const char *why = NULL;
	int err = local_writable(l, "remove", key), lock = -1;

	if (err)
		return err;
	err = local_key_check(key, &why);
	if (!err) {
		lock = local_lock_keys(l, key, NULL);
		err = lock < 0 ? lock : local_path_open(l, key, &p);
	}
	if (!err)
		err = unlink_at(&p, etag);
	if (err == -ENOTEMPTY && imply)
		err = make_implied(&p);
	else if (err == -ENOTEMPTY)
		say_hidden(l, &p, key);
	local_path_close(&p);
	if (lock >= 0)
		close(lock);
	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err)
		return local_failed(l, "remove", key, err, why);
	local_prune(l, key);
	return 0;
}

int local_remove(struct store *s, const char *key, const char *etag)
{
	return remove_one(local_of(s), key, etag, false);
}

static int backwards(const void *a, const void *b)
{
	const char *const *const *x = a, *const *const *y = b;

	return strcmp(**y, **x);
}

/* Files first, then folders, those that lie in others before them. */
int local_remove_many(struct store *s, const char *const *keys, unsigned n,
		      int *results)
{
	struct local *l = local_of(s);
	const char *const **dirs = calloc(n, sizeof(*dirs));
	unsigned n_dirs = 0;
	int err = 0;

	if (!dirs)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		if (keys[i][strlen(keys[i]) - 1] == '/')
			dirs[n_dirs++] = &keys[i];
		else
			results[i] = remove_one(l, keys[i], NULL, true);
	}
	qsort(dirs, n_dirs, sizeof(*dirs), backwards);
	for (unsigned i = 0; i < n_dirs; i++)
		results[dirs[i] - keys] = remove_one(l, *dirs[i], NULL, true);
	for (unsigned i = 0; i < n && !err; i++)
		err = results[i];
	free(dirs);
	return err;
}
