/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be found wrong with connection settings without a network.
 */
#include "stage/conf/conn.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth/cred_chain.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "net/url.h"
#include "store/s3/s3_endpoint.h"

static int check_server(const char *key, const char *text, struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	URL_LOCAL url = { 0 };
	int rc;

	if (!text_given(text))
		return 0;
	rc = url_parse(text, "https", &url, &detail);
	if (!rc && strcmp(url.scheme, "http") && strcmp(url.scheme, "https"))
		rc = buf_fail(&detail, -EINVAL, "the scheme is http or https");
	if (rc == -EINVAL) {
		buf_addf(why, "%s = ", key);
		text_masked_url(why, text);
		buf_addf(why, ": %s", buf_str(&detail));
	}
	return rc;
}

static int check_proxy(const struct conn *c, struct buf *why)
{
	const char *proxy = text_given(c->lane.proxy);

	return proxy && strcmp(proxy, HTTP_NO_PROXY)
		       ? check_server("proxy", proxy, why)
		       : 0;
}

static int check_keys(const struct conn *c, struct buf *why)
{
	bool id = text_given(c->creds.access_key_id),
	     secret = text_given(c->creds.secret_access_key);
	struct cred_order order;

	if (cred_chain_parse(c->creds.credentials ? c->creds.credentials
						  : "auto",
			     &order)) {
		buf_adds(why, "credentials = ");
		text_printable(why, c->creds.credentials);
		return buf_fail(why, -EINVAL, ": " CRED_ORDER_WORDS);
	}
	if (id != secret)
		buf_adds(why, id ? "access_key_id without secret_access_key"
				 : "secret_access_key without access_key_id");
	else if (text_given(c->creds.session_token) && !id)
		buf_adds(why, "session_token without access_key_id");
	else if (order.choices[0] == CRED_STATIC && !id)
		buf_adds(why, "credentials = static, and no access_key_id");
	else if (order.choices[0] > CRED_STATIC && id)
		buf_addf(why, "credentials = %s, and an access_key_id",
			 c->creds.credentials);
	else if (order.choices[0] == CRED_ANONYMOUS &&
		 text_given(c->creds.role_arn))
		buf_adds(why, "credentials = anonymous, and a role_arn");
	else if (text_given(c->creds.external_id) &&
		 !text_given(c->creds.role_arn))
		buf_adds(why, "external_id without role_arn");
	else
		return 0;
	return -EINVAL;
}

/* What a request says in a word, which has none of `not`. */
static int check_word(const char *key, const char *text, const char * not,
		      struct buf *why)
{
	for (const char *p = text ? text : ""; *p; p++) {
		if (*p > ' ' && *p < 0x7f && !strchr(not, *p))
			continue;
		buf_addf(why, "%s = ", key);
		text_printable(why, text);
		return buf_fail(why, -EINVAL, ": a word without spaces");
	}
	return 0;
}

/* That key goes along with each request. */
static int check_customer_key(const struct conn *c, struct buf *why)
{
	BUF_SECRET key = BUF_INIT(BUF_LINE);
	const char *text = text_given(c->s3.sse_customer_key);
	size_t n;
	int rc;

	if (!text)
		return 0;
	rc = base64_decode(text, strlen(text), &key);
	n = key.len;
	if (rc || n != S3_CUSTOMER_KEY)
		buf_addf(why,
			 "sse_customer_key is not the Base64 of %d bytes "
			 "(openssl rand -base64 32 makes one)",
			 S3_CUSTOMER_KEY);
	else if (text_given(c->s3.sse) || text_given(c->s3.sse_kms_key_id))
		buf_adds(why, "sse_customer_key with sse or sse_kms_key_id: "
			      "an object has one encryption");
	else
		return 0;
	return -EINVAL;
}

/* Does s3://bucket's server hear it in the clear? */
static int check_customer_key_at(const struct conn *c,
				 const struct s3_endpoint *s3, struct buf *why)
{
	if (!text_given(c->s3.sse_customer_key) || s3_endpoint_is_https(s3) ||
	    s3_endpoint_is_here(s3))
		return 0;
	buf_adds(why, "sse_customer_key: it would travel in the clear, over "
		      "plain http");
	return -EINVAL;
}

