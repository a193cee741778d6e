/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PRESIGN: signing sends no request; only an internal stage is looked up
 * first, so that a typo in its name is an error and not a URL to nowhere.
 *
 * Rows go through a job, one or a million: it keeps the stages that it met
 * last and the table of its output. What stands before the first row is
 * written with it, so that a failure leaves the output empty.
 */
#include "client/presign_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "client/message.h"
#include "client/session.h"
#include "stage/location.h"
#include "presign/presign.h"
#include "client/statement.h"
#include "client/walk.h"
#include "client/presign_page.h"
#include "client/qr.h"

#define STAGES 16 /* that are kept at once */

struct presign_job {
	struct session *session;
	struct presign_request request;
	const struct output *o;
	bool verbose;
	struct stage *stages[STAGES];
	unsigned turn; /* of the next to go */
	struct table *table; /* formats with columns */
	uint64_t rows;
	const char *name; /* of the row, for a page; NULL */
	uint64_t size; /* of it */
	struct buf title;
	struct buf line; /* kept between rows */
	struct buf warned; /* the last warning: said once */
};

/* ---- output ---- */

static int job_print_text(struct buf *b)
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
static void job_add_host(const struct store_presigned *p, struct buf *out)
{
	const char *host = strstr(p->url, "://");
	BUF_LOCAL name = BUF_INIT(BUF_URL);

	host = host ? host + 3 : p->url;
	buf_add(&name, host, strcspn(host, "/?"));
	buf_adds(out, "{\"host\":");
	text_json_string(out, buf_str(&name));
	if (p->headers && strcmp(p->headers, "{}"))
		buf_addf(out, ",%s", p->headers + 1);
	else
		buf_addc(out, '}');
}

static struct table *job_open_table(const struct output *o)
{
	static const struct table_column columns[] = {
		{ "method", TABLE_TEXT },
		{ "headers", TABLE_TEXT },
		{ "url", TABLE_TEXT },
	};

	return table_open(o, columns, 3);
}

static bool job_has_columns(const struct output *o)
{
	return o->format < FORMAT_URL && o->format != TABLE_JSON &&
	       o->format != TABLE_NDJSON;
}

static int job_put_columns(struct presign_job *j,
			   const struct store_presigned *p)
{
	const struct table_value row[] = {
		{ .text = p->method },
		{ .text = p->headers },
		{ .text = p->url },
	};

	if (!j->table)
		j->table = job_open_table(j->o);
	return j->table ? table_row(j->table, row) : -ENOMEM;
}

/* For another machine's camera. */
static int job_add_qr(const char *url, struct buf *out)
{
	struct winsize size = { 0 };
	unsigned width = 0;
	bool terminal = isatty(STDOUT_FILENO);
	int rc = qr_print(url, terminal, out, &width);

	if (rc == -EMSGSIZE)
		message("cannot print a QR code",
			"the URL is too long for one");
	else if (!rc && terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) &&
		 size.ws_col && size.ws_col < width) {
		BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);

		buf_addf(&why, "it has %u columns and the terminal %u", width,
			 size.ws_col);
		message("warning: the QR code does not fit", buf_str(&why));
	}
	return rc;
}

static void job_add_page_row(struct presign_job *j,
			     const struct store_presigned *p)
{
	if (!j->rows)
		presign_page_begin(&j->line,
				   j->title.len ? buf_str(&j->title) : "Files");
	presign_page_row(&j->line, j->name ? j->name : p->method, j->size,
			 p->url, p->expires_at);
}

static int job_put_line(struct presign_job *j, const struct store_presigned *p,
			int action)
{
	int rc;

	buf_reset(&j->line);
	if (j->o->format == TABLE_JSON)
		buf_adds(&j->line, j->rows ? ",\n" : "[");
	if (j->o->format == FORMAT_URL)
		buf_adds(&j->line, p->url);
	else if (j->o->format == FORMAT_CURL)
		presign_row_curl(p, action, &j->line);
	else if (j->o->format == FORMAT_HTML)
		job_add_page_row(j, p);
	else if (j->o->format == FORMAT_QR &&
		 (rc = job_add_qr(p->url, &j->line)))
		return rc;
	else if (j->o->format != FORMAT_QR)
		presign_row_json(p, &j->line);
	if (j->o->format != TABLE_JSON && j->o->format < FORMAT_HTML)
		buf_addc(&j->line, '\n');
	rc = buf_err(&j->line);
	if (!rc && fwrite(j->line.data, 1, j->line.len, stdout) != j->line.len)
		rc = -EIO;
	return rc;
}

static int job_put_row(struct presign_job *j, const struct store_presigned *p,
		       int action)
{
	BUF_LOCAL headers = BUF_INIT(2 * BUF_URL);
	struct store_presigned row = *p;
	int rc;

	if (j->o->compat_host) {
		job_add_host(p, &headers);
		row.headers = headers.data;
	}
	rc = buf_err(&headers);
	if (!rc)
		rc = job_has_columns(j->o) ? job_put_columns(j, &row)
					   : job_put_line(j, &row, action);
	if (!rc)
		j->rows++;
	return rc;
}

