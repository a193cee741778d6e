/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system: names, bytes and attributes over the stages of a catalog.
 * fuse/ translates the kernel's requests into these calls and replies last.
 *
 * Every call may block on the network, and ends with -EINTR when the calling
 * thread's operation is interrupted (base/waiter.h). All may run at once, on
 * any thread. Errors are -errno. An inode is the kernel's node id: the kernel
 * holds it by its lookup count, which fs_lookup() and its kin raise by one and
 * fs_forget() lowers.
 */
#ifndef FS_FS_H
#define FS_FS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include "fs/content/data.h"

struct buf;
struct catalog;
struct disk_cache;
struct fs;
struct budget;
struct inode;
struct object_info;
struct store;
struct handle; /* an open file */
struct inval_queue;
struct dir_handle; /* an open directory */
struct stage;

/* Which URLs are handed out: the `presign` setting. */
enum fs_presign {
	FS_PRESIGN_OFF,
	FS_PRESIGN_DOWNLOAD,
	FS_PRESIGN_UPLOAD,
	FS_PRESIGN_BOTH
};

/* What listxattr shows: the `list_xattrs` setting. */
enum fs_list_xattrs {
	FS_LIST_NONE,
	FS_LIST_STAGE, /* what the store knows, and no request is needed for */
	FS_LIST_URLS, /* the same, and what is signed when it is read */
};

struct fs_settings {
	_Atomic(unsigned) metadata_ttl_s; /* may change: fs_set_ttl() */
	struct budget *budget; /* bytes of object data; borrowed */
	struct disk_cache *disk; /* NULL: none; borrowed */
	const char *spill_dir; /* made at the first need, 0700 */
	const char *state_dir; /* upload ids; NULL: none are kept */
	/* Source and mountpoint: whose the journal of what is sent later is
	 * (write_back/journal.h); NULL: nothing is. */
	const char *mount_name;
	uint64_t write_back_size; /* bytes that may wait */
	unsigned write_back_names; /* 0: WRITE_BACK_NAMES */
	unsigned write_back_delay_ms; /* 0: WRITE_BACK_DELAY_MS */
	uid_t uid;
	gid_t gid;
	unsigned file_mode, dir_mode; /* permission bits, umask applied */
	/* Which of these four a user has set (TREE_FIXED_* of inode.h): they
	 * win over what a store of files keeps. */
	unsigned fixed;
	bool ro;
	enum fs_presign presign;
	int64_t presign_expire, presign_expire_max; /* s */
	enum fs_list_xattrs list_xattrs;
};

/* The process that asks. groups() reads the supplementary groups when they
 * matter: the number written to list, or -errno; at most max. */
struct fs_caller {
	uid_t uid;
	gid_t gid;
	int (*groups)(const struct fs_caller *c, gid_t *list, int max);
	bool drop_setid; /* what it empties loses set-id bits */
	void *arg;
};

/* What the kernel is told of a name. */
struct fs_entry {
	struct inode *inode; /* NULL: the name is known to be absent */
	struct stat st;
	double entry_timeout, attr_timeout; /* s */
	uint32_t version; /* the file system's */
};

/*
 * only: the stage that alone is the root (a reference of its own is taken), or
 * NULL: every stage of the catalog is a directory of the root. Borrowed strings
 * are copied. The catalog outlives the fs. Starts threads if there is a disk
 * cache.
 */
int fs_new(const struct fs_settings *s, struct catalog *catalog,
	   struct stage *only, struct fs **out);
/* Can files be written that do not stream? 0, or why spill_dir will not do.
 * Makes the directory. */
int fs_check_spill(const char *spill_dir);
/* Everything published or given up. After the last request. */
void fs_free(struct fs *fs);
/*
 * The end: after the last request, before fs_free(). closed: the kernel has no
 * file open any more, and what it did not come to release is released. Else
 * whatever is open for writing is given up: nothing of it is published, its
 * upload is aborted. 0 or the first failure (-EIO: a file was given up), each
 * logged once with stage and key.
 */
int fs_drain(struct fs *fs, bool closed);
/* What an earlier daemon accepted and did not send is there again, and is sent.
 * No request; before the first call. As write_back_restore(). */
int fs_restore(struct fs *fs, struct buf *why);
/* All that waits is sent now; 0 when the stores have it, else the first
 * failure, and in why how many wait, and some of them. */
