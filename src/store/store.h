/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object stores: one contract, several kinds behind it.
 *
 * A store maps keys (bytes, 1..1024, no NUL) to objects. An object has bytes,
 * an ETag that changes whenever the bytes do, a time, and metadata. There are
 * no directories here; a listing may group keys at a delimiter.
 *
 * Straight-line calls block until the store has answered, and return -EINTR
 * when the calling thread's operation is interrupted (base/waiter.h). Only
 * store_get() and store_part() are asynchronous: their done() runs on a thread
 * of the store's, perhaps before the call that started it has returned.
 *
 * Errors are -errno by the table in docs/architecture.md: -ENOENT no such
 * object, -EACCES refused, -ESTALE an If-Match that failed, -EEXIST an
 * If-None-Match that failed, -ENODEV no such bucket, -EFBIG, -ENAMETOOLONG,
 * -ENOSPC, -ETIMEDOUT, -EIO. An implementation logs each failure but -ENOENT,
 * -EINTR and -ECANCELED once, with stage, key, code and request id.
 *
 * Callers use the store_*() functions, which check the contract and announce
 * changes; the vtable is for implementations.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/log.h"
#include "base/scope.h"
#include "store/props.h"
#include "store/store_meta.h"
#include "store/store_presign.h"
#include "store/store_upload.h"

struct buf;
struct statvfs;
struct store;

#define STORE_KEY_MAX 1024

#define STORE_GET_ALL INT64_MAX
#define STORE_SIZE_UNKNOWN UINT64_MAX /* where it need not be known */

/* What a store knows of an object. Plain data, no pointers. */
struct object_info {
	uint64_t size;
	struct timespec mtime;
	char etag[STORE_ETAG_SIZE]; /* with its quotes; "" unknown */
	uint8_t class; /* its storage class (storage_class.h); 0: unknown */
	/* st_mode with its type bits, and whose it is, where the store keeps
	 * that (limits.files): mode is 0 where it does not. */
	uint32_t mode, uid, gid;
	/* There too: the file's number, on which disk, and when anything of it
	 * changed; 0 elsewhere. */
	uint64_t dev, ino;
	struct timespec ctime;
};

/* What only a HEAD tells. */
struct object_details {
	struct object_info info;
	char version_id[1025]; /* "" unknown */
	struct props props; /* its headers; one that does not fit is left out */
};

/* What store_stat() finds at a name. */
struct name_info {
	bool is_object; /* an object has exactly this key */
	bool is_prefix; /* keys begin with this key and '/' */
	bool has_marker; /* ... the key ending in '/' itself among them;
				   only told when it comes free */
	bool unlisted; /* with -EACCES: the keys may not list below it, and it
				   is no object that they may read */
	struct object_info info; /* when is_object; else of the directory,
				    where the store keeps its mode */
};

/* ---- listing ---- */

struct list_query {
	const char *prefix; /* "" everything */
	char delimiter; /* '/' or 0: none */
	const char *after; /* only keys behind this one; NULL: all. -EOPNOTSUPP
				   by the call or next(): it would list all */
	unsigned page; /* entries a request, of which the caller wants few, in
				   any order; 0: the store's most, in order */
	bool ahead; /* fetch the next page while this one is read */
	bool quiet; /* -EACCES is the caller's to log */
};

struct list_entry {
	const char *key; /* whole key; a prefix ends with the delimiter;
				   lives until the next store_list_next() */
	bool is_prefix;
	struct object_info info; /* objects; of a prefix its owner, mode and
				    time where the store keeps them */
};

struct store_list {
	struct store *store;
	bool ahead; /* the query's; the caller may change its mind */
	unsigned pages; /* that have come so far */
	unsigned left; /* entries of the last one, yet to be read */
	bool more; /* behind them a page is to be asked for */
	unsigned lost; /* names so far that are there and left out */
	bool unordered; /* a query with a page, of a store that does not sort */
	struct store_list_check *check; /* the wrapper's */
};

/* ---- ranged GET ---- */

