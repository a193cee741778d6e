/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer, as a handler sees them. libmicrohttpd stands
 * behind answer.c, callbacks.c and server.c alone.
 *
 * A handler runs on the connection's own thread (small stack: big things go on
 * the heap) and may block. The order of calls is begin, data..., end, done;
 * a handler that has answered gets nothing more but done. What is left of the
 * body then is swallowed or the connection ends, the client's behaviour
 * decides. Before begin the server has checked the sizes, the Host and, by the
 * route's flags, the origin; it answers OPTIONS and refuses other methods
 * itself.
 */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/field.h"

struct answer;
struct exchange;
struct file_body;
struct gateway;

/* How a route tells an error. */
enum exchange_form { EXCHANGE_XML, EXCHANGE_JSON };

struct exchange_handler {
	const char *kind; /* in metrics: "object", "upload" */
	/* The headers have come. Answers, or returns and gets the body; a
	 * client that waits for `100 Continue` is told to send it then. */
	void (*begin)(struct exchange *x);
	/* The next bytes of the body, n > 0. NULL: there is none to be read,
	 * it is swallowed. */
	void (*data)(struct exchange *x, const void *bytes, size_t n);
	/* The body is complete (also when there is none). Answers. */
	void (*end)(struct exchange *x);
	/* Always the last: frees x->state. Without an answer before it the
	 * client has gone or was cut off, and nothing shall remain. May be
	 * NULL. */
	void (*done)(struct exchange *x);
};

/* Read by handlers, but for `state`. Strings live until done() has returned. */
struct exchange {
	struct gateway *gateway;
	const struct exchange_handler *handler;
	enum exchange_form form;
	const char *method;
	const char *target; /* of the request line, raw: never log the query */
	const char *path; /* of it, raw, without the query */
	const char *query; /* raw, without `?`; NULL: none */
	/* In the order that they came; the same name may come twice. */
	const struct field *headers;
	size_t n_headers;
	/* Bytes of the body as announced; -1: chunked, so unknown; 0: none */
	int64_t content_length;
	struct sockaddr_storage peer, local;
	int fd; /* the connection's socket; not to be read or written */
	/* Origin came and is in cors_origins: the answer will say so. */
	bool origin_allowed;
	/* Origin came and is not, or Sec-Fetch-Site says another site. */
	bool foreign;
	/* Where its body ends can be read in two ways: the connection ends
	 * with the answer. */
	bool unclear;
	char id[17]; /* of the request, for log lines and answers */

	void *state; /* the handler's own */

	struct answer *answer; /* answer.h */
};

/* The first of that name, any case; NULL. */
const char *exchange_header(const struct exchange *x, const char *name);
/* How often it came. */
unsigned exchange_header_count(const struct exchange *x, const char *name);

/*
 * A header of the answer to come; before exchange_answer*(). The name is the
 * handler's own; a value with control bytes is left out.
 */
void exchange_add(struct exchange *x, const char *name, const char *value);

/* Answers; the first answer counts, a later one is dropped. bytes are copied;
 * n 0: no body. */
void exchange_answer(struct exchange *x, unsigned status, const char *type,
		     const void *bytes, size_t n);
/* The answer's body is that range of a file; the file is closed afterwards.
 * When another program has written into it the body ends too early. */
void exchange_answer_file(struct exchange *x, unsigned status, const char *type,
			  const struct file_body *f);
/* To HEAD, or a 304: a body would have that many bytes. Else n is 0. */
void exchange_answer_head(struct exchange *x, unsigned status, const char *type,
			  uint64_t n);
/*
 * An error in the route's form. XML: `<Error><Code>code</Code>...`; JSON:
 * `{"error":{"code":status,"message":message}}`. No secrets in message.
 */
void exchange_refuse(struct exchange *x, unsigned status, const char *code,
		     const char *message);
/* The second form with a code of its own. */
void exchange_refuse_json(struct exchange *x, unsigned status, unsigned code,
			  const char *message);
bool exchange_answered(const struct exchange *x);

#endif
