/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inflight_part is a part on its way. There are as many as the width, made
 * with the upload, so a part that may be sent cannot fail for lack of memory;
 * one is used again once its part has ended, by the owner alone, which also is
 * the one that cancels: so one that is being cancelled is still the same part.
 */
#include "store/upload_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/lock.h"
#include "base/waiter.h"

enum slot_state { SLOT_NONE, SLOT_SENDING, SLOT_SENT };

/* What the store has of a part. */
struct slot {
	enum slot_state state;
	bool stale; /* SENDING what is not the content any more */
	char etag[STORE_ETAG_SIZE];
};

struct inflight_part {
	struct store_part part; /* first */
	struct upload_parts *owner;
	void (*ended)(void *arg, int rc);
	void *arg;
	bool busy; /* under the lock */
	bool cancelled; /* the owner's */
};

struct upload_parts_locked {
	struct slot *slots; /* by number - 1 */
	size_t n_slots;
	struct upload_parts_count count;
	int rc;
	struct waiter_list waiters;
};

struct upload_parts {
	struct store_upload *upload;
	unsigned width;
	struct lock lock;
	struct upload_parts_locked guarded_;
	struct inflight_part inflight[];
};

LOCK_GUARDS(parts_locked, upload_parts, upload_parts_locked);

/* NULL: nothing was ever sent of it. */
static struct slot *parts_slot_locked(struct upload_parts *p, unsigned number)
	REQUIRES(&p->lock)
{
	struct upload_parts_locked *g = parts_locked(p);

	return number <= g->n_slots ? &g->slots[number - 1] : NULL;
}

static struct upload_parts *parts_new(unsigned width)
{
	struct upload_parts *p =
		calloc(1, sizeof(*p) + width * sizeof(p->inflight[0]));

	if (p) {
		lock_init(&p->lock, LOCK_UPLOAD_PARTS);
		p->width = width;
	}
	return p;
}

void upload_parts_free(struct upload_parts *p)
{
	if (!p)
		return;
	lock_take(&p->lock);
	assert(!parts_locked(p)->count.sending);
	free(parts_locked(p)->slots);
	lock_drop(&p->lock);
	store_upload_free(p->upload);
	lock_destroy(&p->lock);
	free(p);
}

static int parts_made(struct upload_parts *p, int rc, struct upload_parts **out)
{
	if (rc)
		upload_parts_free(p);
	else
		*out = p;
	return rc;
}

int upload_parts_open(struct store *s, const char *key,
		      const struct store_meta *meta, unsigned width,
		      struct upload_parts **out)
{
	struct upload_parts *p = parts_new(width);

	return p ? parts_made(p, store_upload_open(s, key, meta, &p->upload),
			      out)
		 : -ENOMEM;
}

struct store_upload *upload_parts_upload(struct upload_parts *p)
{
	return p->upload;
}

static int parts_reserve_locked(struct upload_parts *p, unsigned n)
	REQUIRES(&p->lock)
{
	struct upload_parts_locked *g = parts_locked(p);

	return ARRAY_RESERVE(g->slots, g->n_slots, n);
}

int upload_parts_reserve(struct upload_parts *p, unsigned n)
{
	return LOCK_UNDER(&p->lock, parts_reserve_locked(p, n));
}

/* Records that the store has it, with that ETag. */
static int parts_note_sent(struct upload_parts *p, unsigned number,
			   const char etag[STORE_ETAG_SIZE])
{
	struct slot *slot;
	int rc;

	lock_take(&p->lock);
	rc = parts_reserve_locked(p, number);
	if (!rc) {
		slot = parts_slot_locked(p, number);
		slot->state = SLOT_SENT;
		slot->stale = false;
		memcpy(slot->etag, etag, sizeof(slot->etag));
	}
	lock_drop(&p->lock);
	return rc;
}

struct resuming {
	struct upload_parts *p;
	int (*keep)(void *arg, const struct store_part_there *part);
	void *arg;
};

static int parts_there(void *arg, struct store_upload *u,
		       const struct store_part_there *part)
{
	struct resuming *r = arg;
	int rc = r->keep(r->arg, part);

	return rc > 0 ? parts_note_sent(r->p, part->number, part->etag) : rc;
}

