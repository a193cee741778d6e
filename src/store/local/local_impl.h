/*
 * The inside of the local store, shared by its files only.
 */
#ifndef STORE_LOCAL_LOCAL_IMPL_H
#define STORE_LOCAL_LOCAL_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/lock.h"
#include "store/local/local.h"

/* In the folder of ours. */
#define LOCAL_LOCKS "locks" /* one byte for each hash of a key */
#define LOCAL_TMP "tmp" /* names that stand for microseconds */
#define LOCAL_UPLOADS "uploads" /* a folder for each upload */
#define LOCAL_DATA "data" /* ... in which this becomes the object */
#define LOCAL_UPLOAD_KEY "key" /* beside it: whose upload it is */
#define LOCAL_KEYS "keys"
#define LOCAL_GATEWAY "gateway"
#define LOCAL_NAME_SIZE 256 /* a segment with its NUL */
#define LOCAL_ID_SIZE 25 /* 96 random bits in hex, with the NUL */
#define LOCAL_SMALL_MAX 4096 /* bytes of a small file of the folder */

/* A small file of the folder as it was read last. */
struct local_stamp {
	uint64_t ino;
	uint64_t size;
	struct timespec mtime, ctime;
};

struct local_locked {
	struct local_key key;
	struct local_stamp key_stamp; /* ino 0: never read */
	char *address; /* NULL: none */
	struct local_stamp address_stamp;
};

struct local {
	struct store base;
	char *root; /* absolute, without a '/' at its end */
	char *url_name, *public_url; /* public_url NULL: none */
	int root_fd; /* O_PATH */
	int folder_fd; /* -1: there is none, or it is closed to us */
	_Atomic int ro_err; /* 0, or why nothing could be written last */
	struct lock lock;
	struct local_locked guarded_;
};

static inline struct local *local_of(struct store *s)
{
	return (struct local *)s;
}

static inline struct local_locked *local_locked(struct local *l)
	REQUIRES(&l->lock)
{
	return &l->guarded_;
}

/* ---- local_error.c ---- */

/* Logs unless the failure is an answer (-ENOENT ...). what: "write", for
 * "cannot write"; why NULL: errno's words. Returns err. */
int local_failed(struct local *l, const char *what, const char *key, int err,
		 const char *why);
/* ---- local_file.c ---- */
/* openat2() beneath the root; path "" is the root. No symlink is followed, no
 * mount entered. A file descriptor or -errno. */
int local_openat(int at, const char *path, int flags);
/* Owner and mode of what is made: 0 or -errno. */
int local_own(int fd, const struct store_owner *owner, bool mode);
/* Is the open directory one that we have made since then? Between making and
 * opening it the owner of the folder above may give its name to another. */
bool local_is_made(int fd, const struct timespec *since);
/* A directory, made with its owner (and mode) if nothing is there; *made says
 * which. A file descriptor or -errno. */
int local_mkdir(int at, const char *name, const struct store_owner *owner,
		bool mode, bool *made);
/* A name for a file that has none. */
int local_link(int fd, int dir, const char *name);
void local_random_id(char out[LOCAL_ID_SIZE]);

/* ---- local_root.c: the disk, at start ---- */

int local_root_open(struct local *l, struct buf *err);
/* Where nothing could be written: can it now? 0 or why not. */
int local_root_again(struct local *l);
/* 0, or why nothing is written here: logged. */
int local_writable(struct local *l, const char *what, const char *key);

/* ---- local_folder.c: what lies in the folder of ours ---- */

/* One of its folders, made where it is not there: a file descriptor, to be
 * closed; -EUCLEAN: something else is there. */
int local_folder_open(struct local *l, const char *name);
/* One in an open folder. */
int local_folder_below(int at, const char *name);
/* A file of an open folder. -EUCLEAN: another's, with two names, none. */
int local_folder_file(int at, const char *name, int flags, struct stat *st);
/* The file of locks. */
int local_folder_locks(struct local *l);
/* What was made there becomes the folder's owner's. */
int local_folder_own(struct local *l, int fd);

