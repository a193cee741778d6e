/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files: a handle is a use of the inode's one open content (file.h) and a
 * way of reading it (reader.h).
 *
 * Close-to-open: open asks the store, however fresh what we know is. For a
 * program that will read, that is the first GET that a read would start, with
 * If-Match, so it costs nothing; for one that writes, or when the kernel has
 * the first bytes already, a HEAD; for one that only writes, to a small object
 * that it does not empty, a GET of all that its publication needs. A small file
 * of which all bytes are here is believed as long as its name, and held, so
 * that it is read whole. What is open over an object that was replaced since
 * becomes an orphan, and the name another inode, which the kernel finds when it
 * looks the name up again: so open says -ESTALE then. A kernel that was told
 * the size of another object would cut the bytes off there: it is made to
 * forget that first.
 *
 * `program > file` opens with O_TRUNC, and the shell closes a duplicate before
 * the program has begun. closing.h tells that from the last close; where it
 * cannot, the first close of a handle that emptied an object and wrote nothing
 * does not publish, so that the old object stays until there is something in
 * its place; the next close, fsync or the release does. Once a close has failed
 * and said so, the release does not try behind its back: the old object stays.
 *
 * What an open that cannot write has made or emptied is published by the open
 * itself: a lock file (O_CREAT | O_EXCL alone) is there for others as soon as
 * its maker believes so, and no close has anything to report.
 */
#include "fs/close_errors.h"
#include "fs/names.h"
#include "fs/names/refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fs/attr/attr_queue.h"
#include "fs/content/file_base.h"
#include "fs/content/file_map.h"
#include "fs/file_ahead.h"
#include "fs/inval_queue.h"
#include "stage/stage.h"

#define OPEN_TRIES 2

/* Is the object in the store still the one of v? 0 or -ESTALE, else why that
 * could not be told. f learns its headers by the way. */
static int fs_file_ask_head(struct fs *fs, struct inode *i, struct file *f,
			    const struct inode_view *v)
{
	uint64_t asked = tree_clock(fs->tree);
	int64_t asked_ms = clock_mono_ms();
	MEM_LOCAL struct object_details *now = malloc(sizeof(*now));
	INODE_OBJECT_LOCAL o;
	int rc = inode_object(fs->tree, i, &o);

	rc = !now ? -ENOMEM : rc;
	if (!rc)
		rc = store_head(o.stage->store, buf_str(&o.key), now);
	if (rc == -ENOENT || (!rc && strcmp(now->info.etag, v->info.etag)))
		rc = -ESTALE;
	if (!rc) {
		tree_refresh_confirm(fs->tree, i, v->info.etag, asked,
				     asked_ms);
		file_props_refresh(f, now);
	}
	return rc;
}

static int fs_file_ask_first_bytes(struct fs *fs, struct inode *i,
				   struct file *f, const struct inode_view *v)
{
	uint64_t asked = tree_clock(fs->tree);
	int64_t asked_ms = clock_mono_ms();
	int rc = reader_first(f);

	if (!rc)
		tree_refresh_confirm(fs->tree, i, v->info.etag, asked,
				     asked_ms);
	return rc;
}

/* The same by a GET of all of it, which the publication of a change will
 * need. */
static int fs_file_ask_bytes(struct fs *fs, struct inode *i, struct file *f,
			     const struct inode_view *v)
{
	uint64_t asked = tree_clock(fs->tree);
	int64_t asked_ms = clock_mono_ms();
	INODE_OBJECT_LOCAL o;
	int rc = inode_object(fs->tree, i, &o);

	if (!rc)
		rc = file_base_fetch(f, buf_str(&o.key), v);
	if (!rc)
		tree_refresh_confirm(fs->tree, i, v->info.etag, asked,
				     asked_ms);
	return rc;
}

/* It is this object, unless it was replaced within metadata_ttl; one that
 * others replace is not believed to be still the same. */
static bool fs_file_is_believed(const struct inode_view *v, bool asked)
{
	return asked || (v->fresh && !v->changes);
}

