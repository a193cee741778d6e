/*
 * The state directory. Each daemon has a name there, made of its process id
 * and the time, and two kinds of files:
 *
 *   NAME.lock       locked (flock) as long as the daemon lives
 *   NAME.N.upload   one for each upload that is open
 *
 * A record is four lines: the store's name, where the object is, its key, the
 * upload's id; each percent-encoded. Who can lock another's NAME.lock knows
 * that its daemon is dead, and holds the lock while it aborts what is left.
 */
#include "base/io.h"
#include "fs/content/pending_internal.h"

#include <errno.h>
#include <fcntl.h>
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
#include "base/lock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store.h"

static struct pending_locked *pending_locked(struct pending *p)
	REQUIRES(&p->lock)
{
	return &p->guarded_;
}

/* Makes and locks NAME.lock. */
static int claim(struct pending *p)
{
	struct timespec now = clock_now();
	char file[NAME_SIZE + 8];
	int err = dirs_make(p->path, 0755, 0700);

	if (err)
		return err;
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

static void unclaim(struct pending *p)
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
	int err;

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
	err = claim(p);
	if (err) {
		log_warn("cannot keep upload ids in %s: %s", dir,
			 strerror(-err));
		unclaim(p);
	}
	return p;
}

/* Records that are left are uploads that could not be aborted: the lock file
 * stays with them, unlocked. */
void pending_free(struct pending *p)
{
	struct record *r, *next;
	char file[NAME_SIZE + 8];

	if (!p)
		return;
	if (p->dir >= 0 && !p->guarded_.records) {
		snprintf(file, sizeof(file), "%s.lock", p->name);
		unlinkat(p->dir, file, 0);
	}
	LL_FOREACH_SAFE(p->guarded_.records, r, next)
		free(r);
	unclaim(p);
	lock_destroy(&p->lock);
	free(p->path);
	free(p);
}

static void record_name(char out[NAME_SIZE + 24], const char *name, unsigned n)
{
	snprintf(out, NAME_SIZE + 24, "%s.%u.upload", name, n);
}

static void add_line(struct buf *b, const char *s)
{
	text_percent_encode(b, s, strlen(s), true);
	buf_addc(b, '\n');
}

static int write_record(struct pending *p, unsigned number,
			struct store_upload *u)
{
	struct buf text = BUF_INIT(RECORD_MAX);
	struct buf location = BUF_INIT(BUF_MESSAGE);
	char file[NAME_SIZE + 24];
	int fd = -1, err;

	store_locate(u->store, u->key, &location);
	add_line(&text, u->store->name);
	add_line(&text, buf_str(&location));
	add_line(&text, u->key);
	add_line(&text, store_upload_id(u));
	err = buf_err(&text);
	record_name(file, p->name, number);
	if (!err) {
		fd = openat(p->dir, file,
			    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			err = -errno;
	}
	err = err ? err : io_write(fd, text.data, text.len);
	if (fd >= 0)
		close(fd);
	if (err && fd >= 0)
		unlinkat(p->dir, file, 0);
	buf_clear(&text);
	buf_clear(&location);
	return err;
}

void pending_add(struct pending *p, struct store_upload *u)
{
	struct record *r;
	unsigned number;
	int err;

	if (!p || p->dir < 0)
		return;
	r = calloc(1, sizeof(*r));
	lock_take(&p->lock);
	number = ++pending_locked(p)->last;
	lock_drop(&p->lock);
	err = r ? write_record(p, number, u) : -ENOMEM;
	if (err) {
		log_warn("cannot keep an upload id in %s: %s", p->path,
			 strerror(-err));
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
	struct record *r;
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
	record_name(file, p->name, r->number);
	unlinkat(p->dir, file, 0);
	free(r);
}