/* ---- local_sweep.c ---- */
/* Removes what dead processes have left; old_s: from which age on a name that
 * should not last counts as left. */
void local_sweep(struct local *l, int64_t old_s);

/* ---- local_path.c: from a key to a folder and a name in it ---- */

struct local_path {
	int dir; /* the folder that holds it; -1: none is open */
	char name[LOCAL_NAME_SIZE];
	bool is_dir; /* the key ends in '/' */
};

/* 0 or -errno: can a file system hold it? *why: a sentence. */
int local_key_check(const char *key, const char **why);
/* The folder of a key that was checked: -ENOENT there is none (or a file
 * stands in its way: -ENOTDIR). */
int local_path_open(struct local *l, const char *key, struct local_path *out);
/* The same for writing; folders that are not there are made and flushed. */
int local_path_make(struct local *l, const char *key,
		    const struct store_owner *owner, struct local_path *out);
void local_path_close(struct local_path *p);
/* Folders that only keys needed, and that are empty now, go: from the one that
 * holds key upwards. */
void local_prune(struct local *l, const char *key);
/* The object's file for reading; -ENOENT: no regular file. */
int local_open_file(struct local *l, const char *key, struct stat *st);
int local_open_dir(struct local *l, const char *key, struct stat *st);

/* ---- local_note.c: what is kept with a file ---- */

struct local_note {
	bool bound; /* it is of this very content */
	bool implied; /* a folder that is there for keys below it only */
	char etag[STORE_ETAG_SIZE];
	struct props props; /* of PROP_CONTENT */
};

/* What of a store_meta is kept. */
struct local_kept {
	struct props props;
	bool has_md5;
	unsigned char md5[16];
};

/* 0, -EINVAL (no MD5) or -E2BIG. */
int local_kept_init(struct local_kept *k, const struct store_meta *meta);
/* From a note: a copy is what its source is. */
void local_kept_of(struct local_kept *k, const struct local_note *note);

/* What is known of an open file or folder; never fails: what cannot be read is
 * not there. */
void local_note_read(int fd, const struct stat *st, struct local_note *out);
/* The same of a name in a folder, ETag and implied alone. */
void local_note_read_at(int dir, const char *name, const struct stat *st,
			struct local_note *out);
/* Writes a note with a new ETag, which *st is bound to; implied: of a folder
 * that keys need; how: 0, or XATTR_CREATE (-EEXIST: it has one). */
int local_note_write(int fd, const struct stat *st, const struct local_kept *k,
		     bool implied, int how, char etag[STORE_ETAG_SIZE]);
/* Keeps a note while the time changes: bound to st and to mtime alike. */
int local_note_rebind(int fd, const struct stat *st,
		      const struct local_note *note, struct timespec mtime);
void local_info(const struct stat *st, const char *etag,
		struct object_info *out);
store_md5_fn local_md5;

/* ---- local_lock.c ---- */

/* Nobody else changes what is at these keys (two NULL: one), in any process.
 * A file descriptor, to be closed; -ETIMEDOUT, -EINTR ... */
int local_lock_keys(struct local *l, const char *one, const char *two);

/* ---- local_head.c ---- */
/* The content type that a key stands for; NULL: none. */
const char *local_type(const struct local *l, const char *key);
store_stat_fn local_stat;
store_head_fn local_head;
store_open_fn local_open;
store_same_fn local_same;
store_get_fn local_get;
store_get_cancel_fn local_get_cancel;

/* ---- local_body.c: bytes into a file ---- */
/* A file without a name on the disk where key would be, open for both. */
int local_tmpfile(struct local *l, const char *key);
/* len bytes from one file to another: -EIO it is short, -EINTR. */
int local_copy_range(int from, uint64_t from_at, int to, uint64_t to_at,
		     uint64_t len);
int local_write_body(const struct store_body *body, int to, uint64_t to_at);

/* ---- local_commit.c: a whole file takes its place ---- */

