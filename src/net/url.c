/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small parser for the URLs of a configuration, stricter than RFC 3986: a
 * user name, a query or a fragment in an endpoint is a mistake that would
 * otherwise surface as a wrong signature. Messages never repeat the text: it
 * may hold a password.
 *
 * curl's own parser does not do: it takes `host:` and `%41`, writes 127.1 and
 * addresses of IPv6 anew, so that another Host would be signed than the one
 * that was meant, and has one word for most mistakes.
 */
#include "net/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define HOST_MAX 253 /* RFC 1035 */
#define SCHEME_MAX 32

static const struct {
	const char *scheme;
	unsigned port;
} default_ports[] = {
	{ "http", 80 },
	{ "https", 443 },
};

static int url_refuse(struct buf *why, const char *reason)
{
	return buf_fail(why, -EINVAL, "%s", reason);
}

static char *url_lower_dup(const char *s, size_t n)
{
	char *out = strndup(s, n);

	for (char *p = out; p && *p; p++)
		*p = text_lower(*p);
	return out;
}

/* s is `[address]`. */
static bool url_is_ipv6(const char *s, size_t n)
{
	struct in6_addr ignored;
	char text[INET6_ADDRSTRLEN];

	if (n < 4 || n - 2 >= sizeof(text))
		return false;
	memcpy(text, s + 1, n - 2);
	text[n - 2] = '\0';
	return inet_pton(AF_INET6, text, &ignored) == 1;
}

/* The n bytes between the slashes: HOST, HOST:PORT, [V6] or [V6]:PORT. */
static int url_parse_authority(const char *s, size_t n, struct url *out,
			       struct buf *why)
{
	const char *end = s + n;
	const char *colon;
	uint64_t port;

	if (memchr(s, '@', n))
		return url_refuse(why,
				  "a user name or a password does not belong "
				  "in a URL");
	if (*s == '[') {
		colon = memchr(s, ']', n);
		if (!colon || !url_is_ipv6(s, colon + 1 - s))
			return url_refuse(why,
					  "no IPv6 address in the brackets");
		colon++;
		if (colon < end && *colon != ':')
			return url_refuse(why,
					  "something stands behind the IPv6 "
					  "address");
	} else {
		colon = memchr(s, ':', n);
		if (!colon)
			colon = end;
		if (colon == s)
			return url_refuse(why, "the host is missing");
		if (colon - s > HOST_MAX || !text_is_word(s, colon - s, "-._"))
			return url_refuse(why,
					  "the host name has a character that "
					  "no host name has, or is too long");
	}
	if (colon < end) {
		if (parse_u64n(colon + 1, end - colon - 1, 65535, &port) ||
		    !port)
			return url_refuse(why,
					  "the port is not a number of 1 to "
					  "65535");
		out->port = port;
	}
	out->host = url_lower_dup(s, colon - s);
	return out->host ? 0 : -ENOMEM;
}

int url_parse(const char *text, const char *scheme, struct url *out,
	      struct buf *why)
{
	const char *rest = strstr(text, "://");
	size_t n;
	int ret;

	memset(out, 0, sizeof(*out));
	if (strlen(text) > BUF_URL)
		return url_refuse(why, "the URL is too long");
	if (text_has_control(text) || strchr(text, ' '))
		return url_refuse(why,
				  "a space or a control character in a URL");
	if (strpbrk(text, "?#"))
		return url_refuse(why, "a query or a fragment does not belong "
				       "here");
	if (rest) {
		if (!text_is_alpha(*text) || rest - text > SCHEME_MAX ||
		    !text_is_word(text, rest - text, "+-."))
			return url_refuse(why, "what stands before :// is no "
					       "scheme");
		out->scheme = url_lower_dup(text, rest - text);
		rest += 3;
	} else if (scheme) {
		out->scheme = strdup(scheme);
		rest = text;
	} else {
		return url_refuse(why, "the scheme is missing (https://...)");
	}
	if (!out->scheme)
		return -ENOMEM;
	n = strcspn(rest, "/");
	if (!n)
		return url_refuse(why, "the host is missing");
	ret = url_parse_authority(rest, n, out, why);
	if (ret)
		return ret;
	out->path = strdup(rest + n);
	return out->path ? 0 : -ENOMEM;
}

void url_clear(struct url *u)
{
	free(u->scheme);
	free(u->host);
	free(u->path);
	memset(u, 0, sizeof(*u));
}

static unsigned url_default_port(const char *scheme)
{
	for (size_t i = 0; i < sizeof(default_ports) / sizeof(*default_ports);
	     i++)
		if (!strcmp(default_ports[i].scheme, scheme))
			return default_ports[i].port;
	return 0;
}

void url_authority(const struct url *u, struct buf *out)
{
	buf_adds(out, u->host);
	if (u->port && u->port != url_default_port(u->scheme))
		buf_addf(out, ":%u", u->port);
}

void url_origin(const struct url *u, struct buf *out)
{
	buf_addf(out, "%s://", u->scheme);
	url_authority(u, out);
}
