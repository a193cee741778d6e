/*
 * Where a connection leads. Endpoint, region, bucket and prefix are computed
 * from the plain values each time they are asked for, so there is no second
 * copy that could disagree.
 */
#include "stage/conf/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/url.h"
#include "stage/conf/conn_local.h"
#include "store/s3/s3_endpoint.h"

/* Bytes. With stage/internal/ and a name of 255 it stays within a key. */
#define PREFIX_MAX 700
#define AMAZON_HOST "s3.amazonaws.com"

/* ---- bucket and prefix ---- */

static const char *bucket_fault(const char *s, size_t n)
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
static const char *add_prefix(struct buf *out, const char *path)
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

static const char *decode_prefix(const char *path, struct buf *out)
{
	struct buf raw = BUF_INIT(2048);
	const char *fault;

	if (strpbrk(path, "?#"))
		fault = "a `?` or `#` in the path is written %3F or %23";
	else if (text_percent_decode(&raw, path, strlen(path)))
		fault = "a % that is no escape; % itself is written %25";
	else if (raw.len && raw.data[raw.len - 1] != '/')
		fault = "the path must end in '/'";
	else
		fault = add_prefix(out, buf_str(&raw));
	buf_clear(&raw);
	return fault;
}

static int find_bucket(const char *url, struct conn_location *out,
		       struct buf *err)
{
	struct buf prefix = BUF_INIT(PREFIX_MAX);
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, "/");
	const char *fault = bucket_fault(host, n);

	if (!fault)
		fault = decode_prefix(host + n, &prefix);
	if (!fault) {
		out->bucket = strndup(host, n);
		out->prefix = prefix.len ? buf_detach(&prefix) : strdup("");
	}
	buf_clear(&prefix);
	if (fault)
		return conn_refuse_url(url, fault, err);
	return out->bucket && out->prefix ? 0 : -ENOMEM;
}

static bool has_scheme(const char *url, const char *scheme)
{
	size_t n = strlen(scheme);

	return !strncasecmp(url, scheme, n) && !strncmp(url + n, "://", 3);
}

bool conn_is_local(const struct conn *c)
{
	return c->url && has_scheme(c->url, "fs");
}

/* What is wrong with a URL of neither scheme. */
static const char *scheme_fault(const char *url)
{
	if (*url == '/')
		return "a local directory is written fs:///DIRECTORY/";
	if (!strncasecmp(url, "file:", 5))
		return "a local directory is fs:///DIRECTORY/, not file:";
	if (!strncasecmp(url, "fs:", 3))
		return "three slashes: fs:///DIRECTORY/";
	if (!strstr(url, "://"))
		return "a stage's url is s3://BUCKET/PATH/ or fs:///DIRECTORY/";
	return "this version knows s3:// and fs:// and no other scheme";
}

int conn_location(const struct conn *c, struct conn_location *out,
		  struct buf *err)
{
	const char *url = text_given(c->url);
	int rc;

	*out = (struct conn_location){ 0 };
	if (!url) {
		buf_adds(err, "no url is given");
		return -EINVAL;
	}
	if (has_scheme(url, "s3"))
		rc = find_bucket(url, out, err);
	else if (has_scheme(url, "fs"))
		rc = conn_local_place(url, out, err);
	else
		rc = conn_refuse_url(url, scheme_fault(url), err);
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

/* ---- endpoint and region ---- */

/* The value without a scheme in it; false when it is no URL. */
static bool parse_endpoint(const struct conn *c, struct url *out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	const char *text = text_given(c->endpoint_url);
	int rc = url_parse(text ? text : AMAZON_HOST, "https", out, &why);

	buf_clear(&why);
	return !rc;
}

/* Some servers have S3 below a path. */
static void add_path(const struct url *url, struct buf *out)
{
	size_t n = strlen(url->path);

	while (n && url->path[n - 1] == '/')
		n--;
	buf_add(out, url->path, n);
}

void conn_endpoint(const struct conn *c, struct buf *out)
{
	const char *region = text_given(c->region);
	struct url url;

	if (conn_is_local(c))
		return;
	if (parse_endpoint(c, &url)) {
		if (region && !strcmp(url.host, AMAZON_HOST))
			buf_addf(out, "%s://s3.%s.amazonaws.com%s", url.scheme,
				 region,
				 text_starts_with(region, "cn-") ? ".cn" : "");
		else
			url_origin(&url, out);
		add_path(&url, out);
	}
	url_clear(&url);
}

void conn_endpoint_public(const struct conn *c, struct buf *out)
{
	const struct conn other = {
		.endpoint_url = c->public_endpoint_url,
		.region = c->region,
	};

	if (text_given(c->public_endpoint_url))
		conn_endpoint(&other, out);
}

const char *conn_endpoint_proxy(const struct conn *c)
{
	const char *proxy = text_given(c->proxy);

	return proxy && !strcmp(proxy, CONN_NO_PROXY) ? "" : proxy;
}

bool conn_endpoint_virtual(const struct conn *c, bool public)
{
	if (public && c->public_addressing != CONN_SAME)
		return c->public_addressing == CONN_VIRTUAL;
	return c->virtual_host || c->addressing == CONN_VIRTUAL;
}

void conn_endpoint_region(const struct conn *c, struct buf *out)
{
	char region[S3_REGION_SIZE];
	struct url url;

	if (conn_is_local(c))
		return;
	if (text_given(c->region)) {
		buf_adds(out, c->region);
		return;
	}
	if (parse_endpoint(c, &url)) {
		s3_endpoint_region_of(url.host, region);
		buf_adds(out, region);
	}
	url_clear(&url);
}

/* ---- overlap ---- */

/* A name's last dot says nothing, and this machine has three names. */
static void plain_host(struct url *url)
{
	static const char *const here[] = { "127.0.0.1", "[::1]" };
	size_t len = strlen(url->host);

	if (len && url->host[len - 1] == '.')
		url->host[len - 1] = '\0';
	for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++) {
		char *name = NULL;

		if (!strcmp(url->host, here[i]))
			name = strdup("localhost");
		if (name) {
			free(url->host);
			url->host = name;
		}
	}
}

/* Amazon's endpoints are many doors to one set of buckets. */
static void door(const struct conn *c, struct buf *out)
{
	struct url url;

	if (parse_endpoint(c, &url)) {
		plain_host(&url);
		if (text_starts_with(url.host, "s3") &&
		    strstr(url.host, ".amazonaws.com"))
			buf_adds(out, AMAZON_HOST);
		else
			url_authority(&url, out);
		add_path(&url, out);
	}
	url_clear(&url);
}

int conn_keys(const struct conn *c, const char *below, struct buf *out,
	      struct buf *err)
{
	struct conn_location place;
	int rc = conn_location(c, &place, err);

	if (!rc && place.root) {
		rc = conn_local_keys(place.root, below, out);
	} else if (!rc) {
		buf_adds(out, "s3\n");
		door(c, out);
		buf_addf(out, "\n%s\n%s%s", place.bucket, place.prefix, below);
		rc = buf_err(out);
	}
	conn_location_clear(&place);
	return rc;
}

bool conn_keys_overlap(const char *a, const char *b)
{
	return text_starts_with(a, b) || text_starts_with(b, a);
}