int upload_parts_resume(struct store *s, const struct store_pending *pending,
			unsigned width,
			int (*keep)(void *arg,
				    const struct store_part_there *part),
			void *arg, struct upload_parts **out)
{
	struct resuming r = { .p = parts_new(width), .keep = keep, .arg = arg };

	return r.p ? parts_made(r.p,
				store_upload_resume(s, pending, parts_there, &r,
						    &r.p->upload),
				out)
		   : -ENOMEM;
}

/* ---- parts on their way ---- */

static void parts_note_locked(struct upload_parts *p, struct inflight_part *in,
			      int rc) REQUIRES(&p->lock)
{
	struct upload_parts_locked *g = parts_locked(p);
	struct slot *slot = parts_slot_locked(p, in->part.number);

	if (!rc && !slot->stale) {
		slot->state = SLOT_SENT;
		memcpy(slot->etag, in->part.etag, sizeof(slot->etag));
	} else {
		slot->state = SLOT_NONE;
	}
	if (rc && rc != -ECANCELED && !slot->stale && !g->rc)
		g->rc = rc;
	in->busy = false;
	g->count.sending--;
	g->count.owned -= in->ended != NULL;
	g->count.ended++;
	waiter_list_wake(&g->waiters);
}

/* The store's thread. The upload lives until its last part in flight has
 * ended. */
static void parts_done(struct store_part *part, int rc)
{
	struct inflight_part *in = (struct inflight_part *)part;
	struct upload_parts *p = in->owner;

	if (in->ended)
		in->ended(in->arg, rc);
	LOCK_DO(&p->lock, parts_note_locked(p, in, rc));
}

/* There is room: the part gets its slot and an inflight_part. */
static struct inflight_part *parts_take_next_locked(
	struct upload_parts *p, const struct upload_part *part)
	REQUIRES(&p->lock)
{
	struct upload_parts_locked *g = parts_locked(p);
	struct slot *slot = parts_slot_locked(p, part->number);
	struct inflight_part *in = p->inflight;

	assert(slot->state != SLOT_SENDING);
	while (in->busy)
		in++;
	*in = (struct inflight_part){
		.part = { .upload = p->upload,
			  .number = part->number,
			  .offset = part->offset,
			  .body = part->body,
			  .done = parts_done },
		.owner = p,
		.ended = part->ended,
		.arg = part->arg,
		.busy = true,
	};
	slot->state = SLOT_SENDING;
	slot->stale = false;
	g->count.sending++;
	g->count.owned += in->ended != NULL;
	return in;
}

int upload_parts_send(struct upload_parts *p, const struct upload_part *part)
{
	struct inflight_part *in = NULL;
	int rc = part->number ? upload_parts_wait(p, p->width - 1) : -EINVAL;

	if (rc)
		return rc;
	lock_take(&p->lock);
	rc = parts_reserve_locked(p, part->number);
	if (!rc)
		in = parts_take_next_locked(p, part);
	lock_drop(&p->lock);
	if (in)
		store_part(&in->part);
	return rc;
}

int upload_parts_copy(struct upload_parts *p, unsigned number, uint64_t offset,
		      const struct store_range *from)
{
	struct store_part_done done;
	int rc = upload_parts_reserve(p, number);

	if (!rc)
		rc = store_part_copy(p->upload, number, offset, from, &done);
	return rc ? rc : parts_note_sent(p, number, done.etag);
}

/* ---- waiting ---- */

typedef bool parts_test(struct upload_parts *p, unsigned arg);

static bool parts_at_most_locked(struct upload_parts *p, unsigned most)
	REQUIRES(&p->lock)
{
	return parts_locked(p)->count.sending <= most;
}

static bool parts_next_ended_locked(struct upload_parts *p, unsigned ended)
	REQUIRES(&p->lock)
{
	return parts_locked(p)->count.ended != ended;
}

static bool parts_slot_ended_locked(struct upload_parts *p, unsigned number)
	REQUIRES(&p->lock)
{
	struct slot *slot = parts_slot_locked(p, number);

	return !slot || slot->state != SLOT_SENDING;
}

static bool parts_is_borrowed(const struct inflight_part *in)
{
	return in->busy && !in->ended;
}

static bool parts_recalled_locked(struct upload_parts *p, unsigned arg)
	REQUIRES(&p->lock)
{
	struct upload_parts_count *n = &parts_locked(p)->count;

	return n->sending == n->owned;
}

