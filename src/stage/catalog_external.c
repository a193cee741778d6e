/*
 * The external stages, and the folder where some of them come from. One
 * thread at a time looks at it (`looking`); it reads the files and opens the
 * stores without the lock, and swaps the set under it. A stage whose settings
 * are as they were stays the same struct stage, so nothing that is open is
 * disturbed. What cannot be a stage (a name of the configuration, or one that
 * no stage can have) is said in the log and otherwise as if it were not there.
 * What cannot be used (an unreadable file, an overlap, a directory that cannot
 * be opened) is a stage all the same, whose every call says why
 * (store_broken_new()), and is tried again at each look; a file that has become
 * unreadable keeps the stage that it was.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "stage/catalog_impl.h"
#include "stage/location.h"
#include "store/store.h"

#define LOOK_MS 1000

/* ---- a look at the folder ---- */

/* The set that is coming, and what stands where. */
struct change {
	struct catalog *c;
	struct external_set old, new;
	bool *kept; /* of old */
	bool tell; /* the folder has changed since what is wrong was told */
};

static bool is_absent(const struct external *x)
{
	return x->stage->store->broken;
}

static bool any_absent(const struct external_set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		if (is_absent(&set->list[i]))
			return true;
	return false;
}

/* A directory that could not be opened may be there now. */
static bool renew(struct change *ch, const struct external *x)
{
	struct external *to = &ch->new.list[ch->new.n];
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc;

	if (!x->conn->url)
		return false;
	rc = external_open(ch->c, &ch->old, x->stage->name, x->conn, x->drop_in,
			   to, &why);

	buf_clear(&why);
	if (rc)
		return false;
	if (is_absent(to)) {
		external_clear(to);
		return false;
	}
	ch->new.n++;
	return true;
}

static void keep(struct change *ch, struct external *x)
{
	if (is_absent(x) && renew(ch, x))
		return;
	ch->kept[x - ch->old.list] = true;
	ch->new.list[ch->new.n++] = *x;
}

static void tell(const struct change *ch, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void tell(const struct change *ch, const char *fmt, ...)
{
	struct buf text = BUF_INIT(BUF_LINE);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (ch->tell)
		log_warn("%s", buf_str(&text));
	buf_clear(&text);
}

/* A new or an altered one, or what says why it is none. */
static void open_one(struct change *ch, const struct drop_in *d)
{
	struct external *to = &ch->new.list[ch->new.n];
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (d->fault)
		buf_adds(&why, d->fault);
	else
		rc = external_open(ch->c, &ch->new, d->name, &d->conn, true, to,
				   &why);
	if (d->fault || (rc && rc != -ENOMEM)) {
		tell(ch, "stage %s cannot be used: %s", d->name, buf_str(&why));
		rc = external_broken(d->name, d->fault ? NULL : &d->conn,
				     buf_str(&why), to);
	}
	ch->new.n += !rc;
	buf_clear(&why);
}

/* Is it what it was? One with a fault, if the fault is the same. */
static bool is_same(const struct external *x, const struct drop_in *d)
{
	if (!d->fault)
		return conn_equal(x->conn, &d->conn);
	return !x->fault || !strcmp(x->fault, d->fault);
}

static void add_one(struct change *ch, struct drop_in *d)
{
	struct external *x = external_find(&ch->old, d->name);
	uint64_t most = ch->c->deadline_max;

	if (most && d->conn.lane.deadline_s > most && !conn_is_local(&d->conn))
		d->conn.lane.deadline_s = most;
	if (x && !x->drop_in) {
		tell(ch,
		     "a stage of the folder is left out: the configuration "
		     "has a stage %s",
		     d->name);
	} else if (!stage_name_valid(d->name)) {
		tell(ch, "a stage of the folder is left out: %s", d->fault);
	} else if (x && is_same(x, d)) {
		if (d->fault && !x->fault)
			tell(ch, "stage %s stays as it was: %s", d->name,
			     d->fault);
		keep(ch, x);
	} else {
		open_one(ch, d);
	}
}

/* 0 and the new set, or -ENOMEM. */
static int build(struct change *ch, struct drop_ins *read)
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
			keep(ch, &ch->old.list[i]);
	for (unsigned i = 0; i < read->n; i++)
		add_one(ch, &read->list[i]);
	external_sort(&ch->new);
	return 0;
}

