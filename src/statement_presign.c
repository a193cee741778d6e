/*
 * PRESIGN: signing asks nobody; only an internal stage is looked up first, so
 * that a typo in its name is an error and not a URL to nowhere.
 */
#include "statement.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "cmd.h"
#include "stage/path.h"
#include "stage/presign.h"

/* ---- output ---- */

int presign_print_text(struct buf *b)
{
	int rc = buf_err(b);

	buf_addc(b, '\n');
	if (!rc && fwrite(b->data, 1, b->len, stdout) != b->len)
		rc = -EIO;
	if (!rc && fflush(stdout))
		rc = -errno;
	return rc;
}

/* The authority of the URL, as the JSON object of Databend's documents. */
static void add_host(const struct store_presigned *p, struct buf *out)
{
	const char *host = strstr(p->url, "://");
	struct buf name = BUF_INIT(BUF_URL);

	host = host ? host + 3 : p->url;
	buf_add(&name, host, strcspn(host, "/?"));
	buf_adds(out, "{\"host\":");
	text_json_string(out, buf_str(&name));
	if (p->headers && strcmp(p->headers, "{}"))
		buf_addf(out, ",%s", p->headers + 1);
	else
		buf_addc(out, '}');
	buf_clear(&name);
}

static int print_columns(const struct store_presigned *p,
			 const struct output *o)
{
	static const struct table_column columns[] = {
		{ "method", TABLE_TEXT },
		{ "headers", TABLE_TEXT },
		{ "url", TABLE_TEXT },
	};
	const struct table_value row[] = {
		{ .text = p->method },
		{ .text = p->headers },
		{ .text = p->url },
	};
	struct table *t = output_table(o, columns, 3);

	if (!t)
		return -ENOMEM;
	table_row(t, row);
	return table_end(t);
}

static int print_row(const struct store_presigned *p, int action,
		     const struct output *o)
{
	struct buf out = BUF_INIT(4 * BUF_URL);
	int rc;

	if (o->format == FORMAT_URL)
		buf_adds(&out, p->url);
	else if (o->format == FORMAT_CURL)
		presign_curl(p, action, &out);
	else if (o->format == TABLE_NDJSON)
		presign_json(p, &out);
	else if (o->format != TABLE_JSON)
		return print_columns(p, o);
	if (o->format == TABLE_JSON) {
		buf_addc(&out, '[');
		presign_json(p, &out);
		buf_addc(&out, ']');
	}
	rc = presign_print_text(&out);
	buf_clear(&out);
	return rc;
}

int presign_print(const struct store_presigned *p, int action,
		  const struct output *o)
{
	struct buf headers = BUF_INIT(2 * BUF_URL);
	struct store_presigned row = *p;
	int rc;

	if (o->compat_host) {
		add_host(p, &headers);
		row.headers = headers.data;
	}
	rc = buf_err(&headers);
	if (!rc)
		rc = print_row(&row, action, o);
	buf_clear(&headers);
	return rc;
}

/* ---- the statement ---- */

int statement_presign(struct cmd_session *s, const struct location *where,
		      const struct presign_request *request,
		      const struct output *o, struct failure *f)
{
	const struct config_mount *m = &s->config.mount;
	struct presign_request r = *request;
	struct store_presigned row = { 0 };
	struct stage *stage;
	int rc = statement_stage(s, where->stage, &stage, f);

	if (rc)
		return rc;
	if (!r.expire)
		r.expire = m->presign_expire;
	r.expire_max = m->presign_expire_max;
	rc = presign(stage, where->path, &r, &row, &f->why);
	if (rc) {
		f->code = rc == -EOPNOTSUPP ? CODE_NO_PRESIGN
			  : rc == -EROFS    ? CODE_DENIED
			  : rc == -EACCES   ? CODE_PERMISSION
					    : CODE_BAD_ARGUMENTS;
		if (!f->why.len)
			buf_adds(&f->why, strerror(-rc));
	} else {
		if (row.warning && o->format != TABLE_JSON &&
		    o->format != TABLE_NDJSON)
			cmd_error("warning", row.warning);
		rc = presign_print(&row, r.action, o);
		if (rc)
			fail_write(f, rc);
	}
	store_presigned_clear(&row);
	stage_unref(stage);
	return rc;
}
