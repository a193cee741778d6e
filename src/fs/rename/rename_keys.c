/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys are noted in one long text; a million of them are some 100 MB, and
 * the text has a bound. An ETag stands behind its key, since the copy is
 * pinned to it.
 *
 * What the tree knows of a directory is copied before that is listed, so that
 * one listing tells what else there is, and what may be removed. A name that
 * was another object's by then is not copied so: it is listed, and copied like
 * all that the tree did not know.
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
#define LOOK_FOR 128 /* keys of which one listing tells whether they are free */
#define PROGRESS_MS 10000 /* between two lines of the log */

int rename_keys_whole_key(const struct buf *dir, const char *rest,
			  struct buf *out)
{
	buf_reset(out);
	buf_add(out, dir->data, dir->len);
	buf_addc(out, '/');
	buf_adds(out, rest);
	return buf_err(out) == -EMSGSIZE ? -ENAMETOOLONG : buf_err(out);
}

/* ---- which keys ---- */

#define NO_ETAG '\001'

void rename_keys_version(const struct object_info *info,
			 char out[RENAME_VERSION_SIZE])
{
	if (*info->etag)
		strcpy(out, info->etag);
	else
		snprintf(out, RENAME_VERSION_SIZE, "%c%llu %lld.%09ld", NO_ETAG,
			 (unsigned long long)info->size,
			 (long long)info->mtime.tv_sec, info->mtime.tv_nsec);
}

