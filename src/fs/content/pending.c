/*
 * The state directory. Each daemon has a name there, made of its process id and
 * the time, and two kinds of files:
 *
 *   NAME.lock       locked (flock) as long as the daemon lives
 *   NAME.N.upload   one for each upload that is open
 *
 * A record is four lines: the store's name, where the object is, its key, the
 * upload's id; each percent-encoded. A daemon that can lock another's NAME.lock
 * knows that the other is dead, and holds the lock while it aborts what is
 * left, so that two mounts at once do not do it twice. A record whose store
 * does not answer stays for the next mount.
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
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store.h"

#define RECORD_MAX 16384
#define NAME_SIZE 48

/* An upload of this daemon, and the number of its record. */
struct pending_record {
	const struct store_upload *upload;
	unsigned number;
	struct pending_record *next;
};

struct pending_locked {
	struct pending_record *records;
	unsigned last;
};

struct pending {
	char *path;
	int dir; /* -1: nothing is kept */
	int lock_fd;
	char name[NAME_SIZE];
	struct lock lock;
	struct pending_locked guarded_;
};

static struct pending_locked *pending_locked(struct pending *p)
	REQUIRES(&p->lock)
{
	return &p->guarded_;
}

/* Makes and locks NAME.lock. */
static int pending_claim(struct pending *p)
{
	struct timespec now = clock_now();
	char file[NAME_SIZE + 8];
	int rc = dirs_make(p->path, 0755, 0700);

	if (rc)
		return rc;
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return -errno;
	snprintf(p->name, sizeof(p->name), "%ld-%lld-%ld", (long)getpid(),
		 (long long)now.tv_sec, now.tv_nsec);
	snprintf(file, sizeof(file), "%s.lock", p->name);
	p->lock_fd = openat(p->dir, file, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC,
			    0600);
	if (p->lock_fd < 0)
		return -errno;
	return flock(p->lock_fd, LOCK_EX | LOCK_NB) ? -errno : 0;
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
	lock_init(&p->lock);
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
	struct pending_record *r, *next;
	char file[NAME_SIZE + 8];

	if (!p)
		return;
	if (p->dir >= 0 && !p->guarded_.records) {
		snprintf(file, sizeof(file), "%s.lock", p->name);
		unlinkat(p->dir, file, 0);
	}
	LL_FOREACH_SAFE(p->guarded_.records, r, next)
		free(r);
	pending_unclaim(p);
	lock_destroy(&p->lock);
	free(p->path);
	free(p);
}

static void pending_record_name(char out[NAME_SIZE + 24], const char *name,
				unsigned n)
{
	snprintf(out, NAME_SIZE + 24, "%s.%u.upload", name, n);
}

static void pending_add_line(struct buf *b, const char *s)
{
	text_percent_encode(b, s, strlen(s), true);
	buf_addc(b, '\n');
}

static int pending_write_record(struct pending *p, unsigned number,
				struct store_upload *u)
{
	struct buf text = BUF_INIT(RECORD_MAX);
	struct buf location = BUF_INIT(BUF_MESSAGE);
	char file[NAME_SIZE + 24];
	int fd = -1, rc;

	store_locate(u->store, u->key, &location);
	pending_add_line(&text, u->store->name);
	pending_add_line(&text, buf_str(&location));
	pending_add_line(&text, u->key);
	pending_add_line(&text, store_upload_id(u));
	rc = buf_err(&text);
	pending_record_name(file, p->name, number);
	if (!rc) {
		fd = openat(p->dir, file,
			    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			rc = -errno;
	}
	if (!rc)
		rc = io_write(fd, text.data, text.len);
	if (fd >= 0)
		close(fd);
	if (rc && fd >= 0)
		unlinkat(p->dir, file, 0);
	buf_clear(&text);
	buf_clear(&location);
	return rc;
}

void pending_add(struct pending *p, struct store_upload *u)
{
	struct pending_record *r;
	unsigned number;
	int rc;

	if (!p || p->dir < 0)
		return;
	r = calloc(1, sizeof(*r));
	lock_take(&p->lock);
	number = ++pending_locked(p)->last;
	lock_drop(&p->lock);
	rc = r ? pending_write_record(p, number, u) : -ENOMEM;
	if (rc) {
		log_warn("cannot keep an upload id in %s: %s", p->path,
			 strerror(-rc));
		free(r);
		return;
	}
	r->upload = u;
	r->number = number;
	lock_take(&p->lock);
	LL_PREPEND(pending_locked(p)->records, r);
	lock_drop(&p->lock);
}

void pending_remove(struct pending *p, struct store_upload *u)
{
	struct pending_record *r;
	char file[NAME_SIZE + 24];

	if (!p || p->dir < 0)
		return;
	lock_take(&p->lock);
	LL_SEARCH_SCALAR(pending_locked(p)->records, r, upload, u);
	if (r)
		LL_DELETE(pending_locked(p)->records, r);
	lock_drop(&p->lock);
	if (!r)
		return;
	pending_record_name(file, p->name, r->number);
	unlinkat(p->dir, file, 0);
	free(r);
}

/* A record, read and decoded. */
struct pending_left {
	struct buf store, location, key, id;
};

static void pending_left_init(struct pending_left *l)
{
	buf_init(&l->store, BUF_MESSAGE);
	buf_init(&l->location, BUF_MESSAGE);
	buf_init(&l->key, STORE_KEY_MAX);
	buf_init(&l->id, BUF_MESSAGE);
}

static void pending_left_clear(struct pending_left *l)
{
	buf_clear(&l->store);
	buf_clear(&l->location);
	buf_clear(&l->key);
	buf_clear(&l->id);
}

static int pending_next_line(char **at, struct buf *out)
{
	char *end = strchr(*at, '\n');
	int rc;

	if (!end)
		return -EINVAL;
	rc = text_percent_decode(out, *at, (size_t)(end - *at));
	*at = end + 1;
	return rc ? rc : buf_err(out);
}

static int pending_read_record(int dir, const char *file,
			       struct pending_left *l)
{
	char text[RECORD_MAX + 1], *at = text;
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;
	int rc;