/*
 * Caller-owned; lives until done(). data() gets the bytes in order, on a
 * store's thread; it stores, wakes and returns. A call that fails half-way
 * has delivered a prefix.
 */
struct store_get {
	const char *key; /* borrowed until done() */
	const char *etag; /* If-Match; NULL: whatever is there */
	uint64_t offset;
	uint64_t len; /* bytes wanted, > 0; fewer come at the end. From 0 on
			 STORE_GET_ALL: asked for without a range */
	bool ahead; /* read-ahead: yields to what is waited for */
	bool quiet; /* -EACCES is the caller's to log */
	void (*data)(struct store_get *get, const void *bytes, size_t n);
	/* rc 0: all that there is of the range came. info (valid then) is as
	 * the answer told it, its size perhaps STORE_SIZE_UNKNOWN. */
	void (*done)(struct store_get *get, int rc,
		     const struct object_info *info);
	bool whole; /* set before done(): the server knows no ranges, and sent
		       the object from its first byte on */
	/* Set before done(): an answer had no ETag, or a weak one, so that the
	 * bytes are good for this moment only. */
	bool unverified;
	/* NULL, or set before done(0) to its headers, if the answer has
	 * them. */
	struct props *props;
	bool has_props;
	void *state; /* the store's */
};

struct store_limits {
	uint64_t put_max; /* bytes of a single PUT or part */
	uint64_t part_min; /* of every part but the last */
	unsigned parts_max;
	uint64_t object_max;
	bool presign;
	bool utf8_keys; /* others are refused */
	bool crc32c; /* it sends that along: store_body.crc32c is welcome */
	/* Objects are files of this machine: store_open(), store_scratch(),
	 * store_set_attr() and store_rename() work, else -EOPNOTSUPP. */
	bool files;
};

/* What store_set_attr() changes; which: STORE_SET_* bits. */
#define STORE_SET_MODE 1
#define STORE_SET_UID 2
#define STORE_SET_GID 4
#define STORE_SET_ATIME 8
#define STORE_SET_MTIME 16
#define STORE_SET_CTIME 32 /* in metadata alone (store/attr_meta.h) */
struct store_attr {
	unsigned which;
	uint32_t mode, uid, gid;
	struct timespec atime, mtime; /* tv_nsec may be UTIME_NOW */
	struct timespec ctime;
};

/* ---- what a store does ----
 *
 * A function type for each call. A store defines one function of it, for its
 * vtable; callers have the wrapper of the same type, below.
 */

/*
 * Reaches the store once: does the bucket answer, do the keys hold? 0, or
 * -errno with a sentence for people in why; -EPERM: the keys hold, and may not
 * list, so that what they may do is not known.
 */
typedef int store_check_fn(struct store *s, const char *prefix,
			   struct buf *why);
/*
 * What is at this name: the object, and whether keys lie below it, asked side
 * by side. 0 also when nothing is there (both false). In a store of files ""
 * is its root.
 */
typedef int store_stat_fn(struct store *s, const char *key,
			  struct name_info *out);
/* Everything about one object. -ENOENT when there is none. */
typedef int store_head_fn(struct store *s, const char *key,
			  struct object_details *out);
/* Is what a listing told of by the ETag `listed` still there, under another in
 * the answers of the object itself? 0 and *now, -ESTALE: it is another. */
typedef int store_confirm_fn(struct store *s, const char *key,
			     const char *listed, struct object_info *now);

/*
 * An iterator in key order (objects and grouped prefixes in one order).
 * next: 1 an entry, 0 the end, -errno. One thread at a time. Keys begin with
 * the prefix and ascend (see list_query.page): a server that lists others is
 * -EIO.
 */
typedef int store_list_open_fn(struct store *s, const struct list_query *q,
			       struct store_list **out);
typedef int store_list_next_fn(struct store_list *l, struct list_entry *out);
typedef void store_list_close_fn(struct store_list *l);