/* empty: no row, and no brackets or header for none either. */
static int job_end_output(struct presign_job *j, bool empty)
{
	int rc = 0;

	if (empty)
		return 0;
	if (job_has_columns(j->o)) {
		if (!j->table)
			j->table = job_open_table(j->o);
		rc = j->table ? table_end(j->table) : -ENOMEM;
		j->table = NULL;
	} else if (j->o->format == FORMAT_HTML) {
		buf_reset(&j->line);
		if (!j->rows)
			presign_page_begin(&j->line, buf_str(&j->title));
		presign_page_end(&j->line);
		if (fwrite(j->line.data, 1, j->line.len, stdout) != j->line.len)
			rc = -EIO;
	} else if (j->o->format == TABLE_JSON &&
		   fputs(j->rows ? "]\n" : "[]\n", stdout) < 0) {
		rc = -EIO;
	}
	return rc || !fflush(stdout) ? rc : -errno;
}

/* ---- what is said beside a row ---- */

/* In JSON a warning is a part of the row. The same one is said once. */
static void job_say_warning(struct presign_job *j,
			    const struct store_presigned *p)
{
	if (!p->warning || j->o->format == TABLE_JSON ||
	    j->o->format == TABLE_NDJSON ||
	    !strcmp(buf_str(&j->warned), p->warning))
		return;
	buf_reset(&j->warned);
	buf_adds(&j->warned, p->warning);
	message("warning", p->warning);
}

static void job_say_url(const struct store_presigned *p)
{
	BUF_LOCAL text = BUF_INIT(2 * BUF_URL);

	presign_row_cut(p->url, &text);
	message(p->method, buf_str(&text));
}

static void job_say_beside(struct presign_job *j,
			   const struct store_presigned *p)
{
	job_say_warning(j, p);
	if (j->verbose)
		job_say_url(p);
}

/* ---- jobs ---- */

struct presign_job *presign_job_new(struct session *s,
				    const struct presign_request *request,
				    const struct output *o, bool verbose)
{
	struct presign_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->session = s;
	j->request = *request;
	j->o = o;
	j->verbose = verbose;
	buf_init(&j->line, 16 * BUF_URL);
	buf_init(&j->title, BUF_MESSAGE);
	j->size = PRESIGN_PAGE_UNKNOWN;
	buf_init(&j->warned, BUF_MESSAGE);
	if (!s)
		return j;
	if (!j->request.expire)
		j->request.expire = s->config.mount.presign_expire;
	j->request.expire_max = s->config.mount.presign_expire_max;
	/* What is put there by the URL must not go with what was removed
	 * before. */
	if (request->action == PRESIGN_UPLOAD)
		session_settle(s);
	return j;
}

static int job_find_stage(struct presign_job *j, const char *name,
			  struct stage **out, struct failure *f)
{
	int rc;

	for (unsigned i = 0; i < STAGES; i++) {
		*out = j->stages[i];
		if (*out && !strcmp((*out)->name, name))
			return 0;
	}
	rc = session_stage(j->session, name, out, f);
	if (rc)
		return rc;
	stage_unref(j->stages[j->turn]);
	j->stages[j->turn] = *out;
	j->turn = (j->turn + 1) % STAGES;
	return 0;
}

static int job_refuse(struct failure *f, int rc)
{
	f->code = rc == -EOPNOTSUPP ? CODE_NO_PRESIGN
		  : rc == -EROFS    ? CODE_DENIED
		  : rc == -EACCES   ? CODE_PERMISSION
				    : CODE_BAD_ARGUMENTS;
	if (!f->why.len)
		buf_adds(&f->why, strerror(-rc));
	return rc;
}

/* The fault is in the name, not in the keys, the server or the output. */
static bool job_is_local(int rc)
{
	return rc == -EINVAL || rc == -ENAMETOOLONG || rc == -ENOENT ||
	       rc == -EROFS;
}

static int job_sign_row(struct presign_job *j, struct stage *stage,
			const char *path, struct failure *f, bool *go_on)
{
	struct store_presigned row;
	int rc;

	j->name = path;
	rc = presign(stage, path, &j->request, &row, &f->why);

	*go_on = job_is_local(rc);
	if (rc)
		return job_refuse(f, rc);
	job_say_beside(j, &row);
	rc = job_put_row(j, &row, j->request.action);
	store_presign_clear(&row);
	return rc ? failure_write(f, rc) : 0;
}

int presign_job_row(struct presign_job *j, const struct location *where,
		    struct failure *f, bool *go_on)
{
	struct stage *stage;
	int rc = job_find_stage(j, where->stage, &stage, f);

	*go_on = job_is_local(rc);
	return rc ? rc : job_sign_row(j, stage, where->path, f, go_on);
}