struct local_commit {
	struct local *l;
	const char *what; /* for the log */
	const char *key;
	const struct store_owner *owner;
	const struct store_cond *cond;
	const struct local_kept *kept;
	bool inherit; /* the headers of what is replaced, below these */
	int fd; /* the file */
	/* Where it has a name; NULL: it has none. */
	int from_dir;
	const char *from_name;
};
int local_commit(const struct local_commit *c, struct object_info *out);
/* Does the condition hold for what is there (st NULL: nothing)? */
int local_cond(const struct store_cond *cond, const struct stat *st,
	       const char *etag);
/* A key that ends in '/'. */
int local_put_dir(struct local *l, const char *key,
		  const struct store_meta *meta, const struct store_cond *cond,
		  const struct local_kept *kept, struct object_info *out);

/* ---- local_put.c ---- */
store_put_fn local_put;
store_copy_fn local_copy;
store_scratch_fn local_scratch;

/* ---- local_upload.c ---- */
store_upload_open_fn local_upload_open;
store_part_fn local_part;
store_part_fn local_part_cancel;
store_part_copy_fn local_part_copy;
store_upload_complete_fn local_upload_complete;
store_upload_abort_fn local_upload_abort;
store_upload_free_fn local_upload_free;
store_upload_id_fn local_upload_id;

/* ---- local_pending.c: the folders of uploads ---- */
/* Makes one, with a note of its key; *dir itself, *fd its LOCAL_DATA; -1 when
 * it fails. */
int local_pending_make(struct local *l, const char *key, char id[LOCAL_ID_SIZE],
		       int *dir, int *fd);
/* 0 also when it is gone. */
int local_pending_drop(struct local *l, const char *id);
store_pending_fn local_pending;
store_pending_abort_fn local_pending_abort;

/* ---- local_remove.c ---- */
store_remove_fn local_remove;
store_remove_many_fn local_remove_many;

/* ---- local_attr.c ---- */
store_set_attr_fn local_set_attr;
store_rename_fn local_rename;

/* ---- local_sync.c ---- */
store_sync_fn local_sync;

/* ---- local_scan.c: a folder's names in order, in bounded memory ---- */

struct local_scan;
/* Names that begin with match, folders with a '/' at their end, without those
 * of stores; budget: bytes. */
struct local_scan *local_scan_new(const char *match, size_t budget);
void local_scan_free(struct local_scan *s);
/* The next name, "" at the end, which lives until the call after. dir: the
 * folder, open for reading, for when names must be read. 0 or -errno. */
int local_scan_next(struct local_scan *s, int dir, const char **name);
/* Bytes of names that it has in memory. */
size_t local_scan_held(const struct local_scan *s);

/* ---- local_list.c ---- */
store_list_open_fn local_list_open;
store_list_next_fn local_list_next;
store_list_close_fn local_list_close;

/* ---- local_small.c: small files of the folder ---- */
bool local_stamp_same(const struct local_stamp *a, const struct local_stamp *b);
/* 0, -ENOENT ... */
int local_small_stamp(struct local *l, const char *name,
		      struct local_stamp *out);
/* -EACCES also when it is open to others. */
int local_small_read(struct local *l, const char *name, struct buf *out,
		     struct local_stamp *stamp);
/* Whole or not at all; -EEXIST unless it may replace. */
int local_small_write(struct local *l, const char *name, const struct buf *text,
		      bool replace);

/* ---- local_key.c ---- */

/* Another one; replace: in the place of one that is there. 0 or -errno. */
int local_key_write(struct local *l, bool replace);
/* SCHEME://HOST[:PORT] of a URL without a path. 0, or -EINVAL and why. */
int local_origin_of(const char *text, struct buf *out, struct buf *err);
/* The public endpoint's, else what the gateway wrote, else
 * `http://127.0.0.1:8000`. */
void local_origin(struct local *l, struct buf *out);

/* ---- local_presign.c ---- */
store_presign_fn local_presign;

#endif
