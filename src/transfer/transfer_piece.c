/*
 * A ranged GET into a file. An attempt that breaks off leaves a prefix, and
 * the next one asks for the rest, with If-Match: bytes of two versions never
 * meet. A server that knows no ranges sends the whole object (200): then all
 * of it is taken from its first byte on, whatever was asked for.
 *
 * How long it may take depends on nobody's guess of the size: tries end when
 * nothing has come for a while.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "store/s3/s3_doc.h"
#include "transfer/transfer_get.h"

#define PATIENCE_MS 60000
#define FIRST_PATIENCE_MS 15000 /* before anything has come at all */
#define SHORT_MAX 3 /* answers with too few bytes */
#define DEADLINE_MS ((int64_t)30 * 86400 * 1000)
/* data()'s way to end an attempt. */
#define ENOUGH (-ECANCELED)

static int prepare(struct http_call *http, struct http_wire *wire)
{
	struct transfer_piece *p = (struct transfer_piece *)http;
	uint64_t from = p->offset + p->delivered;
	char range[64];
	int rc = transfer_call_prepare(p->row, wire);

	p->skip = 0;
	p->bad = NULL;
	/* whole and of no known version: a new attempt begins anew */
	if (p->whole && !*p->info.etag) {
		transfer_moved(p->t, -(int64_t)p->delivered);
		p->delivered = 0;
		from = 0;
	}
	if (!rc && (p->ranged || from) && p->len != TRANSFER_UNKNOWN) {
		snprintf(range, sizeof(range), "bytes=%llu-%llu",
			 (unsigned long long)from,
			 (unsigned long long)(p->offset + p->len - 1));
		rc = http_wire_header(wire, "Range", range);
	} else if (!rc && from) {
		snprintf(range, sizeof(range), "bytes=%llu-",
			 (unsigned long long)from);
		rc = http_wire_header(wire, "Range", range);
	}
	if (!rc && *p->info.etag && !s3_etag_is_hash(p->info.etag))
		rc = http_wire_header(wire, "If-Match", p->info.etag);
	return rc;
}

/* `bytes FIRST-LAST/TOTAL`. */
static bool read_range(const struct http_reply *reply, uint64_t *first,
		       uint64_t *total)
{
	struct buf value = BUF_INIT(128);
	const char *s, *dash, *slash;
	bool ok = http_reply_header(reply, "content-range", &value);

	s = buf_str(&value);
	ok = ok && text_starts_with(s, "bytes ");
	s += ok ? 6 : 0;
	dash = strchr(s, '-');
	slash = strchr(s, '/');
	ok = ok && dash && slash && dash < slash &&
	     !parse_u64n(s, dash - s, UINT64_MAX - 1, first);
	*total = TRANSFER_UNKNOWN;
	if (ok && strcmp(slash + 1, "*"))
		ok = !parse_u64(slash + 1, UINT64_MAX - 1, total);
	buf_clear(&value);
	return ok;
}

/* A weak ETag cannot be asked for by If-Match: it counts as none. */
static void read_etag(const struct http_reply *reply, char out[STORE_ETAG_SIZE])
{
	struct buf value = BUF_INIT(BUF_LINE);

	out[0] = '\0';
	if (http_reply_header(reply, "etag", &value) &&
	    !text_starts_with(buf_str(&value), "W/"))
		s3_etag_keep(buf_str(&value), value.len, out);
	buf_clear(&value);
}

static void begin_whole(struct transfer_piece *p)
{
	if (!p->whole && !p->delivered && p->ranged) {
		p->whole = true;
		p->offset = 0;
		p->len = TRANSFER_UNKNOWN;
	}
	p->skip = p->offset + p->delivered;
}

/* The head of an answer: which object, and where its body begins. 0, or what
 * ends the attempt. */
static int read_head(struct transfer_piece *p, const struct http_reply *reply)
{
	struct object_info now = { .size = TRANSFER_UNKNOWN };
	uint64_t first = 0;

	read_etag(reply, now.etag);
	if (reply->status == 206) {
		if (!read_range(reply, &first, &now.size) ||
		    first != p->offset + p->delivered)
			return -EPROTO;
	} else {
		http_reply_number(reply, "content-length", &now.size);
		if (http_reply_recoded(reply))
			p->bad = "the answer was encoded on the way";
		else if (!http_reply_delimited(reply))
			p->bad = "the answer does not say where it ends";
	}
	if (p->bad)
		return -EPROTO;
	p->stale =
		(*now.etag && *p->info.etag &&
		 strcmp(now.etag, p->info.etag)) ||
		(now.size != TRANSFER_UNKNOWN &&
		 p->info.size != TRANSFER_UNKNOWN && now.size != p->info.size);
	if (p->stale)
		return -ESTALE;
	if (*now.etag)
		memcpy(p->info.etag, now.etag, sizeof(now.etag));
	if (now.size != TRANSFER_UNKNOWN)
		p->info.size = now.size;
	if (reply->status != 206)
		begin_whole(p);
	return 0;
}

