/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread at a time looks at the folder (`looking`); it reads the files and
 * opens the stores without the lock, and swaps the set under it. A stage whose
 * settings are as they were stays the same struct stage, so nothing that is
 * open is disturbed. What cannot be a stage (a name of the configuration, or
 * one that no stage can have) is said in the log and otherwise as if it were
 * not there. What cannot be used (an unreadable file, an overlap, a directory
 * that cannot be opened) is a stage all the same, whose every call says why
 * (store_broken_new()), and is tried again at each look; a file that has become
 * unreadable keeps the stage that it was.
 */
#include "stage/external_folder.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define LOOK_MS 1000

LOCK_GUARDS(folder_locked, external_folder, external_folder_locked);

/* ---- a look at the folder ---- */

/* The set that is coming, and what stands where. */
struct folder_change {
	struct external_folder *f;
	struct external_set old, new;
	bool *kept; /* of old */
	bool tell; /* the folder has changed since what is wrong was told */
};

static bool folder_is_broken(const struct external *x)
{
	return x->stage->store->broken;
}

static bool folder_any_broken(const struct external_set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		if (folder_is_broken(&set->list[i]))
			return true;
	return false;
}

/* A directory that could not be opened may be there now. */
static bool folder_change_renew(struct folder_change *ch,
				const struct external *x)
{
	struct external *to = &ch->new.list[ch->new.n];
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc;

	if (!x->conn->url)
		return false;
	rc = external_open(&ch->f->with, &ch->old, x->stage->name, x->conn,
			   x->drop_in, to, &why);

	if (rc)
		return false;
	if (folder_is_broken(to)) {
		external_clear(to);
		return false;
	}
	ch->new.n++;
	return true;
}

static void folder_change_keep(struct folder_change *ch, struct external *x)
{
	if (folder_is_broken(x) && folder_change_renew(ch, x))
		return;
	ch->kept[x - ch->old.list] = true;
	ch->new.list[ch->new.n++] = *x;
}

static void folder_change_tell(const struct folder_change *ch, const char *fmt,
			       ...) __attribute__((format(printf, 2, 3)));
static void folder_change_tell(const struct folder_change *ch, const char *fmt,
			       ...)
{
	BUF_LOCAL text = BUF_INIT(BUF_LINE);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (ch->tell)
		log_warn("%s", buf_str(&text));
}

/* A new or an altered one, or what says why it is none. */
static void folder_change_open(struct folder_change *ch,
			       const struct drop_in *d)
{
	struct external *to = &ch->new.list[ch->new.n];
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (d->fault)
		buf_adds(&why, d->fault);
	else
		rc = external_open(&ch->f->with, &ch->new, d->name, &d->conn,
				   true, to, &why);
	if (d->fault || (rc && rc != -ENOMEM)) {
		folder_change_tell(ch, "stage %s cannot be used: %s", d->name,
				   buf_str(&why));
		rc = external_broken(d->name, d->fault ? NULL : &d->conn,
				     buf_str(&why), to);
	}
	ch->new.n += !rc;
}

/* Is it what it was? One with a fault, if the fault is the same. */
static bool folder_change_is_same(const struct external *x,
				  const struct drop_in *d)
{
	if (!d->fault)
		return conn_equal(x->conn, &d->conn);
	return !x->fault || !strcmp(x->fault, d->fault);
}

static void folder_change_add(struct folder_change *ch, struct drop_in *d)
{
	struct external *x = external_find(&ch->old, d->name);
	uint64_t most = ch->f->deadline_max;

	if (most && d->conn.lane.deadline_s > most && !conn_is_local(&d->conn))
		d->conn.lane.deadline_s = most;
	if (x && !x->drop_in) {
		folder_change_tell(
			ch,
			"a stage of the folder is left out: the configuration "
			"has a stage %s",
			d->name);
	} else if (!stage_name_valid(d->name)) {
		folder_change_tell(ch, "a stage of the folder is left out: %s",
				   d->fault);
	} else if (x && folder_change_is_same(x, d)) {
		if (d->fault && !x->fault)
			folder_change_tell(ch, "stage %s stays as it was: %s",
					   d->name, d->fault);
		folder_change_keep(ch, x);
	} else {
		folder_change_open(ch, d);
	}
}

/* 0 and the new set, or -ENOMEM. */
static int folder_change_build(struct folder_change *ch, struct drop_ins *read)
{
	unsigned room = ch->old.n + read->n + 1;

	ch->new.list = calloc(room, sizeof(*ch->new.list));
	ch->kept = calloc(room, sizeof(*ch->kept));
	if (!ch->new.list || !ch->kept) {
		free(ch->new.list);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < ch->old.n; i++)
		if (!ch->old.list[i].drop_in)
			folder_change_keep(ch, &ch->old.list[i]);
	for (unsigned i = 0; i < read->n; i++)
		folder_change_add(ch, &read->list[i]);
	external_sort(&ch->new);
	return 0;
}

