/*
 * The inside of the S3 store, shared by its files only.
 *
 * s3_call is one logical request to the server: what is asked (verb, key,
 * parameters, headers, body), signed anew for each attempt, and what its
 * answer means. The files by noun build calls and read their replies.
 */
#ifndef STORE_S3_S3_IMPL_H
#define STORE_S3_S3_IMPL_H

#include "auth/signer.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/lock.h"
#include "net/http_engine.h"
#include "store/s3/s3.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_error.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_page.h"
#include "store/s3/s3_endpoint.h"

/* Are names percent-encoded where a listing does not say so? */
enum s3_silent { S3_SILENT_UNKNOWN, S3_SILENT_PLAIN, S3_SILENT_ENCODED };

struct s3_locked {
	char region[S3_REGION_SIZE];
	bool guessed; /* ... and no server has said yet that it is that */
	int64_t skew_s; /* the server's clock minus ours */
	bool skew_warned;
	bool no_batch; /* the server has no DeleteObjects */
	bool other_etags; /* listings have others than objects */
	bool unlisted_told; /* that the keys may not list */
	bool unordered; /* listings are not sorted */
	enum s3_silent silent; /* names of pages that do not say */
	unsigned generation; /* grows when region or skew change */
	unsigned lacks; /* S3_LACKS_* ... */
	struct creds *refused; /* the server does not take these */
};

/* What the settings say of objects that are made, each a header: the same for
 * every way of making one, pre-signed uploads too. */
enum s3_made {
	S3_MADE_CLASS,
	S3_MADE_SSE,
	S3_MADE_SSE_KEY, /* for the one above alone */
	S3_MADE_ACL,
	S3_MADE,
};
extern const char *const s3_made_names[S3_MADE];

struct s3 {
	struct store base;
	struct http_lane *lane;
	struct signer *signer;
	struct s3_endpoint io, public;
	enum s3_checksum checksum;
	char *made[S3_MADE]; /* values of what a new object is given; "" none */
	bool requester_pays;
	int64_t deadline_ms;
	struct lock lock;
	struct s3_locked guarded_;
};

static inline struct s3 *s3_of(struct store *s)
{
	return (struct s3 *)s;
}

static inline struct s3_locked *s3_locked(struct s3 *s) REQUIRES(&s->lock)
{
	return &s->guarded_;
}

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

static inline struct s3_by_url_locked *s3_by_url_locked(struct s3_by_url *by)
	REQUIRES(&by->lock)
{
	return &by->guarded_;
}

/* What a request is signed with at this moment. */
struct s3_sign_ctx {
	char region[S3_REGION_SIZE];
	int64_t skew_s;
	unsigned generation;
	unsigned lacks;
	bool guessed;
};
void s3_state_sign_ctx(struct s3 *s, struct s3_sign_ctx *out);
/* A server took what was signed for that generation's region. */
void s3_state_confirm_region(struct s3 *s, unsigned generation);
/* Its listings are not sorted. */
bool s3_state_is_unordered(struct s3 *s);
/* Appends `this machine's clock is 3600 seconds behind the store's`. */
void s3_state_say_skew(int64_t skew_s, struct buf *out);
/* May the store's time date a URL? Over plain HTTP any machine on the way
 * could make it live longer. */
bool s3_state_trusts_clock(const struct s3 *s);

/* ---- s3_call.c ---- */

#define S3_CALL_FIELDS 56
#define S3_REPLY_MAX (16u << 20) /* a page of a listing */

struct s3_fields {
	struct field at[S3_CALL_FIELDS]; /* values owned */
	unsigned n;
};

#define S3_MD5_TEXT 32 /* base64 */

struct s3_call {
	struct http_call http; /* first */
	struct s3 *s3;
	struct s3_by_url *by; /* NULL: signed in a header, by its lane */
	enum s3_checksum checksum; /* of the body */
	const char *what; /* "read", for the log: "cannot read" */
	const char *key; /* borrowed; NULL: the bucket */
	enum s3_use use;
	bool quiet; /* the caller has the sentence: no log */
	bool waits; /* a thread waits, which can read other credentials */
	int64_t retry_until_ms; /* of a slow call; 0: its deadline */
	struct s3_fields query, headers;
	char payload[SHA256_HEX_SIZE]; /* or "UNSIGNED-PAYLOAD" */
	struct buf text; /* a body of our own making */
	uint32_t crc32c; /* of the body, when that was chosen */
	int err; /* the first failure in building it */
	/*
	 * Reads a 2xx answer's body: 0, -EBADMSG (garbage: tried again),
	 * -EREMOTEIO (an error inside a 200). NULL: there is nothing to read.
	 */
	int (*parse)(struct s3_call *call, const struct buf *body);
	void *out; /* parse()'s */

