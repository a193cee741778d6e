/*
 * An answer is gathered first and handed to libmicrohttpd later, by server.c:
 * the library takes one only before the body or after it.
 */
#include "gateway/exchange.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/text.h"
#include "gateway/exchange_impl.h"

#define SMALL 32768

const char *exchange_header(const struct exchange *x, const char *name)
{
	for (size_t i = 0; i < x->n_headers; i++)
		if (!strcasecmp(x->headers[i].name, name))
			return x->headers[i].value;
	return NULL;
}

unsigned exchange_header_count(const struct exchange *x, const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < x->n_headers; i++)
		n += !strcasecmp(x->headers[i].name, name);
	return n;
}

/* ---- gathering ---- */

void exchange_answer_init(struct exchange_answer *a)
{
	*a = (struct exchange_answer){ .file.fd = -1 };
	buf_init(&a->headers, ANSWER_HEADERS_MAX);
	buf_init(&a->body, ANSWER_MAX);
}

void exchange_answer_clear(struct exchange_answer *a)
{
	buf_clear(&a->headers);
	buf_clear(&a->body);
	if (a->file.fd >= 0)
		close(a->file.fd);
	a->file.fd = -1;
}

void exchange_add(struct exchange *x, const char *name, const char *value)
{
	struct exchange_answer *a = x->answer;
	size_t before = a->headers.len;

	if (a->given || text_has_control(value))
		return;
	buf_adds(&a->headers, name);
	buf_addc(&a->headers, '\0');
	buf_adds(&a->headers, value);
	buf_addc(&a->headers, '\0');
	if (buf_err(&a->headers) && a->headers.data) {
		buf_truncate(&a->headers, before);
		a->headers.err = 0;
	}
}

bool exchange_answered(const struct exchange *x)
{
	return x->answer->given;
}

static bool exchange_begin_answer(struct exchange *x, unsigned status,
				  const char *type)
{
	if (x->answer->given)
		return false;
	if (type)
		exchange_add(x, "Content-Type", type);
	x->answer->given = true;
	x->answer->status = status;
	return true;
}

void exchange_answer(struct exchange *x, unsigned status, const char *type,
		     const void *bytes, size_t n)
{
	if (!exchange_begin_answer(x, status, type))
		return;
	buf_add(&x->answer->body, bytes, n);
	x->answer->len = n;
	if (buf_err(&x->answer->body)) {
		buf_reset(&x->answer->body);
		x->answer->status = 500;
		x->answer->len = 0;
	}
}

/* A small body goes with its head in one packet. */
static bool exchange_answer_small(struct exchange *x,
				  const struct exchange_file *f)
{
	struct buf *body = &x->answer->body;
	char *room = f->len <= SMALL ? buf_reserve(body, f->len) : NULL;

	if (!room ||
	    io_pread(f->fd, room, f->len, f->offset) != (ssize_t)f->len ||
	    !exchange_file_same(f))
		return false;
	body->len = f->len;
	x->answer->len = f->len;
	close(f->fd);
	return true;
}

void exchange_answer_file(struct exchange *x, unsigned status, const char *type,
			  const struct exchange_file *f)
{
	if (!exchange_begin_answer(x, status, type)) {
		close(f->fd);
		return;
	}
	if (exchange_answer_small(x, f))
		return;
	buf_reset(&x->answer->body);
	x->answer->file = *f;
	x->answer->len = f->len;
}

void exchange_answer_head(struct exchange *x, unsigned status, const char *type,
			  uint64_t n)
{
	if (exchange_begin_answer(x, status, type))
		x->answer->len = n;
}

static void exchange_add_xml(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_adds(out, "&amp;");
		else if (*s == '<')
			buf_adds(out, "&lt;");
		else if (*s == '>')
			buf_adds(out, "&gt;");
		else
			buf_addc(out, (unsigned char)*s < 0x20 ? ' ' : *s);
	}
}

void exchange_refuse(struct exchange *x, unsigned status, const char *code,
		     const char *message)
{
	struct buf out = BUF_INIT(2 * BUF_MESSAGE);
	bool xml = x->form == EXCHANGE_XML;

	if (xml) {
		buf_adds(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			       "<Error><Code>");
		exchange_add_xml(&out, code);
		buf_adds(&out, "</Code><Message>");
		exchange_add_xml(&out, message);
		buf_addf(&out, "</Message><RequestId>%s</RequestId></Error>",
			 x->id);
	} else {
		buf_addf(&out, "{\"error\":{\"code\":%u,\"message\":", status);
		text_json_string(&out, message);
		buf_adds(&out, "}}");
	}
	exchange_answer(x, status, xml ? "application/xml" : "application/json",
			buf_str(&out), out.len);
	buf_clear(&out);
}

/* ---- handing over ---- */

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

/* The length of an answer to HEAD comes from a body that nobody reads. */
static ssize_t answer_no_body(void *arg, uint64_t at, char *room, size_t n)
{
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *answer_body(const struct exchange *x)
{
	struct exchange_answer *a = x->answer;
	struct MHD_Response *r;

	if (a->file.fd >= 0) {
		r = exchange_file_response(&a->file);
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

struct MHD_Response *exchange_response(struct exchange *x, bool close)
{
	struct exchange_answer *a = x->answer;
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
