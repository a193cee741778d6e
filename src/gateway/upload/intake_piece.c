/*
 * The first piece is waited for, in turn and while nothing is held; further
 * ones, that fill while others travel, are taken only while memory is plenty.
 * So whoever holds some always gets on with it, and everybody gets through.
 * When parts grow, all pieces come back and are given back first.
 *
 * They are mapped, so that memory goes back to the system whole.
 */
#include "gateway/upload/intake_piece.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/wait.h"

#define HELD_MAX (32U << 20) /* by more pieces than two */
#define PIECE_UNIT ((size_t)64 << 10)
#define PLENTY 500 /* permille of the budget */
#define WAIT_MS 600000

static struct parts_locked *guarded(struct intake_parts *p) REQUIRES(&p->lock)
{
	return &p->guarded_;
}

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

int piece_wait(struct intake_parts *p, unsigned most)
{
	int rc = 0;

	while (!rc && count_sent(p) > most)
		rc = waiter_park(waiter_self(), WAIT_FOREVER);
	return rc ? rc : collect(p);
}

static void give_back(struct intake_parts *p, struct piece *q)
{
	if (!q->bytes)
		return;
	munmap(q->bytes, q->size);
	budget_give(p->budget, q->size);
	q->bytes = NULL;
}

void piece_free_all(struct intake_parts *p)
{
	for (unsigned i = 0; i < PIECES_MAX; i++)
		give_back(p, &p->pieces[i]);
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
	uint64_t left = p->most == UPLOAD_SINK_UNKNOWN
				? UPLOAD_SINK_UNKNOWN
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
	rc = piece_wait(p, count_sent(p) - 1);
	*out = rc ? NULL : find_empty(p, true);
	return rc;
}

int piece_take(struct intake_parts *p)
{
	size_t size = wanted(p);
	struct piece *q = NULL;
	int rc = collect(p);

	/* A last part that is smaller fits into any. */
	if (!rc && held(p) && p->pieces[0].size < size) {
		rc = piece_wait(p, 0);
		if (!rc)
			piece_free_all(p);
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

void piece_send(struct intake_parts *p)
{
	struct piece *q = p->filling;

	q->owner = p;
	q->part = (struct store_part){
		.upload = p->upload,
		.number = p->range.number,
		.offset = p->range.start,
		.body = { .data = q->bytes, .fd = -1, .len = q->len },
		.done = on_sent,
	};
	p->filling = NULL;
	set_state(p, q, SENT);
	store_part(&q->part);
}

/* The store reads pieces that are under way, so they are waited for. */
void piece_cancel_all(struct intake_parts *p)
{
	struct waiter *self = waiter_self();

	for (unsigned i = 0; i < PIECES_MAX; i++)
		if (state_of(p, &p->pieces[i]) == SENT)
			store_part_cancel(&p->pieces[i].part);
	while (count_sent(p))
		waiter_park_uninterrupted(self, WAIT_FOREVER);
}