/* Starts a ranged GET; every failure arrives at done(). */
typedef void store_get_fn(struct store *s, struct store_get *get);
/* done() comes soon, with -ECANCELED unless it had ended already. */
typedef void store_get_cancel_fn(struct store *s, struct store_get *get);

/*
 * One PUT of at most limits.put_max bytes. The object appears whole or not at
 * all. *out: what is there now (mtime as the store told it or the present).
 */
typedef int store_put_fn(struct store *s, const char *key,
			 const struct store_body *body,
			 const struct store_meta *meta,
			 const struct store_cond *cond,
			 struct object_info *out);

/* Multipart. Nothing is visible before complete. */
typedef int store_upload_open_fn(struct store *s, const char *key,
				 const struct store_meta *meta,
				 struct store_upload **out);
typedef void store_part_fn(struct store_part *part);
/* A part from a range of an object that is there: no bytes travel. at: as a
 * part's offset. -ESTALE, that it is another one, may come at completion where
 * it is of the object that is to be replaced. */
typedef int store_part_copy_fn(struct store_upload *u, unsigned number,
			       uint64_t at, const struct store_range *from,
			       struct store_part_done *out);
/* After success or failure the upload is still to be freed; after a failure
 * it may be tried again or aborted. -EDOM: STORE_LACKS_UNEVEN. */
typedef int store_upload_complete_fn(struct store_upload *u,
				     const struct store_part_done *parts,
				     unsigned n, const struct store_cond *cond,
				     struct object_info *out);
typedef int store_upload_abort_fn(struct store_upload *u);
typedef void store_upload_free_fn(struct store_upload *u);
typedef const char *store_upload_id_fn(struct store_upload *u);

typedef int store_pending_abort_fn(struct store *s,
				   const struct store_pending *p);
/*
 * Goes on with one: *out is as store_upload_open() had made it. there() is
 * called for each part that the store has, by the calling thread, with the
 * handle that is to be; not 0 ends it with that. -ENOENT: there is no such
 * upload, perhaps any more; -EOPNOTSUPP.
 */
typedef int store_part_there_fn(void *arg, struct store_upload *u,
				const struct store_part_there *part);
typedef int store_upload_resume_fn(struct store *s,
				   const struct store_pending *p,
				   store_part_there_fn *there, void *arg,
				   struct store_upload **out);

/* Server-side, any size, with all headers and the storage class. known: what
 * is known of the source: only the version of that ETag is copied, "" any; or
 * NULL. What a listing told of it may save asking for it. retype: the content
 * type goes with the name; NULL: it stays. */
typedef int store_copy_fn(struct store *s, const char *from,
			  const struct object_info *known, const char *to,
			  const struct store_retype *retype,
			  const struct store_cond *cond,
			  struct object_info *out);

/*
 * Other headers for an object whose bytes stay. `now` is what store_props()
 * told, with the headers of PROP_CONTENT as they shall be. -ESTALE: another
 * object is there by now. The ETag may be another then.
 */
typedef int store_set_props_fn(struct store *s, const char *key,
			       const struct object_details *now,
			       struct object_info *out);
/*
 * What store_props() would tell, without a request, of an object that this
 * process has stored less than age_ms ago: but for its attributes, which are
 * left out (attr_meta.h), and its time. False: it is to be asked for.
 */
typedef bool store_props_known_fn(struct store *s, const char *key,
				  const char *etag, unsigned age_ms,
				  struct object_details *out);
/* Can the server copy from that other store of its kind, as far as one can tell
 * without asking? */
typedef bool store_is_near_fn(const struct store *s, const struct store *other);
/* As store_copy_fn, from an object of a store that is near. -EACCES also when
 * the keys may not read it there. */
typedef int store_copy_from_fn(struct store *s, struct store *source,
			       const char *from,
			       const struct object_info *known, const char *to,
			       const struct store_retype *retype,
			       const struct store_cond *cond,
			       struct object_info *out);
/* Server-side: all of an object of that length becomes another one, as if it
 * were new. -ENOTSUP: it is too long for one request, or the store has no such.
 */
