/*
 * The table, and what can be found wrong with settings before anything is
 * opened. Databend's keys come first, with all their aliases; the order is
 * that of --help.
 */
#include "stage/conf/conn.h"

#include <errno.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/conf/conn_local.h"

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

int conn_refuse_url(const char *url, const char *why, struct buf *err)
{
	buf_adds(err, "url = ");
	text_masked_url(err, url);
	buf_addf(err, ": %s", why);
	return -EINVAL;
}
