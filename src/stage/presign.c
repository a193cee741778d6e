/*
 * What the signer of a store does not know: the bounds of EXPIRE, read-only
 * stages, and how the answer is written down. Everything that reaches a
 * header or a command line is checked or quoted here.
 *
 * The curl line is for people to paste into a shell: each word is quoted, and
 * what curl itself would read into a word (globs, `-` as a file, dot segments,
 * a name added to a URL that ends in '/') is switched off.
 */
#include "stage/presign.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

static int refuse_expire(struct buf *err, const char *text, int64_t max)
{
	buf_adds(err, "expire = ");
	text_printable(err, text);
	buf_addf(err, ": a whole number of seconds from %d to %lld",
		 PRESIGN_EXPIRE_MIN, (long long)max);
	return -EINVAL;
}

int presign_parse_expire(const char *text, int64_t max, int64_t *out,
			 struct buf *err)
{
	uint64_t n;

	if (max <= 0 || max > PRESIGN_EXPIRE_MAX)
		max = PRESIGN_EXPIRE_MAX;
	if (parse_u64(text, max, &n) || n < PRESIGN_EXPIRE_MIN)
		return refuse_expire(err, text, max);
	*out = n;
	return 0;
}

int presign_parse_action(const char *text, enum presign_action *out)
{
	if (!strcasecmp(text, "download"))
		*out = PRESIGN_DOWNLOAD;
	else if (!strcasecmp(text, "upload"))
		*out = PRESIGN_UPLOAD;
	else
		return -EINVAL;
	return 0;
}

static int check_expire(const struct presign_request *req, struct buf *err)
{
	int64_t max = req->expire_max;

	if (max <= 0 || max > PRESIGN_EXPIRE_MAX)
		max = PRESIGN_EXPIRE_MAX;
	if (req->expire >= PRESIGN_EXPIRE_MIN && req->expire <= max)
		return 0;
	buf_addf(err,
		 "expire = %lld: a whole number of seconds from %d to %lld",
		 (long long)req->expire, PRESIGN_EXPIRE_MIN, (long long)max);
	return -EINVAL;
}

static int check_request(const struct stage *s, const char *path,
			 const struct presign_request *req, struct buf *err)
{
	size_t len = strlen(s->prefix) + strlen(path);

	if (req->action == PRESIGN_UPLOAD && s->ro) {
		buf_addf(err, "stage %s is read-only: no URL for uploads",
			 s->name);
		return -EROFS;
	}
	if (req->content_type && text_has_control(req->content_type)) {
		buf_adds(err, "a control byte in the content type");
		return -EINVAL;
	}
	if (!len) {
		buf_adds(err, "no file is named");
		return -EINVAL;
	}
	if (len > STORE_KEY_MAX) {
		buf_addf(err,
			 "the name is %zu bytes long, a key has at most %d",
			 len, STORE_KEY_MAX);
		return -ENAMETOOLONG;
	}
	return check_expire(req, err);
}

int presign(struct stage *s, const char *path,
	    const struct presign_request *req, struct store_presigned *out,
	    struct buf *err)
{
	struct store_presign want = {
		.action = req->action,
		.expire = req->expire,
	};
	struct buf key = BUF_INIT(STORE_KEY_MAX);
	int rc;

	*out = (struct store_presigned){ 0 };
	rc = check_request(s, path, req, err);
	if (rc)
		return rc;
	if (req->action == PRESIGN_UPLOAD)
		want.content_type = req->content_type;
	buf_adds(&key, s->prefix);
	buf_adds(&key, path);
	rc = buf_err(&key);
	if (!rc) {
		want.key = buf_str(&key);
		rc = store_presign(s->store, &want, out, err);
	}
	buf_clear(&key);
	return rc;
}

void presign_json(const struct store_presigned *p, struct buf *out)
{
	char time[TIME_RFC3339_SIZE];

	buf_adds(out, "{\"method\":");
	text_json_string(out, p->method);
	buf_adds(out, ",\"headers\":");
	buf_adds(out, p->headers && *p->headers ? p->headers : "{}");
	buf_adds(out, ",\"url\":");
	text_json_string(out, p->url);
	buf_adds(out, ",\"expires_at\":");
	if (p->expires_at) {
		time_rfc3339(p->expires_at, time);
		text_json_string(out, time);
	} else {
		buf_adds(out, "null");
	}
	buf_adds(out, ",\"warnings\":[");
	if (p->warning)
		text_json_string(out, p->warning);
	buf_adds(out, "]}");
}

/* The path of a URL, without the query. */
static void url_path(const char *url, const char **path, size_t *n)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 : url;
	p += strcspn(p, "/?");
	*path = p;
	*n = strcspn(p, "?");
}

static bool has_dot_segment(const char *path, size_t n)
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
static void local_name(const char *path, size_t n, struct buf *out)
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

static void add_headers(const char *lines, struct buf *out)
{
	struct buf word = BUF_INIT(BUF_LINE);

	for (const char *p = lines ? lines : ""; *p;) {
		size_t n = strcspn(p, "\n");

		buf_reset(&word);
		buf_add(&word, p, n);
		buf_adds(out, " -H ");
		text_shell_quote(out, buf_str(&word));
		p += n + (p[n] == '\n');
	}
	buf_clear(&word);
}

static void add_transfer(const struct store_presigned *p, const char *path,
			 size_t n, enum presign_action action, struct buf *out)
{
	struct buf name = BUF_INIT(STORE_KEY_MAX + 2);

	local_name(path, n, &name);
	if (action == PRESIGN_DOWNLOAD) {
		buf_adds(out, " -f -o ");
		text_shell_quote(out, buf_str(&name));
	} else if (n && path[n - 1] == '/') {
		/* A directory's marker: -T would add a name to the URL. */
		buf_adds(out, " -f -X PUT -d '' -H Content-Type:");
	} else {
		if (name.data && strpbrk(name.data, "[]{}\\,"))
			buf_adds(out, " -g");
		buf_adds(out, " -f -X PUT -T ");
		text_shell_quote(out, buf_str(&name));
	}
	add_headers(p->header_lines, out);
	buf_clear(&name);
}

void presign_curl(const struct store_presigned *p, enum presign_action action,
		  struct buf *out)
{
	const char *path;
	size_t n;

	url_path(p->url, &path, &n);
	buf_adds(out, "curl");
	if (has_dot_segment(path, n))
		buf_adds(out, " --path-as-is");
	add_transfer(p, path, n, action, out);
	buf_addc(out, ' ');
	text_shell_quote(out, p->url);
}
