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
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/local_impl.h"

#define PATH_SIZE (sizeof(LOCAL_UPLOADS) + LOCAL_NAME_SIZE + 8)

struct sweep {
	struct local *l;
	const char *folder;
	int64_t old_s;
};

/* When the name, or what is in it, changed last: over old_s ago? */
static bool is_old(const struct sweep *s, const char *name)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	return !fstatat(s->l->folder_fd, path, &st, AT_SYMLINK_NOFOLLOW) &&
	       clock_now_s() - st.st_ctim.tv_sec >= s->old_s;
}

static void sweep_tmp(const struct sweep *s, const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	if (is_old(s, name))
		unlinkat(s->l->folder_fd, path, 0);
}

static void sweep_upload(const struct sweep *s, const char *name)
{
	char path[PATH_SIZE];
	int fd;

	if (strlen(name) > LOCAL_ID_SIZE ||
	    (name[0] == '.' && !is_old(s, name)))
		return;
	snprintf(path, sizeof(path), "%s/%s/data", s->folder, name);
	fd = openat(s->l->folder_fd, path,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	/* Without data it is being completed, or dropped, or half of it was. */
	if (fd < 0 ? errno == ENOENT && is_old(s, name)
		   : !flock(fd, LOCK_EX | LOCK_NB))
		local_pending_drop(s->l, name);
	if (fd >= 0)
		close(fd);
}

static void walk(const struct sweep *s,
		 void (*each)(const struct sweep *s, const char *name))
{
	int fd = local_openat(s->l->folder_fd, s->folder,
			      O_RDONLY | O_DIRECTORY);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			each(s, e->d_name);
	closedir(dir);
}

void local_sweep(struct local *l, int64_t old_s)
{
	walk(&(struct sweep){ l, LOCAL_TMP, old_s }, sweep_tmp);
	walk(&(struct sweep){ l, LOCAL_UPLOADS, old_s }, sweep_upload);
}
