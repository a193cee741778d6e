/*
 * A thread for each connection, in straight-line code: a handler may block.
 *
 * libmicrohttpd decodes a path before it shows it, and a signature is over the
 * bytes that came; so the request target is taken where it is still whole (the
 * URI log callback), and the library's decoding is turned off.
 *
 * A request: STARTED (link) -> target -> headers: admit(), begin() -> data()
 * ... -> end() -> the answer -> COMPLETED: done(), counted -> the next one, or
 * CLOSED. An answer that is there before the body is sent at once, and the
 * connection ends, when the client waits for it (Expect) or has much to send;
 * else the body is swallowed first, for a client that writes and does not read
 * would see a reset instead of the answer.
 */
#include "gateway/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/wait.h"
#include "gateway/admit.h"
#include "gateway/counters.h"
#include "gateway/exchange_impl.h"
#include "gateway/gateway_impl.h"
#include "gateway/links.h"
#include "gateway/routes.h"

#define HEADERS_MAX 100
#define CONNECTION_MEMORY (96 << 10) /* the request's head, then its body */
#define SWALLOW_MAX (16 << 20)
#define SPARE_CONNECTIONS 64 /* of those that are being cut off */
#ifdef __SANITIZE_ADDRESS__
#define STACK (2 << 20)
#else
#define STACK (256 << 10)
#endif

struct server {
	struct gateway *gateway;
	struct links *links;
	struct MHD_Daemon *daemons[SERVER_SOCKETS_MAX];
	unsigned n;
	bool quiet; /* takes no more connections */
};

/* A request under way. */
struct served {
	struct exchange x;
	struct exchange_answer answer;
	struct link *link;
	struct sigv4_field headers[HEADERS_MAX];
	char *path;
	bool begun, queued, spoilt, too_many;
	uint64_t received, started_us;
};

/* ---- a connection ---- */

static struct link *link_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static int fd_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static void on_connection(void *arg, struct MHD_Connection *c, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct server *s = arg;
	int fd = fd_of(c);

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		links_remove(s->links, *context);
		*context = NULL;
		return;
	}
	*context = links_add(s->links, fd);
	if (!*context)
		shutdown(fd, SHUT_RDWR);
}

/* Not on its thread's stack: what comes next is read from the link. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *c)
{
	struct link *link = link_of(c);

	if (link) {
		free(link->target);
		link->target = strdup(target);
	}
	return NULL;
}

static size_t no_unescape(void *arg, struct MHD_Connection *c, char *s)
{
	return strlen(s);
}

/* ---- a request ---- */

static enum MHD_Result take_header(void *arg, enum MHD_ValueKind kind,
				   const char *name, size_t name_len,
				   const char *value, size_t value_len)
{
	struct served *r = arg;

	if (!value)
		value = "";
	if (strlen(name) != name_len ||
	    (value_len && strlen(value) != value_len)) {
		r->spoilt = true;
		return MHD_NO;
	}
	if (r->x.n_headers == HEADERS_MAX) {
		r->too_many = true;
		return MHD_NO;
	}
	r->headers[r->x.n_headers++] = (struct sigv4_field){ name, value };
	return MHD_YES;
}

static int64_t body_length(const struct exchange *x)
{
	const char *length = exchange_header(x, "Content-Length");

	if (exchange_header(x, "Transfer-Encoding"))
		return -1;
	return length ? strtoll(length, NULL, 10) : 0;
}

static void fill_addresses(struct exchange *x, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	socklen_t n = sizeof(x->local);

	x->fd = fd_of(c);
	if (info && info->client_addr)
		memcpy(&x->peer, info->client_addr,
		       info->client_addr->sa_family == AF_INET6
			       ? sizeof(struct sockaddr_in6)
			       : sizeof(struct sockaddr_in));
	getsockname(x->fd, (struct sockaddr *)&x->local, &n);
}

