/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer is gathered first and handed to libmicrohttpd later: the library
 * takes one only before the body or after it.
 */
#include "gateway/answer.h"

#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "base/field.h"
#include "base/text.h"
#include "gateway/exchange.h"

#define BODY_MAX (1 << 20) /* bytes from memory */
#define HEADERS_MAX 32768

void answer_init(struct answer *a)
{
	*a = (struct answer){ .file.fd = -1 };
	buf_init(&a->headers, HEADERS_MAX);
	buf_init(&a->body, BODY_MAX);
}

void answer_clear(struct answer *a)
{
	buf_clear(&a->headers);
	buf_clear(&a->body);
	if (a->file.fd >= 0)
		close(a->file.fd);
	a->file.fd = -1;
}

/* On every answer: a stored page is no page of ours, and what a URL holds goes
 * to no other site. */
static const struct field always[] = {
	{ "Content-Security-Policy", "sandbox" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Accept-Ranges", "bytes" },
};

static void answer_add_cors(const struct exchange *x, struct MHD_Response *r)
{
	const char *origin = exchange_header(x, "Origin");

	MHD_add_response_header(r, "Vary", "Origin");
	if (!x->origin_allowed || !origin || text_has_control(origin))
		return;
	MHD_add_response_header(r, "Access-Control-Allow-Origin", origin);
	MHD_add_response_header(r, "Access-Control-Expose-Headers",
				"ETag, Content-Range, Content-Length, "
				"Last-Modified, x-amz-request-id");
}

/* The length of an answer to HEAD comes from a body that is never read. */
static ssize_t answer_no_body(void *arg, uint64_t at, char *room, size_t n)
{
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *answer_body(const struct exchange *x)
{
	struct answer *a = x->answer;
	struct MHD_Response *r;

	if (a->file.fd >= 0) {
		r = file_body_response(&a->file);
		if (r)
			a->file.fd = -1;
		return r;
	}
	if (a->len != a->body.len)
		return MHD_create_response_from_callback(
			a->len, 1024, answer_no_body, NULL, NULL);
	return MHD_create_response_from_buffer(
		a->body.len, a->body.data ? a->body.data : (void *)"",
		MHD_RESPMEM_MUST_COPY);
}

struct MHD_Response *answer_response(struct exchange *x, bool close)
{
	struct answer *a = x->answer;
	struct MHD_Response *r = answer_body(x);

	if (!r)
		return NULL;
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		MHD_add_response_header(r, always[i].name, always[i].value);
	MHD_add_response_header(r, "x-amz-request-id", x->id);
	answer_add_cors(x, r);
	for (size_t at = 0; at < a->headers.len;) {
		const char *name = a->headers.data + at;
		const char *value = name + strlen(name) + 1;

		MHD_add_response_header(r, name, value);
		at = (size_t)(value + strlen(value) + 1 - a->headers.data);
	}
	if (close)
		MHD_add_response_header(r, "Connection", "close");
	return r;
}
