/*
 * LIST: the rows leave as the listing comes.
 */
#include "statement.h"

#include <errno.h>

#include "stage/path.h"
#include "stage/stage.h"
#include "statement_walk.h"
#include "store/store.h"

static const struct table_column columns[] = {
	{ "name", TABLE_TEXT },    { "size", TABLE_NUMBER },
	{ "md5", TABLE_TEXT },     { "last_modified", TABLE_TIME },
	{ "creator", TABLE_TEXT },
};
#define N_COLUMNS (sizeof(columns) / sizeof(*columns))

static int put_row(void *arg, const struct list_entry *e, const char *name,
		   struct failure *f)
{
	const struct object_info *info = &e->info;
	const struct table_value row[N_COLUMNS] = {
		{ .text = name },
		{ .number = info->size },
		{ .text = *info->etag ? info->etag : NULL },
		{ .time = info->mtime },
		{ .text = NULL },
	};
	int rc = table_row(arg, row);

	return rc ? fail_write(f, rc) : 0;
}

int statement_list(struct cmd_session *s, const struct location *where,
		   struct pattern *pattern, const struct output *o,
		   struct failure *f)
{
	struct walk w = {
		.path = where->path,
		.pattern = pattern,
		.each = put_row,
	};
	int rc = statement_stage(s, where->stage, &w.stage, f), end;

	if (rc)
		return rc;
	w.arg = output_table(o, columns, N_COLUMNS);
	if (!w.arg) {
		rc = fail(f, CODE_STORAGE, -ENOMEM, "no memory");
	} else {
		rc = walk_files(&w, f);
		end = table_end(w.arg);
		if (end && !rc)
			rc = fail_write(f, end);
	}
	stage_unref(w.stage);
	return rc;
}
