/*
 * A request to a provider of credentials. Blocks.
 */
#ifndef AUTH_CRED_HTTP_H
#define AUTH_CRED_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http_engine.h"
#include "sign/sigv4.h"

struct cred_ask;

#define CRED_REPLY_MAX 65536
#define CRED_HEADERS_MAX 2

struct cred_request {
	struct http_lane *lane;
	enum http_verb verb;
	const char *url;
	struct field headers[CRED_HEADERS_MAX]; /* name NULL: none */
	const char *body; /* NULL: none */
	int64_t deadline_ms; /* with all attempts */
	bool once; /* one attempt, else as many as fit */
	/* Adds headers to each attempt, on any thread; may be NULL. 0 or
	 * -errno. */
	int (*sign)(const void *arg, struct http_wire *wire);
	const void *sign_arg;
};

/*
 * 0 with an answer of whatever status in *out, or -errno; nothing is added to
 * ask->err. *out is cleared by cred_ask_http_clear() in any case.
 */
int cred_ask_http(struct cred_ask *ask, const struct cred_request *request,
		  struct http_reply *out);
void cred_ask_http_clear(struct http_reply *reply); /* wipes the body */

#endif