static int check_sse_context(const struct conn *c, bool kms, struct buf *why)
{
	const char *text = text_given(c->s3.sse_kms_context);
	bool ok = text && *text == '{' && text_ends_with(text, "}") &&
		  text_is_ascii(text) && !text_has_control(text);

	if (!text || (ok && kms))
		return 0;
	if (!ok)
		buf_adds(why, "sse_kms_context is no JSON object, as "
			      "{\"NAME\":\"VALUE\"}");
	else
		buf_adds(why, "sse_kms_context without sse = aws:kms");
	return -EINVAL;
}

#define TAGS_MAX 10 /* S3's */

/* NAME=VALUE, joined by `&`. */
static int check_tagging(const struct conn *c, struct buf *why)
{
	const char *at = text_given(c->s3.tagging);
	unsigned n = 0;
	int rc = check_word("tagging", at, "", why);

	while (!rc && at && *at) {
		size_t len = strcspn(at, "&"), name = strcspn(at, "=&");

		if (!name || name == len || ++n > TAGS_MAX)
			rc = -EINVAL;
		at += len;
		if (!rc && *at == '&' && !*++at)
			rc = -EINVAL;
	}
	if (rc && !why->len)
		buf_addf(why,
			 "tagging is no list of at most %d tags, as "
			 "NAME=VALUE&NAME=VALUE",
			 TAGS_MAX);
	return rc;
}

static int check_sse(const struct conn *c, struct buf *why)
{
	bool kms = text_given(c->s3.sse)
			   ? text_starts_with(c->s3.sse, "aws:kms")
			   : text_given(c->s3.sse_kms_key_id) != NULL;
	int rc;

	if (text_given(c->s3.sse) && strcmp(c->s3.sse, "AES256") &&
	    strcmp(c->s3.sse, "aws:kms") && strcmp(c->s3.sse, "aws:kms:dsse")) {
		buf_adds(why, "sse = ");
		text_printable(why, c->s3.sse);
		return buf_fail(why, -EINVAL,
				": AES256, aws:kms or aws:kms:dsse");
	}
	if (text_given(c->s3.sse_kms_key_id) && text_given(c->s3.sse) && !kms)
		return buf_fail(
			why, -EINVAL,
			"sse_kms_key_id with sse = AES256, which has no "
			"key");
	rc = check_word("sse_kms_key_id", c->s3.sse_kms_key_id, "", why);
	if (!rc)
		rc = check_sse_context(c, kms, why);
	return rc ? rc : check_customer_key(c, why);
}

static int check_ca_file(const struct conn *c, struct buf *why)
{
	if (!text_given(c->lane.ca_file) || !access(c->lane.ca_file, R_OK))
		return 0;
	buf_adds(why, "ca_file = ");
	text_printable(why, c->lane.ca_file);
	return buf_fail(why, -EINVAL, ": %s", strerror(errno));
}

/* Is there such a bucket's at on that server? What conn_open() makes. */
static int check_endpoint(const struct conn *c, const char *key,
			  const char *endpoint, const struct conn_location *at,
			  bool virtual_host, struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	struct s3_endpoint s3;
	int rc = s3_endpoint_init(&s3, endpoint, at->bucket, virtual_host,
				  &detail);

	if (rc == -EINVAL)
		buf_addf(why, "%s: %s", key, buf_str(&detail));
	if (!rc)
		rc = check_customer_key_at(c, &s3, why);
	s3_endpoint_clear(&s3);
	return rc;
}

static int check_endpoints(const struct conn *c, const struct conn_location *at,
			   struct buf *why)
{
	BUF_LOCAL endpoint = BUF_INIT(BUF_URL), public = BUF_INIT(BUF_URL);
	bool is_public = text_given(c->s3.public_endpoint_url) ||
			 c->public_addressing != CONN_SAME;
	int rc;

