/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a handler says is gathered, in either form of errors.
 */
#include "gateway/exchange.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/text.h"
#include "gateway/answer.h"

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

void exchange_add(struct exchange *x, const char *name, const char *value)
{
	struct answer *a = x->answer;
	size_t before = a->headers.len;

	if (a->given || text_has_control(value))
		return;
	buf_adds(&a->headers, name);
	buf_addc(&a->headers, '\0');
	buf_adds(&a->headers, value);
	buf_addc(&a->headers, '\0');
	if (buf_err(&a->headers) && a->headers.data) {
		buf_truncate(&a->headers, before);
		a->headers.rc = 0;
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
static bool exchange_answer_small(struct exchange *x, const struct file_body *f)
{
	struct buf *body = &x->answer->body;
	char *room = f->len <= SMALL ? buf_reserve(body, f->len) : NULL;

	if (!room ||
	    io_pread(f->fd, room, f->len, f->offset) != (ssize_t)f->len ||
	    !file_body_same(f))
		return false;
	body->len = f->len;
	x->answer->len = f->len;
	close(f->fd);
	return true;
}

void exchange_answer_file(struct exchange *x, unsigned status, const char *type,
			  const struct file_body *f)
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

void exchange_refuse_json(struct exchange *x, unsigned status, unsigned code,
			  const char *message)
{
	BUF_LOCAL out = BUF_INIT(8 * BUF_MESSAGE);

	buf_addf(&out, "{\"error\":{\"code\":%u,\"message\":", code);
	text_json_string(&out, message);
	buf_adds(&out, "}}");
	exchange_answer(x, status, "application/json", buf_str(&out), out.len);
}

static void exchange_refuse_xml(struct exchange *x, unsigned status,
				const char *code, const char *message)
{
	BUF_LOCAL out = BUF_INIT(2 * BUF_MESSAGE);

	buf_adds(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<Error><Code>");
	text_xml(&out, code);
	buf_adds(&out, "</Code><Message>");
	text_xml(&out, message);
	buf_addf(&out, "</Message><RequestId>%s</RequestId></Error>", x->id);
	exchange_answer(x, status, "application/xml", buf_str(&out), out.len);
}

void exchange_refuse(struct exchange *x, unsigned status, const char *code,
		     const char *message)
{
	if (x->form == EXCHANGE_XML)
		exchange_refuse_xml(x, status, code, message);
	else
		exchange_refuse_json(x, status, status, message);
}
