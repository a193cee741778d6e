/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys are noted in one long text; a million of them are some 80 MB, and
 * the text has a bound. An ETag stands behind its key, since the copy is
 * pinned to it.
 *
 * What is removed is listed once more right before, some thousand keys at a
 * time: a key whose ETag is another one by then is another machine's. It may
 * still change between that page and the removal, which no store of objects
 * ties to an ETag for many keys at once.
 */
#include "fs/rename/rename_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/waiter.h"
#include "base/parallel.h"

#define KEYS_BYTES_MAX (1UL << 30)
#define KEY BUF_INIT(STORE_KEY_MAX)
#define BATCH 1000 /* keys of a removal */
#define REMOVERS 4
#define LOOK_FOR 128 /* keys of which one listing tells whether they are free */
#define PROGRESS_MS 10000 /* between two lines of the log */

LOCK_GUARDS(rename_keys_locked, rename_keys, rename_keys_locked);

const char *rename_keys_rest(const struct rename_keys *m, size_t k)
{
	return m->text.data + m->keys[k].at;
}

/* `from` and `rest` with the '/' between. */
static int rename_keys_whole_key(const struct buf *dir, const char *rest,
				 struct buf *out)
{
	buf_reset(out);
	buf_add(out, dir->data, dir->len);
	buf_addc(out, '/');
	buf_adds(out, rest);
	return buf_err(out) == -EMSGSIZE ? -ENAMETOOLONG : buf_err(out);
}

/* The one that has what is below dir. */
static struct store *rename_keys_store(const struct rename_keys *m,
				       const struct buf *dir)
{
	return dir == &m->to ? m->to_store : m->store;
}

/* ---- which keys ---- */

/*
 * What tells a version from others in a listing: its ETag, or where listings
 * have none that counts, size and time, which no ETag looks like.
 */
#define NO_ETAG '\001'
#define VERSION_SIZE (STORE_ETAG_SIZE > 64 ? STORE_ETAG_SIZE : 64)

static void rename_keys_version(const struct object_info *info,
				char out[VERSION_SIZE])
{
	if (*info->etag)
		strcpy(out, info->etag);
	else
		snprintf(out, VERSION_SIZE, "%c%llu %lld.%09ld", NO_ETAG,
			 (unsigned long long)info->size,
			 (long long)info->mtime.tv_sec, info->mtime.tv_nsec);
}

