/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs status`: the mounts of this machine, from the kernel's own table,
 * and what each daemon says of itself. One that does not answer costs three
 * seconds: a process of its own asks it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mountinfo.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "client/message.h"
#include "client/table.h"
#include "fuse/guard.h"

#define ANSWER_MS 3000
#define ANSWER_MAX 65536
#define NOT_ALLOWED 2 /* exit status of the process that asks */

struct status_options {
	int format;
	bool header;
};

#define ROW(name_, ...) OPTION_ROW(status_options, "--" name_, __VA_ARGS__)
static const struct option status_options[] = {
	ROW("format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV"),
	ROW("header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	{ 0 },
};

static const struct table_column status_columns[] = {
	{ "mountpoint", TABLE_TEXT },
	{ "source", TABLE_TEXT },
	{ "uptime", TABLE_COUNT },
	{ "uploads", TABLE_TEXT },
};

/* In the process that may hang. */
static void status_ask(const char *point, int fd)
{
	static char answer[ANSWER_MAX];
	ssize_t n =
		getxattr(point, "user.stage.status", answer, sizeof(answer));

	if (n > 0 && write(fd, answer, (size_t)n) == n)
		_exit(0);
	_exit(n < 0 && errno == EACCES ? NOT_ALLOWED : 1);
}

/* The daemon's own words: 0, or -ETIMEDOUT, -EACCES, -EIO. */
static int status_answer(const char *point, struct buf *out)
{
	struct pollfd p = { .events = POLLIN };
	char bytes[4096];
	int ends[2], rc, status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(ends))
		return -errno;
	pid = fork();
	if (!pid) {
		close(ends[0]);
		status_ask(point, ends[1]);
	}
	close(ends[1]);
	p.fd = ends[0];
	rc = pid < 0 ? -errno : poll(&p, 1, ANSWER_MS) == 1 ? 0 : -ETIMEDOUT;
	while (!rc && (n = read(ends[0], bytes, sizeof(bytes))) > 0)
		buf_add(out, bytes, (size_t)n);
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, rc ? WNOHANG : 0);
	}
	if (!rc && WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
		return -EACCES;
	return rc ? rc : out->len ? buf_err(out) : -EIO;
}

/* The value of a line `word value`, as a number; 0 where there is none. */
static uint64_t status_number(const char *answer, const char *word)
{
	const char *at = strstr(answer, word);
	uint64_t n = 0;

	if (at) {
		at += strlen(word);
		parse_u64n(at, strcspn(at, "\n"), UINT64_MAX, &n);
	}
	return n;
}

/* 3 s, 5 min, 2 h 7 min, 3 d 4 h. */
static void status_add_time(uint64_t s, struct buf *out)
{
	unsigned long long n = s;

	if (n < 60)
		buf_addf(out, "%llu s", n);
	else if (n < 3600)
		buf_addf(out, "%llu min", n / 60);
	else if (n < 86400)
		buf_addf(out, "%llu h %llu min", n / 3600, n / 60 % 60);
	else
		buf_addf(out, "%llu d %llu h", n / 86400, n / 3600 % 24);
}

/* `; 12 to be sent, 3 cannot be`. */
static void status_add_pending(const char *answer, struct buf *out)
{
	uint64_t n = status_number(answer, "\npending ");
	uint64_t failed = status_number(answer, "\nfailed ");

	if (n || failed)
		buf_addf(out, "%s%llu to be sent", out->len ? "; " : "",
			 (unsigned long long)n);
	if (failed)
		buf_addf(out, ", %llu cannot be", (unsigned long long)failed);
}

/* `2 files: @s/a, @s/b`, or `none`. */
static void status_add_uploads(const char *answer, struct buf *out)
{
	uint64_t n = status_number(answer, "\nwriting ");
	const char *p = answer, *comma = ": ";

	if (n)
		buf_addf(out, "%llu %s", (unsigned long long)n,
			 n == 1 ? "file" : "files");
	while ((p = strstr(p, "\nfile "))) {
		p += 6;
		buf_adds(out, comma);
		buf_add(out, p, strcspn(p, "\n"));
		comma = ", ";
	}
	status_add_pending(answer, out);
	if (!out->len)
		buf_adds(out, "none");
}

static int status_put(struct table *t, const struct mountinfo_row *row)
{
	BUF_LOCAL answer = BUF_INIT(ANSWER_MAX), time = BUF_INIT(64);
	BUF_LOCAL uploads = BUF_INIT(ANSWER_MAX);
	bool ends = !strcmp(row->type, GUARD_TYPE);
	int rc = ends ? 0 : status_answer(row->point, &answer);
	enum table_mark mark = rc || ends ? TABLE_BAD : TABLE_USUAL;

	if (ends) {
		buf_adds(&uploads, "it ends, when what is open for writing is "
				   "closed: its log names the files");
	} else if (rc) {
		buf_adds(&uploads,
			 rc == -ETIMEDOUT ? "does not answer"
			 : rc == -EACCES  ? "another user's (no allow_other)"
					  : "its daemon has gone, or is older");
	} else {
		status_add_time(status_number(buf_str(&answer), "uptime "),
				&time);
		status_add_uploads(buf_str(&answer), &uploads);
	}
	return table_row(t, (const struct table_value[4]){
				    { .text = row->point },
				    { .text = row->source },
				    { .text = text_given(buf_str(&time)) },
				    { .text = buf_str(&uploads), .mark = mark },
			    });
}

static struct table *status_open(const struct status_options *o)
{
	return table_new(stdout, o->format, o->header, status_columns, 4);
}

static int status_list(const struct status_options *o, const char *point)
{
	struct table *t = NULL;
	char *real = point ? realpath(point, NULL) : NULL;
	MOUNTINFO_LOCAL m = { 0 };
	struct mountinfo_row row;
	unsigned n = 0;
	int rc = 0, end;

	mountinfo_open(&m, "self");
	while (!rc && mountinfo_next(&m, &row)) {
		if ((strcmp(row.type, "fuse.stagefs") &&
		     strcmp(row.type, GUARD_TYPE)) ||
		    (point && strcmp(row.point, real ? real : point)))
			continue;
		rc = t || (t = status_open(o)) ? status_put(t, &row) : -ENOMEM;
		n++;
	}
	/* no empty table, but an empty array */
	if (!n && !output_is_table(o->format))
		t = status_open(o);
	free(real);
	end = t ? table_end(t) : 0;
	if (rc || end)
		message("cannot write", strerror(rc ? -rc : -end));
	else if (point && !n)
		message(point, "no mount of stagefs");
	else if (!n)
		message("status", "no mount of stagefs on this machine");
	return rc || end || (point && !n) ? STATUS_FAILED : STATUS_OK;
}

static int status_run(const struct command *c, int argc, char **argv)
{
	struct status_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(c, argc, argv, &o, &words, 1);

	if (!status)
		status = status_list(&o, words.n ? words.word[0] : NULL);
	option_clear(status_options, &o);
	return status;
}

const struct command status_command = {
	.verb = "status",
	.group = GROUP_MOUNT,
	.brief = "the mounts of this machine, and what they upload",
	.synopsis = "[MOUNTPOINT] [--format F]",
	.help = "Mounts of this machine: what of, for how long, and the files "
		"that are open for writing or being uploaded",
	.options = status_options,
	.run = status_run,
};
