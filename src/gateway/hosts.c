/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A browser that a page of another site has turned against us says so: the
 * name that it looked up is in Host (DNS rebinding), the page in Origin.
 */
#include "gateway/hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS " \t,\n"

size_t hosts_list_next(const char **s)
{
	if (!*s)
		return 0;
	*s += strspn(*s, SEPARATORS);
	return strcspn(*s, SEPARATORS);
}

/* Nothing, or a colon and digits. */
static bool hosts_is_port(const char *s, size_t n)
{
	return !n || (*s == ':' && strspn(s + 1, "0123456789") >= n - 1);
}

/* The bytes of `name:port` or `[v6]:port` that are the name, brackets off. Of
 * what is neither the whole is the name. */
static void hosts_name(const char *host, size_t n, const char **name,
		       size_t *len)
{
	const char *end;

	*name = host;
	*len = n;
	if (n && *host == '[') {
		end = memchr(host, ']', n);
		if (!end ||
		    !hosts_is_port(end + 1, n - (size_t)(end - host) - 1))
			return;
		*name = host + 1;
		*len = (size_t)(end - host - 1);
		return;
	}
	end = memchr(host, ':', n);
	/* Two colons: an IPv6 address without brackets. */
	if (end && hosts_is_port(end, n - (size_t)(end - host)))
		*len = (size_t)(end - host);
}

static bool hosts_equal(const char *a, size_t n, const char *b, size_t m)
{
	return n == m && !strncasecmp(a, b, n);
}

/* Is the name the address at which the connection came in? */
static bool hosts_is_local(const char *name, size_t n,
			   const struct sockaddr_storage *local)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in6_addr six;
	struct in_addr four;

	if (n >= sizeof(text))
		return false;
	memcpy(text, name, n);
	text[n] = '\0';
	if (local->ss_family == AF_INET)
		return inet_pton(AF_INET, text, &four) == 1 &&
		       !memcmp(&four,
			       &((const struct sockaddr_in *)local)->sin_addr,
			       sizeof(four));
	if (local->ss_family == AF_INET6)
		return inet_pton(AF_INET6, text, &six) == 1 &&
		       !memcmp(&six,
			       &((const struct sockaddr_in6 *)local)->sin6_addr,
			       sizeof(six));
	return false;
}

/* Entries whose name is that; one with a port means that port. */
static bool hosts_listed(const char *host, const char *list, bool ports)
{
	const char *name, *entry;
	size_t name_len, n, entry_len;

	hosts_name(host, strlen(host), &name, &name_len);
	for (const char *s = list; (n = hosts_list_next(&s)); s += n) {
		hosts_name(s, n, &entry, &entry_len);
		if (!hosts_equal(name, name_len, entry, entry_len))
			continue;
		if (!ports || entry_len == n || (*s == '[' && s[n - 1] == ']'))
			return true;
		if (hosts_equal(host, strlen(host), s, n))
			return true;
	}
	return false;
}

bool hosts_allowed(const char *host, const struct sockaddr_storage *local,
		   const char *listen, const char *allowed)
{
	const char *name;
	size_t n;

	if (!host || !*host)
		return false;
	hosts_name(host, strlen(host), &name, &n);
	return hosts_equal(name, n, "localhost", 9) ||
	       hosts_is_local(name, n, local) ||
	       hosts_listed(host, listen, false) ||
	       hosts_listed(host, allowed, true);
}

enum origin_verdict hosts_judge_origin(const char *origin, const char *site,
				       const char *origins)
{
	bool any = false;
	size_t n;

	if (!origin)
		return !site || !strcasecmp(site, "none") ? ORIGIN_NONE
							  : ORIGIN_FOREIGN;
	for (const char *s = origins; (n = hosts_list_next(&s)); s += n) {
		if (n == 1 && *s == '*')
			any = true;
		else if (hosts_equal(s, n, origin, strlen(origin)))
			return ORIGIN_LISTED;
	}
	return any ? ORIGIN_ANY : ORIGIN_FOREIGN;
}
