/*
 * Content-Disposition (RFC 6266): the name under which a browser saves what a
 * URL gives. A header has ASCII only, so a name beyond that comes twice: once
 * with `_` for what cannot be, for old readers, and once as RFC 8187 writes
 * UTF-8. Names with a quote, a backslash or a percent sign come so as well,
 * for readers disagree about those inside quotes.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "presign/presign_impl.h"

#define FILENAME "filename="

static const char *last_name(const char *key, size_t *n)
{
	size_t end = strlen(key), start;

	while (end && key[end - 1] == '/')
		end--;
	for (start = end; start && key[start - 1] != '/'; start--)
		;
	*n = end - start;
	return key + start;
}

static bool plain(char c)
{
	return c >= ' ' && c < 0x7f && !strchr("\"\\%", c);
}

/* A character of UTF-8 has one `_`. */
static void add_filename(const char *name, struct buf *out)
{
	bool exact = true;

	buf_adds(out, "; " FILENAME "\"");
	for (const char *p = name; *p; p++) {
		exact = exact && plain(*p);
		if (plain(*p))
			buf_addc(out, *p);
		else if (((unsigned char)*p & 0xc0) != 0x80)
			buf_addc(out, '_');
	}
	buf_addc(out, '"');
	if (exact || !text_is_utf8(name))
		return;
	buf_adds(out, "; filename*=UTF-8''");
	text_percent_encode(out, name, strlen(name), false);
}

static int refuse(const char *text, struct buf *err)
{
	buf_adds(err, "content-disposition = ");
	text_printable(err, text);
	buf_adds(err, ": `attachment` or `inline`, or one of them and "
		      "`; filename=\"NAME\"`");
	return -EINVAL;
}

/* `TYPE; filename="NAME"` with a NAME beyond ASCII: the bytes of NAME. */
static bool find_name(const char *text, const char **name, size_t *n)
{
	const char *semicolon = strchr(text, ';'), *p = semicolon;
	size_t len;

	if (!p)
		return false;
	p += 1 + strspn(p + 1, " ");
	if (strncasecmp(p, FILENAME, strlen(FILENAME)))
		return false;
	p += strlen(FILENAME);
	len = strlen(p);
	if (len > 1 && p[0] == '"' && p[len - 1] == '"') {
		p++;
		len -= 2;
	}
	*name = p;
	*n = len;
	return len && !memchr(p, '"', len) && !memchr(p, ';', len);
}

int presign_disposition(const char *text, const char *key, struct buf *out,
			struct buf *err)
{
	struct buf name = BUF_INIT(BUF_LINE);
	const char *at = NULL;
	size_t n = 0;

	if (text_has_control(text))
		return refuse(text, err);
	if (!strcasecmp(text, "attachment"))
		at = last_name(key, &n);
	else if (!text_is_ascii(text) &&
		 (!text_is_utf8(text) || !find_name(text, &at, &n)))
		return refuse(text, err);
	if (at && n) {
		buf_add(out, text, strcspn(text, "; "));
		buf_add(&name, at, n);
		add_filename(buf_str(&name), out);
	} else {
		buf_adds(out, text);
	}
	buf_clear(&name);
	return buf_err(out);
}
