/* SPDX-License-Identifier: Apache-2.0 */
/* Connection settings: keys, places, endpoints and checks, by tables. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "stage/conf/conn.h"

#define CUSTOMER_KEY "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="

/* ---- the place ---- */

static const struct {
	const char *sentence;
	const char *url;
	const char *bucket; /* NULL: refused */
	const char *prefix; /* or what the refusal says */
} places[] = {
	{ "a bucket and a path", "s3://databend/a/b/", "databend", "a/b/" },
	{ "a bucket and a slash", "s3://databend/", "databend", "" },
	{ "a bucket alone", "s3://databend", "databend", "" },
	{ "the scheme in upper case", "S3://databend/", "databend", "" },
	{ "a bucket in upper case stays so", "s3://Data_Bend.x/", "Data_Bend.x",
	  "" },
	{ "percent-escapes are decoded", "s3://b/a%20b/%C3%A9/", "b",
	  "a b/\xc3\xa9/" },
	{ "an encoded percent sign", "s3://b/100%25/", "b", "100%/" },
	{ "an encoded question mark", "s3://b/a%3Fb/", "b", "a?b/" },
	{ "empty segments are dropped", "s3://b//a//b//", "b", "a/b/" },
	{ "a slash that is encoded ends a segment", "s3://b/a%2F", "b", "a/" },
	{ "a plus is a plus", "s3://b/a+b/", "b", "a+b/" },
	{ "no slash at the end", "s3://b/tb101", NULL, "must end in '/'" },
	{ "no bucket", "s3:///a/", NULL, "bucket is missing" },
	{ "no scheme", "databend/a/", NULL, "s3://BUCKET" },
	{ "another scheme", "oss://b/", NULL, "no other scheme" },
	{ "a scheme to come", "gcs://b/", NULL, "not supported yet" },
	{ "an access point's ARN",
	  "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/p/", NULL,
	  "by its alias" },
	{ "a colon in the bucket", "s3://b:9000/a/", NULL, "letters, digits" },
	{ "a query", "s3://b/a/?x=1", NULL, "%3F" },
	{ "a fragment", "s3://b/a/#x", NULL, "%23" },
	{ "a broken escape", "s3://b/a%2/", NULL, "no escape" },
	{ "dot dot", "s3://b/a/../c/", NULL, "not names" },
	{ "dot", "s3://b/./", NULL, "not names" },
	{ "nothing", "", NULL, "no url" },
};

static void places_are_found(void **state)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct conn c = { .url = (char *)places[i].url };
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct conn_location p;
		int rc = conn_location(&c, &p, &why);

		if (places[i].bucket) {
			row_number(places[i].sentence, rc, 0);
			row_equal(places[i].sentence, p.bucket,
				  places[i].bucket);
			row_equal(places[i].sentence, p.prefix,
				  places[i].prefix);
		} else {
			row_number(places[i].sentence, rc, -EINVAL);
			row_check(places[i].sentence,
				  strstr(buf_str(&why), places[i].prefix));
		}
		conn_location_clear(&p);
		buf_clear(&why);
	}
}

static void a_path_has_an_end(void **state)
{
	struct buf url = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);
	struct conn_location p;
	struct conn c = { 0 };

	buf_adds(&url, "s3://b/");
	for (int i = 0; i < 400; i++)
		buf_adds(&url, "a/");
	c.url = url.data;
	row_number("800 bytes", conn_location(&c, &p, &why), -EINVAL);
	row_check("are too many", strstr(buf_str(&why), "too long"));
	conn_location_clear(&p);
	buf_clear(&url);
	buf_clear(&why);
}

/* ---- endpoint and region ---- */