static int rename_keys_note_key(struct rename_keys *m, const char *rest,
				const struct object_info *info)
{
	char version[VERSION_SIZE];

	if (m->to.len + 1 + strlen(rest) > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	if (ARRAY_RESERVE(m->keys, m->cap, m->n + 1))
		return -ENOMEM;
	m->keys[m->n++] = (struct rename_key){ .at = m->text.len };
	buf_add(&m->text, rest, strlen(rest) + 1);
	rename_keys_version(info, version);
	buf_add(&m->text, version, strlen(version) + 1);
	return buf_err(&m->text) == -EMSGSIZE ? -E2BIG : buf_err(&m->text);
}

int rename_keys_collect(struct rename_keys *m)
{
	struct list_query q = { .ahead = true };
	BUF_LOCAL prefix = KEY;
	STORE_LIST_LOCAL *list = NULL;
	struct list_entry e;
	int rc = rename_keys_whole_key(&m->from, "", &prefix);

	q.prefix = buf_str(&prefix);
	if (!rc)
		rc = store_list_open(m->store, &q, &list);
	while (!rc && (rc = store_list_next(list, &e)) > 0)
		rc = rename_keys_note_key(m, e.key + prefix.len, &e.info);
	/* what cannot be named would stay behind */
	return !rc && list->lost ? -EILSEQ : rc;
}

/* ---- copying, on several threads ---- */

static int rename_keys_note_copy(struct rename_keys *m, size_t k,
				 const struct object_info *info)
{
	struct rename_keys_locked *g;
	int rc;

	lock_take(&m->lock);
	g = rename_keys_locked(m);
	rc = ARRAY_RESERVE(g->copies, g->cap, g->n + 1);
	if (!rc)
		g->copies[g->n++] = (struct rename_copy){ k, *info };
	lock_drop(&m->lock);
	return rc;
}

static void rename_keys_note_failure(struct rename_keys *m, size_t k)
{
	lock_take(&m->lock);
	if (rename_keys_locked(m)->failed == SIZE_MAX)
		rename_keys_locked(m)->failed = k;
	lock_drop(&m->lock);
}

static enum rename_copied rename_keys_outcome(int rc)
{
	if (!rc)
		return RENAME_COPIED;
	return store_maybe_done(rc) ? RENAME_MAYBE_COPIED : RENAME_NOT_COPIED;
}

/* NULL: it is not known. */
static const char *rename_keys_etag(const struct rename_keys *m, size_t k)
{
	const char *rest = rename_keys_rest(m, k),
		   *version = rest + strlen(rest) + 1;

	return *version == NO_ETAG ? NULL : version;
}

static int rename_keys_copy_one(void *arg, size_t k)
{
	struct rename_keys *m = arg;
	const char *rest = rename_keys_rest(m, k),
		   *etag = rename_keys_etag(m, k);
	BUF_LOCAL from = KEY, to = KEY;
	struct object_info info;
	/* The marker of a directory that stood there before may stay. */
	struct store_cond cond = { .if_absent = *rest || !m->keep_marker,
				   .looked = m->looked };
	int rc = rename_keys_whole_key(&m->from, rest, &from);

	if (!rc)
		rc = rename_keys_whole_key(&m->to, rest, &to);
	if (!rc) {
		rc = store_copy_from(m->to_store, m->store, buf_str(&from),
				     etag, buf_str(&to), NULL,
				     cond.if_absent ? &cond : NULL, &info);
		m->keys[k].copied = rename_keys_outcome(rc);
	}
	if (!rc && (!etag || strcmp(info.etag, etag)))
		rc = rename_keys_note_copy(m, k, &info);
	if (rc)
		rename_keys_note_failure(m, k);
	return rc;
}

/* ---- removing, in batches ---- */

struct removal {
	struct rename_keys *m;
	const struct buf *dir; /* below the old place, or the new one */
	bool undo; /* copies only */
	size_t first, end; /* of the keys at hand */
	int rc; /* the first; all batches are tried */
};

static void rename_keys_log_left(const struct removal *v, const char *key,
				 int rc)
{
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){
		       .stage = rename_keys_store(v->m, v->dir)->name,
		       .key = key,
		       .rc = rc },
	       "a directory was %s is left behind",
	       v->undo ? "not moved: the copy" : "moved: the old object");
}

static int rename_keys_remove_batch(struct removal *v, size_t first, size_t end)
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
		rc = store_remove_many(rename_keys_store(m, v->dir),
				       (const char *const *)keys, n, results);
	for (unsigned k = 0; k < n; k++) {
		if (results[k])
			rename_keys_log_left(v, keys[k], results[k]);
		free(keys[k]);
	}
	free(keys);
	free(results);
	return rc;
}

