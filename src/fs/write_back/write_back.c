/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of steps, so that a crash between any two of them loses nothing
 * that was answered and brings nothing back that was removed:
 *
 *   a file    its bytes are on the disk, then its record, then it waits
 *   a move    the tree, then the record, then the answer
 *   an end    the store has it (or the name is gone), then the record
 *   one of what the store has already: that it is about to end (send.c),
 *             then the store's removal or copy, then the record of the end
 *
 * A change whose end the journal does not have, as the kill came between, is
 * sent twice; one that needs bytes of what it has replaced is held against what
 * is there first (fs/content/sent.h). Ends that are only written, and not
 * flushed, are before the store removes, or a caller makes, what comes after
 * them (write_back_sync()).
 */
#include "fs/write_back/write_back.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "fs/content/seal.h"
#include "fs/write_back/journal.h"
#include "fs/write_back/queue.h"
#include "fs/write_back/send.h"
#include "stage/stage.h"

#define FILES_MAX 16384U
#define FILES_FEW 256U
#define LARGE (1U << 20) /* is not waited with: it takes time to send */

struct write_back *write_back_new(const struct write_back_settings *s)
{
	struct write_back *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->set = *s;
	w->send = send_change;
	w->set.spill_dir = s->spill_dir ? strdup(s->spill_dir) : NULL;
	w->set.mount_name = s->mount_name ? strdup(s->mount_name) : NULL;
	if (!w->set.names_max)
		w->set.names_max = WRITE_BACK_NAMES;
	if (!w->set.delay_ms)
		w->set.delay_ms = WRITE_BACK_DELAY_MS;
	lock_init(&w->lock, LOCK_WRITE_BACK);
	if ((!s->spill_dir || w->set.spill_dir) &&
	    (!s->mount_name || w->set.mount_name))
		return w;
	write_back_free(w);
	return NULL;
}

void write_back_free(struct write_back *w)
{
	if (!w)
		return;
	queue_stop(w);
	journal_close(w->journal);
	lock_destroy(&w->lock);
	free((char *)w->set.spill_dir);
	free((char *)w->set.mount_name);
	free(w);
}

/* Half of the descriptors that we may have; the other half is for others. */
static unsigned write_back_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return FILES_FEW;
	if (limit.rlim_cur < 2 * FILES_MAX) {
		limit.rlim_cur = number_min(limit.rlim_max, 2 * FILES_MAX);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur < 2 * FILES_MAX ? (unsigned)limit.rlim_cur / 2
					      : FILES_MAX;
}

/* True: it is the caller's to open. */
static bool write_back_opens(struct write_back *w)
{
	struct queue_locked *g;
	bool mine;

	lock_take(&w->lock);
	g = queue_locked(w);
	WAITER_LIST_UNTIL(&g->changed, &w->lock, false, !g->opening);
	mine = !atomic_load(&w->opened);
	g->opening = mine;
	lock_drop(&w->lock);
	return mine;
}

int write_back_open(struct write_back *w)
{
	struct queue_locked *g;
	int rc;

	if (atomic_load(&w->opened))
		return 0;
	if (!w->set.spill_dir || !w->set.mount_name)
		return -EOPNOTSUPP;
	if (!write_back_opens(w))
		return 0;
	w->files_max = write_back_files();
	rc = journal_open(w->set.spill_dir, w->set.mount_name, &w->journal);
	lock_take(&w->lock);
	g = queue_locked(w);
	g->opening = false;
	atomic_store(&w->opened, !rc);
	waiter_list_wake(&g->changed);
	lock_drop(&w->lock);
	return rc;
}

/* Can something be accepted? 0 or -EOPNOTSUPP, whose reason is said once. */
static int write_back_accepts(struct write_back *w)
{
	int rc = write_back_open(w);
	bool says;

	if (!rc || rc == -EOPNOTSUPP)
		return rc;
	lock_take(&w->lock);
	says = !queue_locked(w)->said;
	queue_locked(w)->said = true;
	lock_drop(&w->lock);
	if (says)
		log_error("%s: no journal can be kept, so what is written is "
			  "sent at once: %s",
			  w->set.spill_dir, strerror(-rc));
	return -EOPNOTSUPP;
}

