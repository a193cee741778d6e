/*
 * A piece is memory of one part's size, mapped so that it goes back whole:
 *
 *   EMPTY -> FILLING -> SENT -> BACK -> FILLING -> ...
 *
 * BACK is what the store's thread says; everything else happens on the
 * intake's own thread. The first piece is waited for, in turn and while nothing
 * is held; further ones, that fill while others travel, are taken only while
 * memory is plenty. So whoever holds some always gets on with it, and
 * everybody gets through. When parts grow, all pieces come back and are given
 * back first.
 *
 * Who holds memory must send: in `PATIENCE_MS` and as long as the piece takes
 * at RATE_MIN.
 */
#include "gateway/intake_parts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/wait.h"
#include "store/parts.h"
#include "store/store.h"

#define PIECES_MAX 4
#define HELD_MAX (32U << 20) /* by more pieces than two */
#define PIECE_UNIT ((size_t)64 << 10)
#define PLENTY 500 /* permille of the budget */
#define WAIT_MS 600000
#define PATIENCE_MS 60000
#define RATE_MIN (16 << 10) /* bytes a second */

enum piece_state { EMPTY, FILLING, SENT, BACK };

struct piece {
	struct store_part part;
	struct intake_parts *owner;
	enum piece_state state; /* under the owner's lock */
	int err; /* BACK: how it went */
	char *bytes;
	size_t size, len;
};

struct parts_locked {
	struct waiter *waiter; /* who waits for pieces to come back */
};

struct intake_parts {
	struct budget *budget;
	struct store *store;
	char *key, *content_type;
	uint64_t most, part_size;
	struct lock lock;
	struct parts_locked guarded_;
	struct piece pieces[PIECES_MAX];
	struct piece *filling; /* NULL: none */
	int64_t since_ms; /* when it was taken */
	struct part_range range; /* of what is filled, or will be */
	struct store_upload *upload; /* NULL: all fitted so far */
	struct store_part_done *done;
	unsigned n_done, room;
};

static struct parts_locked *guarded(struct intake_parts *p) REQUIRES(&p->lock)
{
	return &p->guarded_;
}

int intake_part_size(uint64_t wish, uint64_t most, uint64_t memory,
		     uint64_t *out)
{
	uint64_t size = PART_SIZE_AUTO;

	*out = PART_SIZE_STREAM;
	if (wish && wish <= memory / 4)
		*out = wish;
	if (most == INTAKE_UNKNOWN)
		return 0;
	if (*out == wish && parts_count(wish, most) <= PARTS_MAX)
		return 0;
	while (parts_count(size, most) > PARTS_MAX)
		size *= 2;
	*out = size;
	return size > memory && most > memory ? -EFBIG : 0;
}

int intake_parts_new(struct budget *budget, const struct intake_file *f,
		     struct intake_parts **out)
{
	struct intake_parts *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	lock_init(&p->lock);
	p->budget = budget;
	p->store = f->store;
	p->most = f->most;
	p->key = strdup(f->key);
	p->content_type = f->content_type ? strdup(f->content_type) : NULL;
	rc = p->key && (p->content_type || !f->content_type) ? 0 : -ENOMEM;
	if (!rc)
		rc = intake_part_size(f->part_size, f->most,
				      budget_limit(budget), &p->part_size);
	if (!rc)
		rc = part_at(p->part_size, 0, &p->range);
	if (rc)
		intake_parts_free(p);
	else
		*out = p;
	return rc;
}

/* ---- pieces ---- */

static enum piece_state state_of(struct intake_parts *p, struct piece *q)
{
	enum piece_state s;

	lock_take(&p->lock);
	s = q->state;
	lock_drop(&p->lock);
	return s;
}

static void set_state(struct intake_parts *p, struct piece *q,
		      enum piece_state s)
{
	lock_take(&p->lock);
	q->state = s;
	lock_drop(&p->lock);
}

static void on_sent(struct store_part *part, int err)
{
	struct piece *q = (struct piece *)part;
	struct intake_parts *p = q->owner;

	lock_take(&p->lock);
	q->state = BACK;
	q->err = err;
	/* Under the lock: without it p may be gone. */
	if (guarded(p)->waiter)
		waiter_unpark(guarded(p)->waiter);
	lock_drop(&p->lock);
}

