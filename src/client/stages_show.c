/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHOW STAGES and DESC STAGE: one row a stage, with the columns that Databend
 * has today, and what else a statement kept. The user stage is no row, as
 * there. Secrets are shown as ***.
 */
#include "client/failure.h"
#include "client/stages.h"
#include "client/table.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "client/session.h"
#include "stage/catalog.h"
#include "sql/sql.h"
#include "store/store.h"

static const struct table_column columns[] = {
	{ "name", TABLE_TEXT },
	{ "stage_type", TABLE_TEXT },
	{ "storage_type", TABLE_TEXT },
	{ "url", TABLE_TEXT },
	{ "endpoint", TABLE_TEXT },
	{ "has_credentials", TABLE_BOOL },
	{ "has_encryption_key", TABLE_BOOL },
	{ "storage_params", TABLE_TEXT },
	{ "file_format_options", TABLE_TEXT },
	{ "creator", TABLE_TEXT },
	{ "created_on", TABLE_TIME_TEXT },
	{ "comment", TABLE_TEXT },
	{ "owner", TABLE_TEXT },
	{ "copy_options", TABLE_TEXT },
};
#define N_COLUMNS (sizeof(columns) / sizeof(*columns))

/* For a person at a terminal. */
static const struct table_column brief_columns[] = {
	{ "name", TABLE_TEXT },
	{ "type", TABLE_TEXT },
	{ "url", TABLE_TEXT },
};

/* Where rows go, and as what. */
struct show {
	struct session *s;
	struct table *table; /* NULL: one stage, upright */
	const struct output *o;
};

static struct table *show_open(const struct output *o)
{
	return o->brief ? table_open(o, brief_columns, 3)
			: table_open(o, columns, N_COLUMNS);
}

#define UPRIGHT_COLUMN 21 /* where values begin */

/* Bytes of s that stand in that many columns: to its last place
 * between parts of a list, a path or a sentence, if there is one. */
static size_t show_fit(const char *s, size_t room)
{
	size_t n = 0, best = 0;

	for (size_t have = 0; s[n]; have++) {
		if (have == room)
			return best ? best : n;
		do
			n++;
		while (((unsigned char)s[n] & 0xc0) == 0x80);
		if (strchr(" ,/", s[n - 1]))
			best = n;
	}
	return n;
}

/* A name and its value, whose further lines stand below the first. */
static void show_put_value(const char *name, const char *value, size_t width)
{
	size_t room =
		width > 2 * UPRIGHT_COLUMN ? width - UPRIGHT_COLUMN : SIZE_MAX;

	do {
		size_t n = show_fit(value, room);

		printf("%-*s%.*s\n", UPRIGHT_COLUMN, name, (int)n, value);
		value += n;
		name = "";
	} while (*value);
}

/* A line for each column that says something. */
static void show_put_upright(const struct table_value *values)
{
	size_t width = output_width();

	for (unsigned i = 0; i < N_COLUMNS; i++) {
		BUF_LOCAL line = BUF_INIT(BUF_LINE);
		const char *text = columns[i].type == TABLE_BOOL
					   ? values[i].number ? "yes" : NULL
					   : text_given(values[i].text);

		if (text) {
			text_one_line(&line, text);
			show_put_value(columns[i].name, buf_str(&line), width);
		}
	}
	fflush(stdout);
}

static int show_put(const struct show *to, const struct table_value *values)
{
	if (!to->table) {
		show_put_upright(values);
		return 0;
	}
	if (to->o->brief)
		return table_row(to->table, (const struct table_value[3]){
						    values[0],
						    values[1],
						    values[3],
					    });
	return table_row(to->table, values);
}

/* What has a column of its own. */
static bool show_is_column(const char *name)
{
	static const char *const own[] = {
		"url",          "comment",    "file_format",
		"copy_options", "created_on", NULL,
	};

	for (const char *const *o = own; *o; o++)
		if (!strcmp(*o, name))
			return true;
	return false;
}

static const char *show_storage_type(const struct conn *c)
{
	return conn_is_local(c) ? "fs" : "s3";
}

/* What differs from the default, as a JSON object. */
static void show_add_params(const struct conn *c, struct buf *out)
{
	CONN_LOCAL defaults = { 0 };

	if (option_defaults(conn_options, &defaults))
		return;
	buf_addf(out, "{\"type\":\"%s\"", show_storage_type(c));
	for (const struct option *row = conn_options; row->name; row++) {
		BUF_LOCAL value = BUF_INIT(BUF_LINE), usual = BUF_INIT(256);

		option_show(row, c, &value);
		option_show(row, &defaults, &usual);
		if (!row->alias_of && !show_is_column(row->name) &&
		    strcmp(buf_str(&value), buf_str(&usual))) {
			buf_addc(out, ',');
			text_json_string(out, row->name);
			buf_addc(out, ':');
			text_json_string(out, buf_str(&value));
		}
	}
	buf_addc(out, '}');
}