static void make_id(char out[17])
{
	unsigned char bytes[8] = { 0 };

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
		struct timespec t = clock_now();

		memcpy(bytes, &t.tv_nsec,
		       sizeof(bytes) < sizeof(t.tv_nsec) ? sizeof(bytes)
							 : sizeof(t.tv_nsec));
	}
	hex_encode(bytes, sizeof(bytes), out);
}

static struct served *served_new(struct server *s, struct MHD_Connection *c,
				 struct link *link, const char *method)
{
	struct served *r = calloc(1, sizeof(*r));
	const char *mark;

	if (!r)
		return NULL;
	r->link = link;
	r->started_us = counters_now_us();
	r->x.gateway = s->gateway;
	r->x.method = method;
	r->x.target = link->target ? link->target : "";
	mark = strchr(r->x.target, '?');
	r->path = strndup(r->x.target, mark ? (size_t)(mark - r->x.target)
					    : strlen(r->x.target));
	if (!r->path) {
		free(r);
		return NULL;
	}
	r->x.path = r->path;
	r->x.query = mark ? mark + 1 : NULL;
	r->x.headers = r->headers;
	r->x.tls = s->gateway->certificate != NULL;
	r->x.answer = &r->answer;
	exchange_answer_init(&r->answer);
	make_id(r->x.id);
	fill_addresses(&r->x, c);
	MHD_get_connection_values_n(c, MHD_HEADER_KIND, take_header, r);
	r->x.content_length = body_length(&r->x);
	return r;
}

static enum MHD_Result send_answer(struct served *r, struct MHD_Connection *c,
				   bool close)
{
	unsigned status = r->answer.status;
	struct MHD_Response *response;
	enum MHD_Result rc;

	if (!r->answer.given) {
		exchange_refuse(&r->x, 500, "InternalError",
				"the request ended without an answer");
		status = 500;
	}
	response = exchange_response(&r->x, close);
	if (!response)
		return MHD_NO;
	rc = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	r->queued = rc == MHD_YES;
	return rc;
}

static bool expects_continue(const struct exchange *x)
{
	const char *expect = exchange_header(x, "Expect");

	return expect && !strcasecmp(expect, "100-continue");
}

static void begin(struct served *r)
{
	struct exchange *x = &r->x;
	const struct route *route = route_find(x->path, strlen(x->path));

	x->form = route->form;
	x->handler = route->handler;
	if (r->spoilt)
		exchange_refuse(x, 400, "InvalidRequest",
				"a header has a NUL in it");
	else if (r->too_many)
		exchange_refuse(x, 431, "RequestHeaderSectionTooLarge",
				"there are too many headers");
	else
		admit(x, route);
	if (exchange_answered(x))
		return;
	r->begun = true;
	x->handler->begin(x);
}

/* The headers are complete. */
static enum MHD_Result on_headers(struct server *s, struct served *r,
				  struct MHD_Connection *c)
{
	int64_t length = r->x.content_length;

	begin(r);
	if (!exchange_answered(&r->x))
		return links_set(s->links, r->link, LINK_AT_WORK) ? MHD_YES
								  : MHD_NO;
	if (!length) {
		links_set(s->links, r->link, LINK_AT_WORK);
		return send_answer(r, c, false);
	}
	if (length < 0 || length > SWALLOW_MAX || expects_continue(&r->x))
		return send_answer(r, c, true);
	return links_set(s->links, r->link, LINK_REFUSED) ? MHD_YES : MHD_NO;
}