static unsigned count_sent(struct intake_parts *p)
{
	unsigned n = 0;

	lock_take(&p->lock);
	guarded(p)->waiter = waiter_self();
	for (unsigned i = 0; i < PIECES_MAX; i++)
		n += p->pieces[i].state == SENT;
	lock_drop(&p->lock);
	return n;
}

/* What has come back goes on the list. The first failure of any. */
static int collect(struct intake_parts *p)
{
	int rc = 0;

	for (unsigned i = 0; i < PIECES_MAX; i++) {
		struct piece *q = &p->pieces[i];
		struct store_part_done *d;

		if (state_of(p, q) != BACK)
			continue;
		set_state(p, q, EMPTY);
		rc = rc ? rc : q->err;
		d = &p->done[q->part.number - 1];
		d->number = q->part.number;
		memcpy(d->etag, q->part.etag, sizeof(d->etag));
	}
	return rc;
}

/* Until at most so many are under way. */
static int wait_sent(struct intake_parts *p, unsigned most)
{
	int rc = 0;

	while (!rc && count_sent(p) > most)
		rc = waiter_park(waiter_self(), WAIT_FOREVER);
	if (!rc || rc == -ETIMEDOUT)
		rc = collect(p);
	return rc;
}

static void give_back(struct intake_parts *p, struct piece *q)
{
	if (!q->bytes)
		return;
	munmap(q->bytes, q->size);
	budget_give(p->budget, q->size);
	q->bytes = NULL;
}

static int map_piece(struct intake_parts *p, struct piece *q, size_t size)
{
	char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED) {
		budget_give(p->budget, size);
		return -ENOMEM;
	}
	q->bytes = bytes;
	q->size = size;
	return 0;
}

static struct piece *find_empty(struct intake_parts *p, bool mapped)
{
	for (unsigned i = 0; i < PIECES_MAX; i++)
		if (state_of(p, &p->pieces[i]) == EMPTY &&
		    !p->pieces[i].bytes == !mapped)
			return &p->pieces[i];
	return NULL;
}

static size_t held(const struct intake_parts *p)
{
	size_t n = 0;

	for (unsigned i = 0; i < PIECES_MAX; i++)
		n += p->pieces[i].bytes ? p->pieces[i].size : 0;
	return n;
}

static size_t wanted(const struct intake_parts *p)
{
	uint64_t left = p->most == INTAKE_UNKNOWN ? INTAKE_UNKNOWN
						  : p->most - p->range.start;
	size_t size = p->range.len;

	if (left < size)
		size = left ? left : 1;
	return (size + PIECE_UNIT - 1) / PIECE_UNIT * PIECE_UNIT;
}

/* The first, in turn. */
static int take_first(struct intake_parts *p, size_t size, struct piece **out)
{
	int rc = budget_take(p->budget, size, clock_mono_ms() + WAIT_MS);

	*out = &p->pieces[0];
	if (rc == -ETIMEDOUT)
		return -EBUSY;
	return rc ? rc : map_piece(p, *out, size);
}

/* One more, when there is plenty; else one that comes back. */
static int take_next(struct intake_parts *p, size_t size, struct piece **out)
{
	size_t now = held(p);
	struct piece *q = find_empty(p, false);
	int rc;

	if (q && (now == size || now + size <= HELD_MAX) &&
	    budget_try_idle(p->budget, size, PLENTY)) {
		*out = q;
		return map_piece(p, q, size);
	}
	rc = wait_sent(p, count_sent(p) - 1);
	*out = rc ? NULL : find_empty(p, true);
	return rc;
}

static int take_piece(struct intake_parts *p)
{
	size_t size = wanted(p);
	struct piece *q = NULL;
	int rc = collect(p);

	/* A last part that is smaller fits into any. */
	if (!rc && held(p) && p->pieces[0].size < size) {
		rc = wait_sent(p, 0);
		for (unsigned i = 0; !rc && i < PIECES_MAX; i++)
			give_back(p, &p->pieces[i]);
	}
	if (rc)
		return rc;
	q = find_empty(p, true);
	if (!q)
		rc = held(p) ? take_next(p, p->pieces[0].size, &q)
			     : take_first(p, size, &q);
	if (rc)
		return rc;
	q->len = 0;
	set_state(p, q, FILLING);
	p->filling = q;
	p->since_ms = clock_mono_ms();
	return 0;
}

