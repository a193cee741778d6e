/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread for each connection, in straight-line code: a handler may block.
 * Connections are counted here and not by libmicrohttpd, so that a full house
 * makes room by cutting off an idle one (connections.h).
 */
#include "gateway/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "gateway/context.h"
#include "gateway/connections.h"
#include "gateway/callbacks.h"

#define CONNECTION_MEMORY (96 << 10) /* the request's head, then its body */
#define SPARE_CONNECTIONS 64 /* of those that are being cut off */
/* 1.0 and 1.1 are given up: RFC 8996. */
#define TLS_PRIORITIES "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL"
#ifdef __SANITIZE_ADDRESS__
#define STACK (2 << 20)
#else
#define STACK (256 << 10)
#endif

struct server {
	struct gateway *gateway;
	struct MHD_Daemon *daemons[SERVER_SOCKETS_MAX];
	unsigned n;
	bool quiet; /* takes no more connections */
};

static int server_fd(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static void server_on_connection(void *arg, struct MHD_Connection *c,
				 void **context,
				 enum MHD_ConnectionNotificationCode what)
{
	struct gateway *g = arg;
	int fd = server_fd(c);

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		connections_remove(g->connections, *context);
		*context = NULL;
		return;
	}
	*context = connections_add(g->connections, fd);
	if (!*context)
		shutdown(fd, SHUT_RDWR);
}

static size_t server_no_unescape(void *arg, struct MHD_Connection *c, char *s)
{
	return strlen(s);
}

static struct MHD_Daemon *server_start_daemon(struct server *s, int fd)
{
	const struct gateway *g = s->gateway;
	const bool tls = g->certificate != NULL;
	struct MHD_OptionItem keys[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, g->private_key },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, g->certificate },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD |
			 MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
			 MHD_USE_ITC;

	return MHD_start_daemon(
		flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
		callbacks_on_request, s->gateway, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT,
		g->set.connections + SPARE_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, g->set.body_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
		callbacks_on_target, s->gateway, MHD_OPTION_UNESCAPE_CALLBACK,
		server_no_unescape, NULL, MHD_OPTION_NOTIFY_CONNECTION,
		server_on_connection, s->gateway, MHD_OPTION_NOTIFY_COMPLETED,
		callbacks_on_completed, s->gateway, MHD_OPTION_ARRAY,
		tls ? keys : &keys[3], MHD_OPTION_END);
}

int server_new(struct gateway *g, const int *fds, unsigned n, struct buf *why)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc = s && n <= SERVER_SOCKETS_MAX ? 0 : -ENOMEM;

	if (!rc) {
		s->gateway = g;
		g->connections = connections_new(g->set.connections,
						 g->set.header_timeout_s * 1000,
						 g->set.body_timeout_s * 1000);
		rc = g->connections ? 0 : -ENOMEM;
		g->server = s; /* before its threads are */
	}
	for (unsigned i = 0; i < n; i++) {
		struct MHD_Daemon *d =
			rc ? NULL : server_start_daemon(s, fds[i]);

		if (d)
			s->daemons[s->n++] = d;
		else
			close(fds[i]);
		if (!d && !rc)
			rc = buf_fail(why, -EINVAL, "%s",
				      g->certificate
					      ? "the HTTP server does not "
						"start: are tls_certificate "
						"and tls_key a pair?"
					      : "the HTTP server does not "
						"start");
	}
	if (rc) {
		server_free(s);
		g->server = NULL;
	}
	return rc;
}

bool server_stop(struct server *s, unsigned seconds)
{
	struct gateway *g = s->gateway;
	int64_t until = clock_mono_ms() + (int64_t)seconds * 1000;
	const struct timespec moment = { .tv_nsec = 20 * 1000000 };

	for (unsigned i = 0; i < s->n && !s->quiet; i++) {
		int fd = MHD_quiesce_daemon(s->daemons[i]);

		if (fd >= 0)
			close(fd);
	}
	s->quiet = true;
	do {
		if (g->connections)
			connections_cut(g->connections, false);
		if (!g->connections ||
		    !connections_count(g->connections).at_work)
			return true;
		nanosleep(&moment, NULL);
	} while (clock_mono_ms() < until);
	return false;
}

void server_free(struct server *s)
{
	struct gateway *g;

	if (!s)
		return;
	g = s->gateway;
	server_stop(s, 0);
	if (g->connections)
		connections_cut(g->connections, true);
	for (unsigned i = 0; i < s->n; i++)
		MHD_stop_daemon(s->daemons[i]);
	connections_free(g->connections);
	g->connections = NULL;
	free(s);
}

const char *server_library(void)
{
	return MHD_get_version();
}