	/* Of the attempts: the engine's thread, then whoever has done(). */
	unsigned generation; /* that the last one was signed for ... */
	bool guessed; /* ... and whether its region was a guess */
	struct creds *used;
	bool refused; /* the last answer refused `used` ... */
	bool surely; /* ... and said so */
	bool maybe_done; /* an attempt's answer was lost */
	unsigned without; /* S3_LACKS_CHECKSUM: the checksum is left out */
	char md5[S3_MD5_TEXT]; /* Content-MD5, when that is demanded; "" */
	bool uncond; /* the condition may be what was refused */
	int parsed; /* parse()'s result */
	struct s3_error_doc error; /* of the last answer */
};

void s3_call_init(struct s3_call *c, struct s3 *s, enum http_verb verb,
		  const char *key, const char *what);
void s3_call_clear(struct s3_call *c);
/* It goes out by a URL, without a checksum; NULL: it does not. */
void s3_call_by_url(struct s3_call *c, struct s3_by_url *by);
/* The lane that it goes by. */
struct http_lane *s3_call_lane(const struct s3_call *c);
/* Values are copied. A failure sticks and ends the call. */
void s3_call_query(struct s3_call *c, const char *name, const char *value);
/* The prefix that a listing was asked for. */
const char *s3_call_prefix(const struct s3_call *c);
void s3_call_header(struct s3_call *c, const char *name, const char *value);
void s3_call_headerf(struct s3_call *c, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* If-Match or If-None-Match of a write. */
void s3_call_cond(struct s3_call *c, const struct store_cond *cond);
/* The headers of what makes an object: the caller's; of an edit or a copy those
 * of what was there, else what the stage is set to. */
void s3_call_make(struct s3_call *c, const struct store_meta *meta);
/* call->text becomes the body, now that it is written. */
void s3_call_text(struct s3_call *c, const char *content_type);
/* The same with the Content-MD5 that some requests must have. */
void s3_call_text_md5(struct s3_call *c, const char *content_type);
/* parse(call, body) reads a 2xx answer into out. */
void s3_call_parse(struct s3_call *c,
		   int (*parse)(struct s3_call *call, const struct buf *body),
		   void *out);

/* The server may take minutes before it answers (an attempt may last
 * S3_SLOW_MS); failures are tried again as long as anybody's. */
#define S3_SLOW_MS (15 * 60 * 1000)
void s3_call_slow(struct s3_call *c);

/* Credentials are at hand (perhaps read now): before a call is started. */
int s3_call_ready(struct s3_call *c);

/* For http_call_ops: */
int s3_call_prepare(struct http_call *http, struct http_wire *wire);
/* The same with further headers, of this attempt alone. */
int s3_call_prepare_with(struct s3_call *c, struct http_wire *wire,
			 const struct field *more, unsigned n);
/* Makes the call and sleeps until it is done; once more with credentials that
 * were refreshed. The reply is to be cleared. */
int s3_call_perform(struct s3_call *c, struct http_reply *reply);
#define S3_SIDE_BY_SIDE 16
/* Several (S3_SIDE_BY_SIDE at most) side by side; errs[i] as s3_call_perform() would return it. */
void s3_call_perform_all(struct s3_call **calls, struct http_reply *replies,
			 int *errs, unsigned n);

/* ---- s3_judge.c ---- */
/* Reads an attempt's answer, puts right what can be. */
enum http_verdict s3_judge(struct http_call *http,
			   const struct http_reply *reply);
/*
 * What came of a finished call: 0 or -errno, logged unless it is -ENOENT,
 * -EINTR or -ECANCELED. rc: http_perform()'s, or reply->err.
 */
int s3_judge_outcome(struct s3_call *c, int rc, const struct http_reply *reply);
/* Logs what a quiet call has come to, after all. Returns err. */
int s3_judge_speak(struct s3_call *c, int err, const struct http_reply *reply);
/* Logs a failure that was found after the answer. Returns err. */
int s3_judge_failed(struct s3_call *c, const struct http_reply *reply, int err,
		    const char *why);

/* ---- s3_lack.c: what a store does not know, or demands ---- */
enum s3_lack {
	S3_LACKS_ABSENT = 1, /* If-None-Match on a write */
	S3_LACKS_MATCH = 2, /* If-Match on a write */
	S3_LACKS_CHECKSUM = 4, /* x-amz-checksum-* */
	S3_WANTS_MD5 = 8, /* Content-MD5 with a PUT */
	S3_LACKS_UPLOAD_TAGS = 16, /* of the beginning of an upload */
	S3_HAS_UPLOAD_TAGS = 32, /* nothing is lacking: it was looked at */
};
bool s3_state_lacks(struct s3 *s, unsigned which);
/* It is so: the log says it once. */
void s3_lack_note(struct s3 *s, unsigned which);
/* Appends `; the store ...` for each. */
void s3_lack_show(struct s3 *s, struct buf *out);
/* What a store lacks that does not know this condition; 0: none is given. */
unsigned s3_lack_of_cond(const struct store_cond *cond);
bool s3_lack_is_checksum(const char *header);
/* An attempt's refusal: HTTP_AGAIN when the next one does without what may
 * have been refused. call->uncond: that may have been its condition. */
enum http_verdict s3_lack_judge(struct s3_call *c,
				const struct http_reply *reply);
/* The call has succeeded: what it did without is lacking. */
void s3_lack_learn(struct s3_call *c);

/* ---- s3_body.c: what is sent ---- */
/* Sets the body, its checksum and payload hash; reads the body once. 0, or
 * the call's error. */
int s3_call_body(struct s3_call *c, const struct store_body *body);

/* ---- s3_sum.c: sums of what is sent; each reads the body once ---- */
int s3_sum_digest(const struct store_body *body, enum digest_kind kind,
		  unsigned char out[SHA256_SIZE]);
int s3_sum_crc32c(const struct store_body *body, uint32_t *out);
int s3_sum_md5(const struct store_body *body, unsigned char out[MD5_SIZE]);
/* As Content-MD5 has it. */
int s3_sum_md5_text(const struct store_body *body, char out[S3_MD5_TEXT]);

/* ---- s3_ask.c: what a HEAD does not tell ---- */
/* The listing's entry for exactly this key. -ENOENT when it shows none; a
 * failure is not logged. */
int s3_ask_listed(struct s3 *s, const char *key, struct object_info *out);
/* Completes what a HEAD without a Content-Length has told. Logs a failure,
 * unless it is to be quiet. */
int s3_ask_size(struct s3 *s, const char *key, bool quiet,
		struct object_info *info);

/* ---- s3_learn.c: what is found out once ---- */
/* Settles the names of a page that does not say how it writes them, by asking
 * for one of them, once a store. 0, -EINTR. */
int s3_learn_names(struct s3 *s, struct s3_page *page);

/* ---- what s3_url.c does by URLs ---- */
void s3_get_by(struct s3 *s, struct s3_by_url *by, struct store_get *get);
int s3_put_by(struct s3 *s, struct s3_by_url *by, const char *key,
	      const struct store_body *body, const struct store_meta *meta,
	      struct object_info *out);

/* ---- s3_info.c: what an answer's headers tell ---- */
/* Content-Range, of a 206 or a 416 (which has no first and last). */
struct s3_range {
	uint64_t first, last;
	uint64_t total; /* STORE_SIZE_UNKNOWN: "*" */
};
bool s3_info_range(const struct http_reply *reply, struct s3_range *out);
/* Size by Content-Range or Content-Length (else STORE_SIZE_UNKNOWN), mtime,
 * ETag. */
void s3_info_read(const struct http_reply *reply, struct object_info *out);
/* ETag and Date of an answer to a write. */
void s3_info_written(const struct http_reply *reply, uint64_t size,
		     struct object_info *out);
/* The object's headers. 0, -E2BIG (some are left out) or -ENOMEM. */
int s3_info_props(const struct http_reply *reply, struct props *out);
/* x-amz-copy-source: /bucket/key, encoded. */
void s3_part_source(struct s3_call *c, const char *key, const char *etag);

/*
 * Does the condition on a target hold at this moment? For requests whose
 * conditions not every server knows (copies, completion): 0, -EEXIST, -ESTALE
 * or the HEAD's failure.
 */
int s3_head_cond(struct s3 *s, const char *key, const struct store_cond *cond);
/* The same when the request cannot have the condition: nothing is left to it.
 */
int s3_head_must_hold(struct s3 *s, const char *key,
		      const struct store_cond *cond);

/* ---- the vtable, by noun ---- */
store_check_fn s3_check;
store_stat_fn s3_stat;
store_head_fn s3_head;
/* LIST of the first name that begins so. */
void s3_ask_first(struct s3_call *c, struct s3 *s, const char *prefix,
		  struct s3_page *page);
/* The same, and all headers; quiet: a failure is not logged. */
int s3_head_reply(struct s3 *s, const char *key, bool quiet,
		  struct object_info *out, struct http_reply *reply);
store_confirm_fn s3_confirm;
store_list_open_fn s3_list_open;
store_list_next_fn s3_list_next;
store_list_close_fn s3_list_close;
store_get_fn s3_get;
store_get_cancel_fn s3_get_cancel;
store_put_fn s3_put;
store_upload_open_fn s3_upload_open;
store_part_fn s3_part;
store_part_fn s3_part_cancel;
store_part_copy_fn s3_part_copy;
store_upload_complete_fn s3_upload_complete;
store_upload_abort_fn s3_upload_abort;
store_upload_free_fn s3_upload_free;
store_upload_id_fn s3_upload_id;
store_pending_fn s3_pending;
store_pending_abort_fn s3_pending_abort;
store_copy_fn s3_copy;
int s3_tags(struct store *s, const char *key, struct buf *out);
store_remove_fn s3_remove;
store_remove_many_fn s3_remove_many;
store_presign_fn s3_presign;

#endif
