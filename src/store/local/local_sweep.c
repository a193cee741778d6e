/*
 * What a process that was killed has left, in the folder of ours.
 *
 * An upload is dead when nobody holds the lock on its data. A name in `tmp`, or
 * of an upload in the making, stands for microseconds, so an old one is dead;
 * old enough that a process which was stopped meanwhile has been noticed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/local/local_impl.h"

struct sweep {
	struct local *l;
	int dir; /* the folder that is swept */
	int64_t old_s;
};

/* When the name, or what is in it, changed last: over old_s ago? */
static bool is_old(const struct sweep *s, const char *name)
{
	struct stat st;

	return !fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       clock_now_s() - st.st_ctim.tv_sec >= s->old_s;
}

static void sweep_tmp(const struct sweep *s, const char *name)
{
	if (is_old(s, name))
		unlinkat(s->dir, name, 0);
}

/* Does nobody hold its data any more? */
static bool is_dead(const struct sweep *s, const char *name, int upload)
{
	int fd = local_openat(upload, LOCAL_DATA,
			      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	bool dead;

	/* Without data it is being completed, or dropped, or half of it was. */
	if (fd < 0)
		return fd == -ENOENT && is_old(s, name);
	dead = !flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return dead;
}

static void sweep_upload(const struct sweep *s, const char *name)
{
	int upload;
	bool dead;

	if (strlen(name) > LOCAL_ID_SIZE ||
	    (name[0] == '.' && !is_old(s, name)))
		return;
	upload = local_folder_below(s->dir, name);
	if (upload < 0)
		return;
	dead = is_dead(s, name, upload);
	close(upload);
	if (dead)
		local_pending_drop(s->l, name);
}

static void walk(struct local *l, const char *name, int64_t old_s,
		 void (*each)(const struct sweep *s, const char *name))
{
	struct sweep s = { .l = l, .old_s = old_s };
	int fd = local_folder_open(l, name);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	s.dir = fd;
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			each(&s, e->d_name);
	closedir(dir);
}

void local_sweep(struct local *l, int64_t old_s)
{
	walk(l, LOCAL_TMP, old_s, sweep_tmp);
	walk(l, LOCAL_UPLOADS, old_s, sweep_upload);
}
