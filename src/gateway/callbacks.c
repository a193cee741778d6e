/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a request from its first byte to its handler and back.
 *
 * libmicrohttpd decodes a path before it shows it, and a signature is over the
 * bytes that came; so the request target is taken where it is still whole (the
 * URI log callback), and the library's decoding is turned off.
 *
 * STARTED -> target -> headers: request_filter(), begin() -> data() ... ->
 * end() -> the answer -> COMPLETED: done(), counted. An answer that is there
 * before the body is sent at once, and the connection ends, when the client
 * waits for it (Expect) or has much to send; else the body is swallowed first,
 * for a client that writes and does not read would see a reset instead of the
 * answer. A body that was let in and fails in its middle (a full disk) is
 * swallowed to its end, however long: the library takes no answer before that.
 * What bounds it is the deadline of a refused connection (connections.h). Where
 * the headers can be read in two ways the connection ends too: what another
 * server before us takes for the body would be the next request.
 */
#include "gateway/callbacks.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/waiter.h"
#include "gateway/request_filter.h"
#include "gateway/counters.h"
#include "gateway/answer.h"
#include "gateway/context.h"
#include "gateway/connections.h"
#include "gateway/route.h"

#define HEADERS_MAX 100
#define SWALLOW_MAX (16 << 20)
/* A request under way. */
struct request {
	struct exchange x;
	struct answer answer;
	struct connection *connection;
	struct field headers[HEADERS_MAX];
	char *path;
	bool begun, queued, spoilt, too_many;
	uint64_t received, started_us;
};

static struct connection *callback_connection(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* Not on its thread's stack: what comes next is read from the connection. */
void *callbacks_on_target(void *server, const char *target,
			  struct MHD_Connection *c)
{
	struct connection *connection = callback_connection(c);

	if (connection) {
		free(connection->target);
		connection->target = strdup(target);
	}
	return NULL;
}

static enum MHD_Result callback_take_header(void *arg, enum MHD_ValueKind kind,
					    const char *name, size_t name_len,
					    const char *value, size_t value_len)
{
	struct request *r = arg;

	if (!value)
		value = "";
	if (!name_len || text_token_len(name) != name_len ||
	    !text_is_field_value(value, value_len)) {
		r->spoilt = true;
		return MHD_NO;
	}
	if (r->x.n_headers == HEADERS_MAX) {
		r->too_many = true;
		return MHD_NO;
	}
	r->headers[r->x.n_headers++] = (struct field){ name, value };
	return MHD_YES;
}

static int64_t callback_body_length(const struct exchange *x)
{
	const char *length = exchange_header(x, "Content-Length");
	uint64_t n = 0;

	if (exchange_header(x, "Transfer-Encoding"))
		return -1;
	return length && parse_u64(length, INT64_MAX, &n) ? INT64_MAX
							  : (int64_t)n;
}

static void callback_fill_addresses(struct exchange *x,
				    struct connection *connection,
				    struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	socklen_t n = sizeof(connection->local);

	x->fd = connection->fd;
	if (info && info->client_addr)
		memcpy(&x->peer, info->client_addr,
		       info->client_addr->sa_family == AF_INET6
			       ? sizeof(struct sockaddr_in6)
			       : sizeof(struct sockaddr_in));
	if (connection->local.ss_family == AF_UNSPEC)
		getsockname(x->fd, (struct sockaddr *)&connection->local, &n);
	x->local = connection->local;
}

static struct request *callback_request_new(struct gateway *g,
					    struct MHD_Connection *c,
					    struct connection *connection,
					    const char *method)
{
	struct request *r = calloc(1, sizeof(*r));
	const char *mark;

	if (!r)
		return NULL;
	r->connection = connection;
	r->started_us = clock_mono_us();
	r->x.gateway = g;
	r->x.method = method;
	r->x.target = connection->target ? connection->target : "";
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
	r->x.answer = &r->answer;
	answer_init(&r->answer);
	random_hex(r->x.id, sizeof(r->x.id) / 2);
	callback_fill_addresses(&r->x, connection, c);
	MHD_get_connection_values_n(c, MHD_HEADER_KIND, callback_take_header,
				    r);
	r->x.content_length = callback_body_length(&r->x);
	return r;
}

static enum MHD_Result callback_send_answer(struct request *r,
					    struct MHD_Connection *c,
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
	response = answer_response(&r->x, close);
	if (!response)
		return MHD_NO;
	rc = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	r->queued = rc == MHD_YES;
	return rc;
}

static bool callback_expects_continue(const struct exchange *x)
{
	const char *expect = exchange_header(x, "Expect");

	return expect && !strcasecmp(expect, "100-continue");
}

/* Has it its share of the house? Many clients of one object, and one client of
 * many, wait for each other rather than let others wait. */
static void callback_take_share(struct request *r)
{
	struct exchange *x = &r->x;
	const char *object = x->form == EXCHANGE_XML ? x->path : NULL;

	if (connections_share(x->gateway->connections, r->connection, object,
			      &x->peer))
		return;
	exchange_add(x, "Retry-After", "1");
	exchange_refuse(x, 503, "SlowDown",
			"too many requests of this object, or from this "
			"address, are under way");
}

static void callback_begin(struct request *r)
{
	struct exchange *x = &r->x;
	const struct route *route =
		route_find(x->gateway->routes, x->path, strlen(x->path));

	x->form = route->form;
	x->handler = route->handler;
	x->unclear = r->spoilt || r->too_many;
	if (r->spoilt)
		exchange_refuse(x, 400, "InvalidRequest",
				"a header cannot be read: its name is none, or "
				"there are control bytes in its value");
	else if (r->too_many)
		exchange_refuse(x, 431, "RequestHeaderSectionTooLarge",
				"there are too many headers");
	else
		request_filter(x, route);
	if (!exchange_answered(x))
		callback_take_share(r);
	if (exchange_answered(x))
		return;
	r->begun = true;
	x->handler->begin(x);
}

/* The headers are complete. */
static enum MHD_Result callback_on_headers(struct gateway *g, struct request *r,
					   struct MHD_Connection *c)
{
	int64_t length = r->x.content_length;

	callback_begin(r);
	if (r->x.unclear)
		return callback_send_answer(r, c, true);
	/* An answer that the library gets now ends the connection. */
	if (!exchange_answered(&r->x) || !length)
		return connections_set(g->connections, r->connection,
				       CONNECTION_AT_WORK)
			       ? MHD_YES
			       : MHD_NO;
	if (length < 0 || length > SWALLOW_MAX ||
	    callback_expects_continue(&r->x))
		return callback_send_answer(r, c, true);
	return connections_set(g->connections, r->connection,
			       CONNECTION_REFUSED)
		       ? MHD_YES
		       : MHD_NO;
}

/* Bytes of the body. What was refused is swallowed. */
static enum MHD_Result callback_on_data(struct gateway *g, struct request *r,
					const char *bytes, size_t n)
{
	r->received += n;
	if (exchange_answered(&r->x))
		return MHD_YES;
	if (r->x.handler->data)
		r->x.handler->data(&r->x, bytes, n);
	if (!exchange_answered(&r->x))
		return MHD_YES;
	return connections_set(g->connections, r->connection,
			       CONNECTION_REFUSED)
		       ? MHD_YES
		       : MHD_NO;
}

static enum MHD_Result callback_on_end(struct request *r,
				       struct MHD_Connection *c)
{
	if (!exchange_answered(&r->x) && r->x.handler->end)
		r->x.handler->end(&r->x);
	return callback_send_answer(r, c, false);
}

/*
 * The time that a handler takes is not the client's: without this the library
 * ends a connection when a store was slow. Its clock starts anew with the
 * second call.
 */
static void callback_stop_clock(struct MHD_Connection *c)
{
	MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
}

static void callback_start_clock(struct gateway *g, struct MHD_Connection *c)
{
	MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT,
				  g->set.body_timeout_s);
}