static const struct {
	const char *sentence;
	const char *endpoint, *region;
	const char *wanted_endpoint, *wanted_region;
} servers[] = {
	{ "nothing given is Amazon", NULL, NULL, "https://s3.amazonaws.com",
	  "" },
	{ "a region of Amazon's", NULL, "eu-west-1",
	  "https://s3.eu-west-1.amazonaws.com", "eu-west-1" },
	{ "the general endpoint with a region", "https://s3.amazonaws.com",
	  "us-east-2", "https://s3.us-east-2.amazonaws.com", "us-east-2" },
	{ "a region in China", NULL, "cn-north-1",
	  "https://s3.cn-north-1.amazonaws.com.cn", "cn-north-1" },
	{ "the endpoint tells the region", "https://s3.us-east-2.amazonaws.com",
	  NULL, "https://s3.us-east-2.amazonaws.com", "us-east-2" },
	{ "a dual-stack endpoint",
	  "https://s3.dualstack.us-west-2.amazonaws.com", NULL,
	  "https://s3.dualstack.us-west-2.amazonaws.com", "us-west-2" },
	{ "Cloudflare", "https://x.r2.cloudflarestorage.com", NULL,
	  "https://x.r2.cloudflarestorage.com", "auto" },
	{ "Aliyun", "https://oss-cn-beijing.aliyuncs.com", NULL,
	  "https://oss-cn-beijing.aliyuncs.com", "oss-cn-beijing" },
	{ "Aliyun's S3 door", "https://s3.oss-cn-beijing.aliyuncs.com", NULL,
	  "https://s3.oss-cn-beijing.aliyuncs.com", "oss-cn-beijing" },
	{ "Wasabi", "https://s3.eu-central-1.wasabisys.com", NULL,
	  "https://s3.eu-central-1.wasabisys.com", "eu-central-1" },
	{ "a region that is given wins", "https://s3.us-east-2.amazonaws.com",
	  "x", "https://s3.us-east-2.amazonaws.com", "x" },
	{ "a server of one's own", "http://127.0.0.1:9000", NULL,
	  "http://127.0.0.1:9000", "" },
	{ "no scheme is https", "minio.example:9000", NULL,
	  "https://minio.example:9000", "" },
	{ "a slash at the end", "http://Minio.Example/", NULL,
	  "http://minio.example", "" },
	{ "a path of the server's is kept", "https://h/storage/v1/s3/", NULL,
	  "https://h/storage/v1/s3", "" },
	{ "the default port is dropped", "https://h:443", NULL, "https://h",
	  "" },
};

static void endpoints_and_regions(void **state)
{
	for (size_t i = 0; i < COUNT(servers); i++) {
		const struct conn c = {
			.s3.endpoint_url = (char *)servers[i].endpoint,
			.s3.region = (char *)servers[i].region,
		};
		struct buf out = BUF_INIT(BUF_URL);

		conn_endpoint(&c, &out);
		row_equal(servers[i].sentence, buf_str(&out),
			  servers[i].wanted_endpoint);
		buf_reset(&out);
		conn_endpoint_region(&c, &out);
		row_equal(servers[i].sentence, buf_str(&out),
			  servers[i].wanted_region);
		buf_clear(&out);
	}
}

/* ---- overlap ---- */

static const struct {
	const char *sentence;
	const char *a_server, *a_bucket, *a_prefix;
	const char *b_server, *b_bucket, *b_prefix;
	bool overlap;
} overlaps[] = {
	{ "the same", "http://h", "s3://b", "a/", "http://h", "s3://b", "a/",
	  true },
	{ "one in the other", "http://h", "s3://b", "", "http://h", "s3://b",
	  "a/", true },
	{ "the other way round", "http://h", "s3://b", "a/b/", "http://h",
	  "s3://b", "a/", true },
	{ "side by side", "http://h", "s3://b", "a/", "http://h", "s3://b",
	  "ab/", false },
	{ "another bucket", "http://h", "s3://b", "", "http://h", "s3://c", "",
	  false },
	{ "another port", "http://h", "s3://b", "", "http://h:1", "s3://b", "",
	  false },
	{ "http and https of one host without ports", "http://h", "s3://b", "",
	  "https://h", "s3://b", "", true },
	{ "two of Amazon's endpoints", NULL, "s3://b", "",
	  "https://s3.us-east-2.amazonaws.com", "s3://b", "a/", true },
	{ "one with a dot behind it", "https://s3.amazonaws.com.", "s3://b", "",
	  "https://s3.us-east-2.amazonaws.com", "s3://b", "a/", true },
	{ "a host's name with a dot", "http://h.:9000", "s3://b", "",
	  "http://h:9000", "s3://b", "a/", true },
	{ "this machine by name and by number", "http://localhost:9000",
	  "s3://b", "", "http://127.0.0.1:9000", "s3://b", "a/", true },
	{ "this machine by both numbers", "http://[::1]:9000", "s3://b", "",
	  "http://127.0.0.1:9000", "s3://b", "a/", true },
	{ "another port of this machine", "http://localhost:9000", "s3://b", "",
	  "http://127.0.0.1:9001", "s3://b", "a/", false },
};

static void overlaps_are_seen(void **state)
{
	for (size_t i = 0; i < COUNT(overlaps); i++) {
		const struct conn a = {
			.url = (char *)overlaps[i].a_bucket,
			.s3.endpoint_url = (char *)overlaps[i].a_server,
		};
		const struct conn b = {
			.url = (char *)overlaps[i].b_bucket,
			.s3.endpoint_url = (char *)overlaps[i].b_server,
		};

		struct buf x = BUF_INIT(BUF_URL), y = BUF_INIT(BUF_URL);
		struct buf why = BUF_INIT(BUF_MESSAGE);

		row_number(overlaps[i].sentence,
			   conn_keys(&a, overlaps[i].a_prefix, &x, &why), 0);
		row_number(overlaps[i].sentence,
			   conn_keys(&b, overlaps[i].b_prefix, &y, &why), 0);
		row_number(overlaps[i].sentence,
			   conn_keys_overlap(buf_str(&x), buf_str(&y)),
			   overlaps[i].overlap);
		buf_clear(&x);
		buf_clear(&y);
		buf_clear(&why);
	}
}