/* For one that will read. -EAGAIN: nothing has told. */
static int fs_file_ask_read(struct fs *fs, struct inode *i, struct file *f,
			    const struct inode_view *v, bool asked)
{
	bool believed = fs_file_is_believed(v, asked);
	int rc;

	if (believed && !v->info.size && *v->info.etag)
		return 0; /* all of its bytes are here: there are none */
	rc = file_ahead_open(fs->file_ahead, i, f, v);
	if (rc == -EAGAIN && believed)
		rc = file_map_hold(f, v->info.etag);
	if (rc != -EAGAIN)
		return rc;
	file_ahead_missed(fs->file_ahead, i, v);
	if (inode_etag_has_begin(fs->tree, i, v->info.etag))
		return -EAGAIN;
	rc = fs_file_ask_first_bytes(fs, i, f, v);
	if (rc == -EALREADY) /* another open has begun meanwhile */
		rc = believed ? file_map_hold(f, v->info.etag) : -EAGAIN;
	return rc;
}

/*
 * A store of files has looked when it opened the file, and what is not
 * published, or emptied anyway, has nothing to be asked for. asked: the store
 * was asked for the name just now.
 */
static int fs_file_confirm(struct fs *fs, struct inode *i, int flags,
			   struct file *f, const struct inode_view *v,
			   bool asked)
{
	int rc = -EAGAIN;

	if (!v->policy->asked_by_etag || v->dirty || v->orphan ||
	    !v->published || (flags & O_TRUNC))
		return 0;
	if (!handle_writing(flags))
		rc = fs_file_ask_read(fs, i, f, v, asked);
	if ((flags & O_ACCMODE) == O_WRONLY)
		rc = fs_file_ask_bytes(fs, i, f, v);
	if (rc == -EAGAIN)
		rc = asked ? 0 : fs_file_ask_head(fs, i, f, v);
	return rc;
}

/*
 * The store has not what we know by its ETag. Some stores' listings have others
 * than their objects: then it is the same object, and is known by its own from
 * now on. Else the next lookup is to ask.
 */
static void fs_file_other_etag(struct fs *fs, struct inode *i,
			       const struct inode_view *v)
{
	struct object_info now;
	INODE_OBJECT_LOCAL o;
	int rc = inode_object(fs->tree, i, &o);

	if (!v->policy->asked_by_etag || v->orphan || !v->published ||
	    !*v->info.etag)
		rc = -ESTALE;
	if (!rc)
		rc = store_confirm(o.stage->store, buf_str(&o.key),
				   v->info.etag, &now);
	if (rc)
		inode_invalidate(fs->tree, i);
	else
		inode_etag_renamed(fs->tree, i, v->info.etag, now.etag);
}

static int fs_file_open_once(struct fs *fs, struct inode *i, int flags,
			     struct file **out, struct inode_view *v)
{
	bool asked;
	int rc = 0;

	inode_file_view(fs->tree, i, v);
	asked = !v->fresh;
	if (asked && !v->orphan)
		rc = resolve_refresh(fs, i, v);
	if (rc)
		return rc;
	if (v->kind != INODE_FILE)
		return -EISDIR;
	if (v->lost || (v->orphan && !v->open))
		return -ESTALE;
	rc = file_open(&fs->env, i, v->published ? &v->info : NULL, out);
	if (!rc) {
		rc = fs_file_confirm(fs, i, flags, *out, v, asked);
		if (rc)
			file_close(*out);
	}
	if (rc == -ESTALE)
		fs_file_other_etag(fs, i, v);
	return rc;
}

/* The content of i as one may open it now, with what it stands on. A rename of
 * the file that was under way meanwhile is waited for. */
static int fs_file_open_content(struct fs *fs, struct inode *i, int flags,
				struct file **out, struct inode_view *v)
{
	int rc = fs_file_open_once(fs, i, flags, out, v);

	for (int k = 0; rc == -ESTALE && k < OPEN_TRIES; k++) {
		if (claims_publish_wait(fs->tree, i))
			break;
		rc = fs_file_open_once(fs, i, flags, out, v);
	}
	return rc;
}

