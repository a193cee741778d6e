/*
 * `stagefs list`: what LIST answers. Databend's rules: a location is a prefix
 * of keys, so @s/ab has ab.csv and ab/c; the file that has exactly that name
 * comes whatever the pattern says; directories and their markers are no rows.
 * One page of the listing is in memory at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "pattern.h"
#include "stage/path.h"
#include "stage/stage.h"
#include "store/store.h"
#include "table.h"

struct list_options {
	char *config, *pattern;
	int format;
	bool header;
};

#define ROW(name_, type_, field, ...) \
	{ \
		.name = "--" name_, .type = OPTION_##type_, \
		.offset = offsetof(struct list_options, field), __VA_ARGS__ \
	}
static const struct option options[] = {
	ROW("config", STRING, config, .help = "configuration file"),
	ROW("pattern", STRING, pattern,
	    .help = "a regular expression for what follows the prefix, whole"),
	ROW("format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV"),
	ROW("header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	{ 0 },
};

static const struct table_column columns[] = {
	{ "name", TABLE_TEXT },    { "size", TABLE_NUMBER },
	{ "md5", TABLE_TEXT },     { "last_modified", TABLE_TIME },
	{ "creator", TABLE_TEXT },
};
#define N_COLUMNS (sizeof(columns) / sizeof(*columns))

/* A listing on its way to a table. */
struct lister {
	const char *what;
	struct pattern *pattern; /* NULL: everything */
	struct table *table;
	size_t skip; /* of a key: the stage's prefix */
	size_t listed; /* and the listed path */
};

/* 1: a row, 0: none, -errno. */
static int is_row(const struct lister *l, const struct list_entry *e)
{
	const char *rest = e->key + l->listed;
	size_t len = strlen(e->key);

	if (e->is_prefix || len <= l->skip || e->key[len - 1] == '/')
		return 0;
	if (!*rest || !l->pattern)
		return 1;
	return pattern_match(l->pattern, rest);
}

static int put_row(const struct lister *l, const struct list_entry *e)
{
	const struct object_info *info = &e->info;
	const struct table_value row[N_COLUMNS] = {
		{ .text = e->key + l->skip },
		{ .number = info->size },
		{ .text = *info->etag ? info->etag : NULL },
		{ .time = info->mtime },
		{ .text = NULL },
	};
	int rc = table_row(l->table, row);

	if (rc)
		cmd_error("cannot write", strerror(-rc));
	return rc;
}

/* A failure has been told when it returns one. */
static int put_rows(const struct lister *l, struct stage *stage,
		    struct store_list *list)
{
	struct list_entry e;
	int rc;

	while ((rc = store_list_next(list, &e)) > 0) {
		int wanted = is_row(l, &e);

		if (wanted < 0) {
			cmd_error(l->what, "the pattern tries too much on one "
					   "of the names");
			return wanted;
		}
		if (wanted) {
			rc = put_row(l, &e);
			if (rc)
				return rc;
		}
	}
	if (rc)
		cmd_store_error(stage->store, l->what, rc);
	return rc;
}

static int list_stage(struct stage *stage, const char *path,
		      const struct list_options *o, struct lister *l)
{
	struct buf prefix = BUF_INIT(STORE_KEY_MAX);
	struct list_query query = { .ahead = true };
	struct store_list *list;
	int rc, end;

	buf_adds(&prefix, stage->prefix);
	buf_adds(&prefix, path);
	query.prefix = buf_str(&prefix);
	l->skip = strlen(stage->prefix);
	l->listed = prefix.len;
	l->table = table_new(stdout, o->format, o->header, columns, N_COLUMNS);
	rc = buf_err(&prefix) ? -ENAMETOOLONG : l->table ? 0 : -ENOMEM;
	if (rc) {
		cmd_error(l->what, strerror(-rc));
	} else {
		rc = store_list_open(stage->store, &query, &list);
		if (rc)
			cmd_store_error(stage->store, l->what, rc);
	}
	if (!rc) {
		rc = put_rows(l, stage, list);
		store_list_close(list);
	}
	end = l->table ? table_end(l->table) : 0;
	if (end && !rc)
		cmd_error("cannot write", strerror(-end));
	buf_clear(&prefix);
	return rc || end ? STATUS_FAILED : STATUS_OK;
}

static int run_session(const struct list_options *o, struct lister *l,
		       const struct location *where)
{
	struct cmd_session s;
	struct stage *stage;
	int status = cmd_open(o->config, &s);

	if (!status)
		status = cmd_find_stage(&s, where->stage, l->what, &stage);
	if (!status) {
		status = list_stage(stage, where->path, o, l);
		stage_unref(stage);
	}
	cmd_close(&s);
	return status;
}

static int read_words(const struct list_options *o,
		      const struct cmd_words *words, struct lister *l,
		      struct location *where)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	if (!words->n)
		buf_adds(&why, "which stage? name it as @stage or @stage/path");
	else
		location_parse(words->word[0], where, &why);
	if (!why.len && o->pattern)
		pattern_new(o->pattern, &l->pattern, &why);
	if (why.len)
		status = cmd_usage(&list_command, buf_str(&why));
	buf_clear(&why);
	return status;
}

static int run(int argc, char **argv)
{
	struct buf what = BUF_INIT(BUF_MESSAGE);
	struct list_options o = { 0 };
	struct location where = { 0 };
	struct lister l = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&list_command, argc, argv, &o, &words, 1);

	if (!status)
		status = read_words(&o, &words, &l, &where);
	if (!status) {
		buf_addf(&what, "cannot list %s", words.word[0]);
		l.what = buf_str(&what);
		status = run_session(&o, &l, &where);
	}
	pattern_free(l.pattern);
	location_clear(&where);
	option_clear(options, &o);
	buf_clear(&what);
	return status;
}

const struct command list_command = {
	.verb = "list",
	.synopsis = "@STAGE[/PREFIX] [--pattern RE] [--format F]",
	.help = "Name, size, md5 (the ETag), last_modified and creator of "
		"files",
	.options = options,
	.run = run,
};