static int rename_keys_remove_one_batch(void *arg, size_t batch)
{
	struct removal *v = arg;
	size_t first = v->first + batch * BATCH, end = first + BATCH;
	int rc = rename_keys_remove_batch(v, first, number_min(end, v->end));
	int none = 0;

	if (rc)
		__atomic_compare_exchange_n(&v->rc, &none, rc, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}

static void rename_keys_remove_some(struct removal *v, size_t end)
{
	v->end = end;
	parallel_run(REMOVERS, (end - v->first + BATCH - 1) / BATCH,
		     rename_keys_remove_one_batch, v, false);
	v->first = end;
}

static int rename_keys_by_key(const void *a, const void *b)
{
	const struct rename_copy *x = a, *y = b;

	return (x->k > y->k) - (x->k < y->k);
}

/* The ETag that was told of a copy, NULL: the old one's, or it was not told.
 * The copies are sorted by then. */
static const char *rename_keys_copy_etag(struct rename_keys *m, size_t k)
{
	const struct rename_copy wanted = { .k = k }, *copies;
	size_t n = rename_keys_changed(m, &copies);

	if (n)
		copies = bsearch(&wanted, copies, n, sizeof(*copies),
				 rename_keys_by_key);
	return n && copies ? copies->info.etag : NULL;
}

static int rename_keys_head(struct rename_keys *m, const struct buf *dir,
			    size_t k, struct object_details *out)
{
	BUF_LOCAL key = KEY;
	int rc = rename_keys_whole_key(dir, rename_keys_rest(m, k), &key);

	return rc ? rc
		  : store_head(rename_keys_store(m, dir), buf_str(&key), out);
}

/* Is what the listing calls otherwise the copy? Some stores' listings have
 * other ETags than their objects, or none that counts. */
static bool rename_keys_is_copy(struct rename_keys *m, size_t k)
{
	MEM_LOCAL struct object_details *d = malloc(2 * sizeof(*d));
	const char *etag = rename_keys_copy_etag(m, k);
	bool is = d && !rename_keys_head(m, &m->to, k, &d[0]);

	if (is && !etag) {
		is = !rename_keys_head(m, &m->from, k, &d[1]);
		etag = d[1].info.etag;
	}
	is = is && *etag && !strcmp(d[0].info.etag, etag);
	return is;
}

static bool rename_keys_is_ours(const struct removal *v, size_t k,
				const struct object_info *listed)
{
	struct rename_keys *m = v->m;
	const char *rest = rename_keys_rest(m, k), *etag;
	char version[VERSION_SIZE];

	rename_keys_version(listed, version);
	if (!v->undo)
		return !strcmp(rest + strlen(rest) + 1, version);
	/* The marker of a directory that stood there before is its own. */
	if (m->keys[k].copied == RENAME_NOT_COPIED ||
	    (m->keep_marker && !*rest))
		return false;
	etag = rename_keys_copy_etag(m, k);
	if (!etag)
		etag = rename_keys_etag(m, k);
	return (etag && !strcmp(etag, version)) || rename_keys_is_copy(m, k);
}

/* Both the listing and the keys are in key order. */
static int rename_keys_remove_listed(struct removal *v, struct store_list *list,
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
		m->keys[k].remove = rename_keys_is_ours(v, k, &e.info);
		if (!m->keys[k].remove && !v->undo)
			log_at(LOG_LEVEL_INFO,
			       &(struct log_where){ .stage = m->store->name,
						    .key = e.key },
			       "another machine has written to it while its "
			       "directory was renamed: what it wrote stays");
		k++;
		if (k - v->first >= (size_t)REMOVERS * BATCH)
			rename_keys_remove_some(v, k);
	}
	if (k > v->first)
		rename_keys_remove_some(v, k);
	return rc < 0 ? rc : v->rc;
}

static int rename_keys_remove_all(struct rename_keys *m, const struct buf *dir,
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
		rc = store_list_open(rename_keys_store(m, dir), &q, &list);
	return rc ? rc : rename_keys_remove_listed(&v, list, prefix.len);
}

int rename_keys_remove(struct rename_keys *m)
{
	return m->n ? rename_keys_remove_all(m, &m->from, false) : 0;
}

static void rename_keys_sort_copies(struct rename_keys *m)
{
	struct rename_keys_locked *g;

	lock_take(&m->lock);
	g = rename_keys_locked(m);
	if (g->n)
		qsort(g->copies, g->n, sizeof(*g->copies), rename_keys_by_key);
	lock_drop(&m->lock);
}

void rename_keys_undo(struct rename_keys *m)
{
	bool any = false;
	int rc;

	for (size_t k = 0; k < m->n && !any; k++)
		any = m->keys[k].copied != RENAME_NOT_COPIED;
	if (!any)
		return;
	rename_keys_sort_copies(m);
	rc = rename_keys_remove_all(m, &m->to, true);
	if (rc)
		log_at(LOG_LEVEL_ERROR,
		       &(struct log_where){ .stage = m->to_store->name,
					    .key = buf_str(&m->to),
					    .rc = rc },
		       "a directory was not moved: some of its copies may be "
		       "left below");
}

/* Is one of the keys first .. end - 1 taken at the new place? 0, -EEXIST with
 * *first at it, -EOPNOTSUPP: that is not known. */
