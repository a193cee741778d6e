/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What FUSE itself costs: a file system that hands every request to another
 * folder and knows nothing. bench.sh measures a mount over `fs://` against it.
 *
 *	passthrough FOLDER MOUNTPOINT [-o sync]
 *
 * In the background once it is mounted. With sync a close has the file and its
 * folder on the disk, as a mount of ours has. Pages are kept over an open, and
 * names for a second.
 *
 * A node is an O_PATH descriptor, found by (device, number), for as long as the
 * kernel knows it. One lock, for the table.
 */
#define FUSE_USE_VERSION 312
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TIMEOUT_S 1.0
#define MAX_WRITE (1U << 20)
#define BUCKETS 65536

struct node {
	struct node *next;
	dev_t dev;
	ino_t ino;
	uint64_t lookups;
	int fd; /* O_PATH */
	int dir; /* the folder's that it was found in */
};

static struct node root;
static struct node *buckets[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int sync_close;

static struct node *node_of(fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? &root : (struct node *)(uintptr_t)ino;
}

static void by_fd(const struct node *n, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", n->fd);
}

/* Takes fd, whose file st is of. */
static struct node *find(int fd, int dir, const struct stat *st)
{
	struct node **at = &buckets[st->st_ino % BUCKETS], *n;

	pthread_mutex_lock(&lock);
	for (n = *at; n; n = n->next)
		if (n->ino == st->st_ino && n->dev == st->st_dev)
			break;
	if (n) {
		close(fd);
	} else {
		n = calloc(1, sizeof(*n));
		if (!n)
			err(1, "passthrough");
		*n = (struct node){ *at, st->st_dev, st->st_ino, 0, fd, dir };
		*at = n;
	}
	n->lookups++;
	pthread_mutex_unlock(&lock);
	return n;
}

static void drop(struct node *n, uint64_t lookups)
{
	struct node **at = &buckets[n->ino % BUCKETS];

	pthread_mutex_lock(&lock);
	n->lookups -= lookups;
	if (n->lookups)
		n = NULL;
	while (n && *at != n)
		at = &(*at)->next;
	if (n)
		*at = n->next;
	pthread_mutex_unlock(&lock);
	if (!n)
		return;
	close(n->fd);
	free(n);
}

static int look(fuse_ino_t parent, const char *name, struct fuse_entry_param *e)
{
	int dir = node_of(parent)->fd;
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	memset(e, 0, sizeof(*e));
	e->attr_timeout = e->entry_timeout = TIMEOUT_S;
	if (fd < 0)
		return errno;
	if (fstat(fd, &e->attr)) {
		close(fd);
		return errno;
	}
	e->ino = (uintptr_t)find(fd, dir, &e->attr);
	return 0;
}

static void reply_entry(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e;
	int error = look(parent, name, &e);

	if (error == ENOENT)
		fuse_reply_entry(req, &e);
	else if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_entry(req, &e);
}

static void reply(fuse_req_t req, int rc)
{
	fuse_reply_err(req, rc ? errno : 0);
}

static void pt_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	reply_entry(req, parent, name);
}

static void pt_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	if (ino != FUSE_ROOT_ID)
		drop(node_of(ino), lookups);
	fuse_reply_none(req);
}

static void pt_forget_multi(fuse_req_t req, size_t n,
			    struct fuse_forget_data *list)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].ino != FUSE_ROOT_ID)
			drop(node_of(list[i].ino), list[i].nlookup);
	fuse_reply_none(req);
}

static void pt_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct stat st;

	if (fstat(node_of(ino)->fd, &st))
		fuse_reply_err(req, errno);
	else
		fuse_reply_attr(req, &st, TIMEOUT_S);
}

static void pt_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st,
		       int which, struct fuse_file_info *fi)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	char path[32];
	int rc = 0;

	by_fd(node_of(ino), path);
	if (which & FUSE_SET_ATTR_SIZE)
		rc = truncate(path, st->st_size);
	if (!rc && (which & FUSE_SET_ATTR_MODE))
		rc = chmod(path, st->st_mode);
	if (which & FUSE_SET_ATTR_ATIME)
		times[0] = st->st_atim;
	if (which & FUSE_SET_ATTR_MTIME)
		times[1] = st->st_mtim;
	if (!rc && (which & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)))
		rc = utimensat(AT_FDCWD, path, times, 0);
	if (rc)
		fuse_reply_err(req, errno);
	else
		pt_getattr(req, ino, fi);
}

static void pt_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode)
{
	if (mkdirat(node_of(parent)->fd, name, mode))
		fuse_reply_err(req, errno);
	else
		reply_entry(req, parent, name);
}

static void pt_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	reply(req, unlinkat(node_of(parent)->fd, name, 0));
}

static void pt_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	reply(req, unlinkat(node_of(parent)->fd, name, AT_REMOVEDIR));
}

static void pt_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	char path[32];
	int fd;

	by_fd(node_of(ino), path);
	fd = open(path, (fi->flags & ~O_NOFOLLOW) | O_CLOEXEC);
	if (fd < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	fi->fh = (uint64_t)fd;
	fi->keep_cache = 1;
	fi->noflush = (fi->flags & O_ACCMODE) == O_RDONLY;
	fuse_reply_open(req, fi);
}

