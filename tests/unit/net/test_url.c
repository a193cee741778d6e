/* SPDX-License-Identifier: Apache-2.0 */
/* The URLs of a configuration: what is understood, and what is refused. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "net/url.h"

static const struct {
	const char *sentence;
	const char *text, *scheme;
	const char *got_scheme, *host;
	unsigned port;
	const char *path;
	const char *authority, *origin;
} good[] = {
	{ "a host", "https://s3.example.com", NULL, "https", "s3.example.com",
	  0, "", "s3.example.com", "https://s3.example.com" },
	{ "a host and a slash", "http://h/", NULL, "http", "h", 0, "/", "h",
	  "http://h" },
	{ "a port", "http://127.0.0.1:9000", NULL, "http", "127.0.0.1", 9000,
	  "", "127.0.0.1:9000", "http://127.0.0.1:9000" },
	{ "a port that is http's own", "http://h:80/", NULL, "http", "h", 80,
	  "/", "h", "http://h" },
	{ "a port that is https's own", "https://h:443", NULL, "https", "h",
	  443, "", "h", "https://h" },
	{ "https's port under http", "http://h:443", NULL, "http", "h", 443, "",
	  "h:443", "http://h:443" },
	{ "a path stays as it is", "https://h/a%20b//c/../d/", NULL, "https",
	  "h", 0, "/a%20b//c/../d/", "h", "https://h" },
	{ "letters become small", "HTTPS://S3.Example.COM/A", NULL, "https",
	  "s3.example.com", 0, "/A", "s3.example.com",
	  "https://s3.example.com" },
	{ "an IPv6 address", "http://[::1]:9000/x", NULL, "http", "[::1]", 9000,
	  "/x", "[::1]:9000", "http://[::1]:9000" },
	{ "an IPv6 address without a port", "https://[2001:DB8::1]", NULL,
	  "https", "[2001:db8::1]", 0, "", "[2001:db8::1]",
	  "https://[2001:db8::1]" },
	{ "a scheme that is added", "minio.local:9000", "http", "http",
	  "minio.local", 9000, "", "minio.local:9000",
	  "http://minio.local:9000" },
	{ "a scheme that needs no adding", "https://h", "http", "https", "h", 0,
	  "", "h", "https://h" },
	{ "a bucket as the host", "s3://my-bucket_1/p/", NULL, "s3",
	  "my-bucket_1", 0, "/p/", "my-bucket_1", "s3://my-bucket_1" },
};

static void test_good(void **state)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		const char *sentence = good[i].sentence;
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct buf out = BUF_INIT(1000);
		struct url u;

		row_number(sentence,
			   url_parse(good[i].text, good[i].scheme, &u, &why),
			   0);
		row_equal(sentence, u.scheme, good[i].got_scheme);
		row_equal(sentence, u.host, good[i].host);
		row_number(sentence, u.port, good[i].port);
		row_equal(sentence, u.path, good[i].path);
		url_authority(&u, &out);
		row_equal(sentence, buf_str(&out), good[i].authority);
		buf_reset(&out);
		url_origin(&u, &out);
		row_equal(sentence, buf_str(&out), good[i].origin);
		buf_clear(&out);
		buf_clear(&why);
		url_clear(&u);
	}
}

static const struct {
	const char *sentence;
	const char *text, *scheme;
	const char *why; /* a part of it */
} bad[] = {
	{ "nothing", "", NULL, "scheme is missing" },
	{ "nothing but a scheme to add", "", "http", "host is missing" },
	{ "no scheme", "h:9000", NULL, "scheme is missing" },
	{ "an empty scheme", "://h", NULL, "no scheme" },
	{ "a bad scheme", "ht tp://h", NULL, "space" },
	{ "a scheme that begins with a digit", "3s://h", NULL, "no scheme" },
	{ "no host", "http:///path", NULL, "host is missing" },
	{ "no host but a port", "http://:80/", NULL, "host is missing" },
	{ "a user name", "https://geheim@h/", NULL, "user name" },
	{ "a password", "https://me:geheim@h/", NULL, "password" },
	{ "a query", "https://h/?geheim=1", NULL, "query" },
	{ "a fragment", "https://h/#geheim", NULL, "fragment" },
	{ "a space", "https://h/a b", NULL, "space" },
	{ "a control byte", "https://h/a\nb", NULL, "control" },
	{ "a port of nothing", "https://h:/", NULL, "port" },
	{ "a port of 0", "https://h:0/", NULL, "port" },
	{ "a port that is too large", "https://h:65536/", NULL, "port" },
	{ "a port with a sign", "https://h:+80/", NULL, "port" },
	{ "two ports", "https://h:1:2/", NULL, "port" },
	{ "a host with a strange character", "https://h*x/", NULL, "host" },
	{ "a percent in the host", "https://h%20/", NULL, "host" },
	{ "an IPv6 address without an end", "http://[::1/", NULL, "IPv6" },
	{ "no IPv6 address in the brackets", "http://[geheim]/", NULL, "IPv6" },
	{ "something behind the brackets", "http://[::1]x/", NULL, "behind" },
	{ "IPv6 without brackets", "http://::1/", NULL, "host" },
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct url u;

		row_number(bad[i].sentence,
			   url_parse(bad[i].text, bad[i].scheme, &u, &why),
			   -EINVAL);
		row_check(bad[i].sentence, strstr(buf_str(&why), bad[i].why));
		row_check(bad[i].sentence, !strstr(buf_str(&why), "geheim"));
		buf_clear(&why);
		url_clear(&u);
	}
}

static void test_too_long(void **state)
{
	struct buf text = BUF_INIT(BUF_URL * 2), why = BUF_INIT(BUF_MESSAGE);
	struct url u;

	buf_adds(&text, "http://");
	for (int i = 0; i < 254; i++)
		buf_addc(&text, 'h');
	assert_int_equal(url_parse(buf_str(&text), NULL, &u, &why), -EINVAL);
	url_clear(&u);
	while (text.len <= BUF_URL)
		buf_addc(&text, '/');
	assert_int_equal(url_parse(buf_str(&text), NULL, &u, &why), -EINVAL);
	url_clear(&u);
	buf_clear(&text);
	buf_clear(&why);
}

SUITE(url)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
