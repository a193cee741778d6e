/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handles that are open: their list, which of them write, and their end.
 *
 * A handle ends in one of three ways. Released: the kernel says that its last
 * descriptor is closed, and what is still dirty is published. Released at the
 * end of the mount: the kernel has let go of the mount, and so has no file
 * open, but did not come to say so (the release of the very last file is
 * dropped together with the mount). Given up at the end of the mount: a program
 * still has it open, so half a file may be all there is, and the old object
 * stays.
 */
#include "fs/close_errors.h"
#include "fs/names.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/waiter.h"
#include "stage/stage.h"

int handle_new(struct fs *fs, struct file *f, int flags, bool emptied,
	       uint64_t ino, struct handle **out)
{
	struct handle *h = calloc(1, sizeof(*h));

	if (!h) {
		file_close(f);
		return -ENOMEM;
	}
	h->file = f;
	h->flags = flags;
	h->ino = ino;
	h->releases = 1;
	h->state = emptied ? HANDLE_EMPTIED : HANDLE_PLAIN;
	reader_init(&h->reader, f);
	lock_take(&fs->lock);
	DL_APPEND(fs_locked(fs)->handles, h);
	fs_locked(fs)->n_writers += handle_writes(h);
	lock_drop(&fs->lock);
	*out = h;
	return 0;
}

static void handle_free(struct fs *fs, struct handle *h)
{
	lock_take(&fs->lock);
	DL_DELETE(fs_locked(fs)->handles, h);
	fs_locked(fs)->n_writers -= handle_writes(h);
	lock_drop(&fs->lock);
	reader_clear(&h->reader);
	file_close(h->file);
	free(h);
}

/* A file that was replaced shows its number to the one in its place for a
 * while, so /proc does not tell their descriptors apart either. */
unsigned handle_openers(struct fs *fs, const struct handle *h, pid_t *out,
			unsigned max)
{
	struct handle *o;
	unsigned n = 0;

	lock_take(&fs->lock);
	DL_FOREACH(fs_locked(fs)->handles, o) {
		if (o == h || !handle_writes(o) ||
		    (o->file != h->file && o->ino != h->ino))
			continue;
		if (n < max)
			out[n] = o->opener;
		n++;
	}
	lock_drop(&fs->lock);
	return n;
}

static struct handle *handle_first(struct fs *fs)
{
	return LOCK_UNDER(&fs->lock, fs_locked(fs)->handles);
}

void handle_clear(struct fs *fs)
{
	struct handle *h;

	while ((h = handle_first(fs)))
		handle_free(fs, h);
}

void handle_changed(struct handle *h)
{
	if (h->state != HANDLE_SHORT)
		h->state = HANDLE_PLAIN;
}

/* ---- writers ---- */

void handle_write_begin(struct fs *fs)
{
	atomic_fetch_add(&fs->n_writing, 1);
}

void handle_write_end(struct fs *fs)
{
	atomic_store(&fs->wrote_ms, clock_mono_ms());
	atomic_fetch_sub(&fs->n_writing, 1);
}

void fs_writers(struct fs *fs, struct fs_writers *out)
{
	LOCK_DO(&fs->lock, out->open = fs_locked(fs)->n_writers);
	out->last_ms = atomic_load(&fs->n_writing) ? clock_mono_ms()
						   : atomic_load(&fs->wrote_ms);
}

static void handle_add_location(struct handle *h, struct buf *out)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX);
	struct stage *stage = file_stage(h->file);
	size_t skip = strlen(stage->prefix);

	if (!file_key(h->file, &key) && key.len >= skip)
		buf_addf(out, "@%s/%s", stage->name, buf_str(&key) + skip);
}

void fs_writer_names(struct fs *fs, const char *word, unsigned most,
		     struct buf *out)
{
	struct handle *h;