typedef int store_copy_as_fn(struct store *s, const struct store_range *from,
			     const char *to, const struct store_meta *meta,
			     struct object_info *out);

/* cond: its ETag, only the object that has it is removed, else -ESTALE; NULL:
 * any. A key that is not there is removed. */
typedef int store_remove_fn(struct store *s, const char *key,
			    const struct store_cond *cond);
/* Any number; results[i] is each key's own. 0, or the first failure. */
typedef int store_remove_many_fn(struct store *s, const char *const *keys,
				 unsigned n, int *results);

/* No request to the store. 0, -EINVAL, -EACCES ... with why. */
typedef int store_presign_fn(struct store *s, const struct store_presign *req,
			     struct store_presigned *out, struct buf *why);

/* `s3://bucket/key`: what a person calls this object. */
typedef void store_locate_fn(struct store *s, const char *key, struct buf *out);
/* One line on how it signs and which server answers, for `stagefs check`. */
typedef int store_describe_fn(struct store *s, struct buf *out);
/* What is amiss though the store answers; appends nothing where all is well. */
typedef void store_warn_fn(struct store *s, struct buf *out);
/*
 * Appends, in words, what it knows of that in which servers differ, as far as
 * that was asked for (store_probe()), but for what it has ignored.
 */
#define STORE_IGNORES_ABSENT 1 /* If-None-Match of a write */
#define STORE_IGNORES_MATCH 2 /* If-Match */
typedef void store_known_fn(struct store *s, unsigned ignores, struct buf *out);
/* When the credentials in use end, in Unix seconds; 0: never, or there are
 * none. Does not block. */
typedef int64_t store_credentials_end_fn(struct store *s);
/* Appends the object's MD5 as an ETag would be, with quotes, if that is known:
 * what LIST shows as md5. */
typedef void store_md5_fn(struct store *s, const struct object_info *info,
			  struct buf *out);

/* Stores of files (limits.files); for others -EOPNOTSUPP. */

/* The object's own file, for reading; the caller closes it. As store_get():
 * etag NULL is whatever is there, else -ESTALE. */
typedef int store_open_fn(struct store *s, const char *key, const char *etag,
			  int *fd, struct object_info *info);
/* Has the file still the content of that ETag? 0, or -ESTALE when another
 * program wrote into it: what was read since the last call does not count. */
typedef int store_same_fn(struct store *s, int fd, const char *etag);
/* A file without a name, open for both, on the disk where key would be: for a
 * body that is adopted. The caller closes it. */
typedef int store_scratch_fn(struct store *s, const char *key, int *fd);
/* Owner, mode, times; a key that ends in '/' is the directory, "" the root. The
 * ETag stays. *out (may be NULL): what is there now. */
typedef int store_set_attr_fn(struct store *s, const char *key,
			      const struct store_attr *a,
			      struct object_info *out);
/* Both end in '/' (a directory with everything below it) or neither does. What
 * stood at `to` goes, a directory only when it is empty (-ENOTEMPTY); with
 * if_absent -EEXIST. One step: there is never neither. ETags stay. */
typedef int store_rename_fn(struct store *s, const char *from, const char *to,
			    bool if_absent);
/* As rename, and both are there: each has the other's name afterwards, in one
 * step. -ENOTSUP: the disk cannot. */
typedef int store_exchange_fn(struct store *s, const char *one,
			      const char *other);
/* What was done to this name, to its attributes or, of a directory ("": the
 * root), to the names in it outlives a power cut. Other stores: 0, they answer
 * only what they keep. */
typedef int store_sync_fn(struct store *s, const char *key);
/* The disk's room. */
typedef int store_statfs_fn(struct store *s, struct statvfs *out);

/* ---- the vtable ---- */

