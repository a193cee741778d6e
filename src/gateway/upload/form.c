/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states are those of the grammar in RFC 2046, 5.1.1:
 *
 *   PREAMBLE -> LINE -> HEAD -> DATA -> LINE -> ... -> EPILOGUE
 *
 * LINE is what follows a boundary on its line. In PREAMBLE and DATA the
 * delimiter, CRLF "--" boundary, is looked for. Its first byte stands in it
 * once only, so when it breaks off, the search begins anew at the byte that did
 * not fit, and `held` bytes of it, which may stand at the end of what was fed,
 * need no place: they are the delimiter's own. `implied` of them never came:
 * the beginning of a body and of a part's bytes count as the begin of a line. A
 * part is over when the whole of the boundary's line has come: where something
 * else follows the delimiter, its bytes were perhaps no end, and it is broken.
 */
#include "gateway/upload/form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "gateway/upload/form_head.h"

enum state { PREAMBLE, LINE, HEAD, DATA, EPILOGUE, BROKEN };

struct form {
	enum state state;
	char delimiter[FORM_BOUNDARY_MAX + 5];
	size_t delimiter_len;
	size_t held, implied;
	char line[2]; /* LINE: what came behind the boundary that counts */
	size_t line_len;
	bool part_ends; /* LINE: this is the end of one */
	bool end_due; /* EPILOGUE: FORM_END is what comes next */
	size_t rest; /* bytes of PREAMBLE, of padding, of EPILOGUE */
	unsigned parts;
	struct buf head;
	struct form_head parsed;
	const char *at, *end; /* of what was fed */
};

/* ---- the boundary ---- */

