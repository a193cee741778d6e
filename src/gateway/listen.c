/* SPDX-License-Identifier: Apache-2.0 */
/*
 * We bind ourselves, so that a port that is taken is told from other trouble.
 */
#include "gateway/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/hosts.h"

#define BACKLOG 1024

/* `host:port`, `[v6]:port`; the port is what follows the last colon. */
static int listen_split(const char *s, size_t n, char host[256], char port[8])
{
	const char *colon = memrchr(s, ':', n);
	size_t host_len, port_len;
	uint64_t number;

	if (!colon)
		return -EINVAL;
	host_len = (size_t)(colon - s);
	port_len = n - host_len - 1;
	if (parse_u64n(colon + 1, port_len, 65535, &number) || port_len > 7)
		return -EINVAL;
	memcpy(port, colon + 1, port_len);
	port[port_len] = '\0';
	if (host_len > 2 && s[0] == '[' && s[host_len - 1] == ']') {
		s++;
		host_len -= 2;
	} else if (memchr(s, ':', host_len)) {
		return -EINVAL;
	}
	if (!host_len || host_len > 255)
		return -EINVAL;
	memcpy(host, s, host_len);
	host[host_len] = '\0';
	return 0;
}

static int listen_resolve(const char *s, size_t len,
			  struct listen_address out[LISTEN_MAX], unsigned *n)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	char host[256], port[8];

	if (listen_split(s, len, host, port) ||
	    getaddrinfo(host, port, &hints, &found))
		return -EINVAL;
	for (struct addrinfo *a = found; a && *n < LISTEN_MAX; a = a->ai_next) {
		if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
			continue;
		memset(&out[*n], 0, sizeof(out[*n]));
		memcpy(&out[*n].sa, a->ai_addr, a->ai_addrlen);
		out[(*n)++].len = a->ai_addrlen;
	}
	freeaddrinfo(found);
	return 0;
}

int listen_parse(const char *list, struct listen_address out[LISTEN_MAX],
		 unsigned *n, struct buf *why)
{
	size_t len;

	*n = 0;
	for (const char *s = list; (len = hosts_list_next(&s)); s += len) {
		BUF_LOCAL word = BUF_INIT(BUF_MESSAGE);
		int rc;

		buf_add(&word, s, len);
		rc = listen_resolve(s, len, out, n);
		if (rc) {
			buf_adds(why, "listen: ");
			text_printable(why, buf_str(&word));
			buf_adds(why, ": an address is HOST:PORT or "
				      "[IPV6]:PORT");
		}
		if (rc)
			return rc;
	}
	if (!*n)
		buf_adds(why, "listen: no address");
	return *n ? 0 : -EINVAL;
}

void listen_set_port(struct listen_address *a, unsigned port)
{
	if (a->sa.ss_family == AF_INET)
		((struct sockaddr_in *)&a->sa)->sin_port =
			htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)&a->sa)->sin6_port =
			htons((uint16_t)port);
}

unsigned listen_port(const struct listen_address *a)
{
	return ntohs(
		a->sa.ss_family == AF_INET
			? ((const struct sockaddr_in *)&a->sa)->sin_port
			: ((const struct sockaddr_in6 *)&a->sa)->sin6_port);
}

int listen_open(const struct listen_address *a, int *fd)
{
	int on = 1, rc;

	*fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->sa.ss_family == AF_INET6)
		setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (!bind(*fd, (const struct sockaddr *)&a->sa, a->len) &&
	    !listen(*fd, BACKLOG))
		return 0;
	rc = -errno;
	close(*fd);
	*fd = -1;
	return rc;
}

int listen_inherited(int fd, struct listen_address *out)
{
	int listening = 0;
	socklen_t n = sizeof(listening);

	out->len = sizeof(out->sa);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) ||
	    !listening ||
	    getsockname(fd, (struct sockaddr *)&out->sa, &out->len))
		return -EINVAL;
	if (out->sa.ss_family != AF_INET && out->sa.ss_family != AF_INET6)
		return -EINVAL;
	return 0;
}

void listen_name(const struct listen_address *a, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];
	bool six = a->sa.ss_family == AF_INET6;
	const void *bytes =
		six ? (const void *)&((const struct sockaddr_in6 *)&a->sa)
				->sin6_addr
		    : (const void *)&((const struct sockaddr_in *)&a->sa)
				->sin_addr;

	if (!inet_ntop(a->sa.ss_family, bytes, text, sizeof(text)))
		return;
	buf_addf(out, six ? "[%s]:%u" : "%s:%u", text, listen_port(a));
}

void listen_origin(int fd, bool tls, struct buf *out)
{
	struct listen_address a = { .len = sizeof(a.sa) };
	struct in6_addr *six = &((struct sockaddr_in6 *)&a.sa)->sin6_addr;
	struct in_addr *four = &((struct sockaddr_in *)&a.sa)->sin_addr;

	if (getsockname(fd, (struct sockaddr *)&a.sa, &a.len))
		return;
	if (a.sa.ss_family == AF_INET && four->s_addr == htonl(INADDR_ANY))
		four->s_addr = htonl(INADDR_LOOPBACK);
	if (a.sa.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(six))
		*six = in6addr_loopback;
	buf_adds(out, tls ? "https://" : "http://");
	listen_name(&a, out);
}
