/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts and origins that a request may name, addresses to listen at.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "gateway/hosts.h"
#include "gateway/ip.h"
#include "gateway/listen.h"

static struct sockaddr_storage at(const char *text)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *four = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
		a.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
		a.ss_family = AF_INET6;
	return a;
}

static const struct {
	const char *sentence, *host, *local, *listen, *allowed;
	bool good;
} hosts[] = {
	{ "the address it came in at", "127.0.0.1:8000", "127.0.0.1", "", "",
	  true },
	{ "by another port", "127.0.0.1:9", "127.0.0.1", "", "", true },
	{ "without a port", "127.0.0.1", "127.0.0.1", "", "", true },
	{ "another address", "127.0.0.2:8000", "127.0.0.1", "", "", false },
	{ "localhost", "localhost:8000", "127.0.0.1", "", "", true },
	{ "LocalHost", "LocalHost", "127.0.0.1", "", "", true },
	{ "a name that begins so", "localhost.evil.com", "127.0.0.1", "", "",
	  false },
	{ "a name that ends so", "evil.localhost", "127.0.0.1", "", "", false },
	{ "IPv6", "[::1]:8000", "::1", "", "", true },
	{ "IPv6 without brackets", "::1", "::1", "", "", true },
	{ "IPv6, another", "[::2]:8000", "::1", "", "", false },
	{ "IPv6 in other letters", "[0:0::1]", "::1", "", "", true },
	{ "brackets that do not close", "[::1", "::1", "", "", false },
	{ "something behind brackets", "[::1].evil.com", "::1", "", "", false },
	{ "IPv4 in them", "[127.0.0.1].evil.com", "127.0.0.1", "", "", false },
	{ "a port that is none", "localhost:evil.com", "127.0.0.1", "", "",
	  false },
	{ "a port and more", "localhost:80@evil.com", "127.0.0.1", "", "",
	  false },
	{ "an empty port", "localhost:", "127.0.0.1", "", "", true },
	{ "a name of listen", "box:8000", "10.0.0.1", "box:8000", "", true },
	{ "by another port, of listen", "box:80", "10.0.0.1", "box:8000", "",
	  true },
	{ "a name of allowed_hosts", "a.example", "10.0.0.1", "",
	  "b.example, a.example", true },
	{ "with a port", "a.example:80", "10.0.0.1", "", "a.example", true },
	{ "one with a port means that", "a.example:80", "10.0.0.1", "",
	  "a.example:443", false },
	{ "and takes that", "a.example:443", "10.0.0.1", "", "a.example:443",
	  true },
	{ "part of a name", "example", "10.0.0.1", "", "a.example", false },
	{ "none", "", "127.0.0.1", "", "", false },
	{ "did not come", NULL, "127.0.0.1", "", "", false },
	{ "a star is no name", "x", "127.0.0.1", "", "*", false },
};

static void test_hosts(void **state)
{
	for (size_t i = 0; i < COUNT(hosts); i++) {
		const struct sockaddr_storage local = at(hosts[i].local);

		row_number(hosts[i].sentence,
			   hosts_allowed(hosts[i].host, &local, hosts[i].listen,
					 hosts[i].allowed),
			   hosts[i].good);
	}
}

static const struct {
	const char *sentence, *origin, *site, *origins;
	enum origin_verdict verdict;
} origins[] = {
	{ "a program", NULL, NULL, "", ORIGIN_NONE },
	{ "a person who typed", NULL, "none", "", ORIGIN_NONE },
	{ "a page of another site", NULL, "cross-site", "", ORIGIN_FOREIGN },
	{ "a page of ours, of which there is none", NULL, "same-origin", "",
	  ORIGIN_FOREIGN },
	{ "no list", "https://a", NULL, NULL, ORIGIN_FOREIGN },
	{ "not in the list", "https://a", "cross-site", "https://b",
	  ORIGIN_FOREIGN },
	{ "in the list", "https://a", "cross-site", "https://b https://a",
	  ORIGIN_LISTED },
	{ "in the list, by other letters", "https://A", NULL, "https://a",
	  ORIGIN_LISTED },
	{ "another scheme", "http://a", NULL, "https://a", ORIGIN_FOREIGN },
	{ "another port", "https://a:1", NULL, "https://a", ORIGIN_FOREIGN },
	{ "the beginning of one", "https://a", NULL, "https://a.b",
	  ORIGIN_FOREIGN },
	{ "a page without an origin", "null", NULL, "https://a",
	  ORIGIN_FOREIGN },
	{ "all", "https://x", NULL, "*", ORIGIN_ANY },
	{ "all, and that one", "https://x", NULL, "*,https://x",
	  ORIGIN_LISTED },
};

static void test_origins(void **state)
{
	for (size_t i = 0; i < COUNT(origins); i++)
		row_number(origins[i].sentence,
			   hosts_judge_origin(origins[i].origin,
					      origins[i].site,
					      origins[i].origins),
			   origins[i].verdict);
}

static const struct {
	const char *text;
	bool loopback;
} addresses[] = {
	{ "127.0.0.1", true },
	{ "127.9.8.7", true },
	{ "0.0.0.0", false },
	{ "10.0.0.1", false },
	{ "::1", true },
	{ "::", false },
	{ "::ffff:127.0.0.1", true },
	{ "::ffff:10.0.0.1", false },
};

static void test_loopback(void **state)
{
	for (size_t i = 0; i < COUNT(addresses); i++) {
		const struct sockaddr_storage a = at(addresses[i].text);

		row_number(addresses[i].text, ip_is_loopback(&a),
			   addresses[i].loopback);
	}
}

static const struct {
	const char *list;
	unsigned n; /* 0: refused */
	const char *first;
} lists[] = {
	{ "127.0.0.1:8000", 1, "127.0.0.1:8000" },
	{ "127.0.0.1:8000, [::1]:8001", 2, "127.0.0.1:8000" },
	{ "[::1]:65535", 1, "[::1]:65535" },
	{ " 127.0.0.1:1\t127.0.0.2:2,", 2, "127.0.0.1:1" },
	{ "0.0.0.0:80", 1, "0.0.0.0:80" },
	{ "", 0, NULL },
	{ " , ", 0, NULL },
	{ "127.0.0.1", 0, NULL },
	{ "8000", 0, NULL },
	{ ":8000", 0, NULL },
	{ "127.0.0.1:", 0, NULL },
	{ "127.0.0.1:65536", 0, NULL },
	{ "127.0.0.1:http", 0, NULL },
	{ "::1:80", 0, NULL },
	{ "[::1]", 0, NULL },
	{ "127.0.0.1:-1", 0, NULL },
};

static void test_lists(void **state)
{
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE), name = BUF_INIT(256);
		struct listen_address out[LISTEN_MAX];
		unsigned n;
		int rc = listen_parse(lists[i].list, out, &n, &why);

		row_number(lists[i].list, rc == 0, lists[i].n > 0);
		row_number(lists[i].list, why.len > 0, lists[i].n == 0);
		if (!rc) {
			row_number(lists[i].list, n, lists[i].n);
			listen_name(&out[0], &name);
			row_equal(lists[i].list, buf_str(&name),
				  lists[i].first);
		}
		buf_clear(&why);
		buf_clear(&name);
	}
}

SUITE(hosts)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