int fs_flush(struct fs *fs, struct buf *why);
/* What is gathered for a moment (fs/burst) is sent now: 0 when the stores have
 * answered, -ETIMEDOUT at until_ms. A refusal is reported as it is for changes
 * that no program waits for. */
int fs_settle(struct fs *fs, int64_t until_ms);
/* What waits to be sent. */
struct fs_pending {
	unsigned names, failed;
	uint64_t bytes;
};
void fs_pending(struct fs *fs, struct fs_pending *out);
/* How long names and attributes are believed from here on. Any thread. */
void fs_set_ttl(struct fs *fs, unsigned s);
/* How much is being written. */
struct fs_writers {
	unsigned open; /* files that are open for writing */
	int64_t last_ms; /* clock_mono_ms() of the last request to write, close
			  * or fsync; now while one is under way; 0: never */
};
void fs_writers(struct fs *fs, struct fs_writers *out);
/* Appends counters of files and caches, as base/metric.h has it. */
void fs_write_metrics(struct fs *fs, struct buf *out);
/* Appends the locations of the first of them, a line each with that word in
 * front. */
void fs_writer_names(struct fs *fs, const char *word, unsigned most,
		     struct buf *out);
/* Appends the location of one of them, as `@stage/path`; nothing: there is
 * none. */
void fs_writer_name(struct fs *fs, struct buf *out);
/* Aborts the uploads that killed daemons left (state_dir). Logs; at mount. */
void fs_recover(struct fs *fs);
struct inode *fs_root(struct fs *fs);

/*
 * Another front end of this process (the gateway) has put an object into a
 * store that may be shown here: it is in the tree at once, and the kernel has
 * been told of it when this returns. From the making of fs to its end.
 */
void fs_store_changed(struct fs *fs, struct store *s, const char *key,
		      const struct object_info *info);
/* What the kernel is to be told of changes that it did not ask for. */
struct inval_queue *fs_inval_queue(struct fs *fs);

/* ---- names (names.c, dirops.c, rename.c, stages.c) ---- */
int fs_lookup(struct fs *fs, struct inode *dir, const char *name,
	      struct fs_entry *out);
void fs_forget(struct fs *fs, struct inode *i, uint64_t n);
int fs_getattr(struct fs *fs, struct inode *i, struct handle *h,
	       struct stat *st, double *timeout);
/* which: FS_SET_* bits; only those fields of st count. */
#define FS_SET_MODE 1
#define FS_SET_UID 2
#define FS_SET_GID 4
#define FS_SET_SIZE 8
#define FS_SET_ATIME 16
#define FS_SET_MTIME 32
#define FS_DROP_SETID 64 /* before: as fs_drop_setid() */
int fs_setattr(struct fs *fs, struct inode *i, struct handle *h,
	       const struct stat *st, unsigned which, struct stat *out,
	       double *timeout);
/*
 * The file loses its set-user-id bit, and the set-group-id bit if its group may
 * execute it: what the kernel asks for when a caller without CAP_FSETID changes
 * the content, and when any caller changes the owner.
 */
int fs_drop_setid(struct fs *fs, struct inode *i);
int fs_mkdir(struct fs *fs, struct inode *dir, const char *name, mode_t mode,
	     const struct fs_caller *c, struct fs_entry *out);
int fs_rmdir(struct fs *fs, struct inode *dir, const char *name);
int fs_unlink(struct fs *fs, struct inode *dir, const char *name);
/* Kept in the metadata of objects alone; elsewhere -EPERM, and the log says
 * why. */
int fs_symlink(struct fs *fs, struct inode *dir, const char *name,
	       const char *target, const struct fs_caller *c,
	       struct fs_entry *out);
int fs_readlink(struct fs *fs, struct inode *i, char target[PATH_MAX]);
/* There are none. -EPERM, and the log says why. */
int fs_link(const char *name);
/* flags: 0, RENAME_NOREPLACE or RENAME_EXCHANGE. */
int fs_rename(struct fs *fs, struct inode *dir, const char *name,
	      struct inode *to_dir, const char *to_name, unsigned flags);
int fs_statfs(struct fs *fs, struct inode *i, struct statvfs *out);

/* ---- directories (fs_dir.c) ---- */
int fs_dir_open(struct fs *fs, struct inode *dir, struct dir_handle **out);
/*
 * Calls emit for each entry from cookie `offset` on (0: the start), `.` and
 * `..` first with entry->inode NULL, until it returns non-zero (no room) or
 * the end. An entry for which emit returned 0 has its lookup count raised
 * (when inode is set and `plus`). 0 or -errno, -errno only if nothing was
 * emitted.
 */
