/*
 * The keys are noted in one long text; a million of them are some 80 MB, and
 * the text has a bound. An ETag stands behind its key, since the copy is
 * pinned to it.
 */
#include "fs/keyset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fs/crew.h"
#include "fs/watch.h"

#define KEYS_BYTES_MAX (1UL << 30)
#define KEY BUF_INIT(STORE_KEY_MAX)
#define BATCH 1000 /* keys of a removal */

static struct keyset_locked *keyset_locked(struct keyset *m) REQUIRES(m->lock)
{
	return &m->guarded_;
}

const char *keyset_rest(const struct keyset *m, size_t k)
{
	return m->text.data + m->keys[k].at;
}

/* `from` and `rest` with the '/' between. */
static int whole_key(const struct buf *dir, const char *rest, struct buf *out)
{
	buf_reset(out);
	buf_add(out, dir->data, dir->len);
	buf_addc(out, '/');
	buf_adds(out, rest);
	return buf_err(out) == -EMSGSIZE ? -ENAMETOOLONG : buf_err(out);
}

/* ---- which keys ---- */

static int note_key(struct keyset *m, const char *rest, const char *etag)
{
	if (m->to.len + 1 + strlen(rest) > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 256;
		void *grown = realloc(m->keys, cap * sizeof(*m->keys));

		if (!grown)
			return -ENOMEM;
		m->keys = grown;
		m->cap = cap;
	}
	m->keys[m->n++] = (struct keyset_key){ .at = m->text.len };
	buf_add(&m->text, rest, strlen(rest) + 1);
	buf_add(&m->text, etag, strlen(etag) + 1);
	return buf_err(&m->text) == -EMSGSIZE ? -E2BIG : buf_err(&m->text);
}

int keyset_collect(struct keyset *m)
{
	struct list_query q = { .ahead = true };
	struct buf prefix = KEY;
	struct store_list *list;
	struct list_entry e;
	int rc = whole_key(&m->from, "", &prefix);

	q.prefix = buf_str(&prefix);
	if (!rc)
		rc = store_list_open(m->store, &q, &list);
	if (!rc) {
		while ((rc = store_list_next(list, &e)) > 0) {
			rc = note_key(m, e.key + prefix.len, e.info.etag);
			if (rc)
				break;
		}
		store_list_close(list);
	}
	buf_clear(&prefix);
	return rc;
}

/* ---- copying, on several threads ---- */

static int note_copy(struct keyset *m, size_t k, const struct object_info *info)
{
	struct keyset_locked *g;
	int err = 0;

	lock_take(&m->lock);
	g = keyset_locked(m);
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 16;
		void *grown = realloc(g->copies, cap * sizeof(*g->copies));

		if (grown) {
			g->copies = grown;
			g->cap = cap;
		}
	}
	if (g->n < g->cap)
		g->copies[g->n++] = (struct keyset_copy){ k, *info };
	else
		err = -ENOMEM;
	lock_drop(&m->lock);
	return err;
}

static void note_failure(struct keyset *m, size_t k)
{
	lock_take(&m->lock);
	if (keyset_locked(m)->failed == SIZE_MAX)
		keyset_locked(m)->failed = k;
	lock_drop(&m->lock);
}

static int copy_one(void *arg, size_t k)
{
	struct keyset *m = arg;
	const char *rest = keyset_rest(m, k), *etag = rest + strlen(rest) + 1;
	struct buf from = KEY, to = KEY;
	struct object_info info;
	int err = whole_key(&m->from, rest, &from);

	if (!err)
		err = whole_key(&m->to, rest, &to);
	if (!err) {
		m->keys[k].tried = true;
		err = WATCH_OWN(store_copy(m->store, buf_str(&from),
					   *etag ? etag : NULL, buf_str(&to),
					   NULL, &info));
	}
	if (!err && strcmp(info.etag, etag))
		err = note_copy(m, k, &info);
	if (err)
		note_failure(m, k);
	buf_clear(&from);
	buf_clear(&to);
	return err;
}

/* ---- removing, in batches ---- */

struct removal {
	struct keyset *m;
	const struct buf *dir; /* below the old place, or the new one */
	bool undo; /* only what was tried */
};

