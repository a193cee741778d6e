/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is removed is listed right before, some thousand keys at a time: a key
 * whose ETag is another one by then is another machine's. It may still change
 * between that page and the removal, which few stores of objects tie to an ETag
 * for many keys at once.
 */
#include "fs/rename/rename_removal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/parallel.h"
#include "base/text.h"
#include "base/waiter.h"

#define KEY BUF_INIT(STORE_KEY_MAX)
#define BATCH 1000 /* keys of a removal */
#define REMOVERS 4

/* The one that has what is below dir. */
static struct store *rename_removal_store(const struct rename_keys *m,
					  const struct buf *dir)
{
	return dir == &m->to ? m->to_store : m->store;
}

struct removal {
	struct rename_keys *m;
	const struct buf *dir; /* below the old place, or the new one */
	bool undo; /* copies only */
	size_t first, end; /* of the keys at hand */
	int rc; /* the first; all batches are tried */
};

static void rename_removal_log_left(const struct removal *v, const char *key,
				    int rc)
{
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){
		       .stage = rename_removal_store(v->m, v->dir)->name,
		       .key = key,
		       .rc = rc },
	       "a directory was %s is left behind",
	       v->undo ? "not moved: the copy" : "moved: the old object");
}

static int rename_removal_batch(struct removal *v, size_t first, size_t end)
{
	struct rename_keys *m = v->m;
	char **keys = calloc(BATCH, sizeof(*keys));
	int *results = calloc(BATCH, sizeof(*results));
	unsigned n = 0;
	int rc = keys && results ? 0 : -ENOMEM;

	for (size_t k = first; k < end && !rc; k++) {
		BUF_LOCAL key = KEY;

		if (!m->keys[k].remove)
			continue;
		rc = rename_keys_whole_key(v->dir, rename_keys_rest(m, k),
					   &key);
		keys[n] = rc ? NULL : buf_detach(&key);
		if (keys[n])
			n++;
	}
	if (!rc && n)
		rc = store_remove_many(rename_removal_store(m, v->dir),
				       (const char *const *)keys, n, results);
	for (unsigned k = 0; k < n; k++) {
		if (results[k])
			rename_removal_log_left(v, keys[k], results[k]);
		free(keys[k]);
	}
	free(keys);
	free(results);
	return rc;
}