/* ---- the table ---- */

static const struct {
	const char *sentence;
	const char *settings[4]; /* key, value, key, value */
	const char *tells; /* NULL: accepted */
} checks[] = {
	{ "nothing but a place", { 0 }, NULL },
	{ "keys", { "access_key_id", "a", "secret_access_key", "b" }, NULL },
	{ "Databend's names of the keys",
	  { "aws_key_id", "a", "AWS_SECRET_KEY", "b" },
	  NULL },
	{ "a key without its secret",
	  { "aws_key_id", "a" },
	  "without secret_access_key" },
	{ "a secret without its key",
	  { "aws_secret_key", "sesame" },
	  "without access_key_id" },
	{ "a token alone",
	  { "security_token", "sesame" },
	  "session_token without" },
	{ "static credentials that are not there",
	  { "credentials", "static" },
	  "no access_key_id" },
	{ "anonymous", { "credentials", "anonymous" }, NULL },
	{ "anonymous and a key",
	  { "credentials", "anonymous", "access_key_id", "a" },
	  "without secret_access_key" },
	{ "a profile", { "credentials", "profile:dev" }, NULL },
	{ "an order", { "credentials", "env,profile:dev, imds" }, NULL },
	{ "two profiles",
	  { "credentials", "profile:a,profile:b" },
	  "credentials = profile:a,profile:b: auto, static" },
	{ "a role", { "role_arn", "arn:aws:iam::1:role/x" }, NULL },
	{ "a role and what its owner wants",
	  { "aws_role_arn", "arn:aws:iam::1:role/x", "aws_external_id", "y" },
	  NULL },
	{ "an external id alone", { "external_id", "y" }, "without role_arn" },
	{ "nobody in a role",
	  { "credentials", "anonymous", "role_arn", "arn:x" },
	  "anonymous, and a role_arn" },
	{ "a role with a space", { "role_arn", "arn: x" }, "without spaces" },
	{ "a typo in credentials",
	  { "credentials", "enviroment" },
	  "credentials = enviroment" },
	{ "a server with a path", { "endpoint_url", "http://h/x" }, NULL },
	{ "a server with a query",
	  { "endpoint_url", "http://h/?x=1" },
	  "endpoint_url = http://h/?***: " },
	{ "a server with another scheme",
	  { "endpoint_url", "ftp://h" },
	  "http or https" },
	{ "a public server with another scheme",
	  { "public_endpoint_url", "ftp://h" },
	  "public_endpoint_url" },
	{ "a server with a password",
	  { "endpoint_url", "http://u:p@h" },
	  "endpoint_url = http://***@h: a user name or a password" },
	{ "a password with a slash in it",
	  { "endpoint_url", "http://u:p/@h" },
	  "endpoint_url = http://***@h: " },
	{ "a bucket with a password",
	  { "url", "s3://u:p@b/" },
	  "url = s3://***@b/: a bucket's name" },
	{ "a region with a space",
	  { "region", "us east" },
	  "region = us east" },
	{ "a region with a slash", { "region", "us/east" }, "region" },
	{ "an unknown encryption", { "sse", "rot13" }, "AES256" },
	{ "encryption by the server", { "sse", "aws:kms" }, NULL },
	{ "... by a key of one's own",
	  { "sse_kms_key_id", "arn:aws:kms:eu-west-1:1:key/k" },
	  NULL },
	{ "a key for what has none",
	  { "sse", "AES256", "sse_kms_key_id", "k" },
	  "sse_kms_key_id with" },
	{ "what a key is bound to",
	  { "sse", "aws:kms", "sse_kms_context", "{\"a\":\"b\"}" },
	  NULL },
	{ "... that is no object",
	  { "sse", "aws:kms", "sse_kms_context", "a=b" },
	  "sse_kms_context is no JSON object" },
	{ "... without a key", { "sse_kms_context", "{}" }, "without sse" },
	{ "a key that the server does not keep",
	  { "sse_customer_key", CUSTOMER_KEY },
	  NULL },
	{ "... beside another encryption",
	  { "sse_customer_key", CUSTOMER_KEY, "sse", "AES256" },
	  "one encryption" },
	{ "... that is too short",
	  { "sse_customer_key", "c2hvcnQ=" },
	  "sse_customer_key is not the Base64 of 32 bytes" },
	{ "... that is no Base64", { "sse_customer_key", "!" }, "Base64" },
	{ "... in the clear",
	  { "sse_customer_key", CUSTOMER_KEY, "endpoint_url", "http://h" },
	  "in the clear" },
	{ "... in the clear for URLs",
	  { "sse_customer_key", CUSTOMER_KEY, "public_endpoint_url",
	    "http://h" },
	  "in the clear" },
	{ "... to this machine",
	  { "sse_customer_key", CUSTOMER_KEY, "endpoint_url",
	    "http://127.0.0.1:9000" },
	  NULL },
	{ "tags", { "tagging", "one=1&two=%26&three=" }, NULL },
	{ "tags without a name", { "tagging", "=1" }, "tagging is no list" },
	{ "tags without a value", { "tagging", "one" }, "tagging is no list" },
	{ "tags with nothing behind", { "tagging", "a=1&" }, "tagging is" },
	{ "tags with a space", { "tagging", "a=b c" }, "tagging = " },
	{ "more tags than an object has",
	  { "tagging", "a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1" },
	  "at most 10" },
	{ "an ACL", { "acl", "bucket-owner-full-control" }, NULL },
	{ "an ACL that is two headers", { "acl", "private x" }, "acl" },
	{ "a missing CA file",
	  { "ca_file", "/nonexistent/ca.pem" },
	  "No such file" },
	{ "a path without its slash",
	  { "url", "s3://b/a" },
	  "must end in '/'" },
};

