/*
 * One request by a pre-signed URL: what every get and put of bytes is made of.
 * The row is sent as it is, without an Authorization header; the answer is
 * told in words that never have a URL in them.
 */
#ifndef TRANSFER_TRANSFER_CALL_H
#define TRANSFER_TRANSFER_CALL_H

#include "net/http.h"
#include "presign/presign.h"
#include "transfer/transfer_row.h"

struct buf;
struct http_lane;
struct stage;

/* Where the bytes are, on the far side. */
struct transfer_remote {
	struct http_lane *lane; /* borrowed */
	/* A stage's file, signed here for each request ... */
	struct stage *stage; /* a reference; NULL: the row */
	char *path;
	char *content_type; /* of an upload; NULL: none */
	uint64_t part_size; /* of a large upload; 0: auto */
	/* ... or a row that was handed over, which signs this alone. */
	struct transfer_row row;
	char *label; /* what a person calls it: @stage/path, or the row's key */
};
void transfer_call_clear_remote(struct transfer_remote *r);

/* A row for this request; transfer_row_clear(). checksum: an upload's, as
 * presign_request has it, or NULL. 0 or -errno, why says it. */
int transfer_call_sign(const struct transfer_remote *r,
		       enum presign_action action, const char *checksum,
		       struct transfer_row *out, struct buf *why);
/* The same for a part of an upload that was begun. */
int transfer_call_sign_part(const struct transfer_remote *r,
			    const char *upload_id, unsigned number,
			    const char *checksum, struct transfer_row *out,
			    struct buf *why);

/* The method of a row. 0, or -EINVAL with why. */
int transfer_call_verb(const struct transfer_row *row, enum http_verb *out,
		       struct buf *why);

/* For http_call_ops.prepare: the URL and the row's headers. */
int transfer_call_prepare(const struct transfer_row *row,
			  struct http_wire *wire);

/* Is it worth another try? By the store's code, where it has one. */
enum http_verdict transfer_call_judge(const struct http_reply *reply);

/*
 * What came of a call. rc: http_perform()'s. 0 for any 2xx; else -errno, and
 * why has the store's code and message, or what the connection suffered.
 */
int transfer_call_outcome(int rc, const struct http_reply *reply,
			  struct buf *why);

/*
 * Does the server demand Content-MD5, as it does for a bucket with Object Lock?
 * True when the request, signed anew with that, is worth a try; the store
 * remembers it (transfer_call_wants_md5()).
 */
bool transfer_call_demands_md5(const struct transfer_remote *r,
			       const struct http_reply *reply);
bool transfer_call_wants_md5(const struct transfer_remote *r);

/*
 * Did the server say that the bucket is in another region than was signed for?
 * True when the same request, signed anew, is for that one; stderr has it then.
 */
bool transfer_call_relocated(const struct transfer_remote *r,
			     const struct http_reply *reply);

#endif
