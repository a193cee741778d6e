/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every provider of credentials is handed: ways to the network, and a
 * place for the reason of a failure; and what providers do alike: they ask a
 * server, read a small file, look at the environment.
 *
 * A provider answers 0 with credentials that live; -ENOENT: it is not set up
 * here, the next one may be asked; or another -errno, which ends the search:
 * it is set up, and wrong. Providers block, and never hold a lock. An
 * interrupt of the calling thread (base/waiter.h) ends them early with -EINTR.
 */
#ifndef AUTH_CRED_ASK_H
#define AUTH_CRED_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/http_engine.h"
#include "sign/sigv4.h"

struct creds;

struct cred_ask {
	struct http_lane *far; /* STS, single sign-on; NULL: no network here */
	struct http_lane *near; /* containers, instance metadata: no proxy */
	const char *region; /* the stage's; NULL: not known */
	bool env; /* the environment may add to a profile */
	/* Out: */
	bool costly; /* a program ran, or a network was asked */
	int64_t skew_s; /* how far our clock is ahead of the last answer's */
	struct buf why; /* why; providers put their reasons one after another */
};

/* One that a table may name. */
typedef int cred_provider(struct cred_ask *ask, struct creds **out);

/* Adds a reason, behind a `; ` when there is one already. Returns rc. */
int cred_ask_fail(struct cred_ask *ask, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A variable of the environment; NULL when it is not set, or empty. */
const char *cred_ask_env(const char *name);
/* True when it is set to a word that means yes. */
bool cred_ask_env_yes(const char *name);

/* The file's content, less what of `end` is at its end: io_read_file()'s, and
 * nothing is said. */
int cred_ask_file(const char *path, const char *end, struct buf *out);

#define CRED_REPLY_MAX 65536
#define CRED_HEADERS_MAX 2

struct cred_request {
	const char *provider; /* named when no answer comes; NULL: not */
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
 * 0 with an answer of whatever status in *out, or -errno. *out is cleared by
 * cred_ask_http_clear() in any case.
 */
int cred_ask_http(struct cred_ask *ask, const struct cred_request *request,
		  struct http_reply *out);
void cred_ask_http_clear(struct http_reply *reply); /* wipes the body */
#define CRED_REPLY_LOCAL \
	__attribute__((cleanup(cred_ask_http_clear))) struct http_reply

#endif