struct store_ops {
	const char *kind; /* "s3", "mem" */
	void (*free)(struct store *s);
	store_check_fn *check;
	store_stat_fn *stat;
	store_head_fn *head;
	store_confirm_fn *confirm; /* NULL: listings have the same ETags */
	store_list_open_fn *list_open;
	store_list_next_fn *list_next;
	store_list_close_fn *list_close;
	store_get_fn *get;
	store_get_cancel_fn *get_cancel;
	store_put_fn *put;
	store_upload_open_fn *upload_open;
	store_part_fn *part, *part_cancel;
	store_part_copy_fn *part_copy;
	store_upload_complete_fn *upload_complete;
	store_upload_abort_fn *upload_abort;
	store_upload_free_fn *upload_free;
	store_upload_id_fn *upload_id;
	store_pending_abort_fn *pending_abort;
	store_upload_resume_fn *upload_resume; /* NULL: it does not */
	/* Appends the tags as PROP_TAGGING has them. NULL: there are none. */
	int (*tags)(struct store *s, const char *key, struct buf *out);
	store_copy_fn *copy;
	store_set_props_fn *set_props;
	store_props_known_fn *props_known; /* NULL: nothing ever is */
	store_copy_as_fn *copy_as; /* NULL: there is none */
	store_is_near_fn *is_near; /* NULL: no other is */
	store_copy_from_fn *copy_from; /* NULL with is_near */
	store_remove_fn *remove;
	store_remove_many_fn *remove_many;
	store_presign_fn *presign;
	store_md5_fn *md5; /* NULL: it is the ETag, as S3 has it */
	store_locate_fn *locate;
	store_describe_fn *describe;
	store_warn_fn *warn; /* NULL: nothing ever is */
	store_known_fn *known; /* NULL: there is nothing to tell */
	store_credentials_end_fn *credentials_end; /* NULL: they have none */
	/* store_error_words(); NULL, or NULL returned: strerror(3) will do. */
	const char *(*error_words)(int rc);
	/* Of a store of files, else NULL. */
	store_open_fn *open;
	store_same_fn *same;
	store_scratch_fn *scratch;
	store_set_attr_fn *set_attr;
	store_rename_fn *rename;
	store_exchange_fn *exchange;
	store_sync_fn *sync;
	store_statfs_fn *statfs;
};

/* When a close is answered. */
enum store_write_back {
	STORE_WRITE_THROUGH, /* when the store has the object */
	STORE_WRITE_BACK, /* when the local disk has it; fsync too */
	STORE_WRITE_BACK_FSYNC, /* the same, but fsync waits for the store */
};

/* Implementations embed this first; store_init() sets it up. */
struct store {
	const struct store_ops *ops;
	struct store_limits limits;
	char *name; /* for the log: the stage's */
	/* Two stores with the same one have the same objects: so their bytes
	 * may be kept by it, key and ETag. NULL: they may not. Owned. */
	char *identity;
	int broken; /* 0, or what every call fails with: store_broken_new() */
	bool types; /* new objects have the content type of their names */
	/* Objects have mode, owner and times in their metadata
	 * (store/attr_meta.h); the callers read them there, and write them. */
	bool attributes;
	enum store_write_back write_back;
	unsigned refs; /* atomic */
	unsigned lacks; /* atomic: store_lacks() */
};

/* What the store turned out not to do, so that it is not tried again. */
#define STORE_LACKS_LISTING 1 /* of just any prefix: the keys may not */
#define STORE_LACKS_AFTER 2 /* list_query.after */
/* All parts of an upload but the last are to have one length: completing others
 * is refused with -EDOM. */
#define STORE_LACKS_UNEVEN 4

static inline bool store_lacks(const struct store *s, unsigned what)
{
	return __atomic_load_n(&s->lacks, __ATOMIC_RELAXED) & what;
}
static inline void store_learn_lack(struct store *s, unsigned what)
{
	__atomic_or_fetch(&s->lacks, what, __ATOMIC_RELAXED);
}

int store_init(struct store *s, const struct store_ops *ops, const char *name);
void store_fini(struct store *s);

/*
 * In place of a store that cannot be opened: every call fails with what went
 * wrong, and store_check() says it in words. So one directory that is not there
 * does not hold up the other stages. url: of the place, with a '/' at its end.
 * rc: -errno, of which -ENOENT is told as -ENODEV: no file is missing, but the
 * whole store. The strings are copied.
 */