	lock_take(&fs->lock);
	DL_FOREACH(fs_locked(fs)->handles, h) {
		if (!handle_writes(h) || !most)
			continue;
		buf_adds(out, word);
		handle_add_location(h, out);
		buf_addc(out, '\n');
		most--;
	}
	lock_drop(&fs->lock);
}

void fs_writer_name(struct fs *fs, struct buf *out)
{
	struct handle *h;

	lock_take(&fs->lock);
	DL_FOREACH(fs_locked(fs)->handles, h) {
		if (!handle_writes(h))
			continue;
		handle_add_location(h, out);
		break;
	}
	lock_drop(&fs->lock);
}

/* ---- their end ---- */

/* The kernel's pages are of bytes that were given up: no ETag is theirs. */
#define NO_ETAG "given up"

/* The next writer of the file must not store what could not be stored. */
static void handle_part(struct fs *fs, struct handle *h)
{
	struct inode *i = file_inode(h->file);
	struct inode_given_up g;

	if (handle_openers(fs, h, NULL, 0))
		return;
	inode_file_part(fs->tree, i, &g);
	if (g.dir)
		fs->env.given_up(fs->env.arg, i, &g);
}

/* No close can return an error any more: it is logged, and the next open of the
 * name has it. */
static int handle_release(struct fs *fs, struct handle *h)
{
	uint64_t size;
	int rc = 0;

	if (h->state == HANDLE_FAILED || h->state == HANDLE_SHORT)
		inode_etag_take_pages(fs->tree, file_inode(h->file), NO_ETAG);
	else if (handle_writes(h) && file_size(h->file, &size))
		rc = HANDLE_WRITE(fs, names_store(fs, h->file, false));
	if (rc) {
		close_errors_failed(fs, h, rc);
		file_log(h->file, LOG_LEVEL_ERROR, rc,
			 "what was written is lost at close");
	}
	if (handle_writes(h) && file_size(h->file, &size) &&
	    !write_back_state(fs->write_back, file_inode(h->file)))
		handle_part(fs, h);
	handle_free(fs, h);
	return rc;
}

void fs_retain(struct handle *h)
{
	atomic_fetch_add(&h->releases, 1);
}

void fs_retain_inode(struct fs *fs, struct inode *i)
{
	inode_ref(fs->tree, i);
}

void fs_release_inode(struct fs *fs, struct inode *i)
{
	inode_unref(fs->tree, i);
}

void fs_release(struct fs *fs, struct handle *h)
{
	if (atomic_fetch_sub(&h->releases, 1) == 1)
		handle_release(fs, h);
}

static int handle_give_up(struct fs *fs, struct handle *h)
{
	int rc = 0;

	if (handle_writes(h) && file_abandon(h->file)) {
		rc = -EIO;
		file_log(h->file, LOG_LEVEL_ERROR, 0,
			 "not saved, as it was still open for writing when the "
			 "mount ended: what was written since its last fsync "
			 "or close is lost");
	}
	handle_free(fs, h);
	return rc;
}

/* What is accepted and not sent. */
static int handle_drain_pending(struct fs *fs)
{
	int rc = write_back_flush(fs->write_back, true);
	struct write_back_counts n;

	write_back_counts(fs->write_back, &n);
	if (n.names)
		log_error("%u changes were not sent (%s): they are kept in "
			  "%s, and the next mount of the same sends them",
			  n.names, strerror(rc ? -rc : EIO), fs->set.spill_dir);
	return rc;
}

int fs_drain(struct fs *fs, bool closed)
{
	struct handle *h;
	int first = 0, rc;

	/* This thread may have answered requests, and one that was interrupted
	 * must not end what comes now. */
	waiter_begin(waiter_self());
	while ((h = handle_first(fs))) {
		waiter_set_began(waiter_self(), clock_mono_ms());
		rc = closed ? handle_release(fs, h) : handle_give_up(fs, h);
		if (!first)
			first = rc;
	}
	rc = removals_drain(fs->removals);
	if (!first)
		first = rc;
	rc = handle_drain_pending(fs);
	return first ? first : rc;
}
