/*
 * Parts go in rounds, as many at once as the crew has hands free, each by a
 * URL of its own. Whatever ends it early, an interrupt too, the upload is
 * aborted: parts that nobody completes would be paid for unseen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/wait.h"
#include "net/http_engine.h"
#include "stage/stage.h"
#include "store/parts.h"
#include "store/s3/s3_doc.h"
#include "store/store.h"
#include "transfer/transfer_file.h"
#include "transfer/transfer_put.h"
#include "transfer/transfer_send.h"

#define ROUND_MAX 16 /* requests at once for one file */

struct sending {
	struct transfer *t;
	const struct transfer_remote *r;
	int fd;
	uint64_t size;
	struct store_upload *upload;
	struct store_part_done *done;
	unsigned n, sent; /* parts */
	uint64_t moved;
};

/* A round: parts sent + 1 .. sent + n. */
struct round {
	struct transfer_row rows[ROUND_MAX];
	struct transfer_send sends[ROUND_MAX];
	struct http_call *calls[ROUND_MAX];
	struct http_reply replies[ROUND_MAX];
	int results[ROUND_MAX];
	unsigned n;
	bool md5; /* they have a Content-MD5 */
};

static int add(struct sending *s, struct round *r, struct buf *why)
{
	unsigned number = s->sent + r->n + 1;
	char checksum[TRANSFER_CHECKSUM_SIZE];
	struct part_range part;
	uint64_t len;
	int rc = parts_numbered(s->r->part_size, number, &part);

	if (rc)
		return rc;
	len = s->size - part.start < part.len ? s->size - part.start : part.len;
	if (r->md5)
		rc = transfer_file_checksum(s->fd, part.start, len, checksum);
	if (!rc)
		rc = transfer_call_sign_part(s->r, store_upload_id(s->upload),
					     number, r->md5 ? checksum : NULL,
					     &r->rows[r->n], why);
	if (!rc)
		rc = transfer_send_init(&r->sends[r->n], &r->rows[r->n], s->fd,
					part.start, len, why);
	r->calls[r->n] = &r->sends[r->n].http;
	r->n++;
	return rc;
}

static int read_part(struct sending *s, struct round *r, unsigned i,
		     struct buf *why)
{
	struct store_part_done *done = &s->done[s->sent + i];
	struct buf etag = BUF_INIT(STORE_ETAG_SIZE);
	int rc = transfer_call_outcome(r->results[i], &r->replies[i], why);

	if (rc)
		return rc;
	done->number = s->sent + i + 1;
	if (!http_reply_header(&r->replies[i], "etag", &etag) ||
	    !s3_etag_keep(buf_str(&etag), etag.len, done->etag) ||
	    !*done->etag) {
		buf_adds(why, "the answer to a part has no ETag");
		rc = -EPROTO;
	}
	buf_clear(&etag);
	if (!rc) {
		s->moved += r->sends[i].http.body.len;
		transfer_moved(s->t, (int64_t)r->sends[i].http.body.len);
	}
	return rc;
}

/* Does the store take none of them without a checksum? */
static bool demands_md5(const struct sending *s, const struct round *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (!r->md5 && !r->results[i] &&
		    transfer_call_demands_md5(s->r, &r->replies[i]))
			return true;
	return false;
}

static int send_round(struct sending *s, struct round *r, bool *again,
		      struct buf *why)
{
	unsigned width = transfer_width(s->t);
	int rc = 0;

	*again = false;
	while (!rc && r->n < width && r->n < ROUND_MAX && s->sent + r->n < s->n)
		rc = add(s, r, why);
	if (rc)
		return rc;
	http_perform_all(s->r->lane, r->calls, r->replies, r->results, r->n);
	*again = demands_md5(s, r);
	for (unsigned i = 0; i < r->n; i++) {
		rc = rc || *again ? rc : read_part(s, r, i, why);
		http_reply_clear(&r->replies[i]);
	}
	if (!*again)
		s->sent += r->n;
	return rc;
}

static int next_round(struct sending *s, struct buf *why)
{
	struct round *r = calloc(1, sizeof(*r));
	bool again;
	int rc;

	if (!r)
		return -ENOMEM;
	r->md5 = transfer_call_wants_md5(s->r);
	rc = send_round(s, r, &again, why);
	for (unsigned i = 0; i < r->n; i++)
		transfer_row_clear(&r->rows[i]);
	free(r);
	return rc;
}

static int complete(struct sending *s, struct buf *why)
{
	struct object_info info;
	int rc = store_upload_complete(s->upload, s->done, s->n, NULL, &info);

	if (rc)
		buf_addf(why, "the parts cannot be put together: %s",
			 rc == -EINTR ? "interrupted" : strerror(-rc));
	return rc;
}

static void give_up(struct sending *s, struct buf *why)
{
	/* an interrupt has ended the upload, not what cleans up behind it */
	waiter_begin(waiter_self());
	if (store_upload_abort(s->upload))
		buf_adds(why, "; its parts could not be removed");
	transfer_moved(s->t, -(int64_t)s->moved);
}

static int open_upload(struct sending *s, struct buf *why)
{
	const struct store_meta meta = {
		.content_type = s->r->content_type,
		.foreign_parts = true,
	};
	struct stage *stage = s->r->stage;
	struct buf key = BUF_INIT(STORE_KEY_MAX);
	int rc;

	buf_adds(&key, stage->prefix);
	buf_adds(&key, s->r->path);
	rc = buf_err(&key) ? -ENAMETOOLONG
			   : store_upload_open(stage->store, buf_str(&key),
					       &meta, &s->upload);
	if (rc)
		buf_addf(why, "the upload cannot be begun: %s",
			 rc == -EINTR ? "interrupted" : strerror(-rc));
	buf_clear(&key);
	return rc;
}

int transfer_parts(struct transfer *t, const struct transfer_remote *r, int fd,
		   uint64_t size, struct buf *why)
{
	struct sending s = { .t = t, .r = r, .fd = fd, .size = size };
	struct transfer_row probe;
	int rc;

	s.n = parts_count(r->part_size, size);
	if (s.n > PARTS_MAX || size > r->stage->store->limits.object_max) {
		buf_adds(why, strerror(EFBIG));
		return -EFBIG;
	}
	/* a stage that hands out no upload URL is not begun with */
	rc = transfer_call_sign(r, PRESIGN_UPLOAD, NULL, &probe, why);
	transfer_row_clear(&probe);
	if (rc)
		return rc;
	s.done = calloc(s.n, sizeof(*s.done));
	rc = s.done ? open_upload(&s, why) : -ENOMEM;
	while (!rc && s.sent < s.n)
		rc = next_round(&s, why);
	if (!rc)
		rc = complete(&s, why);
	if (rc && s.upload)
		give_up(&s, why);
	if (s.upload)
		store_upload_free(s.upload);
	free(s.done);
	return rc;
}
