/*
 * Parts on their way. Each is a flight: a call of the store's, which ends on a
 * thread of the store's by giving its memory back and saying in the part's
 * slot what became of it.
 *
 *   slot   NONE -> SENDING -> SENT     the store has the part
 *                          -> NONE     it failed, or was stale by then
 *
 * Everything here but the end of a flight is done with the turn.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "fs/content/file_internal.h"
#include "fs/content/pending.h"
#include "base/pool.h"
#include "stage/stage.h"

struct flight {
	struct store_part part; /* first */
	struct file *file;
	void *mem; /* goes back to the pool; NULL: nothing does */
	size_t cap;
	struct file_spill *spill; /* a reference; NULL: sent from memory */
	bool cancelled;
	unsigned refs; /* under the file's lock */
	struct flight *prev, *next;
};

static void flight_unref_locked(struct file *f, struct flight *fl)
	REQUIRES(&f->lock)
{
	if (--fl->refs == 0)
		free(fl);
}

struct slot *writer_slot_locked(struct file *f, unsigned number)
{
	struct file_locked *g = file_locked(f);

	return number <= g->n_slots ? &g->slots[number - 1] : NULL;
}

int writer_slot_need(struct file *f, unsigned number)
{
	struct file_locked *g;
	struct slot *slots;
	int err = 0;

	lock_take(&f->lock);
	g = file_locked(f);
	if (number > g->n_slots) {
		slots = realloc(g->slots, number * sizeof(*slots));
		if (slots) {
			memset(slots + g->n_slots, 0,
			       (number - g->n_slots) * sizeof(*slots));
			g->slots = slots;
			g->n_slots = number;
		} else {
			err = -ENOMEM;
		}
	}
	lock_drop(&f->lock);
	return err;
}

void writer_stale_locked(struct file *f, uint64_t start, uint64_t end)
{
	struct file_locked *g = file_locked(f);
	struct part_range first, last = { .number = PARTS_MAX };

	if (start >= end || part_at(f->stage->part_size, start, &first))
		return;
	part_at(f->stage->part_size, end - 1, &last);
	for (unsigned n = first.number; n <= last.number; n++) {
		if (n > g->n_slots)
			break;
		if (g->slots[n - 1].state == SLOT_SENT)
			g->slots[n - 1].state = SLOT_NONE;
		g->slots[n - 1].stale = true;
	}
}

static void landed_locked(struct file *f, struct flight *fl, int err)
	REQUIRES(&f->lock)
{
	struct file_locked *g = file_locked(f);
	struct slot *slot = &g->slots[fl->part.number - 1];

	if (!err && !slot->stale) {
		slot->state = SLOT_SENT;
		memcpy(slot->etag, fl->part.etag, sizeof(slot->etag));
	} else {
		slot->state = SLOT_NONE;
	}
	if (err && err != -ECANCELED && !slot->stale && !g->part_err)
		g->part_err = err;
	DL_DELETE(g->flights, fl);
	g->n_flights--;
	g->n_lent -= fl->mem != NULL;
	g->ended++;
	wait_list_wake(&g->waiters);
}

/* The store's thread. The file lives until its last flight has landed. */
static void on_done(struct store_part *part, int err)
{
	struct flight *fl = (struct flight *)part;
	struct file *f = fl->file;

	if (fl->mem) {
		pool_unhold(file_pool(f), fl->cap);
		pool_put(file_pool(f), fl->mem, fl->cap);
	}
	file_spill_unref(fl->spill);
	lock_take(&f->lock);
	landed_locked(f, fl, err);
	flight_unref_locked(f, fl);
	lock_drop(&f->lock);
}

struct flight *flight_new(struct file *f, const struct part_range *part,
			  const struct store_body *body)
{
	struct flight *fl;

	if (writer_slot_need(f, part->number))
		return NULL;
	fl = calloc(1, sizeof(*fl));
	if (!fl)
		return NULL;
	fl->file = f;
	fl->refs = 1;
	fl->part.number = part->number;
	fl->part.offset = part->start;
	fl->part.body = *body;
	fl->part.done = on_done;
	return fl;
}

void flight_free(struct flight *fl)
{
	free(fl);
}

