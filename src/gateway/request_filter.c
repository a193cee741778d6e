/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order matters: what could be read in two ways first (a front server may
 * have read it the other way), then the host, for a page that got here by DNS
 * rebinding shall learn nothing, then the origin, then the method.
 */
#include "gateway/request_filter.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/context.h"
#include "gateway/hosts.h"

#define PREFLIGHT_S "600"

struct rule {
	/* Why not, or NULL. */
	const char *(*broken)(const struct exchange *x);
	unsigned status;
	const char *code;
	bool unclear; /* where the body ends */
};

static const char *filter_bad_target(const struct exchange *x)
{
	if (x->target[0] != '/' || text_has_control(x->target))
		return "the request target must be a path";
	return NULL;
}

static const char *filter_bad_length(const struct exchange *x)
{
	unsigned lengths = exchange_header_count(x, "Content-Length");
	unsigned codings = exchange_header_count(x, "Transfer-Encoding");
	const char *length = exchange_header(x, "Content-Length");
	uint64_t n;

	if (lengths + codings > 1)
		return "the length of the body is given twice";
	if (length && parse_u64(length, INT64_MAX, &n))
		return "Content-Length is no number of bytes";
	return NULL;
}

static const char *filter_bad_coding(const struct exchange *x)
{
	const char *coding = exchange_header(x, "Transfer-Encoding");

	if (coding && strcasecmp(coding, "chunked") != 0)
		return "of transfer encodings there is `chunked` alone";
	return NULL;
}

static const char *filter_bad_host(const struct exchange *x)
{
	if (exchange_header_count(x, "Host") != 1)
		return "there must be one Host header";
	return NULL;
}

static const char *filter_wrong_host(const struct exchange *x)
{
	const struct gateway_settings *set = &x->gateway->set;

	if (!hosts_allowed(exchange_header(x, "Host"), &x->local, set->listen,
			   set->allowed_hosts))
		return "this server does not answer for that host: see "
		       "allowed_hosts";
	return NULL;
}

static const char *filter_bad_origin(const struct exchange *x)
{
	if (exchange_header_count(x, "Origin") > 1 ||
	    exchange_header_count(x, "Sec-Fetch-Site") > 1)
		return "there must be one Origin and one Sec-Fetch-Site";
	return NULL;
}

static const struct rule rules[] = {
	{ filter_bad_target, 400, "InvalidRequest" },
	{ filter_bad_length, 400, "InvalidRequest", true },
	{ filter_bad_coding, 501, "NotImplemented", true },
	{ filter_bad_host, 400, "InvalidRequest" },
	{ filter_wrong_host, 421, "MisdirectedRequest" },
	{ filter_bad_origin, 400, "InvalidRequest" },
};

static void filter_judge_origin(struct exchange *x, const struct route *r)
{
	enum origin_verdict v =
		hosts_judge_origin(exchange_header(x, "Origin"),
				   exchange_header(x, "Sec-Fetch-Site"),
				   x->gateway->set.cors_origins);

	x->origin_allowed =
		v == ORIGIN_LISTED || (v == ORIGIN_ANY && r->any_origin);
	x->foreign = v != ORIGIN_NONE && !x->origin_allowed;
}

/* `GET HEAD` as `GET, HEAD`. */
static void filter_add_methods(struct exchange *x, const struct route *r,
			       const char *header)
{
	BUF_LOCAL list = BUF_INIT(256);

	for (const char *p = r->methods; *p; p++)
		buf_adds(&list, *p == ' ' ? ", " : (char[]){ *p, '\0' });
	buf_adds(&list, ", OPTIONS");
	exchange_add(x, header, buf_str(&list));
}

/* A browser asks before it sends a page's request. */
static void filter_answer_options(struct exchange *x, const struct route *r)
{
	const char *headers =
		exchange_header(x, "Access-Control-Request-Headers");

	if (x->foreign) {
		exchange_refuse(x, 403, "AccessForbidden",
				"pages of this origin may not: see "
				"cors_origins");
		return;
	}
	filter_add_methods(x, r, "Allow");
	if (x->origin_allowed) {
		filter_add_methods(x, r, "Access-Control-Allow-Methods");
		if (headers)
			exchange_add(x, "Access-Control-Allow-Headers",
				     headers);
		if (exchange_header(x, "Access-Control-Request-Private-"
				       "Network"))
			exchange_add(x, "Access-Control-Allow-Private-Network",
				     "true");
		exchange_add(x, "Access-Control-Max-Age", PREFLIGHT_S);
	}
	exchange_answer(x, 204, NULL, NULL, 0);
}

void request_filter(struct exchange *x, const struct route *r)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const char *why = rules[i].broken(x);

		if (why) {
			x->unclear = rules[i].unclear;
			exchange_refuse(x, rules[i].status, rules[i].code, why);
			return;
		}
	}
	filter_judge_origin(x, r);
	if (!strcmp(x->method, "OPTIONS")) {
		filter_answer_options(x, r);
	} else if (!route_allows(r, x->method)) {
		filter_add_methods(x, r, "Allow");
		exchange_refuse(x, 405, "MethodNotAllowed",
				"the method is not allowed here");
	} else if (r->no_foreign && x->foreign) {
		exchange_refuse(x, 403, "AccessForbidden",
				"pages of this origin may not: see "
				"cors_origins");
	}
}