static bool form_boundary_valid(const char *s, size_t n)
{
	static const char bchars[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";

	return n && n <= FORM_BOUNDARY_MAX && strspn(s, bchars) == n &&
	       s[n - 1] != ' ';
}

int form_boundary(const char *content_type, char out[FORM_BOUNDARY_MAX + 1],
		  struct buf *why)
{
	static const char type[] = "multipart/form-data";
	BUF_LOCAL name = BUF_INIT(256), value = BUF_INIT(256);
	const char *at = content_type ? content_type : "";
	int rc, found = 0;

	at += strspn(at, " \t");
	if (strncasecmp(at, type, sizeof(type) - 1) ||
	    !strchr("; \t", at[sizeof(type) - 1]))
		return buf_fail(why, -EMEDIUMTYPE,
				"the body is not multipart/form-data");
	at += sizeof(type) - 1;
	while ((rc = form_head_param(&at, &name, &value)) > 0) {
		if (strcasecmp(buf_str(&name), "boundary"))
			continue;
		found++;
		if (form_boundary_valid(buf_str(&value), value.len))
			memcpy(out, buf_str(&value), value.len + 1);
		else
			rc = -EINVAL;
		if (rc < 0)
			break;
	}
	if (!rc && found == 1)
		return 0;
	return buf_fail(why, -EINVAL,
			"Content-Type has no boundary of 1 to 70 characters");
}

/* ---- life ---- */

struct form *form_new(const char *boundary)
{
	struct form *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->delimiter_len = strlen(boundary) + 4;
	memcpy(f->delimiter, "\r\n--", 4);
	memcpy(f->delimiter + 4, boundary, f->delimiter_len - 4);
	f->state = PREAMBLE;
	f->held = f->implied = 2;
	buf_init(&f->head, FORM_HEAD_MAX);
	form_head_init(&f->parsed);
	return f;
}

void form_free(struct form *f)
{
	if (!f)
		return;
	buf_clear(&f->head);
	form_head_clear(&f->parsed);
	free(f);
}

void form_feed(struct form *f, const void *bytes, size_t n)
{
	f->at = bytes;
	f->end = f->at + n;
}

static void form_enter(struct form *f, enum state state)
{
	f->state = state;
	f->held = f->implied = state == DATA ? 2 : 0;
	f->line_len = 0;
	f->rest = 0;
	if (state == HEAD)
		buf_reset(&f->head);
}

static int form_broken(struct form *f, struct buf *why, const char *reason)
{
	form_enter(f, BROKEN);
	buf_adds(why, "the form is broken: ");
	return buf_fail(why, -EINVAL, "%s", reason);
}

/* ---- the search ---- */

/* How much of the delimiter stands at p, before end. */
static size_t form_agreeing(const struct form *f, const char *p)
{
	size_t n = f->end - p;

	if (n > f->delimiter_len)
		n = f->delimiter_len;
	return memcmp(p, f->delimiter, n) ? 0 : n;
}

/*
 * The next bytes that are none of the delimiter's: *len, perhaps 0. True when
 * the delimiter has ended there; else what was fed is used up, or there are
 * bytes.
 */
static bool form_search(struct form *f, const char **bytes, size_t *len)
{
	const char *from, *p;

	*len = 0;
	while (f->held && f->at < f->end && f->held < f->delimiter_len &&
	       *f->at == f->delimiter[f->held]) {
		f->held++;
		f->at++;
	}
	if (f->held == f->delimiter_len)
		return true;
	if (f->at == f->end)
		return false;
	if (f->held) {
		*bytes = f->delimiter + f->implied;
		*len = f->held - f->implied;
		f->held = f->implied = 0;
		if (*len)
			return false;
	}
	from = f->at;
	for (p = from; (p = memchr(p, '\r', f->end - p)); p++) {
		f->held = form_agreeing(f, p);
		if (f->held)
			break;
	}
	*bytes = from;
	*len = (p ? p : f->end) - from;
	f->at = p ? p + f->held : f->end;
	return f->held == f->delimiter_len;
}

static int form_in_preamble(struct form *f, struct buf *why)
{
	const char *bytes;
	size_t len;

	bool found = form_search(f, &bytes, &len);

	f->rest += len;
	if (f->rest > FORM_REST_MAX)
		return form_broken(f, why, "no boundary at its beginning");
	if (found)
		form_enter(f, LINE);
	return 0;
}

static void form_end_data(struct form *f)
{
	form_enter(f, LINE);
	f->part_ends = true;
}

static int form_in_data(struct form *f, struct form_item *out)
{
	const char *bytes;
	size_t len;
	bool ended = form_search(f, &bytes, &len);

	if (len) {
		out->data = bytes;
		out->len = len;
		return FORM_DATA;
	}
	if (ended)
		form_end_data(f);
	return FORM_NEED;
}

/* ---- the rest of the grammar ---- */

/* FORM_NEED: there was none. */
static int form_part_end(struct form *f)
{
	bool ends = f->part_ends;

	f->part_ends = false;
	return ends ? FORM_PART_END : FORM_NEED;
}

/* White space, then CRLF before a part or "--" at the end. */
static int form_in_line(struct form *f, struct buf *why)
{
	char c = *f->at++;

	if (!f->line_len && (c == ' ' || c == '\t')) {
		if (++f->rest <= FORM_BOUNDARY_MAX)
			return 0;
		return form_broken(f, why, "a boundary's line is too long");
	}
	f->line[f->line_len++] = c;
	if (f->line_len == 1 && (c == '\r' || (c == '-' && !f->rest)))
		return 0;
	if (f->line_len == 2 && !memcmp(f->line, "\r\n", 2)) {
		form_enter(f, HEAD);
		return form_part_end(f);
	}
	if (f->line_len == 2 && !memcmp(f->line, "--", 2)) {
		form_enter(f, EPILOGUE);
		f->end_due = f->part_ends;
		return f->end_due ? form_part_end(f) : FORM_END;
	}
	return form_broken(f, why, "something follows a boundary on its line");
}

/* The headers are over with an empty line. */
static bool form_head_over(const struct buf *head)
{
	size_t n = head->len;

	return n >= 2 && !memcmp(head->data + n - 2, "\r\n", 2) &&
	       (n == 2 || (n >= 4 && head->data[n - 3] == '\n'));
}

static int form_begin_part(struct form *f, struct form_item *out,
			   struct buf *why)
{
	struct form_head *h = &f->parsed;
	int rc;

	if (f->parts++ == FORM_PARTS_MAX)
		return form_broken(f, why, "too many parts");
	form_head_clear(h);
	rc = form_head_parse(f->head.data, f->head.len - 2, h, why);
	form_enter(f, rc ? BROKEN : DATA);
	if (rc)
		return rc;
	*out = (struct form_item){
		.name = buf_str(&h->name),
		.filename = h->has_filename ? buf_str(&h->filename) : NULL,
		.type = h->type.len ? buf_str(&h->type) : NULL,
	};
	return FORM_PART;
}

static int form_in_head(struct form *f, struct form_item *out, struct buf *why)
{
	while (f->at < f->end) {
		char c = *f->at++;

		buf_addc(&f->head, c);
		if (buf_err(&f->head) == -ENOMEM)
			return -ENOMEM;
		if (buf_err(&f->head))
			return form_broken(f, why,
					   "a part's headers are too long");
		if (c == '\n' && form_head_over(&f->head))
			return form_begin_part(f, out, why);
	}
	return FORM_NEED;
}

static int form_in_epilogue(struct form *f, struct buf *why)
{
	f->rest += f->end - f->at;
	f->at = f->end;
	if (f->rest > FORM_REST_MAX)
		return form_broken(f, why, "too much follows its end");
	return FORM_NEED;
}

int form_next(struct form *f, struct form_item *out, struct buf *why)
{
	int rc = 0;

	*out = (struct form_item){ 0 };
	if (f->state == BROKEN)
		return form_broken(f, why, "as was said before");
	if (f->end_due) {
		f->end_due = false;
		return FORM_END;
	}
	/* FORM_NEED is 0: what a state says that has only moved on. */
	while (f->at < f->end && !rc) {
		switch (f->state) {
		case PREAMBLE:
			rc = form_in_preamble(f, why);
			break;
		case LINE:
			rc = form_in_line(f, why);
			break;
		case HEAD:
			rc = form_in_head(f, out, why);
			break;
		case DATA:
			rc = form_in_data(f, out);
			break;
		default:
			rc = form_in_epilogue(f, why);
		}
	}
	/* A delimiter that has ended with the bytes that were fed. */
	if (!rc && f->state == DATA && f->held == f->delimiter_len)
		form_end_data(f);
	return rc;
}

int form_finish(struct form *f, struct buf *why)
{
	if (f->state == EPILOGUE)
		return 0;
	return form_broken(f, why, "it ends before its last boundary");
}
