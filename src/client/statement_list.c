/*
 * LIST: the rows leave as the listing comes.
 */
#include "client/statement.h"

#include <errno.h>

#include "base/buf.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "client/statement_walk.h"
#include "store/store.h"

static const struct table_column columns[] = {
	{ "name", TABLE_TEXT },    { "size", TABLE_NUMBER },
	{ "md5", TABLE_TEXT },     { "last_modified", TABLE_TIME },
	{ "creator", TABLE_TEXT },
};
#define N_COLUMNS (sizeof(columns) / sizeof(*columns))

struct listing {
	struct table *table;
	struct store *store;
};

static int put_row(void *arg, const struct list_entry *e, const char *name,
		   struct failure *f)
{
	const struct object_info *info = &e->info;
	struct listing *l = arg;
	struct buf md5 = BUF_INIT(STORE_ETAG_SIZE);
	int rc;

	store_md5(l->store, info, &md5);
	rc = table_row(l->table,
		       (const struct table_value[N_COLUMNS]){
			       { .text = name },
			       { .number = info->size },
			       { .text = md5.len ? buf_str(&md5) : NULL },
			       { .time = info->mtime },
			       { .text = NULL },
		       });
	buf_clear(&md5);
	return rc ? fail_write(f, rc) : 0;
}

int statement_list(struct session *s, const struct location *where,
		   struct pattern *pattern, const struct output *o,
		   struct failure *f)
{
	struct listing l = { 0 };
	struct walk w = {
		.path = where->path,
		.pattern = pattern,
		.each = put_row,
		.arg = &l,
	};
	int rc = statement_stage(s, where->stage, &w.stage, f), end;

	if (rc)
		return rc;
	l.store = w.stage->store;
	l.table = output_table(o, columns, N_COLUMNS);
	if (!l.table) {
		rc = fail(f, CODE_STORAGE, -ENOMEM, "no memory");
	} else {
		rc = walk_files(&w, f);
		end = table_end(l.table);
		if (end && !rc)
			rc = fail_write(f, end);
	}
	stage_unref(w.stage);
	return rc;
}