static bool show_has_credentials(const struct conn *c)
{
	return !conn_is_local(c) &&
	       (text_given(c->creds.access_key_id) ||
		(c->creds.credentials &&
		 strcmp(c->creds.credentials, "anonymous")));
}

static int show_put_external(const struct show *t, const struct stage *stage,
			     const struct conn *c)
{
	BUF_LOCAL url = BUF_INIT(BUF_MESSAGE), server = BUF_INIT(BUF_URL);
	BUF_LOCAL params = BUF_INIT(BUF_LINE);

	store_locate(stage->store, stage->prefix, &url);
	conn_endpoint(c, &server);
	show_add_params(c, &params);
	return show_put(t,
			(const struct table_value[N_COLUMNS]){
				{ .text = stage->name },
				{ .text = "External" },
				{ .text = show_storage_type(c) },
				{ .text = buf_str(&url) },
				{ .text = text_given(buf_str(&server)) },
				{ .number = show_has_credentials(c) },
				{ .number = text_given(c->master_key) != NULL },
				{ .text = buf_str(&params) },
				{ .text = text_given(c->file_format) },
				{ .text = NULL },
				{ .text = text_given(c->created_on) },
				{ .text = c->comment ? c->comment : "" },
				{ .text = NULL },
				{ .text = text_given(c->copy_options) },
			});
}

/* Asks the store what is kept with it, unless that has failed before. */
static int show_put_internal(struct session *s, const struct show *t,
			     const struct stage *stage, int *storage_rc)
{
	char etag[STORE_ETAG_SIZE];
	CONN_LOCAL c = { 0 };

	if (!*storage_rc)
		*storage_rc =
			catalog_properties(s->catalog, stage->name, &c, etag);
	return show_put(t,
			(const struct table_value[N_COLUMNS]){
				{ .text = stage->name },
				{ .text = "Internal" },
				[8] = { .text = text_given(c.file_format) },
				[10] = { .text = text_given(c.created_on) },
				[11] = { .text = c.comment ? c.comment : "" },
				[13] = { .text = text_given(c.copy_options) },
			});
}

/* A session cuts deadlines to its own; that is no setting of the stage. */
static void show_forget_patience(const struct session *s, struct conn *c)
{
	const struct option *row = option_find(conn_options, "deadline");
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);

	if (c->lane.deadline_s == s->config.deadline_max)
		option_set(row, c, row->def, &why);
}

static int show_put_row(struct session *s, const struct show *t,
			const struct stage *stage, int *storage_rc)
{
	CONN_LOCAL c = { 0 };
	bool drop_in;
	int rc;

	if (stage->kind != STAGE_EXTERNAL)
		return show_put_internal(s, t, stage, storage_rc);
	rc = catalog_conn(s->catalog, stage->name, &c, &drop_in);
	if (!rc) {
		show_forget_patience(s, &c);
		rc = show_put_external(t, stage, &c);
	}
	return rc == -ENOENT ? 0 : rc;
}

static int show_end(struct session *s, struct table *t, int rc, int storage_rc,
		    struct failure *f)
{
	int end = t ? table_end(t) : 0;

	if (rc || end)
		return failure_write(f, rc ? rc : end);
	if (storage_rc)
		return failure_store(f, catalog_storage(s->catalog),
				     catalog_storage_prefix(s->catalog),
				     storage_rc);
	return 0;
}

int stages_show(struct session *s, const char *like, uint64_t limit,
		const struct output *o, struct failure *f)
{
	struct stage **stages;
	struct show to = { s, NULL, o };
	struct table *t;
	unsigned n;
	int storage_rc, rc = catalog_list(s->catalog, &stages, &n, &storage_rc);

	t = rc ? NULL : show_open(o);
	if (!rc && !t) {
		catalog_list_free(stages, n);
		rc = -ENOMEM;
	}
	if (rc)
		return failure_set(f, CODE_STORAGE, rc, "%s", strerror(-rc));
	for (unsigned i = 0; i < n && !rc && limit; i++) {
		if (stages[i]->kind == STAGE_USER ||
		    (like && !sql_like(like, stages[i]->name)))
			continue;
		to.table = t;
		rc = show_put_row(s, &to, stages[i], &storage_rc);
		limit--;
	}
	catalog_list_free(stages, n);
	return show_end(s, t, rc, storage_rc, f);
}

int stages_show_one(struct session *s, const char *name, bool must,
		    const struct output *o, struct failure *f)
{
	struct show to = { s, NULL, o };
	STAGE_LOCAL *stage = NULL;
	struct table *t;
	int storage_rc = 0, rc = session_stage(s, name, &stage, f);

	if (rc && (must || rc != -ENOENT))
		return rc;
	failure_clear(f);
	t = o->brief ? NULL : show_open(o);
	to.table = t;
	rc = 0;
	if ((t || o->brief) && stage && stage->kind != STAGE_USER)
		rc = show_put_row(s, &to, stage, &storage_rc);
	return t || o->brief
		       ? show_end(s, t, rc, storage_rc, f)
		       : failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
}
