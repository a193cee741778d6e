/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LIST. For programs it has Databend's columns; for a person at a terminal
 * what fits one, the name last, and a sum.
 */
#include "client/statement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "client/session.h"
#include "client/walk.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "store/store.h"

static const struct table_column list_columns[] = {
	{ "name", TABLE_TEXT },    { "size", TABLE_NUMBER },
	{ "md5", TABLE_TEXT },     { "last_modified", TABLE_TIME },
	{ "creator", TABLE_TEXT },
};
static const struct table_column list_human_columns[] = {
	{ "name", TABLE_TEXT },    { "size", TABLE_COUNT },
	{ "md5", TABLE_TEXT },     { "last_modified", TABLE_TIME },
	{ "creator", TABLE_TEXT },
};
static const struct table_column list_brief_columns[] = {
	{ "size", TABLE_COUNT },
	{ "last_modified", TABLE_TEXT },
	{ "name", TABLE_TEXT },
};

struct list_row {
	char *name;
	struct object_info info;
};

struct listing {
	const struct sql_statement *q;
	const struct output *o;
	struct table *table;
	struct store *store;
	const char *stage;
	struct list_row *rows; /* that wait to be sorted */
	size_t n, room;
	uint64_t files, directories, bytes;
};

/* JSON's size is a number. */
static bool list_is_human(const struct sql_statement *q, const struct output *o)
{
	return q->human && o->format != TABLE_JSON && o->format != TABLE_NDJSON;
}

struct table *statement_list_table(const struct sql_statement *q,
				   const struct output *o)
{
	if (o->brief)
		return table_open(o, list_brief_columns, 3);
	return table_open(
		o, list_is_human(q, o) ? list_human_columns : list_columns, 5);
}

/* Where its rows go; one of several tables has a heading. */
static struct table *list_open(const struct listing *l)
{
	struct several *all = l->o->several;
	BUF_LOCAL shown = BUF_INIT(2 * BUF_MESSAGE);

	if (all && all->table)
		return all->table;
	if (all) {
		text_one_line(&shown, l->q->location.s);
		printf("%s%s:\n", all->begun++ ? "\n" : "", buf_str(&shown));
	}
	return statement_list_table(l->q, l->o);
}

static int list_put_brief(struct listing *l, const struct object_info *info,
			  const char *name, bool directory)
{
	char time[TIME_LIST_SIZE];
	BUF_LOCAL size = BUF_INIT(64);

	clock_list(info->mtime, time);
	time[16] = '\0'; /* minutes */
	if (l->q->human)
		text_bytes(&size, info->size);
	else
		buf_addf(&size, "%llu", (unsigned long long)info->size);
	return table_row(l->table,
			 (const struct table_value[3]){
				 { .text = buf_str(&size), .none = directory },
				 { .text = directory ? "" : time },
				 { .text = name },
			 });
}

static int list_put_full(struct listing *l, const struct object_info *info,
			 const char *name, bool directory)
{
	BUF_LOCAL md5 = BUF_INIT(STORE_ETAG_SIZE), size = BUF_INIT(64);

	if (!directory)
		store_md5(l->store, info, &md5);
	text_bytes(&size, info->size);
	return table_row(l->table,
			 (const struct table_value[5]){
				 { .text = name },
				 { .text = buf_str(&size),
				   .number = info->size,
				   .none = directory },
				 { .text = md5.len ? buf_str(&md5) : NULL },
				 { .time = info->mtime, .none = directory },
				 { .text = NULL },
			 });
}

static int list_put(struct listing *l, const struct object_info *info,
		    const char *name)
{
	BUF_LOCAL location = BUF_INIT(2 * STORE_KEY_MAX);
	bool directory = text_ends_with(name, "/");

	if (l->o->several && l->o->several->table) {
		buf_addf(&location, "@%s/%s", l->stage, name);
		name = buf_str(&location);
	}
	l->files += !directory;
	l->directories += directory;
	l->bytes += directory ? 0 : info->size;
	return (l->o->brief ? list_put_brief : list_put_full)(l, info, name,
							      directory);
}

static int list_each(void *arg, const struct list_entry *e, const char *name,
		     struct failure *f)
{
	static const struct object_info none = { 0 };
	struct listing *l = arg;
	const struct object_info *info = e->is_prefix ? &none : &e->info;
	int rc;

	if (l->q->sort == SQL_SORT_NAME) {
		rc = list_put(l, info, name);
		return rc ? failure_write(f, rc) : 0;
	}
	if (ARRAY_RESERVE(l->rows, l->room, l->n + 1) ||
	    !(l->rows[l->n].name = strdup(name)))
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	l->rows[l->n].info = *info;
	l->n++;
	return 0;
}

static int list_by_size(const void *a, const void *b)
{
	const struct list_row *x = a, *y = b;

	if (x->info.size != y->info.size)
		return x->info.size < y->info.size ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int list_by_time(const void *a, const void *b)
{
	const struct list_row *x = a, *y = b;
	const struct timespec *s = &x->info.mtime, *t = &y->info.mtime;

	if (s->tv_sec != t->tv_sec)
		return s->tv_sec < t->tv_sec ? 1 : -1;
	if (s->tv_nsec != t->tv_nsec)
		return s->tv_nsec < t->tv_nsec ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int list_put_sorted(struct listing *l)
{
	int rc = 0;

	if (l->n)
		qsort(l->rows, l->n, sizeof(*l->rows),
		      l->q->sort == SQL_SORT_SIZE ? list_by_size
						  : list_by_time);
	for (size_t i = 0; i < l->n && !rc; i++)
		rc = list_put(l, &l->rows[i].info, l->rows[i].name);
	return rc;
}

/* `7 files, 15.6 KiB`, for a person. */
static void list_put_sum(const struct listing *l)
{
	BUF_LOCAL bytes = BUF_INIT(64);

	text_bytes(&bytes, l->bytes);
	if (l->directories)
		printf("%llu %s, ", (unsigned long long)l->directories,
		       l->directories == 1 ? "directory" : "directories");
	printf("%llu %s, %s\n", (unsigned long long)l->files,
	       l->files == 1 ? "file" : "files", buf_str(&bytes));
	fflush(stdout);
}

static int list_run(struct listing *l, const struct walk *w, struct failure *f)
{
	int rc = walk_files(w, f), end = 0;

	if (!rc) {
		rc = list_put_sorted(l);
		if (rc)
			failure_write(f, rc);
	}
	if (!l->o->several || !l->o->several->table)
		end = table_end(l->table);
	if (end && !rc)
		rc = failure_write(f, end);
	if (!rc && l->o->brief)
		list_put_sum(l);
	return rc;
}

int statement_list(struct session *s, const struct location *where,
		   struct pattern *pattern, const struct sql_statement *q,
		   const struct output *o, struct failure *f)
{
	struct listing l = { .q = q, .o = o };
	struct walk w = {
		.path = where->path,
		.pattern = pattern,
		.one_level = q->one_level,
		.each = list_each,
		.arg = &l,
	};
	int rc = session_stage(s, where->stage, &w.stage, f);

	if (rc)
		return rc;
	l.store = w.stage->store;
	l.stage = w.stage->name;
	l.table = list_open(&l);
	rc = l.table ? list_run(&l, &w, f)
		     : failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	stage_unref(w.stage);
	for (size_t i = 0; i < l.n; i++)
		free(l.rows[i].name);
	free(l.rows);
	return rc;
}