	conn_endpoint(c, &endpoint);
	conn_endpoint_public(c, &public);
	rc = buf_err(&endpoint) ? buf_err(&endpoint) : buf_err(&public);
	if (!rc)
		rc = check_endpoint(c,
				    c->s3.virtual_host
					    ? "enable_virtual_host_style"
					    : "addressing",
				    buf_str(&endpoint), at,
				    conn_endpoint_virtual(c, false), why);
	if (!rc && is_public)
		rc = check_endpoint(c,
				    c->public_addressing == CONN_SAME
					    ? "public_endpoint_url"
					    : "public_addressing",
				    public.len ? buf_str(&public)
					       : buf_str(&endpoint),
				    at, conn_endpoint_virtual(c, true), why);
	return rc;
}

static int check_region(const struct conn *c, struct buf *why)
{
	BUF_LOCAL region = BUF_INIT(BUF_URL);
	int rc;

	conn_endpoint_region(c, &region);
	rc = buf_err(&region);
	if (!rc && region.len && !s3_endpoint_is_region(buf_str(&region))) {
		buf_adds(why, "region: `");
		text_printable(why, buf_str(&region));
		rc = buf_fail(why, -EINVAL, "` is no region");
	}
	return rc;
}

static int check_server_keys(const struct conn *c,
			     const struct conn_location *at, struct buf *why)
{
	int rc = check_server("endpoint_url", c->s3.endpoint_url, why);

	if (!rc)
		rc = check_proxy(c, why);
	if (!rc)
		rc = check_word("region", c->s3.region, "/,", why);
	if (!rc)
		rc = check_word("access_key_id", c->creds.access_key_id, "/,",
				why);
	if (!rc)
		rc = check_word("storage_class", c->s3.storage_class, "/,",
				why);
	if (!rc)
		rc = check_word("acl", c->s3.acl, "/,", why);
	if (!rc)
		rc = check_tagging(c, why);
	if (!rc)
		rc = check_sse(c, why);
	if (!rc)
		rc = check_keys(c, why);
	if (!rc)
		rc = check_word("role_arn", c->creds.role_arn, "", why);
	if (!rc)
		rc = check_word("external_id", c->creds.external_id, "", why);
	if (!rc)
		rc = check_ca_file(c, why);
	if (!rc)
		rc = check_region(c, why);
	if (!rc)
		rc = check_endpoints(c, at, why);
	return rc;
}

/* ---- a directory ---- */

/* Of all the others a directory would know nothing. */
static const char *const local_keys[] = {
	"url",           "public_endpoint_url", "ro",           "upload_api",
	"allow_overlap", "part_size",           "content_type", "comment",
	"file_format",   "copy_options",        "created_on",   NULL,
};

static bool check_is_local(const char *name)
{
	for (const char *const *own = local_keys; *own; own++)
		if (!strcmp(*own, name))
			return true;
	return false;
}

/* The first that is said and differs from its default, or NULL. */
static const char *check_foreign_key(const struct conn *c,
				     const struct conn *defaults)
{
	for (const struct option *row = conn_options; row->name; row++) {
		BUF_LOCAL value = BUF_INIT(BUF_LINE);
		bool said;

		if (row->alias_of || check_is_local(row->name))
			continue;
		option_show(row, c, &value);
		said = value.len > 0;
		if (said && !conn_row_equal(row, c, defaults))
			return row->name;
	}
	return NULL;
}

static int check_local_keys(const struct conn *c, struct buf *why)
{
	CONN_LOCAL defaults = { 0 };
	int rc = option_defaults(conn_options, &defaults);
	const char *key = rc ? NULL : check_foreign_key(c, &defaults);

	if (!key)
		return rc;
	return buf_fail(
		why, -EINVAL,
		"%s: a local directory (fs://) has no use for it: it is for "
		"servers",
		key);
}

int conn_check(const struct conn *c, struct buf *why)
{
	CONN_LOCATION_LOCAL at = { 0 };
	int rc = conn_location(c, &at, why);

	if (!rc)
		rc = check_server("public_endpoint_url",
				  c->s3.public_endpoint_url, why);
	if (!rc)
		rc = at.root ? check_local_keys(c, why)
			     : check_server_keys(c, &at, why);
	return rc;
}