static void folder_change_swap(struct folder_change *ch)
{
	LOCK_DO(&ch->f->lock, folder_locked(ch->f)->set = ch->new);
	for (unsigned i = 0; i < ch->old.n; i++)
		if (!ch->kept[i])
			external_clear(&ch->old.list[i]);
	free(ch->old.list);
}

static void folder_reload(struct external_folder *f,
			  const struct external_set *old, bool reported)
{
	struct folder_change ch = { .f = f, .old = *old, .tell = !reported };
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct drop_ins read = { 0 };

	if (f->dir && drop_ins_read(f->dir, &read, &why))
		folder_change_tell(&ch, "the stages of the folder: %s",
				   buf_str(&why));
	if (!folder_change_build(&ch, &read))
		folder_change_swap(&ch);
	free(ch.kept);
	drop_ins_clear(&read);
}

/* Reads the folder if it has changed since `stamp`, which is moved on, and
 * tries again to open what is broken. */
static void folder_look(struct external_folder *f,
			const struct external_set *set,
			struct drop_ins_stamp *stamp)
{
	struct drop_ins_stamp before = *stamp;
	bool changed = false, unsettled = before.unsettled;

	if (f->dir) {
		drop_ins_stamp(f->dir, stamp);
		changed = drop_ins_changed(&before, stamp);
	}
	before.unsettled = false;
	if (changed || folder_any_broken(set))
		folder_reload(f, set,
			      !changed || (unsettled &&
					   !drop_ins_changed(&before, stamp)));
}

static void folder_look_if_due(struct external_folder *f, bool now)
{
	int64_t now_ms = clock_mono_ms();
	struct drop_ins_stamp stamp;
	struct external_set set;
	struct external_folder_locked *g;
	bool due;

	lock_take(&f->lock);
	g = folder_locked(f);
	due = !g->looking && (f->dir || folder_any_broken(&g->set)) &&
	      (now || now_ms - g->looked_ms >= LOOK_MS);
	if (due) {
		g->looking = true;
		g->looked_ms = now_ms;
	}
	stamp = g->stamp;
	set = g->set;
	lock_drop(&f->lock);
	if (!due)
		return;
	folder_look(f, &set, &stamp);
	LOCK_DO(&f->lock, folder_locked(f)->stamp = stamp);
	external_folder_end(f);
}

int external_folder_begin(struct external_folder *f, int64_t until_ms,
			  struct external_set *set)
{
	struct external_folder_locked *g;
	int rc;

	lock_take(&f->lock);
	g = folder_locked(f);
	rc = WAITER_LIST_UNTIL_MS(&g->waiters, &f->lock, until_ms, false,
				  !g->looking);
	if (!rc) {
		g->looking = true;
		*set = g->set;
	}
	lock_drop(&f->lock);
	return rc ? -EBUSY : 0;
}

void external_folder_end(struct external_folder *f)
{
	lock_take(&f->lock);
	folder_locked(f)->looking = false;
	waiter_list_wake(&folder_locked(f)->waiters);
	lock_drop(&f->lock);
}

void external_folder_look(struct external_folder *f)
{
	folder_look_if_due(f, false);
}

void external_folder_refresh(struct external_folder *f)
{
	LOCK_DO(&f->lock, folder_locked(f)->stamp.unsettled = true);
	folder_look_if_due(f, true);
}

/* ---- one of them ---- */

struct stage *external_folder_find(struct external_folder *f, const char *name)
{
	struct external *x;
	struct stage *s = NULL;

	external_folder_look(f);
	lock_take(&f->lock);
	x = external_find(&folder_locked(f)->set, name);
	if (x)
		s = stage_ref(x->stage);
	lock_drop(&f->lock);
	return s;
}

bool external_folder_has(struct external_folder *f, const char *name)
{
	return LOCK_UNDER(&f->lock,
			  external_find(&folder_locked(f)->set, name) != NULL);
}

int external_folder_list(struct external_folder *f, unsigned more,
			 struct stage ***out, unsigned *n)
{
	const struct external_set *set;

	external_folder_look(f);
	lock_take(&f->lock);
	set = &folder_locked(f)->set;
	*n = 0;
	*out = calloc(set->n + more + 1, sizeof(**out));
	for (unsigned i = 0; i < set->n && *out; i++)
		(*out)[(*n)++] = stage_ref(set->list[i].stage);
	lock_drop(&f->lock);
	return *out ? 0 : -ENOMEM;
}

int external_folder_conn(struct external_folder *f, const char *name,
			 struct conn *out, bool *drop_in)
{
	struct external *x;
	int rc = -ENOENT;

