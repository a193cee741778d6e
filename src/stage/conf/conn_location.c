/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a stage URL leads.
 */
#include "stage/conf/conn.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/local/local.h"

/* Bytes. With stage/internal/ and a name of 255 it stays within a key. */
#define PREFIX_MAX 700

static int conn_location_refuse(const char *url, const char *reason,
				struct buf *why)
{
	buf_adds(why, "url = ");
	text_masked_url(why, url);
	return buf_fail(why, -EINVAL, ": %s", reason);
}

/* The path behind the host, decoded: what is wrong with it, or NULL. */
static const char *location_decode(const char *path, struct buf *out)
{
	if (strpbrk(path, "?#"))
		return strstr(path, " #")
			       ? "a comment begins with ` ;` (a `#` in the "
				 "path is written %23)"
			       : "a `?` or `#` in the path is written %3F or "
				 "%23";
	if (text_percent_decode(out, path, strlen(path)))
		return "a % that is no escape; % itself is written %25";
	return NULL;
}

/* ---- bucket and prefix ---- */

static const char *location_bucket_fault(const char *s, size_t n)
{
	if (!n)
		return "the bucket is missing: s3://BUCKET/PATH/";
	if (n >= 4 && !memcmp(s, "arn:", 4))
		return "an access point is written by its alias: "
		       "s3://NAME-...-s3alias/ (`aws s3control "
		       "get-access-point` shows it as Alias)";
	if (n > 255)
		return "the bucket's name is too long";
	for (size_t i = 0; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789.-_"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			    s[i]))
			return "a bucket's name has letters, digits, `.`, `-` "
			       "and `_`";
	return NULL;
}

/* Empty segments are dropped, as Databend does; `.` and `..` are refused. */
static const char *location_add_prefix(struct buf *out, const char *path)
{
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.')))
			return "`.` and `..` are not names in a bucket";
		if (n) {
			buf_add(out, p, n);
			buf_addc(out, '/');
		}
		p += n + (p[n] == '/');
	}
	return buf_err(out) == -EMSGSIZE ? "the path is too long" : NULL;
}

static const char *location_prefix(const char *path, struct buf *out)
{
	BUF_LOCAL raw = BUF_INIT(2048);
	const char *fault;

	fault = location_decode(path, &raw);
	if (fault)
		;
	else if (raw.len && raw.data[raw.len - 1] != '/')
		fault = "the path must end in '/'";
	else
		fault = location_add_prefix(out, buf_str(&raw));
	return fault;
}

static int location_of_bucket(const char *url, struct conn_location *out,
			      struct buf *why)
{
	BUF_LOCAL prefix = BUF_INIT(PREFIX_MAX);
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, "/");
	const char *fault = location_bucket_fault(host, n);

	if (!fault)
		fault = location_prefix(host + n, &prefix);
	if (!fault) {
		out->bucket = strndup(host, n);
		out->prefix = prefix.len ? buf_detach(&prefix) : strdup("");
	}
	if (fault)
		return conn_location_refuse(url, fault, why);
	return out->bucket && out->prefix ? 0 : -ENOMEM;
}

/* ---- a directory ---- */

static const char *location_segment_fault(const char *s, size_t n)
{
	if (n > NAME_MAX)
		return "a name in the path is longer than 255 bytes";
	if (s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.')))
		return "`.` and `..` are not names of directories here: write "
		       "the whole path";
	if (local_path_is_folder(s, n))
		return "`" LOCAL_FOLDER "` is a store's own folder";
	return NULL;
}

/* Empty segments are dropped. */
static const char *location_add_segments(const char *path, struct buf *out)
{
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		const char *fault = n ? location_segment_fault(p, n) : NULL;

		if (fault)
			return fault;
		if (n) {
			buf_addc(out, '/');
			buf_add(out, p, n);
		}
		p += n + (p[n] == '/');
	}
	if (!out->len)
		return "a directory of its own, not the whole file system: "
		       "fs:///DIRECTORY/";
	return NULL;
}

static const char *location_root(const char *path, struct buf *out)
{
	BUF_LOCAL raw = BUF_INIT(PATH_MAX);
	const char *fault;

	if (*path != '/')
		fault = "three slashes, and no host: fs:///DIRECTORY/";
	else
		fault = location_decode(path, &raw);
	if (fault)
		;
	else if (text_has_control(buf_str(&raw)))
		fault = "a control byte in the path";
	else if (!raw.len || raw.data[raw.len - 1] != '/')
		fault = "the path must end in '/'";
	else
		fault = location_add_segments(buf_str(&raw), out);
	return fault;
}

static int location_of_directory(const char *url, struct conn_location *out,
				 struct buf *why)
{
	BUF_LOCAL root = BUF_INIT(PATH_MAX - 1);
	const char *fault = location_root(strstr(url, "://") + 3, &root);

	if (!fault && buf_err(&root) == -EMSGSIZE)
		fault = "the path is too long";
	if (!fault) {
		out->root = buf_detach(&root);
		out->prefix = strdup("");
	}
	if (fault)
		return conn_location_refuse(url, fault, why);
	return out->root && out->prefix ? 0 : -ENOMEM;
}

/* ---- either ---- */

/* Schemes of stores that Databend has and this version does not. */
static const char *const location_later[] = { "azblob:", "azure:", "gcs:",
					      "gs:" };

/* What is wrong with a URL of neither scheme. */
static const char *location_scheme_fault(const char *url)
{
	if (*url == '/')
		return "a local directory is written fs:///DIRECTORY/";
	if (!strncasecmp(url, "file:", 5))
		return "a local directory is fs:///DIRECTORY/, not file:";
	if (!strncasecmp(url, "fs:", 3))
		return "three slashes: fs:///DIRECTORY/";
	if (!strncasecmp(url, "http:", 5) || !strncasecmp(url, "https:", 6))
		return "the bucket is written s3://BUCKET/PATH/, and its "
		       "server is the key endpoint_url";
	if (!strstr(url, "://"))
		return "a stage's url is s3://BUCKET/PATH/ or fs:///DIRECTORY/";
	for (size_t i = 0; i < sizeof(location_later) / sizeof(*location_later);
	     i++)
		if (!strncasecmp(url, location_later[i],
				 strlen(location_later[i])))
			return "Azure and Google are not supported yet: this "
			       "version knows s3:// and fs://";
	return "this version knows s3:// and fs:// and no other scheme";
}

int conn_location(const struct conn *c, struct conn_location *out,
		  struct buf *why)
{
	const char *url = text_given(c->url);
	int rc;

	*out = (struct conn_location){ 0 };
	if (!url)
		return buf_fail(why, -EINVAL, "no url is given");
	if (conn_has_scheme(c, "s3"))
		rc = location_of_bucket(url, out, why);
	else if (conn_is_local(c))
		rc = location_of_directory(url, out, why);
	else
		rc = conn_location_refuse(url, location_scheme_fault(url), why);
	if (rc)
		conn_location_clear(out);
	return rc;
}

void conn_location_clear(struct conn_location *p)
{
	free(p->bucket);
	free(p->root);
	free(p->prefix);
	*p = (struct conn_location){ 0 };
}

void conn_location_show(const struct conn_location *p, const char *below,
			struct buf *out)
{
	buf_adds(out, p->root ? "fs://" : "s3://");
	text_printable(out, p->root ? p->root : p->bucket);
	buf_addc(out, '/');
	text_printable(out, p->prefix);
	text_printable(out, below);
}
