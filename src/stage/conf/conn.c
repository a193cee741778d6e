/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table, and settings as plain values by it. Rows point into the settings
 * of the lane, the credentials and the store, so that a new key is one row.
 * Databend's keys come first, with all their aliases; the order is that of
 * --help.
 */
#include "stage/conf/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define SECRET (OPTION_SECRET | OPTION_NO_COMMAND)
#define AMAZON "https://s3.amazonaws.com"

#define ROW(name_, ...) OPTION_ROW(conn, #name_, __VA_ARGS__)
#define ALIAS(name_, type_, of_, field, flags_) \
	ROW(name_, type_, field, .alias_of = #of_, .flags = flags_, \
	    .max = BUF_LINE, .help = "the same as " #of_)

const struct option conn_options[] = {
	ROW(url, STRING, url, .max = 2048,
	    .help = "where the stage is: s3://BUCKET/PATH/, or a directory of "
		    "this machine, fs:///DIRECTORY/, which takes none of the "
		    "keys that tell of servers"),
	ROW(endpoint_url, STRING, s3.endpoint_url, .max = 2048,
	    .help = "the server; https:// unless it says otherwise "
		    "(default " AMAZON ")"),
	ROW(public_endpoint_url, STRING, s3.public_endpoint_url, .max = 2048,
	    .help = "the host that pre-signed URLs name (default "
		    "endpoint_url; fs://: the gateway)"),
	ROW(region, STRING, s3.region, .max = 64,
	    .help = "region to sign for (default: found out)"),
	ROW(access_key_id, STRING, creds.access_key_id, .max = 1024,
	    .reference = offsetof(struct conn, creds.access_key_id_from),
	    .help = "key id"),
	ALIAS(aws_key_id, STRING, access_key_id, creds.access_key_id, 0),
	ROW(secret_access_key, STRING, creds.secret_access_key, .max = BUF_LINE,
	    .reference = offsetof(struct conn, creds.secret_access_key_from),
	    .flags = SECRET, .help = "secret key"),
	ALIAS(aws_secret_key, STRING, secret_access_key,
	      creds.secret_access_key, SECRET),
	ROW(session_token, STRING, creds.session_token, .max = BUF_LINE,
	    .reference = offsetof(struct conn, creds.session_token_from),
	    .flags = SECRET, .help = "session token of temporary credentials"),
	ALIAS(aws_token, STRING, session_token, creds.session_token, SECRET),
	ALIAS(security_token, STRING, session_token, creds.session_token,
	      SECRET),
	ROW(role_arn, STRING, creds.role_arn, .max = 2048,
	    .help = "role to assume, with the keys given or found"),
	ALIAS(aws_role_arn, STRING, role_arn, creds.role_arn, 0),
	ROW(external_id, STRING, creds.external_id, .max = 1224,
	    .help = "what the role's owner wants to be told"),
	ALIAS(aws_external_id, STRING, external_id, creds.external_id, 0),
	ROW(master_key, STRING, master_key, .max = BUF_LINE, .flags = SECRET,
	    .help = "Databend's; taken, and used for nothing"),
	ROW(credentials, STRING, creds.credentials, .max = 256, .def = "auto",
	    .help = "auto, static, anonymous, or a list of env, "
		    "profile:NAME, process, web_identity, sso, container, "
		    "imds; auto is the keys given, else all of them"),
	ROW(addressing, CHOICE, addressing, .choices = "path|virtual",
	    .def = "path",
	    .help = "ENDPOINT/BUCKET/KEY or BUCKET.ENDPOINT/KEY"),
	ROW(public_addressing, CHOICE, public_addressing,
	    .choices = "path|virtual|same", .def = "same",
	    .help = "the form of pre-signed URLs; same: that of addressing"),
	ROW(enable_virtual_host_style, BOOL, s3.virtual_host, .def = "no",
	    .help = "Databend's word for addressing = virtual"),
	ROW(ro, BOOL, ro, .def = "no", .help = "nothing is written there"),
	ROW(allow_overlap, BOOL, allow_overlap, .def = "no",
	    .help = "another stage may hold the same keys, if it says so too"),
	ROW(upload_api, BOOL, upload_api, .def = "no",
	    .help = "the gateway's /v1/upload_to_stage takes files for it "
		    "from each [user NAME] that may write it (fs:// needs no "
		    "such word)"),
	ROW(disk_cache, BOOL, s3.disk_cache, .def = "yes",
	    .help = "what is read there may be kept in cache_dir"),
	ROW(content_type, CHOICE, content_type, .choices = "by_name|off",
	    .def = "by_name",
	    .help = "by_name: what is written gets the content type of its "
		    "suffix (/etc/mime.types), if none is given"),
	ROW(attributes, CHOICE, attributes, .choices = "server|posix",
	    .def = "server",
	    .help = "posix: mode, owner, times and symbolic links are kept in "
		    "the metadata of objects, as s3fs does; server: changed "
		    "ones are kept while the mount lasts"),
	ROW(write_back, CHOICE, write_back, .choices = "no|yes|fsync",
	    .def = "no",
	    .help = "yes: close and fsync of a file return when it is on the "
		    "local disk (spill_dir), and it is sent later; fsync: the "
		    "same, but fsync waits for the store"),
	ROW(part_size, SIZE, part_size, .min = 5 * MIB, .max = 5 * GIB,
	    .help = "bytes of an upload's part (default: by the file's size)"),
	ROW(connections, UINT, lane.connections, .min = 1, .max = 1024,
	    .def = "32", .help = "data requests at once"),
	ROW(connect_timeout, DURATION, lane.connect_timeout_s, .min = 1,
	    .max = 600, .def = "10", .help = "time to reach the server"),
	ROW(idle_timeout, DURATION, lane.idle_timeout_s, .min = 1, .max = 3600,
	    .def = "30", .help = "time without a byte"),
	ROW(deadline, DURATION, lane.deadline_s, .min = 1, .max = 86400,
	    .def = "120",
	    .help = "time for a request with all its retries; what the server "
		    "copies or puts together may go on once it has begun"),
	ROW(upload_checksum, CHOICE, s3.upload_checksum,
	    .choices = "crc32c|sha256|md5|none", .def = "crc32c",
	    .help = "what uploads are checked by"),
	ROW(ca_file, STRING, lane.ca_file, .max = 4096,
	    .help = "certificates to trust (default: the system's)"),
	ROW(proxy, STRING, lane.proxy, .max = 2048,
	    .help = "http://HOST:PORT, or none (default: https_proxy, "
		    "http_proxy and no_proxy of the environment)"),
	ROW(storage_class, STRING, s3.storage_class, .max = 64,
	    .help = "storage class of new objects"),
	ROW(sse, STRING, s3.sse, .max = 64,
	    .help = "encryption of new objects: AES256, aws:kms or "
		    "aws:kms:dsse"),
	ROW(sse_kms_key_id, STRING, s3.sse_kms_key_id, .max = 2048,
	    .help = "the key of that encryption, an id or ARN; without sse it "
		    "is aws:kms"),
	ROW(sse_kms_context, STRING, s3.sse_kms_context, .max = 1024,
	    .help = "what that encryption is bound to besides: a JSON object, "
		    "{\"NAME\":\"VALUE\"}"),
	ROW(sse_customer_key, STRING, s3.sse_customer_key, .max = 64,
	    .flags = SECRET,
	    .help = "a key of your own, 32 bytes in Base64, that every object "
		    "of the stage is encrypted with and the server does not "
		    "keep (SSE-C): then it signs no URLs"),
	ROW(tagging, STRING, s3.tagging, .max = 2048,
	    .help = "tags of new objects, NAME=VALUE&NAME=VALUE, "
		    "percent-encoded"),
	ROW(acl, STRING, s3.acl, .max = 64,
	    .help = "access control of new objects, as "
		    "bucket-owner-full-control"),
	ROW(requester_pays, BOOL, s3.requester_pays, .def = "no",
	    .help = "requests are paid by the caller"),
	ROW(comment, STRING, comment, .max = 4096, .flags = OPTION_FREE,
	    .help = "words about the stage; DESC STAGE shows them"),
	ROW(file_format, STRING, file_format, .max = 4096, .flags = OPTION_FREE,
	    .help = "Databend's; shown, and used for nothing"),
	ROW(copy_options, STRING, copy_options, .max = 4096,
	    .flags = OPTION_FREE,
	    .help = "Databend's; shown, and used for nothing"),
	ROW(created_on, STRING, created_on, .max = 64,
	    .help = "when CREATE STAGE made the stage"),
	{ 0 },
};

bool conn_has_scheme(const struct conn *c, const char *scheme)
{
	size_t n = strlen(scheme);

	return c->url && !strncasecmp(c->url, scheme, n) &&
	       !strncmp(c->url + n, "://", 3);
}

bool conn_is_local(const struct conn *c)
{
	return conn_has_scheme(c, "fs");
}

static char **conn_string_at(const struct option *row, struct conn *c)
{
	return (char **)((char *)c + row->offset);
}

int conn_set(struct conn *c, const char *key, const char *value)
{
	char **to = conn_string_at(option_find(conn_options, key), c);
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static bool conn_is_string(const struct option *row)
{
	return row->type == OPTION_STRING && !row->alias_of;
}

static int conn_own(char **s)
{
	return *s && !(*s = strdup(*s)) ? -1 : 0;
}

void conn_clear(struct conn *c)
{
	option_clear(conn_options, c);
}

int conn_copy(const struct conn *from, struct conn *out)
{
	int rc = 0;

	*out = *from;
	for (const struct option *row = conn_options; row->name; row++) {
		char **reference = option_reference(row, out);

		if (conn_is_string(row))
			rc |= conn_own(conn_string_at(row, out));
		if (reference)
			rc |= conn_own(reference);
	}
	return rc ? -ENOMEM : 0;
}

static bool conn_same_text(const char *x, const char *y)
{
	return !strcmp(x ? x : "", y ? y : "");
}

static bool conn_same_string(const struct option *row, const struct conn *a,
			     const struct conn *b)
{
	char **x = option_reference(row, a), **y = option_reference(row, b);

	return conn_same_text(*conn_string_at(row, (struct conn *)a),
			      *conn_string_at(row, (struct conn *)b)) &&
	       (!x || conn_same_text(*x, *y));
}

static bool conn_same_value(const struct option *row, const struct conn *a,
			    const struct conn *b)
{
	BUF_LOCAL x = BUF_INIT(BUF_LINE), y = BUF_INIT(BUF_LINE);

	option_show(row, a, &x);
	option_show(row, b, &y);
	return !strcmp(buf_str(&x), buf_str(&y));
}

bool conn_row_equal(const struct option *row, const struct conn *a,
		    const struct conn *b)
{
	return (conn_is_string(row) ? conn_same_string : conn_same_value)(row,
									  a, b);
}

const struct option *conn_difference(const struct conn *a, const struct conn *b)
{
	for (const struct option *row = conn_options; row->name; row++)
		if (!row->alias_of && !conn_row_equal(row, a, b))
			return row;
	return NULL;
}

static bool conn_is_of_creds(const struct option *row)
{
	return row->offset >= offsetof(struct conn, creds) &&
	       row->offset < offsetof(struct conn, creds) +
				     sizeof(struct cred_settings);
}

bool conn_only_creds_differ(const struct conn *a, const struct conn *b)
{
	bool differ = false;

	for (const struct option *row = conn_options; row->name; row++) {
		if (row->alias_of || conn_row_equal(row, a, b))
			continue;
		if (!conn_is_of_creds(row))
			return false;
		differ = true;
	}
	return differ;
}

bool conn_equal(const struct conn *a, const struct conn *b)
{
	return !conn_difference(a, b);
}

const char *conn_sql_credentials(const struct conn *c)
{
	if (conn_is_local(c))
		return "auto"; /* that is: as if none were given */
	if (text_given(c->creds.access_key_id))
		return "static";
	return text_given(c->creds.role_arn) ? "auto" : "anonymous";
}
