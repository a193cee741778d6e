/*
 * What can be found wrong with connection settings without a network.
 */
#include "stage/conf/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/cred_chain.h"
#include "base/buf.h"
#include "base/text.h"
#include "net/url.h"
#include "stage/conf/conn_local.h"
#include "store/s3/s3_endpoint.h"

static int check_server(const char *key, const char *text, struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct url url;
	int rc;

	if (!text_given(text))
		return 0;
	rc = url_parse(text, "https", &url, &why);
	if (!rc && strcmp(url.scheme, "http") && strcmp(url.scheme, "https")) {
		buf_adds(&why, "the scheme is http or https");
		rc = -EINVAL;
	}
	if (rc == -EINVAL) {
		buf_addf(err, "%s = ", key);
		text_masked_url(err, text);
		buf_addf(err, ": %s", buf_str(&why));
	}
	url_clear(&url);
	buf_clear(&why);
	return rc;
}

static int check_keys(const struct conn *c, struct buf *err)
{
	bool id = text_given(c->access_key_id),
	     secret = text_given(c->secret_access_key);
	struct cred_order order;

	if (cred_chain_parse(c->credentials ? c->credentials : "auto",
			     &order)) {
		buf_adds(err, "credentials = ");
		text_printable(err, c->credentials);
		buf_adds(err, ": " CRED_ORDER_WORDS);
		return -EINVAL;
	}
	if (id != secret)
		buf_adds(err, id ? "access_key_id without secret_access_key"
				 : "secret_access_key without access_key_id");
	else if (text_given(c->session_token) && !id)
		buf_adds(err, "session_token without access_key_id");
	else if (order.choices[0] == CRED_STATIC && !id)
		buf_adds(err, "credentials = static, and no access_key_id");
	else if (order.choices[0] > CRED_STATIC && id)
		buf_addf(err, "credentials = %s, and an access_key_id",
			 c->credentials);
	else if (order.choices[0] == CRED_ANONYMOUS && text_given(c->role_arn))
		buf_adds(err, "credentials = anonymous, and a role_arn");
	else if (text_given(c->external_id) && !text_given(c->role_arn))
		buf_adds(err, "external_id without role_arn");
	else
		return 0;
	return -EINVAL;
}

/* What a request for a role says. */
static int check_role(const char *key, const char *text, struct buf *err)
{
	for (const char *p = text ? text : ""; *p; p++) {
		if (*p > ' ' && *p < 0x7f)
			continue;
		buf_addf(err, "%s = ", key);
		text_printable(err, text);
		buf_adds(err, ": a word without spaces");
		return -EINVAL;
	}
	return 0;
}

/* What becomes a header or a part of a scope. */
static int check_word(const char *key, const char *text, struct buf *err)
{
	for (const char *p = text ? text : ""; *p; p++) {
		if (*p > ' ' && *p < 0x7f && *p != '/' && *p != ',')
			continue;
		buf_addf(err, "%s = ", key);
		text_printable(err, text);
		buf_adds(err, ": a word without spaces");
		return -EINVAL;
	}
	return 0;
}

static int check_sse(const struct conn *c, struct buf *err)
{
	bool kms = text_given(c->sse) && text_starts_with(c->sse, "aws:kms");

	if (text_given(c->sse) && strcmp(c->sse, "AES256") &&
	    strcmp(c->sse, "aws:kms") && strcmp(c->sse, "aws:kms:dsse")) {
		buf_adds(err, "sse = ");
		text_printable(err, c->sse);
		buf_adds(err, ": AES256, aws:kms or aws:kms:dsse");
		return -EINVAL;
	}
	if (text_given(c->sse_kms_key_id) && text_given(c->sse) && !kms) {
		buf_adds(err, "sse_kms_key_id with sse = AES256, which has no "
			      "key");
		return -EINVAL;
	}
	return check_role("sse_kms_key_id", c->sse_kms_key_id, err);
}

