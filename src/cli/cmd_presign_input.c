/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations from standard input, a row each, in their order. A line is read
 * into a buffer with an end, so memory stays the same; a bad one is named by
 * its number, has no row, and makes the exit status 1, and the rest goes on.
 * What would fail for every line (keys, output) ends it at once.
 *
 * Whatever is waiting goes out before more input is waited for, so a program
 * at both ends of a pipe may ask and read in turn.
 */
#include "cli/cmd_presign.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "client/message.h"
#include "client/presign_job.h"

#define LINE_BYTES 8192
#define READ_BYTES 65536

struct input {
	struct presign_job *job;
	char end; /* of a location */
	uint64_t number; /* of the line, from 1 */
	char bytes[READ_BYTES]; /* what was read and not looked at yet */
	size_t at, have;
	char line[LINE_BYTES];
	size_t len;
	bool too_long;
	const char *failed; /* what an error of input_next_line() is about */
};

/* 1: more bytes, 0: the end, -errno. */
static int input_fill(struct input *in)
{
	ssize_t n;
	int rc = presign_job_flush(in->job);

	in->failed = "cannot write";
	if (rc)
		return rc;
	in->failed = "cannot read standard input";
	do
		n = read(STDIN_FILENO, in->bytes, sizeof(in->bytes));
	while (n < 0 && errno == EINTR);
	in->at = 0;
	in->have = n > 0 ? (size_t)n : 0;
	return n < 0 ? -errno : n > 0;
}

static void input_keep(struct input *in, const char *bytes, size_t n)
{
	if (in->len + n >= sizeof(in->line)) {
		in->too_long = true;
		n = sizeof(in->line) - 1 - in->len;
	}
	memcpy(in->line + in->len, bytes, n);
	in->len += n;
}

/* 1: a line, 0: the end, -errno. */
static int input_next_line(struct input *in)
{
	bool any = false;
	int rc = 1;

	in->len = 0;
	in->too_long = false;
	for (;;) {
		const char *from = in->bytes + in->at, *stop;
		size_t left = in->have - in->at;

		if (!left) {
			rc = input_fill(in);
			if (rc <= 0)
				break;
			continue;
		}
		any = true;
		stop = memchr(from, in->end, left);
		input_keep(in, from, stop ? (size_t)(stop - from) : left);
		in->at += stop ? (size_t)(stop - from) + 1 : left;
		if (stop)
			break;
	}
	in->line[in->len] = '\0';
	in->number++;
	return rc < 0 ? rc : rc || any;
}

static void input_say(const struct input *in, const char *why)
{
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);

	buf_addf(&what, "standard input:%llu", (unsigned long long)in->number);
	message(buf_str(&what), why);
}

/* Signs for one line. 0, or -errno with why in f. */
static int input_sign_line(struct input *in, struct failure *f, bool *go_on)
{
	LOCATION_LOCAL where = { 0 };
	int rc;

	*go_on = true;
	if (in->too_long)
		return failure_set(f, CODE_BAD_ARGUMENTS, -EINVAL,
				   "a location of over %d bytes",
				   LINE_BYTES - 1);
	if (strlen(in->line) != in->len)
		return failure_set(
			f, CODE_BAD_ARGUMENTS, -EINVAL,
			"a NUL byte (-0 reads locations that end so)");
	rc = location_parse(in->line, &where, &f->why);
	if (rc)
		return rc;
	if (*where.path)
		rc = presign_job_row(in->job, &where, f, go_on);
	else
		rc = failure_set(f, CODE_BAD_ARGUMENTS, -EINVAL,
				 LOCATION_IS_STAGE);
	return rc;
}

/* Does one line after the other. An enum cmd_status. */
static int input_sign_lines(struct input *in)
{
	struct failure f = FAILURE_INIT;
	int status = STATUS_OK, rc = 0;
	bool go_on = true;

	while (go_on && (rc = input_next_line(in)) > 0) {
		if (!input_sign_line(in, &f, &go_on)) {
			go_on = true;
			continue;
		}
		if (f.what)
			cmd_failure(f.what, &f);
		else
			input_say(in, buf_str(&f.why));
		failure_clear(&f);
		status = STATUS_FAILED;
	}
	if (go_on && rc < 0) {
		message(in->failed, strerror(-rc));
		status = STATUS_FAILED;
	}
	return status;
}

int cmd_presign_input(struct session *s, const struct presign_options *o,
		      const struct presign_request *request)
{
	const struct output output = { .format = o->format,
				       .header = o->header,
				       .compat_host = o->compat_host };
	FAILURE_LOCAL f = FAILURE_INIT;
	struct input in = { .end = o->nul ? '\0' : '\n' };
	int status;

	in.job = presign_job_new(s, request, &output, o->verbose);
	if (!in.job) {
		message("cannot presign", strerror(ENOMEM));
		return STATUS_FAILED;
	}
	status = input_sign_lines(&in);
	if (presign_job_end(in.job, status, &f) && !status)
		status = cmd_failure("cannot presign", &f);
	return status;
}