static void set(struct conn *c, const char *key, const char *value)
{
	const struct option *row = option_find(conn_options, key);
	struct buf why = BUF_INIT(BUF_MESSAGE);

	row_check(key, row != NULL);
	row_number(key, option_set(row, c, value, &why), 0);
	buf_clear(&why);
}

static void settings_are_checked(void **state)
{
	for (size_t i = 0; i < COUNT(checks); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		const char *const *s = checks[i].settings;
		struct conn c = { 0 };
		int rc;

		row_number("defaults", option_defaults(conn_options, &c), 0);
		set(&c, "url", "s3://b/");
		for (int j = 0; j < 4 && s[j]; j += 2)
			set(&c, s[j], s[j + 1]);
		rc = conn_check(&c, &why);
		row_number(checks[i].sentence, rc,
			   checks[i].tells ? -EINVAL : 0);
		row_check(checks[i].sentence,
			  !rc || strstr(buf_str(&why), checks[i].tells));
		row_check("no secret is told",
			  !strstr(buf_str(&why), "sesame"));
		option_clear(conn_options, &c);
		buf_clear(&why);
	}
}

static void defaults_are_the_designs(void **state)
{
	struct conn c = { 0 };

	row_number("defaults", option_defaults(conn_options, &c), 0);
	row_number("addressing", c.addressing, CONN_PATH);
	row_number("connections", c.lane.connections, 32);
	row_number("connect_timeout", c.lane.connect_timeout_s, 10);
	row_number("idle_timeout", c.lane.idle_timeout_s, 30);
	row_number("deadline", c.lane.deadline_s, 120);
	row_number("part_size", c.part_size, 0);
	row_number("upload_checksum", c.s3.upload_checksum, 0);
	row_equal("credentials", c.creds.credentials, "auto");
	option_clear(conn_options, &c);
}

/* Every alias of Databend's means the key it should, and secrets are secret. */
static const struct {
	const char *alias, *key;
	bool secret;
} aliases[] = {
	{ "access_key_id", "access_key_id", false },
	{ "aws_key_id", "access_key_id", false },
	{ "secret_access_key", "secret_access_key", true },
	{ "aws_secret_key", "secret_access_key", true },
	{ "session_token", "session_token", true },
	{ "aws_token", "session_token", true },
	{ "security_token", "session_token", true },
	{ "role_arn", "role_arn", false },
	{ "aws_role_arn", "role_arn", false },
	{ "external_id", "external_id", false },
	{ "aws_external_id", "external_id", false },
	{ "master_key", "master_key", true },
	{ "enable_virtual_host_style", "enable_virtual_host_style", false },
};

static void aliases_mean_their_keys(void **state)
{
	for (size_t i = 0; i < COUNT(aliases); i++) {
		const struct option *row =
			option_find(conn_options, aliases[i].alias);

		row_check(aliases[i].alias, row != NULL);
		row_equal(aliases[i].alias, row->name, aliases[i].key);
		row_number(aliases[i].alias, !!(row->flags & OPTION_SECRET),
			   aliases[i].secret);
		row_number(aliases[i].alias, !!(row->flags & OPTION_NO_COMMAND),
			   aliases[i].secret);
	}
}

SUITE(conn)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_found),
		cmocka_unit_test(a_path_has_an_end),
		cmocka_unit_test(endpoints_and_regions),
		cmocka_unit_test(overlaps_are_seen),
		cmocka_unit_test(settings_are_checked),
		cmocka_unit_test(defaults_are_the_designs),
		cmocka_unit_test(aliases_mean_their_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
