/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parsed statement is run: names become stages, words requests. Rows of a
 * listing leave as it comes.
 */
#include "client/statement.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/ini.h"
#include "base/option.h"
#include "client/pattern.h"
#include "client/presign_job.h"
#include "client/session.h"
#include "client/stages.h"
#include "presign/presign.h"
#include "stage/conf/conn.h"
#include "stage/location.h"

/* ---- locations ---- */

static bool statement_has_dot_dot(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !strncmp(path, "..", 2))
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}

/* Databend merges slashes, and so acts on another object than the one that is
 * named; here location_parse() refuses what a directory could not show. */
static int statement_find_location(const struct sql_statement *q,
				   struct location *out, struct failure *f)
{
	const char *text = q->location.s + 1;
	size_t n = strcspn(text, "/");
	int rc = 0;

	if (!n)
		rc = failure_set(f, CODE_BAD_ARGUMENTS, -EINVAL,
				 "stage path must include a stage name");
	else if (!strncasecmp(text, "_databend_load", n) && n == 14)
		rc = failure_set(f, CODE_BAD_ARGUMENTS, -EINVAL,
				 "stage name `_databend_load` is reserved");
	else if (statement_has_dot_dot(text + n))
		rc = failure_set(f, CODE_BAD_ARGUMENTS, -EINVAL,
				 "stage path traversal is not allowed by "
				 "stage_path_traversal_policy: %s",
				 text + n + (text[n] == '/'));
	if (!rc) {
		rc = location_parse(q->location.s, out, &f->why);
		if (rc)
			f->code = CODE_BAD_ARGUMENTS;
	}
	if (rc)
		f->span = q->location.span;
	return rc;
}

static int statement_find_pattern(const struct sql_statement *q,
				  struct pattern **out, struct failure *f)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	*out = NULL;
	if (q->pattern.s)
		rc = pattern_new(q->pattern.s, out, &why);
	if (rc) {
		f->span = q->pattern.span;
		failure_set(f, CODE_SYNTAX, rc,
			    "Pattern format invalid, got:%.400s: %s",
			    q->pattern.s,
			    why.len ? buf_str(&why) : strerror(-rc));
	}
	return rc;
}

/* ---- statements ---- */

static int statement_run_presign(struct session *s,
				 const struct sql_statement *q,
				 const struct output *o, struct failure *f)
{
	const struct presign_request request = {
		.action = q->upload ? PRESIGN_UPLOAD : PRESIGN_DOWNLOAD,
		.expire = q->has_expire ? (int64_t)q->expire : 0,
		.content_type = q->content_type.s,
	};
	const char *argument = location_argument(q->location.s);
	LOCATION_LOCAL where = { 0 };
	int rc;

	if (argument) {
		f->span = q->location.span;
		return failure_set(
			f, CODE_BAD_ARGUMENTS, -EINVAL,
			"`%s` would be part of the file's name: say %s behind "
			"the location (`stagefs presign --literal` signs such "
			"a name)",
			argument,
			argument[1] == 'e' ? "EXPIRE = SECONDS"
					   : "CONTENT_TYPE = 'TYPE'");
	}
	if (q->has_expire && (q->expire < PRESIGN_EXPIRE_MIN ||
			      q->expire > PRESIGN_EXPIRE_MAX)) {
		f->span = q->expire_span;
		return failure_set(
			f, CODE_BAD_ARGUMENTS, -EINVAL,
			"EXPIRE = %llu: a whole number of seconds from %d "
			"to %d",
			(unsigned long long)q->expire, PRESIGN_EXPIRE_MIN,
			PRESIGN_EXPIRE_MAX);
	}
	rc = statement_find_location(q, &where, f);
	return rc ? rc : presign_job_run(s, &where, &request, NULL, o, f);
}

static int statement_run_files(struct session *s, const struct sql_statement *q,
			       const struct output *o, struct failure *f)
{
	LOCATION_LOCAL where = { 0 };
	struct pattern *pattern;
	int rc = statement_find_pattern(q, &pattern, f);

	if (!rc)
		rc = statement_find_location(q, &where, f);
	if (!rc && q->kind == SQL_LIST)
		rc = statement_list(s, &where, pattern, q, o, f);
	else if (!rc)
		rc = statement_remove(s, &where, pattern, q, o, f);
	pattern_free(pattern);
	return rc;
}

/* PRESIGN waits by itself, for what an upload puts in place. */
static bool statement_asks_for_names(const struct sql_statement *q)
{
	return q->kind != SQL_PRESIGN && q->kind != SQL_SHOW_STAGES &&
	       q->kind != SQL_DESC_STAGE;
}

int statement_run(struct session *s, const struct sql_statement *q,
		  const struct output *o, struct failure *f)
{
	if (statement_asks_for_names(q))
		session_settle(s);
	switch (q->kind) {
	case SQL_PRESIGN:
		return statement_run_presign(s, q, o, f);
	case SQL_LIST:
	case SQL_REMOVE:
		return statement_run_files(s, q, o, f);
	case SQL_SHOW_STAGES:
		return stages_show(s, q->like.s,
				   q->has_limit ? q->limit : UINT64_MAX, o, f);
	case SQL_DESC_STAGE:
		return stages_show_one(s, q->name.s, q->must_exist, o, f);
	case SQL_CREATE_STAGE:
		return stages_create(s, q, f);
	case SQL_ALTER_STAGE:
		return stages_alter(s, q, f);
	case SQL_DROP_STAGE:
		return stages_drop(s, q->name.s, q->if_exists, !q->keep_files,
				   f);
	}
	return -EINVAL;
}

int statement_several_begin(const struct sql_statement *q, struct output *o,
			    struct several *out)
{
	bool tables = q->kind == SQL_LIST && output_is_table(o->format);

	*out = (struct several){ 0 };
	o->several = out;
	if (tables || (q->kind == SQL_REMOVE && !q->dry_run))
		return 0;
	out->table = q->kind == SQL_LIST ? statement_list_table(q, o)
					 : statement_remove_table(o);
	return out->table ? 0 : -ENOMEM;
}

int statement_several_end(const struct sql_statement *q, const struct output *o,
			  struct failure *f)
{
	const struct several *all = o->several;
	int rc = all->table ? table_end(all->table) : 0;

	if (rc)
		return failure_write(f, rc);
	if (q->kind != SQL_REMOVE || q->dry_run ||
	    (all->refused && !all->removed && !all->failed))
		return 0;
	return statement_remove_print(all->removed, all->failed, o, f);
}

const struct sql_text *statement_secret(const struct sql_statement *q)
{
	for (unsigned i = 0; i < q->n_connection; i++) {
		const struct sql_pair *p = &q->connection[i];
		const struct option *row = option_find(conn_options, p->name.s);

		if (row && row->flags & OPTION_SECRET && *p->value.s &&
		    !ini_has_reference(p->value.s))
			return &p->value;
	}
	return NULL;
}