int store_broken_new(const char *name, const char *url, int rc, const char *why,
		     struct store **out);

struct store *store_ref(struct store *s);
void store_unref(struct store *s);

/* ---- for callers ---- */

/*
 * The content type that a new object of that key is to be given; NULL: none. A
 * store of files is given none, and tells that of the name by itself.
 */
const char *store_type(const struct store *s, const char *key);
/* What an error means for a key: a directory has others to give than a
 * server. A sentence without a full stop, not to be freed. */
const char *store_error_words(const struct store *s, int rc);
/* How loudly a store tells the log of a failure. */
enum log_level store_error_level(int rc);

store_check_fn store_check;
store_stat_fn store_stat;
store_head_fn store_head;
/*
 * The same for a write that puts another version in its place: the headers
 * that it is to have again. One more request when the object has tags; tags
 * that may not be read are left out, which is logged.
 */
store_head_fn store_props;
store_confirm_fn store_confirm;

store_list_open_fn store_list_open;
store_list_next_fn store_list_next;
store_list_close_fn store_list_close;
SCOPE_POINTER(struct store_list, store_list_close);
#define STORE_LIST_LOCAL SCOPED(store_list_close) struct store_list

store_get_fn store_get;
store_get_cancel_fn store_get_cancel;
/* The same, sleeping: 0 and the bytes read in *n, or -errno. */
int store_get_sync(struct store *s, const char *key, const char *etag,
		   uint64_t offset, void *bytes, size_t len, size_t *n,
		   struct object_info *info);
/* All of a small object, n of len bytes, with its headers. 1: these the store
 * does not tell by the way. etag NULL: whatever is there, if perhaps not all of
 * it; -EACCES is the caller's to log then. */
int store_get_whole(struct store *s, const char *key, const char *etag,
		    void *bytes, size_t len, size_t *n,
		    struct object_details *out);

store_put_fn store_put;
store_upload_open_fn store_upload_open;
store_part_fn store_part, store_part_cancel;
store_part_copy_fn store_part_copy;
store_upload_complete_fn store_upload_complete;
store_upload_abort_fn store_upload_abort;
store_upload_free_fn store_upload_free;
store_upload_id_fn store_upload_id;
store_pending_abort_fn store_pending_abort;
store_upload_resume_fn store_upload_resume;

/* The content type stays. */
int store_copy(struct store *s, const char *from, const char *etag,
	       const char *to, const struct store_cond *cond,
	       struct object_info *out);
store_copy_fn store_copy_named;
store_set_props_fn store_set_props;
store_props_known_fn store_props_known;
store_copy_as_fn store_copy_as;
store_is_near_fn store_is_near; /* a store of objects is near itself */
store_copy_from_fn store_copy_from;

/* rc is no answer of the store's: it may have done what it was asked all the
 * same. */
bool store_maybe_done(int rc);

int store_remove(struct store *s, const char *key);
/* Only while the object has this ETag, else -ESTALE. A server of objects that
 * is not known to have a conditional DELETE is asked right before, and may
 * change between. */
int store_remove_same(struct store *s, const char *key, const char *etag);
/* The same, and it was that one less than STORE_JUST_MS ago, as the caller has
 * seen: such a server is not asked again. */
#define STORE_JUST_MS 1000
int store_remove_seen(struct store *s, const char *key, const char *etag);
store_remove_many_fn store_remove_many;

store_presign_fn store_presign;
store_locate_fn store_locate;
store_describe_fn store_describe;
store_warn_fn store_warn;
store_known_fn store_known;
store_credentials_end_fn store_credentials_end;
store_md5_fn store_md5;

store_open_fn store_open;
store_same_fn store_same;
store_scratch_fn store_scratch;
store_set_attr_fn store_set_attr;
store_rename_fn store_rename;
store_exchange_fn store_exchange;
store_sync_fn store_sync;
store_statfs_fn store_statfs;

#endif