enum MHD_Result callbacks_on_request(void *arg, struct MHD_Connection *c,
				     const char *url, const char *method,
				     const char *version, const char *bytes,
				     size_t *n, void **state)
{
	struct gateway *g = arg;
	struct request *r = *state;
	struct waiter *self = waiter_self();
	struct connection *connection = callback_connection(c);
	enum MHD_Result rc;

	if (!connection)
		return MHD_NO;
	connections_set_waiter(g->connections, connection, self);
	callback_stop_clock(c);
	if (!r) {
		waiter_begin(self);
		connections_touch(g->connections, connection);
		*state = r = callback_request_new(g, c, connection, method);
		rc = r ? callback_on_headers(g, r, c) : MHD_NO;
	} else if (*n) {
		rc = callback_on_data(g, r, bytes, *n);
		*n = 0;
	} else if (r->queued) {
		rc = MHD_YES;
	} else {
		rc = callback_on_end(r, c);
	}
	callback_start_clock(g, c);
	connections_set_waiter(g->connections, connection, NULL);
	return rc;
}

/* Never the query: it may be worth as much as a password. A client that has
 * escaped its question mark has it in the path. */
static void callback_add_path(struct buf *out, const char *path)
{
	const char *query = strcasestr(path, "X-Amz-");
	BUF_LOCAL before = BUF_INIT(BUF_URL);

	buf_add(&before, path, query ? (size_t)(query - path) : strlen(path));
	text_printable(out, buf_str(&before));
	buf_adds(out, query ? "..." : "");
}

static void callback_log(const struct request *r,
			 const struct counters_request *c)
{
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);

	if (!log_wants(LOG_LEVEL_DEBUG))
		return;
	text_printable(&what, r->x.method);
	buf_addc(&what, ' ');
	callback_add_path(&what, r->x.path);
	log_debug("gateway: %s %s: status %u%s, %llu bytes in, %llu "
		  "out, %llu ms",
		  r->x.id, buf_str(&what), c->status,
		  c->broken ? " (broken off)" : "",
		  (unsigned long long)c->bytes_in,
		  (unsigned long long)c->bytes_out,
		  (unsigned long long)c->us / 1000);
}

void callbacks_on_completed(void *arg, struct MHD_Connection *c, void **state,
			    enum MHD_RequestTerminationCode how)
{
	struct gateway *g = arg;
	struct request *r = *state;
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
		.bytes_out = whole && strcmp(r->x.method, "HEAD") != 0
				     ? r->answer.len
				     : 0,
		.us = clock_mono_us() - r->started_us,
		.broken = !whole,
	};
	counters_count(g->counters, &count);
	callback_log(r, &count);
	connections_set(g->connections, r->connection, CONNECTION_IDLE);
	answer_clear(&r->answer);
	free(r->path);
	free(r);
}
