/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REMOVE. Keys are gathered from the listing and removed by the batch, so
 * memory does not grow with their number; a listing goes on by key, so what
 * was removed behind it does not disturb it. A file that cannot be removed is
 * counted and the rest goes on.
 */
#include "client/statement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "client/session.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "client/walk.h"
#include "store/store.h"

#define BATCH 1000
#define A_DIRECTORY \
	"it names a directory (--recursive removes it with all that is in it)"

struct remover {
	struct store *store;
	char *keys[BATCH];
	unsigned n;
	uint64_t removed, failed; /* files, not markers */
	int first; /* failure */
	struct table *table; /* of a dry run; NULL */
	bool brief; /* for a person: the size first */
	const char
		*stage; /* of one of several: its rows' names are locations */
};

static bool remove_is_marker(const char *key)
{
	size_t len = strlen(key);

	return len && key[len - 1] == '/';
}

static void remove_flush(struct remover *r)
{
	int results[BATCH];

	if (!r->n)
		return;
	memset(results, 0, sizeof(results));
	store_remove_many(r->store, (const char *const *)r->keys, r->n,
			  results);
	for (unsigned i = 0; i < r->n; i++) {
		if (results[i]) {
			r->failed++;
			if (!r->first)
				r->first = results[i];
		} else {
			r->removed += !remove_is_marker(r->keys[i]);
		}
		free(r->keys[i]);
	}
	r->n = 0;
}

static int remove_take(void *arg, const struct list_entry *e, const char *name,
		       struct failure *f)
{
	struct remover *r = arg;
	char *key = strdup(e->key);

	if (!key)
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	r->keys[r->n++] = key;
	if (r->n == BATCH)
		remove_flush(r);
	return 0;
}

static int remove_show(void *arg, const struct list_entry *e, const char *name,
		       struct failure *f)
{
	BUF_LOCAL location = BUF_INIT(2 * STORE_KEY_MAX);
	struct table_value row[2] = { 0 };
	struct remover *r = arg;
	int rc;

	if (remove_is_marker(e->key))
		return 0;
	if (r->stage)
		buf_addf(&location, "@%s/%s", r->stage, name);
	row[r->brief].text = r->stage ? buf_str(&location) : name;
	row[!r->brief].number = e->info.size;
	rc = table_row(r->table, row);
	return rc ? failure_write(f, rc) : 0;
}

/* Walks what begins with path. */
static int remove_below(struct remover *r, struct stage *stage,
			const char *path, struct pattern *pattern,
			struct failure *f)
{
	const struct walk w = {
		.stage = stage,
		.path = path,
		.pattern = pattern,
		.markers = !pattern,
		.each = r->table ? remove_show : remove_take,
		.arg = r,
	};
	int rc = walk_files(&w, f);

	remove_flush(r);
	return rc;
}

static int remove_tell_none(struct stage *stage, const char *key,
			    struct failure *f)
{
	struct name_info info = { 0 };
	int rc = store_stat(stage->store, key, &info);

	if (!rc && info.is_prefix)
		return failure_set(f, CODE_BAD_ARGUMENTS, -EISDIR, A_DIRECTORY);
	return failure_set(f, CODE_NOT_FOUND, -ENOENT,
			   "there is no such file%s",
			   strpbrk(key + strlen(stage->prefix), "*?[")
				   ? " (* ? [ are themselves "
				     "here: --prefix and "
				     "--pattern choose among many)"
				   : "");
}

/* One file, which must be there. */
static int remove_file(struct remover *r, struct stage *stage, const char *path,
		       struct failure *f)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX);
	struct object_details details;
	struct list_entry e = { 0 };
	int rc;

	if (!*path || remove_is_marker(path))
		return failure_set(f, CODE_BAD_ARGUMENTS, -EISDIR, A_DIRECTORY);
	rc = stage_key(stage, path, &key);
	if (!rc)
		rc = store_head(stage->store, buf_str(&key), &details);
	if (rc == -ENOENT) {
		rc = remove_tell_none(stage, buf_str(&key), f);
	} else if (rc == -ENAMETOOLONG) {
		failure_set(f, CODE_BAD_ARGUMENTS, rc, "%s", strerror(-rc));
	} else if (rc) {
		failure_store(f, stage->store, stage->prefix, rc);
	} else {
		e.key = buf_str(&key);
		e.info = details.info;
		rc = (r->table ? remove_show : remove_take)(r, &e, path, f);
		remove_flush(r);
	}
	return rc;
}

/* `dir` is `dir/` with all below, and the file `dir` if there is one. */
static int remove_tree(struct remover *r, struct stage *stage, const char *path,
		       struct pattern *pattern, struct failure *f)
{
	BUF_LOCAL dir = BUF_INIT(STORE_KEY_MAX), key = BUF_INIT(STORE_KEY_MAX);
	struct name_info info = { 0 };
	int rc = 0;