static int rename_keys_look(struct rename_keys *m, size_t *first, size_t end)
{
	BUF_LOCAL prefix = KEY, after = KEY;
	struct list_query q = { .page = 0 };
	STORE_LIST_LOCAL *list = NULL;
	struct list_entry e;
	size_t k = *first;
	int rc = rename_keys_whole_key(&m->to, "", &prefix);

	if (!rc && k)
		rc = rename_keys_whole_key(&m->to, rename_keys_rest(m, k - 1),
					   &after);
	q.prefix = buf_str(&prefix);
	q.after = k ? buf_str(&after) : NULL;
	if (!rc)
		rc = store_list_open(m->to_store, &q, &list);
	if (rc)
		return rc;
	while (k < end && (rc = store_list_next(list, &e)) > 0) {
		const char *there = e.key + prefix.len;
		int order = -1;

		while (k < end &&
		       (order = strcmp(rename_keys_rest(m, k), there)) < 0)
			k++;
		if (k == end)
			break;
		if (!order && (*there || !m->keep_marker)) {
			*first = k;
			rc = -EEXIST;
			break;
		}
	}
	return rc > 0 ? 0 : rc;
}

struct rename_keys_run {
	struct rename_keys *keys;
	size_t first;
};

static int rename_keys_copy_next(void *arg, size_t k)
{
	const struct rename_keys_run *run = arg;

	return rename_keys_copy_one(run->keys, run->first + k);
}

/* Looks by one listing whether they are free, then copies them. */
static int rename_keys_copy_some(struct rename_keys *m, size_t first,
				 size_t end)
{
	struct rename_keys_run run = { m, first };
	size_t taken = first;
	int rc = rename_keys_look(m, &taken, end);

	m->looked = !rc;
	if (rc == -EEXIST)
		rename_keys_note_failure(m, taken);
	if (rc == -EOPNOTSUPP || rc == -EACCES)
		rc = 0; /* each is asked for */
	return rc ? rc
		  : parallel_run(PARALLEL_MAX, end - first,
				 rename_keys_copy_next, &run, true);
}

static void rename_keys_log_progress(const struct rename_keys *m, size_t done,
				     int64_t *said_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms - *said_ms < PROGRESS_MS)
		return;
	*said_ms = now_ms;
	log_at(LOG_LEVEL_INFO,
	       &(struct log_where){ .stage = m->store->name,
				    .key = buf_str(&m->from) },
	       "a directory is being moved: %zu of %zu objects are copied",
	       done, m->n);
}

int rename_keys_copy(struct rename_keys *m)
{
	int64_t said_ms = clock_mono_ms();
	int rc = 0;

	for (size_t k = 0, end; k < m->n && !rc; k = end) {
		end = number_min(k + LOOK_FOR, m->n);
		rc = rename_keys_copy_some(m, k, end);
		rename_keys_log_progress(m, end, &said_ms);
	}
	return rc;
}

size_t rename_keys_changed(struct rename_keys *m,
			   const struct rename_copy **out)
{
	size_t n;

	lock_take(&m->lock); /* the threads have ended: they stay as they are */
	*out = rename_keys_locked(m)->copies;
	n = rename_keys_locked(m)->n;
	lock_drop(&m->lock);
	return n;
}

void rename_keys_failed(struct rename_keys *m, struct buf *key)
{
	size_t k = LOCK_UNDER(&m->lock, rename_keys_locked(m)->failed);

	rename_keys_whole_key(&m->from, k < m->n ? rename_keys_rest(m, k) : "",
			      key);
}

int rename_keys_init(struct rename_keys *m, struct store *store,
		     const char *from, struct store *to_store, const char *to,
		     bool keep_marker)
{
	memset(m, 0, sizeof(*m));
	m->store = store;
	m->to_store = to_store;
	m->keep_marker = keep_marker;
	m->guarded_.failed = SIZE_MAX;
	buf_init(&m->text, KEYS_BYTES_MAX);
	buf_init(&m->from, STORE_KEY_MAX);
	buf_init(&m->to, STORE_KEY_MAX);
	lock_init(&m->lock, LOCK_RENAME_KEYS);
	buf_adds(&m->from, from);
	buf_adds(&m->to, to);
	return buf_err(&m->from) ? buf_err(&m->from) : buf_err(&m->to);
}

void rename_keys_clear(struct rename_keys *m)
{
	lock_destroy(&m->lock);
	free(m->guarded_.copies);
	free(m->keys);
	buf_clear(&m->text);
	buf_clear(&m->from);
	buf_clear(&m->to);
}
