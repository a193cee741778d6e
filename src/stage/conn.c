/*
 * The table, and what can be found wrong with settings before anything is
 * opened. Databend's keys come first, with all their aliases; the order is
 * that of --help.
 */
#include "stage/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/cred_chain.h"
#include "base/buf.h"
#include "base/text.h"
#include "net/url.h"
#include "stage/conn_local.h"
#include "store/s3_place.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define SECRET (OPTION_SECRET | OPTION_NO_COMMAND)
#define AMAZON "https://s3.amazonaws.com"

#define ROW(name_, type_, field, ...) \
	{ \
		.name = #name_, .type = OPTION_##type_, \
		.offset = offsetof(struct conn, field), __VA_ARGS__ \
	}
#define ALIAS(name_, type_, field, flags_) \
	ROW(name_, type_, field, .alias_of = #field, .flags = flags_, \
	    .max = BUF_LINE, .help = "the same as " #field)

const struct option conn_options[] = {
	ROW(url, STRING, url, .max = 2048,
	    .help = "where the stage is: s3://BUCKET/PATH/, or a directory of "
		    "this machine, fs:///DIRECTORY/, which takes none of the "
		    "keys that tell of servers"),
	ROW(endpoint_url, STRING, endpoint_url, .max = 2048,
	    .help = "the server; https:// unless it says otherwise "
		    "(default " AMAZON ")"),
	ROW(public_endpoint_url, STRING, public_endpoint_url, .max = 2048,
	    .help = "the host that pre-signed URLs name (default "
		    "endpoint_url; fs://: the gateway)"),
	ROW(region, STRING, region, .max = 64,
	    .help = "region to sign for (default: found out)"),
	ROW(access_key_id, STRING, access_key_id, .max = 1024,
	    .reference = offsetof(struct conn, access_key_id_from),
	    .help = "key id"),
	ALIAS(aws_key_id, STRING, access_key_id, 0),
	ROW(secret_access_key, STRING, secret_access_key, .max = BUF_LINE,
	    .reference = offsetof(struct conn, secret_access_key_from),
	    .flags = SECRET, .help = "secret key"),
	ALIAS(aws_secret_key, STRING, secret_access_key, SECRET),
	ROW(session_token, STRING, session_token, .max = BUF_LINE,
	    .reference = offsetof(struct conn, session_token_from),
	    .flags = SECRET, .help = "session token of temporary credentials"),
	ALIAS(aws_token, STRING, session_token, SECRET),
	ALIAS(security_token, STRING, session_token, SECRET),
	ROW(role_arn, STRING, role_arn, .max = 2048,
	    .help = "role to assume, with the keys given or found"),
	ALIAS(aws_role_arn, STRING, role_arn, 0),
	ROW(external_id, STRING, external_id, .max = 1224,
	    .help = "what the role's owner wants to be told"),
	ALIAS(aws_external_id, STRING, external_id, 0),
	ROW(master_key, STRING, master_key, .max = BUF_LINE, .flags = SECRET,
	    .help = "Databend's; taken, and used for nothing"),
	ROW(credentials, STRING, credentials, .max = 256, .def = "auto",
	    .help = "auto, static, anonymous, or a list of env, "
		    "profile:NAME, process, web_identity, sso, container, "
		    "imds; auto is the keys given, else all of them"),
	ROW(addressing, CHOICE, addressing, .choices = "path|virtual",
	    .def = "path",
	    .help = "ENDPOINT/BUCKET/KEY or BUCKET.ENDPOINT/KEY"),
	ROW(public_addressing, CHOICE, public_addressing,
	    .choices = "path|virtual|same", .def = "same",
	    .help = "the form of pre-signed URLs; same: that of addressing"),
	ROW(enable_virtual_host_style, BOOL, virtual_host, .def = "no",
	    .help = "Databend's word for addressing = virtual"),
	ROW(ro, BOOL, ro, .def = "no", .help = "nothing is written there"),
	ROW(allow_overlap, BOOL, allow_overlap, .def = "no",
	    .help = "another stage may hold the same keys, if it says so too"),
	ROW(upload_api, BOOL, upload_api, .def = "no",
	    .help = "the gateway's /v1/upload_to_stage takes files for it "
		    "from each [user NAME] that may write it (fs:// needs no "
		    "such word)"),
	ROW(content_type, CHOICE, content_type, .choices = "by_name|off",
	    .def = "by_name",
	    .help = "by_name: what is written gets the content type of its "
		    "suffix (/etc/mime.types), if none is given"),
	ROW(part_size, SIZE, part_size, .min = 5 * MIB, .max = 5 * GIB,
	    .help = "bytes of an upload's part (default: by the file's size)"),
	ROW(connections, UINT, connections, .min = 1, .max = 1024, .def = "32",
	    .help = "data requests at once"),
	ROW(connect_timeout, UINT, connect_timeout, .min = 1, .max = 600,
	    .def = "10", .help = "seconds to reach the server"),
	ROW(idle_timeout, UINT, idle_timeout, .min = 1, .max = 3600,
	    .def = "30", .help = "seconds without a byte"),
	ROW(deadline, UINT, deadline, .min = 1, .max = 86400, .def = "120",
	    .help = "seconds for a request with all its retries"),
	ROW(upload_checksum, CHOICE, upload_checksum,
	    .choices = "crc32c|sha256|md5|none", .def = "crc32c",
	    .help = "what uploads are checked by"),
	ROW(ca_file, STRING, ca_file, .max = 4096,
	    .help = "certificates to trust (default: the system's)"),
	ROW(proxy, STRING, proxy, .max = 2048,
	    .help = "http://HOST:PORT, or none (default: https_proxy, "
		    "http_proxy and no_proxy of the environment)"),
	ROW(storage_class, STRING, storage_class, .max = 64,
	    .help = "storage class of new objects"),
	ROW(sse, STRING, sse, .max = 64,
	    .help = "encryption of new objects: AES256, aws:kms or "
		    "aws:kms:dsse"),
	ROW(sse_kms_key_id, STRING, sse_kms_key_id, .max = 2048,
	    .help = "the key of that encryption, an id or ARN; without sse it "
		    "is aws:kms"),
	ROW(acl, STRING, acl, .max = 64,
	    .help = "access control of new objects, as "
		    "bucket-owner-full-control"),
	ROW(requester_pays, BOOL, requester_pays, .def = "no",
	    .help = "requests are paid by the caller"),
	ROW(comment, STRING, comment, .max = 4096,
	    .help = "words about the stage; DESC STAGE shows them"),
	ROW(file_format, STRING, file_format, .max = 4096,
	    .help = "Databend's; shown, and used for nothing"),
	ROW(copy_options, STRING, copy_options, .max = 4096,
	    .help = "Databend's; shown, and used for nothing"),
	ROW(created_on, STRING, created_on, .max = 64,
	    .help = "when CREATE STAGE made the stage"),
	{ 0 },
};

static const char *given(const char *s)
{
	return s && *s ? s : NULL;
}

static int check_server(const char *key, const char *text, struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct url url;
	int rc;

	if (!given(text))
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
	bool id = given(c->access_key_id), secret = given(c->secret_access_key);
	struct cred_order order;

	if (cred_order_parse(c->credentials ? c->credentials : "auto",
			     &order)) {
		buf_adds(err, "credentials = ");
		text_printable(err, c->credentials);
		buf_adds(err, ": " CRED_ORDER_WORDS);
		return -EINVAL;
	}
	if (id != secret)
		buf_adds(err, id ? "access_key_id without secret_access_key"
				 : "secret_access_key without access_key_id");
	else if (given(c->session_token) && !id)
		buf_adds(err, "session_token without access_key_id");
	else if (order.choices[0] == CRED_STATIC && !id)
		buf_adds(err, "credentials = static, and no access_key_id");
	else if (order.choices[0] > CRED_STATIC && id)
		buf_addf(err, "credentials = %s, and an access_key_id",
			 c->credentials);
	else if (order.choices[0] == CRED_ANONYMOUS && given(c->role_arn))
		buf_adds(err, "credentials = anonymous, and a role_arn");
	else if (given(c->external_id) && !given(c->role_arn))
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
	bool kms = given(c->sse) && text_starts_with(c->sse, "aws:kms");

	if (given(c->sse) && strcmp(c->sse, "AES256") &&
	    strcmp(c->sse, "aws:kms") && strcmp(c->sse, "aws:kms:dsse")) {
		buf_adds(err, "sse = ");
		text_printable(err, c->sse);
		buf_adds(err, ": AES256, aws:kms or aws:kms:dsse");
		return -EINVAL;
	}
	if (given(c->sse_kms_key_id) && given(c->sse) && !kms) {
		buf_adds(err, "sse_kms_key_id with sse = AES256, which has no "
			      "key");
		return -EINVAL;
	}
	return check_role("sse_kms_key_id", c->sse_kms_key_id, err);
}

static int check_ca_file(const struct conn *c, struct buf *err)
{
	if (!given(c->ca_file) || !access(c->ca_file, R_OK))
		return 0;
	buf_adds(err, "ca_file = ");
	text_printable(err, c->ca_file);
	buf_addf(err, ": %s", strerror(errno));
	return -EINVAL;
}

/* Is there such a bucket's place on that server? What conn_open() makes. */
static int check_door(const char *key, const char *endpoint,
		      const struct conn_place *place, bool virtual_host,
		      struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct s3_place s3;
	int rc =
		s3_place_init(&s3, endpoint, place->bucket, virtual_host, &why);

	if (rc == -EINVAL)
		buf_addf(err, "%s: %s", key, buf_str(&why));
	s3_place_clear(&s3);
	buf_clear(&why);
	return rc;
}

static int check_doors(const struct conn *c, const struct conn_place *place,
		       struct buf *err)
{
	struct buf endpoint = BUF_INIT(BUF_URL), public = BUF_INIT(BUF_URL);
	bool is_public = given(c->public_endpoint_url) ||
			 c->public_addressing != CONN_SAME;
	int rc;

	conn_endpoint(c, &endpoint);
	conn_public_endpoint(c, &public);
	rc = buf_err(&endpoint) ? buf_err(&endpoint) : buf_err(&public);
	if (!rc)
		rc = check_door(c->virtual_host ? "enable_virtual_host_style"
						: "addressing",
				buf_str(&endpoint), place,
				conn_virtual_host(c, false), err);
	if (!rc && is_public)
		rc = check_door(c->public_addressing == CONN_SAME
					? "public_endpoint_url"
					: "public_addressing",
				public.len ? buf_str(&public)
					   : buf_str(&endpoint),
				place, conn_virtual_host(c, true), err);
	buf_clear(&endpoint);
	buf_clear(&public);
	return rc;
}

static int check_region(const struct conn *c, struct buf *err)
{
	struct buf region = BUF_INIT(BUF_URL);
	int rc;

	conn_region(c, &region);
	rc = buf_err(&region);
	if (!rc && region.len && !s3_region_valid(buf_str(&region))) {
		buf_adds(err, "region: `");
		text_printable(err, buf_str(&region));
		buf_adds(err, "` is no region");
		rc = -EINVAL;
	}
	buf_clear(&region);
	return rc;
}

static int check_server_keys(const struct conn *c,
			     const struct conn_place *place, struct buf *err)
{
	int rc = check_server("endpoint_url", c->endpoint_url, err);

	if (!rc)
		rc = check_server("proxy", conn_proxy(c), err);
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
	struct conn_place place;
	int rc = conn_place(c, &place, err);

	if (!rc)
		rc = check_server("public_endpoint_url", c->public_endpoint_url,
				  err);
	if (!rc)
		rc = place.root ? conn_local_check(c, err)
				: check_server_keys(c, &place, err);
	conn_place_clear(&place);
	return rc;
}
