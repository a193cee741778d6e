/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part's headers as browsers, curl and libraries write them. Of names in
 * quotes there are two schools: RFC 2616 puts a backslash before `"` and `\`,
 * the HTML standard writes `"` as %22 and leaves a backslash alone. Both are
 * read: `\"` and `%22` are a quote, `\\` is a backslash, and any other
 * backslash is one.
 */
#include "gateway/upload/form_head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "gateway/upload/form.h"

void form_head_init(struct form_head *h)
{
	buf_init(&h->name, FORM_HEAD_MAX);
	buf_init(&h->filename, FORM_HEAD_MAX);
	buf_init(&h->type, FORM_HEAD_MAX);
	h->has_filename = false;
}

void form_head_clear(struct form_head *h)
{
	buf_clear(&h->name);
	buf_clear(&h->filename);
	buf_clear(&h->type);
	h->has_filename = false;
}

static int form_head_refuse(struct buf *why, const char *reason)
{
	buf_adds(why, "the form is broken: ");
	return buf_fail(why, -EINVAL, "%s", reason);
}

/* ---- parameters ---- */

/* Behind the first quote; text moves behind the last one. */
static int form_head_take_quoted(const char **text, struct buf *out)
{
	const char *s = *text;

	for (; *s && *s != '"'; s++) {
		if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
		buf_addc(out, *s);
	}
	if (*s != '"')
		return -EINVAL;
	*text = s + 1;
	return 0;
}

int form_head_param(const char **text, struct buf *name, struct buf *value)
{
	const char *s = *text;
	size_t n;

	buf_reset(name);
	buf_reset(value);
	s += strspn(s, " \t");
	if (!*s)
		return 0;
	if (*s != ';')
		return -EINVAL;
	s += 1 + strspn(s + 1, " \t");
	*text = s;
	if (!*s)
		return 0;
	n = text_token_len(s);
	if (!n || s[n] != '=')
		return -EINVAL;
	buf_add(name, s, n);
	s += n + 1;
	if (*s == '"') {
		s++;
		if (form_head_take_quoted(&s, value))
			return -EINVAL;
	} else {
		n = strcspn(s, "; \t\"");
		buf_add(value, s, n);
		s += n;
	}
	*text = s;
	return buf_err(name) || buf_err(value) ? -EINVAL : 1;
}

/* ---- names ---- */

static void form_head_add_html(struct buf *out, const char *s)
{
	const char *quote;

	while ((quote = strstr(s, "%22"))) {
		buf_add(out, s, quote - s);
		buf_addc(out, '"');
		s = quote + 3;
	}
	buf_adds(out, s);
}

/* RFC 8187: UTF-8'language'percent-encoded. */
static int form_head_take_extended(const char *s, struct buf *out,
				   struct buf *why)
{
	const char *language = strchr(s, '\'');
	const char *text = language ? strchr(language + 1, '\'') : NULL;

	if (!text || strncasecmp(s, "UTF-8'", 6))
		return form_head_refuse(why, "filename* is not UTF-8''...");
	text++;
	buf_reset(out);
	if (text_percent_decode(out, text, strlen(text)))
		return form_head_refuse(why, "filename* has a bad escape");
	return 0;
}

/* Of a Content-Disposition. */
struct disposition {
	bool name, filename, extended;
};

static int form_head_take_param(struct disposition *seen, const char *key,
				const char *value, struct form_head *out,
				struct buf *why)
{
	bool *flag = !strcasecmp(key, "name")        ? &seen->name
		     : !strcasecmp(key, "filename")  ? &seen->filename
		     : !strcasecmp(key, "filename*") ? &seen->extended
						     : NULL;

	if (!flag)
		return 0;
	if (*flag)
		return form_head_refuse(why, "a name is given twice");
	*flag = true;
	if (flag == &seen->name)
		form_head_add_html(&out->name, value);
	else if (flag == &seen->extended)
		return form_head_take_extended(value, &out->filename, why);
	else if (!seen->extended)
		form_head_add_html(&out->filename, value);
	return 0;
}

static int form_head_take_disposition(const char *value, struct form_head *out,
				      struct buf *why)
{
	BUF_LOCAL key = BUF_INIT(256), text = BUF_INIT(FORM_HEAD_MAX);
	struct disposition seen = { 0 };
	size_t n = text_token_len(value);
	int rc = 0, more;

	if (n != 9 || strncasecmp(value, "form-data", 9))
		return form_head_refuse(why, "a part is not form-data");
	value += n;
	while ((more = form_head_param(&value, &key, &text)) > 0 && !rc)
		rc = form_head_take_param(&seen, buf_str(&key), buf_str(&text),
					  out, why);
	if (!rc && more < 0)
		rc = form_head_refuse(why,
				      "a Content-Disposition cannot be read");
	out->has_filename = seen.filename || seen.extended;
	if (!rc && (out->filename.len > FORM_NAME_MAX ||
		    out->name.len > FORM_NAME_MAX))
		rc = form_head_refuse(why, "a name is too long");
	return rc;
}

/* ---- lines ---- */

static int form_head_take_encoding(const char *value, struct buf *why)
{
	if (!strcasecmp(value, "binary") || !strcasecmp(value, "8bit") ||
	    !strcasecmp(value, "7bit"))
		return 0;
	return form_head_refuse(why, "a part has a Content-Transfer-Encoding");
}

static int form_head_take_line(char *line, bool *disposed,
			       struct form_head *out, struct buf *why)
{
	size_t n = text_token_len(line);
	char *value;

	if (!n || line[n] != ':')
		return form_head_refuse(why, "a part's header cannot be read");
	line[n] = '\0';
	value = line + n + 1;
	value += strspn(value, " \t");
	for (n = strlen(value); n && strchr(" \t", value[n - 1]); n--)
		value[n - 1] = '\0';
	if (!strcasecmp(line, "content-disposition")) {
		if (*disposed)
			return form_head_refuse(why,
						"two Content-Dispositions");
		*disposed = true;
		return form_head_take_disposition(value, out, why);
	}
	if (!strcasecmp(line, "content-type")) {
		buf_reset(&out->type);
		buf_adds(&out->type, value);
	} else if (!strcasecmp(line, "content-transfer-encoding")) {
		return form_head_take_encoding(value, why);
	}
	return 0;
}

int form_head_parse(const char *lines, size_t n, struct form_head *out,
		    struct buf *why)
{
	BUF_LOCAL copy = BUF_INIT(FORM_HEAD_MAX);
	bool disposed = false;
	char *line, *end;
	int rc = 0;

	if (memchr(lines, '\0', n))
		return form_head_refuse(why, "a control character");
	buf_add(&copy, lines, n);
	if (buf_err(&copy))
		return -ENOMEM;
	for (line = copy.data; line && *line && !rc; line = end + 2) {
		end = strstr(line, "\r\n");
		if (!end) {
			rc = form_head_refuse(why,
					      "a part's header cannot be read");
			break;
		}
		*end = '\0';
		rc = text_is_field_value(line, (size_t)(end - line))
			     ? form_head_take_line(line, &disposed, out, why)
			     : form_head_refuse(why, "a control character");
	}
	if (!rc && !disposed)
		rc = form_head_refuse(why,
				      "a part without Content-Disposition");
	if (!rc && (buf_err(&out->name) || buf_err(&out->filename) ||
		    buf_err(&out->type)))
		rc = -ENOMEM;
	return rc;
}