/* ---- parts ---- */

static int make_room(struct intake_parts *p)
{
	unsigned room = p->room ? 2 * p->room : 64;
	struct store_part_done *done;

	if (p->range.number <= p->room)
		return 0;
	done = realloc(p->done, room * sizeof(*done));
	if (!done)
		return -ENOMEM;
	p->done = done;
	p->room = room;
	return 0;
}

static int open_upload(struct intake_parts *p)
{
	const struct store_meta meta = { .content_type = p->content_type };

	return p->upload
		       ? 0
		       : store_upload_open(p->store, p->key, &meta, &p->upload);
}

/* Off with what was filled. */
static int send_piece(struct intake_parts *p)
{
	struct piece *q = p->filling;
	int rc = open_upload(p);

	rc = rc ? rc : make_room(p);
	if (rc)
		return rc;
	q->owner = p;
	q->part = (struct store_part){
		.upload = p->upload,
		.number = p->range.number,
		.offset = p->range.start,
		.body = { .data = q->bytes, .fd = -1, .len = q->len },
		.done = on_sent,
	};
	p->filling = NULL;
	p->n_done = p->range.number;
	set_state(p, q, SENT);
	store_part(&q->part);
	return part_numbered(p->part_size, p->range.number + 1, &p->range);
}

static bool too_slow(const struct intake_parts *p)
{
	int64_t most =
		PATIENCE_MS + (int64_t)(p->filling->size / RATE_MIN) * 1000;

	return clock_mono_ms() - p->since_ms > most;
}

int intake_parts_add(struct intake_parts *p, const void *bytes, size_t n)
{
	const char *at = bytes;
	int rc = 0;

	while (!rc && n) {
		struct piece *q = p->filling;
		size_t room = !q                       ? 0
			      : p->range.len < q->size ? p->range.len - q->len
						       : q->size - q->len;

		if (q && !room) {
			rc = send_piece(p);
		} else if (!q) {
			rc = take_piece(p);
		} else if (too_slow(p)) {
			rc = -ETIME;
		} else {
			room = n < room ? n : room;
			memcpy(q->bytes + q->len, at, room);
			q->len += room;
			at += room;
			n -= room;
		}
	}
	return rc;
}

static int put_whole(struct intake_parts *p)
{
	const struct store_meta meta = { .content_type = p->content_type };
	const struct store_body body = {
		.data = p->filling ? p->filling->bytes : "",
		.fd = -1,
		.len = p->filling ? p->filling->len : 0,
	};
	struct object_info info;

	return store_put(p->store, p->key, &body, &meta, NULL, &info);
}

int intake_parts_finish(struct intake_parts *p)
{
	struct object_info info;
	int rc = 0;

	if (!p->upload)
		return put_whole(p);
	if (p->filling)
		rc = send_piece(p);
	if (rc == -EFBIG) /* there is no further part, and none is needed */
		rc = 0;
	rc = rc ? rc : wait_sent(p, 0);
	rc = rc ? rc
		: store_upload_complete(p->upload, p->done, p->n_done, NULL,
					&info);
	if (!rc) {
		store_upload_free(p->upload);
		p->upload = NULL;
	}
	return rc;
}

/* ---- the end ---- */

/* The store reads pieces that are under way, so they are waited for. */
static void cancel_all(struct intake_parts *p)
{
	struct waiter *self = waiter_self();

	for (unsigned i = 0; i < PIECES_MAX; i++)
		if (state_of(p, &p->pieces[i]) == SENT)
			store_part_cancel(&p->pieces[i].part);
	while (count_sent(p))
		waiter_park_uninterrupted(self, WAIT_FOREVER);
}

void intake_parts_free(struct intake_parts *p)
{
	if (!p)
		return;
	if (p->upload) {
		/* An end that was asked for is not one of cleaning up. */
		waiter_begin(waiter_self());
		cancel_all(p);
		store_upload_abort(p->upload);
		store_upload_free(p->upload);
	}
	for (unsigned i = 0; i < PIECES_MAX; i++)
		give_back(p, &p->pieces[i]);
	lock_destroy(&p->lock);
	free(p->key);
	free(p->content_type);
	free(p->done);
	free(p);
}