static int put_bytes(struct transfer_piece *p, const char *bytes, size_t n)
{
	uint64_t at = p->offset + p->delivered;
	size_t done;
	int rc;

	if (at < p->base)
		return -EPROTO; /* those have been handed on already */
	rc = io_pwrite_some(p->fd, bytes, n, at - p->base, &done);
	p->delivered += done;
	return rc;
}

/* How many bytes may still come, as far as that is known. */
static uint64_t room(const struct transfer_piece *p)
{
	uint64_t at = p->offset + p->delivered, left = TRANSFER_UNKNOWN;

	if (p->len != TRANSFER_UNKNOWN)
		left = p->len - p->delivered;
	if (p->info.size != TRANSFER_UNKNOWN && p->info.size - at < left)
		left = p->info.size - at;
	return left;
}

static int data(struct http_call *http, const struct http_reply *reply,
		const void *bytes, size_t n)
{
	struct transfer_piece *p = (struct transfer_piece *)http;
	const char *at = bytes;
	uint64_t left;
	int rc = reply->received == n ? read_head(p, reply) : 0;

	if (rc)
		return rc;
	p->moved_ms = clock_mono_ms();
	if (p->skip >= n) {
		p->skip -= n;
		return 0;
	}
	at += p->skip;
	n -= p->skip;
	p->skip = 0;
	left = room(p);
	if (n > left && (p->len == TRANSFER_UNKNOWN || reply->status == 206)) {
		p->bad = "the answer is longer than the object";
		return -EPROTO;
	}
	if (n > left)
		n = left;
	p->write_err = put_bytes(p, at, n);
	transfer_moved(p->t, (int64_t)n);
	if (p->write_err)
		return p->write_err;
	/* a whole object of which no more is wanted */
	return n == left && p->len != TRANSFER_UNKNOWN && reply->status == 200
		       ? ENOUGH
		       : 0;
}

/* Has all of the range come, as far as sizes are known? */
static bool is_whole(const struct transfer_piece *p)
{
	uint64_t end = p->offset + p->delivered;

	if (p->len != TRANSFER_UNKNOWN && p->delivered == p->len)
		return true;
	return p->info.size != TRANSFER_UNKNOWN && end == p->info.size;
}

static enum http_verdict judge(struct http_call *http,
			       const struct http_reply *reply)
{
	struct transfer_piece *p = (struct transfer_piece *)http;
	enum http_verdict verdict = transfer_call_judge(reply);

	if (p->write_err || p->stale || p->bad)
		return HTTP_DONE;
	if (!reply->err && reply->status / 100 == 2) {
		/* one without a body has not been looked at by data() */
		if (!reply->received && read_head(p, reply) &&
		    (p->stale || p->bad))
			return HTTP_DONE;
		p->ended = is_whole(p) || (p->info.size == TRANSFER_UNKNOWN &&
					   reply->status != 206);
		verdict = p->ended || ++p->short_answers == SHORT_MAX
				  ? HTTP_DONE
				  : HTTP_RETRY;
	} else if (p->delivered && is_whole(p)) {
		p->ended = true;
		verdict = HTTP_DONE;
	}
	p->empty = !reply->err && reply->status == 416;
	if (clock_mono_ms() - p->moved_ms >
	    (p->delivered ? PATIENCE_MS : FIRST_PATIENCE_MS))
		verdict = HTTP_DONE;
	return verdict;
}

void transfer_piece_init(struct transfer_piece *p, struct transfer *t,
			 const struct transfer_row *row, enum http_verb verb)
{
	static const struct http_call_ops ops = {
		.prepare = prepare,
		.data = data,
		.judge = judge,
	};

	*p = (struct transfer_piece){
		.http = { .ops = &ops,
			  .verb = verb,
			  .class = HTTP_DATA,
			  .deadline_ms = DEADLINE_MS },
		.t = t,
		.row = row,
		.info = { .size = TRANSFER_UNKNOWN },
		.moved_ms = clock_mono_ms(),
	};
}

int transfer_piece_outcome(const struct transfer_piece *p, int rc,
			   const struct http_reply *reply, struct buf *why)
{
	bool pinned = *p->info.etag;

	if (p->write_err) {
		buf_addf(why, "cannot write: %s", strerror(-p->write_err));
		return p->write_err;
	}
	if (p->stale || (pinned && !rc && reply->status == 412)) {
		buf_adds(why, "the object changed meanwhile");
		return -ESTALE;
	}
	if (p->bad) {
		buf_adds(why, p->bad);
		return -EIO;
	}
	if (p->ended || (p->delivered && is_whole(p)))
		return 0;
	if (rc || reply->status / 100 != 2)
		return transfer_call_outcome(rc, reply, why);
	buf_adds(why, "the answer has not the bytes that were asked for");
	return -EIO;
}
