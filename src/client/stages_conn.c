/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys are those of a [stage NAME] section. Databend's own come first in
 * the message about an unknown one. A stage without keys is anonymous, and one
 * without an endpoint gets the environment's, written down: another process
 * shall find the same server.
 */
#include "client/stages_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "client/failure.h"
#include "stage/conf/conn.h"
#include "sql/sql.h"

/* Clauses of their own, not keys of a connection. */
static bool conn_is_clause(const struct option *row)
{
	static const char *const clauses[] = {
		"url",          "comment",    "file_format",
		"copy_options", "created_on", NULL,
	};

	for (const char *const *c = clauses; *c; c++)
		if (!strcmp(row->name, *c))
			return true;
	return false;
}

static int conn_refuse_key(const struct sql_text *name, struct failure *f)
{
	const char *between = "";

	f->span = name->span;
	failure_set(f, CODE_STORAGE, -EINVAL,
		    "connection params invalid: expected [");
	for (const struct option *row = conn_options; row->name; row++) {
		if (conn_is_clause(row))
			continue;
		buf_addf(&f->why, "%s%s", between, row->name);
		between = ", ";
	}
	return buf_fail(&f->why, -EINVAL, "], got [%s]", name->s);
}

static int conn_set_pair(const struct sql_pair *pair, struct conn *c,
			 struct failure *f)
{
	const struct option *row = option_find(conn_options, pair->name.s);
	int rc;

	if (!row || conn_is_clause(row))
		return conn_refuse_key(&pair->name, f);
	rc = option_set(row, c, pair->value.s, &f->why);
	if (rc) {
		f->code = CODE_BAD_ARGUMENTS;
		f->span = pair->value.span;
	}
	return rc;
}

/* The clauses that are there. */
static int conn_apply_clauses(const struct sql_statement *q, struct conn *c,
			      struct failure *f)
{
	const struct {
		const char *key;
		const struct sql_text *text;
	} clauses[] = {
		{ "url", &q->url },
		{ "comment", &q->comment },
		{ "file_format", &q->file_format },
		{ "copy_options", &q->copy_options },
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(clauses) / sizeof(*clauses); i++) {
		if (!clauses[i].text->s)
			continue;
		rc = option_set(option_find(conn_options, clauses[i].key), c,
				clauses[i].text->s, &f->why);
		if (rc) {
			f->code = CODE_BAD_ARGUMENTS;
			f->span = clauses[i].text->span;
			return rc;
		}
	}
	return rc;
}

static int conn_apply(const struct sql_statement *q, struct conn *c,
		      struct failure *f)
{
	int rc = conn_apply_clauses(q, c, f);

	for (unsigned i = 0; i < q->n_connection && !rc; i++)
		rc = conn_set_pair(&q->connection[i], c, f);
	return rc;
}

/* Did the statement name that key, by any alias? */
static bool conn_names(const struct sql_statement *q, const char *key)
{
	const struct option *row = option_find(conn_options, key);

	for (unsigned i = 0; i < q->n_connection; i++)
		if (option_find(conn_options, q->connection[i].name.s) == row)
			return true;
	return false;
}

static int conn_check_url(const struct sql_statement *q, const struct conn *c,
			  struct failure *f)
{
	const char *host = c->url ? strstr(c->url, "://") : NULL;
	const char *path = host ? strchr(host + 3, '/') : NULL;

	BUF_LOCAL shown = BUF_INIT(BUF_LINE);

	if (!path || path[strlen(path) - 1] == '/')
		return 0;
	f->span = q->url.span;
	text_masked_url(&shown, path);
	failure_set(
		f, CODE_STORAGE, -EINVAL,
		"path in URL must end with '/' when CREATE STAGE. Got '%s'.",
		buf_str(&shown));
	return -EINVAL;
}

static int conn_check_all(const struct sql_statement *q, const struct conn *c,
			  struct failure *f)
{
	int rc = conn_check_url(q, c, f);

	if (rc)
		return rc;
	rc = conn_check(c, &f->why);
	if (rc) {
		f->code = CODE_STORAGE;
		f->span = q->url.s ? q->url.span : q->name.span;
		if (!f->why.len)
			buf_adds(&f->why, strerror(-rc));
	}
	return rc;
}

static int conn_default_endpoint(struct conn *c)
{
	const char *url = text_given(getenv("AWS_ENDPOINT_URL_S3"));

	if (text_given(c->s3.endpoint_url) || conn_is_local(c))
		return 0;
	if (!url)
		url = text_given(getenv("AWS_ENDPOINT_URL"));
	return url ? conn_set(c, "endpoint_url", url) : 0;
}

int stages_conn_new(const struct sql_statement *q, struct conn *out,
		    struct failure *f)
{
	int rc;

	*out = (struct conn){ 0 };
	rc = option_defaults(conn_options, out);
	if (!rc)
		rc = conn_apply(q, out, f);
	if (!rc && !conn_names(q, "credentials"))
		rc = conn_set(out, "credentials", conn_sql_credentials(out));
	if (!rc)
		rc = conn_default_endpoint(out);
	return rc ? rc : conn_check_all(q, out, f);
}

static int conn_unset(unsigned which, struct conn *c)
{
	int rc = 0;

	if (which & SQL_UNSET_COMMENT)
		rc = conn_set(c, "comment", "");
	if (!rc && which & SQL_UNSET_FILE_FORMAT)
		rc = conn_set(c, "file_format", "");
	if (!rc && which & SQL_UNSET_COPY_OPTIONS)
		rc = conn_set(c, "copy_options", "");
	return rc;
}

static bool conn_is_elsewhere(const struct sql_statement *q,
			      const struct conn *c)
{
	const struct conn to = { .url = q->url.s };

	return conn_is_local(&to) != conn_is_local(c);
}

int stages_conn_alter(const struct sql_statement *q, struct conn *c,
		      struct failure *f)
{
	bool implied = c->creds.credentials &&
		       !strcmp(c->creds.credentials, conn_sql_credentials(c));
	int rc = conn_unset(q->unset, c);

	/* A connection that is given with a URL is all of it; so is a URL
	 * alone that leads from a server to a directory, or back. */
	if (!rc && q->url.s && (q->has_connection || conn_is_elsewhere(q, c))) {
		struct conn fresh = { 0 };

		rc = stages_conn_new(q, &fresh, f);
		if (!rc && !q->comment.s)
			rc = conn_set(&fresh, "comment",
				      c->comment ? c->comment : "");
		if (!rc && !q->file_format.s)
			rc = conn_set(&fresh, "file_format",
				      c->file_format ? c->file_format : "");
		if (!rc && !q->copy_options.s)
			rc = conn_set(&fresh, "copy_options",
				      c->copy_options ? c->copy_options : "");
		if (!rc)
			rc = conn_set(&fresh, "created_on",
				      c->created_on ? c->created_on : "");
		conn_clear(c);
		*c = fresh;
		return rc;
	}
	if (!rc)
		rc = conn_apply(q, c, f);
	if (!rc && implied && !conn_names(q, "credentials"))
		rc = conn_set(c, "credentials", conn_sql_credentials(c));
	return rc ? rc : conn_check_all(q, c, f);
}

int stages_conn_alter_properties(const struct sql_statement *q, struct conn *c,
				 struct failure *f)
{
	int rc = conn_unset(q->unset, c);

	return rc ? rc : conn_apply_clauses(q, c, f);
}