	if (fd < 0)
		return -errno;
	n = io_read(fd, text, RECORD_MAX);
	rc = n < 0 ? (int)n : 0;
	close(fd);
	if (rc)
		return rc;
	text[n] = '\0';
	rc = pending_next_line(&at, &l->store);
	rc = rc ? rc : pending_next_line(&at, &l->location);
	rc = rc ? rc : pending_next_line(&at, &l->key);
	rc = rc ? rc : pending_next_line(&at, &l->id);
	return rc || (l->key.len && l->id.len) ? rc : -EINVAL;
}

struct pending_finder {
	struct store *(*find)(void *arg, const char *store_name,
			      const char *location);
	void *arg;
};

/* True when the record has done its duty. */
static bool pending_abort_left(int dir, const char *file,
			       const struct pending_finder *pending_finder)
{
	struct store_pending upload;
	struct log_where where = { 0 };
	struct store *store;
	struct pending_left l;
	int rc;

	pending_left_init(&l);
	rc = pending_read_record(dir, file, &l);
	if (rc) {
		log_warn("cannot read the upload record %s: %s", file,
			 strerror(-rc));
		pending_left_clear(&l);
		return rc == -EINVAL; /* cut short by the daemon's death */
	}
	where.stage = buf_str(&l.store);
	where.key = buf_str(&l.key);
	upload.key = l.key.data;
	upload.id = l.id.data;
	store = pending_finder->find(pending_finder->arg, buf_str(&l.store),
				     buf_str(&l.location));
	rc = store ? store_pending_abort(store, &upload) : -ENODEV;
	where.err = store ? rc : 0;
	if (!store)
		log_at(LOG_LEVEL_INFO, &where,
		       "an upload that another mount's daemon left waits for "
		       "that mount");
	else if (rc && rc != -ENOENT)
		log_at(LOG_LEVEL_WARN, &where,
		       "cannot abort an upload that a killed daemon left");
	else
		log_at(LOG_LEVEL_INFO, &where,
		       "aborted an upload that a killed daemon left");
	pending_left_clear(&l);
	return !rc || rc == -ENOENT;
}

/* NAME of "NAME.suffix" or "NAME.N.suffix". */
static bool pending_owner(const char *file, char name[NAME_SIZE])
{
	size_t n = strcspn(file, ".");

	if (!n || n >= NAME_SIZE ||
	    (!text_ends_with(file, ".lock") &&
	     !text_ends_with(file, ".upload")))
		return false;
	memcpy(name, file, n);
	name[n] = '\0';
	return true;
}

/* The dead daemon's lock, or -1: it lives. */
static int pending_lock_dead(int dir, const char *name)
{
	char file[NAME_SIZE + 8];
	int fd;

	snprintf(file, sizeof(file), "%s.lock", name);
	fd = openat(dir, file, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* All records of one dead daemon, and its lock file when none is left. */
static void pending_recover_from(int dir, const char *name,
				 const struct pending_finder *pending_finder)
{
	char file[NAME_SIZE + 8], owner[NAME_SIZE];
	int fd = dup(dir);
	struct dirent *e;
	bool all = true;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	rewinddir(d);
	while ((e = readdir(d))) {
		if (!text_ends_with(e->d_name, ".upload") ||
		    !pending_owner(e->d_name, owner) || strcmp(owner, name))
			continue;
		if (pending_abort_left(dir, e->d_name, pending_finder))
			unlinkat(dir, e->d_name, 0);
		else
			all = false;
	}
	closedir(d);
	snprintf(file, sizeof(file), "%s.lock", name);
	if (all)
		unlinkat(dir, file, 0);
}

/* The names of the daemons in the directory, each with its NUL. */
static void pending_list_owners(struct pending *p, struct buf *names)
{
	char name[NAME_SIZE];
	struct dirent *e;
	DIR *d = opendir(p->path);

	if (!d)
		return;
	while ((e = readdir(d))) {
		bool known = false;

		if (!pending_owner(e->d_name, name) || !strcmp(name, p->name))
			continue;
		for (size_t i = 0; i < names->len && !known;
		     i += strlen(names->data + i) + 1)
			known = !strcmp(names->data + i, name);
		if (!known)
			buf_add(names, name, strlen(name) + 1);
	}
	closedir(d);
}

void pending_recover(struct pending *p,
		     struct store *(*find)(void *arg, const char *store_name,
					   const char *location),
		     void *arg)
{
	struct buf names = BUF_INIT(1U << 20);
	struct pending_finder pending_finder = { find, arg };

	if (!p || p->dir < 0)
		return;
	pending_list_owners(p, &names);
	for (size_t i = 0; i < names.len; i += strlen(names.data + i) + 1) {
		int fd = pending_lock_dead(p->dir, names.data + i);

		if (fd < 0)
			continue;
		pending_recover_from(p->dir, names.data + i, &pending_finder);
		close(fd);
	}
	buf_clear(&names);
}