/* ---- a directory ---- */

struct tree {
	struct presign_job *job;
	struct stage *stage;
};

static int job_sign_entry(void *arg, const struct list_entry *e,
			  const char *name, struct failure *f)
{
	struct tree *t = arg;
	bool go_on;

	t->job->size = e->info.size;
	return job_sign_row(t->job, t->stage, name, f, &go_on);
}

/* A name with nothing below it may be that of a file. */
static int job_sign_lone(struct presign_job *j, struct stage *stage,
			 const char *path, struct failure *f)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX);
	struct name_info info;
	bool go_on;
	int rc;

	rc = stage_key(stage, path, &key);
	rc = rc ? job_refuse(f, rc)
		: store_stat(stage->store, buf_str(&key), &info);
	if (rc && !f->why.len)
		failure_store(f, stage->store, stage->prefix, rc);
	if (!rc && info.is_object)
		rc = job_sign_row(j, stage, path, f, &go_on);
	return rc;
}

static int presign_job_tree(struct presign_job *j, const struct location *where,
			    struct failure *f)
{
	BUF_LOCAL path = BUF_INIT(STORE_KEY_MAX);
	struct tree t = { .job = j };
	struct walk w = { .each = job_sign_entry, .arg = &t };
	bool is_open = *where->path && !text_ends_with(where->path, "/");
	int rc = job_find_stage(j, where->stage, &t.stage, f);

	if (rc)
		return rc;
	buf_addf(&path, "%s%s", where->path, is_open ? "/" : "");
	session_settle(j->session);
	w.stage = t.stage;
	w.path = buf_str(&path);
	rc = buf_err(&path) ? job_refuse(f, -ENAMETOOLONG) : walk_files(&w, f);
	if (!rc && !j->rows && is_open)
		rc = job_sign_lone(j, t.stage, where->path, f);
	return rc;
}

int presign_job_flush(struct presign_job *j)
{
	return fflush(stdout) ? -errno : 0;
}

int presign_job_end(struct presign_job *j, bool failed, struct failure *f)
{
	int rc = job_end_output(j, failed && !j->rows);

	for (unsigned i = 0; i < STAGES; i++)
		stage_unref(j->stages[i]);
	buf_wipe(&j->line);
	buf_clear(&j->title);
	buf_clear(&j->warned);
	free(j);
	return rc ? failure_write(f, rc) : 0;
}

/* ---- one row ---- */

int presign_job_print(const struct store_presigned *p, const char *name,
		      enum presign_action action, const struct output *o,
		      bool verbose)
{
	const struct presign_request none = { .action = action };
	struct presign_job *j = presign_job_new(NULL, &none, o, verbose);
	FAILURE_LOCAL f = FAILURE_INIT;
	int rc, end;

	if (!j)
		return -ENOMEM;
	buf_adds(&j->title, name);
	j->name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	job_say_beside(j, p);
	rc = job_put_row(j, p, action);
	end = presign_job_end(j, rc, &f);
	return rc ? rc : end;
}

static int presign_job_parts(struct session *s, const struct location *where,
			     const struct presign_request *request,
			     unsigned parts, const struct output *o,
			     struct failure *f)
{
	const struct config_mount *m = &s->config.mount;
	struct presign_request r = *request;
	BUF_SECRET out = BUF_INIT(64 << 20), all = BUF_INIT(64 << 20);
	STAGE_LOCAL *stage = NULL;
	int rc;

	session_settle(s);
	rc = session_stage(s, where->stage, &stage, f);

	if (rc)
		return rc;
	if (!r.expire)
		r.expire = m->presign_expire;
	r.expire_max = m->presign_expire_max;
	rc = presign_parts(stage, where->path, &r, parts, &out, &f->why);
	if (rc) {
		job_refuse(f, rc);
	} else {
		buf_addf(&all, o->format == TABLE_JSON ? "[%s]" : "%s",
			 buf_str(&out));
		rc = job_print_text(&all);
		if (rc)
			failure_write(f, rc);
	}
	return rc;
}

int presign_job_run(struct session *s, const struct location *where,
		    const struct presign_request *request,
		    const struct presign_scope *scope, const struct output *o,
		    struct failure *f)
{
	static const struct presign_scope one;
	FAILURE_LOCAL second = FAILURE_INIT;
	struct presign_job *j;
	bool go_on;
	int rc, end;

	if (!scope)
		scope = &one;
	if (scope->parts)
		return presign_job_parts(s, where, request, scope->parts, o, f);
	j = presign_job_new(s, request, o, scope->verbose);
	if (!j)
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	buf_addf(&j->title, "@%s/%s", where->stage, where->path);
	rc = scope->tree ? presign_job_tree(j, where, f)
			 : presign_job_row(j, where, f, &go_on);
	end = presign_job_end(j, rc, rc ? &second : f);
	return rc ? rc : end;
}
