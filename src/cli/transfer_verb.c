/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order matters at the end: the threads have gone before lanes are freed,
 * and lanes before the engine.
 */
#include "cli/transfer_verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cmd.h"
#include "client/message.h"
#include "client/session.h"
#include "config/config.h"
#include "transfer/transfer_sync.h"

/* ---- rows ---- */

/* file "-": standard input. STATUS_OK, or STATUS_FAILED after a line. */
static int verb_read_rows(const char *file, const char *method,
			  struct transfer_rows *out)
{
	BUF_SECRET text = BUF_INIT(TRANSFER_ROWS_BYTES_MAX);
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = cmd_read(file, &text);

	if (!rc)
		rc = transfer_row_parse_all(buf_str(&text), text.len, method,
					    out, &why);
	if (rc)
		message(strcmp(file, "-") ? file : "standard input",
			why.len ? buf_str(&why) : strerror(-rc));
	return rc ? STATUS_FAILED : STATUS_OK;
}

/* ---- the frame ---- */

struct run {
	const struct transfer_verb_ops *ops;
	struct transfer_options o;
	struct cmd_words words;
	struct transfer_rows rows;
	char *uploads; /* transfer_settings.uploads */
};

static bool verb_to_stdout(const struct run *r)
{
	return !r->ops->move && r->words.n &&
	       (r->ops->quiet || !strcmp(r->words.word[r->words.n - 1], "-"));
}

static int verb_finish(struct transfer *t, int rc, const char *again)
{
	struct transfer_count count;

	if (rc && rc != -EINTR)
		transfer_fail(t, strerror(-rc), "cannot go on");
	transfer_end(t, &count);
	if (count.interrupted)
		message("interrupted", again);
	return count.interrupted    ? STATUS_INTERRUPTED
	       : rc || count.failed ? STATUS_FAILED
				    : STATUS_OK;
}

static int verb_move(struct run *r, struct session *s)
{
	struct transfer_settings *set = &r->o.set;
	struct transfer_plan plan = {
		.session = s,
		.connections = (unsigned)set->parallel,
		.ca_file = r->o.ca_file,
		.proxy = r->o.proxy,
		.recursive = r->o.recursive,
		.literal = r->o.no_glob,
		.content_type = r->o.content_type,
		.filter = { r->o.include, r->o.exclude },
		.dry_run = set->dry_run,
		.move = r->ops->move,
	};
	int rc, status;

	if (!r->o.row)
		session_settle(s);
	set->workers = verb_to_stdout(r) ? 1 : 0;
	set->quiet = set->quiet || r->ops->quiet || set->abort;
	set->uploads = r->uploads;
	rc = transfer_new(set, &plan.t);
	if (rc) {
		message("cannot start", strerror(-rc));
		return STATUS_FAILED;
	}
	rc = r->o.row ? r->ops->plan_rows(&plan, &r->o, &r->words, &r->rows)
		      : r->ops->plan(&plan, &r->o, &r->words);
	status = verb_finish(plan.t, rc, r->ops->again);
	if (!status && r->ops->after)
		status = r->ops->after(&plan, &r->o, &r->words);
	transfer_plan_clear(&plan);
	transfer_sync_free(plan.sync);
	return status;
}

static int verb_run_session(struct run *r)
{
	SESSION_LOCAL s = { 0 };
	int status = STATUS_OK;

	if (r->o.row)
		status = verb_read_rows(r->o.row, r->ops->method, &r->rows);
	if (status)
		return status;
	status = cmd_status(r->o.row ? session_open_bare(&s)
				     : session_open(r->o.config, &s));
	if (!status)
		status = verb_move(r, &s);
	return status;
}

int transfer_verb_run(const struct command *c, int argc, char **argv)
{
	struct run r = { .ops = c->how };
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int status;

	status = cmd_parse(c, argc, argv, &r.o, &r.words, WORDS_ANY);
	if (!status)
		r.ops->check(&r.o, &r.words, &why);
	if (why.len)
		status = cmd_usage(c, buf_str(&why));
	if (!status && !r.o.row)
		r.uploads = config_uploads_dir();
	if (!status)
		status = verb_run_session(&r);
	free(r.uploads);
	transfer_row_clear_all(&r.rows);
	option_clear(c->options, &r.o);
	return status;
}