/* O_TRUNC. */
static int fs_file_empty(struct fs *fs, struct file *f, int flags)
{
	int rc = file_reset(f);

	if (!rc && !handle_writing(flags))
		rc = HANDLE_WRITE(fs, file_publish(f));
	return rc;
}

/* The kernel has attributes of an object that is not there any more. */
static int fs_file_show_again(struct fs *fs, struct inode *i,
			      const struct inode_view *v)
{
	if (inode_etag_has_attr(fs->tree, i, v->info.etag))
		return 0;
	if (!inval_queue_inode(fs->inval_queue, i, false) ||
	    !inval_queue_settle(fs->inval_queue))
		return -ESTALE; /* it is to look the name up again */
	inode_etag_set_attr(fs->tree, i, inode_etag_hash(v));
	return 0;
}

/* It may be written to, if flags say so. */
static int fs_file_open_allowed(struct fs *fs, struct inode *i, int flags,
				struct handle **out, bool *keep_cache)
{
	bool emptied = flags & O_TRUNC;
	struct inode_view v, now;
	struct file *f;
	int rc = close_errors_tell(fs, i, NULL, flags);

	if (!rc)
		rc = fs_file_open_content(fs, i, flags, &f, &v);
	if (rc)
		return rc;
	if (emptied)
		rc = fs_file_empty(fs, f, flags);
	else if (v.published)
		rc = fs_file_show_again(fs, i, &v);
	if (rc) {
		file_close(f);
		return rc;
	}
	*keep_cache = inode_etag_take_pages(fs->tree, i, v.info.etag);
	inode_use(fs->tree, i, &now);
	rc = handle_new(fs, f, flags, emptied && v.info.size, now.ino, out);
	if (!rc && !*keep_cache)
		(*out)->kernel_pages_etag = inode_etag_hash(&v);
	return rc;
}

int fs_file_open(struct fs *fs, struct inode *i, int flags, struct handle **out,
		 bool *keep_cache)
{
	int rc = 0;

	if (handle_writing(flags) || (flags & O_TRUNC))
		rc = names_writable(fs, i);
	return rc ? rc : fs_file_open_allowed(fs, i, flags, out, keep_cache);
}

/* The kernel uses a handle: it is done with what open told it to do. */
static void fs_file_note_pages(struct fs *fs, struct handle *h)
{
	uint32_t version = atomic_exchange(&h->kernel_pages_etag, 0);

	if (version)
		inode_etag_set_pages(fs->tree, file_inode(h->file), version);
}

/* A new name is not to be: what the kernel was about to know goes as well. */
static void fs_file_create_failed(struct fs *fs, struct inode *dir,
				  const char *name, struct inode *i,
				  bool entered)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	if (!v.published)
		tree_remove(fs->tree, i);
	if (entered)
		fs_forget(fs, i, 1);
	inode_unref(fs->tree, i);
	tree_invalidate(fs->tree, dir, name); /* it may be in the store */
}

/* What was created is published at once, as no flush will come. */
static int fs_file_publish_new(struct fs *fs, struct inode *i, struct file *f,
			       struct inode_view *v)
{
	int rc = HANDLE_WRITE(fs, file_publish(f));

	if (rc)
		return rc;
	inode_show(fs->tree, i, v);
	inode_etag_set_pages(fs->tree, i, inode_etag_hash(v));
	return 0;
}

/* A name that does not exist, made here: in the store at the first flush, or
 * now if none will come. -EEXIST: *there is what does, or NULL. */
static int fs_file_create_new(struct fs *fs, struct inode *dir, struct ask *ask,
			      const char *name, mode_t mode, int flags,
			      const struct fs_caller *c, struct fs_entry *out,
			      struct handle **h, struct inode **there)
{
	struct tree_new_name n = { .kind = INODE_FILE, .mode = mode };
	BUF_LOCAL key = NAMES_KEY;
	struct fs_caller owner;
	struct inode_view v;
	struct inode *i;
	struct file *f;
	int rc = inode_place_key(&ask->at, name, &key);