int rename_keys_note(struct rename_keys *m, const char *rest,
		     const struct object_info *info)
{
	char version[RENAME_VERSION_SIZE];

	if (m->to.len + 1 + strlen(rest) > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	if (ARRAY_RESERVE(m->keys, m->cap, m->n + 1))
		return -ENOMEM;
	m->keys[m->n++] = (struct rename_key){ .at = m->text.len,
					       .size = info->size,
					       .class = info->class };
	buf_add(&m->text, rest, strlen(rest) + 1);
	rename_keys_version(info, version);
	buf_add(&m->text, version, strlen(version) + 1);
	return buf_err(&m->text) == -EMSGSIZE ? -E2BIG : buf_err(&m->text);
}

static int rename_keys_by_rest(const void *a, const void *b, void *arg)
{
	const struct rename_key *x = a, *y = b;
	const struct rename_keys *m = arg;

	return strcmp(rename_keys_text(m, x->at), rename_keys_text(m, y->at));
}

static void rename_keys_sort(struct rename_keys *m)
{
	if (m->n)
		qsort_r(m->keys, m->n, sizeof(*m->keys), rename_keys_by_rest,
			m);
}

/* The first of the n noted ones that is not before rest. */
static size_t rename_keys_find(const struct rename_keys *m, size_t n,
			       const char *rest)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;

		if (strcmp(rename_keys_rest(m, mid), rest) < 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

void rename_keys_log_other(const struct rename_keys *m, const char *rest)
{
	BUF_LOCAL key = KEY;

	rename_keys_whole_key(&m->from, rest, &key);
	log_at(LOG_LEVEL_INFO,
	       &(struct log_where){ .stage = m->store->name,
				    .key = buf_str(&key) },
	       "another machine has written to it while its directory was "
	       "renamed: what it wrote stays");
}

/* What is listed, of which some may have been copied; those are the first
 * known ones, in order. */
static int rename_keys_listed(struct rename_keys *m, size_t known,
			      const char *rest, const struct object_info *info)
{
	size_t k = rename_keys_find(m, known, rest);
	char version[RENAME_VERSION_SIZE];
	int rc;

	if (k < known && !strcmp(rename_keys_rest(m, k), rest)) {
		rename_keys_version(info, version);
		m->keys[k].listed =
			m->keys[k].copied &&
			!strcmp(rename_keys_version_of(m, k), version);
		if (m->keys[k].copied && !m->keys[k].listed)
			rename_keys_log_other(m, rest);
		if (m->keys[k].copied)
			return 0;
	}
	rc = rename_keys_note(m, rest, info);
	if (!rc)
		m->keys[m->n - 1].listed = m->keys[m->n - 1].late = true;
	return rc;
}

/* Without those that were not copied, and are noted once more or not there. */
static void rename_keys_drop(struct rename_keys *m)
{
	size_t n = 0;

	for (size_t k = 0; k < m->n; k++)
		if (m->keys[k].listed || m->keys[k].copied)
			m->keys[n++] = m->keys[k];
	m->n = n;
}

int rename_keys_collect(struct rename_keys *m)
{
	struct list_query q = { .ahead = true };
	BUF_LOCAL prefix = KEY;
	STORE_LIST_LOCAL *list = NULL;
	struct list_entry e;
	size_t known = m->n;
	int rc = rename_keys_whole_key(&m->from, "", &prefix);

	m->listed_ms = clock_mono_ms();
	q.prefix = buf_str(&prefix);
	if (!rc)
		rc = store_list_open(m->store, &q, &list);
	while (!rc && (rc = store_list_next(list, &e)) > 0)
		rc = rename_keys_listed(m, known, e.key + prefix.len, &e.info);
	rename_keys_drop(m);
	if (known)
		rename_keys_sort(m);
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
		g->copies[g->n++] =
			(struct rename_copy){ m->keys[k].at, *info };
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

const char *rename_keys_etag(const struct rename_keys *m, size_t k)
{
	const char *version = rename_keys_version_of(m, k);

	return *version == NO_ETAG ? NULL : version;
}

/* What is known of the one to be copied. */
static void rename_keys_info(const struct rename_keys *m, size_t k,
			     struct object_info *out)
{
	const char *etag = rename_keys_etag(m, k);

	memset(out, 0, sizeof(*out));
	out->size = m->keys[k].size;
	out->class = m->keys[k].class;
	if (etag)
		strcpy(out->etag, etag);
}

static int rename_keys_copy_one(void *arg, size_t k)
{
	struct rename_keys *m = arg;
	const char *rest = rename_keys_rest(m, k),
		   *etag = rename_keys_etag(m, k);
	BUF_LOCAL from = KEY, to = KEY;
	struct object_info known, info;
	/* The marker of a directory that stood there before may stay. */
	struct store_cond cond = { .if_absent = *rest || !m->keep_marker,
				   .looked = m->looked };
	int rc = rename_keys_whole_key(&m->from, rest, &from);

	if (m->keys[k].copied)
		return 0;
	if (!rc)
		rc = rename_keys_whole_key(&m->to, rest, &to);
	if (!rc) {
		rename_keys_info(m, k, &known);
		rc = store_copy_from(m->to_store, m->store, buf_str(&from),
				     &known, buf_str(&to), NULL,
				     cond.if_absent ? &cond : NULL, &info);
		m->keys[k].copied = rename_keys_outcome(rc);
	}
	if (m->guessed && (rc == -ESTALE || rc == -ENOENT))
		return 0; /* it is listed yet */
	if (!rc && (!etag || strcmp(info.etag, etag)))
		rc = rename_keys_note_copy(m, k, &info);
	if (rc)
		rename_keys_note_failure(m, k);
	return rc;
}

/* ---- are the new places free? ---- */

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
	bool is_free = clock_mono_ms() < m->free_until_ms;
	size_t taken = first;
	int rc = 0;

	/* a listing would show our copies, too */
	if (!is_free && !m->begun)
		rc = rename_keys_look(m, &taken, end);
	m->looked = is_free || (!m->begun && !rc);
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

/* Is nothing there? As rename_keys_look(), of all. */
static int rename_keys_look_all(struct rename_keys *m)
{
	size_t taken = 0;
	int rc = rename_keys_look(m, &taken, m->n);

	if (rc == -EEXIST)
		rename_keys_note_failure(m, taken);
	if (!rc)
		m->free_until_ms = clock_mono_ms() + STORE_JUST_MS;
	return rc;
}

int rename_keys_copy_known(struct rename_keys *m)
{
	int rc = 0;

	if (!m->n)
		return 0;
	rename_keys_sort(m);
	if (clock_mono_ms() >= m->free_until_ms)
		rc = rename_keys_look_all(m);
	if (rc == -EOPNOTSUPP || rc == -EACCES) {
		m->n = 0; /* they are listed yet */
		return 0;
	}
	if (rc)
		return rc;
	m->guessed = m->begun = true;
	rc = rename_keys_copy(m);
	m->guessed = false;
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
