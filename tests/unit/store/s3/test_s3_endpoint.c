/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, paths and regions of endpoints: pure, by table. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "store/s3/s3_endpoint.h"

static void even(void **state)
{
	static const struct {
		const char *endpoint;
		bool even;
	} rows[] = {
		{ "https://0123abc.r2.cloudflarestorage.com", true },
		{ "https://0123abc.eu.r2.cloudflarestorage.com", true },
		{ "https://s3.us-east-2.amazonaws.com", false },
		{ "https://r2.cloudflarestorage.com.example", false },
		{ "http://127.0.0.1:9000", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct s3_endpoint p;

		row_number(rows[i].endpoint,
			   s3_endpoint_init(&p, rows[i].endpoint, "b", false,
					    &why),
			   0);
		row_number(rows[i].endpoint, s3_endpoint_is_even(&p),
			   rows[i].even);
		s3_endpoint_clear(&p);
		buf_clear(&why);
	}
}

static void places(void **state)
{
	static const struct {
		const char *sentence, *endpoint;
		bool virtual_host;
		const char *region, *host, *path;
	} rows[] = {
		{ "path style", "http://127.0.0.1:9000", false, "us-east-1",
		  "127.0.0.1:9000", "/b/a%20b/%2B" },
		{ "the default port is not named", "http://minio:80", false,
		  "us-east-1", "minio", "/b/a%20b/%2B" },
		{ "virtual host style", "https://store.example", true,
		  "us-east-1", "b.store.example", "/a%20b/%2B" },
		{ "a path in front", "http://store.example/s3/", false, "x",
		  "store.example", "/s3/b/a%20b/%2B" },
		{ "an address in brackets", "http://[::1]:9000", false, "x",
		  "[::1]:9000", "/b/a%20b/%2B" },
		{ "another region of Amazon's",
		  "https://s3.us-east-2.amazonaws.com", false, "eu-west-1",
		  "s3.eu-west-1.amazonaws.com", "/b/a%20b/%2B" },
		{ "... with the bucket in front",
		  "https://s3.us-east-2.amazonaws.com", true, "eu-west-1",
		  "b.s3.eu-west-1.amazonaws.com", "/a%20b/%2B" },
		{ "... in China", "https://s3.cn-north-1.amazonaws.com.cn",
		  false, "cn-northwest-1", "s3.cn-northwest-1.amazonaws.com.cn",
		  "/b/a%20b/%2B" },
		{ "Amazon's endpoint without a region",
		  "https://s3.amazonaws.com", false, "us-east-1",
		  "s3.amazonaws.com", "/b/a%20b/%2B" },
		{ "... of a bucket that is elsewhere",
		  "https://s3.amazonaws.com", false, "eu-west-1",
		  "s3.eu-west-1.amazonaws.com", "/b/a%20b/%2B" },
		{ "what only looks like Amazon's",
		  "https://s3.eu.amazonaws.com.example", false, "x",
		  "s3.eu.amazonaws.com.example", "/b/a%20b/%2B" },
		{ "one with both kinds of addresses",
		  "https://s3.dualstack.us-east-2.amazonaws.com", false,
		  "eu-west-1", "s3.dualstack.eu-west-1.amazonaws.com",
		  "/b/a%20b/%2B" },
		{ "an old name of one region",
		  "https://s3-us-west-2.amazonaws.com", false, "us-west-2",
		  "s3-us-west-2.amazonaws.com", "/b/a%20b/%2B" },
		{ "... and of another", "https://s3-us-west-2.amazonaws.com",
		  false, "eu-central-1", "s3.eu-central-1.amazonaws.com",
		  "/b/a%20b/%2B" },
		{ "a second name of the first region",
		  "https://s3-external-1.amazonaws.com", false, "us-east-1",
		  "s3-external-1.amazonaws.com", "/b/a%20b/%2B" },
		{ "an interface of a network of one's own",
		  "https://bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com",
		  false, "eu-west-1",
		  "bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com",
		  "/b/a%20b/%2B" },
		{ "a name with its last dot",
		  "https://s3.us-east-2.amazonaws.com.", false, "eu-west-1",
		  "s3.eu-west-1.amazonaws.com", "/b/a%20b/%2B" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE), out = BUF_INIT(4096);
		struct s3_endpoint p;

		row_number(rows[i].sentence,
			   s3_endpoint_init(&p, rows[i].endpoint, "b",
					    rows[i].virtual_host, &why),
			   0);
		s3_endpoint_host(&p, rows[i].region, &out);
		row_equal(rows[i].sentence, buf_str(&out), rows[i].host);
		buf_reset(&out);
		s3_endpoint_path(&p, "a b/+", &out);
		row_equal(rows[i].sentence, buf_str(&out), rows[i].path);
		s3_endpoint_clear(&p);
		buf_clear(&out);
		buf_clear(&why);
	}
}

static void regions(void **state)
{
	static const struct {
		const char *endpoint, *region;
	} rows[] = {
		{ "https://s3.us-east-2.amazonaws.com", "us-east-2" },
		{ "https://s3-eu-west-1.amazonaws.com", "eu-west-1" },
		{ "https://s3.cn-north-1.amazonaws.com.cn", "cn-north-1" },
		{ "https://s3.amazonaws.com", "" },
		{ "https://s3.amazonaws.com.", "" },
		{ "https://s3.us-east-2.amazonaws.com.", "us-east-2" },
		{ "https://s3-external-1.amazonaws.com", "us-east-1" },
		{ "https://s3-1.amazonaws.com", "us-east-1" },
		{ "https://s3-accelerate.amazonaws.com", "" },
		{ "https://s3-accelerate.dualstack.amazonaws.com", "" },
		{ "https://s3.dualstack.us-west-2.amazonaws.com", "us-west-2" },
		{ "https://s3-fips.us-gov-west-1.amazonaws.com",
		  "us-gov-west-1" },
		{ "https://s3-fips-us-gov-west-1.amazonaws.com",
		  "us-gov-west-1" },
		{ "https://s3-fips.dualstack.us-east-1.amazonaws.com",
		  "us-east-1" },
		{ "https://s3.dualstack.cn-north-1.amazonaws.com.cn.",
		  "cn-north-1" },
		{ "https://b.s3.eu-west-1.amazonaws.com", "eu-west-1" },
		{ "https://bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com",
		  "us-east-1" },
		{ "https://vpce-1a-2b-us-east-1a.s3.us-east-1.vpce.amazonaws."
		  "com",
		  "us-east-1" },
		{ "https://accesspoint.vpce-1a.s3.ap-southeast-3.vpce."
		  "amazonaws.com",
		  "ap-southeast-3" },
		{ "https://x.r2.cloudflarestorage.com.", "auto" },
		{ "https://s3.us-west-001.backblazeb2.com", "us-west-001" },
		{ "https://s3.eu-central-1.wasabisys.com", "eu-central-1" },
		{ "https://oss-cn-beijing.aliyuncs.com", "oss-cn-beijing" },
		{ "https://s3.example.com", "" },
		{ "http://127.0.0.1", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		char region[S3_REGION_SIZE];
		struct s3_endpoint p;

		row_number(rows[i].endpoint,
			   s3_endpoint_init(&p, rows[i].endpoint, "b", false,
					    &why),
			   0);
		s3_endpoint_region(&p, region);
		row_equal(rows[i].endpoint, region, rows[i].region);
		s3_endpoint_clear(&p);
		buf_clear(&why);
	}
}

static void hints(void **state)
{
	static const struct {
		const char *sentence, *endpoint, *bucket;
		bool virtual_host, hint;
		int rc;
	} rows[] = {
		{ "dots over TLS", "https://h.example", "a.b", true, true,
		  -EKEYREJECTED },
		{ "by path", "https://h.example", "a.b", false, false,
		  -EKEYREJECTED },
		{ "without dots", "https://h.example", "ab", true, false,
		  -EKEYREJECTED },
		{ "another failure", "https://h.example", "a.b", true, false,
		  -ECONNREFUSED },
		{ "no TLS there", "https://h.example", "ab", false, true,
		  -EPROTO },
		{ "no HTTP there", "http://h.example", "ab", false, false,
		  -EPROTO },
		{ "TLS there", "http://h.example", "ab", false, true,
		  -ECONNRESET },
		{ "broken TLS", "https://h.example", "ab", false, false,
		  -ECONNRESET },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct s3_endpoint p;

		row_number(rows[i].sentence,
			   s3_endpoint_init(&p, rows[i].endpoint,
					    rows[i].bucket,
					    rows[i].virtual_host, &why),
			   0);
		row_number(rows[i].sentence,
			   s3_endpoint_hint(&p, rows[i].rc) != NULL,
			   rows[i].hint);
		s3_endpoint_clear(&p);
		buf_clear(&why);
	}
}

SUITE(s3_endpoint)
{
	const struct CMUnitTest tests[] = {
		{ "hosts and paths", places },
		{ "who wants parts of one length", even },
		{ "the region in an endpoint's name", regions },
		{ "what to do about a failure", hints },
	};

	return cmocka_run_group_tests_name("s3_endpoint", tests, NULL, NULL);
}
