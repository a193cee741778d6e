/*
 * What dead daemons left in the state directory. Who can lock another's
 * NAME.lock knows that it is dead; the lock is held while its uploads are
 * aborted, so that two mounts at once do not do it twice. A record whose store
 * does not answer stays for the next mount.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "fs/content/pending_internal.h"
#include "store/store.h"

/* A record, read and decoded. */
struct left {
	struct buf store, location, key, id;
};

static void left_init(struct left *l)
{
	buf_init(&l->store, BUF_MESSAGE);
	buf_init(&l->location, BUF_MESSAGE);
	buf_init(&l->key, STORE_KEY_MAX);
	buf_init(&l->id, BUF_MESSAGE);
}

static void left_clear(struct left *l)
{
	buf_clear(&l->store);
	buf_clear(&l->location);
	buf_clear(&l->key);
	buf_clear(&l->id);
}

static int next_line(char **at, struct buf *out)
{
	char *end = strchr(*at, '\n');
	int err;

	if (!end)
		return -EINVAL;
	err = text_percent_decode(out, *at, (size_t)(end - *at));
	*at = end + 1;
	return err ? err : buf_err(out);
}

static int read_record(int dir, const char *file, struct left *l)
{
	char text[RECORD_MAX + 1], *at = text;
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = io_read(fd, text, RECORD_MAX);
	err = n < 0 ? (int)n : 0;
	close(fd);
	if (err)
		return err;
	text[n] = '\0';
	err = next_line(&at, &l->store);
	err = err ? err : next_line(&at, &l->location);
	err = err ? err : next_line(&at, &l->key);
	err = err ? err : next_line(&at, &l->id);
	return err || (l->key.len && l->id.len) ? err : -EINVAL;
}

struct finder {
	struct store *(*find)(void *arg, const char *store_name,
			      const char *location);
	void *arg;
};

/* True when the record has done its duty. */
static bool abort_left(int dir, const char *file, const struct finder *finder)
{
	struct store_pending upload;
	struct log_where where = { 0 };
	struct store *store;
	struct left l;
	int err;

	left_init(&l);
	err = read_record(dir, file, &l);
	if (err) {
		log_warn("cannot read the upload record %s: %s", file,
			 strerror(-err));
		left_clear(&l);
		return err == -EINVAL; /* cut short by the daemon's death */
	}
	where.stage = buf_str(&l.store);
	where.key = buf_str(&l.key);
	upload.key = l.key.data;
	upload.id = l.id.data;
	store = finder->find(finder->arg, buf_str(&l.store),
			     buf_str(&l.location));
	err = store ? store_pending_abort(store, &upload) : -ENODEV;
	where.err = store ? err : 0;
	if (!store)
		log_at(LOG_LEVEL_INFO, &where,
		       "an upload that another mount's daemon left waits for "
		       "that mount");
	else if (err && err != -ENOENT)
		log_at(LOG_LEVEL_WARN, &where,
		       "cannot abort an upload that a killed daemon left");
	else
		log_at(LOG_LEVEL_INFO, &where,
		       "aborted an upload that a killed daemon left");
	left_clear(&l);
	return !err || err == -ENOENT;
}

/* NAME of "NAME.suffix" or "NAME.N.suffix". */
static bool owner_of(const char *file, char name[NAME_SIZE])
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
static int lock_dead(int dir, const char *name)
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
static void recover_from(int dir, const char *name, const struct finder *finder)
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
		    !owner_of(e->d_name, owner) || strcmp(owner, name))
			continue;
		if (abort_left(dir, e->d_name, finder))
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
static void list_owners(struct pending *p, struct buf *names)
{
	char name[NAME_SIZE];
	struct dirent *e;
	DIR *d = opendir(p->path);

	if (!d)
		return;
	while ((e = readdir(d))) {
		bool known = false;

		if (!owner_of(e->d_name, name) || !strcmp(name, p->name))
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
	struct finder finder = { find, arg };

	if (!p || p->dir < 0)
		return;
	list_owners(p, &names);
	for (size_t i = 0; i < names.len; i += strlen(names.data + i) + 1) {
		int fd = lock_dead(p->dir, names.data + i);

		if (fd < 0)
			continue;
		recover_from(p->dir, names.data + i, &finder);
		close(fd);
	}
	buf_clear(&names);
}
