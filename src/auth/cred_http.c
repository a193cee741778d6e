/*
 * The answer's Date is held against our clock: providers say when credentials
 * end, and a clock that is off makes good ones look dead.
 */
#include "auth/cred_http.h"

#include <errno.h>
#include <string.h>

#include "auth/cred_ask.h"
#include "base/clock.h"

#define DATE_MAX 64

struct cred_call {
	struct http_call call; /* first: a pointer to it is one to us */
	const struct cred_request *request;
};

static int prepare(struct http_call *call, struct http_wire *wire)
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

static enum http_verdict judge_once(struct http_call *call,
				    const struct http_reply *reply)
{
	return HTTP_DONE;
}

static void note_date(struct cred_ask *ask, const struct http_reply *reply)
{
	struct buf date = BUF_INIT(DATE_MAX);
	int64_t theirs;

	if (http_reply_header(reply, "date", &date) &&
	    !time_parse_http(buf_str(&date), &theirs))
		ask->skew_s = clock_now_s() - theirs;
	buf_clear(&date);
}

int cred_ask_http(struct cred_ask *ask, const struct cred_request *request,
		  struct http_reply *out)
{
	static const struct http_call_ops persistent = { .prepare = prepare };
	static const struct http_call_ops once = { .prepare = prepare,
						   .judge = judge_once };
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
		note_date(ask, out);
	return rc;
}

void cred_ask_http_clear(struct http_reply *reply)
{
	buf_wipe(&reply->body);
	http_reply_clear(reply);
}
