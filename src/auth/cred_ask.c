/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reasons are gathered, because "there are no credentials" does not help a user
 * who does not know where they were looked for.
 *
 * An answer's Date is held against our clock: providers say when credentials
 * end, and a clock that is off makes good ones look dead.
 */
#include "auth/cred_ask.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"

#define DATE_MAX 64

int cred_ask_fail(struct cred_ask *ask, int rc, const char *fmt, ...)
{
	va_list ap;

	if (ask->why.len)
		buf_adds(&ask->why, "; ");
	va_start(ap, fmt);
	buf_vaddf(&ask->why, fmt, ap);
	va_end(ap);
	return rc;
}

const char *cred_ask_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

bool cred_ask_env_yes(const char *name)
{
	const char *value = cred_ask_env(name);
	bool yes = false;

	return value && !parse_bool(value, &yes) && yes;
}

int cred_ask_file(const char *path, const char *end, struct buf *out)
{
	int rc = io_read_file(path, out);

	while (!rc && out->len && out->data[out->len - 1] &&
	       strchr(end, out->data[out->len - 1]))
		buf_truncate(out, out->len - 1);
	return rc;
}

/* ---- a request ---- */

struct cred_call {
	struct http_call call; /* first: a pointer to it is one to us */
	const struct cred_request *request;
};

static int ask_prepare(struct http_call *call, struct http_wire *wire)
{
	const struct cred_request *r = ((struct cred_call *)call)->request;
	int rc = 0;

	buf_adds(&wire->url, r->url);
	for (int i = 0; i < CRED_HEADERS_MAX && !rc; i++)
		if (r->headers[i].name)
			rc = http_wire_header(wire, r->headers[i].name,
					      r->headers[i].value);
	if (!rc && r->sign)
		rc = r->sign(r->sign_arg, wire);
	return rc ? rc : buf_err(&wire->url);
}

static enum http_verdict ask_judge_once(struct http_call *call,
					const struct http_reply *reply)
{
	return HTTP_DONE;
}

static void ask_take_date(struct cred_ask *ask, const struct http_reply *reply)
{
	BUF_LOCAL date = BUF_INIT(DATE_MAX);
	int64_t theirs;

	if (http_reply_header(reply, "date", &date) &&
	    !clock_parse_http(buf_str(&date), &theirs))
		ask->skew_s = clock_now_s() - theirs;
}

int cred_ask_http(struct cred_ask *ask, const struct cred_request *request,
		  struct http_reply *out)
{
	static const struct http_call_ops persistent = { .prepare =
								 ask_prepare };
	static const struct http_call_ops once = { .prepare = ask_prepare,
						   .judge = ask_judge_once };
	struct cred_call c = {
		.call = {
			.ops = request->once ? &once : &persistent,
			.verb = request->verb,
			.class = HTTP_META,
			.reply_max = CRED_REPLY_MAX,
			.deadline_ms = request->deadline_ms,
		},
		.request = request,
	};
	int rc;

	if (request->body) {
		c.call.body.data = request->body;
		c.call.body.len = strlen(request->body);
	}
	ask->costly = true;
	*out = (struct http_reply){ 0 };
	rc = http_perform(request->lane, &c.call, out);
	if (!rc)
		ask_take_date(ask, out);
	else if (request->provider)
		cred_ask_fail(ask, rc, "%s does not answer: %s",
			      request->provider,
			      out->why ? out->why : strerror(-rc));
	return rc;
}

void cred_ask_http_clear(struct http_reply *reply)
{
	buf_wipe(&reply->body);
	http_reply_clear(reply);
}