typedef int fs_emit(void *arg, const char *name, const struct fs_entry *entry,
		    off_t next);
int fs_dir_read(struct fs *fs, struct dir_handle *h, off_t offset, bool plus,
		fs_emit *emit, void *arg);
/* Names that were made, moved and removed in it outlive a power cut. Has the
 * error of a removal that the store has refused since it was asked last. */
int fs_dir_sync(struct fs *fs, struct dir_handle *h);
void fs_dir_close(struct fs *fs, struct dir_handle *h);

/* ---- files (fs_file.c, handle.c) ---- */
/* flags as open(2). *keep_cache: the kernel's pages are still good. */
int fs_file_open(struct fs *fs, struct inode *i, int flags, struct handle **out,
		 bool *keep_cache);
int fs_file_create(struct fs *fs, struct inode *dir, const char *name,
		   mode_t mode, int flags, const struct fs_caller *c,
		   struct fs_entry *out, struct handle **h);

int fs_file_read(struct fs *fs, struct handle *h, off_t offset, size_t len,
		 struct fs_data *out);
void fs_data_release(struct fs *fs, struct fs_data *d);
/* All of it or -errno. */
int fs_file_write(struct fs *fs, struct handle *h, off_t offset,
		  const void *bytes, size_t len);
/* The same for pages of a mapping: at their place, and never beyond the end. */
int fs_file_write_page(struct fs *fs, struct handle *h, off_t offset,
		       const void *bytes, size_t len);
/*
 * close(2)'s result: the store has the object, or why not. Idempotent.
 * fs_close() is that of one descriptor among several, closed by a thread of the
 * caller's: 0 when a later one will tell (closing.h).
 */
int fs_file_flush(struct fs *fs, struct handle *h);
int fs_close(struct fs *fs, struct handle *h, pid_t thread);
/* A thread has opened h; it has changed the content through h. 0: which one is
 * not known. */
void fs_opened_by(struct fs *fs, struct handle *h, pid_t thread);
void fs_written_by(struct fs *fs, struct handle *h, pid_t thread);
int fs_file_sync(struct fs *fs, struct handle *h);
/* What is still dirty is published; its error can only be logged. */
void fs_release(struct fs *fs, struct handle *h);
/* One release more is to come, of a thread that uses h longer than the kernel
 * does. */
void fs_retain(struct handle *h);
/* The same of an inode that the kernel may forget, and the end of that. */
void fs_retain_inode(struct fs *fs, struct inode *i);
void fs_release_inode(struct fs *fs, struct inode *i);

/* ---- ranges of files (fs_range.c) ---- */
/*
 * fallocate(2): the size is at least offset + len afterwards, unless mode has
 * FALLOC_FL_KEEP_SIZE; with FALLOC_FL_PUNCH_HOLE or _ZERO_RANGE those bytes are
 * zeros. Nothing is reserved. -EOPNOTSUPP other modes.
 */
int fs_range_allocate(struct fs *fs, struct handle *h, int mode, off_t offset,
		      off_t len);
/* lseek(2) by SEEK_DATA or SEEK_HOLE. */
int fs_range_seek(struct fs *fs, struct handle *h, off_t offset, int whence,
		  off_t *out);
/* copy_file_range(2): how many bytes, or -errno; -EOPNOTSUPP: they are to be
 * read and written. */
ssize_t fs_range_copy(struct fs *fs, struct handle *from, off_t from_at,
		      struct handle *to, off_t to_at, size_t len);

/* What is known of the processes of this machine; without it every close is
 * taken for the last one. Set before the first request. */
struct fs_processes {
	pid_t (*process)(void *arg, pid_t thread); /* 0: not known */
	/* How many descriptors the thread's process has that can write to the
	 * file of that st_ino; -errno when that is not known. */
	int (*writers)(void *arg, pid_t thread, uint64_t ino);
	/* May the process have inherited what `from` has opened? 1: it descends
	 * from it; 0: it does not; -errno: that is not known. */
	int (*descends)(void *arg, pid_t process, pid_t from);
	/* Which program a process runs: a number; 0: not known. */
	uint64_t (*program)(void *arg, pid_t process);
	/* Is the process at its end? No answer to a close reaches it then. */
	bool (*ending)(void *arg, pid_t thread);
	void *arg;
};
void fs_set_processes(struct fs *fs, const struct fs_processes *p);

#endif