	if (!rc)
		rc = close_errors_tell(fs, dir, name, flags);
	names_maker(&ask->at.view, false, c, &owner, &n.mode);
	n.uid = owner.uid;
	n.gid = owner.gid;
	if (!rc)
		rc = ask_create(fs->tree, ask, dir, name, &n, &i);
	if (rc == -EEXIST)
		*there = i;
	if (rc)
		return rc;
	rc = file_create(&fs->env, i, ask->at.stage, buf_str(&key), &v, &f);
	if (rc) {
		fs_file_create_failed(fs, dir, name, i, false);
		return rc;
	}
	if (!handle_writing(flags))
		rc = fs_file_publish_new(fs, i, f, &v);
	if (rc) {
		inode_ref(fs->tree, i);
		file_close(f);
		fs_file_create_failed(fs, dir, name, i, true);
		return rc;
	}
	v.open = false; /* its size is what v says: none */
	names_fill(fs, i, &v, out);
	rc = handle_new(fs, f, flags, false, v.ino, h);
	if (rc)
		fs_forget(fs, i, 1);
	return rc;
}

/* Another thread or machine has made it since the kernel looked. */
static int fs_file_create_over(struct fs *fs, struct inode *i, int flags,
			       const struct fs_caller *c, struct fs_entry *out,
			       struct handle **h)
{
	struct inode_view v;
	bool keep;
	int rc = flags & O_EXCL ? -EEXIST : 0;

	if (!rc && c->drop_setid)
		rc = fs_drop_setid(fs, i);
	if (!rc)
		rc = fs_file_open_allowed(fs, i, flags, h, &keep);
	if (rc) {
		inode_unref(fs->tree, i);
		return rc;
	}
	inode_enter(fs->tree, i, &v);
	v.open = false; /* its size is told here */
	file_size((*h)->file, &v.info.size);
	names_fill(fs, i, &v, out);
	return 0;
}

/* What the store has there; TREE_UNKNOWN: nothing, but the tree is yet to be
 * told. */
static int fs_file_create_ask(struct fs *fs, struct inode *dir,
			      const char *name, struct ask *ask,
			      enum tree_answer *answer, struct inode **i)
{
	struct name_info found;
	int rc;

	if (!ask->is_begun) { /* it was a directory */
		rc = resolve_ask(fs, dir, name, i);
		*answer = rc ? TREE_ABSENT : TREE_KNOWN;
		return rc == -ENOENT ? 0 : rc;
	}
	rc = resolve_look(fs, ask, dir, name, &found);
	if (rc || (!found.is_object && !found.is_prefix))
		return rc;
	*i = ask_answered(fs->tree, ask, dir, name, &found);
	*answer = *i ? TREE_KNOWN : TREE_ABSENT;
	return 0;
}

static int fs_file_create_once(struct fs *fs, struct inode *dir,
			       const char *name, mode_t mode, int flags,
			       const struct fs_caller *c, struct fs_entry *out,
			       struct handle **h)
{
	enum tree_answer answer;
	struct inode *i = NULL;
	struct ask ask;
	int rc = resolve_check(name), asked;

	/* What another machine has made meanwhile is to be kept (`>>`). */
	asked = ask_find(fs->tree, dir, name, !(flags & (O_TRUNC | O_EXCL)),
			 &answer, &i, &ask);
	if (!rc && names_writable_stage(fs, ask.at.stage))
		rc = -EROFS;
	if (!rc)
		rc = asked;
	if (!rc && answer == TREE_UNKNOWN)
		rc = fs_file_create_ask(fs, dir, name, &ask, &answer, &i);
	if (!rc && answer != TREE_KNOWN)
		rc = fs_file_create_new(fs, dir, &ask, name, mode, flags, c,
					out, h, &i);
	ask_end(fs->tree, &ask);
	if (i && (!rc || rc == -EEXIST))
		rc = fs_file_create_over(fs, i, flags, c, out, h);
	else
		inode_unref(fs->tree, i);
	return rc;
}

int fs_file_create(struct fs *fs, struct inode *dir, const char *name,
		   mode_t mode, int flags, const struct fs_caller *c,
		   struct fs_entry *out, struct handle **h)
{
	int rc;

	if (names_is_root(fs, dir))
		return refusal_say(REFUSAL_ROOT_FILE, name, -EPERM);
	rc = NAMES_MAKE(fs, dir, name,
			fs_file_create_once(fs, dir, name, mode, flags, c, out,
					    h));
	return refusal_say_name(name, rc);
}