static void pt_create(fuse_req_t req, fuse_ino_t parent, const char *name,
		      mode_t mode, struct fuse_file_info *fi)
{
	struct fuse_entry_param e;
	int fd = openat(node_of(parent)->fd, name,
			fi->flags | O_CREAT | O_CLOEXEC, mode);
	int error = fd < 0 ? errno : look(parent, name, &e);

	if (error) {
		fuse_reply_err(req, error);
		return;
	}
	fi->fh = (uint64_t)fd;
	fi->keep_cache = 1;
	fuse_reply_create(req, &e, fi);
}

static void pt_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(size);

	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = (int)fi->fh;
	buf.buf[0].pos = off;
	fuse_reply_data(req, &buf, FUSE_BUF_SPLICE_MOVE);
}

static void pt_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in,
			 off_t off, struct fuse_file_info *fi)
{
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(fuse_buf_size(in));
	ssize_t n;

	out.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	out.buf[0].fd = (int)fi->fh;
	out.buf[0].pos = off;
	n = fuse_buf_copy(&out, in, 0);
	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_write(req, (size_t)n);
}

static int sync_dir(fuse_ino_t ino)
{
	int fd = openat(node_of(ino)->dir, ".", O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static void pt_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	int rc = 0;

	if (sync_close && (fcntl((int)fi->fh, F_GETFL) & O_ACCMODE))
		rc = fsync((int)fi->fh) || sync_dir(ino) ? -1 : 0;
	reply(req, rc);
}

static void pt_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		     struct fuse_file_info *fi)
{
	reply(req, fsync((int)fi->fh));
}

static void pt_release(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	reply(req, close((int)fi->fh));
}

static void pt_opendir(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	int fd = openat(node_of(ino)->fd, ".", O_RDONLY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	fi->fh = (uintptr_t)dir;
	if (dir)
		fuse_reply_open(req, fi);
	else
		fuse_reply_err(req, errno);
}

static void pt_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			   off_t off, struct fuse_file_info *fi)
{
	DIR *dir = (DIR *)(uintptr_t)fi->fh;
	struct fuse_entry_param e;
	char *bytes = malloc(size);
	size_t used = 0, n;
	struct dirent *d;

	if (!bytes) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	seekdir(dir, off);
	for (; (d = readdir(dir)); used += n) {
		bool dots = !strcmp(d->d_name, ".") || !strcmp(d->d_name, "..");

		memset(&e, 0, sizeof(e));
		e.attr.st_ino = d->d_ino;
		e.attr.st_mode = (mode_t)d->d_type << 12;
		if (!dots && look(ino, d->d_name, &e))
			memset(&e, 0, sizeof(e));
		n = fuse_add_direntry_plus(req, bytes + used, size - used,
					   d->d_name, &e, d->d_off);
		if (n > size - used) {
			if (e.ino)
				drop(node_of(e.ino), 1);
			break;
		}
	}
	fuse_reply_buf(req, bytes, used);
	free(bytes);
}

static void pt_releasedir(fuse_req_t req, fuse_ino_t ino,
			  struct fuse_file_info *fi)
{
	closedir((DIR *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

static void pt_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	if (fstatvfs(node_of(ino)->fd, &st))
		fuse_reply_err(req, errno);
	else
		fuse_reply_statfs(req, &st);
}

static void pt_init(void *arg, struct fuse_conn_info *conn)
{
	unsigned splice = FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
			  FUSE_CAP_SPLICE_MOVE;

	conn->max_write = MAX_WRITE;
	conn->want &= ~(FUSE_CAP_READDIRPLUS_AUTO | splice);
	if (!getenv("PASSTHROUGH_NO_SPLICE"))
		conn->want |= splice & conn->capable;
}

static const struct fuse_lowlevel_ops ops = {
	.init = pt_init,
	.lookup = pt_lookup,
	.forget = pt_forget,
	.forget_multi = pt_forget_multi,
	.getattr = pt_getattr,
	.setattr = pt_setattr,
	.mkdir = pt_mkdir,
	.unlink = pt_unlink,
	.rmdir = pt_rmdir,
	.open = pt_open,
	.create = pt_create,
	.read = pt_read,
	.write_buf = pt_write_buf,
	.flush = pt_flush,
	.fsync = pt_fsync,
	.release = pt_release,
	.opendir = pt_opendir,
	.readdirplus = pt_readdirplus,
	.releasedir = pt_releasedir,
	.statfs = pt_statfs,
};

int main(int argc, char **argv)
{
	char flag[] = "-o", value[] = "fsname=passthrough,allow_other";
	char *options[] = { argv[0], flag, value };
	struct fuse_args args = FUSE_ARGS_INIT(3, options);
	struct fuse_loop_config *cfg = fuse_loop_cfg_create();
	struct fuse_session *se;

	if (argc != 3 &&
	    !(argc == 5 && !strcmp(argv[3], "-o") && !strcmp(argv[4], "sync")))
		errx(2, "usage: passthrough FOLDER MOUNTPOINT [-o sync]");
	sync_close = argc == 5;
	root.fd = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root.fd < 0)
		err(1, "%s", argv[1]);
	umask(0);
	se = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!se || !cfg || fuse_session_mount(se, argv[2]))
		errx(1, "cannot mount on %s", argv[2]);
	fuse_set_signal_handlers(se);
	fuse_daemonize(0);
	fuse_session_loop_mt(se, cfg);
	fuse_session_unmount(se);
	fuse_session_destroy(se);
	fuse_loop_cfg_destroy(cfg);
	return 0;
}