void flight_launch(struct flight *fl, void *mem, size_t cap)
{
	struct file *f = fl->file;
	struct file_locked *g;
	struct slot *slot;

	fl->mem = mem;
	fl->cap = cap;
	lock_take(&f->lock);
	g = file_locked(f);
	fl->part.upload = g->upload;
	if (!fl->part.body.data)
		fl->spill = file_spill_ref(g->spill);
	slot = &g->slots[fl->part.number - 1];
	slot->state = SLOT_SENDING;
	slot->stale = false;
	DL_APPEND(g->flights, fl);
	g->n_flights++;
	g->n_lent += fl->mem != NULL;
	lock_drop(&f->lock);
	store_part(&fl->part);
}

int writer_send(struct file *f, const struct part_range *part,
		const struct store_body *body)
{
	struct flight *fl = flight_new(f, part, body);

	if (!fl)
		return -ENOMEM;
	flight_launch(fl, NULL, 0);
	return 0;
}

int writer_open(struct file *f, const char *key)
{
	struct store_upload *u;
	struct store_meta meta;
	int err = file_props(f, key, &meta);

	err = err ? err : store_upload_open(file_store(f), key, &meta, &u);
	if (err)
		return err;
	pending_add(f->env->pending, u);
	lock_take(&f->lock);
	file_locked(f)->upload = u;
	lock_drop(&f->lock);
	return 0;
}

static bool has_room(struct file *f, unsigned arg) REQUIRES(&f->lock)
{
	return file_locked(f)->n_flights < FILE_FLIGHTS;
}

static bool one_ended(struct file *f, unsigned arg) REQUIRES(&f->lock)
{
	return file_locked(f)->ended != arg;
}

static bool part_ended(struct file *f, unsigned arg) REQUIRES(&f->lock)
{
	struct slot *slot = writer_slot_locked(f, arg);

	return !slot || slot->state != SLOT_SENDING;
}

static bool all_ended(struct file *f, unsigned arg) REQUIRES(&f->lock)
{
	return !file_locked(f)->n_flights;
}

int writer_wait_room(struct file *f)
{
	return file_wait(f, has_room, 0, true);
}

int writer_wait_one(struct file *f, unsigned ended)
{
	return file_wait(f, one_ended, ended, true);
}

int writer_wait_part(struct file *f, unsigned number)
{
	return file_wait(f, part_ended, number, true);
}

/* Sent from the tail's own memory. */
static bool from_tail(const struct flight *fl)
{
	return !fl->mem && !fl->spill;
}

static void cancel(struct file *f, bool all)
{
	struct flight *fl;

	lock_take(&f->lock);
	for (;;) {
		for (fl = file_locked(f)->flights; fl; fl = fl->next)
			if (!fl->cancelled && (all || from_tail(fl)))
				break;
		if (!fl)
			break;
		fl->cancelled = true;
		fl->refs++;
		lock_drop(&f->lock);
		store_part_cancel(&fl->part);
		lock_take(&f->lock);
		flight_unref_locked(f, fl);
	}
	lock_drop(&f->lock);
}

static bool tail_ended(struct file *f, unsigned arg) REQUIRES(&f->lock)
{
	struct flight *fl;

	for (fl = file_locked(f)->flights; fl; fl = fl->next)
		if (from_tail(fl))
			return false;
	return true;
}

void writer_recall_tail(struct file *f)
{
	cancel(f, false);
	file_wait(f, tail_ended, 0, false);
}

int writer_wait_all(struct file *f)
{
	return file_wait(f, all_ended, 0, true);
}

/* Takes the upload out of the file, whose parts have ended. */
static struct store_upload *take_upload(struct file *f, bool completed)
{
	struct file_locked *g;
	struct store_upload *u;

	lock_take(&f->lock);
	g = file_locked(f);
	u = g->upload;
	g->upload = NULL;
	free(g->slots);
	g->slots = NULL;
	g->n_slots = 0;
	g->part_err = 0;
	if (u && !completed && g->lost.n)
		g->sticky = true;
	lock_drop(&f->lock);
	return u;
}

void writer_give_up(struct file *f)
{
	struct store_upload *u;
	int err;

	cancel(f, true);
	file_wait(f, all_ended, 0, false);
	u = take_upload(f, false);
	if (!u)
		return;
	/* An interrupt that came before is no reason to leave it there. */
	waiter_begin(waiter_self());
	err = store_upload_abort(u);
	if (err)
		file_log(f, LOG_LEVEL_ERROR, err,
			 "cannot abort the upload; the next mount will");
	else
		pending_remove(f->env->pending, u);
	store_upload_free(u);
}

void writer_completed(struct file *f)
{
	struct store_upload *u = take_upload(f, true);

	pending_remove(f->env->pending, u);
	store_upload_free(u);
}
