/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One logical request to the server: what is asked (verb, key, parameters,
 * headers, body), signed anew for each attempt, and what its answer means. The
 * files by noun build calls and read their replies.
 */
#ifndef STORE_S3_S3_CALL_H
#define STORE_S3_S3_CALL_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/lock.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_error.h"
#include "store/s3/s3_state.h"
#include "store/s3/s3_sum.h"

struct s3_by_url_locked {
	struct buf why;
	char moved[S3_REGION_SIZE];
};

/* How calls go out whose bytes travel by pre-signed URLs (s3_url.h). */
struct s3_by_url {
	struct http_lane *lane; /* borrowed */
	enum http_verb put; /* of what is sent */
	/* A URL that was handed over and the `Name: value\n` lines to be sent
	 * with it; NULL: each attempt's is signed anew. */
	char *url, *headers;
	struct lock lock;
	struct s3_by_url_locked guarded_;
};

LOCK_GUARDS(s3_by_url_locked, s3_by_url, s3_by_url_locked);

#define S3_CALL_FIELDS 56
#define S3_REPLY_MAX (16u << 20) /* a page of a listing */

struct s3_fields {
	struct field at[S3_CALL_FIELDS]; /* values owned */
	unsigned n;
};

struct s3_call {
	struct http_call http; /* first */
	unsigned refs; /* atomic: of one that no thread waits for */
	struct s3 *s3;
	struct s3_by_url *by; /* NULL: signed in a header, by its lane */
	enum s3_checksum checksum; /* of the body */
	const char *what; /* "read", for the log: "cannot read" */
	const char *key; /* borrowed; NULL: the bucket */
	enum s3_use use;
	bool quiet; /* the caller has the sentence: no log */
	bool hushes_denial; /* -EACCES is not logged */
	bool waits; /* a thread waits, which can read other credentials */
	int64_t retry_until_ms; /* of a read by a URL; 0: its deadline */
	struct s3_fields query, headers;
	char payload[SHA256_HEX_SIZE]; /* or "UNSIGNED-PAYLOAD" */
	struct buf text; /* a body of our own making */
	uint32_t crc32c; /* of the body, when that was chosen */
	int rc; /* the first failure in building it */
	/*
	 * Reads a 2xx answer's body: 0, -EBADMSG (garbage: tried again),
	 * -EREMOTEIO (an error inside a 200). NULL: there is nothing to read.
	 */
	int (*parse)(struct s3_call *call, const struct buf *body);
	void *out; /* parse()'s */

	/* Of the attempts: the engine's thread, then the thread that runs
	 * done(). */
	unsigned generation; /* that the last one was signed for ... */
	bool guessed; /* ... and whether its region was a guess */
	struct creds *used;
	bool refused; /* the last answer refused `used` ... */
	bool surely; /* ... and said so */
	bool maybe_done; /* an attempt's answer was lost */
	unsigned without; /* what of S3_LACKS_OF_CALL is left out */
	char md5[S3_MD5_TEXT]; /* Content-MD5, when that is demanded; "" */
	bool uncond; /* the condition may be what was refused */
	bool uneven; /* parts of several lengths are to be completed ... */
	bool too_uneven; /* ... and the store wants them of one */
	int parsed; /* parse()'s result */
	struct s3_error_doc error; /* of the last answer */
};

void s3_call_init(struct s3_call *c, struct s3 *s, enum http_verb verb,
		  const char *key, const char *what);
void s3_call_clear(struct s3_call *c);
/* Of a block, as BUF_LOCAL: s3_call_init() comes before any way out. */
#define S3_CALL_LOCAL __attribute__((cleanup(s3_call_clear))) struct s3_call
/* It goes out by a URL, without a checksum; NULL: it does not. */
void s3_call_by_url(struct s3_call *c, struct s3_by_url *by);
/* The lane that it goes by. */
static inline struct http_lane *s3_call_lane(const struct s3_call *c)
{
	return c->by ? c->by->lane : c->s3->lane;
}
/* Values are copied. A failure sticks and ends the call. */
void s3_call_query(struct s3_call *c, const char *name, const char *value);
/* The prefix that a listing was asked for. */
const char *s3_call_prefix(const struct s3_call *c);
void s3_call_header(struct s3_call *c, const char *name, const char *value);
void s3_call_headerf(struct s3_call *c, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* If-Match or If-None-Match of a write. */
void s3_call_cond(struct s3_call *c, const struct store_cond *cond);
/* call->text becomes the body, now that it is written. */
void s3_call_text(struct s3_call *c, const char *content_type);
/* The same with the Content-MD5 that some requests must have. */
void s3_call_text_md5(struct s3_call *c, const char *content_type);
/* parse(call, body) reads a 2xx answer into out. */
void s3_call_parse(struct s3_call *c,
		   int (*parse)(struct s3_call *call, const struct buf *body),
		   void *out);

/* The server copies so many bytes or puts them together before it answers,
 * which may take minutes; failures are tried again as long as any call's. */
void s3_call_slow(struct s3_call *c, uint64_t bytes);

/* For http_call_ops: */
int s3_call_prepare(struct http_call *http, struct http_wire *wire);
/* The same with further headers, of this attempt alone. */
int s3_call_prepare_with(struct s3_call *c, struct http_wire *wire,
			 const struct field *more, unsigned n);

/* Sets the body, its checksum and payload hash; reads the body once, unless its
 * CRC-32C is known and all that is wanted. 0, or
 * the call's error. */
int s3_call_body(struct s3_call *c, const struct store_body *body);

#endif
