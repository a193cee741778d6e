/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory. Each daemon has a name there, made of its process id and
 * the time, and two kinds of files:
 *
 *   NAME.lock       locked (flock) as long as the daemon lives
 *   NAME.N.upload   one for each upload that is open
 *
 * A record is that of store/upload_record.h. A daemon that can lock another's
 * NAME.lock knows that the other is dead, and holds the lock while it aborts
 * what is left, so that two mounts at once do not do it twice. A record whose
 * store does not answer stays for the next mount.
 */
#include "fs/content/pending.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store.h"
#include "store/upload_record.h"

#define NAME_SIZE 48
#define FILE_SIZE (NAME_SIZE + 24)

struct pending {
	char *path;
	int dir; /* -1: nothing is kept */
	int lock_fd;
	char name[NAME_SIZE];
	unsigned last, n; /* atomic: records so far, and records that stand */
};

static void pending_lock_name(char out[FILE_SIZE], const char *name)
{
	snprintf(out, FILE_SIZE, "%s.lock", name);
}

/* The lock of a daemon that is dead, or of this one, which is new. */
static int pending_lock(int dir, const char *name, int flags)
{
	char file[FILE_SIZE];
	int fd;

	pending_lock_name(file, name);
	fd = openat(dir, file, O_CREAT | O_RDWR | O_CLOEXEC | flags, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int pending_claim(struct pending *p)
{
	struct timespec now = clock_now();
	int rc = dirs_make(p->path, 0755, 0700);

	if (rc)
		return rc;
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return -errno;
	snprintf(p->name, sizeof(p->name), "%ld-%lld-%ld", (long)getpid(),
		 (long long)now.tv_sec, now.tv_nsec);
	p->lock_fd = pending_lock(p->dir, p->name, O_EXCL);
	return p->lock_fd < 0 ? -errno : 0;
}

static void pending_unclaim(struct pending *p)
{
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	if (p->dir >= 0)
		close(p->dir);
	p->lock_fd = -1;
	p->dir = -1;
}

struct pending *pending_new(const char *dir)
{
	struct pending *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return NULL;
	p->dir = -1;
	p->lock_fd = -1;
	if (!dir)
		return p;
	p->path = strdup(dir);
	if (!p->path) {
		pending_free(p);
		return NULL;
	}
	rc = pending_claim(p);
	if (rc) {
		log_warn("cannot keep upload ids in %s: %s", dir,
			 strerror(-rc));
		pending_unclaim(p);
	}
	return p;
}

/* Records that are left are uploads that could not be aborted: the lock file
 * stays with them, unlocked. */
void pending_free(struct pending *p)
{
	char file[FILE_SIZE];

	if (!p)
		return;
	pending_lock_name(file, p->name);
	if (p->dir >= 0 && !p->n)
		unlinkat(p->dir, file, 0);
	pending_unclaim(p);
	free(p->path);
	free(p);
}

/* ---- this daemon's records ---- */

static void pending_record_name(char out[FILE_SIZE], const struct pending *p,
				unsigned number)
{
	snprintf(out, FILE_SIZE, "%s.%u.upload", p->name, number);
}

static int pending_write(struct pending *p, const char *file,
			 const struct buf *text)
{
	int fd, rc = buf_err(text);

	if (rc)
		return rc;
	fd = openat(p->dir, file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	rc = io_write(fd, text->data, text->len);
	close(fd);
	if (rc)
		unlinkat(p->dir, file, 0);
	return rc;
}

unsigned pending_add(struct pending *p, struct store_upload *u)
{
	BUF_LOCAL text = BUF_INIT(UPLOAD_RECORD_MAX);
	char file[FILE_SIZE];
	unsigned number;
	int rc;

	if (!p || p->dir < 0)
		return 0;
	number = __atomic_add_fetch(&p->last, 1, __ATOMIC_RELAXED);
	upload_record_write(u->store, u->key, store_upload_id(u), &text);
	pending_record_name(file, p, number);
	rc = pending_write(p, file, &text);
	if (rc) {
		log_warn("cannot keep an upload id in %s: %s", p->path,
			 strerror(-rc));
		return 0;
	}
	__atomic_add_fetch(&p->n, 1, __ATOMIC_RELAXED);
	return number;
}

void pending_remove(struct pending *p, unsigned number)
{
	char file[FILE_SIZE];

	if (!number)
		return;
	pending_record_name(file, p, number);
	if (!unlinkat(p->dir, file, 0))
		__atomic_sub_fetch(&p->n, 1, __ATOMIC_RELAXED);
}

/* ---- what dead daemons left ---- */

static int pending_read(int dir, const char *file, struct upload_record *l)
{
	char text[UPLOAD_RECORD_MAX + 1];
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const char *rest;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = io_read(fd, text, UPLOAD_RECORD_MAX);
	close(fd);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return upload_record_read(text, l, &rest);
}

struct pending_finder {
	struct store *(*find)(void *arg, const char *store_name,
			      const char *location);
	void *arg;
};

/* True when the record has done its duty. */
static bool pending_abort_left(const struct upload_record *l,
			       const struct pending_finder *finder)
{
	struct store_pending upload = upload_record_pending(l);
	struct log_where where = { .stage = buf_str(&l->store),
				   .key = buf_str(&l->key) };
	struct store *store = finder->find(finder->arg, buf_str(&l->store),
					   buf_str(&l->location));
	int rc;

	if (!store) {
		log_at(LOG_LEVEL_INFO, &where,
		       "an upload that another mount's daemon left waits for "
		       "that mount");
		return false;
	}
	rc = store_pending_abort(store, &upload);
	where.rc = rc;
	if (rc && rc != -ENOENT)
		log_at(LOG_LEVEL_WARN, &where,
		       "cannot abort an upload that a killed daemon left");
	else
		log_at(LOG_LEVEL_INFO, &where,
		       "aborted an upload that a killed daemon left");
	return !rc || rc == -ENOENT;
}

static bool pending_recover_one(int dir, const char *file,
				const struct pending_finder *finder)
{
	struct upload_record l = UPLOAD_RECORD_INIT;
	int rc = pending_read(dir, file, &l);
	bool done = rc == -EINVAL; /* cut short by the daemon's death */

	if (rc)
		log_warn("cannot read the upload record %s: %s", file,
			 strerror(-rc));
	else
		done = pending_abort_left(&l, finder);
	upload_record_clear(&l);
	return done;
}

/* The length of NAME in "NAME.lock" or "NAME.N.upload"; 0: another file. */
static size_t pending_owner(const char *file)
{
	size_t n = strcspn(file, ".");

	return n < NAME_SIZE && (text_ends_with(file, ".lock") ||
				 text_ends_with(file, ".upload"))
		       ? n
		       : 0;
}

static int pending_is_file(const struct dirent *e)
{
	return pending_owner(e->d_name) > 0;
}

/* All files of one daemon: its records, and its lock when none is left. */
static void pending_recover_from(int dir, struct dirent **files, size_t n,
				 const struct pending_finder *finder)
{
	char name[NAME_SIZE] = "", file[FILE_SIZE];
	bool all = true;
	FD_LOCAL fd = -1;

	memcpy(name, files[0]->d_name, pending_owner(files[0]->d_name));
	fd = pending_lock(dir, name, O_NOFOLLOW);
	if (fd < 0)
		return; /* it lives */
	for (size_t i = 0; i < n; i++) {
		if (!text_ends_with(files[i]->d_name, ".upload"))
			continue;
		if (pending_recover_one(dir, files[i]->d_name, finder))
			unlinkat(dir, files[i]->d_name, 0);
		else
			all = false;
	}
	pending_lock_name(file, name);
	if (all)
		unlinkat(dir, file, 0);
}

void pending_recover(struct pending *p,
		     struct store *(*find)(void *arg, const char *store_name,
					   const char *location),
		     void *arg)
{
	struct pending_finder finder = { find, arg };
	struct dirent **files;
	int n;

	if (!p || p->dir < 0)
		return;
	n = scandir(p->path, &files, pending_is_file, alphasort);
	for (int from = 0, to; from < n; from = to) {
		size_t len = pending_owner(files[from]->d_name);

		for (to = from + 1; to < n; to++)
			if (strncmp(files[to]->d_name, files[from]->d_name,
				    len + 1))
				break;
		pending_recover_from(p->dir, files + from, (size_t)(to - from),
				     &finder);
	}
	for (int i = 0; i < n; i++)
		free(files[i]);
	if (n >= 0)
		free(files);
}