static int rename_removal_one_batch(void *arg, size_t batch)
{
	struct removal *v = arg;
	size_t first = v->first + batch * BATCH, end = first + BATCH;
	int rc = rename_removal_batch(v, first, number_min(end, v->end));
	int none = 0;

	if (rc)
		__atomic_compare_exchange_n(&v->rc, &none, rc, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}

static void rename_removal_some(struct removal *v, size_t end)
{
	v->end = end;
	parallel_run(REMOVERS, (end - v->first + BATCH - 1) / BATCH,
		     rename_removal_one_batch, v, false);
	v->first = end;
}

static int rename_removal_by_key(const void *a, const void *b)
{
	const struct rename_copy *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* The ETag that was told of a copy, NULL: the old one's, or it was not told.
 * The copies are sorted by then. */
static const char *rename_removal_copy_etag(struct rename_keys *m, size_t k)
{
	const struct rename_copy wanted = { .at = m->keys[k].at }, *copies;
	size_t n = rename_keys_changed(m, &copies);

	if (n)
		copies = bsearch(&wanted, copies, n, sizeof(*copies),
				 rename_removal_by_key);
	return n && copies ? copies->info.etag : NULL;
}

static int rename_removal_head(struct rename_keys *m, const struct buf *dir,
			       size_t k, struct object_details *out)
{
	BUF_LOCAL key = KEY;
	int rc = rename_keys_whole_key(dir, rename_keys_rest(m, k), &key);

	return rc ? rc
		  : store_head(rename_removal_store(m, dir), buf_str(&key),
			       out);
}

/* Is what the listing calls otherwise the copy? Some stores' listings have
 * other ETags than their objects, or none that counts. */
static bool rename_removal_is_copy(struct rename_keys *m, size_t k)
{
	MEM_LOCAL struct object_details *d = malloc(2 * sizeof(*d));
	const char *etag = rename_removal_copy_etag(m, k);
	bool is = d && !rename_removal_head(m, &m->to, k, &d[0]);

	if (is && !etag) {
		is = !rename_removal_head(m, &m->from, k, &d[1]);
		etag = d[1].info.etag;
	}
	is = is && *etag && !strcmp(d[0].info.etag, etag);
	return is;
}

static bool rename_removal_is_ours(const struct removal *v, size_t k,
				   const struct object_info *listed)
{
	struct rename_keys *m = v->m;
	const char *etag;
	char version[RENAME_VERSION_SIZE];

	rename_keys_version(listed, version);
	if (!v->undo)
		return !strcmp(rename_keys_version_of(m, k), version);
	/* The marker of a directory that stood there before is its own. */
	if (m->keys[k].copied == RENAME_NOT_COPIED ||
	    (m->keep_marker && !*rename_keys_rest(m, k)))
		return false;
	etag = rename_removal_copy_etag(m, k);
	if (!etag)
		etag = rename_keys_etag(m, k);
	return (etag && !strcmp(etag, version)) || rename_removal_is_copy(m, k);
}

/* Both the listing and the keys are in key order. */
static int rename_removal_listed(struct removal *v, struct store_list *list,
				 size_t len)
{
	struct rename_keys *m = v->m;
	struct list_entry e;
	size_t k = 0;
	int rc;

	while ((rc = store_list_next(list, &e)) > 0) {
		while (k < m->n &&
		       strcmp(rename_keys_rest(m, k), e.key + len) < 0)
			k++;
		if (k == m->n)
			break;
		if (strcmp(rename_keys_rest(m, k), e.key + len))
			continue;
		m->keys[k].remove = rename_removal_is_ours(v, k, &e.info);
		if (!m->keys[k].remove && !v->undo)
			rename_keys_log_other(m, e.key + len);
		k++;
		if (k - v->first >= (size_t)REMOVERS * BATCH)
			rename_removal_some(v, k);
	}
	if (k > v->first)
		rename_removal_some(v, k);
	return rc < 0 ? rc : v->rc;
}

static int rename_removal_all(struct rename_keys *m, const struct buf *dir,
			      bool undo)
{
	struct list_query q = { .ahead = true };
	struct removal v = { .m = m, .dir = dir, .undo = undo };
	BUF_LOCAL prefix = KEY;
	STORE_LIST_LOCAL *list = NULL;
	int rc;

	waiter_finish(waiter_self()); /* an interrupt does not end this */
	for (size_t k = 0; k < m->n; k++)
		m->keys[k].remove = false;
	rc = rename_keys_whole_key(dir, "", &prefix);
	q.prefix = buf_str(&prefix);
	if (!rc)
		rc = store_list_open(rename_removal_store(m, dir), &q, &list);
	return rc ? rc : rename_removal_listed(&v, list, prefix.len);
}

/* Has a listing told it just now, of what had been copied by then? A marker is
 * copied right behind it. */
static bool rename_removal_is_listed(const struct rename_keys *m)
{
	bool is = clock_mono_ms() - m->listed_ms < STORE_JUST_MS;

	for (size_t k = 0; is && k < m->n; k++)
		is = !m->keys[k].late ||
		     (!m->keys[k].size &&
		      text_ends_with(rename_keys_rest(m, k), "/")) ||
		     !*rename_keys_rest(m, k);
	return is;
}

static int rename_removal_of_listed(struct rename_keys *m)
{
	struct removal v = { .m = m, .dir = &m->from };

	waiter_finish(waiter_self()); /* an interrupt does not end this */
	for (size_t k = 0; k < m->n; k++)
		m->keys[k].remove = m->keys[k].listed;
	rename_removal_some(&v, m->n);
	return v.rc;
}

int rename_removal_run(struct rename_keys *m)
{
	if (!m->n)
		return 0;
	return rename_removal_is_listed(m)
		       ? rename_removal_of_listed(m)
		       : rename_removal_all(m, &m->from, false);
}

static void rename_removal_sort_copies(struct rename_keys *m)
{
	struct rename_keys_locked *g;

	lock_take(&m->lock);
	g = rename_keys_locked(m);
	if (g->n)
		qsort(g->copies, g->n, sizeof(*g->copies),
		      rename_removal_by_key);
	lock_drop(&m->lock);
}

void rename_removal_undo(struct rename_keys *m)
{
	bool any = false;
	int rc;

	for (size_t k = 0; k < m->n && !any; k++)
		any = m->keys[k].copied != RENAME_NOT_COPIED;
	if (!any)
		return;
	rename_removal_sort_copies(m);
	rc = rename_removal_all(m, &m->to, true);
	if (rc)
		log_at(LOG_LEVEL_ERROR,
		       &(struct log_where){ .stage = m->to_store->name,
					    .key = buf_str(&m->to),
					    .rc = rc },
		       "a directory was not moved: some of its copies may be "
		       "left below");
}
