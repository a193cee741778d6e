/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a row is written down: JSON, and a line for a shell.
 *
 * The curl line is for people to paste into a shell: each word is quoted, and
 * what curl itself would read into a word (globs, `-` as a file, dot segments,
 * a name added to a URL that ends in '/') is switched off.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "presign/presign.h"

void presign_row_end(const struct store_presigned *p, struct buf *out)
{
	char time[TIME_RFC3339_SIZE];

	buf_adds(out, ",\"expires_at\":");
	if (p->expires_at) {
		clock_rfc3339(p->expires_at, time);
		text_json_string(out, time);
	} else {
		buf_adds(out, "null");
	}
	buf_adds(out, ",\"warnings\":[");
	if (p->warning)
		text_json_string(out, p->warning);
	buf_adds(out, "]}");
}

void presign_row_json(const struct store_presigned *p, struct buf *out)
{
	buf_adds(out, "{\"method\":");
	text_json_string(out, p->method);
	buf_adds(out, ",\"headers\":");
	buf_adds(out, p->headers && *p->headers ? p->headers : "{}");
	buf_adds(out, ",\"url\":");
	text_json_string(out, p->url);
	presign_row_end(p, out);
}

/* The path of a URL, without the query. */
static void row_path(const char *url, const char **path, size_t *n)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 : url;
	p += strcspn(p, "/?");
	*path = p;
	*n = strcspn(p, "?");
}

static bool row_has_dot_segment(const char *path, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t end = i + 1;

		if (path[i] != '/')
			continue;
		while (end < n && path[end] == '.')
			end++;
		if (end > i + 1 && end <= i + 3 &&
		    (end == n || path[end] == '/'))
			return true;
	}
	return false;
}

/*
 * The file beside the user: the last name of the path, decoded. One that curl
 * would read as an option or as standard input gets a `./` before it.
 */
static void row_file(const char *path, size_t n, struct buf *out)
{
	size_t start;

	while (n && path[n - 1] == '/')
		n--;
	for (start = n; start && path[start - 1] != '/'; start--)
		;
	if (text_percent_decode(out, path + start, n - start) || !out->len) {
		buf_reset(out);
		buf_adds(out, "object");
	}
	if (out->data && (out->data[0] == '-' || !strcmp(out->data, "."))) {
		struct buf word = BUF_INIT(STORE_KEY_MAX + 2);

		buf_adds(&word, "./");
		buf_add(&word, out->data, out->len);
		buf_clear(out);
		*out = word;
	}
}

static void row_add_headers(const char *lines, struct buf *out)
{
	BUF_LOCAL word = BUF_INIT(BUF_LINE);

	for (const char *p = lines ? lines : ""; *p;) {
		size_t n = strcspn(p, "\n");

		buf_reset(&word);
		buf_add(&word, p, n);
		/* curl counts the bytes itself. */
		if (!text_starts_with(buf_str(&word), "content-length:")) {
			buf_adds(out, " -H ");
			text_shell_quote(out, buf_str(&word));
		}
		p += n + (p[n] == '\n');
	}
}

static void row_add_transfer(const struct store_presigned *p, const char *path,
			     size_t n, enum presign_action action,
			     struct buf *out)
{
	BUF_LOCAL name = BUF_INIT(STORE_KEY_MAX + 2);

	row_file(path, n, &name);
	if (action == PRESIGN_DOWNLOAD) {
		buf_adds(out, " -f -o ");
		text_shell_quote(out, buf_str(&name));
	} else if (action == PRESIGN_HEAD) {
		buf_adds(out, " -f -I");
	} else if (action != PRESIGN_UPLOAD && action != PRESIGN_PART) {
		buf_addf(out, " -f -X %s", store_presign_method(action));
	} else if (n && path[n - 1] == '/') {
		/* A directory's marker: -T would add a name to the URL. */
		buf_adds(out, " -f -X PUT -d '' -H Content-Type:");
	} else {
		if (name.data && strpbrk(name.data, "[]{}\\,"))
			buf_adds(out, " -g");
		buf_adds(out, " -f -X PUT -T ");
		text_shell_quote(out, buf_str(&name));
	}
	row_add_headers(p->header_lines, out);
}

void presign_row_curl(const struct store_presigned *p,
		      enum presign_action action, struct buf *out)
{
	const char *path;
	size_t n;

	row_path(p->url, &path, &n);
	buf_adds(out, "curl");
	if (row_has_dot_segment(path, n))
		buf_adds(out, " --path-as-is");
	row_add_transfer(p, path, n, action, out);
	buf_addc(out, ' ');
	text_shell_quote(out, p->url);
}

void presign_row_cut(const char *url, struct buf *out)
{
	static const char *const secret[] = {
		"X-Amz-Signature=",
		"X-Amz-Security-Token=",
	};

	for (const char *p = url; *p;) {
		size_t n = strcspn(p, "?&");
		size_t keep = n + (p[n] != '\0'), value = n;

		for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
			if (!strncmp(p, secret[i], strlen(secret[i])))
				value = strlen(secret[i]);
		buf_add(out, p, value);
		if (value < n)
			buf_adds(out, "...");
		buf_add(out, p + n, keep - n);
		p += keep;
	}
}
