/*
 * The order matters at the end: the crew has gone before lanes are freed, and
 * lanes before the engine.
 */
#include "cli/cmd_transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cli/cmd.h"
#include "client/message.h"
#include "client/session.h"

/* ---- rows ---- */

/* file "-": standard input. STATUS_OK, or STATUS_FAILED after a line. */
static int read_rows(const char *file, const char *method,
		     struct transfer_rows *out)
{
	struct buf text = BUF_INIT(TRANSFER_ROWS_BYTES_MAX);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	bool standard = !strcmp(file, "-");
	int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : io_read_all(fd, &text);

	if (fd >= 0 && !standard)
		close(fd);
	if (!rc)
		rc = transfer_row_parse_all(buf_str(&text), text.len, method,
					    out, &why);
	if (rc)
		message(standard ? "standard input" : file,
			why.len ? buf_str(&why) : strerror(-rc));
	buf_wipe(&text);
	buf_clear(&why);
	return rc ? STATUS_FAILED : STATUS_OK;
}

/* ---- the frame ---- */

struct run {
	const struct transfer_verb_ops *ops;
	struct transfer_options o;
	struct transfer_words words;
	struct transfer_rows rows;
};

static bool to_stdout(const struct run *r)
{
	return r->words.n && !strcmp(r->words.word[r->words.n - 1], "-");
}

static int finish(struct transfer *t, int rc)
{
	struct transfer_count count;

	if (rc && rc != -EINTR)
		transfer_fail(t, "cannot go on", strerror(-rc));
	transfer_end(t, &count);
	if (count.interrupted)
		message("interrupted", "what was under way is not done");
	return rc || count.failed || count.interrupted ? STATUS_FAILED
						       : STATUS_OK;
}

static int move(struct run *r, struct session *s)
{
	const struct transfer_settings set = {
		.what = r->ops->what,
		.parallel = (unsigned)r->o.parallel,
		.workers = to_stdout(r) ? 1 : 0,
		.quiet = r->o.quiet,
		.no_clobber = r->o.no_clobber,
		.skip_existing = r->o.skip_existing,
	};
	struct transfer_plan plan = {
		.session = s,
		.connections = (unsigned)r->o.parallel,
		.ca_file = r->o.ca_file,
		.proxy = r->o.proxy,
		.recursive = r->o.recursive,
		.literal = r->o.no_glob,
		.content_type = r->o.content_type,
	};
	int rc = transfer_new(&set, &plan.t), status;

	if (rc) {
		message("cannot start", strerror(-rc));
		return STATUS_FAILED;
	}
	rc = r->o.row ? r->ops->plan_rows(&plan, &r->o, &r->words, &r->rows)
		      : r->ops->plan(&plan, &r->o, &r->words);
	status = finish(plan.t, rc);
	transfer_plan_clear(&plan);
	return status;
}

static int run_session(struct run *r)
{
	struct session s;
	int status = STATUS_OK;

	if (r->o.row)
		status = read_rows(r->o.row, r->ops->method, &r->rows);
	if (status)
		return status;
	status = cmd_status(r->o.row ? session_open_bare(&s)
				     : session_open(r->o.config, &s));
	if (!status)
		status = move(r, &s);
	session_close(&s);
	return status;
}

int cmd_transfer(const struct transfer_verb_ops *ops, int argc, char **argv)
{
	struct run r = { .ops = ops };
	int status;

	r.words.word = calloc((size_t)argc + 1, sizeof(*r.words.word));
	if (!r.words.word)
		return cmd_usage(ops->command, strerror(ENOMEM));
	status = cmd_parse_list(ops->command, argc, argv, &r.o, r.words.word,
				&r.words.n);
	if (!status)
		status = ops->check(&r.o, &r.words);
	if (!status)
		status = run_session(&r);
	transfer_row_clear_all(&r.rows);
	option_clear(ops->command->options, &r.o);
	free(r.words.word);
	return status;
}