/* ---- what is accepted ---- */

struct acceptance {
	struct write_back *w;
	struct inode *inode;
	struct stage *stage;
	const char *key;
	uint64_t id;
	uint64_t bytes;
};

/* The fields that all changes have; place is to be cleared. */
static void write_back_accept_fill(const struct acceptance *a,
				   const char *place, struct record *r)
{
	struct inode_view v;

	inode_view(a->w->set.env->tree, a->inode, &v);
	r->id = a->id;
	r->stage = a->stage->name;
	r->place = place;
	r->key = a->key;
	r->skip = strlen(a->stage->prefix);
	r->mode = v.mode;
	r->uid = v.uid;
	r->gid = v.gid;
	if (r->kind != RECORD_DIR)
		return;
	r->seal.mtime = v.info.mtime;
	r->seal.atime = v.atime;
}

void write_back_place(const struct stage *s, struct buf *out)
{
	store_locate(s->store, s->prefix, out);
}

static int write_back_accept_record(const struct acceptance *a,
				    struct record *r, bool sync)
{
	BUF_LOCAL place = BUF_INIT(BUF_MESSAGE);
	int rc;

	write_back_place(a->stage, &place);
	write_back_accept_fill(a, buf_str(&place), r);
	rc = buf_err(&place);
	return rc ? rc : journal_add(a->w->journal, r, sync);
}

static int write_back_accept_file(void *arg, const struct seal *s,
				  const char *named)
{
	struct record r = { .kind = RECORD_FILE, .seal = *s, .data = named };
	struct acceptance *a = arg;
	struct write_back *w = a->w;
	struct file *use;
	int rc = write_back_accept_record(a, &r, true);

	if (rc)
		return rc;
	a->bytes = s->size;
	use = inode_file_get(w->set.env->tree, a->inode);
	rc = queue_put(w, &(struct queue_change){
				  .inode = a->inode,
				  .file = use,
				  .id = a->id,
				  .bytes = a->bytes,
				  .spilled = *named,
				  .delay_ms = a->bytes < LARGE ? w->set.delay_ms
							       : 0,
			  });
	if (rc)
		journal_gone(w->journal, a->id);
	return rc;
}

static int write_back_accept_claimed(struct acceptance *a, struct file *f)
{
	struct write_back *w = a->w;
	char name[SPILL_NAME_SIZE];

	a->id = queue_find(w, a->inode);
	if (!a->id)
		a->id = journal_id(w->journal);
	journal_data_name(w->journal, a->id, name);
	return file_seal(f, journal_dir(w->journal), name,
			 write_back_accept_file, a);
}

int write_back_file(struct write_back *w, struct file *f)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	struct acceptance a = { .w = w,
				.inode = file_inode(f),
				.stage = file_stage(f) };
	uint64_t size;
	int rc;

	if (!file_size(f, &size))
		return 0;
	rc = write_back_accepts(w);
	if (!rc)
		rc = queue_wait_room(w, a.inode, size);
	if (rc)
		return rc;
	rc = claims_publish_begin(w->set.env->tree, a.inode, &key);
	if (!rc) {
		a.key = buf_str(&key);
		rc = write_back_accept_claimed(&a, f);
		claims_publish_end(w->set.env->tree, a.inode);
	}
	/* What the journal does not take, and what has no name, goes the way
	 * that it goes without one. */
	return rc && rc != -EINTR ? -EOPNOTSUPP : rc;
}