/* Bytes of the body. What was refused is swallowed, up to a limit. */
static enum MHD_Result on_data(struct server *s, struct served *r,
			       const char *bytes, size_t n)
{
	r->received += n;
	if (!exchange_answered(&r->x)) {
		if (r->x.handler->data)
			r->x.handler->data(&r->x, bytes, n);
		return MHD_YES;
	}
	return r->begun || r->received <= SWALLOW_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_end(struct served *r, struct MHD_Connection *c)
{
	if (!exchange_answered(&r->x) && r->x.handler->end)
		r->x.handler->end(&r->x);
	return send_answer(r, c, false);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *bytes,
				  size_t *n, void **state)
{
	struct server *s = arg;
	struct served *r = *state;
	struct waiter *self = waiter_self();
	struct link *link = link_of(c);
	enum MHD_Result rc;

	if (!link)
		return MHD_NO;
	links_set_waiter(s->links, link, self);
	if (!r) {
		waiter_begin(self);
		*state = r = served_new(s, c, link, method);
		rc = r ? on_headers(s, r, c) : MHD_NO;
	} else if (*n) {
		rc = on_data(s, r, bytes, *n);
		*n = 0;
	} else if (r->queued) {
		rc = MHD_YES;
	} else {
		rc = on_end(r, c);
	}
	links_set_waiter(s->links, link, NULL);
	return rc;
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode how)
{
	struct server *s = arg;
	struct served *r = *state;
	struct counters_request count;
	bool whole = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;

	*state = NULL;
	if (!r)
		return;
	if (r->begun && r->x.handler->done)
		r->x.handler->done(&r->x);
	count = (struct counters_request){
		.kind = r->x.handler ? r->x.handler->kind : "other",
		.method = r->x.method,
		.status = r->queued ? r->answer.status : 0,
		.bytes_in = r->received,
		.bytes_out = whole ? r->answer.len : 0,
		.us = counters_now_us() - r->started_us,
		.broken = !whole,
	};
	counters_count(s->gateway->counters, &count);
	links_set(s->links, r->link, LINK_IDLE);
	exchange_answer_clear(&r->answer);
	free(r->path);
	free(r);
}

/* ---- the daemons ---- */

static struct MHD_Daemon *start(struct server *s, int fd)
{
	const struct gateway *g = s->gateway;
	const bool tls = g->certificate != NULL;
	struct MHD_OptionItem keys[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, g->private_key },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, g->certificate },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD |
			 MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
			 MHD_USE_ITC;

	return MHD_start_daemon(
		flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, s,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		g->set.connections + SPARE_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, g->set.body_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
		on_target, s, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_ARRAY,
		tls ? keys : &keys[2], MHD_OPTION_END);
}

int server_new(struct gateway *g, const int *fds, unsigned n, struct buf *err)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc = s && n <= SERVER_SOCKETS_MAX ? 0 : -ENOMEM;

	if (!rc) {
		s->gateway = g;
		s->links = links_new(g->set.connections,
				     g->set.header_timeout_s * 1000);
		rc = s->links ? 0 : -ENOMEM;
		g->server = s; /* before its threads are */
	}
	for (unsigned i = 0; i < n; i++) {
		struct MHD_Daemon *d = rc ? NULL : start(s, fds[i]);

		if (d)
			s->daemons[s->n++] = d;
		else
			close(fds[i]);
		if (!d && !rc) {
			buf_adds(err, g->certificate
					      ? "the HTTP server does not "
						"start: are tls_certificate "
						"and tls_key a pair?"
					      : "the HTTP server does not "
						"start");
			rc = -EINVAL;
		}
	}
	if (rc) {
		server_free(s);
		g->server = NULL;
	}
	return rc;
}

void server_stop(struct server *s, unsigned seconds)
{
	int64_t until = clock_mono_ms() + (int64_t)seconds * 1000;
	const struct timespec moment = { .tv_nsec = 20 * 1000000 };

	for (unsigned i = 0; i < s->n && !s->quiet; i++) {
		int fd = MHD_quiesce_daemon(s->daemons[i]);

		if (fd >= 0)
			close(fd);
	}
	s->quiet = true;
	do {
		if (s->links)
			links_cut(s->links, false);
		if (!s->links || !links_at_work(s->links))
			return;
		nanosleep(&moment, NULL);
	} while (clock_mono_ms() < until);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	server_stop(s, 0);
	if (s->links)
		links_cut(s->links, true);
	for (unsigned i = 0; i < s->n; i++)
		MHD_stop_daemon(s->daemons[i]);
	links_free(s->links);
	free(s);
}

struct links *server_links(struct server *s)
{
	return s->links;
}
