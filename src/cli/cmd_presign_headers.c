/*
 * --meta KEY=VALUE and --send `NAME: VALUE` become headers. What a header may
 * be is checked where URLs are signed.
 */
#include "base/buf.h"
#include "base/text.h"
#include "cli/cmd_presign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define META "x-amz-meta-"

static int refuse(struct buf *err, const char *option, const char *form)
{
	buf_addf(err, "%s takes %s", option, form);
	return -EINVAL;
}

static int add(struct presign_headers *h, const char *prefix, const char *name,
	       size_t name_len, const char *value, size_t value_len,
	       struct buf *err)
{
	struct buf lower = BUF_INIT(BUF_LINE);
	char *copy;

	if (h->n == PRESIGN_FIELDS_MAX) {
		buf_addf(err, "more than %d headers", PRESIGN_FIELDS_MAX);
		return -EINVAL;
	}
	buf_adds(&lower, prefix);
	for (size_t i = 0; i < name_len; i++)
		buf_addc(&lower, text_lower(name[i]));
	copy = strndup(value, value_len);
	h->list[h->n].name = buf_detach(&lower);
	h->list[h->n].value = copy;
	if (!h->list[h->n++].name || !copy) {
		buf_adds(err, "no memory");
		return -ENOMEM;
	}
	return 0;
}

static int add_meta(struct presign_headers *h, const char *line, size_t n,
		    struct buf *err)
{
	const char *equals = memchr(line, '=', n);

	if (!equals || equals == line)
		return refuse(err, "--meta", "KEY=VALUE");
	return add(h, META, line, equals - line, equals + 1,
		   line + n - equals - 1, err);
}

static int add_header(struct presign_headers *h, const char *line, size_t n,
		      struct buf *err)
{
	const char *colon = memchr(line, ':', n), *value;

	if (!colon || colon == line)
		return refuse(err, "--send", "`NAME: VALUE`");
	for (value = colon + 1; value < line + n && *value == ' '; value++)
		;
	return add(h, "", line, colon - line, value, line + n - value, err);
}

static int add_lines(struct presign_headers *h, const char *lines,
		     int (*each)(struct presign_headers *h, const char *line,
				 size_t n, struct buf *err),
		     struct buf *err)
{
	int rc = 0;

	for (const char *p = lines; p && *p && !rc;) {
		size_t n = strcspn(p, "\n");

		rc = each(h, p, n, err);
		p += n + (p[n] == '\n');
	}
	return rc;
}

int cmd_presign_headers_read(const struct presign_options *o,
			     struct presign_headers *out, struct buf *err)
{
	int rc = add_lines(out, o->meta, add_meta, err);

	return rc ? rc : add_lines(out, o->headers, add_header, err);
}

void cmd_presign_headers_clear(struct presign_headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free((char *)h->list[i].name);
		free((char *)h->list[i].value);
	}
	h->n = 0;
}
