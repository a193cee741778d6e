/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP calls: what a caller says of one, and what it gets back.
 *
 * A *call* is one logical request. The engine makes as many *attempts* as the
 * retry policy (net/http_retry.h) and the call's deadline allow; prepare()
 * writes each attempt anew, so that each is signed afresh.
 *
 * prepare(), judge(), data() and done() run on the engine's thread (prepare()
 * the first time on the thread that starts the call): they compute, store,
 * wake and return, and never block. done() is called exactly once, may come
 * before http_start() has returned, and is the last touch of the call: it may
 * free it.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum http_verb { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE };
#define HTTP_VERBS 5
const char *http_verb_name(enum http_verb verb);

/* What a request sends: memory, or a range of a file (read by pread). */
struct http_body {
	const void *data; /* borrowed until done(); NULL: use fd */
	int fd;
	uint64_t offset; /* in fd */
	uint64_t len; /* bytes, in either case */
};

/* An attempt on its way out; prepare() fills it. */
struct http_wire {
	struct buf url; /* whole, with the query */
	struct buf headers; /* `Name: value\n` lines; http_wire_header() */
};
/* -EINVAL when the name or the value has a control byte. */
int http_wire_header(struct http_wire *w, const char *name, const char *value);

#define HTTP_HEADERS_MAX 65536 /* bytes of answer headers */
#define HTTP_ERROR_MAX 65536 /* bytes kept of an error's body */

/* The `why` below of a certificate that no known authority has signed. */
extern const char http_untrusted[];

/* An attempt's answer, or its failure. Lives until the callback returns. */
struct http_reply {
	int rc; /* 0, or why no whole answer came: -ETIMEDOUT,
				   -ECONNREFUSED, -ECONNRESET, -EHOSTUNREACH
				   (no such name, no route), -EPROTO (TLS, bad
				   HTTP, a body that ended early), -EKEYREJECTED
				   (not the server it claims to be), -EMSGSIZE
				   (more than reply_max), -EIO (the body to send
				   cannot be read), -EINVAL (a bad URL or CA
				   file), -ENOMEM, -ECANCELED, or what data() or
				   prepare() returned. From -EKEYREJECTED on
				   judge() is not asked: none would help */
	const char *why; /* a sentence for rc, never with a URL in it */
	long status; /* 0 when none came */
	struct buf headers; /* `name: value\n`, names lower-case */
	struct buf body; /* errors, and 2xx of calls without data() */
	uint64_t received; /* body bytes of this attempt */
	unsigned attempt; /* 1 for the first */
};
/*
 * The value of the first header of that (lower-case) name, copied to out
 * (reset first). False when absent.
 */
bool http_reply_header(const struct http_reply *r, const char *name,
		       struct buf *out);
/* The same for a decimal number; false when absent or no number. */
bool http_reply_number(const struct http_reply *r, const char *name,
		       uint64_t *out);
/* Does the answer say where its body ends? Else a broken connection looks the
 * same as the end. */
bool http_reply_delimited(const struct http_reply *r);
/*
 * Is the body packed or unpacked for this answer alone, by a server or a proxy,
 * so that its bytes are not those of what was asked for? What is stored packed
 * has a length of its own.
 */
bool http_reply_recoded(const struct http_reply *r);

/* What judge() makes of an attempt. */
enum http_verdict {
	HTTP_DONE, /* this is the answer, good or bad */
	HTTP_RETRY, /* a passing fault: again after a backoff */
	HTTP_SLOW, /* the server throttles: again after a longer one */
	HTTP_AGAIN, /* what was wrong is put right (region, clock,
			   credentials): again at once, twice a call at most */
};

struct http_call;
struct http_call_ops {
	/* 0, or -errno, which ends the call. */
	int (*prepare)(struct http_call *call, struct http_wire *wire);
	/*
	 * Body bytes of a 2xx answer as they come. NULL: they gather in
	 * reply.body, up to reply_max. Non-zero ends the attempt with that
	 * error and no retry. reply has status and headers.
	 */
	int (*data)(struct http_call *call, const struct http_reply *reply,
		    const void *bytes, size_t n);
	/* NULL: http_judge_default(). */
	enum http_verdict (*judge)(struct http_call *call,
				   const struct http_reply *reply);
	void (*done)(struct http_call *call, const struct http_reply *reply);
};

/* How urgent a call is within its lane. */
enum http_class {
	HTTP_META, /* a caller waits and it is small: never behind data */
	HTTP_DATA, /* a caller waits */
	HTTP_AHEAD, /* read-ahead: when no HTTP_DATA waits, or after 2 s */
};

/* Caller-owned; all fields are set before http_start(). */
struct http_call {
	const struct http_call_ops *ops;
	enum http_verb verb;
	enum http_class class;
	struct http_body body; /* len 0: none */
	size_t reply_max; /* bytes of a 2xx body without data();
					   0: it is read and dropped */
	int64_t deadline_ms; /* all attempts together; 0: the lane's own,
				and the body at 64 KiB/s besides; of that
				only the lane's own in silence */
	int64_t expect; /* body bytes expected, for that sum */
	/*
	 * Once it has the request the server works by itself (a copy, a
	 * completion), on so many bytes, and only then answers. The deadline
	 * bounds the attempts that fail and the rests between them, as ever;
	 * one under way may go on as http_flow.c says.
	 */
	bool works;
	uint64_t work;
	struct http_attempts *state; /* the engine's; NULL before the start */
};

/* Of the network, or of a server that was busy: the next attempt may do. */
bool http_is_transient(int rc);
/*
 * Retry on network errors, 408, 429 and 5xx but 501 and 505; throttle on 429
 * and 503.
 */
enum http_verdict http_judge_default(const struct http_reply *reply);

/* Frees what its buffers hold. */
void http_reply_clear(struct http_reply *r);
/* Of a block, as BUF_LOCAL: zeroed where it is declared. */
#define HTTP_REPLY_LOCAL \
	__attribute__((cleanup(http_reply_clear))) struct http_reply

#endif