static void swap(struct change *ch)
{
	lock_take(&ch->c->lock);
	catalog_locked(ch->c)->external = ch->new;
	lock_drop(&ch->c->lock);
	for (unsigned i = 0; i < ch->old.n; i++)
		if (!ch->kept[i])
			external_clear(&ch->old.list[i]);
	free(ch->old.list);
}

static void reload(struct catalog *c, const struct external_set *old, bool told)
{
	struct change ch = { .c = c, .old = *old, .tell = !told };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct drop_ins read = { 0 };

	if (c->drop_ins && drop_ins_read(c->drop_ins, &read, &why))
		tell(&ch, "the stages of the folder: %s", buf_str(&why));
	if (!build(&ch, &read))
		swap(&ch);
	free(ch.kept);
	drop_ins_clear(&read);
	buf_clear(&why);
}

/* Reads the folder if it has changed since `stamp`, which is moved on, and
 * tries again to open what is absent. */
static void look(struct catalog *c, const struct external_set *set,
		 struct drop_ins_stamp *stamp)
{
	struct drop_ins_stamp before = *stamp;
	bool changed = false, unsettled = before.unsettled;

	if (c->drop_ins) {
		drop_ins_stamp(c->drop_ins, stamp);
		changed = drop_ins_changed(&before, stamp);
	}
	before.unsettled = false;
	if (changed || any_absent(set))
		reload(c, set,
		       !changed || (unsettled &&
				    !drop_ins_changed(&before, stamp)));
}

void catalog_look(struct catalog *c, bool now)
{
	int64_t now_ms = clock_mono_ms();
	struct drop_ins_stamp stamp;
	struct external_set set;
	struct catalog_locked *g;
	bool due;

	lock_take(&c->lock);
	g = catalog_locked(c);
	due = !g->looking && (c->drop_ins || any_absent(&g->external)) &&
	      (now || now_ms - g->looked_ms >= LOOK_MS);
	if (due) {
		g->looking = true;
		g->looked_ms = now_ms;
	}
	stamp = g->stamp;
	set = g->external;
	lock_drop(&c->lock);
	if (!due)
		return;
	look(c, &set, &stamp);
	lock_take(&c->lock);
	catalog_locked(c)->stamp = stamp;
	catalog_locked(c)->looking = false;
	lock_drop(&c->lock);
}

void catalog_refresh(struct catalog *c)
{
	lock_take(&c->lock);
	catalog_locked(c)->stamp.unsettled = true;
	lock_drop(&c->lock);
	catalog_look(c, true);
}

/* ---- one of them ---- */

struct stage *catalog_find_external(struct catalog *c, const char *name)
{
	struct external *x;
	struct stage *s = NULL;

	catalog_look(c, false);
	lock_take(&c->lock);
	x = external_find(&catalog_locked(c)->external, name);
	if (x)
		s = stage_ref(x->stage);
	lock_drop(&c->lock);
	return s;
}

bool catalog_has_external(struct catalog *c, const char *name)
{
	bool has;

	lock_take(&c->lock);
	has = external_find(&catalog_locked(c)->external, name) != NULL;
	lock_drop(&c->lock);
	return has;
}

bool catalog_is_external(struct catalog *c, const char *name)
{
	catalog_look(c, false);
	return catalog_has_external(c, name);
}

int catalog_conn(struct catalog *c, const char *name, struct conn *out,
		 bool *drop_in)
{
	struct external *x;
	int rc = -ENOENT;

	catalog_look(c, false);
	lock_take(&c->lock);
	x = external_find(&catalog_locked(c)->external, name);
	if (x) {
		*drop_in = x->drop_in;
		rc = conn_copy(x->conn, out);
	}
	lock_drop(&c->lock);
	return rc;
}

int catalog_check(struct catalog *c, const char *name, const struct conn *conn,
		  struct buf *err)
{
	const struct holder storage = storage_holder(c);
	struct holder self = { name, conn, NULL };
	struct store *store;
	char *keys;
	int rc = overlap_keys(conn, "", &keys, err);

	self.keys = keys;
	catalog_refresh(c);
	if (!rc) {
		lock_take(&c->lock);
		rc = overlap_check(&storage, &catalog_locked(c)->external,
				   &self, err);
		lock_drop(&c->lock);
	}
	if (!rc)
		rc = c->open(conn, name, c->engine, &store, err);
	if (!rc)
		store_unref(store);
	free(keys);
	return rc;
}

unsigned catalog_n_external(struct catalog *c)
{
	return c->n_first;
}

struct stage *catalog_external(struct catalog *c, unsigned i)
{
	return c->first[i];
}