static int check_ca_file(const struct conn *c, struct buf *err)
{
	if (!text_given(c->ca_file) || !access(c->ca_file, R_OK))
		return 0;
	buf_adds(err, "ca_file = ");
	text_printable(err, c->ca_file);
	buf_addf(err, ": %s", strerror(errno));
	return -EINVAL;
}

/* Is there such a bucket's place on that server? What conn_open() makes. */
static int check_door(const char *key, const char *endpoint,
		      const struct conn_location *place, bool virtual_host,
		      struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct s3_endpoint s3;
	int rc = s3_endpoint_init(&s3, endpoint, place->bucket, virtual_host,
				  &why);

	if (rc == -EINVAL)
		buf_addf(err, "%s: %s", key, buf_str(&why));
	s3_endpoint_clear(&s3);
	buf_clear(&why);
	return rc;
}

static int check_doors(const struct conn *c, const struct conn_location *place,
		       struct buf *err)
{
	struct buf endpoint = BUF_INIT(BUF_URL), public = BUF_INIT(BUF_URL);
	bool is_public = text_given(c->public_endpoint_url) ||
			 c->public_addressing != CONN_SAME;
	int rc;

	conn_endpoint(c, &endpoint);
	conn_endpoint_public(c, &public);
	rc = buf_err(&endpoint) ? buf_err(&endpoint) : buf_err(&public);
	if (!rc)
		rc = check_door(c->virtual_host ? "enable_virtual_host_style"
						: "addressing",
				buf_str(&endpoint), place,
				conn_endpoint_virtual(c, false), err);
	if (!rc && is_public)
		rc = check_door(c->public_addressing == CONN_SAME
					? "public_endpoint_url"
					: "public_addressing",
				public.len ? buf_str(&public)
					   : buf_str(&endpoint),
				place, conn_endpoint_virtual(c, true), err);
	buf_clear(&endpoint);
	buf_clear(&public);
	return rc;
}

static int check_region(const struct conn *c, struct buf *err)
{
	struct buf region = BUF_INIT(BUF_URL);
	int rc;

	conn_endpoint_region(c, &region);
	rc = buf_err(&region);
	if (!rc && region.len && !s3_endpoint_is_region(buf_str(&region))) {
		buf_adds(err, "region: `");
		text_printable(err, buf_str(&region));
		buf_adds(err, "` is no region");
		rc = -EINVAL;
	}
	buf_clear(&region);
	return rc;
}

static int check_server_keys(const struct conn *c,
			     const struct conn_location *place, struct buf *err)
{
	int rc = check_server("endpoint_url", c->endpoint_url, err);

	if (!rc)
		rc = check_server("proxy", conn_endpoint_proxy(c), err);
	if (!rc)
		rc = check_word("region", c->region, err);
	if (!rc)
		rc = check_word("access_key_id", c->access_key_id, err);
	if (!rc)
		rc = check_word("storage_class", c->storage_class, err);
	if (!rc)
		rc = check_word("acl", c->acl, err);
	if (!rc)
		rc = check_sse(c, err);
	if (!rc)
		rc = check_keys(c, err);
	if (!rc)
		rc = check_role("role_arn", c->role_arn, err);
	if (!rc)
		rc = check_role("external_id", c->external_id, err);
	if (!rc)
		rc = check_ca_file(c, err);
	if (!rc)
		rc = check_region(c, err);
	if (!rc)
		rc = check_doors(c, place, err);
	return rc;
}

int conn_check(const struct conn *c, struct buf *err)
{
	struct conn_location place;
	int rc = conn_location(c, &place, err);

	if (!rc)
		rc = check_server("public_endpoint_url", c->public_endpoint_url,
				  err);
	if (!rc)
		rc = place.root ? conn_local_check(c, err)
				: check_server_keys(c, &place, err);
	conn_location_clear(&place);
	return rc;
}