int write_back_dir(struct write_back *w, struct inode *dir)
{
	struct record r = { .kind = RECORD_DIR };
	struct acceptance a = { .w = w, .inode = dir };
	INODE_OBJECT_LOCAL o = { 0 };
	int rc = write_back_accepts(w);

	if (!rc)
		rc = queue_wait_room(w, dir, 0);
	if (rc)
		return rc;
	rc = inode_object(w->set.env->tree, dir, &o);
	if (!rc) {
		a.stage = o.stage;
		a.key = buf_str(&o.key);
		a.id = journal_id(w->journal);
		rc = write_back_accept_record(&a, &r, false);
	}
	if (!rc) {
		rc = queue_put(w, &(struct queue_change){
					  .inode = dir,
					  .id = a.id,
					  .delay_ms = w->set.delay_ms,
				  });
		if (rc)
			journal_gone(w->journal, a.id);
	}
	return rc && rc != -EINTR ? -EOPNOTSUPP : rc;
}

uint64_t write_back_ending(struct write_back *w, struct inode *i)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	struct record r = { .kind = RECORD_ENDING, .id = queue_find(w, i) };
	struct inode_view v;

	if (!r.id)
		return 0;
	inode_view(w->set.env->tree, i, &v);
	/* Of an object without an ETag it could not be told. */
	if ((v.published && !*v.info.etag) ||
	    inode_open_key(w->set.env->tree, i, &key))
		return r.id;
	r.key = buf_str(&key);
	r.ending = v.published ? v.info.etag : "";
	/* Without it only a crash just then is as bad as it would be. */
	journal_add(w->journal, &r, false);
	return r.id;
}

void write_back_stays(struct write_back *w, struct inode *i)
{
	write_back_moved(w, i);
}

void write_back_leave(struct write_back *w, struct inode *i)
{
	queue_leave(w, i);
}

void write_back_left(struct write_back *w, uint64_t id)
{
	if (id)
		journal_gone(w->journal, id);
}

void write_back_gone(struct write_back *w, struct inode *i)
{
	queue_remove(w, i);
}

bool write_back_take(struct write_back *w, struct inode *i)
{
	bool never_sent;

	if (!queue_find(w, i))
		return false;
	never_sent = queue_wait_sent(w, i);
	queue_remove(w, i);
	return never_sent;
}

void write_back_published(struct write_back *w, struct inode *i)
{
	queue_remove(w, i);
}

/* Of a directory, as it is now: where, of which stage, and its attributes. */
static int write_back_again(struct write_back *w, struct inode *dir,
			    uint64_t id)
{
	struct record r = { .kind = RECORD_DIR };
	struct acceptance a = { .w = w, .inode = dir, .id = id };
	INODE_OBJECT_LOCAL o = { 0 };
	int rc = inode_object(w->set.env->tree, dir, &o);

	if (!rc && queue_find(w, dir) == id) {
		a.stage = o.stage;
		a.key = buf_str(&o.key);
		rc = write_back_accept_record(&a, &r, false);
		/* It was sent meanwhile. */
		if (!rc && queue_find(w, dir) != id)
			journal_gone(w->journal, id);
	}
	return rc == -ENOENT ? 0 : rc;
}

int write_back_dir_changed(struct write_back *w, struct inode *dir)
{
	uint64_t id = queue_find(w, dir);

	return id ? write_back_again(w, dir, id) : 0;
}

static int write_back_moved_one(struct write_back *w, const struct queued *q)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	struct record r = { .kind = RECORD_MOVE, .id = q->id };
	int rc = inode_open_key(w->set.env->tree, q->inode, &key);

	/* One that has left meanwhile is not in the journal. */
	if (!rc && queue_find(w, q->inode) == q->id) {
		r.key = buf_str(&key);
		rc = journal_add(w->journal, &r, false);
	}
	return rc == -ENOENT ? 0 : rc;
}

int write_back_moved(struct write_back *w, struct inode *i)
{
	struct queued **list;
	size_t n;
	int rc, one;

	if (!atomic_load(&w->any))
		return 0;
	rc = queue_list(w, i, &list, &n);
	for (size_t k = 0; k < n; k++) {
		one = list[k]->file ? write_back_moved_one(w, list[k])
				    : write_back_again(w, list[k]->inode,
						       list[k]->id);
		if (!rc)
			rc = one;
		queue_unref(w, list[k]);
	}
	free(list);
	return rc;
}