	if (!*path || remove_is_marker(path))
		return remove_below(r, stage, path, pattern, f);
	buf_addf(&dir, "%s/", path);
	if (buf_err(&dir) || stage_key(stage, path, &key))
		rc = failure_set(f, CODE_BAD_ARGUMENTS, -ENAMETOOLONG, "%s",
				 strerror(ENAMETOOLONG));
	if (!rc) {
		rc = store_stat(stage->store, buf_str(&key), &info);
		if (rc)
			failure_store(f, stage->store, stage->prefix, rc);
		else if (!info.is_object && !info.is_prefix)
			rc = failure_set(f, CODE_NOT_FOUND, -ENOENT,
					 "there is no such file or directory");
	}
	if (!rc && info.is_object && !pattern)
		rc = remove_file(r, stage, path, f);
	if (!rc && info.is_prefix)
		rc = remove_below(r, stage, buf_str(&dir), pattern, f);
	return rc;
}

static int remove_by_scope(struct remover *r, struct stage *stage,
			   const char *path, struct pattern *pattern,
			   const struct sql_statement *q, struct failure *f)
{
	switch (q->scope) {
	case SQL_SCOPE_FILE:
		return remove_file(r, stage, path, f);
	case SQL_SCOPE_TREE:
		return remove_tree(r, stage, path, pattern, f);
	case SQL_SCOPE_PREFIX:
		return remove_below(r, stage, path, pattern, f);
	}
	return -EINVAL;
}

static int remove_scope(struct remover *r, struct stage *stage,
			const char *path, struct pattern *pattern,
			const struct sql_statement *q, struct failure *f)
{
	int rc = remove_by_scope(r, stage, path, pattern, q, f);

	return rc == -ENOENT && f->code == CODE_NOT_FOUND && q->if_exists ? 0
									  : rc;
}

static int remove_tell_failed(const struct remover *r, struct failure *f)
{
	return failure_set(f,
			   r->first == -EACCES ? CODE_PERMISSION : CODE_STORAGE,
			   r->first,
			   "%llu of %llu files could not be removed: %s",
			   (unsigned long long)r->failed,
			   (unsigned long long)(r->failed + r->removed),
			   strerror(-r->first));
}

int statement_remove_print(uint64_t removed, uint64_t failed,
			   const struct output *o, struct failure *f)
{
	static const struct table_column columns[] = {
		{ "removed", TABLE_NUMBER },
		{ "failed", TABLE_NUMBER },
	};
	const struct table_value row[] = {
		{ .number = removed },
		{ .number = failed },
	};
	struct table *t = table_open(o, columns, 2);
	int rc;

	if (!t)
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	table_row(t, row);
	rc = table_end(t);
	return rc ? failure_write(f, rc) : 0;
}

struct table *statement_remove_table(const struct output *o)
{
	static const struct table_column columns[] = {
		{ "name", TABLE_TEXT },
		{ "size", TABLE_NUMBER },
		{ "name", TABLE_TEXT },
	};

	return table_open(o, columns + o->brief, 2);
}

static int remove_dry(struct remover *r, struct stage *stage, const char *path,
		      struct pattern *pattern, const struct sql_statement *q,
		      const struct output *o, struct failure *f)
{
	int rc, end = 0;

	r->brief = o->brief;
	r->stage = o->several ? stage->name : NULL;
	r->table = o->several ? o->several->table : statement_remove_table(o);
	if (!r->table)
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	rc = remove_scope(r, stage, path, pattern, q, f);
	if (!o->several)
		end = table_end(r->table);
	return !rc && end ? failure_write(f, end) : rc;
}

static int remove_now(struct remover *r, struct stage *stage, const char *path,
		      struct pattern *pattern, const struct sql_statement *q,
		      const struct output *o, struct failure *f)
{
	int rc, print_rc = 0;

	if (stage->ro)
		return failure_set(f, CODE_PERMISSION, -EROFS,
				   "stage %s is read-only", stage->name);
	rc = remove_scope(r, stage, path, pattern, q, f);
	if (o->several) {
		o->several->removed += r->removed;
		o->several->failed += r->failed;
	} else if (!rc || r->removed || r->failed) {
		print_rc = statement_remove_print(r->removed, r->failed, o, f);
	}
	if (!rc && !print_rc && r->failed)
		rc = remove_tell_failed(r, f);
	return rc ? rc : print_rc;
}

int statement_remove(struct session *s, const struct location *where,
		     struct pattern *pattern, const struct sql_statement *q,
		     const struct output *o, struct failure *f)
{
	MEM_LOCAL struct remover *r = calloc(1, sizeof(*r));
	struct stage *stage;
	int rc;

	if (!r)
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	rc = session_stage(s, where->stage, &stage, f);
	if (!rc) {
		r->store = stage->store;
		rc = (q->dry_run ? remove_dry : remove_now)(
			r, stage, where->path, pattern, q, o, f);
		if (!q->dry_run)
			catalog_keep(s->catalog, stage);
		stage_unref(stage);
	}
	return rc;
}

int statement_remove_all(struct stage *stage, struct failure *f)
{
	MEM_LOCAL struct remover *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	r->store = stage->store;
	rc = remove_below(r, stage, "", NULL, f);
	if (!rc && r->failed)
		rc = remove_tell_failed(r, f);
	return rc;
}