static bool to_be_removed(const struct removal *v, size_t k)
{
	if (!v->undo)
		return true;
	/* The marker of a directory that stood there before is its own. */
	return v->m->keys[k].tried &&
	       !(v->m->keep_marker && !*keyset_rest(v->m, k));
}

static int remove_batch(void *arg, size_t batch)
{
	struct removal *v = arg;
	struct keyset *m = v->m;
	char **keys = calloc(BATCH, sizeof(*keys));
	int *results = calloc(BATCH, sizeof(*results));
	size_t end = (batch + 1) * BATCH;
	unsigned n = 0;
	int err = keys && results ? 0 : -ENOMEM;

	for (size_t k = batch * BATCH; k < end && k < m->n && !err; k++) {
		struct buf key = KEY;

		if (!to_be_removed(v, k))
			continue;
		err = whole_key(v->dir, keyset_rest(m, k), &key);
		keys[n] = err ? NULL : buf_detach(&key);
		if (keys[n])
			n++;
		buf_clear(&key);
	}
	if (!err && n)
		err = WATCH_OWN(store_remove_many(
			m->store, (const char *const *)keys, n, results));
	for (unsigned k = 0; k < n; k++) {
		if (results[k])
			log_at(LOG_LEVEL_ERROR,
			       &(struct log_where){ .stage = m->store->name,
						    .key = keys[k],
						    .err = results[k] },
			       "a directory was moved: the %s is left behind",
			       v->undo ? "copy" : "old object");
		free(keys[k]);
	}
	free(keys);
	free(results);
	return err;
}

/* All batches are tried, whatever becomes of one. */
struct each_batch {
	struct removal v;
	int first;
};

static int remove_one_batch(void *arg, size_t batch)
{
	struct each_batch *e = arg;
	int err = remove_batch(&e->v, batch), none = 0;

	if (err)
		__atomic_compare_exchange_n(&e->first, &none, err, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}

static int remove_all(struct keyset *m, const struct buf *dir, bool undo)
{
	struct each_batch e = { .v = { m, dir, undo } };

	crew_run(4, (m->n + BATCH - 1) / BATCH, remove_one_batch, &e, false);
	return e.first;
}

int keyset_remove(struct keyset *m)
{
	return m->n ? remove_all(m, &m->from, false) : 0;
}

void keyset_undo(struct keyset *m)
{
	if (m->n)
		remove_all(m, &m->to, true);
}

int keyset_copy(struct keyset *m)
{
	return m->n ? crew_run(CREW_MAX, m->n, copy_one, m, true) : 0;
}

size_t keyset_changed(struct keyset *m, const struct keyset_copy **out)
{
	size_t n;

	lock_take(&m->lock); /* the crew has gone: they stay as they are */
	*out = keyset_locked(m)->copies;
	n = keyset_locked(m)->n;
	lock_drop(&m->lock);
	return n;
}

void keyset_failed(struct keyset *m, struct buf *key)
{
	size_t k;

	lock_take(&m->lock);
	k = keyset_locked(m)->failed;
	lock_drop(&m->lock);
	whole_key(&m->from, k < m->n ? keyset_rest(m, k) : "", key);
}

int keyset_init(struct keyset *m, struct store *store, const char *from,
		const char *to, bool keep_marker)
{
	memset(m, 0, sizeof(*m));
	m->store = store;
	m->keep_marker = keep_marker;
	m->guarded_.failed = SIZE_MAX;
	buf_init(&m->text, KEYS_BYTES_MAX);
	buf_init(&m->from, STORE_KEY_MAX);
	buf_init(&m->to, STORE_KEY_MAX);
	lock_init(&m->lock);
	buf_adds(&m->from, from);
	buf_adds(&m->to, to);
	return buf_err(&m->from) ? buf_err(&m->from) : buf_err(&m->to);
}

void keyset_clear(struct keyset *m)
{
	lock_destroy(&m->lock);
	free(m->guarded_.copies);
	free(m->keys);
	buf_clear(&m->text);
	buf_clear(&m->from);
	buf_clear(&m->to);
}