int write_back_sync(struct write_back *w)
{
	return atomic_load(&w->opened) ? journal_flush(w->journal) : 0;
}

/* ---- waiting for the store ---- */

static void write_back_flush_want_locked(struct write_back *w,
					 struct queued *list) REQUIRES(&w->lock)
{
	int64_t now_ms = clock_mono_ms();
	struct queued *q;

	DL_FOREACH(list, q) {
		queue_locked(w)->n_wanted += !q->wanted;
		q->wanted = true;
		q->rc = 0;
		q->due_ms = now_ms;
	}
}

/* There is one that is wanted, and will be tried. */
static bool write_back_flush_goes_on_locked(struct write_back *w)
	REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);

	return g->n_wanted && (!g->stopped || g->n_sending);
}

static int write_back_flush_result_locked(struct write_back *w)
	REQUIRES(&w->lock)
{
	struct queue_locked *g = queue_locked(w);
	struct queued *q;

	DL_FOREACH(g->failed, q)
		if (q->rc)
			return q->rc;
	return g->n_wanted ? -EIO : 0;
}

int write_back_flush(struct write_back *w, bool ends)
{
	struct queue_locked *g;
	int rc = 0;

	if (!atomic_load(&w->any))
		return 0;
	lock_take(&w->lock);
	g = queue_locked(w);
	write_back_flush_want_locked(w, g->waiting);
	write_back_flush_want_locked(w, g->failed);
	g->ends = ends;
	queue_call_locked(w);
	rc = WAITER_LIST_UNTIL(&g->changed, &w->lock, true,
			       !write_back_flush_goes_on_locked(w));
	if (!rc)
		rc = write_back_flush_result_locked(w);
	lock_drop(&w->lock);
	return rc;
}

/* ---- what is shown ---- */

int write_back_state(struct write_back *w, struct inode *i)
{
	struct queued *q;
	int rc = 0;

	if (!atomic_load(&w->any))
		return 0;
	lock_take(&w->lock);
	HASH_FIND_PTR(queue_locked(w)->index, &i, q);
	if (q)
		rc = q->rc ? q->rc : 1;
	lock_drop(&w->lock);
	return rc;
}

void write_back_counts(struct write_back *w, struct write_back_counts *out)
{
	struct journal_counts kept = { 0 };
	bool opened = atomic_load(&w->opened);
	struct queue_locked *g;

	if (opened)
		journal_counts(w->journal, &kept);
	lock_take(&w->lock);
	g = queue_locked(w);
	*out = (struct write_back_counts){
		.names = g->n,
		.failed = g->n_failed + g->n_stranded,
		.bytes = g->bytes,
		.files = g->n_spilled,
		.names_max = w->set.names_max,
		.files_max = opened ? w->files_max : 0,
		.bytes_max = w->set.bytes_max,
		.journal_bytes = kept.size,
	};
	lock_drop(&w->lock);
}

static void write_back_names_add(struct write_back *w, const struct queued *q,
				 int why, const char *between, struct buf *out)
{
	INODE_OBJECT_LOCAL o;

	if (!inode_object(w->set.env->tree, q->inode, &o))
		buf_addf(out, "%s@%s/%s: %s", between, o.stage->name,
			 buf_str(&o.key) + strlen(o.stage->prefix),
			 strerror(-why));
}

void write_back_names(struct write_back *w, unsigned most, struct buf *out)
{
	struct queued *list[64], *q;
	int why[64];
	unsigned n = 0;

	lock_take(&w->lock);
	DL_FOREACH(queue_locked(w)->failed, q) {
		if (n == most || n == 64)
			break;
		q->refs++;
		why[n] = q->rc;
		list[n++] = q;
	}
	lock_drop(&w->lock);
	for (unsigned k = 0; k < n; k++) {
		write_back_names_add(w, list[k], why[k], k ? "; " : ": ", out);
		queue_unref(w, list[k]);
	}
}