	external_folder_look(f);
	lock_take(&f->lock);
	x = external_find(&folder_locked(f)->set, name);
	if (x) {
		*drop_in = x->drop_in;
		rc = conn_copy(x->conn, out);
	}
	lock_drop(&f->lock);
	return rc;
}

int external_folder_check(struct external_folder *f, const char *name,
			  const struct conn *conn, struct buf *why)
{
	struct external_owner self = { name, conn, NULL };
	struct store *store;
	MEM_LOCAL char *keys = NULL;
	int rc = external_keys(conn, "", &keys, why);

	self.keys = keys;
	external_folder_refresh(f);
	if (!rc) {
		rc = LOCK_UNDER(&f->lock,
				external_overlap(&f->with.storage,
						 &folder_locked(f)->set, &self,
						 why));
	}
	if (!rc)
		rc = f->with.open(conn, name, f->with.engine, &store, why);
	if (!rc)
		store_unref(store);
	return rc;
}

/* ---- its life ---- */

/* One at the start. A drop-in costs itself at most. */
static int folder_open_first(struct external_folder *f,
			     const struct external_set *set,
			     const struct catalog_external *x,
			     struct external *out, struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (x->fault)
		buf_adds(&detail, x->fault);
	else
		rc = external_open(&f->with, set, x->name, x->conn, x->drop_in,
				   out, &detail);
	if (x->fault || (rc && rc != -ENOMEM && x->drop_in)) {
		log_warn("stage %s cannot be used: %s", x->name,
			 buf_str(&detail));
		rc = external_broken(x->name, x->fault ? NULL : x->conn,
				     buf_str(&detail), out);
	} else if (rc) {
		buf_adds(why, buf_str(&detail));
	} else if (out->stage->store->broken) {
		store_check(out->stage->store, "", &detail);
		log_warn("stage %s cannot be used: %s", x->name,
			 buf_str(&detail));
	}
	return rc;
}

/* The stages that are there at the start, which are kept for good. */
static int folder_open_all(struct external_folder *f,
			   const struct catalog_settings *s, struct buf *why)
{
	struct external_set set = { 0 };
	int rc = 0;

	set.list = calloc(s->n_external + 1, sizeof(*set.list));
	f->first = calloc(s->n_external + 1, sizeof(*f->first));
	if (!set.list || !f->first)
		rc = -ENOMEM;
	for (unsigned i = 0; i < s->n_external && !rc; i++) {
		rc = folder_open_first(f, &set, &s->external[i],
				       &set.list[set.n], why);
		set.n += !rc;
	}
	external_sort(&set);
	for (unsigned i = 0; i < set.n && f->first; i++)
		f->first[f->n_first++] = stage_ref(set.list[i].stage);
	LOCK_DO(&f->lock, folder_locked(f)->set = set);
	return rc;
}

int external_folder_open(struct external_folder *f,
			 const struct catalog_settings *s,
			 struct http_engine *engine, struct buf *why)
{
	struct buf detail = BUF_INIT(BUF_MESSAGE);
	struct conn *conn;
	char *keys = NULL;
	int rc = 0;

	*f = (struct external_folder){
		.with = { s->open, engine, { .name = "[storage]" } },
		.deadline_max = s->deadline_max,
	};
	lock_init(&f->lock, LOCK_CATALOG);
	lock_take(&f->lock);
	folder_locked(f)->stamp = s->stamp;
	folder_locked(f)->looked_ms = clock_mono_ms();
	lock_drop(&f->lock);
	if (s->drop_ins && !(f->dir = strdup(s->drop_ins)))
		return -ENOMEM;
	if (s->storage) {
		f->with.storage.conn = conn = calloc(1, sizeof(*conn));
		rc = conn ? conn_copy(s->storage, conn) : -ENOMEM;
		if (!rc)
			rc = external_keys(conn, EXTERNAL_STORAGE_BELOW, &keys,
					   &detail);
		f->with.storage.keys = keys;
		rc = external_fail("[storage]", rc, &detail, why);
	}
	return rc ? rc : folder_open_all(f, s, why);
}

void external_folder_close(struct external_folder *f)
{
	struct conn *conn = (struct conn *)f->with.storage.conn;
	struct external_set set;

	set = LOCK_UNDER(&f->lock, folder_locked(f)->set);
	for (unsigned i = 0; i < set.n; i++)
		external_clear(&set.list[i]);
	free(set.list);
	for (unsigned i = 0; i < f->n_first; i++)
		stage_unref(f->first[i]);
	free(f->first);
	free(f->dir);
	if (conn)
		conn_clear(conn);
	free(conn);
	free((char *)f->with.storage.keys);
	lock_destroy(&f->lock);
}