static int parts_sleep(struct upload_parts *p, parts_test *is_so, unsigned arg,
		       bool interruptible)
{
	int rc;

	lock_take(&p->lock);
	rc = WAITER_LIST_UNTIL(&parts_locked(p)->waiters, &p->lock,
			       interruptible, is_so(p, arg));
	lock_drop(&p->lock);
	return rc;
}

int upload_parts_wait(struct upload_parts *p, unsigned most)
{
	return parts_sleep(p, parts_at_most_locked, most, true);
}

int upload_parts_wait_next(struct upload_parts *p, unsigned ended)
{
	return parts_sleep(p, parts_next_ended_locked, ended, true);
}

int upload_parts_wait_part(struct upload_parts *p, unsigned number)
{
	return parts_sleep(p, parts_slot_ended_locked, number, true);
}

/* ---- what is known ---- */

struct upload_parts_count upload_parts_count(struct upload_parts *p)
{
	return LOCK_UNDER(&p->lock, parts_locked(p)->count);
}

bool upload_parts_is_sending(struct upload_parts *p, unsigned number)
{
	return LOCK_UNDER(&p->lock, !parts_slot_ended_locked(p, number));
}

bool upload_parts_has(struct upload_parts *p, unsigned number)
{
	struct slot *slot;
	bool has;

	lock_take(&p->lock);
	slot = parts_slot_locked(p, number);
	has = slot && (slot->state == SLOT_SENT ||
		       (slot->state == SLOT_SENDING && !slot->stale));
	lock_drop(&p->lock);
	return has;
}

int upload_parts_error(struct upload_parts *p, bool forget)
{
	int rc;

	lock_take(&p->lock);
	rc = parts_locked(p)->rc;
	if (forget)
		parts_locked(p)->rc = 0;
	lock_drop(&p->lock);
	return rc;
}

void upload_parts_stale(struct upload_parts *p, unsigned first, unsigned last)
{
	lock_take(&p->lock);
	for (unsigned n = first; n <= last; n++) {
		struct slot *slot = parts_slot_locked(p, n);

		if (!slot)
			break;
		if (slot->state == SLOT_SENT)
			slot->state = SLOT_NONE;
		slot->stale = true;
	}
	lock_drop(&p->lock);
}

/* ---- the end ---- */

static void parts_cancel(struct upload_parts *p, bool all)
{
	for (unsigned i = 0; i < p->width; i++) {
		struct inflight_part *in = &p->inflight[i];
		bool busy = LOCK_UNDER(&p->lock,
				       all ? in->busy : parts_is_borrowed(in));

		if (busy && !in->cancelled) {
			in->cancelled = true;
			store_part_cancel(&in->part);
		}
	}
	parts_sleep(p, all ? parts_at_most_locked : parts_recalled_locked, 0,
		    false);
}

void upload_parts_recall(struct upload_parts *p)
{
	parts_cancel(p, false);
}

void upload_parts_stop(struct upload_parts *p)
{
	parts_cancel(p, true);
}

/* The list that completes it; -EAGAIN when parts are missing. */
static int parts_list(struct upload_parts *p, unsigned n,
		      struct store_part_done *list)
{
	int rc = 0;

	lock_take(&p->lock);
	for (unsigned k = 1; !rc && k <= n; k++) {
		struct slot *slot = parts_slot_locked(p, k);

		list[k - 1].number = k;
		if (slot && slot->state == SLOT_SENT)
			memcpy(list[k - 1].etag, slot->etag,
			       sizeof(slot->etag));
		else
			rc = -EAGAIN;
	}
	lock_drop(&p->lock);
	return rc;
}

int upload_parts_complete(struct upload_parts *p, unsigned n,
			  const struct store_cond *cond,
			  struct object_info *out)
{
	MEM_LOCAL struct store_part_done *list = calloc(n, sizeof(*list));
	int rc = list ? parts_list(p, n, list) : -ENOMEM;

	return rc ? rc : store_upload_complete(p->upload, list, n, cond, out);
}

int upload_parts_abort(struct upload_parts *p)
{
	parts_cancel(p, true);
	waiter_finish(waiter_self());
	return store_upload_abort(p->upload);
}
