/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP connection of loopback with both its ends. Whatever accepts fails the
 * test; a family that the machine lacks is told.
 */
#ifndef TESTS_LIB_SOCKET_PAIR_H
#define TESTS_LIB_SOCKET_PAIR_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

struct pair {
	int listener, client, server;
	struct sockaddr_storage peer, local; /* of server */
};

static void name_loopback(int family, bool mapped, uint16_t port,
			  struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in->sin_port = port;
		*len = sizeof(*in);
	} else {
		in6->sin6_port = port;
		inet_pton(AF_INET6, mapped ? "::ffff:127.0.0.1" : "::1",
			  &in6->sin6_addr);
		*len = sizeof(*in6);
	}
}

static bool connect_client(struct pair *p, int family, bool mapped)
{
	const struct sockaddr_in *in;
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	getsockname(p->listener, (struct sockaddr *)&a, &len);
	in = (const struct sockaddr_in *)&a; /* ports stand in one place */
	name_loopback(family, mapped, in->sin_port, &a, &len);
	p->client = socket(family, SOCK_STREAM, 0);
	return p->client >= 0 &&
	       !connect(p->client, (struct sockaddr *)&a, len);
}

static void accept_client(struct pair *p)
{
	socklen_t len = sizeof(p->peer);

	p->server = accept(p->listener, (struct sockaddr *)&p->peer, &len);
	assert_true(p->server >= 0);
	len = sizeof(p->local);
	getsockname(p->server, (struct sockaddr *)&p->local, &len);
}

static bool listen_at(struct pair *p, int family)
{
	struct sockaddr_storage a;
	socklen_t len;

	*p = (struct pair){ -1, -1, -1, .peer = { 0 } };
	name_loopback(family, false, 0, &a, &len);
	p->listener = socket(family, SOCK_STREAM, 0);
	return p->listener >= 0 &&
	       !bind(p->listener, (struct sockaddr *)&a, len) &&
	       !listen(p->listener, 5);
}

static void close_pair(struct pair *p)
{
	close(p->listener);
	close(p->client);
	close(p->server);
}

#endif