int fs_file_read(struct fs *fs, struct handle *h, off_t offset, size_t len,
		 struct fs_data *out)
{
	int rc;

	if (offset < 0)
		return -EINVAL;
	fs_file_note_pages(fs, h);
	rc = reader_read(&h->reader, h->file, offset, len, out);
	if (!rc && !offset)
		inode_etag_set_begin(fs->tree, file_inode(h->file));
	if (rc == -ESTALE) /* the next open is to ask */
		inode_invalidate(fs->tree, file_inode(h->file));
	return rc;
}

static int fs_file_write_at(struct fs *fs, struct handle *h, uint64_t at,
			    const void *bytes, size_t len)
{
	int rc = HANDLE_WRITE(fs, file_write(h->file, at, bytes, len));

	h->write_rc = rc;
	h->state = rc ? HANDLE_SHORT : HANDLE_PLAIN;
	h->written = true;
	return rc;
}

/*
 * A program that was told of a failed write and closes the file must not leave
 * a short object behind, in the place of a whole one: until a later write
 * succeeds, its closes fail for the same reason.
 */
int fs_file_write(struct fs *fs, struct handle *h, off_t offset,
		  const void *bytes, size_t len)
{
	if (offset < 0)
		return -EINVAL;
	if (!handle_writes(h))
		return -EBADF;
	fs_file_note_pages(fs, h);
	/* The kernel's idea of the end may be old. */
	return fs_file_write_at(
		fs, h, h->flags & O_APPEND ? FILE_END : (uint64_t)offset, bytes,
		len);
}

/*
 * A page has a place of its own, whatever the descriptor says that the file was
 * mapped through (any that is open for writing stands for them all), and what
 * lies in it behind the file's end is not the file's.
 */
int fs_file_write_page(struct fs *fs, struct handle *h, off_t offset,
		       const void *bytes, size_t len)
{
	uint64_t size;

	if (offset < 0)
		return -EINVAL;
	if (!handle_writes(h))
		return -EBADF;
	fs_file_note_pages(fs, h);
	file_size(h->file, &size);
	if ((uint64_t)offset >= size)
		return 0;
	if (len > size - (uint64_t)offset)
		len = (size_t)(size - (uint64_t)offset);
	return fs_file_write_at(fs, h, (uint64_t)offset, bytes, len);
}

static int fs_file_publish(struct fs *fs, struct handle *h, bool fsync)
{
	int rc = HANDLE_WRITE(fs, names_store(fs, h->file, fsync));

	if (!rc)
		close_errors_done(fs, h);
	return rc;
}

int fs_file_flush(struct fs *fs, struct handle *h)
{
	int rc;

	if (h->state == HANDLE_SHORT)
		return h->write_rc;
	if (!handle_writes(h) ||
	    atomic_exchange(&h->state, HANDLE_PLAIN) == HANDLE_EMPTIED)
		return 0;
	rc = fs_file_publish(fs, h, false);
	if (rc && rc != -EINTR)
		h->state = HANDLE_FAILED;
	return rc;
}

int fs_file_sync(struct fs *fs, struct handle *h)
{
	uint64_t size;
	bool dirty = file_size(h->file, &size);
	int rc = h->state == HANDLE_SHORT ? h->write_rc
					  : fs_file_publish(fs, h, true);

	/* What was published was flushed with its name. */
	if (!rc && !dirty)
		rc = names_sync(fs, file_inode(h->file));
	if (!rc)
		rc = write_back_sync(fs->write_back);
	return rc ? rc : attr_queue_settle(fs->attr_queue, file_inode(h->file));
}

int fs_file_truncate(struct fs *fs, struct inode *i, uint64_t size)
{
	struct inode_view v;
	struct file *f;
	int rc = fs_file_open_content(fs, i, O_WRONLY, &f, &v);

	if (rc)
		return rc;
	rc = file_truncate(f, size);
	if (!rc)
		rc = names_store(fs, f, false);
	file_close(f);
	return rc;
}
